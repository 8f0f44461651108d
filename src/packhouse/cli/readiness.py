"""``packhouse readiness``: what must be true before a public launch, looked at and told."""

import asyncio
from enum import StrEnum
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from packhouse.cli.shop import (
    DataOption,
    plain_errors,
    progress_lines,
    shop_settings_for_command,
)
from packhouse.cli.supervisor import StopAsked, stop_signals
from packhouse.flows.keep_readiness_report import begin_readiness_report, end_readiness_report
from packhouse.house import open_house
from packhouse.plumbing.settings import Settings
from packhouse.readiness import Check, Report, Shop, as_json, report_readiness

CONNECTIONS: Final = 3
STYLES: Final = {"pass": ("✓", "green"), "fail": ("✗", "bold red"), "not_applicable": ("–", "dim")}


class FailOn(StrEnum):
    """Which failures end the command with 1."""

    MUST = "must"
    ANY = "any"


def readiness_command(
    *,
    data: DataOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    fail_on: Annotated[
        FailOn | None,
        typer.Option("--fail-on", help="End with 1 when a must, or any check, fails."),
    ] = None,
) -> None:
    """Look at a running shop and say what is ready for a public launch and what is not.

    Every check acts: it sends a request, reads a row, restores a backup. It takes some seconds, and
    as long again as restoring the newest backup does.
    """
    with plain_errors(), stop_signals():
        try:
            report = asyncio.run(_look(shop_settings_for_command(data)))
        except StopAsked:
            raise typer.Exit(1) from None
    if json:
        typer.echo(msgspec.json.format(msgspec.json.encode(as_json(report)), indent=2).decode())
    else:
        _print(report)
    if (fail_on is FailOn.MUST and report.failed_musts) or (
        fail_on is FailOn.ANY and report.failed
    ):
        raise typer.Exit(1)


async def _look(settings: Settings) -> Report:
    announce = progress_lines()

    def tell(check: Check) -> None:
        announce(f"{check.title} …")

    async with open_house(settings, connections=CONNECTIONS) as house:
        report_id = await begin_readiness_report(house)
        report = await report_readiness(Shop.of(house), tell=tell)
        await end_readiness_report(house, report_id, as_json(report))
        return report


def _print(report: Report) -> None:
    console = Console(highlight=False)
    for must, title in ((True, "Must"), (False, "Good to have")):
        console.print(f"\n[bold]{title}[/bold]")
        for line in report.checks:
            if line.must is not must:
                continue
            sign, style = STYLES[line.result]
            console.print(Text(f"  {sign} ", style=style) + Text(line.title, style="bold"))
            console.print(Text(f"    {line.evidence}", style="dim"))
            if line.result == "fail":
                console.print(Text(f"    → {line.advice} ({line.takes})"))
    failed, musts = len(report.failed), len(report.failed_musts)
    verdict = (
        "Ready: every must holds."
        if not musts
        else f"Not ready: {musts} of what must hold do{'es' if musts == 1 else ''} not."
    )
    console.print(f"\n{verdict} {failed - musts} of what is good to have failed.")
