"""A run's result, and its JSON form for machines."""

from typing import Any

import msgspec

from packhouse.bench.model import Machine, Measurement, Options, Outcome, Target


class BenchResult(msgspec.Struct, kw_only=True):
    """Everything a run found out; ``is_complete`` is false when it was stopped or failed."""

    machine: Machine
    options: Options
    outcomes: list[Outcome] = []
    is_complete: bool = False
    rows_per_second: float | None = None


def encode_result(result: BenchResult) -> bytes:
    """JSON: ``scenarios`` and ``ratios`` by name, ``machine``, and how it was measured."""
    return msgspec.json.format(msgspec.json.encode(_as_json(result)), indent=2) + b"\n"


def _as_json(result: BenchResult) -> dict[str, Any]:
    ratios = [ratio for outcome in result.outcomes for ratio in outcome.ratios]
    return {
        "scenarios": {outcome.name: _scenario(outcome) for outcome in result.outcomes},
        "ratios": {ratio.name: round(ratio.value, 3) for ratio in ratios},
        "ratios_not_counted": [ratio.name for ratio in ratios if not ratio.is_counted],
        "ratio_details": {ratio.name: _rounded(_without_name(ratio)) for ratio in ratios},
        "machine": msgspec.to_builtins(result.machine),
        "options": msgspec.to_builtins(result.options),
        "is_complete": result.is_complete,
        "bulk_rows_per_second": result.rows_per_second,
    }


def _scenario(outcome: Outcome) -> dict[str, Any]:
    headline = outcome.measurements[0] if outcome.measurements else None
    return {
        **({} if headline is None else _measurement(headline)),
        **outcome.figures,
        "measurements": [_measurement(each) | {"name": each.name} for each in outcome.measurements],
        "targets": [_target(each) for each in outcome.targets],
        "statements": msgspec.to_builtins(outcome.statements),
        "notes": outcome.notes,
        "failure": outcome.failure,
    }


def _target(target: Target) -> dict[str, Any]:
    return {**_measurement(target), "name": target.name, "is_met": target.is_met}


def _measurement(measurement: Measurement | Target) -> dict[str, Any]:
    return {name: _rounded(each) for name, each in _without_name(measurement).items()}


def _without_name(struct: msgspec.Struct) -> dict[str, Any]:
    return {name: value for name, value in msgspec.to_builtins(struct).items() if name != "name"}


def _rounded(value: Any) -> Any:  # noqa: ANN401 - JSON inside JSON
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return value
