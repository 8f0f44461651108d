"""The code of the version before: the last one that does not know the newest migration."""

import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Final

import msgspec

from packhouse.plumbing.setting_sources import variable_of
from packhouse.plumbing.settings import Settings
from worlds.debian_programs import require_program

REPOSITORY: Final = Path(__file__).parents[2]
MIGRATIONS: Final = "src/packhouse/schema/migrations"
TELL: Final = """
from packhouse.plumbing import settings
print(settings.__file__, *settings.Settings.__struct_fields__)
"""


class PreviousVersion(msgspec.Struct, frozen=True):
    """Where its source is, and which migrations and settings it does not know."""

    commit: str
    source: Path
    unknown: frozenset[int]
    unknown_settings: frozenset[str]

    @property
    def environment(self) -> dict[str, str | None]:
        """What makes our interpreter run it instead of us; it refuses settings of a later time."""
        taken = {variable_of(name): None for name in self.unknown_settings}
        return {"PYTHONPATH": str(self.source), **taken}


def unpack_previous_version(folder: Path) -> PreviousVersion:
    """Take it out of git's history into ``folder``, and see that it is what would run."""
    commit = find_previous_commit()
    with tarfile.open(fileobj=BytesIO(_git(REPOSITORY, "archive", commit, "src"))) as archive:
        archive.extractall(folder, filter="data")
    source = folder / "src"
    told = subprocess.run(
        [sys.executable, "-c", TELL],
        cwd=folder,
        env={"PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=True,
    )
    place, *settings = told.stdout.split()
    assert Path(place).is_relative_to(source)
    return PreviousVersion(
        commit,
        source,
        frozenset(numbers_in(REPOSITORY / MIGRATIONS) - numbers_in(folder / MIGRATIONS)),
        frozenset(Settings.__struct_fields__) - frozenset(settings),
    )


def find_previous_commit(repository: Path = REPOSITORY) -> str:
    """The parent of the last commit that touched a migration; fails in words where it is not."""
    if _git(repository, "status", "--porcelain", "--", MIGRATIONS):
        # A migration that is being written: the version before is the last commit.
        return _git(repository, "rev-parse", "HEAD").decode().strip()
    touched = _git(repository, "log", "-1", "--format=%H", "--", MIGRATIONS).decode().strip()
    parents = _git(repository, "log", "-1", "--format=%P", touched).decode().split()
    assert parents, (
        "The version before is not in this clone, which is shallow, so nothing can be said about"
        " running beside it: `git fetch --unshallow` first."
    )
    return parents[0]


def numbers_in(folder: Path) -> set[int]:
    """The numbers of the migrations in a folder."""
    return {int(path.name.partition("_")[0]) for path in folder.glob("*.sql")}


def _git(repository: Path, *words: str) -> bytes:
    git = require_program("git", package="git")
    told = subprocess.run([git, *words], cwd=repository, capture_output=True, check=False)
    assert told.returncode == 0, f"git {' '.join(words)}: {told.stderr.decode()}"
    return told.stdout
