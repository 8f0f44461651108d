"""A worker sends one letter to one collector: who and what it is about is looked up only now.

No locks: a few reads, and nothing is open while the mail server is spoken to. What is looked up is
what is true by then; whoever has closed their account since has no address, and gets nothing. It
may be sent twice, with the same ``Message-ID``.
"""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from packhouse import accounts, shipping, vault
from packhouse.accounts import Addressee
from packhouse.flows.letters import Words, parcel_words, reminder_words, welcome_words
from packhouse.foundation.errors import NotFound
from packhouse.foundation.identifiers import ShippingRequestId, UserId
from packhouse.foundation.jobs import SendLetter, SendReminder
from packhouse.house import House
from packhouse.plumbing.mail import Letter, MailUnavailable
from packhouse.plumbing.postgres import ReadConnection


async def send_letter(house: House, job: SendLetter) -> None:
    """Send it, unless nobody is there any more. Raises ``MailUnavailable``, ``MailRefused``."""
    async with house.database.connection() as connection:
        addressee = await accounts.find_addressee(connection, job.user_id)
        if addressee is None:
            return
        words = await _write(house, connection, job, addressee)
    await _send(house, job.id, addressee, words)


async def send_reminder(house: House, job: SendReminder) -> None:
    """Tell of cards whose sell-back time ends; nothing when they are sold, sent or given up since.

    Raises ``MailUnavailable``, ``MailRefused``.
    """
    begin = datetime.combine(job.day, time(), tzinfo=UTC)
    async with house.database.connection() as connection:
        addressee = await accounts.find_addressee(connection, job.user_id)
        cards, amount = await vault.count_ending(
            connection,
            UserId(job.user_id),
            ends_from=begin,
            ends_until=begin + timedelta(days=1),
        )
    if addressee is None or not cards:
        return
    words = reminder_words(house.settings, addressee, day=job.day, cards=cards, amount=amount)
    await _send(house, job.id, addressee, words)


async def _send(house: House, letter_id: UUID, addressee: Addressee, words: Words) -> None:
    if house.mail is None:
        raise MailUnavailable("This worker has no mail server and no folder for letters.")
    await house.mail.send(
        Letter(
            id=letter_id,
            address=addressee.email,
            subject=words.subject,
            text=words.text,
            written_at=house.clock(),
        )
    )


async def _write(
    house: House, connection: ReadConnection, job: SendLetter, addressee: Addressee
) -> Words:
    if job.letter == "welcome":
        return welcome_words(house.settings, addressee)
    request_id = ShippingRequestId(job.subject_id)
    notice = await shipping.find_parcel_notice(
        connection, user_id=UserId(job.user_id), request_id=request_id
    )
    if notice is None:
        raise NotFound("The parcel of this letter is not there.")
    return parcel_words(house.settings, addressee, job.letter, request_id=request_id, notice=notice)
