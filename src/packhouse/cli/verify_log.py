"""``packhouse verify log``: the audit of a whole draw log, from its public files."""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from packhouse import verify
from packhouse.cli.logs import KeyOption, OpenedLog, opened_log
from packhouse.cli.verdicts import say, stop_at, verdict
from packhouse.verify import Audit, CouldNotLook, Mismatch


def verify_log_command(
    target: Annotated[
        str, typer.Argument(help="The log: the shop's address, or the folder of a mirror.")
    ],
    *,
    key: KeyOption = None,
    checkpoint: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="A checkpoint seen earlier, or by somebody else; may be given several times.",
            show_default=False,
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Keep the log's files there: a mirror, with which later checks need no network.",
            show_default=False,
        ),
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="How many processes draw again. If not given: one for each core."),
    ] = None,
) -> None:
    """Check every leaf and every law of the draw log, and draw again what is revealed."""
    with verdict(), opened_log(target, key=key, save=save) as log:
        forked: list[Mismatch] = []
        unseen: list[str] = []
        for other in checkpoint or []:
            _hold_against(log, other, forked=forked, unseen=unseen)
        audit = verify.audit_log(
            log.files,
            log.checkpoint,
            judged_at=log.judged_at,
            processes=processes or len(os.sched_getaffinity(0)),
        )
        _say_counts(audit)
        stop_at([*audit.mismatches, *forked], more=audit.mismatches_dropped)
        unseen += audit.unseen
        if unseen:
            raise CouldNotLook(" ".join(unseen))
        say(f"All {audit.leaves} leaves hash to the signed root, and every law holds along them.")


def _hold_against(log: OpenedLog, place: str, *, forked: list[Mismatch], unseen: list[str]) -> None:
    other = verify.read_checkpoint(verify.read_target(place), log.key, name=place)
    try:
        found = verify.check_extends(log.files, log.checkpoint, other, name=place)
    except CouldNotLook as error:
        unseen.append(
            f"{place} has {other.size} leaves and the log shows {log.checkpoint.size}: {error}"
        )
        return
    forked += found
    if not found:
        say(f"{place}, with {other.size} leaves, is of the same log.")


def _say_counts(audit: Audit) -> None:
    say(
        f"{audit.openings} openings: {audit.redrawn} were drawn again, {audit.waiting} wait for"
        " their seeds."
    )
    if audit.judged_at is not None:
        say(f"Whether reveals are overdue was judged at {_moment(audit.judged_at)}.")


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
