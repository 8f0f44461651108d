"""What a stranger downloads to check a draw, and the page that does it."""

import hashlib
import json
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from packhouse.cli import packhouse_commands
from packhouse.flows.publish_pack import WithdrawPack, withdraw_pack
from packhouse.flows.relay_events import relay_events
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from worlds.four_packs import TIER_ODDS_PACK
from worlds.veil_shop import VEIL_PACKS, publish


async def hash_on_sale(client: httpx.AsyncClient, slug: str) -> str:
    config_hash: str = (await client.get(f"/api/v1/packs/{slug}")).json()["config_hash"]
    return config_hash


async def opened(client: httpx.AsyncClient, slug: str, *, quantity: int = 1) -> str:
    answer = await client.post(
        f"/api/v1/packs/{slug}/openings",
        json={"quantity": quantity, "client_seed": "Käse & 雪"},
        headers={"Idempotency-Key": f"{slug} {quantity}"},
    )
    opening_id: str = answer.json()["openings"][-1]["id"]
    return opening_id


async def downloaded(
    client: httpx.AsyncClient, folder: Path, *, slug: str, opening_id: str
) -> Path:
    """A receipt's file with its configuration beside it, as a stranger would keep them."""
    receipt = await client.get(f"/api/v1/openings/{opening_id}")
    config_hash = receipt.json()["proof"]["config_hash"]
    config = await client.get(f"/api/v1/packs/{slug}/versions/{config_hash}")
    (folder / f"{config_hash}.json").write_bytes(config.content)
    path = folder / f"{opening_id}.json"
    path.write_bytes(receipt.content)
    return path


def verify_opening(path: Path) -> Result:
    return CliRunner().invoke(packhouse_commands, ["verify", "opening", str(path)])


@pytest.mark.parametrize("slug", VEIL_PACKS)
async def test_a_version_is_published_byte_for_byte(
    shop: Actor, client: httpx.AsyncClient, slug: str
) -> None:
    config_hash = await hash_on_sale(client, slug)
    path = f"/api/v1/packs/{slug}/versions/{config_hash}"
    answer = await client.get(path)
    assert answer.status_code == 200
    assert hashlib.sha256(answer.content).hexdigest() == config_hash
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    again = await client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_version_stays_published_when_it_is_no_longer_on_sale(
    house: House, shop: Actor, client: httpx.AsyncClient
) -> None:
    path = f"/api/v1/packs/veil-one/versions/{await hash_on_sale(client, 'veil-one')}"
    before = await client.get(path)
    await publish(house, shop, slug="veil-one", draft=TIER_ODDS_PACK)
    await withdraw_pack(house, WithdrawPack(slug="veil-one", reason="Misprint.", actor=shop))
    assert (await client.get(path)).content == before.content


async def test_a_version_is_found_under_its_own_pack_alone(
    shop: Actor, client: httpx.AsyncClient
) -> None:
    config_hash = await hash_on_sale(client, "veil-one")
    for path in (f"veil-five/versions/{config_hash}", f"nothing/versions/{config_hash}"):
        assert (await client.get(f"/api/v1/packs/{path}")).status_code == 404


@pytest.mark.parametrize("config_hash", ["0", "00" * 32, "ZZ" * 32, "aA" * 32, "٣" * 64])
async def test_an_unknown_version_is_not_found(
    shop: Actor, client: httpx.AsyncClient, config_hash: str
) -> None:
    answer = await client.get(f"/api/v1/packs/veil-one/versions/{config_hash}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_stranger_verifies_every_kind_of_odds_pack_from_files(
    house: House, shop: Actor, ada: httpx.AsyncClient, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    slugs = ["veil-one", "veil-eight", "veil-five"]
    openings = {slug: await opened(ada, slug) for slug in slugs}
    await relay_events(house)
    before = [
        await downloaded(client, tmp_path, slug=slug, opening_id=opening_id)
        for slug, opening_id in openings.items()
    ]
    assert [verify_opening(path).exit_code for path in before] == [2, 2, 2]
    await ada.post("/api/v1/fairness/seed/rotation")
    for slug, opening_id in openings.items():
        path = await downloaded(client, tmp_path, slug=slug, opening_id=opening_id)
        result = verify_opening(path)
        assert result.exit_code == 0, result.output


async def test_a_lots_receipt_is_checked_as_far_as_it_goes(
    house: House, shop: Actor, ada: httpx.AsyncClient, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    opening_id = await opened(ada, "veil-lot")
    await relay_events(house)
    path = await downloaded(client, tmp_path, slug="veil-lot", opening_id=opening_id)
    assert verify_opening(path).exit_code == 2
    tree = json.loads(path.read_text())
    tree["cards"][0]["ticket"]["of"] += 1
    path.write_text(json.dumps(tree))
    assert verify_opening(path).exit_code == 1


@pytest.mark.parametrize("how", ["sold out", "withdrawn"])
async def test_a_stranger_verifies_a_lots_receipt_when_the_lot_has_ended(
    house: House,
    shop: Actor,
    ada: httpx.AsyncClient,
    client: httpx.AsyncClient,
    tmp_path: Path,
    how: str,
) -> None:
    openings = [await opened(ada, "veil-lot")]
    await relay_events(house)
    path = await downloaded(client, tmp_path, slug="veil-lot", opening_id=openings[0])
    assert verify_opening(path).exit_code == 2
    if how == "withdrawn":
        await withdraw_pack(house, WithdrawPack(slug="veil-lot", reason="Misprint.", actor=shop))
    else:
        openings += [await opened(ada, "veil-lot", quantity=n) for n in (10, 9)]
        await relay_events(house)
    for opening_id in openings:
        path = await downloaded(client, tmp_path, slug="veil-lot", opening_id=opening_id)
        result = verify_opening(path)
        assert result.exit_code == 0, result.output
    tree = json.loads(path.read_text())
    tree["cards"][0]["ticket"]["number"] ^= 1
    path.write_text(json.dumps(tree))
    assert verify_opening(path).exit_code == 1


async def test_the_page_for_checking_is_there_for_everybody(client: httpx.AsyncClient) -> None:
    page = await client.get("/verify")
    assert page.status_code == 200
    assert "<receipt-check" in page.text
    assert "elements/receipt-check." in page.text
