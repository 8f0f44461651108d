"""What the accounts room refuses, each with the code a client can rely on.

::

    Refusal
    ├── EmailTaken             email_taken               an account has this address already
    ├── UsernameTaken          username_taken            someone has this name already
    ├── RegistrationsClosed    registrations_closed      the operator takes no new accounts now
    ├── BadCredentials         bad_credentials           no such pair of address and password
    ├── NotSignedIn            not_signed_in             this needs someone who is signed in
    ├── AccountSuspended       account_suspended         the operator has stopped this account
    ├── Forbidden              forbidden                 another role may do this
    ├── StaffCannotOpenPacks   staff_cannot_open_packs   those who stock packs do not open them
    ├── AlreadySuspended       already_suspended         it was suspended before
    ├── NotSuspended           not_suspended             there is no suspension to lift
    ├── AccountClosed          account_closed            its owner has closed it for good
    └── LastOwner              last_owner                a shop without an owner would be nobody's
    Outage
    └── SignInBusy             sign_in_busy              too many passwords wait to be checked

Messages and fields never hold an address, a user name or a password.
"""

from typing import ClassVar

from packhouse.foundation.errors import Outage, Refusal


class EmailTaken(Refusal):
    """The e-mail address belongs to an account already."""

    code: ClassVar[str] = "email_taken"


class UsernameTaken(Refusal):
    """The user name belongs to an account already; capitals make no difference."""

    code: ClassVar[str] = "username_taken"


class RegistrationsClosed(Refusal):
    """The operator has closed registrations."""

    code: ClassVar[str] = "registrations_closed"


class BadCredentials(Refusal):
    """Address and password are not a pair; which of the two is wrong is nobody's business."""

    code: ClassVar[str] = "bad_credentials"


class NotSignedIn(Refusal):
    """There is no session, or it has ended."""

    code: ClassVar[str] = "not_signed_in"


class AccountSuspended(Refusal):
    """The operator has suspended this account."""

    code: ClassVar[str] = "account_suspended"


class Forbidden(Refusal):
    """This role may not do that."""

    code: ClassVar[str] = "forbidden"


class StaffCannotOpenPacks(Refusal):
    """Staff and owners know the stock, so they never draw from it."""

    code: ClassVar[str] = "staff_cannot_open_packs"


class AlreadySuspended(Refusal):
    """The account was suspended before; its first date and reason stand."""

    code: ClassVar[str] = "already_suspended"


class NotSuspended(Refusal):
    """The account is not suspended, so there is nothing to lift."""

    code: ClassVar[str] = "not_suspended"


class AccountClosed(Refusal):
    """The account was closed by its owner, so nothing can be done to it any more."""

    code: ClassVar[str] = "account_closed"


class LastOwner(Refusal):
    """Nobody else owns the shop, so this account cannot be closed."""

    code: ClassVar[str] = "last_owner"


class SignInBusy(Outage):
    """More passwords wait to be checked than could be answered in good time."""

    code: ClassVar[str] = "sign_in_busy"
    retry_after_seconds: ClassVar[int] = 10
