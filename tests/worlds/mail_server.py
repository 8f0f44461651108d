"""A mail server of the outside world: takes letters by SMTP, refuses them as told, or hangs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTPUTF8

import msgspec


class Delivered(msgspec.Struct, frozen=True):
    """A letter as it came, and to whom its envelope said."""

    recipients: tuple[str, ...]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        message = message_from_bytes(self.raw, policy=SMTPUTF8)
        assert isinstance(message, EmailMessage)
        return message

    @property
    def text(self) -> str:
        body = self.message.get_body()
        assert isinstance(body, EmailMessage)
        return str(body.get_content()).replace("\r\n", "\n")


class MailServer:
    """Answers each command as told; ``answers`` has other answers than the usual ones."""

    def __init__(self) -> None:
        self.letters: list[Delivered] = []
        self.answers: dict[str, str] = {}
        self.hangs = False
        self.waiting = 0
        self.port = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Be away."""
        if self._server is not None:
            self._server.close()
            for writer in list(self._open):
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._talk(reader, writer)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipients: list[str] = []
        writer.write(b"220 mail.example ready\r\n")
        while line := await reader.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            verb = verb.upper()
            answer = self.answers.get(verb, "250 fine")
            if verb == "RCPT" and answer.startswith("250"):
                recipients.append(rest[rest.index("<") + 1 : rest.index(">")])
            if verb == "DATA" and verb not in self.answers:
                writer.write(b"354 go on\r\n")
                raw = await reader.readuntil(b"\r\n.\r\n")
                await self._take(tuple(recipients), raw[:-3])
                answer = self.answers.get("END", "250 taken")
                recipients = []
            if verb == "QUIT":
                answer = "221 bye"
            writer.write(f"{answer}\r\n".encode())

    async def _take(self, recipients: tuple[str, ...], raw: bytes) -> None:
        if self.hangs:
            self.waiting += 1
            await asyncio.Event().wait()
        if "END" not in self.answers:
            self.letters.append(Delivered(recipients, raw.replace(b"\r\n..", b"\r\n.")))


@asynccontextmanager
async def mail_server() -> AsyncIterator[MailServer]:
    server = MailServer()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
