"""Passwords are hashed by Argon2id, checked the same for everyone, and upgraded over time."""

import asyncio
import unicodedata

import pytest

from packhouse.accounts import Argon2Cost, PasswordHasher, SignInBusy, passwords

CHEAP = Argon2Cost(memory_kib=64, passes=1)


async def test_a_password_is_right_only_for_its_own_hash() -> None:
    hasher = PasswordHasher(CHEAP)
    mine = await hasher.hash_password("seven quiet herons")
    assert await hasher.is_right("seven quiet herons", password_hash=mine)
    assert not await hasher.is_right("seven quiet heron", password_hash=mine)


async def test_the_same_password_never_has_the_same_hash() -> None:
    hasher = PasswordHasher(CHEAP)
    assert await hasher.hash_password("seven quiet herons") != await hasher.hash_password(
        "seven quiet herons"
    )


async def test_an_unknown_address_is_checked_against_a_decoy_and_never_right() -> None:
    hasher = PasswordHasher(CHEAP)
    assert not await hasher.is_right("the password of nobody", password_hash=None)


def test_the_decoy_costs_what_a_real_hash_costs() -> None:
    hasher = PasswordHasher(CHEAP)
    assert hasher._decoy.startswith("$argon2id$v=19$m=64,t=1,p=1$")


async def test_two_ways_to_type_a_letter_are_one_password() -> None:
    hasher = PasswordHasher(CHEAP)
    composed = "der späte Käfer ist müde"
    decomposed = unicodedata.normalize("NFD", composed)
    assert composed != decomposed
    mine = await hasher.hash_password(composed)
    assert await hasher.is_right(decomposed, password_hash=mine)


@pytest.mark.parametrize("password", ["with\x00inside", "\ud800 alone", "x" * 100_000, ""])
async def test_any_text_can_be_tried_as_a_password(password: str) -> None:
    hasher = PasswordHasher(CHEAP)
    mine = await hasher.hash_password("seven quiet herons")
    assert not await hasher.is_right(password, password_hash=mine)


async def test_a_hash_of_another_cost_is_outdated() -> None:
    former = await PasswordHasher(CHEAP).hash_password("seven quiet herons")
    dearer = PasswordHasher(Argon2Cost(memory_kib=128, passes=1))
    assert dearer.is_outdated(former)
    assert not dearer.is_outdated(await dearer.hash_password("seven quiet herons"))
    assert await dearer.is_right("seven quiet herons", password_hash=former)


async def test_when_too_many_wait_the_next_is_told_so_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, "HASHES_WAITING_MAX", 3)
    hasher = PasswordHasher(CHEAP)
    answers = await asyncio.gather(
        *(hasher.hash_password("seven quiet herons") for _ in range(5)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [str, str, str, SignInBusy, SignInBusy]
    assert await hasher.hash_password("and then it is free again")


def test_the_cost_in_force_is_at_least_what_owasp_asks_for() -> None:
    cost = Argon2Cost()
    assert cost.memory_kib >= 19 * 1024
    assert cost.passes >= 2
