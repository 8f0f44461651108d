"""``packhouse config``: every setting with its value, where that came from, and what it is for.

``docs/reference/settings.md`` is printed by the same code, so that it cannot fall behind.
"""

import os
import sys
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from packhouse.plumbing.setting_sources import COMMAND_LINE_VARIABLES, variable_of
from packhouse.plumbing.setting_values import setting_form
from packhouse.plumbing.settings import (
    InvalidSettings,
    LoadedSettings,
    Settings,
    load_settings,
    number_of_cores,
)

SETTING_GROUPS: Final = {
    "The shop": ("environment", "shop_name", "public_url", "embedded"),
    "The web server": (
        "http_host",
        "http_port",
        "http_workers",
        "live_port",
        "api_port",
        "admin_port",
        "worker_port",
        "live_streams_max",
        "drain_seconds",
        "trusted_proxies",
        "cors_origins",
        "max_body_bytes",
        "max_upload_bytes",
    ),
    "PostgreSQL": (
        "database_url",
        "admin_database_url",
        "database_pool_size",
        "database_replica_urls",
        "replica_lag_ms_max",
        "database_statement_timeout_ms",
        "database_connect_timeout_seconds",
    ),
    "Cache and pictures": (
        "cache_url",
        "cache_timeout_ms",
        "assets_url",
        "media_url",
        "media_directory",
    ),
    "Collectors": (
        "seed_key",
        "log_key",
        "session_ttl_seconds",
        "minimum_age_years",
        "payment_provider",
        "demo_accounts",
    ),
    "Letters": ("mail_url", "mail_from", "mail_directory"),
    "Rate limits": (
        "rate_limit_anonymous",
        "rate_limit_signed_in",
        "rate_limit_pages",
        "rate_limit_sign_in_address",
        "rate_limit_sign_in_account",
    ),
    "Operations": ("backup_directory", "load_tests_directory", "prometheus_url"),
    "Logs": ("log_format", "log_level"),
}
"""Titles and fields in the order in which people read them; a test keeps this complete."""

_FIELDS: Final = {field.name: field for field in msgspec.structs.fields(Settings)}

_WIDTH_UNBOUND: Final = 140
"""Columns of a table that goes to a file or a pipe."""

_REFERENCE_HEAD: Final = """\
# Settings

A setting is an environment variable. An empty one counts as not set; an unknown or wrong one stops
the program with its name and the reason, all of them at once. In development the file `.env` in the
working directory is read too, and the environment wins over it. `packhouse up` sets for itself what
it starts: addresses, keys, the demo shop. `packhouse config` prints the values in force and where
each came from, with secrets masked.

In Kubernetes set `enableServiceLinks: false`: a Service named `packhouse` would otherwise add
variables such as `PACKHOUSE_PORT`, which are no settings and are refused.

This page is printed by `packhouse config --reference`.
"""


def config_command(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON for machines instead of a table.")
    ] = False,
    as_reference: Annotated[
        bool, typer.Option("--reference", help="Print the page docs/reference/settings.md.")
    ] = False,
) -> None:
    """Show every setting, where its value came from and what it is for; secrets are masked.

    Ends with 2, and the list of problems on standard error, when a setting is wrong.
    """
    if as_reference:
        typer.echo(settings_reference(), nl=False)
        return
    try:
        loaded = load_settings(os.environ)
    except InvalidSettings as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(2) from error
    if as_json:
        typer.echo(settings_json(loaded))
        return
    console = Console(width=None if sys.stdout.isatty() else _WIDTH_UNBOUND)
    console.print(_table(loaded))


def settings_json(loaded: LoadedSettings) -> str:
    """``{"settings": [{name, variable, group, value, origin, description}]}``, secrets masked."""
    rows = [
        {
            "name": name,
            "variable": variable_of(name),
            "group": title,
            "value": _shown(getattr(loaded.settings, name)),
            "origin": loaded.origins[name],
            "description": _description(name),
        }
        for title, names in SETTING_GROUPS.items()
        for name in names
    ]
    return msgspec.json.format(msgspec.json.encode({"settings": rows}), indent=2).decode()


def settings_reference() -> str:
    """The page ``docs/reference/settings.md``."""
    lines = [_REFERENCE_HEAD]
    for title, names in SETTING_GROUPS.items():
        lines += [f"## {title}\n", "| variable | value | default | what it is for |"]
        lines += ["| --- | --- | --- | --- |"]
        lines += [
            f"| `{variable_of(name)}` | {setting_form(_FIELDS[name].type).words} "
            f"| {_default_in_words(name)} | {_description(name)} |"
            for name in names
        ]
        lines.append("")
    lines += ["## Read by the command line\n", "| variable | what it is for |", "| --- | --- |"]
    lines += [f"| `{name}` | {purpose} |" for name, purpose in COMMAND_LINE_VARIABLES.items()]
    return "\n".join(lines) + "\n"


def _table(loaded: LoadedSettings) -> Table:
    table = Table(
        title="Settings (each name begins with PACKHOUSE_)", title_justify="left", box=None
    )
    table.add_column("setting", no_wrap=True)
    for heading in ("value", "origin", "what it is for"):
        table.add_column(heading, overflow="fold")
    for title, names in SETTING_GROUPS.items():
        table.add_row(Text(f"\n{title}", style="bold"))
        for name in names:
            value = getattr(loaded.settings, name)
            origin = loaded.origins[name]
            table.add_row(
                Text(name.upper()),
                Text(_in_words(value), style="" if origin == "default" else "green"),
                Text(origin, style="dim" if origin == "default" else "green"),
                Text(_description(name)),
            )
    return table


def _shown(value: object) -> bool | int | str | list[str] | None:
    """A value as it may be shown; a secret's own text is already masked."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, tuple):
        return [str(each) for each in value]
    return str(value)


def _in_words(value: object) -> str:
    shown = _shown(value)
    if shown is None or shown == []:
        return "not set"
    if isinstance(shown, bool):
        return "true" if shown else "false"
    return ", ".join(shown) if isinstance(shown, list) else str(shown)


def _default_in_words(name: str) -> str:
    field = _FIELDS[name]
    if field.default_factory is number_of_cores:
        return "the number of cores"
    default = _in_words(field.default)
    return default if default == "not set" else f"`{default}`"


def _description(name: str) -> str:
    description: str = _FIELDS[name].type.__metadata__[0].description
    return description
