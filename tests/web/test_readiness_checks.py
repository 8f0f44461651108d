"""Each check of readiness fails when its cause is broken, and says what it saw."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Final

import httpx
import msgspec
import pytest

from packhouse.flows.keep_readiness_report import begin_readiness_report, end_readiness_report
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.plumbing.backups import make_backup
from packhouse.plumbing.kept_reports import list_readiness_reports
from packhouse.plumbing.setting_values import DatabaseUrl
from packhouse.plumbing.settings import require_setting
from packhouse.plumbing.valkey import Valkey
from packhouse.readiness import CHECKLIST, Line, Shop, Visits, as_json, report_readiness
from worlds.careless_server import Said, careless_server
from worlds.veil_shop import make_collector

NOWHERE: Final = Visits("http://127.0.0.1:1")
INVALIDATE: Final = """
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_user_cards_tier'::regclass
"""
PAGE: Final = b'<link href="/static/css/a.css">'


def changed(house: House, **settings: object) -> House:
    return msgspec.structs.replace(
        house, settings=msgspec.structs.replace(house.settings, **settings)
    )


async def look(house: House, name: str, visits: Visits = NOWHERE) -> Line:
    shop = Shop(settings=house.settings, house=house, visits=visits, nearby=visits)
    checklist = [check for check in CHECKLIST if check.name == name]
    report = await report_readiness(shop, checklist=checklist)
    (line,) = report.checks
    return line


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def cut_in_half(folder: Path) -> None:
    (path,) = folder.iterdir()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


async def run(house: House, statement: str) -> None:
    async with house.database.connection() as connection:
        await connection.execute(statement)


def test_every_check_has_a_name_of_its_own_and_says_what_to_do() -> None:
    assert len({check.name for check in CHECKLIST}) == len(CHECKLIST)
    assert all(check.advice and check.takes and check.title for check in CHECKLIST)


@pytest.mark.parametrize(
    "name",
    [
        "answers",
        "sessions_shared",
        "cookie_flags",
        "security_headers",
        "other_sites_refused",
        "rate_limits_refuse",
        "errors_told",
        "compression",
        "caching",
        "metrics_told",
    ],
)
async def test_a_shop_that_does_not_answer_fails(house: House, shop: Actor, name: str) -> None:
    line = await look(house, name)
    assert shop.username
    assert (line.result, "does not answer" in line.evidence) == ("fail", True)


@pytest.mark.parametrize(
    ("name", "answers", "told"),
    [
        ("answers", {"/health/ready": Said(status=503)}, "503"),
        ("errors_told", {}, "404 as nothing"),
        ("security_headers", {"/": Said(body=PAGE)}, "content-security-policy"),
        (
            "security_headers",
            {"/": Said(headers={"Content-Security-Policy": "default-src *; 'unsafe-inline'"})},
            "content-security-policy",
        ),
        ("other_sites_refused", {"/api/v1/session": Said(status=401)}, "401 and 401"),
        ("rate_limits_refuse", {"/api/v1/packs": Said()}, "were all answered"),
        ("rate_limits_refuse", {"/api/v1/packs": Said(status=429)}, "missing"),
        ("compression", {"/": Said(body=PAGE), "/api/v1/packs": Said()}, "without br"),
        ("caching", {"/": Said(body=PAGE), "/static/css/a.css": Said()}, "says “”"),
        ("cookie_flags", {"/api/v1/session": Said(status=204)}, "set no cookie"),
        (
            "cookie_flags",
            {"/api/v1/session": Said(headers={"Set-Cookie": "packhouse_session=; Path=/"})},
            "lacks httponly, samesite=lax",
        ),
        ("sessions_shared", {"/api/v1/me": Said(status=200)}, "[200, 200, 200] a"),
        ("sessions_shared", {"/api/v1/me": Said(status=401)}, "[401, 401, 401] on"),
        ("metrics_told", {"/metrics": Said()}, "0 metrics"),
    ],
)
async def test_a_careless_server_fails(
    house: House, shop: Actor, name: str, answers: dict[str, Said], told: str
) -> None:
    with careless_server(answers) as visits:
        line = await look(house, name, visits)
    assert shop.username
    assert line.result == "fail", line.evidence
    assert told in line.evidence


async def test_a_session_cannot_be_tried_without_an_owner(house: House) -> None:
    line = await look(house, "sessions_shared")
    assert "no owner" in line.evidence


async def test_a_lent_session_ends_with_its_check(house: House, shop: Actor) -> None:
    with careless_server({"/api/v1/me": Said()}) as visits:
        await look(house, "sessions_shared", visits)
    async with house.database.connection() as connection:
        acts = await connection.fetchval(
            "SELECT count(*) FROM audit_log WHERE action = 'lend_session' AND actor_id = $1",
            shop.user_id,
        )
        kept = await connection.fetchval(
            "SELECT count(*) FROM sessions WHERE expires_at <= $1",
            house.clock() + timedelta(minutes=2),
        )
    assert (acts, kept) == (1, 0)


@pytest.mark.parametrize(
    ("name", "broken_by", "told"),
    [
        ("migrations_run", "DELETE FROM schema_migrations WHERE number = 3", "0003_draw_log"),
        ("indexes_exist", "DROP INDEX idx_global_feed_tier", "idx_global_feed_tier"),
        (
            "indexes_exist",
            INVALIDATE,
            "idx_user_cards_tier",
        ),
        ("laws_hold", "UPDATE wallets SET balance = balance + 1", "ledger_sums_to_zero"),
    ],
)
async def test_a_broken_database_fails(
    house: House, shop: Actor, name: str, broken_by: str, told: str
) -> None:
    await make_collector(house, "ada", credits_minor=500)
    assert shop.username
    assert (await look(house, name)).result == "pass"
    await run(house, broken_by)
    line = await look(house, name)
    assert (line.result, told in line.evidence) == ("fail", True), line.evidence


async def test_commits_that_may_be_lost_fail(house: House) -> None:
    line = await look(house, "commits_durable")
    assert line.result == "fail"
    assert "fsync = off" in line.evidence


async def test_pools_that_do_not_fit_fail(house: House) -> None:
    assert (await look(house, "pool_fits")).result == "pass"
    line = await look(changed(house, database_pool_size=500), "pool_fits")
    assert line.result == "fail"


async def test_a_worker_that_is_away_fails(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("packhouse.readiness.database_checks.RELAY_LOOK_SECONDS_MAX", 0.2)
    line = await look(house, "worker_runs")
    assert (line.result, "nowhere" in line.evidence) == ("fail", True)


async def test_a_relay_at_work_is_seen(house: House) -> None:
    async with house.database.transaction() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(1380273217)")
        line = await look(house, "worker_runs")
    assert line.result == "pass", line.evidence


async def test_an_event_that_waits_for_long_fails(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_collector(house, "ada", credits_minor=500)
    monkeypatch.setattr("packhouse.readiness.database_checks.EVENT_SECONDS_MAX", 0.0)
    async with house.database.transaction() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(1380273217)")
        line = await look(house, "worker_runs")
    assert line.result == "fail", line.evidence


async def test_a_key_that_is_hardly_random_fails(house: House) -> None:
    line = await look(house, "secrets_own")
    assert (line.result, "SEED_KEY" in line.evidence) == ("fail", True)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("tls", "PACKHOUSE_PUBLIC_URL"),
        ("cdn", "PACKHOUSE_ASSETS_URL"),
        ("backup_recent", "no backup"),
        ("backup_restores", "no backup"),
        ("backup_off_site", "no backup"),
        ("metrics_scraped", "PACKHOUSE_PROMETHEUS_URL"),
        ("alerts_wired", "PACKHOUSE_PROMETHEUS_URL"),
    ],
)
async def test_what_an_embedded_shop_cannot_have_fails_elsewhere(
    house: House, tmp_path: Path, name: str, told: str
) -> None:
    elsewhere = changed(house, embedded=False, backup_directory=tmp_path / "none")
    line = await look(elsewhere, name)
    assert (line.must, line.result, told in line.evidence) == (True, "fail", True), line.evidence


@pytest.mark.parametrize(
    "name", ["tls", "cdn", "backup_off_site", "metrics_scraped", "alerts_wired"]
)
async def test_what_an_embedded_shop_cannot_have_is_not_asked_of_it(
    house: House, name: str
) -> None:
    assert (await look(house, name)).result == "not_applicable"


async def test_a_dead_cache_fails(house: House) -> None:
    assert (await look(house, "cache_answers")).result == "pass"
    dead = Valkey("valkey://127.0.0.1:1", timeout_ms=50)
    line = await look(msgspec.structs.replace(house, valkey=dead), "cache_answers")
    await dead.close()
    assert line.result == "fail"


async def test_an_old_backup_fails(house: House, tmp_path: Path) -> None:
    kept = changed(house, backup_directory=tmp_path)
    url = require_setting(house.settings.database_url, name="database_url").reveal()
    await make_backup(url, tmp_path, now=house.clock() - timedelta(hours=25))
    assert (await look(kept, "backup_recent")).result == "pass"
    empty(tmp_path)
    await make_backup(url, tmp_path, now=house.clock() - timedelta(days=2))
    line = await look(kept, "backup_recent")
    assert (line.result, "48.0 hours" in line.evidence) == ("fail", True)


async def test_a_backup_is_tried_by_restoring_it(house: House, shop: Actor, tmp_path: Path) -> None:
    kept = changed(house, backup_directory=tmp_path)
    line = await look(kept, "backup_restores")
    assert shop.username
    assert line.result == "pass", line.evidence
    assert "1 accounts" in line.evidence


async def test_a_damaged_backup_fails(house: House, tmp_path: Path) -> None:
    kept = changed(house, backup_directory=tmp_path)
    await look(kept, "backup_recent")
    cut_in_half(tmp_path)
    line = await look(kept, "backup_restores")
    assert (line.result, "pg_restore failed" in line.evidence) == ("fail", True), line.evidence


async def test_a_backup_in_which_a_law_is_broken_fails(
    house: House, shop: Actor, tmp_path: Path
) -> None:
    await make_collector(house, "ada", credits_minor=500)
    await run(house, "UPDATE wallets SET balance = balance + 1")
    line = await look(changed(house, backup_directory=tmp_path), "backup_restores")
    assert shop.username
    assert (line.result, "a law does not hold" in line.evidence) == ("fail", True), line.evidence


async def test_a_full_disk_fails(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await look(house, "disk_room")).result == "pass"
    monkeypatch.setattr("packhouse.readiness.other_checks.FREE_SHARE_MIN", 1.0)
    assert (await look(house, "disk_room")).result == "fail"


def prometheus(*, build: bool = True, rules: bool = True, managers: bool = True) -> dict[str, Said]:
    def said(data: object) -> Said:
        return Said(body=json.dumps({"data": data}).encode())

    return {
        "/api/v1/query": said({"result": [{"value": [1, "3"]}] if build else []}),
        "/api/v1/rules": said(
            {"groups": [{"rules": [{"name": "PackhouseDown" if rules else "Other"}]}]}
        ),
        "/api/v1/alertmanagers": said({"activeAlertmanagers": [{"url": "x"}] if managers else []}),
    }


@pytest.mark.parametrize(
    ("name", "answers", "result"),
    [
        ("metrics_scraped", prometheus(), "pass"),
        ("metrics_scraped", prometheus(build=False), "fail"),
        ("alerts_wired", prometheus(), "pass"),
        ("alerts_wired", prometheus(rules=False), "fail"),
        ("alerts_wired", prometheus(managers=False), "fail"),
        ("alerts_wired", {}, "fail"),
    ],
)
async def test_prometheus_is_asked_what_it_sees(
    house: House, name: str, answers: dict[str, Said], result: str
) -> None:
    with careless_server(answers) as visits:
        watched = changed(house, embedded=False, prometheus_url=visits.url)
        assert (await look(watched, name)).result == result


def load_test(p95: float | None) -> bytes:
    target = {"name": "100 users: p95 of answers, the plan's range", "must": 500.0}
    told = {**target, "measured": p95, "is_met": None if p95 is None else p95 <= 500}
    return json.dumps({"scenarios": {"users": {"targets": [told]}}}).encode()


@pytest.mark.parametrize(
    ("text", "result"),
    [
        (load_test(100.0), "pass"),
        (load_test(900.0), "fail"),
        (load_test(None), "fail"),
        (b"nonsense", "fail"),
        (None, "fail"),
    ],
)
async def test_the_latest_load_test_is_held_against_the_plan(
    house: House, tmp_path: Path, text: bytes | None, result: str
) -> None:
    if text is not None:
        (tmp_path / "one.json").write_bytes(text)
    line = await look(changed(house, load_tests_directory=tmp_path), "load_test")
    assert line.result == result, line.evidence


async def test_many_dead_rows_fail(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await look(house, "no_bloat")).result == "pass"
    monkeypatch.setattr("packhouse.readiness.database_checks.DEAD_ROWS_MIN", 10)
    await run(house, "ALTER TABLE audit_log SET (autovacuum_enabled = off)")
    await run(
        house,
        "INSERT INTO settings SELECT 'x' || n, '1', now() FROM generate_series(1, 100) n",
    )
    await run(house, "DELETE FROM settings WHERE name LIKE 'x%'")
    await run(house, "SELECT pg_stat_force_next_flush()")
    line = await look(house, "no_bloat")
    assert (line.result, "settings" in line.evidence) == ("fail", True), line.evidence


async def test_slow_statements_fail(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    line = await look(house, "statements_fast")
    assert (line.result, "not there to tell" in line.evidence) == ("fail", True)
    await run(house, "CREATE EXTENSION pg_stat_statements")
    assert (await look(house, "statements_fast")).result == "pass"
    monkeypatch.setattr("packhouse.readiness.database_checks.SLOW_MS", 0.0)
    monkeypatch.setattr("packhouse.readiness.database_checks.SLOW_CALLS_MIN", 1)
    line = await look(house, "statements_fast")
    assert (line.result, "on average" in line.evidence) == ("fail", True)


@pytest.mark.parametrize("name", ["indexes_used", "table_growth"])
async def test_what_is_only_told_never_fails(house: House, name: str) -> None:
    line = await look(house, name)
    assert (line.must, line.result) == (False, "pass")


async def test_no_replica_is_asked_of_a_small_shop(house: House) -> None:
    assert (await look(house, "replicas_follow")).result == "not_applicable"


@pytest.mark.parametrize(
    ("states", "result"),
    [
        (["in_rotation", "in_rotation"], "pass"),
        (["in_rotation", "behind"], "fail"),
        (["in_rotation"], "fail"),
    ],
)
async def test_every_replica_that_is_set_has_to_be_read_from(
    house: House, states: list[str], result: str
) -> None:
    urls = tuple(DatabaseUrl(f"postgresql://127.0.0.1:{port}/shop") for port in (1, 2))
    body = json.dumps({"replicas": [{"state": state} for state in states]}).encode()
    with careless_server({"/health/ready": Said(body=body)}) as visits:
        line = await look(changed(house, database_replica_urls=urls), "replicas_follow", visits)
    assert line.result == result
    assert states[-1] in line.evidence


async def test_the_page_shows_the_last_report(house: House, olga: httpx.AsyncClient) -> None:
    assert "Never looked at" in (await olga.get("/admin/readiness")).text
    shop = Shop(settings=house.settings, house=house, visits=NOWHERE, nearby=NOWHERE)
    checklist = [check for check in CHECKLIST if check.name in {"indexes_exist", "answers"}]
    report_id = await begin_readiness_report(house)
    assert "Looking" in (await olga.get("/admin/readiness")).text
    report = as_json(await report_readiness(shop, checklist=checklist))
    await end_readiness_report(house, report_id, report)
    page = (await olga.get("/admin/readiness")).text
    assert "Not ready: 1 of what must hold does not." in page
    assert "does not answer" in page
    assert "All seven of the plan are there" in page


async def test_a_look_goes_on_once(house: House, olga: httpx.AsyncClient) -> None:
    await begin_readiness_report(house)
    assert (await olga.post("/admin/readiness")).status_code == 303
    async with house.database.connection() as connection:
        assert len(await list_readiness_reports(connection, limit=9)) == 1
