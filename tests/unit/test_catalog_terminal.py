"""What the terminal says of an import."""

import pytest

from packhouse.catalog import ImportProblem, ImportRefused, ImportReport
from packhouse.cli.catalog import refusal_text, report_text
from packhouse.foundation.errors import Refusal


def report(*, dry_run: bool) -> ImportReport:
    return ImportReport(
        file_name="ember.csv",
        sha256="",
        dry_run=dry_run,
        rows=1200,
        cards_added=1000,
        cards_changed=0,
        cards_unchanged=0,
        copies_added=2000,
        copies_on_sale=5,
        copies_known=0,
        pictures=0,
        warnings=("Look twice.",),
        lines=(),
        lines_left_out=0,
    )


@pytest.mark.parametrize(
    ("dry_run", "beginning", "end"),
    [
        (True, "Would add 1,000 cards and 2,000 copies", "nothing was written."),
        (False, "Added 1,000 cards and 2,000 copies", "0 pictures."),
    ],
)
def test_a_dry_run_never_sounds_like_a_real_one(*, dry_run: bool, beginning: str, end: str) -> None:
    warning, first, *_ = text = report_text(report(dry_run=dry_run)).splitlines()
    assert warning == "Warning: Look twice."
    assert first.startswith(beginning)
    assert text[-1].endswith(end)


def test_problems_are_told_with_their_lines_and_the_rest_is_counted() -> None:
    problems = [
        ImportProblem(line=3, column="tier", value="Z", message="must be one of D, C"),
        ImportProblem(line=7, column="", value="", message="has 3 cells where the header has 6"),
    ]
    text = refusal_text(ImportRefused(problems, file_name="ember.csv", problem_count=1202))
    assert text.splitlines() == [
        "ember.csv has 1,202 problems; nothing was imported. Correct the lines and try again.",
        "  line 3, tier: 'Z': must be one of D, C",
        "  line 7: has 3 cells where the header has 6",
        "  and 1,200 more",
    ]


def test_another_refusal_is_told_by_its_sentence() -> None:
    assert refusal_text(Refusal("Another import is running.")) == "Another import is running."
