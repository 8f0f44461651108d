"""An operator gives a pack its picture: the wrapper that collectors see on the shelf.

A picture is no part of a published version, so it may change while the pack is on sale. Locks: the
pack.
"""

import asyncio

import msgspec

from packhouse import draws
from packhouse.flows.publish_pack import get_pack
from packhouse.foundation.jobs import MakePictureForms
from packhouse.house import House
from packhouse.plumbing.audit import Actor, insert_audit_entry
from packhouse.plumbing.jobs import enqueue_jobs
from packhouse.plumbing.picture_forms import store_picture


class SetPackPicture(msgspec.Struct, frozen=True):
    """The bytes of a PNG, JPEG, WebP or AVIF file for the pack of this slug."""

    slug: str
    picture: bytes
    actor: Actor


async def set_pack_picture(house: House, command: SetPackPicture) -> str:
    """Store the picture, encoded anew with its transparency, and give its media key.

    Raises ``PictureRefused``, ``PackNotFound``. The file is stored before the transaction: after a
    failure it lies unused, and a repeat finds it.
    """
    key = await asyncio.to_thread(store_picture, house.media, command.picture)
    now = house.clock()
    async with house.database.transaction() as connection:
        pack = await get_pack(connection, command.slug)
        await draws.lock_pack(connection, pack.id)
        await draws.update_pack_picture(connection, pack_id=pack.id, picture=key)
        await insert_audit_entry(
            connection,
            actor=command.actor,
            action="set_pack_picture",
            subject=f"pack:{command.slug}",
            reason=None,
            details={"picture": key},
            now=now,
        )
        await enqueue_jobs(connection, [MakePictureForms(key)])
    house.packs.forget()
    return key
