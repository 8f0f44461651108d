"""Progress on standard error: one line a finding, and a moving bar where that is a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.text import Text

from packhouse.bench.model import Measurement, Outcome, Ratio, Target


class Progress:
    """Tells people how far the run is; machines never read it."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._bars: Bars | None = None
        self._task: TaskID | None = None
        self._scenario = ""

    def say(self, line: str) -> None:
        """One line that stays."""
        self._console.print(Text("▸ ", style="bold cyan") + Text(line))

    @contextmanager
    def scenario(self, name: str) -> Iterator[None]:
        """A scenario plays: what it measures is shown while this lasts."""
        self._scenario = name
        if not self._console.is_terminal:
            self.say(f"Scenario {name} …")
            yield
            return
        with Bars(
            TextColumn("[bold]{task.fields[scenario]}[/] {task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            TextColumn("of {task.fields[seconds]:.0f} s"),
            console=self._console,
            transient=True,
        ) as bars:
            self._bars = bars
            try:
                yield
            finally:
                self._bars = None
                self._task = None

    def show(self, what: str, seconds: float) -> None:
        """The next turn; it lasts about so long."""
        if self._bars is None:
            return
        if self._task is not None:
            self._bars.remove_task(self._task)
        # Without a total it moves by itself; nobody here has the time to move it.
        self._task = self._bars.add_task(what, total=None, scenario=self._scenario, seconds=seconds)

    def tell(self, outcome: Outcome) -> None:
        """What a scenario found out."""
        for measurement in outcome.measurements:
            self.say(f"{outcome.name}: {measurement_line(measurement)}")
        for ratio in outcome.ratios:
            self.say(f"{outcome.name}: {ratio_line(ratio)}")
        for target in outcome.targets:
            self.say(f"{outcome.name}: {target_line(target)}")
        if outcome.failure is not None:
            self.say(f"{outcome.name} did not end as it should: {outcome.failure}")


def measurement_line(measurement: Measurement) -> str:
    """One contender in one line."""
    return (
        f"{measurement.name}, {measurement.clients} clients:"
        f" {measurement.requests_per_second:,.0f} a second"
        f" ({measurement.low:,.0f} to {measurement.high:,.0f}),"
        f" p50 {measurement.p50_ms:.2f} ms, p95 {measurement.p95_ms:.2f} ms,"
        f" p99 {measurement.p99_ms:.2f} ms, {measurement.errors:,} errors"
    )


def target_line(target: Target) -> str:
    """One target in one line."""
    found = "not measured" if target.measured is None else f"{target.measured:,.2f} {target.unit}"
    verdict = "" if target.is_met is None else (", met" if target.is_met else ", NOT MET")
    return f"{target.name}: {found} (must {target.must:g}, aim {target.aim:g}){verdict}"


def ratio_line(ratio: Ratio) -> str:
    """One ratio in one line, with the generator's ceiling beside it."""
    alone = (
        "generator not measured"
        if ratio.generator_per_second is None
        else f"generator alone {ratio.generator_per_second:,.0f} a second"
    )
    sign = "≤ " if ratio.is_ceiling else ""
    target = "" if ratio.must is None else f", must {sign}{ratio.must:g}, aim {sign}{ratio.aim:g}"
    counted = "" if ratio.is_counted else ", NOT COUNTED"
    rounds = f"{ratio.low:.2f} to {ratio.high:.2f}"
    return f"{ratio.name} {ratio.value:.2f} ({rounds}; {alone}{target}){counted}"
