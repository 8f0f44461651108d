"""Jobs: work that is done beside the web, at least once, by whichever worker is free.

A job's ``name`` and ``version`` are a contract with workers of other versions, as an event's are:
fields may be added with a default; anything else is a new version, which no older worker takes. A
job holds ids and no personal data: who does it looks up what is true by then.
"""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

import msgspec

LetterKind = Literal[
    "welcome",
    "parcel_requested",
    "parcel_shipped",
    "parcel_delivered",
    "parcel_cancelled",
    "parcel_returned",
    "parcel_lost",
]
"""What a letter is about; a new one is a new version of its job."""


class SendLetter(msgspec.Struct, frozen=True):
    """Write to a collector; ``id`` is that of the event which it tells of."""

    name: ClassVar[str] = "send_letter"
    version: ClassVar[int] = 1

    letter: LetterKind
    id: UUID
    user_id: UUID
    subject_id: UUID


class SendReminder(msgspec.Struct, frozen=True):
    """Write to a collector whose cards can be sold back until the end of ``day`` and no longer."""

    name: ClassVar[str] = "send_reminder"
    version: ClassVar[int] = 1

    id: UUID
    user_id: UUID
    day: date


class RemindOfSellBacks(msgspec.Struct, frozen=True):
    """Find out whom to write to because of tomorrow."""

    name: ClassVar[str] = "remind_of_sell_backs"
    version: ClassVar[int] = 1


class RevealSeeds(msgspec.Struct, frozen=True):
    """End the seed pairs that have been in use for long."""

    name: ClassVar[str] = "reveal_seeds"
    version: ClassVar[int] = 1


class EraseFeedNames(msgspec.Struct, frozen=True):
    """Take what is left of closed accounts' names out of the feed."""

    name: ClassVar[str] = "erase_feed_names"
    version: ClassVar[int] = 1


class DeleteSessions(msgspec.Struct, frozen=True):
    """Delete the sessions that have ended."""

    name: ClassVar[str] = "delete_sessions"
    version: ClassVar[int] = 1


class TrimJobLog(msgspec.Struct, frozen=True):
    """Delete what the queue noted of jobs that ended long ago."""

    name: ClassVar[str] = "trim_job_log"
    version: ClassVar[int] = 1


class MakePictureForms(msgspec.Struct, frozen=True):
    """Make the smaller forms of a picture; ``picture`` is its media key."""

    picture: str
    name: ClassVar[str] = "make_picture_forms"
    version: ClassVar[int] = 1


Job = (
    SendLetter
    | SendReminder
    | RemindOfSellBacks
    | MakePictureForms
    | RevealSeeds
    | EraseFeedNames
    | DeleteSessions
    | TrimJobLog
)
