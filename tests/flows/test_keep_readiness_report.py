"""A look at readiness is kept from its beginning to its end."""

from packhouse.flows.keep_readiness_report import begin_readiness_report, end_readiness_report
from packhouse.house import House
from packhouse.plumbing.kept_reports import REPORTS_KEPT, list_readiness_reports


async def test_a_look_that_began_is_seen_before_it_ends(house: House) -> None:
    report_id = await begin_readiness_report(house)
    async with house.database.connection() as connection:
        (kept,) = await list_readiness_reports(connection, limit=9)
    assert (kept.id, kept.begun_at, kept.report) == (report_id, house.clock(), None)


async def test_what_was_found_is_kept_as_it_was(house: House) -> None:
    report_id = await begin_readiness_report(house)
    await end_readiness_report(house, report_id, {"checks": [{"name": "tls"}]})
    async with house.database.connection() as connection:
        (kept,) = await list_readiness_reports(connection, limit=9)
    assert kept.report == {"checks": [{"name": "tls"}]}


async def test_old_reports_make_room(house: House) -> None:
    ids = [await begin_readiness_report(house) for _ in range(REPORTS_KEPT + 3)]
    await end_readiness_report(house, ids[-1], {"checks": []})
    async with house.database.connection() as connection:
        kept = await list_readiness_reports(connection, limit=100)
    assert [each.id for each in kept] == list(reversed(ids))[:REPORTS_KEPT]
