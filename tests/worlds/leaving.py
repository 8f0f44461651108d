"""Somebody who leaves the shop, and a search for what is left of them in the whole database."""

from datetime import date
from typing import Final

from packhouse.flows.close_account import CloseAccount, Forfeit
from packhouse.flows.register import Register, register
from packhouse.flows.top_up import top_up
from packhouse.foundation.identifiers import new_id
from packhouse.house import House
from packhouse.plumbing.idempotency import recognise
from packhouse.shipping import Address
from worlds.ember_counter import Person, buying

PASSWORD: Final = "correct horse battery staple"
USERNAME: Final = "Quillwort"
EMAIL: Final = "Quill.Wort@letterbox.example"
"""No letters that hexadecimal digits could spell."""

HOME: Final = Address(
    name="Quillon Wortley",
    line1="77 Sorrel Mews",
    city="Portland",
    region="OR",
    postal_code="97205",
    country="US",
    phone="+1 503 555 0177",
)

TRACES: Final = (USERNAME, EMAIL, EMAIL.partition("@")[0], "Wortley", "Sorrel", "555 0177")
"""What would tell who somebody was."""


async def register_quill(
    house: House, *, credits_minor: int = 0, username: str = USERNAME, email: str = EMAIL
) -> Person:
    """Quill has an account with a password, and buys credits."""
    signed_in = await register(
        house,
        Register(email=email, username=username, password=PASSWORD, birth_date=date(1987, 6, 5)),
    )
    quill = Person(signed_in.user.id, username)
    if credits_minor:
        await top_up(house, buying(quill, credits_minor))
    return quill


def closing(
    person: Person,
    *,
    forfeit: Forfeit | None = None,
    password: str = PASSWORD,
    key: str | None = None,
) -> CloseAccount:
    """The command to close an account; without ``key`` it is like no other."""
    given_up = forfeit or Forfeit()
    return CloseAccount(
        user_id=person.user_id,
        password=password,
        forfeit=given_up,
        actor=person.actor,
        repeat=recognise(
            user_id=person.user_id, route="closure", key=key or str(new_id()), request=given_up
        ),
    )


async def find_traces(house: House, *words: str) -> dict[str, list[str]]:
    """The rows of every table in which one of the words stands, in whatever column, by table.

    Bytes are shown as hexadecimal digits, so the words are looked for as those as well.
    """
    wanted = [word for each in words for word in (each, each.encode().hex())]
    async with house.database.connection() as connection:
        tables = await connection.fetch(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace"
            " IN ('public'::regnamespace, 'jobs'::regnamespace) ORDER BY relname"
        )
        found = {
            name: await connection.fetch(
                f"SELECT t::text AS row FROM {name} t"  # noqa: S608 - the catalog's own names
                " WHERE EXISTS (SELECT FROM unnest($1::text[]) AS wanted (word)"
                "  WHERE strpos(lower(t::text), lower(wanted.word)) > 0)",
                wanted,
            )
            for (name,) in tables
        }
    return {name: [row["row"] for row in rows] for name, rows in found.items() if rows}
