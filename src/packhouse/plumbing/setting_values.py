"""The kinds of value a setting can have, and how each is read from text.

Every reader raises ``ValueError`` with a reason that quotes nothing of a secret. A secret is a type
of its own that shows itself only when it is asked to, so that no message can leak it by accident.
"""

import base64
import re
from collections.abc import Callable
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import getaddresses, parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from types import NoneType
from typing import (
    Any,
    ClassVar,
    Final,
    Generic,
    Literal,
    NewType,
    Self,
    TypeVar,
    get_args,
    get_origin,
)
from urllib.parse import urlsplit

import msgspec

from packhouse.foundation.limits import REPLICAS_MAX

MASK: Final = "••••"

HostName = NewType("HostName", str)
"""A host name or an IP address, without port."""

WebOrigin = NewType("WebOrigin", str)
"""``scheme://host[:port]`` as browsers send it: lower case, no usual port, no slash at the end."""

MailAddress = NewType("MailAddress", str)
"""``name@domain``, or ``Display Name <name@domain>``."""

MediaUrl = NewType("MediaUrl", str)
"""A folder's path, ``file:///folder``, or ``s3://bucket/prefix``."""

Networks = tuple[IPv4Network | IPv6Network, ...]
WebOrigins = tuple[WebOrigin, ...]

Revealed = TypeVar("Revealed")

_URL_PASSWORD = re.compile(r"\b([a-z][a-z0-9+.-]{0,30}://[^\s:/@]*:)\S*@", re.IGNORECASE)
_QUERY_PASSWORD = re.compile(
    r"([?&](?:[a-z_]*password|token|secret|[a-z_]*key)=)[^&\s]*", re.IGNORECASE
)
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", re.IGNORECASE)
_RATE = re.compile(r"([0-9]{1,9})/([0-9]{1,9})([smhd])")
_URL_SAFE_TO_STANDARD: Final = str.maketrans("-_", "+/")
_SECONDS_IN: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def mask_url_passwords(text: str) -> str:
    """``text`` with the password of every URL in it masked; rather too much than too little."""
    return _QUERY_PASSWORD.sub(rf"\1{MASK}", _URL_PASSWORD.sub(rf"\1{MASK}@", text))


class Secret(Generic[Revealed]):
    """A value that shows itself only to who asks by ``reveal()``."""

    __slots__ = ("_revealed",)

    def __init__(self, revealed: Revealed) -> None:
        self._revealed = revealed

    def reveal(self) -> Revealed:
        """The secret itself; keep it out of messages and logs."""
        return self._revealed

    def __repr__(self) -> str:
        return MASK


class SecretKey(Secret[bytes]):
    """A key of 32 bytes."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read 64 hexadecimal digits or base64 (also the URL-safe kind)."""
        try:
            if len(text) == 64:
                return cls(bytes.fromhex(text))
            bare = text.rstrip("=").translate(_URL_SAFE_TO_STANDARD)
            key = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
        except ValueError:
            raise ValueError("is neither base64 nor hexadecimal") from None
        if len(key) != 32:
            raise ValueError(f"must be 32 bytes; this is {len(key)}")
        return cls(key)


class SeedKey(SecretKey):
    """Encrypts server seeds at rest."""

    __slots__ = ()


class LogKey(SecretKey):
    """Signs the checkpoints of the draw log: a private key of Ed25519."""

    __slots__ = ()


class ServerUrl(Secret[str]):
    """The address of a server; shown with its password masked."""

    __slots__ = ()
    schemes: ClassVar[tuple[str, ...]] = ()

    def __repr__(self) -> str:
        return mask_url_passwords(self._revealed)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Check scheme and hosts (several, with commas, may stand in one URL)."""
        # A ValueError of urlsplit may quote a part of the URL, and so of the password. A sign like
        # # / ? in a password ends the host part early; then the @ is found too late.
        try:
            parts = urlsplit(text)
            if "@" in f"{parts.path}{parts.query}{parts.fragment}":
                raise ValueError
            hosts = parts.netloc.rpartition("@")[2].split(",")
            places = [
                (urlsplit(f"//{host}").hostname, urlsplit(f"//{host}").port) for host in hosts
            ]
        except ValueError:
            raise ValueError("is not a URL (is a sign in its password not %-encoded?)") from None
        if parts.scheme not in cls.schemes:
            raise ValueError(f"must begin with {' or '.join(f'{each}://' for each in cls.schemes)}")
        if any(not host or port == 0 for host, port in places):
            raise ValueError("names no host, or port 0")
        return cls(text)


class DatabaseUrl(ServerUrl):
    """Where PostgreSQL is."""

    __slots__ = ()
    schemes = ("postgresql", "postgres")


DatabaseUrls = tuple[DatabaseUrl, ...]


class CacheUrl(ServerUrl):
    """Where Valkey or Redis is; a second ``s`` in the scheme asks for TLS."""

    __slots__ = ()
    schemes = ("valkey", "valkeys", "redis", "rediss")


class MailUrl(ServerUrl):
    """Where the mail server is; a second ``s`` in the scheme asks for TLS from the beginning."""

    __slots__ = ()
    schemes = ("smtp", "smtps")


class RateLimit(msgspec.Struct, frozen=True):
    """At most ``limit`` requests in each window of ``window_seconds``; written ``100/15m``."""

    limit: int
    window_seconds: int

    def __str__(self) -> str:
        unit = next(unit for unit in "dhms" if self.window_seconds % _SECONDS_IN[unit] == 0)
        return f"{self.limit}/{self.window_seconds // _SECONDS_IN[unit]}{unit}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``<requests>/<number><s|m|h|d>``; the window is a day at most."""
        match = _RATE.fullmatch(text)
        if match is None:
            raise ValueError(
                "must read like 100/15m: requests, a slash, a number with s, m, h or d"
            )
        limit, window_seconds = int(match[1]), int(match[2]) * _SECONDS_IN[match[3]]
        if limit < 1 or not 1 <= window_seconds <= _SECONDS_IN["d"]:
            raise ValueError("must allow at least one request, in a window from 1s to 1d")
        return cls(limit, window_seconds)


class SettingForm(msgspec.Struct, frozen=True):
    """How the text of a setting is read: what it may be, in words, and the reader itself.

    ``parse`` raises ``ValueError`` with a reason that quotes no secret.
    """

    words: str
    parse: Callable[[str], object]
    is_secret: bool = False


def setting_form(annotation: Any) -> SettingForm:  # noqa: ANN401 - annotations have no type
    """The form of a field of ``Settings``, from its annotation: ``Annotated[type, Meta(…)]``."""
    plain, limits = get_args(annotation)
    choices = [each for each in get_args(plain) if each is not NoneType]
    if NoneType in get_args(plain):
        (plain,) = choices
    if get_origin(plain) is Literal:
        return SettingForm(f"one of {', '.join(choices)}", lambda text: _choice(text, choices))
    if plain in _FORMS:
        return _FORMS[plain]
    words = (
        f"a whole number from {limits.ge} to {limits.le}"
        if plain is int
        else f"one line of {limits.min_length} to {limits.max_length} characters"
    )
    return SettingForm(words, lambda text: _within_limits(text, annotation, words))


def _within_limits(text: str, annotation: object, words: str) -> object:
    try:
        return msgspec.convert(text, annotation, strict=False)
    except msgspec.ValidationError:
        raise ValueError(f"must be {words}") from None


def _choice(text: str, choices: list[str]) -> str:
    if text not in choices:
        raise ValueError(f"must be one of {', '.join(choices)}")
    return text


def _flag(text: str) -> bool:
    word = text.lower()
    if word not in {"true", "1", "yes", "on", "false", "0", "no", "off"}:
        raise ValueError("must be true or false")
    return word in {"true", "1", "yes", "on"}


def _host_name(text: str) -> HostName:
    try:
        ip_address(text)
    except ValueError:
        if not _HOST.fullmatch(text) or len(text) > 253:
            raise ValueError("must be a host name or an IP address, without port") from None
    return HostName(text)


def _web_origin(text: str) -> WebOrigin:
    reason = "must be http:// or https://, a host and perhaps a port, with nothing after it"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(reason) from None
    rest = (parts.username, parts.password, parts.path.strip("/"), parts.query, parts.fragment)
    if parts.scheme not in {"http", "https"} or any(rest):
        raise ValueError(reason)
    shown_host = f"[{host}]" if ":" in host else _host_name(host)
    usual_port = {"http": 80, "https": 443}[parts.scheme]
    return WebOrigin(
        f"{parts.scheme}://{shown_host}" + ("" if port in {None, usual_port} else f":{port}")
    )


def _media_url(text: str) -> MediaUrl:
    if "://" not in text:
        return MediaUrl(text)
    parts = urlsplit(text)
    is_bucket = parts.scheme == "s3" and re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,62}", parts.netloc)
    is_folder = parts.scheme == "file" and not parts.netloc and parts.path.startswith("/")
    if not (is_bucket or is_folder) or parts.query or parts.fragment:
        raise ValueError(
            "must be a folder, file:///folder or s3://bucket/prefix; credentials and endpoint"
            " come in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL"
        )
    return MediaUrl(text)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(text)
    except ValueError:
        raise ValueError(f"has {text!r}, which is no network such as 10.0.0.0/8") from None
    if network.prefixlen == 0:
        raise ValueError(f"has {text}, which would believe anyone")
    return network


def _mail_address(text: str) -> MailAddress:
    name, address = ("", "") if len(getaddresses([text])) != 1 else parseaddr(text)
    try:
        Address(name, addr_spec=address)
    except (MessageError, ValueError, IndexError):
        address = ""
    local, _, domain = address.rpartition("@")
    if not local or not _HOST.fullmatch(domain) or not text.isprintable() or not text.isascii():
        raise ValueError("must read like shop@example.com or Our Shop <shop@example.com>")
    return MailAddress(text)


def _database_urls(text: str) -> DatabaseUrls:
    urls = tuple(DatabaseUrl.parse(each) for each in _listed(text))
    if len(urls) > REPLICAS_MAX:
        raise ValueError(f"may name {REPLICAS_MAX} servers")
    return urls


def _listed(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


_FORMS: Final[dict[object, SettingForm]] = {
    bool: SettingForm("true or false", _flag),
    Path: SettingForm("a folder", Path),
    MediaUrl: SettingForm("a folder, or s3://bucket/prefix", _media_url),
    HostName: SettingForm("a host name or IP address", _host_name),
    WebOrigin: SettingForm("an address such as https://shop.example", _web_origin),
    WebOrigins: SettingForm(
        "addresses such as https://shop.example, with commas between",
        lambda text: tuple(_web_origin(each) for each in _listed(text)),
    ),
    Networks: SettingForm(
        "networks such as 10.0.0.0/8, with commas between",
        lambda text: tuple(_network(each) for each in _listed(text)),
    ),
    RateLimit: SettingForm("requests per time, such as 100/15m", RateLimit.parse),
    DatabaseUrl: SettingForm("a postgresql:// address", DatabaseUrl.parse, is_secret=True),
    DatabaseUrls: SettingForm(
        "postgresql:// addresses, with commas between", _database_urls, is_secret=True
    ),
    CacheUrl: SettingForm("a valkey:// or redis:// address", CacheUrl.parse, is_secret=True),
    MailUrl: SettingForm("an smtp:// or smtps:// address", MailUrl.parse, is_secret=True),
    MailAddress: SettingForm("an e-mail address, with a name or without", _mail_address),
    SeedKey: SettingForm("32 bytes in base64 or hexadecimal", SeedKey.parse, is_secret=True),
    LogKey: SettingForm("32 bytes in base64 or hexadecimal", LogKey.parse, is_secret=True),
}
