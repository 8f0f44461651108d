"""The rules of accounts: which addresses, names, passwords and ages are taken; who may do what.

Pure. Each ``..._error`` gives the sentence for the field, or None when there is nothing to say.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime
from typing import Final, Protocol, TypeVar

from packhouse.accounts.errors import (
    AccountClosed,
    AccountSuspended,
    AlreadySuspended,
    Forbidden,
    LastOwner,
    NotSignedIn,
    NotSuspended,
    StaffCannotOpenPacks,
)
from packhouse.accounts.model import Role, User
from packhouse.foundation.errors import FieldError, InvalidInput
from packhouse.foundation.time import age_on

EMAIL_LENGTH_MAX: Final = 254
"""RFC 5321 allows a path of 256 octets, two of which are its angle brackets."""

USERNAME_LENGTH_MIN: Final = 3
USERNAME_LENGTH_MAX: Final = 24

PASSWORD_LENGTH_MIN: Final = 10
PASSWORD_LENGTH_MAX: Final = 128
"""NIST SP 800-63B asks for 8 at least beside a second factor, and that 64 be allowed; no rules on
kinds of characters, but a list of what everyone tries first."""

REASON_LENGTH_MAX: Final = 500
FIRST_BIRTH_YEAR: Final = 1900

_USERNAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")

_RESERVED_USERNAMES: Final = frozenset(
    {"admin", "administrator", "anonymous", "house", "moderator", "official", "operator"}
    | {"owner", "packhouse", "shop", "staff", "support", "system"}
)
"""In the feed or a message these would look like the shop itself, or like someone who hides."""

_COMMON_WORDS: Final = frozenset(
    {"admin", "administrator", "changeme", "dragon", "football", "iloveyou", "letmein", "monkey"}
    | {"packhouse", "passphrase", "passw0rd", "password", "passwort", "princess", "qwerty"}
    | {"qwertyuiop", "secret", "starwars", "sunshine", "superman", "tradingcards", "welcome"}
)
"""Refused whatever digits and signs stand before and after them."""

_COMMON_RUNS: Final = (
    "0123456789" * 3,
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
)
"""What fingers type by themselves, forwards or backwards."""

_DIFFERENT_CHARACTERS_MIN: Final = 4
_IDENTIFIER_LENGTH_MIN: Final = 3


class Acting(Protocol):
    """Whoever acts, as far as these rules look at them."""

    @property
    def role(self) -> Role:
        """What they are here."""

    @property
    def suspended_at(self) -> datetime | None:
        """Since when they may not act."""

    @property
    def closed_at(self) -> datetime | None:
        """Since when there is nobody to act."""


Person = TypeVar("Person", bound=Acting)


def email_key(email: str) -> str:
    """What two spellings of one address have in common.

    Capitals count nowhere. RFC 5321 would let them count before the ``@``, but no provider that
    people use does so, and two accounts for one mailbox would be the greater harm.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", email.strip()).casefold())


def username_key(username: str) -> str:
    """What two spellings of one user name have in common."""
    return username.casefold()


def email_error(email: str) -> str | None:
    """A modest look at the form: only a message that arrives proves an address."""
    address = email.strip()
    local, _, domain = address.partition("@")
    if not local or not domain or "@" in domain:
        return "Give an e-mail address such as name@example.com."
    if len(address) > EMAIL_LENGTH_MAX:
        return f"An e-mail address has at most {EMAIL_LENGTH_MAX} characters."
    if " " in address or not address.isprintable():
        return "An e-mail address has no spaces or invisible characters."
    if "." not in domain or "" in domain.split("."):
        return "The part after the @ must be a full domain such as example.com."
    return None


def username_error(username: str) -> str | None:
    """Whether the name has a form that everyone can read, type and tell from another."""
    if not USERNAME_LENGTH_MIN <= len(username) <= USERNAME_LENGTH_MAX:
        return f"A user name has {USERNAME_LENGTH_MIN} to {USERNAME_LENGTH_MAX} characters."
    if not _USERNAME.fullmatch(username):
        return "Use letters a to z, digits, _ and -, beginning with a letter or a digit."
    return None


def password_error(password: str, *, email: str, username: str) -> str | None:
    """Whether the password is long enough and not among what everyone would try first.

    Name and address are taken out of it before it is measured: they may be in a password, but do
    not make it longer.
    """
    if len(password) < PASSWORD_LENGTH_MIN:
        return f"A password has at least {PASSWORD_LENGTH_MIN} characters."
    if len(password) > PASSWORD_LENGTH_MAX:
        return f"A password has at most {PASSWORD_LENGTH_MAX} characters."
    folded = password.casefold()
    if _is_common(folded):
        return "This password is among the first that anyone would try. Choose another."
    rest = folded
    address = email_key(email)
    for identifier in (address, address.partition("@")[0], username_key(username)):
        if len(identifier) >= _IDENTIFIER_LENGTH_MIN:
            rest = rest.replace(identifier, "")
    if len(rest) < PASSWORD_LENGTH_MIN:
        return "Choose a password that is more than your e-mail address or user name."
    return None


def birth_date_error(birth_date: date, *, today: date, minimum_age_years: int) -> str | None:
    """Whether the date can be true and its owner is old enough for this shop."""
    if birth_date > today:
        return "A birth date cannot be in the future."
    if birth_date.year < FIRST_BIRTH_YEAR:
        return f"A birth date cannot be before {FIRST_BIRTH_YEAR}."
    if age_on(today, birth_date=birth_date) < minimum_age_years:
        return f"You must be at least {minimum_age_years} years old to have an account here."
    return None


def require_valid_account(*, email: str, username: str, password: str) -> None:
    """Raise ``InvalidInput`` with everything that is wrong at once; for accounts of any role."""
    _require_no_errors(_account_errors(email=email, username=username, password=password))


def require_valid_registration(
    *,
    email: str,
    username: str,
    password: str,
    birth_date: date,
    today: date,
    minimum_age_years: int,
) -> None:
    """Raise ``InvalidInput`` with everything that is wrong at once; for new collectors."""
    errors = _account_errors(email=email, username=username, password=password)
    if username_key(username) in _RESERVED_USERNAMES:
        errors["username"] = "This user name is kept for the shop. Choose another."
    errors["birth_date"] = birth_date_error(
        birth_date, today=today, minimum_age_years=minimum_age_years
    )
    _require_no_errors(errors)


def require_reason(reason: str) -> str:
    """The reason without blanks around it; raises ``InvalidInput`` when it says nothing."""
    words = reason.strip()
    if not words or len(words) > REASON_LENGTH_MAX or "\x00" in words:
        message = f"Give a reason of 1 to {REASON_LENGTH_MAX} characters."
        raise InvalidInput(message, [FieldError("reason", message)])
    return words


def require_may_act(user: Person | None) -> Person:
    """Whoever is signed in and not suspended. Raises ``NotSignedIn`` or ``AccountSuspended``.

    A closed account has no session; what was under way when it was closed ends here.
    """
    if user is None or user.closed_at is not None:
        raise NotSignedIn("Sign in first.")
    if user.suspended_at is not None:
        raise AccountSuspended("This account is suspended. Write to the shop to have it reviewed.")
    return user


def require_role(user: Person | None, *roles: Role) -> Person:
    """Someone who may act in one of ``roles``; raises ``Forbidden`` for another role."""
    person = require_may_act(user)
    if person.role not in roles:
        raise Forbidden(f"Your role, {person.role}, may not do this.")
    return person


def require_collector(user: Person | None) -> Person:
    """Someone who may open packs. Raises ``StaffCannotOpenPacks`` for staff and owners."""
    person = require_may_act(user)
    if person.role != "collector":
        raise StaffCannotOpenPacks(
            "Staff cannot open packs. Use a collector's account of your own."
        )
    return person


def require_may_suspend(acting: User, subject: User) -> None:
    """Staff may stop an account and lift that again, but not their own, and owners' only as owners.

    Raises ``Forbidden``, ``AccountClosed``.
    """
    require_role(acting, "staff", "owner")
    require_not_closed(subject)
    if acting.id == subject.id:
        raise Forbidden("Nobody suspends their own account. Ask a colleague.")
    if subject.role == "owner" and acting.role != "owner":
        raise Forbidden("Only another owner may suspend an owner.")


def require_may_change_role(acting: User, subject: User) -> None:
    """Owners give roles, and never to themselves, so that a shop cannot lose its last owner.

    Raises ``Forbidden``, ``AccountClosed``.
    """
    require_role(acting, "owner")
    require_not_closed(subject)
    if acting.id == subject.id:
        raise Forbidden("Nobody changes their own role. Ask another owner.")


def require_may_close(user: User, owners: Iterable[User]) -> None:
    """Everybody closes their own account, but for the last owner who can act for the shop.

    Raises ``NotSignedIn``, ``AccountSuspended``, ``LastOwner``.
    """
    require_may_act(user)
    others = [owner for owner in owners if owner.id != user.id and owner.suspended_at is None]
    if user.role == "owner" and not others:
        raise LastOwner("You are the shop's last owner. Make somebody else an owner first.")


def require_not_closed(subject: User) -> None:
    """Raises ``AccountClosed``."""
    if subject.closed_at is not None:
        raise AccountClosed("This account was closed by its owner; it stays as it is.")


def require_suspended(subject: User) -> None:
    """Raises ``NotSuspended``."""
    if subject.suspended_at is None:
        raise NotSuspended("This account is not suspended.")


def require_not_suspended(subject: User) -> None:
    """Raises ``AlreadySuspended``."""
    if subject.suspended_at is not None:
        raise AlreadySuspended("This account is suspended already. Lift that first to change it.")


def _account_errors(*, email: str, username: str, password: str) -> dict[str, str | None]:
    return {
        "email": email_error(email),
        "username": username_error(username),
        "password": password_error(password, email=email, username=username),
    }


def _require_no_errors(found: dict[str, str | None]) -> None:
    errors = [FieldError(field, message) for field, message in found.items() if message]
    if errors:
        raise InvalidInput("Some of this cannot be taken as it is.", errors)


def _is_common(folded: str) -> bool:
    if len(set(folded)) < _DIFFERENT_CHARACTERS_MIN:
        return True
    if re.sub(r"^[^a-z]+|[^a-z]+$", "", folded) in _COMMON_WORDS:
        return True
    return any(folded in run or folded[::-1] in run for run in _COMMON_RUNS)
