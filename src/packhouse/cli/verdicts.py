"""What the commands of ``packhouse verify`` have in common: verdict lines and exit codes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import typer

from packhouse.verify import CouldNotLook, Differs, Mismatch

MISMATCH_EXIT: Final = 1
COULD_NOT_LOOK_EXIT: Final = 2
MISMATCHES_PRINTED_MAX: Final = 20
HASH_LENGTH: Final = 64


@contextmanager
def verdict() -> Iterator[None]:
    """End with the exit code of what came out, and with a line that says it."""
    try:
        yield
    except Differs as error:
        say(f"Mismatch: {error.mismatch}")
        raise typer.Exit(MISMATCH_EXIT) from error
    except CouldNotLook as error:
        say(f"Could not look: {error}")
        raise typer.Exit(COULD_NOT_LOOK_EXIT) from error
    say("Everything matches.")


def stop_at(mismatches: Sequence[Mismatch], *, more: int = 0) -> None:
    """Print mismatches and end with 1, if there are any; ``more`` are known only by number."""
    for mismatch in mismatches[:MISMATCHES_PRINTED_MAX]:
        say(f"Mismatch: {mismatch}")
    more += max(0, len(mismatches) - MISMATCHES_PRINTED_MAX)
    if more:
        say(f"And {more} more mismatches.")
    if mismatches:
        raise typer.Exit(MISMATCH_EXIT)


def say(line: str) -> None:
    """Print a line."""
    typer.echo(line)


def is_hash(text: str) -> bool:
    """Whether a text is 64 hexadecimal digits in small letters."""
    return is_hexadecimal(text, digits=HASH_LENGTH)


def is_hexadecimal(text: str, *, digits: int) -> bool:
    """Whether a text is that many hexadecimal digits in small letters."""
    return len(text) == digits and all(digit in "0123456789abcdef" for digit in text)
