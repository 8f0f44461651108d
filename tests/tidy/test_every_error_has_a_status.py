"""The one table of statuses has every refusal there is, and nothing that no longer exists."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import packhouse
from packhouse.foundation.errors import Refusal
from packhouse.web.errors import STATUSES, TITLES

NOT_A_CONVERSATION = "packhouse.__main__"
"""Running this one starts the command line."""


@pytest.fixture(scope="module", autouse=True)
def everything() -> None:
    for module in pkgutil.walk_packages(packhouse.__path__, "packhouse."):
        if module.name != NOT_A_CONVERSATION:
            importlib.import_module(module.name)


def refusals(root: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    yield root
    for child in root.__subclasses__():
        # Tests make errors of their own, and what the terminal says has no status.
        rooms = child.__module__.split(".")
        if rooms[0] == "packhouse" and not {"cli", "plan"} & set(rooms):
            yield from refusals(child)


def test_every_refusal_has_a_status() -> None:
    assert {error.code for error in refusals()} - STATUSES.keys() == set()


def test_every_status_is_of_an_error() -> None:
    assert STATUSES.keys() - {error.code for error in refusals()} == set()


def test_every_status_has_a_title() -> None:
    assert {*STATUSES.values(), 500, 503} - TITLES.keys() == set()


def test_no_two_refusals_share_a_code_unless_one_is_a_kind_of_the_other() -> None:
    seen: dict[str, type[Refusal]] = {}
    for refusal in refusals():
        known = seen.setdefault(refusal.code, refusal)
        assert issubclass(refusal, known), f"{refusal} and {known} share {refusal.code!r}"
