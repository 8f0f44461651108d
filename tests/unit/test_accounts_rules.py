"""Which addresses, names, passwords and ages are taken, and who may do what."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packhouse import accounts
from packhouse.accounts import Role, User
from packhouse.foundation.errors import InvalidInput
from packhouse.foundation.identifiers import UserId, new_id

TODAY = date(2026, 5, 1)
GOOD_PASSWORD = "seven quiet herons"


def someone(
    role: Role = "collector", *, is_suspended: bool = False, is_closed: bool = False
) -> User:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return User(
        id=UserId(new_id()),
        username="mira",
        email="mira@example.com",
        role=role,
        is_anonymous=False,
        suspended_at=now if is_suspended else None,
        suspension_reason="a reason" if is_suspended else None,
        created_at=now,
        closed_at=now if is_closed else None,
    )


@pytest.mark.parametrize(
    "email",
    [
        "mira@example.com",
        " mira@example.com ",
        "m@a.io",
        "mira+cards@mail.example.org",
        "米@例え.jp",
    ],
)
def test_an_address_of_the_usual_form_is_taken(email: str) -> None:
    assert accounts.email_error(email) is None


@pytest.mark.parametrize(
    "email",
    [
        "",
        "mira",
        "@example.com",
        "mira@",
        "a@b@example.com",
        "mira@localhost",
        "mira@.com",
        "mira@example..com",
        "mi ra@example.com",
        "mira@example.com\x00x",
        "mira\u200b@example.com",
        "mira\ud800@example.com",
        "m" * 250 + "@example.com",
    ],
)
def test_an_address_that_nothing_could_reach_is_refused(email: str) -> None:
    assert accounts.email_error(email)


@given(st.text())
def test_any_text_has_an_answer_as_an_address_and_its_key_is_stable(text: str) -> None:
    accounts.email_error(text)
    assert accounts.email_key(accounts.email_key(text)) == accounts.email_key(text)


def test_two_spellings_of_one_address_share_their_key() -> None:
    assert accounts.email_key("Mira@Example.COM ") == accounts.email_key("mira@example.com")
    assert accounts.email_key("zoe\u0308@example.com") == accounts.email_key("ZO\u00cb@example.com")


@pytest.mark.parametrize("username", ["mir", "Mira_7", "7up", "a-b-c", "m" * 24])
def test_a_name_that_everyone_can_read_and_type_is_taken(username: str) -> None:
    assert accounts.username_error(username) is None


@pytest.mark.parametrize(
    "username",
    ["", "mi", "m" * 25, "_mira", "-mira", "mi ra", "mira\n", "mirä", "mira\x00", "м123"],
)
def test_a_name_that_could_be_mistaken_for_another_is_refused(username: str) -> None:
    assert accounts.username_error(username)


@pytest.mark.parametrize(
    "password",
    [
        GOOD_PASSWORD,
        "packhouse-demo",
        "correct horse battery staple",
        "пароль-которого-нет",
        "d8-x" * 32,
        "Tr0ub4dor&3",
        "mira likes seven herons",
    ],
)
def test_a_password_of_any_characters_is_taken_when_it_is_long_enough(password: str) -> None:
    assert accounts.password_error(password, email="mira@example.com", username="mira") is None


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "ninechars",
        "x" * 9 + "y",
        "abababababab",
        "1234567890",
        "0987654321",
        "qwertyuiop",
        "Password123",
        "123-password-456",
        "LETMEIN!!!!!",
        "1q2w3e4r5t",
        "abcdefghijkl",
        "mira@example.com",
        "Mira@Example.com1",
        "miramiramira",
        "mira-collects",
        "y1-z" * 32 + "y",
    ],
)
def test_a_password_that_anyone_would_try_is_refused(password: str) -> None:
    assert accounts.password_error(password, email="mira@example.com", username="collects")


def test_a_short_name_inside_a_long_password_is_no_harm() -> None:
    assert (
        accounts.password_error("tomorrow-never-knows", email="t@example.com", username="tom")
        is None
    )


@pytest.mark.parametrize(
    ("birth_date", "is_taken"),
    [
        (date(2008, 5, 1), True),
        (date(2008, 5, 2), False),
        (date(2026, 5, 2), False),
        (date(1899, 12, 31), False),
        (date(1900, 1, 1), True),
    ],
)
def test_a_collector_is_of_age_from_the_very_birthday(birth_date: date, is_taken: bool) -> None:  # noqa: FBT001 - a column of the table above
    error = accounts.birth_date_error(birth_date, today=TODAY, minimum_age_years=18)
    assert (error is None) == is_taken


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(InvalidInput) as refusal:
        accounts.require_valid_registration(
            email="nowhere",
            username="Support",
            password="short",
            birth_date=date(2020, 1, 1),
            today=TODAY,
            minimum_age_years=18,
        )
    assert [error.field for error in refusal.value.errors] == [
        "email",
        "username",
        "password",
        "birth_date",
    ]


def test_a_collector_cannot_take_the_name_of_the_shop() -> None:
    with pytest.raises(InvalidInput, match="cannot be taken"):
        accounts.require_valid_registration(
            email="mira@example.com",
            username="Anonymous",
            password=GOOD_PASSWORD,
            birth_date=date(2000, 1, 1),
            today=TODAY,
            minimum_age_years=18,
        )
    accounts.require_valid_account(
        email="mira@example.com", username="owner", password=GOOD_PASSWORD
    )


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "a\x00b"])
def test_a_reason_has_to_say_something(reason: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        accounts.require_reason(reason)
    assert refusal.value.errors[0].field == "reason"


def test_nobody_acts_without_being_signed_in() -> None:
    with pytest.raises(accounts.NotSignedIn):
        accounts.require_collector(_nobody())
    with pytest.raises(accounts.NotSignedIn):
        accounts.require_role(_nobody(), "owner")


@pytest.mark.parametrize("role", accounts.ROLES)
def test_a_suspended_account_cannot_act_in_any_role(role: Role) -> None:
    suspended = someone(role, is_suspended=True)
    with pytest.raises(accounts.AccountSuspended):
        accounts.require_may_act(suspended)
    with pytest.raises(accounts.AccountSuspended):
        accounts.require_role(suspended, role)
    with pytest.raises(accounts.AccountSuspended):
        accounts.require_collector(suspended)


@pytest.mark.parametrize("role", ["staff", "owner"])
def test_staff_cannot_open_packs(role: Role) -> None:
    with pytest.raises(accounts.StaffCannotOpenPacks):
        accounts.require_collector(someone(role))


def test_a_collector_may_open_packs_and_nothing_of_staffs() -> None:
    mira = someone()
    assert accounts.require_collector(mira) is mira
    with pytest.raises(accounts.Forbidden):
        accounts.require_role(mira, "staff", "owner")


@pytest.mark.parametrize(
    ("acting", "subject", "may"),
    [
        ("collector", "collector", False),
        ("staff", "collector", True),
        ("staff", "staff", True),
        ("staff", "owner", False),
        ("owner", "staff", True),
        ("owner", "owner", True),
    ],
)
def test_only_an_owner_stops_an_owner(acting: Role, subject: Role, may: bool) -> None:  # noqa: FBT001 - a column of the table above
    if may:
        accounts.require_may_suspend(someone(acting), someone(subject))
        return
    with pytest.raises(accounts.Forbidden):
        accounts.require_may_suspend(someone(acting), someone(subject))


def test_nobody_suspends_themselves_or_changes_their_own_role() -> None:
    owner = someone("owner")
    with pytest.raises(accounts.Forbidden):
        accounts.require_may_suspend(owner, owner)
    with pytest.raises(accounts.Forbidden):
        accounts.require_may_change_role(owner, owner)


@pytest.mark.parametrize("role", ["collector", "staff"])
def test_only_owners_give_roles(role: Role) -> None:
    with pytest.raises(accounts.Forbidden):
        accounts.require_may_change_role(someone(role), someone())
    accounts.require_may_change_role(someone("owner"), someone())


def test_what_holds_personal_data_prints_nothing_of_it() -> None:
    assert repr(someone()) == str(someone()) == "User(…)"


def _nobody() -> User | None:
    return None
