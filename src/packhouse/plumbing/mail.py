"""Letters: e-mail by SMTP, or as files in a folder where there is no mail server to speak to.

Plain text, to one person, from the shop. A letter may be sent twice (its sender died before it
could note that it was sent) and then has the same ``Message-ID``, by which mailboxes tell.

Laws held here: nothing that anybody typed can become a header or a second recipient, and what a
mail server says is never repeated, because it quotes the address.
"""

import asyncio
import re
import ssl
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTPUTF8
from email.utils import parseaddr
from ipaddress import ip_address
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol
from urllib.parse import unquote, urlsplit
from uuid import UUID

import aiosmtplib
import msgspec

from packhouse.foundation.errors import Outage, Refusal
from packhouse.foundation.limits import MAIL_SECONDS_MAX
from packhouse.plumbing.settings import Settings

_LOCAL: Final = re.compile(r"[^\s\x00-\x1f<>()\[\]\\,;:@\"]+")
"""Before the ``@``: what needs no quotes, which nobody has."""
_DOMAIN: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


class MailUnavailable(Outage):
    """The mail server, or the folder, does not take letters just now."""

    code: ClassVar[str] = "mail_unavailable"


class MailRefused(Refusal):
    """The mail server will never take this letter, or its address is none."""

    code: ClassVar[str] = "mail_refused"


class Letter(msgspec.Struct, frozen=True):
    """One letter to one person; ``id`` tells a repeated one from another."""

    id: UUID
    address: str
    subject: str
    text: str
    written_at: datetime

    def __repr__(self) -> str:
        return f"Letter({self.id})"


class Mail(Protocol):
    """What sends letters."""

    async def send(self, letter: Letter) -> None:
        """Send one. Raises ``MailUnavailable`` and ``MailRefused``."""


class SmtpMail:
    """Speaks to the mail server at ``smtp(s)://user:password@host:port``.

    A password goes through TLS alone, unless the server is this machine; without one, TLS is used
    where the server offers it.
    """

    def __init__(self, url: str, *, sender: str, host: str) -> None:
        self._connection = smtp_options(url, host=host)
        self._sender = sender
        self._host = host

    async def send(self, letter: Letter) -> None:
        """Send one, on a connection of its own."""
        message = message_of(letter, sender=self._sender, host=self._host)
        try:
            await aiosmtplib.send(
                message,
                sender=parseaddr(self._sender)[1],
                recipients=[_envelope_address(letter.address)],
                **self._connection,
            )
        except (
            aiosmtplib.SMTPRecipientsRefused,
            aiosmtplib.SMTPResponseException,
            aiosmtplib.SMTPNotSupported,
        ) as error:
            raise _refused(error) from None
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ssl.SSLError) as error:
            raise MailUnavailable(
                f"The mail server does not answer ({type(error).__name__})."
            ) from None


class MailFolder:
    """Writes letters as ``.eml`` files, for a shop without a mail server."""

    def __init__(self, folder: Path, *, sender: str, host: str) -> None:
        self._folder = folder
        self._sender = sender
        self._host = host

    async def send(self, letter: Letter) -> None:
        """Write one; a repeated one takes its own place."""
        message = message_of(letter, sender=self._sender, host=self._host)
        await asyncio.to_thread(self._write, f"{letter.id}.eml", message.as_bytes())

    def _write(self, name: str, text: bytes) -> None:
        path = self._folder / name
        unfinished = path.with_suffix(".unfinished")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            unfinished.write_bytes(text)
            unfinished.replace(path)
        except OSError as error:
            raise MailUnavailable(
                f"The folder of letters cannot be written ({type(error).__name__})."
            ) from error


def open_mail(settings: Settings) -> Mail | None:
    """What sends this shop's letters; None where it sends none."""
    host = urlsplit(settings.public_url).hostname or "localhost"
    sender = settings.mail_from or f"shop@{host}"
    if settings.mail_url is not None:
        return SmtpMail(settings.mail_url.reveal(), sender=sender, host=host)
    if settings.mail_directory is not None:
        return MailFolder(settings.mail_directory, sender=sender, host=host)
    return None


def message_of(letter: Letter, *, sender: str, host: str) -> EmailMessage:
    """A letter as it goes over the wire. Raises ``MailRefused`` when its address is none."""
    message = EmailMessage(policy=SMTPUTF8)
    name, address = parseaddr(sender)
    message["From"] = Address(name, addr_spec=address)
    message["To"] = _address(letter.address)
    message["Subject"] = letter.subject
    message["Date"] = letter.written_at
    message["Message-ID"] = f"<{letter.id}@{host}>"
    # No machine answers it: no notes of absence, no loops.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, cte="quoted-printable")
    return message


def smtp_options(url: str, *, host: str) -> dict[str, Any]:
    """How ``aiosmtplib.send`` is to reach the server."""
    parts = urlsplit(url)
    is_tls = parts.scheme == "smtps"
    username = None if parts.username is None else unquote(parts.username)
    needs_tls = username is not None and not _is_this_machine(parts.hostname or "")
    return {
        "hostname": parts.hostname,
        "port": parts.port or (465 if is_tls else 587 if username else 25),
        "username": username,
        "password": None if parts.password is None else unquote(parts.password),
        "use_tls": is_tls,
        # None upgrades where the server offers it.
        "start_tls": None if is_tls or not needs_tls else True,
        "local_hostname": host,
        "timeout": MAIL_SECONDS_MAX,
    }


def _address(text: str) -> Address:
    try:
        return Address(addr_spec=_envelope_address(text))
    except (MessageError, ValueError, IndexError):
        # Whatever its parser makes of a broken address.
        raise MailRefused("This is no address that a letter can be sent to.") from None


def _envelope_address(text: str) -> str:
    """An address with its domain as name servers know it: ``bücher.example`` in ASCII."""
    local, _, domain = text.strip().rpartition("@")
    try:
        spelt = domain.encode("idna").decode()
    except UnicodeError:
        spelt = ""
    if not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(spelt):
        raise MailRefused("This is no address that a letter can be sent to.")
    return f"{local}@{spelt}"


def _refused(error: Exception) -> Outage | Refusal:
    """What an answer of the mail server means: 4xx is for now and 5xx for ever.

    That it does not know our password is somebody's mistake, and soon mended: no letter is lost.
    """
    codes = [getattr(error, "code", 0)]
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        codes = [each.code for each in error.recipients]
    for_ever = isinstance(error, aiosmtplib.SMTPNotSupported) or min(codes) >= 500
    early = (
        aiosmtplib.SMTPAuthenticationError
        | aiosmtplib.SMTPConnectResponseError
        | aiosmtplib.SMTPHeloError
    )
    told = f"{type(error).__name__} {codes[0]}" if codes[0] else type(error).__name__
    if for_ever and not isinstance(error, early):
        return MailRefused(f"The mail server refuses this letter for good ({told}).")
    return MailUnavailable(f"The mail server takes no letters now ({told}).")


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
