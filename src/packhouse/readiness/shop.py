"""What the checks look at, and what a check is: a running shop, from inside and over HTTP."""

from collections.abc import Awaitable, Callable

import msgspec

from packhouse.house import House
from packhouse.plumbing.settings import Settings
from packhouse.readiness.model import Seen
from packhouse.readiness.visits import Visits


class Shop(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """``visits`` come to the address that people use, ``nearby`` to the instance beside us."""

    settings: Settings
    house: House
    visits: Visits
    nearby: Visits

    @classmethod
    def of(cls, house: House) -> "Shop":
        """The shop that ``house`` is of, with an instance on this machine, at its usual port."""
        settings = house.settings
        return cls(
            settings=settings,
            house=house,
            visits=Visits(settings.public_url),
            nearby=Visits(f"http://127.0.0.1:{settings.http_port}"),
        )

    @property
    def is_embedded(self) -> bool:
        """Whether it runs on the servers that `packhouse up` brings."""
        return self.settings.embedded


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the checklist.

    ``must`` is asked of every shop before its launch; the others are good to have. ``advice`` says
    what to do when it fails, and ``takes`` how long that takes.
    """

    name: str
    title: str
    must: bool
    advice: str
    takes: str
    look: Callable[[Shop], Awaitable[Seen]]
