"""Shop settings: what an operator changes while the shop runs, kept in PostgreSQL.

The environment says how the shop is built (``settings``); these say how it is run today.
"""

from datetime import datetime

import msgspec

from packhouse.plumbing.postgres import Connection, ReadConnection
from packhouse.plumbing.queries import load_queries

QUERIES = load_queries("packhouse.plumbing")


class ShopSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Today's switches, with what a new shop starts with."""

    registrations_open: bool = True
    maintenance: bool = False


async def find_shop_settings(connection: ReadConnection) -> ShopSettings:
    """The switches as they stand; what was never set has its default."""
    rows = await connection.fetch(QUERIES["list_shop_settings"])
    known = ShopSettings.__struct_fields__
    return msgspec.convert(
        {row["name"]: row["value"] for row in rows if row["name"] in known}, ShopSettings
    )


async def update_shop_settings(
    connection: Connection, settings: ShopSettings, *, now: datetime
) -> None:
    """Write every switch."""
    for name, value in msgspec.to_builtins(settings).items():
        await connection.execute(QUERIES["upsert_shop_setting"], name, value, now)
