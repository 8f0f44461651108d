"""The report for people: one file that explains itself, readable on a phone, without a script."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Final

from packhouse.bench.model import (
    CEILING_TIMES,
    Measurement,
    Outcome,
    Ratio,
    StatementTimes,
    Target,
)
from packhouse.bench.plots import draw_legend, draw_plot
from packhouse.bench.results import BenchResult, encode_result

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1d2733; --paper: #fbfaf7; --faint: #dcd8cf;
        --l0: #0b6e6e; --l1: #b4451f; --l2: #4a4fb8; --l3: #8a6d00; --l4: #a0296b; --l5: #3f7a1f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e4da; --paper: #14181d; --faint: #343b44;
        --l0: #4fc3c3; --l1: #ff9566; --l2: #9da2ff; --l3: #e0c050; --l4: #f08cc0;
        --l5: #9ad070; } }
body { font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
       max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-top: 2px solid; padding-top: .5rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid var(--faint);
         white-space: nowrap; font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; white-space: normal; min-width: 9rem; }
code { font-size: .8rem; overflow-wrap: anywhere; }
.no { font-weight: bold; } figure { margin: 1.5rem 0; } svg { width: 100%; height: auto; }
svg text { font: 14px system-ui, sans-serif; fill: var(--ink); }
@media (max-width: 40rem) { svg text { font-size: 20px; } } .grid { stroke: var(--faint); }
polyline { fill: none; stroke: var(--c); stroke-width: 2; } circle { fill: var(--c); }
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0 1.5rem; }
.legend li::before { content: "● "; color: var(--c); }
.line0 { --c: var(--l0); } .line1 { --c: var(--l1); } .line2 { --c: var(--l2); }
.line3 { --c: var(--l3); } .line4 { --c: var(--l4); } .line5 { --c: var(--l5); }
"""


STATEMENT_CHARACTERS: Final = 300

_HOW_TO_READ: Final = (
    "Numbers are medians of the rounds, with the lowest and the highest beside them; latencies are"
    " over all requests. Ratios are what counts, and only where the load generator alone is"
    f" {CEILING_TIMES:g} times as fast as the best contender."
)


def write_report(result: BenchResult, folder: Path) -> None:
    """Write ``report.html`` and ``report.json`` into ``folder``, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_bytes(encode_result(result))
    (folder / "report.html").write_text(_page(result), encoding="utf-8")


def _page(result: BenchResult) -> str:
    options = result.options
    ratios = [ratio for outcome in result.outcomes for ratio in outcome.ratios]
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Packhouse: benchmark</title><style>{_STYLE}</style></head><body>",
        "<h1>Packhouse: benchmark</h1>",
        f"<p>{escape(_conditions(result))}</p>",
        f"<p>{escape(_HOW_TO_READ)}</p>",
    ]
    if options.is_quick:
        parts.append('<p class="no">A quick run: it shows that all works, and no figure.</p>')
    if not result.is_complete:
        parts.append('<p class="no">This run did not come to its end.</p>')
    if ratios:
        parts += ["<h2>Ratios</h2>", _ratio_table(ratios)]
    parts += [_scenario(outcome) for outcome in result.outcomes]
    return "\n".join([*parts, "</body></html>", ""])


def _conditions(result: BenchResult) -> str:
    options, machine = result.options, result.machine
    rows = "" if result.rows_per_second is None else f", {result.rows_per_second:,.0f} rows/s"
    return (
        f"{machine.cores} cores, {machine.memory} of memory, shared by the servers, the shop and"
        f" the load. {options.rounds} rounds of {options.seconds:g} s after"
        f" {options.warm_up_seconds:g} s of warm-up; contenders take turns."
        f" {options.collectors:,} collectors (bulk generator{rows}). fsync, synchronous_commit and"
        " full_page_writes on."
    )


def _scenario(outcome: Outcome) -> str:
    parts = [f'<h2 id="{escape(outcome.name)}">{escape(outcome.name)}</h2>']
    parts.append(f"<p>{escape(outcome.measures)}</p>")
    if outcome.failure is not None:
        parts.append(f'<p class="no">{escape(outcome.failure)}</p>')
    if outcome.measurements:
        parts.append(_measurement_table(outcome.measurements))
    parts += [_routes(each) for each in outcome.measurements if len(each.routes) > 1]
    if outcome.targets:
        parts.append(_target_table(outcome.targets))
    if outcome.figures:
        figures = [
            (name.replace("_", " "), _number(text)) for name, text in outcome.figures.items()
        ]
        parts.append(_table(("figure", "value"), figures))
    parts += [
        f"<figure><figcaption>{escape(plot.title)}</figcaption>{draw_plot(plot)}"
        f"{draw_legend(plot)}</figure>"
        for plot in outcome.plots
    ]
    parts += [f"<p>{escape(note)}</p>" for note in outcome.notes]
    if outcome.statements:
        parts.append(_statements(outcome.statements))
    return "\n".join(parts)


def _ratio_table(ratios: Sequence[Ratio]) -> str:
    return _table(
        ("ratio", "median", "rounds", "must", "aim", "generator alone", "counts"),
        [
            (
                ratio.name,
                f"{ratio.value:.2f}",
                f"{ratio.low:.2f}–{ratio.high:.2f}",
                _target(ratio.must, is_ceiling=ratio.is_ceiling),
                _target(ratio.aim, is_ceiling=ratio.is_ceiling),
                _number(ratio.generator_per_second),
                "yes" if ratio.is_counted else "not counted",
            )
            for ratio in ratios
        ],
    )


def _target_table(targets: Sequence[Target]) -> str:
    return "<h3>Held against the targets</h3>" + _table(
        ("target", "measured", "must", "aim", "result"),
        [
            (
                each.name,
                "–" if each.measured is None else f"{each.measured:,.2f} {each.unit}",
                f"{each.must:g} {each.unit}",
                f"{each.aim:g} {each.unit}",
                target_result(each),
            )
            for each in targets
        ],
    )


def target_result(target: Target) -> str:
    """In a word or three."""
    if target.is_met is None:
        return "not measured"
    if not target.is_met:
        return "FAIL"
    return "pass, aim met" if target.is_aim_met else "pass"


def _milliseconds(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.2f}"


def _target(value: float | None, *, is_ceiling: bool) -> str:
    if value is None:
        return _number(value)
    return f"{'≤' if is_ceiling else '≥'} {_number(value)}"


def _measurement_table(measurements: Sequence[Measurement]) -> str:
    return _table(
        ("contender", "clients", "per second", "rounds", "p50 ms", "p95 ms", "p99 ms", "max ms",
         "errors"),
        [
            (
                each.name,
                str(each.clients),
                _number(each.requests_per_second),
                f"{_number(each.low)}–{_number(each.high)}",
                f"{each.p50_ms:.2f}",
                f"{each.p95_ms:.2f}",
                f"{each.p99_ms:.2f}",
                f"{each.max_ms:.1f}",
                _number(each.errors),
            )
            for each in measurements
        ],
    )  # fmt: skip


def _routes(measurement: Measurement) -> str:
    return f"<h3>{escape(measurement.name)}, by route</h3>" + _table(
        ("route", "requests", "p50 ms", "p95 ms", "p99 ms", "max ms"),
        [
            (
                route,
                _number(times.requests),
                *map(_milliseconds, (times.p50_ms, times.p95_ms, times.p99_ms, times.max_ms)),
            )
            for route, times in measurement.routes.items()
        ],
    )


def _statements(statements: Sequence[StatementTimes]) -> str:
    table = _table(
        ("statement", "calls", "mean ms", "p95 ms", "max ms", "total s", "buffers a call"),
        [
            (
                each.statement[:STATEMENT_CHARACTERS],
                _number(each.calls),
                f"{each.mean_ms:.3f}",
                f"{each.p95_ms:.3f}" if each.sampled else f"about {each.p95_ms:.3f}",
                f"{each.max_ms:.1f}",
                f"{each.total_ms / 1000:.1f}",
                _number(each.buffers / max(1, each.calls)),
            )
            for each in statements
        ],
        is_code=True,
    )
    return f"<details><summary>Statements that took the most time</summary>{table}</details>"


def _table(heads: Iterable[str], rows: Iterable[Sequence[str]], *, is_code: bool = False) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = []
    for first, *rest in rows:
        name = f"<code>{escape(first)}</code>" if is_code else escape(first)
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in rest)
        body.append(f"<tr><td>{name}</td>{cells}</tr>")
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def _number(value: float | str | None) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
