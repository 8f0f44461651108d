"""``packhouse bench`` for a second, on embedded servers, and the people that it makes."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from packhouse import accounts, vault, wallet
from packhouse.bench.population import PASSWORD, RECORDED_ENTRIES, fill
from packhouse.bench.stock import restock
from packhouse.catalog import Card, count_stock_by_card
from packhouse.flows.open_pack import OpenPack, OpenPacks, open_pack
from packhouse.flows.relay_events import relay_events
from packhouse.flows.sign_in import SignIn, sign_in
from packhouse.house import House
from packhouse.plumbing.idempotency import recognise
from packhouse.vault import VaultFilter


async def test_a_made_collector_can_do_what_any_other_can(house: House, ember: Card) -> None:
    filled = await fill(house, slug="ember", collectors=3, openings_each=2, tell=lambda _: None)
    ada = filled.collectors[1]
    viewer = await house.sessions.find(
        house.database, accounts.hash_token(ada.token), now=house.clock()
    )
    assert viewer is not None
    assert viewer.user_id == ada.user_id
    signed_in = await sign_in(house, SignIn(email=ada.email, password=PASSWORD))
    assert signed_in.user.id == ada.user_id
    request = OpenPacks()
    repeat = recognise(user_id=ada.user_id, route="x", key="1", request=request)
    opened = await open_pack(
        house, OpenPack(user_id=ada.user_id, slug="ember", request=request, repeat=repeat)
    )
    assert opened.openings[0].proof.nonce == 2
    assert opened.openings[0].cards[0].card.id == ember.id


async def test_made_collectors_keep_every_law_before_and_after_the_relay(
    house: House, ember: Card
) -> None:
    filled = await fill(house, slug="ember", collectors=5, openings_each=3, tell=lambda _: None)
    # The laws are looked at once more when this test has ended.
    while (relayed := await relay_events(house)) is not None and relayed.events:
        pass
    async with house.database.connection() as connection:
        ids = [each.user_id for each in filled.collectors]
        cards = [
            await vault.list_vault_page(
                connection, user_id=user_id, wanted=VaultFilter(), after=None, limit=10
            )
            for user_id in ids
        ]
        purse = await wallet.find_wallet(connection, filled.recorded.user_id)
    assert [len(page) for page in cards] == [3] * 5
    assert {card.card_id for page in cards for card in page} == {ember.id}
    assert [user_id.int - filled.ids_from.int for user_id in ids] == list(range(5))
    assert purse is not None
    assert purse.sequence == RECORDED_ENTRIES + 3


async def test_stock_is_filled_up_to_what_a_turn_needs(house: House, ember: Card) -> None:
    assert await restock(house, slug="ember", openings=200) > 0
    async with house.database.connection() as connection:
        free = await count_stock_by_card(connection, [ember.id])
    assert free[ember.id] >= 200
    assert await restock(house, slug="ember", openings=100) == 0


@pytest.mark.xdist_group("bench")
def test_a_quick_run_measures_all_contenders_and_leaves_nothing_behind() -> None:
    with bench("open", "feed", "scale", "live", "replica") as (result, folder):
        for scenario in ("open", "feed", "live", "replica"):
            assert result["scenarios"][scenario]["requests_per_second"] > 0
            assert result["scenarios"][scenario]["errors"] == 0
            assert result["scenarios"][scenario]["statements"]
        assert result["ratios"]["open/pgbench"] > 0
        assert result["scenarios"]["live"]["packhouse_kib_per_stream"] is not None
        assert result["scenarios"]["scale"]["bulk_rows_20k"] > 100_000
        assert result["scenarios"]["scale"]["errors"] == 0
        assert len([name for name in result["ratios"] if name.startswith("scale/")]) == 21
        assert "Openings a second by clients" in (folder / "report" / "report.html").read_text()


@pytest.mark.xdist_group("bench")
def test_a_quick_crowd_drop_and_soak_break_nothing_and_keep_every_law() -> None:
    with bench("users", "drop", "soak") as (result, folder):
        users, drop, soak = (result["scenarios"][name] for name in ("users", "drop", "soak"))
        for scenario in (users, drop, soak):
            assert scenario["errors"] == 0, scenario["codes"]
        assert users["requests"] == users["40 users, 1 s think: requests scheduled"]
        assert any(each["sampled"] for each in users["statements"])
        met = {each["name"]: each["is_met"] for each in drop["targets"]}
        for never in (
            "packs too many or too few",
            "errors",
            "deadlocks",
            "5xx answers to the drop",
            "laws broken afterwards",
        ):
            assert met[never], drop
        assert soak["serve-web-1: highest PSS MiB"] > 0
        page = (folder / "report" / "report.html").read_text()
        assert "Held against the targets" in page
        assert "Memory (PSS) over time" in page


@contextmanager
def bench(*scenarios: str) -> Iterator[tuple[dict[str, Any], Path]]:
    # Not below pytest's own folder: root's PostgreSQL runs as an account that cannot enter there.
    with tempfile.TemporaryDirectory(prefix="packhouse-bench-test-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        environ = {key: text for key, text in os.environ.items() if "PACKHOUSE" not in key}
        done = subprocess.run(
            [
                *(sys.executable, "-m", "packhouse", "bench", *scenarios, "--quick"),
                *("--report", folder / "report"),
            ],
            cwd=folder,
            env={**environ, "TMPDIR": name},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        result = msgspec.json.decode(done.stdout)
        assert result["is_complete"]
        yield result, folder
        assert [path.name for path in folder.iterdir()] == ["report"]
