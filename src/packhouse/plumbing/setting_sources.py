"""Where the text of settings comes from: a file in development, the environment, the running shop.

Which source may set what is decided here, and what is found wrong is told without its secret.
"""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec
from dotenv import dotenv_values

PREFIX: Final = "PACKHOUSE_"
TEST_PREFIX: Final = "PACKHOUSE_TEST_"
"""Variables that begin so belong to the test suite and mean nothing to the shop."""

COMMAND_LINE_VARIABLES: Final[Mapping[str, str]] = {
    "PACKHOUSE_DATA": "The folder of the embedded shop, as `--data` names it; `./.packhouse` "
    "when not set. Read from the environment only.",
}
"""Variables that options of the command line read; known here so that they are not refused."""

SettingOrigin = Literal["default", "environment", ".env", "packhouse up"]
"""Where a value came from."""


class SettingProblem(msgspec.Struct, frozen=True):
    """One wrong setting: its variable, its value as it may be shown, its origin, and the reason."""

    variable: str
    reason: str
    shown: str | None = None
    origin: SettingOrigin | None = None

    def __str__(self) -> str:
        value = "" if self.shown is None else f"={self.shown}"
        origin = "" if self.origin is None else f" ({self.origin})"
        return f"{self.variable}{value}{origin}: {self.reason}"


def variable_of(field_name: str) -> str:
    """The environment variable of a field of ``Settings``."""
    return f"{PREFIX}{field_name.upper()}"


def gather_texts(
    fields: Sequence[str],
    environ: Mapping[str, str],
    *,
    dotenv_path: Path,
    overrides: Mapping[str, str | int | Path],
    problems: list[SettingProblem],
) -> dict[str, tuple[str, SettingOrigin]]:
    """Text and origin by field name, from the weakest source to the strongest; empty is not set.

    What is wrong is added to ``problems``.
    """
    variables = {variable_of(name): name for name in fields}
    raised = {variable_of(name): str(value) for name, value in overrides.items()}
    environment = raised.get("PACKHOUSE_ENVIRONMENT") or environ.get("PACKHOUSE_ENVIRONMENT")
    is_development = (environment or "").strip() in {"", "development"}
    dotenv = _read_dotenv(dotenv_path, problems) if is_development else {}
    sources: tuple[tuple[SettingOrigin, Mapping[str, str]], ...] = (
        (".env", dotenv),
        ("environment", environ),
        ("packhouse up", raised),
    )
    given: dict[str, tuple[str, SettingOrigin]] = {}
    for origin, texts in sources:
        for variable in sorted(texts):
            if not variable.startswith(PREFIX) or variable.startswith(TEST_PREFIX):
                continue
            reason = _unwelcome(variable, texts[variable], origin, variables)
            if reason is not None:
                problems.append(SettingProblem(variable, reason, origin=origin))
            elif variable in variables and texts[variable].strip():
                given[variables[variable]] = (texts[variable].strip(), origin)
    return given


def _read_dotenv(path: Path, problems: list[SettingProblem]) -> dict[str, str]:
    try:
        texts = dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        problems.append(SettingProblem(str(path), f"cannot be read ({type(error).__name__})"))
        return {}
    return {name: text or "" for name, text in texts.items()}


def _unwelcome(
    variable: str, text: str, origin: SettingOrigin, variables: Mapping[str, str]
) -> str | None:
    """Why a variable may not be set there at all; None when it may."""
    if variable in COMMAND_LINE_VARIABLES:
        return None if origin == "environment" else "can be set in the environment only"
    if variable not in variables:
        names = {name.removeprefix(PREFIX): name for name in [*variables, *COMMAND_LINE_VARIABLES]}
        close = difflib.get_close_matches(variable.removeprefix(PREFIX), names, n=1)
        guess = f"; did you mean {names[close[0]]}?" if close else ""
        return f"is no setting of this shop{guess}"
    if variable == variable_of("embedded") and origin != "packhouse up":
        return "is set by `packhouse up` alone"
    if (
        variable == variable_of("environment")
        and origin == ".env"
        and text not in {"", "development"}
    ):
        return "must be set in the environment itself, because .env is read in development only"
    return None
