"""What is wrong about settings that are right one by one."""

from collections.abc import Collection, Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from packhouse.plumbing.setting_sources import SettingProblem, variable_of

if TYPE_CHECKING:
    from packhouse.plumbing.settings import Settings


def list_conflicts(settings: "Settings", required: Collection[str]) -> Iterator[SettingProblem]:
    """Everything that cannot be together, and what is ``required`` and not set."""
    missing = {name for name in required if getattr(settings, name) is None}
    host = urlsplit(settings.public_url).hostname or ""
    if settings.environment == "production":
        if settings.seed_key is None:
            missing.add("seed_key")
        if not settings.has_secure_cookies and not _is_loopback(host):
            yield SettingProblem(
                variable_of("public_url"),
                "must begin with https:// in production",
                settings.public_url,
            )
    if settings.mail_url is not None and settings.mail_from is None:
        missing.add("mail_from")
    if settings.payment_provider == "demo":
        if settings.environment == "production":
            yield SettingProblem(
                variable_of("payment_provider"), "cannot be demo in production", "demo"
            )
        elif not settings.embedded:
            yield SettingProblem(
                variable_of("payment_provider"), "works only under `packhouse up`", "demo"
            )
    if settings.demo_accounts and not settings.embedded:
        yield SettingProblem(
            variable_of("demo_accounts"), "can be on only under `packhouse up`", "true"
        )
    for name in sorted(missing):
        yield missing_setting(name)


def missing_setting(name: str) -> SettingProblem:
    """That a field is not set."""
    return SettingProblem(variable_of(name), "is needed and not set")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
