"""Checks of what stands beside the database: cache, disk, backups, replicas, watchers, load."""

import json
import secrets
import shutil
import time
from asyncio import create_subprocess_exec, subprocess, timeout
from datetime import timedelta
from pathlib import Path
from sys import executable
from typing import Final
from urllib.parse import urlencode

import msgspec

from packhouse.foundation.errors import NotFound
from packhouse.plumbing.backups import Backup, get_newest_backup, make_backup
from packhouse.plumbing.settings import require_setting
from packhouse.readiness.model import Seen, failed, judged, not_applicable
from packhouse.readiness.shop import Shop
from packhouse.readiness.visits import Visits

CACHE_MS_MAX: Final = 20.0
FREE_SHARE_MIN: Final = 0.1
BACKUP_AGE_MAX: Final = timedelta(hours=26)
"""A day, and two hours for a backup that took longer than the one before."""
RESTORE_SECONDS_MAX: Final = 900.0


async def see_cache(shop: Shop) -> Seen:
    """What is written to the cache is read back, and how often it had what was asked for."""
    valkey = shop.house.valkey
    key, value = f"packhouse:readiness:{secrets.token_hex(8)}", secrets.token_bytes(16)
    started = time.perf_counter()
    await valkey.ask(valkey.client.set(key, value, px=10_000))
    read = await valkey.ask(valkey.client.get(key))
    milliseconds = (time.perf_counter() - started) * 500
    await valkey.ask(valkey.client.delete(key))
    stats = await valkey.ask(valkey.client.info("stats"))
    hits, misses = int(stats["keyspace_hits"]), int(stats["keyspace_misses"])
    return judged(
        f"A value came back after {milliseconds:.1f} ms a call; the server had"
        f" {hits / max(1, hits + misses):.0%} of {hits + misses:,} keys asked for.",
        holds=read == value and milliseconds <= CACHE_MS_MAX,
    )


async def see_disk(shop: Shop) -> Seen:
    """There is room for the database to grow."""
    if not shop.is_embedded:
        return not_applicable("PostgreSQL's disk is not this machine's; its alert watches it.")
    usage = shutil.disk_usage(_existing(shop.settings.load_tests_directory))
    return judged(
        f"{usage.free / 2**30:,.0f} of {usage.total / 2**30:,.0f} GiB are free.",
        holds=usage.free > FREE_SHARE_MIN * usage.total,
    )


async def see_backup_is_recent(shop: Shop) -> Seen:
    """There is a backup, and it is not old. An embedded shop that has none makes one."""
    backup = await _newest(shop)
    age = shop.house.clock() - backup.begun_at
    return judged(
        f"The newest, {backup.path.name}, is {age.total_seconds() / 3600:.1f} hours old and has"
        f" {backup.path.stat().st_size / 2**20:,.1f} MiB.",
        holds=age <= BACKUP_AGE_MAX,
    )


async def see_backup_restores(shop: Shop) -> Seen:
    """The newest backup is restored into a server of its own, and every law holds there."""
    backup = await _newest(shop)
    child = await create_subprocess_exec(
        executable,
        *("-P", "-m", "packhouse", "db", "check-backup", str(backup.path)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        async with timeout(RESTORE_SECONDS_MAX):
            told, words = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    last = (told or words).decode(errors="replace").strip().splitlines()
    return judged(last[-1] if last else "It said nothing.", holds=child.returncode == 0)


async def see_backup_off_site(shop: Shop) -> Seen:
    """Backups lie where a fire here does not reach."""
    if shop.is_embedded:
        return not_applicable("An embedded shop keeps everything in its one folder.")
    backup = await _newest(shop)
    is_here = _device_of(backup.path) == _device_of(Path("/"))
    place = "the disk of this machine" if is_here else "another file system"
    return judged(f"{backup.path.parent} is on {place}.", holds=not is_here)


async def see_replicas(shop: Shop) -> Seen:
    """Each replica answers, and is not far behind."""
    urls = shop.settings.database_replica_urls
    if not urls:
        return not_applicable("No replica is set; one is for shops of the second phase.")
    visit = await shop.nearby.get("/health/ready")
    states = [each["state"] for each in json.loads(visit.body)["replicas"]]
    return judged(
        f"The web server that answered has {', '.join(states)}; {len(urls)} set.",
        holds=states == ["in_rotation"] * len(urls),
    )


async def see_metrics_are_scraped(shop: Shop) -> Seen:
    """Prometheus has this shop's metrics, of less than some minutes ago."""
    if shop.settings.prometheus_url is None:
        return _without_prometheus(shop)
    found = await _ask_prometheus(shop, "max(packhouse_build_info) * count(up == 1)")
    return judged(f"Prometheus sees {found or 'none'} of the shop's targets up.", holds=bool(found))


async def see_alerts_are_wired(shop: Shop) -> Seen:
    """Prometheus has our rules, and somebody to send alerts to."""
    if shop.settings.prometheus_url is None:
        return _without_prometheus(shop)
    prometheus = Visits(shop.settings.prometheus_url)
    rules = json.loads((await prometheus.get("/api/v1/rules?type=alert")).body)
    names = {rule["name"] for group in rules["data"]["groups"] for rule in group["rules"]}
    ours = sorted(name for name in names if name.startswith("Packhouse"))
    managers = json.loads((await prometheus.get("/api/v1/alertmanagers")).body)
    active = managers["data"]["activeAlertmanagers"]
    return judged(
        f"Prometheus has {len(ours)} of our alerts and {len(active)} Alertmanager(s).",
        holds=bool(ours) and bool(active),
    )


async def see_cdn(shop: Shop) -> Seen:
    """Assets come from the CDN, with the origin's caching."""
    assets = getattr(shop.settings, "assets_url", None)
    if assets is None:
        if shop.is_embedded:
            return not_applicable("An embedded shop serves this machine alone.")
        return failed("PACKHOUSE_ASSETS_URL is not set: every picture comes from the shop itself.")
    page = await shop.visits.get("/", accept_encoding="identity")
    start = page.body.find(str(assets).encode())
    if start < 0:
        return failed(f"The front page names nothing at {assets}.")
    address = page.body[start:].split(b'"', 1)[0].decode()
    visit = await Visits(address.split("/static", 1)[0]).get(
        "/static" + address.split("/static", 1)[1]
    )
    kept = visit.headers.get("cache-control", "")
    return judged(
        f"{address} answered {visit.status}, “{kept}”.",
        holds=visit.status == 200 and "immutable" in kept,
    )


async def see_load_tests(shop: Shop) -> Seen:
    """The latest load test held the plan's three rows of targets."""
    folder = shop.settings.load_tests_directory
    results = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
    if not results:
        return failed("No result of a load test is here.")
    try:
        rows = read_rows(results[-1].read_bytes())
    except msgspec.MsgspecError as error:
        return failed(f"{results[-1].name} is no result of a load test: {error}.")
    if not rows:
        return failed(f"{results[-1].name} tried none of the three rows of targets.")
    told = "; ".join(f"{row.name}: {row.measured:,.0f} of {row.must:,.0f} ms" for row in rows)
    return judged(f"{results[-1].name}: {told}.", holds=all(row.is_met for row in rows))


class Row(msgspec.Struct, frozen=True):
    """One target of a load test."""

    name: str
    must: float
    is_met: bool | None = None
    measured: float | None = None


class _Scenario(msgspec.Struct):
    targets: list[Row] = []


class _Result(msgspec.Struct):
    scenarios: dict[str, _Scenario]


def read_rows(text: bytes) -> list[Row]:
    """The targets of the plan in a result, those that were tried."""
    found = msgspec.json.decode(text, type=_Result).scenarios.get("users", _Scenario())
    return [row for row in found.targets if "plan's range" in row.name and row.measured is not None]


def _existing(path: Path) -> Path:
    """The folder itself, or the nearest one above it that there is."""
    path = path.absolute()
    return next(each for each in (path, *path.parents) if each.is_dir())


def _device_of(path: Path) -> int:
    return path.stat().st_dev


async def _newest(shop: Shop) -> Backup:
    folder = shop.settings.backup_directory
    try:
        return get_newest_backup(folder)
    except NotFound:
        if not shop.is_embedded:
            raise
    url = require_setting(shop.settings.database_url, name="database_url").reveal()
    return await make_backup(url, folder, now=shop.house.clock())


def _without_prometheus(shop: Shop) -> Seen:
    if shop.is_embedded:
        return not_applicable("Nobody watches an embedded shop but its owner.")
    return failed("PACKHOUSE_PROMETHEUS_URL is not set.")


async def _ask_prometheus(shop: Shop, query: str) -> str | None:

    visit = await Visits(str(shop.settings.prometheus_url)).get(
        f"/api/v1/query?{urlencode({'query': query})}"
    )
    found = json.loads(visit.body)["data"]["result"]
    return found[0]["value"][1] if found else None
