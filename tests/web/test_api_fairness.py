"""Seeds over the API: the commitment first, the secret at the end."""

import hashlib

import httpx
import pytest

from packhouse.plumbing.audit import Actor


async def open_one(collector: httpx.AsyncClient) -> dict[str, str]:
    answer = await collector.post(
        "/api/v1/packs/veil-one/openings", json={"quantity": 1}, headers={"Idempotency-Key": "one"}
    )
    proof: dict[str, str] = answer.json()["openings"][0]["proof"]
    return proof


async def test_the_commitment_is_known_before_the_draw(shop: Actor, ada: httpx.AsyncClient) -> None:
    before = (await ada.get("/api/v1/fairness/seed")).json()
    assert (before["nonce"], before["revealed"], before["ends_by"]) == (0, [], None)
    assert "server_seed" not in before
    proof = await open_one(ada)
    assert proof["commitment"] == before["commitment"]
    after = (await ada.get("/api/v1/fairness/seed")).json()
    assert (after["nonce"], after["ends_by"]) == (1, "2026-11-29T12:00:00Z")


async def test_a_stored_client_seed_is_used(shop: Actor, ada: httpx.AsyncClient) -> None:
    answer = await ada.put("/api/v1/fairness/seed", json={"client_seed": "Möwe 7"})
    assert (answer.status_code, answer.json()["client_seed"]) == (200, "Möwe 7")
    proof = await open_one(ada)
    assert (proof["client_seed"], proof["client_seed_origin"]) == ("Möwe 7", "stored")


@pytest.mark.parametrize("seed", ["", "x" * 129, "a\nb", "a\x00b", 7, None])
async def test_an_odd_client_seed_is_refused(ada: httpx.AsyncClient, seed: object) -> None:
    answer = await ada.put("/api/v1/fairness/seed", json={"client_seed": seed})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["client_seed"]


async def test_a_rotation_reveals_what_was_committed_to(
    shop: Actor, ada: httpx.AsyncClient
) -> None:
    before = (await ada.get("/api/v1/fairness/seed")).json()
    await open_one(ada)
    answer = await ada.post("/api/v1/fairness/seed/rotation")
    assert answer.status_code == 201
    revealed, current = answer.json()["revealed"], answer.json()["current"]
    server_seed = bytes.fromhex(revealed["server_seed"])
    assert hashlib.sha256(server_seed).hexdigest() == before["commitment"]
    assert (revealed["openings"], current["nonce"]) == (1, 0)
    assert current["commitment"] != before["commitment"]
    assert current["client_seed"] == before["client_seed"]
    assert current["revealed"] == [revealed]
    assert (await ada.get("/api/v1/fairness/seed")).json() == current


async def test_the_history_has_every_seed_pair_and_every_receipt(
    shop: Actor, ada: httpx.AsyncClient, ben: httpx.AsyncClient
) -> None:
    await open_one(ben)
    await open_one(ada)
    rotated = (await ada.post("/api/v1/fairness/seed/rotation")).json()
    lot = await ada.post(
        "/api/v1/packs/veil-lot/openings",
        json={"quantity": 2},
        headers={"Idempotency-Key": "lot"},
    )
    answer = await ada.get("/api/v1/fairness/history")
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["content-disposition"] == 'attachment; filename="history.json"'
    history = answer.json()
    assert history["format"] == "packhouse.history/1"
    in_force, ended = history["seed_pairs"]
    assert in_force == {
        "commitment": rotated["current"]["commitment"],
        "user_key": rotated["current"]["user_key"],
        "created_at": rotated["current"]["created_at"],
        "first_used_at": in_force["first_used_at"],
        "revealed_at": None,
        "server_seed": None,
        "openings": None,
    }
    assert ended["server_seed"] == rotated["revealed"]["server_seed"]
    assert ended["openings"] == 1
    ids = [receipt["id"] for receipt in history["receipts"]]
    assert set(ids[:2]) == {opening["id"] for opening in lot.json()["openings"]}
    assert len(ids) == 3
    for receipt in history["receipts"]:
        assert receipt == (await ada.get(f"/api/v1/openings/{receipt['id']}")).json()


async def test_a_history_without_anything_is_one(ada: httpx.AsyncClient) -> None:
    history = (await ada.get("/api/v1/fairness/history")).json()
    assert (len(history["seed_pairs"]), history["receipts"]) == (1, [])


async def test_a_visitor_has_no_seed(client: httpx.AsyncClient) -> None:
    for answer in (
        await client.get("/api/v1/fairness/history"),
        await client.get("/api/v1/fairness/seed"),
        await client.put("/api/v1/fairness/seed", json={"client_seed": "x"}),
        await client.post("/api/v1/fairness/seed/rotation"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
