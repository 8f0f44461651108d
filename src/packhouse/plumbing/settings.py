"""Settings: what an owner may choose by the environment, all of it checked before anything starts.

The field ``http_port`` of ``Settings`` is the environment variable ``PACKHOUSE_HTTP_PORT``, and so
on. In development a file ``.env`` is read too; the real environment wins over it, and
``packhouse up`` wins over both. An unknown variable is refused as much as a wrong one, because a
misspelt limit is a limit that is not there. All problems are told at once.

Law held here: the text of a secret is never in a message, a representation or a table.
"""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta

from packhouse.foundation.errors import Refusal
from packhouse.foundation.limits import REPLICA_LAG_MS_MAX
from packhouse.plumbing.setting_conflicts import list_conflicts, missing_setting
from packhouse.plumbing.setting_sources import (
    SettingOrigin,
    SettingProblem,
    gather_texts,
    variable_of,
)
from packhouse.plumbing.setting_values import (
    MASK,
    CacheUrl,
    DatabaseUrl,
    DatabaseUrls,
    HostName,
    LogKey,
    MailAddress,
    MailUrl,
    MediaUrl,
    Networks,
    RateLimit,
    SeedKey,
    WebOrigin,
    WebOrigins,
    mask_url_passwords,
    setting_form,
)

SERVE_NEEDS: Final = ("database_url", "cache_url", "seed_key")
WORKER_NEEDS: Final = (*SERVE_NEEDS, "log_key")
LIVE_NEEDS: Final = ("database_url", "cache_url")
"""Settings without which ``packhouse serve`` web, worker and live cannot begin."""

Environment = Literal["development", "production", "test"]
LogFormat = Literal["auto", "text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]
PaymentProvider = Literal["none", "demo"]

Value = TypeVar("Value")


def number_of_cores() -> int:
    """Cores that this program may use, 64 at most."""
    if hasattr(os, "sched_getaffinity"):
        return min(64, len(os.sched_getaffinity(0)))
    return min(64, os.cpu_count() or 1)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be set. Durations and sizes carry their unit in their name."""

    environment: Annotated[
        Environment,
        Meta(description="What this shop is: only `production` insists on safe choices."),
    ] = "development"
    shop_name: Annotated[
        str,
        Meta(
            description="The shop's name, as visitors read it.",
            min_length=1,
            max_length=60,
            pattern=r"^[^\x00-\x1f\x7f]*$",
        ),
    ] = "Packhouse"
    public_url: Annotated[
        WebOrigin,
        Meta(description="The address that visitors use; with `https` the cookies are secure."),
    ] = WebOrigin("http://127.0.0.1:8000")
    embedded: Annotated[
        bool,
        Meta(description="Whether the servers are embedded; only `packhouse up` sets this."),
    ] = False

    http_host: Annotated[
        HostName, Meta(description="The network address the web server listens on.")
    ] = HostName("127.0.0.1")
    http_port: Annotated[
        int, Meta(description="The port the web server listens on.", ge=1, le=65_535)
    ] = 8000
    http_workers: Annotated[
        int, Meta(description="Web server workers on this host; one a core is best.", ge=1, le=64)
    ] = msgspec.field(default_factory=number_of_cores)
    live_port: Annotated[
        int, Meta(description="The port `packhouse serve live` listens on.", ge=1, le=65_535)
    ] = 8001
    api_port: Annotated[
        int, Meta(description="The port `packhouse serve api` listens on.", ge=1, le=65_535)
    ] = 8002
    admin_port: Annotated[
        int, Meta(description="The port `packhouse serve admin` listens on.", ge=1, le=65_535)
    ] = 8003
    worker_port: Annotated[
        int,
        Meta(
            description="The port on which `packhouse serve worker` answers probes; 0 for none.",
            ge=0,
            le=65_535,
        ),
    ] = 8004
    live_streams_max: Annotated[
        int, Meta(description="Live streams that one process may hold.", ge=1, le=1_000_000)
    ] = 10_000
    drain_seconds: Annotated[
        int,
        Meta(
            description="How long a server that is told to stop still serves everything while its "
            "readiness says no, so that a balancer sends newcomers elsewhere; longer than the "
            "balancer takes to notice.",
            ge=0,
            le=300,
        ),
    ] = 0
    trusted_proxies: Annotated[
        Networks,
        Meta(description="Load balancers whose word on a visitor's address is believed."),
    ] = ()
    cors_origins: Annotated[
        WebOrigins, Meta(description="Other web sites whose scripts may call the API.")
    ] = ()
    max_body_bytes: Annotated[
        int, Meta(description="The largest request that is read.", ge=1024, le=16 * 1024**2)
    ] = 1024**2
    max_upload_bytes: Annotated[
        int,
        Meta(description="The largest file that staff may upload.", ge=1024, le=1024**3),
    ] = 16 * 1024**2

    database_url: Annotated[
        DatabaseUrl | None, Meta(description="Where PostgreSQL is; needed by `packhouse serve`.")
    ] = None
    admin_database_url: Annotated[
        DatabaseUrl | None,
        Meta(
            description="The login with which `packhouse serve web` answers operators, where its"
            " own may not; without either, they are answered by `packhouse serve admin` alone."
        ),
    ] = None
    database_pool_size: Annotated[
        int,
        Meta(
            description="Database connections of this host, shared among its workers "
            "(each has at least 2).",
            ge=2,
            le=500,
        ),
    ] = 20
    database_replica_urls: Annotated[
        DatabaseUrls,
        Meta(
            description="Streaming replicas of that database, one address for each server, from "
            "which the web reads; as many connections may go to each."
        ),
    ] = ()
    replica_lag_ms_max: Annotated[
        int,
        Meta(
            description="How long a read may wait for a replica to catch up with it; one that "
            "lags more is not read from.",
            ge=1,
            le=REPLICA_LAG_MS_MAX,
        ),
    ] = 100
    database_statement_timeout_ms: Annotated[
        int,
        Meta(description="How long one database statement may run.", ge=100, le=600_000),
    ] = 10_000
    database_connect_timeout_seconds: Annotated[
        int, Meta(description="How long to wait for a database connection.", ge=1, le=60)
    ] = 5

    cache_url: Annotated[
        CacheUrl | None,
        Meta(description="Where Valkey or Redis is; needed by `packhouse serve`."),
    ] = None
    cache_timeout_ms: Annotated[
        int,
        Meta(description="How long to wait for the cache before going on without.", ge=1, le=5000),
    ] = 50
    assets_url: Annotated[
        WebOrigin | None,
        Meta(
            description="A CDN before this shop, from which browsers get style sheets and pictures."
        ),
    ] = None
    media_url: Annotated[
        MediaUrl | None,
        Meta(
            description="Where card pictures are kept: a folder, or s3://bucket/prefix with the "
            "standard AWS_* variables; without it PACKHOUSE_MEDIA_DIRECTORY."
        ),
    ] = None
    media_directory: Annotated[
        Path, Meta(description="The folder of card pictures, and of imports that wait for a yes.")
    ] = Path("media")

    mail_url: Annotated[
        MailUrl | None,
        Meta(
            description="The mail server that letters to collectors go through; without one, none "
            "are sent. With `smtps`, or a password, only over TLS."
        ),
    ] = None
    mail_from: Annotated[
        MailAddress | None,
        Meta(description="Whom letters are from; needed with a mail server."),
    ] = None
    mail_directory: Annotated[
        Path | None,
        Meta(
            description="The folder into which letters are written instead, as `.eml` files; "
            "`packhouse up` has one."
        ),
    ] = None

    seed_key: Annotated[
        SeedKey | None,
        Meta(
            description="The key that encrypts the seeds of draws; needed by `packhouse serve`. "
            "Make one with `openssl rand -base64 32` and never lose it."
        ),
    ] = None
    log_key: Annotated[
        LogKey | None,
        Meta(
            description="The key (Ed25519) that signs the draw log; needed by `packhouse serve "
            "worker` alone. Make one with `openssl rand -base64 32` and keep it."
        ),
    ] = None
    session_ttl_seconds: Annotated[
        int,
        Meta(description="How long a sign-in lasts (30 days).", ge=300, le=365 * 86_400),
    ] = 30 * 86_400
    minimum_age_years: Annotated[
        int, Meta(description="The age from which one may have an account.", ge=13, le=99)
    ] = 18
    payment_provider: Annotated[
        PaymentProvider,
        Meta(description="Who takes payments; `demo` gives credits away, in the demo shop only."),
    ] = "none"
    demo_accounts: Annotated[
        bool,
        Meta(description="Whether accounts with a public password exist; in the demo shop only."),
    ] = False

    rate_limit_anonymous: Annotated[
        RateLimit, Meta(description="API calls without sign-in, per address.")
    ] = RateLimit(100, 900)
    rate_limit_signed_in: Annotated[RateLimit, Meta(description="API calls of one account.")] = (
        RateLimit(1200, 60)
    )
    rate_limit_pages: Annotated[RateLimit, Meta(description="Pages, per address.")] = RateLimit(
        600, 60
    )
    rate_limit_sign_in_address: Annotated[
        RateLimit, Meta(description="Attempts to sign in, per address.")
    ] = RateLimit(100, 900)
    rate_limit_sign_in_account: Annotated[
        RateLimit, Meta(description="Attempts to sign in to one account.")
    ] = RateLimit(20, 900)

    backup_directory: Annotated[
        Path, Meta(description="The folder in which `packhouse db backup` keeps its backups.")
    ] = Path("backups")
    load_tests_directory: Annotated[
        Path,
        Meta(description="The folder in which results of load tests are left for `readiness`."),
    ] = Path("load-tests")
    prometheus_url: Annotated[
        WebOrigin | None,
        Meta(description="Where Prometheus answers; `packhouse readiness` asks it what it sees."),
    ] = None

    log_format: Annotated[
        LogFormat,
        Meta(description="`auto` is JSON in production, but text on a terminal and elsewhere."),
    ] = "auto"
    log_level: Annotated[LogLevel, Meta(description="The least weighty line that is logged.")] = (
        "info"
    )

    @property
    def has_secure_cookies(self) -> bool:
        """Whether cookies carry ``Secure`` and the ``__Host-`` prefix: visitors come over TLS."""
        return self.public_url.startswith("https://")


class LoadedSettings(msgspec.Struct, frozen=True):
    """The settings in force, and for each field where its value came from."""

    settings: Settings
    origins: Mapping[str, SettingOrigin]


class InvalidSettings(Refusal):
    """Settings are wrong; ``problems`` has all of them, and none of their secrets."""

    code = "invalid_settings"

    def __init__(self, problems: Collection[SettingProblem]) -> None:
        self.problems = tuple(problems)
        count = "1 setting is" if len(self.problems) == 1 else f"{len(self.problems)} settings are"
        super().__init__("\n  ".join([f"{count} wrong:", *map(str, self.problems)]))


def load_settings(
    environ: Mapping[str, str],
    *,
    dotenv_path: Path = Path(".env"),
    overrides: Mapping[str, str | int | Path] | None = None,
    required: Collection[str] = (),
) -> LoadedSettings:
    """Read and check every setting, or raise ``InvalidSettings`` with all that is wrong.

    ``overrides`` has values by field name and is for ``packhouse up`` alone; ``required`` names
    fields that must have a value, such as ``SERVE_NEEDS``.
    """
    problems: list[SettingProblem] = []
    given = gather_texts(
        Settings.__struct_fields__,
        environ,
        dotenv_path=dotenv_path,
        overrides=overrides or {},
        problems=problems,
    )
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(Settings):
        if field.name not in given:
            continue
        text, origin = given[field.name]
        form = setting_form(field.type)
        try:
            values[field.name] = form.parse(text)
        except ValueError as error:
            shown = MASK if form.is_secret else mask_url_passwords(text)[:200]
            problems.append(SettingProblem(variable_of(field.name), str(error), shown, origin))
    settings = Settings(**values)
    known = {problem.variable for problem in problems}
    problems += [each for each in list_conflicts(settings, required) if each.variable not in known]
    if problems:
        raise InvalidSettings(problems)
    origins: dict[str, SettingOrigin] = {
        name: given[name][1] if name in given else "default" for name in Settings.__struct_fields__
    }
    return LoadedSettings(settings, origins)


def require_setting(value: Value | None, *, name: str) -> Value:
    """``value`` when it is set; for code that cannot begin without it. ``name`` is the field's."""
    if value is None:
        raise InvalidSettings([missing_setting(name)])
    return value
