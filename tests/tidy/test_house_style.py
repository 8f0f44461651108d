"""The house style, kept by tests: lengths, names, docstrings, transactions, what is tested."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

REPOSITORY: Final = Path(__file__).parents[2]
CODE: Final = REPOSITORY / "src" / "packhouse"
TESTS: Final = REPOSITORY / "tests"

FILE_LINES_MAX: Final = 400
TEST_FILE_LINES_MAX: Final = 450
FUNCTION_LINES_MAX: Final = 70

WEIGHTLESS: Final = {
    "util": "name what it does",
    "utils": "name what it does",
    "helper": "name what it does",
    "helpers": "name what it does",
    "common": "name what it is that they share",
    "misc": "one matter a file",
    "base": "name the thing that the others are kinds of",
    "core": "name the matter",
    "manager": "name what it keeps or does",
    "service": "name the flow",
    "handler": "name what it answers",
    "data": "name what it tells",
    "info": "name what it tells",
    "process": "use the verb that is meant",
    "do": "use the verb that is meant",
}
"""Name parts that say nothing, and what to do instead."""

PLAIN_WORDS: Final = {
    "_is_common": "a password that everybody has",
    "data_directory": "the folder of the shop's data",
    "data_received": "asyncio calls it so",
    "load_process_settings": "of this process of the operating system",
}
"""Names with such a part that mean just what they say."""

UNFINISHED: Final = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")

ELSEWHERE: Final = re.compile(
    r"(?<![\w.])/(?:work|root|tmp)/|pythonhosted\.org|pypi\.org|artifactory|devpi", re.IGNORECASE
)
"""Paths of one machine and hosts of registries."""

SHARED_STEPS: Final = (
    "announcements",
    "decide_openings",
    "letters",
    "make_lot",
    "money_events",
    "settle_lot",
    "settle_openings",
)
"""Files in ``flows`` that several flows have in common; a thing a person can do is none of them."""

WRITTEN: Final = {
    "",
    ".css",
    ".csv",
    ".html",
    ".js",
    ".json",
    ".md",
    ".py",
    ".sql",
    ".toml",
    ".yml",
}
"""Endings of files that people write."""

FLOWS: Final = sorted(
    path.stem for path in (CODE / "flows").glob("[a-z]*.py") if path.stem not in SHARED_STEPS
)
MODULES: Final = sorted(CODE.rglob("*.py"))
TEST_MODULES: Final = sorted(TESTS.rglob("*.py"))


def test_no_file_is_longer_than_one_can_hold_in_mind() -> None:
    assert [
        str(path.relative_to(REPOSITORY))
        for path in MODULES
        if len(path.read_text().splitlines()) > FILE_LINES_MAX
    ] == []
    assert [
        str(path.relative_to(REPOSITORY))
        for path in TEST_MODULES
        if len(path.read_text().splitlines()) > TEST_FILE_LINES_MAX
    ] == []


def test_no_function_is_longer_than_a_screen() -> None:
    assert [
        f"{where}: {node.name}"
        for where, node in definitions(MODULES + TEST_MODULES)
        if not isinstance(node, ast.ClassDef)
        and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES_MAX
    ] == []


def test_names_say_something() -> None:
    names = [(where, node.name) for where, node in definitions(MODULES)]
    names += [(str(path.relative_to(CODE)), path.stem) for path in MODULES]
    assert [
        f"{where}: {name}: {WEIGHTLESS[part]}"
        for where, name in names
        if name not in PLAIN_WORDS
        for part in parts_of(name) & WEIGHTLESS.keys()
    ] == []


def test_every_module_says_what_it_is_for() -> None:
    assert [
        str(path.relative_to(REPOSITORY))
        for path in MODULES + TEST_MODULES
        if not ast.get_docstring(ast.parse(path.read_text()))
    ] == []


def test_nothing_is_left_for_later() -> None:
    assert [
        f"{path.relative_to(REPOSITORY)}: {found[0]}"
        for path in written_files()
        if (found := UNFINISHED.search(path.read_text(encoding="utf-8")))
    ] == []


def test_nothing_knows_the_machine_it_was_written_on() -> None:
    assert [
        f"{path.relative_to(REPOSITORY)}: {found[0]}"
        for path in written_files()
        if path != Path(__file__) and (found := ELSEWHERE.search(path.read_text(encoding="utf-8")))
    ] == []


def test_only_flows_open_transactions() -> None:
    for path in MODULES:
        if path.relative_to(CODE).parts[0] in ("flows", "plumbing"):
            continue
        calls = [
            node.lineno
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "transaction"
        ]
        assert calls == [], f"{path.relative_to(REPOSITORY)} opens a transaction: ask a flow"


@pytest.mark.parametrize("flow", FLOWS)
def test_every_flow_has_its_tests(flow: str) -> None:
    own = TESTS / "flows" / f"test_{flow}.py"
    asked = f"from packhouse.flows.{flow} import"
    assert own.is_file() or any(
        asked in path.read_text() for path in (TESTS / "flows").glob("test_*.py")
    ), f"write tests/flows/{own.name}"


def definitions(
    paths: list[Path],
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield f"{path.relative_to(REPOSITORY)}:{node.lineno}", node


def parts_of(name: str) -> set[str]:
    """``sendMail``, ``SendMail`` and ``send_mail`` are send and mail."""
    return set(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_"))


def written_files() -> Iterator[Path]:
    """Every text file of the repository that people write."""
    for folder in ("src", "tests", "docs", "bench", "deploy", "loadtest", ".ci"):
        for path in sorted((REPOSITORY / folder).rglob("*")):
            if path.suffix in WRITTEN and path.is_file() and "__pycache__" not in path.parts:
                yield path
    for name in ("Makefile", "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "pyproject.toml"):
        if (REPOSITORY / name).is_file():
            yield REPOSITORY / name
