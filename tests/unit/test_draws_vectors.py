"""The golden vectors are what the shop's own code gives."""

from pathlib import Path

from worlds.draw_vectors import vectors_text

VECTORS = Path(__file__).parents[1] / "vectors" / "draws.json"


def test_the_golden_vectors_are_what_the_code_gives() -> None:
    assert VECTORS.read_text(encoding="utf-8") == vectors_text(), (
        "Draws changed. If that is meant (a new tag, since old draws must stay as they are), print"
        " the file anew by `python -m worlds.draw_vectors` in tests."
    )
