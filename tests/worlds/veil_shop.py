"""A small shop with the VEIL set in stock and a pack of each of the four shapes on sale.

Everything is made through the flows, as its operator and its collectors would make it.
"""

from datetime import date
from typing import Final

import msgspec

from packhouse.draws import PackDraft
from packhouse.flows.create_owner import CreateOwner, create_owner
from packhouse.flows.import_catalog import ImportCatalog, import_catalog
from packhouse.flows.publish_pack import PublishPack, SavePackDraft, publish_pack, save_pack_draft
from packhouse.flows.register import Register, register
from packhouse.flows.sign_in import SignedIn, SignIn, sign_in
from packhouse.flows.top_up import BuyCredits, TopUpRequest, top_up
from packhouse.foundation.identifiers import UserId
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.plumbing.idempotency import recognise
from worlds.four_packs import (
    FINITE_LOT,
    GUARANTEED_HIT_PACK,
    RARE_LAYOUT_PACK,
    TIER_ODDS_PACK,
    VEIL,
)

PASSWORD: Final = "correct horse battery staple"
"""Everybody's here."""

COPIES_OF_EACH: Final = 40
"""Copies on sale of each physical card, before the lot takes its own."""

VEIL_PACKS: Final[dict[str, PackDraft]] = {
    "veil-one": TIER_ODDS_PACK,
    "veil-eight": GUARANTEED_HIT_PACK,
    "veil-five": RARE_LAYOUT_PACK,
    "veil-lot": FINITE_LOT,
}
"""By slug, in the order of the shelf."""


async def open_veil_shop(house: House) -> Actor:
    """Put VEIL into stock and the four packs on sale; gives the owner who did it."""
    owner = await make_owner(house)
    actor = Actor(user_id=owner.user.id, username=owner.user.username, request_id="opening")
    await stock_veil(house, actor)
    for position, (slug, draft) in enumerate(VEIL_PACKS.items(), start=1):
        await publish(house, actor, slug=slug, draft=draft, position=position)
    return actor


async def stock_veil(house: House, actor: Actor) -> None:
    """Import the set; its D cards are digital, of each other card there are copies on sale."""
    rows = [
        {
            "set_code": fact.set_code,
            "set_name": "Veil",
            "number": fact.number,
            "name": f"Veil {fact.number}",
            "tier": fact.tier,
            "value_minor": fact.value,
            "kind": "physical" if fact.physical else "digital",
        }
        | ({"quantity": COPIES_OF_EACH, "place": "on_sale"} if fact.physical else {})
        for fact in VEIL
    ]
    content = msgspec.json.encode(rows)
    await import_catalog(
        house, ImportCatalog(content=content, file_name="veil.json", actor=actor, lines_shown_max=0)
    )


async def publish(
    house: House, actor: Actor, *, slug: str, draft: PackDraft, position: int = 1
) -> None:
    """Put a draft on sale; a generous one is published with a reason."""
    await save_pack_draft(house, SavePackDraft(slug, draft, actor, position))
    await publish_pack(house, PublishPack(slug, actor, "Generous on purpose."))


async def make_owner(house: House, username: str = "olga") -> SignedIn:
    """An owner who is signed in."""
    email = f"{username}@example.com"
    await create_owner(house, CreateOwner(email=email, username=username, password=PASSWORD))
    return await sign_in(house, SignIn(email=email, password=PASSWORD))


async def make_collector(house: House, username: str, *, credits_minor: int = 0) -> SignedIn:
    """A collector who is signed in and has bought so many credits."""
    signed_in = await register(
        house,
        Register(
            email=f"{username}@example.com",
            username=username,
            password=PASSWORD,
            birth_date=date(1990, 4, 1),
        ),
    )
    if credits_minor:
        await give_credits(house, signed_in.user.id, amount_minor=credits_minor)
    return signed_in


async def give_credits(house: House, user_id: UserId, *, amount_minor: int) -> None:
    """Buy credits from the demo provider."""
    request = TopUpRequest(amount=amount_minor)
    repeat = recognise(
        user_id=user_id, route="test", key=f"credits-{amount_minor}", request=request
    )
    await top_up(house, BuyCredits(user_id=user_id, request=request, repeat=repeat))
