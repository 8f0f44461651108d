"""``packhouse plan``: which phase so many users need, on which machines, for how much."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from packhouse.cli.shop import plain_errors
from packhouse.foundation.errors import Refusal
from packhouse.plan import Capacity, Plan, Prices, draft_plan, read_bench, read_prices
from packhouse.plan.model import PHASE_NAMES
from packhouse.plan.phases import USERS_MAX


class FileUnreadable(Refusal):
    """A file that was named cannot be read."""

    code = "plan_file_unreadable"


def plan_command(
    *,
    users: Annotated[
        int, typer.Option("--users", min=1, max=USERS_MAX, help="People who are here at once.")
    ],
    think: Annotated[
        float,
        typer.Option("--think", min=0.1, max=3600, help="Seconds between two acts of one person."),
    ] = 10.0,
    measured: Annotated[
        Path | None,
        typer.Option("--measured", help="The JSON of a `packhouse bench users live` of your own."),
    ] = None,
    prices: Annotated[
        Path | None,
        typer.Option("--prices", help="A price file of your own; `--show-prices` prints ours."),
    ] = None,
    show_prices: Annotated[
        bool, typer.Option("--show-prices", help="Print the price file in use, and end.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
) -> None:
    """Say which phase fits, what gives out next, and what a month costs, from measured figures."""
    with plain_errors():
        price_text = _read(prices) if prices else _shipped("prices.toml")
        if show_prices:
            typer.echo(price_text.decode(), nl=False)
            return
        plan = draft_plan(
            users,
            think_seconds=think,
            capacity=_capacity(measured),
            prices=_prices(price_text),
        )
        if json:
            typer.echo(msgspec.json.format(msgspec.json.encode(as_json(plan)), indent=2).decode())
        else:
            _print(plan)


def as_json(plan: Plan) -> dict[str, Any]:
    """The plan for machines; money a month in the price file's currency."""
    whole: dict[str, Any] = msgspec.to_builtins(plan)
    whole["phase"] = {"number": int(plan.phase), "name": PHASE_NAMES[plan.phase]}
    whole["monthly_cost"] = {"low": plan.cost.low, "high": plan.cost.high, **whole.pop("cost")}
    whole["next_bottleneck"] = whole.pop("bottleneck")
    return whole


def _capacity(measured: Path | None) -> Capacity:
    return read_bench(_read(measured) if measured else _shipped("measured.json"))


def _prices(text: bytes) -> Prices:
    try:
        return read_prices(text.decode())
    except UnicodeDecodeError as error:
        raise FileUnreadable("The price file is not text in UTF-8.") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileUnreadable(f"{path} cannot be read: {error.strerror}.") from error


def _shipped(name: str) -> bytes:
    return files("packhouse.plan").joinpath(name).read_bytes()


def _print(plan: Plan) -> None:
    console = Console(highlight=False)
    console.print(
        f"[bold]{plan.users:,} users[/bold] at {plan.think_seconds:g} s:"
        f" {plan.requests_per_second:,.0f} requests a second, {plan.streams:,} live streams;"
        f" {plan.targets}."
    )
    console.print(f"[bold]Phase {int(plan.phase)}[/bold], {PHASE_NAMES[plan.phase]}.\n")
    machines = Table("machines", "count", "cores each", "GiB each", "cores used", box=None)
    for each in plan.machines:
        machines.add_row(
            each.purpose,
            str(each.count),
            str(each.cores),
            str(each.memory_gib),
            f"{each.needed_cores:.1f}",
        )
    console.print(machines)
    cost = Table("a month", "from", "to", box=None)
    for line in plan.cost.lines:
        cost.add_row(line.item, f"{line.low:,.0f}", f"{line.high:,.0f}")
    cost.add_row(
        f"[bold]together, {plan.cost.currency}[/bold]",
        f"[bold]{plan.cost.low:,.0f}[/bold]",
        f"[bold]{plan.cost.high:,.0f}[/bold]",
    )
    console.print()
    console.print(cost)
    console.print(
        f"\nNext bottleneck: {plan.bottleneck.part}, at about {plan.bottleneck.users:,} users."
        f" {plan.bottleneck.advice}"
    )
    console.print("\nAssumed:")
    for assumption in plan.assumptions:
        console.print(f"  · {assumption}")
