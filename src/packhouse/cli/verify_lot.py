"""``packhouse verify lot``: every advertised prize was there, and left exactly once."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urljoin, urlsplit

import typer

from packhouse import verify
from packhouse.cli.logs import KeyOption, LogOption, opened_log
from packhouse.cli.verdicts import is_hash, say, stop_at, verdict
from packhouse.verify import CouldNotLook, Differs, LotReplay, ManifestItem


def verify_lot_command(
    target: Annotated[
        str,
        typer.Argument(
            help="A lot: the address of its pack or of one version, its manifest's file, or, with"
            " --root, a mirror of the log."
        ),
    ],
    *,
    root: Annotated[
        str | None,
        typer.Option(metavar="HEX", help="The root of its manifest.", show_default=False),
    ] = None,
    log: LogOption = None,
    key: KeyOption = None,
    draws: Annotated[
        bool, typer.Option("--draws", help="Print what each draw took.", show_default=False)
    ] = False,
) -> None:
    """Replay a finite lot with its manifest, the log and its revealed seed."""
    with verdict():
        config_hash, manifest = None, None
        if verify.is_address(target):
            config_hash, found = _lot_at(target)
            root, log = root or found, log or urljoin(target, "/log")
        elif Path(target).is_file() and Path(target).name != "checkpoint":
            manifest = verify.read_target(target)
            root = root or Path(target).name.removesuffix(".jsonl")
        else:
            log = log or target
        if root is None or not is_hash(root):
            raise CouldNotLook("Say by --root which manifest the lot has: 64 hexadecimal digits.")
        if manifest is not None:
            _check_root(manifest, root)
        if log is None:
            raise CouldNotLook("What was drawn stands in the draw log: say by --log where it is.")
        with opened_log(log, key=key) as opened:
            replay = verify.replay_listed_lot(
                opened.files,
                opened.checkpoint,
                manifest_root=root,
                config_hash=config_hash,
                manifest=manifest,
            )
            if replay is None:
                raise Differs("the log", expected=f"a lot.listed of {root}", found="none")
            if draws:
                _say_draws(replay)
            stop_at(replay.mismatches)
            _say_outcome(replay)


def _lot_at(target: str) -> tuple[str, str]:
    """The configuration's hash and the manifest's root, from a pack's page or version."""
    address = verify.api_address_of(target)
    name = urlsplit(address).path.rpartition("/")[2]
    if is_hash(name):
        config = verify.read_config(verify.read_target(address), config_hash=name)
    else:
        tree = verify.parse_plain_json(verify.read_target(address), name="the pack")
        match tree:
            case {"slug": str(slug), "config_hash": str(config_hash)} if is_hash(config_hash):
                place = verify.config_address_of(address, slug=slug, config_hash=config_hash)
            case _:
                raise Differs("the pack", expected="its slug and config_hash", found="neither")
        config = verify.read_config(verify.read_target(place), config_hash=config_hash)
    if config.terms.lot is None:
        raise CouldNotLook(f"{config.terms.name} is an odds pack, no lot.")
    return config.config_hash, config.terms.lot.manifest_root


def _check_root(manifest: bytes, root: str) -> None:
    found = verify.manifest_root_of(manifest)
    if found != root:
        raise Differs("the manifest (root)", expected=root, found=found)
    lines = len(verify.manifest_lines(manifest))
    say(f"The manifest has {lines} lines and hashes to {root}.")


def _say_draws(replay: LotReplay) -> None:
    items = [verify.read_manifest_item(line) for line in verify.manifest_lines(replay.manifest)]
    for draw, position in enumerate(replay.lot.taken):
        say(f"Draw {draw}: {_item(items[position])}")


def _item(item: ManifestItem) -> str:
    copy = "" if item.stock_item_id is None else f", copy {item.stock_item_id}"
    return f"position {item.position}, card {item.card}, tier {item.tier}{copy}"


def _say_outcome(replay: LotReplay) -> None:
    lot, terms = replay.lot, replay.config.terms
    say(f"{terms.name} ({terms.slug}, version {terms.number}): every advertised prize is listed.")
    if lot.seed is None:
        raise CouldNotLook(
            f"{lot.draws} of {lot.terms.size} draws are made, and the lot's seed is not revealed"
            " before it ends. What can be seen without it matches."
        )
    if lot.draws == lot.terms.size:
        last_one = "" if lot.terms.last_one is None else ", the last-one prize with the last draw"
        say(f"All {lot.draws} prizes left exactly once{last_one}.")
        return
    say(f"The lot was closed after {lot.draws} of {lot.terms.size} draws; what was drawn is right.")
    for prize, count in replay.list_left():
        say(f"Left: {count} of card {prize.card} (tier {prize.tier}, value {prize.value})")
