"""The report of the bench is one file that needs nothing else, whatever is in it."""

import re
from pathlib import Path

from packhouse.bench.model import Line, Machine, Options, Outcome, Plot
from packhouse.bench.plots import draw_plot, short_number
from packhouse.bench.report import write_report
from packhouse.bench.results import BenchResult

PLOT = Plot(
    title="Openings <b>",
    x_label="clients",
    y_label="a second",
    lines=(Line("ours & theirs", ((1.0, 10.0), (64.0, 900.0))), Line("flat", ((1.0, 5.0),))),
    has_log_x=True,
)


def test_a_report_is_whole_without_a_script_or_another_host(tmp_path: Path) -> None:
    outcome = Outcome(name="open", measures="<script>", plots=[PLOT], notes=["<img src=x>"])
    result = BenchResult(
        machine=Machine(cores=2, memory="8 GiB"), options=Options(), outcomes=[outcome]
    )
    write_report(result, tmp_path / "new" / "folder")
    page = (tmp_path / "new" / "folder" / "report.html").read_text()
    assert "<svg" in page
    assert 'name="viewport"' in page
    assert not re.search(r"<script|<img|<link|https?://|url\(", page)
    assert (tmp_path / "new" / "folder" / "report.json").read_bytes().startswith(b"{")


def test_every_point_of_a_plot_lies_inside_it() -> None:
    places = re.findall(r'<circle cx="([\d.-]+)" cy="([\d.-]+)"', draw_plot(PLOT))
    assert len(places) == 3
    assert all(0 <= float(x) <= 640 and 0 <= float(y) <= 360 for x, y in places)


def test_a_plot_of_nothing_is_nothing() -> None:
    assert draw_plot(Plot(title="", x_label="", y_label="", lines=())) == ""


def test_one_point_alone_can_be_drawn_on_any_axis() -> None:
    for is_log in (False, True):
        plot = Plot(
            title="One",
            x_label="x",
            y_label="y",
            lines=(Line("one", ((5.0, 7.0),)),),
            has_log_x=is_log,
            has_log_y=is_log,
        )
        assert "<circle" in draw_plot(plot)


def test_large_numbers_are_short() -> None:
    assert [short_number(each) for each in (0.25, 950, 1_500, 2e6)] == ["0.25", "950", "1.5k", "2M"]
