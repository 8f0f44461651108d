"""What the shipping room refuses, each with the code a client can rely on.

::

    Refusal
    ├── BadTransition          bad_transition           the request cannot move to that status
    ├── CardNotShippable       card_not_shippable       not in the vault, or declared digital
    ├── DestinationNotServed   destination_not_served   the rate card sends nothing there
    ├── ParcelTooHeavy         parcel_too_heavy         split it into several requests
    └── ParcelTooValuable      parcel_too_valuable      over what the shop can insure

Messages and fields never hold a name or an address; a country code is as near as they come.
"""

from typing import ClassVar

from packhouse.foundation.errors import Refusal


class BadTransition(Refusal):
    """A shipping request cannot move from its status to the wanted one."""

    code: ClassVar[str] = "bad_transition"


class CardNotShippable(Refusal):
    """A card cannot be sent: it is not in the vault now, or it has no physical copy."""

    code: ClassVar[str] = "card_not_shippable"


class ParcelsUnderway(Refusal):
    """Parcels are being packed or are on their way; nothing was done."""

    code: ClassVar[str] = "parcels_underway"


class DestinationNotServed(Refusal):
    """The shop sends no parcels to this country."""

    code: ClassVar[str] = "destination_not_served"


class ParcelTooHeavy(Refusal):
    """The parcel weighs more than the shop sends in one piece."""

    code: ClassVar[str] = "parcel_too_heavy"


class ParcelTooValuable(Refusal):
    """The parcel is worth more than the shop can insure in one piece."""

    code: ClassVar[str] = "parcel_too_valuable"
