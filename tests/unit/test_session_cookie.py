"""The session cookie, among whatever else a browser sends."""

from pathlib import Path

import pytest

from packhouse.plumbing.settings import Settings, load_settings
from packhouse.web.session import ended_cookie, read_cookie, session_cookie


@pytest.fixture
def plain(tmp_path: Path) -> Settings:
    return load_settings({}, dotenv_path=tmp_path / "no.env").settings


@pytest.fixture
def secure(tmp_path: Path) -> Settings:
    given = {"PACKHOUSE_PUBLIC_URL": "https://shop.example"}
    return load_settings(given, dotenv_path=tmp_path / "no.env").settings


@pytest.mark.parametrize(
    "header",
    [
        "packhouse_session=abc",
        "theme=dark; packhouse_session=abc; lang=en",
        'odd[name]={"a": 1, b}; packhouse_session=abc',
        "=; ; packhouse_session=abc",
    ],
)
def test_the_token_is_found_whatever_stands_beside_it(header: str, plain: Settings) -> None:
    assert read_cookie(header, plain) == "abc"


@pytest.mark.parametrize("header", ["", "packhouse_session=", "xpackhouse_session=abc", "abc"])
def test_nothing_else_is_taken_for_it(header: str, plain: Settings) -> None:
    assert read_cookie(header, plain) is None


def test_with_tls_only_the_cookie_of_this_very_host_counts(secure: Settings) -> None:
    assert read_cookie("packhouse_session=abc", secure) is None
    assert read_cookie("__Host-packhouse_session=abc", secure) == "abc"
    assert "; Secure" in session_cookie("abc", secure)


def test_no_script_reads_it_and_no_other_site_sends_it(plain: Settings) -> None:
    assert session_cookie("abc", plain).startswith(
        "packhouse_session=abc; HttpOnly; SameSite=Lax; Path=/"
    )
    assert "Max-Age=0" in ended_cookie(plain)
