"""A letter goes to one address, says whom it is from, and nothing typed becomes a header."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import SMTPUTF8
from pathlib import Path
from uuid import UUID

import pytest

from packhouse.plumbing.mail import (
    Letter,
    MailFolder,
    MailRefused,
    MailUnavailable,
    message_of,
    smtp_options,
)
from packhouse.plumbing.settings import InvalidSettings, load_settings

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SENDER = "Packhouse <shop@example.com>"
HOST = "shop.example"


def letter(address: str = "ada@example.com", subject: str = "Hello", text: str = "Hi.\n") -> Letter:
    return Letter(id=UUID(int=7), address=address, subject=subject, text=text, written_at=NOON)


def test_a_letter_says_all_that_a_mailbox_wants_to_know() -> None:
    message = message_of(letter(text="Grüße, 1 € and a line\n.\n"), sender=SENDER, host=HOST)
    read = message_from_bytes(message.as_bytes(), policy=SMTPUTF8)
    assert read["From"] == SENDER
    assert read["To"] == "ada@example.com"
    assert read["Message-ID"] == f"<{UUID(int=7)}@shop.example>"
    assert read["Date"].datetime == NOON
    assert read["Auto-Submitted"] == "auto-generated"
    assert read.get_content().replace("\r\n", "\n") == "Grüße, 1 € and a line\n.\n"
    assert message.as_bytes().isascii()


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.com\nBcc: eve@example.com",
        "ada@example.com\r\nSubject: spam",
        "ada@example.com, eve@example.com",
        "ada@example.com>, <eve@example.com",
        "Ada <ada@example.com>",
        '"a\nb"@example.com',
        "ada@example.com@example.org",
        "ada @example.com",
        "ada@exam ple.com",
        "ada@-.",
        "@example.com",
        "ada@",
        "",
    ],
)
def test_what_is_no_single_address_gets_no_letter(address: str) -> None:
    with pytest.raises(MailRefused) as refused:
        message_of(letter(address), sender=SENDER, host=HOST)
    assert "ada" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "spelt"),
    [
        ("o'hara+cards@example.co.uk", "o'hara+cards@example.co.uk"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
    ],
)
def test_addresses_are_spelt_as_mail_servers_know_them(address: str, spelt: str) -> None:
    assert message_of(letter(address), sender=SENDER, host=HOST)["To"] == spelt


def test_a_subject_is_one_line() -> None:
    with pytest.raises(ValueError, match="linefeed"):
        message_of(letter(subject="Hello\nBcc: eve@example.com"), sender=SENDER, host=HOST)


def test_a_letter_shows_nobody() -> None:
    assert "ada" not in repr(letter())


@pytest.mark.parametrize(
    ("url", "port", "use_tls", "start_tls"),
    [
        ("smtp://mail.example", 25, False, None),
        ("smtp://mail.example:2525", 2525, False, None),
        ("smtp://us%40er:pass@mail.example", 587, False, True),
        ("smtp://user:pass@127.0.0.1:2525", 2525, False, None),
        ("smtps://user:pass@mail.example", 465, True, None),
    ],
)
def test_a_password_never_leaves_the_machine_in_the_clear(
    url: str, port: int, *, use_tls: bool, start_tls: bool | None
) -> None:
    options = smtp_options(url, host=HOST)
    assert (options["port"], options["use_tls"], options["start_tls"]) == (port, use_tls, start_tls)


def test_signs_in_a_password_are_decoded() -> None:
    options = smtp_options("smtp://us%40er:p%3Ass@mail.example", host=HOST)
    assert (options["username"], options["password"]) == ("us@er", "p:ss")


async def test_a_folder_keeps_each_letter_once(tmp_path: Path) -> None:
    mail = MailFolder(tmp_path / "mail", sender=SENDER, host=HOST)
    await mail.send(letter(text="First.\n"))
    await mail.send(letter(text="Again.\n"))
    [path] = (tmp_path / "mail").iterdir()
    assert path.name == f"{UUID(int=7)}.eml"
    assert b"Again." in path.read_bytes()


async def test_a_folder_that_cannot_be_written_is_an_outage(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("no folder")
    with pytest.raises(MailUnavailable):
        await MailFolder(tmp_path / "mail", sender=SENDER, host=HOST).send(letter())


def test_a_mail_server_needs_a_sender(tmp_path: Path) -> None:
    environ = {"PACKHOUSE_MAIL_URL": "smtp://mail.example"}
    with pytest.raises(InvalidSettings, match="PACKHOUSE_MAIL_FROM: is needed"):
        load_settings(environ, dotenv_path=tmp_path / "no.env")


@pytest.mark.parametrize(
    "text", ["shop", "shop@", "a@b.example, c@d.example", "Sh\top <a@b.example>"]
)
def test_a_sender_is_one_address(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidSettings, match="PACKHOUSE_MAIL_FROM"):
        load_settings({"PACKHOUSE_MAIL_FROM": text}, dotenv_path=tmp_path / "no.env")


def test_the_mail_servers_password_is_shown_to_nobody(tmp_path: Path) -> None:
    environ = {
        "PACKHOUSE_MAIL_URL": "smtps://user:hunter2@mail.example",
        "PACKHOUSE_MAIL_FROM": "shop@example.com",
    }
    settings = load_settings(environ, dotenv_path=tmp_path / "no.env").settings
    assert "hunter2" not in repr(settings)
