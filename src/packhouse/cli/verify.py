"""``packhouse verify``: recompute what came out of a pack, from public files alone.

0 when everything matches, 1 with each mismatch (field, expected, found), 2 when it could not look.
Every line goes to standard output, the verdict last.
"""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, cast
from urllib.parse import urlsplit

import msgspec
import typer

from packhouse import verify
from packhouse.cli.logs import KeyOption, LogOption, OpenedLog, opened_log
from packhouse.cli.shop import RUN_NAME, DataOption, data_directory, is_shop_running
from packhouse.cli.verdicts import is_hash, say, stop_at, verdict
from packhouse.cli.verify_log import verify_log_command
from packhouse.cli.verify_lot import verify_lot_command
from packhouse.cli.verify_user import verify_user_command
from packhouse.verify import CouldNotLook, Differs, Mismatch, NotThere, PublishedConfig, Receipt

verify_commands = typer.Typer(help="Check draws from public files.", no_args_is_help=True)

verify_commands.command("user")(verify_user_command)
verify_commands.command("lot")(verify_lot_command)
verify_commands.command("log")(verify_log_command)


@verify_commands.command("opening")
def verify_opening_command(
    target: Annotated[str, typer.Argument(help="A receipt: its address or a downloaded file.")],
    *,
    config: Annotated[
        str | None,
        typer.Option(
            metavar="FILE_OR_URL",
            help="The published configuration. If not given: from the receipt's own shop; for a"
            " file, CONFIG_HASH.json beside it, or the shop that runs here.",
            show_default=False,
        ),
    ] = None,
    commitment: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HEX",
            help="A commitment that you had seen before the opening; may be given several times.",
            show_default=False,
        ),
    ] = None,
    log: LogOption = None,
    key: KeyOption = None,
    data: DataOption = None,
) -> None:
    """Draw an opened pack again and compare everything that its receipt says."""
    with verdict(), ExitStack() as stack:
        address = verify.api_address_of(target) if verify.is_address(target) else None
        content = verify.read_target(address or target)
        receipt = verify.read_receipt(content)
        say(f"The receipt of opening {receipt.id} has all its fields and no others.")
        mismatches = verify.check_commitment(receipt, known=_known(commitment or []))
        mismatches += _check_address(receipt, address)
        if not mismatches and receipt.server_seed is not None:
            say(f"Its server seed hashes to the commitment {receipt.proof.commitment}.")
        opened = None
        if log is not None:
            opened = stack.enter_context(opened_log(log, key=key))
            mismatches += _check_logged(receipt, content, opened)
        try:
            published = _find_config(receipt, config=config, log=opened, target=target, data=data)
        except CouldNotLook:
            stop_at(mismatches)
            raise
        say(f"The published configuration hashes to {published.config_hash}.")
        mismatches += verify.check_terms(receipt, published)
        mismatches += verify.check_draws(receipt, published)
        stop_at(mismatches)
        if receipt.server_seed is None:
            raise CouldNotLook(_unrevealed(receipt))
        say(f"Every number drawn again is the same: {_drawn_words(receipt)}.")


@verify_commands.command("pack")
def verify_pack_command(
    target: Annotated[
        str, typer.Argument(help="A published configuration, or a pack's page: address or file.")
    ],
    *,
    config_hash: Annotated[
        str | None,
        typer.Option(
            metavar="HEX",
            help="What it has to hash to. If not given: from the address, or from a file's name.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Check that a configuration is the one with this hash, and print its odds exactly."""
    with verdict():
        place, wanted = target, config_hash or _hash_in(target)
        if wanted is None and verify.is_address(target):
            place, wanted = _find_version(verify.api_address_of(target))
        if wanted is None:
            raise CouldNotLook("Say by --config-hash what the file has to hash to.")
        published = verify.read_config(verify.read_target(place), config_hash=wanted)
        terms = published.terms
        say(f"{terms.name} ({terms.slug}, version {terms.number}), price {terms.price}.")
        for each in verify.list_chances(published):
            share = "" if each.chance is None else f": {each.chance}"
            say(f"{'  ' * each.depth}{each.name}{share}")
        say(f"The configuration hashes to {wanted} and is in order.")


def _known(commitments: list[str]) -> list[str]:
    for commitment in commitments:
        if not is_hash(commitment.lower()):
            raise CouldNotLook(f"--commitment {commitment} is not 64 hexadecimal digits.")
    return [commitment.lower() for commitment in commitments]


def _check_address(receipt: Receipt, address: str | None) -> list[Mismatch]:
    """A shop that is asked for one opening and answers with another is caught."""
    if address is None:
        return []
    asked = urlsplit(address).path.rstrip("/").rpartition("/")[2].lower()
    return [] if asked == receipt.id else [Mismatch("id", asked, receipt.id)]


def _check_logged(receipt: Receipt, content: bytes, log: OpenedLog) -> list[Mismatch]:
    """The log has this very receipt, and its tiles prove the place."""
    found = verify.find_opening(log.files, log.checkpoint, receipt.id)
    if found is None:
        return [Mismatch("the log", f"a leaf of the opening {receipt.id}", "none")]
    position, leaf = found
    tree = verify.parse_plain_json(content, name="the receipt")
    receipt_hash = verify.hash_of_receipt(cast("dict[str, object]", tree))
    mismatches = verify.check_logged(receipt, receipt_hash, leaf, at=f"leaves[{position}]")
    if not mismatches:
        say(f"The log has it as leaf {position}, proven up to the signed root.")
    return mismatches


def _find_config(
    receipt: Receipt,
    *,
    config: str | None,
    log: OpenedLog | None,
    target: str,
    data: Path | None,
) -> PublishedConfig:
    config_hash = receipt.proof.config_hash
    place = config or f"configs/{config_hash}.json"
    if config is None and log is None:
        place = _config_place(receipt, target=target, data=data)
    try:
        content = log.files.read(place) if log and config is None else verify.read_target(place)
    except NotThere as error:
        raise Differs(
            "pack.config_hash", expected=f"a version published at {place}", found="none"
        ) from error
    return verify.read_config(content, config_hash=config_hash)


def _config_place(receipt: Receipt, *, target: str, data: Path | None) -> str:
    config_hash = receipt.proof.config_hash
    if not verify.is_address(target):
        beside = Path(target).parent / f"{config_hash}.json"
        if beside.exists():
            return str(beside)
    shop = target if verify.is_address(target) else _running_shop(data)
    if shop is None:
        raise CouldNotLook(
            f"The published configuration {config_hash} is wanted too: give its file or address by"
            f" --config, or put it beside the receipt as {config_hash}.json."
        )
    return verify.config_address_of(shop, slug=receipt.pack.slug, config_hash=config_hash)


def _running_shop(data: Path | None) -> str | None:
    directory = data_directory(data)
    if not is_shop_running(directory):
        return None
    run: dict[str, object] = msgspec.json.decode((directory / RUN_NAME).read_bytes())
    return str(run["url"])


def _find_version(address: str) -> tuple[str, str | None]:
    """Where the version on sale is published, and its hash, from a pack's public JSON."""
    tree = verify.parse_plain_json(verify.read_target(address), name="the pack")
    match tree:
        case {"slug": str(slug), "config_hash": str(config_hash)} if is_hash(config_hash):
            place = verify.config_address_of(address, slug=slug, config_hash=config_hash)
            return place, config_hash
    return address, None


def _hash_in(target: str) -> str | None:
    name = urlsplit(target).path.rpartition("/")[2].removesuffix(".json")
    return name if is_hash(name) else None


def _unrevealed(receipt: Receipt) -> str:
    if receipt.proof.lot is not None:
        return "The lot's seed is not in this receipt: it is revealed after the lot has ended."
    return (
        "The server seed is not revealed yet. It will be when its collector rotates it, at the"
        " latest seven days after its first use; fetch the receipt again then. What can be seen"
        " without it matches."
    )


def _drawn_words(receipt: Receipt) -> str:
    count = len(receipt.cards)
    cards = "1 card" if count == 1 else f"{count} cards"
    if receipt.proof.lot is not None:
        # Which item a number took depends on every draw before it.
        return f"{cards}, on the prize list of the lot"
    return f"{1 + 2 * count} numbers, {cards}"
