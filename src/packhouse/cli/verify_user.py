"""``packhouse verify user``: all of one collector's draws, from the log or from their own file."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from packhouse import verify
from packhouse.cli.logs import KeyOption, LogOption, OpenedLog, opened_log
from packhouse.cli.verdicts import is_hexadecimal, say, stop_at, verdict
from packhouse.verify import CouldNotLook, History, LogFiles, LoggedUser, PublishedConfigs

USER_KEY_DIGITS: Final = 32


def verify_user_command(
    target: Annotated[
        str,
        typer.Argument(
            help="Your history, downloaded from /api/v1/fairness/history; or, with --user-key, the"
            " log: the shop's address or the folder of a mirror."
        ),
    ],
    *,
    user_key: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HEX",
            help="A user key, as on your receipts; may be given several times.",
            show_default=False,
        ),
    ] = None,
    log: LogOption = None,
    key: KeyOption = None,
) -> None:
    """Check every seed pair and every opening of one collector."""
    with verdict():
        if user_key:
            _verify_logged(log or target, _user_keys(user_key), key=key)
        else:
            _verify_history(target, log=log, key=key)


def _verify_logged(target: str, user_keys: list[str], *, key: str | None) -> None:
    with opened_log(target, key=key) as opened:
        logged = _walk(opened, user_keys)
        stop_at(logged.mismatches)


def _verify_history(target: str, *, log: str | None, key: str | None) -> None:
    if verify.is_address(target) or Path(target).is_dir():
        raise CouldNotLook(f"To check {target} as a log, say by --user-key whose openings.")
    history = verify.read_history(verify.read_target(target))
    say(f"The history has {len(history.pairs)} seed pairs and {len(history.receipts)} receipts.")
    if log is None:
        mismatches = list(verify.check_pairs(history, judged_at=datetime.now(UTC)))
        configs = PublishedConfigs(LogFiles(Path(target).parent))
        stop_at([*mismatches, *verify.check_receipts(history, configs)])
        _require_configs(configs)
        say("Only with --log can it be seen that nothing was left out of the history.")
    else:
        with opened_log(log, key=key) as opened:
            configs = PublishedConfigs(opened.files)
            logged = _walk(opened, [pair.user_key for pair in history.pairs])
            history = verify.complete_history(history, logged)
            stop_at(
                [
                    *verify.check_pairs(history, judged_at=datetime.now(UTC)),
                    *verify.check_receipts(history, configs),
                    *logged.mismatches,
                    *verify.check_history_logged(history, logged),
                ]
            )
            _require_configs(configs)
    _say_waiting(history)


def _walk(opened: OpenedLog, user_keys: list[str]) -> LoggedUser:
    logged = verify.walk_user(
        opened.files, opened.checkpoint, user_keys, judged_at=opened.judged_at
    )
    keys = "1 user key" if len(user_keys) == 1 else f"{len(user_keys)} user keys"
    say(
        f"The log has {len(logged.openings)} openings under {keys}:"
        f" {logged.redrawn} were drawn again, {logged.waiting} wait for their seeds."
    )
    return logged


def _require_configs(configs: PublishedConfigs) -> None:
    if configs.unseen:
        raise CouldNotLook(
            "Configurations are wanted too, beside the history in configs/ or from a log by --log:"
            f" {' '.join(configs.unseen.values())}"
        )


def _say_waiting(history: History) -> None:
    waiting = sum(receipt.server_seed is None for receipt in history.receipts)
    say(f"{len(history.receipts) - waiting} receipts were drawn again, {waiting} wait for seeds.")


def _user_keys(given: list[str]) -> list[str]:
    for key in given:
        if not is_hexadecimal(key.lower(), digits=USER_KEY_DIGITS):
            raise CouldNotLook(f"--user-key {key} is not {USER_KEY_DIGITS} hexadecimal digits.")
    return [key.lower() for key in given]
