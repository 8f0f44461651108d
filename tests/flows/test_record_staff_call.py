"""Looks of staff are on record, as acts are."""

from packhouse.flows.record_staff_call import RecordStaffCall, record_staff_call
from packhouse.house import House
from packhouse.plumbing.audit import list_audit_entries
from worlds.ember_counter import Person


async def test_a_call_is_written_with_who_and_where(house: House, olga: Person) -> None:
    await record_staff_call(house, RecordStaffCall(olga.actor, "GET", "/api/v1/admin/users"))
    async with house.database.connection() as connection:
        (entry,) = await list_audit_entries(connection, before=None, limit=9)
    assert (entry.actor_id, entry.actor_name) == (olga.user_id, "olga")
    assert (entry.action, entry.subject) == ("call", "GET /api/v1/admin/users")
    assert (entry.request_id, entry.created_at) == ("request-1", house.clock())
