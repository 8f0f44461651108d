"""What browsers send becomes values, and what is wrong with it never becomes a failure of ours."""

from contextlib import suppress
from decimal import Decimal
from fractions import Fraction

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packhouse.foundation.money import format_minor
from packhouse.web.errors import Malformed
from packhouse.web.shop.forms import parse_amount, parse_form_body
from packhouse.web.shop.frame import local_path
from packhouse.web.shop.odds import about_one_in, one_in_of, percent_of

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("typed", "minor"),
    [
        ("12.50", 1_250),
        ("12,50", 1_250),
        (" 12 ", 1_200),
        ("0.1", 10),
        ("1,250", 125_000),
        ("1,234.56", 123_456),
        ("1 000", 100_000),
    ],
)
def test_an_amount_means_what_a_person_means(typed: str, minor: int) -> None:
    assert parse_amount(typed) == minor


@pytest.mark.parametrize(
    "typed", ["", "abc", "-5", "1e3", "12.505", "1.2.3", "٣", "NaN", "9" * 30, "1,23,4"]
)
def test_an_amount_that_is_unclear_is_none(typed: str) -> None:
    assert parse_amount(typed) is None


@given(st.integers(min_value=0, max_value=10**12))
def test_every_amount_as_we_write_it_is_read_back_exactly(minor: int) -> None:
    assert parse_amount(format_minor(minor)) == minor
    assert parse_amount(str(Decimal(minor) / 100)) == minor


@given(st.binary(max_size=300))
def test_any_bytes_are_a_form_or_malformed(body: bytes) -> None:
    with suppress(Malformed):
        form = parse_form_body(body)
        assert all("\x00" not in value for values in form.values.values() for value in values)


@pytest.mark.parametrize(
    "body", [b"email=a%00b", b"email=%ff", b"\xff=1", b"&".join([b"a=1"] * 2_000)]
)
async def test_what_no_browser_sends_is_malformed(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/sign-in", content=body, headers=FORM)
    assert answer.status_code == 400


async def test_json_to_a_page_is_malformed(client: httpx.AsyncClient) -> None:
    answer = await client.post("/sign-in", json={"email": "a@example.com"})
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/", "/vault?tier=S&sort=value", "/packs/veil-one#odds"])
def test_a_path_of_ours_may_be_gone_back_to(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "vault",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil.example",
        "/vault\r\nset-cookie: a=b",
        " /vault",
        "/" + "a" * 3_000,
        "/é",
    ],
)
def test_another_site_is_never_gone_back_to(path: str | None) -> None:
    assert local_path(path) is None


@given(st.text(max_size=40))
def test_whatever_is_gone_back_to_stays_here(text: str) -> None:
    path = local_path(text)
    assert path is None or str(httpx.URL("http://shop.example").join(path)).startswith(
        "http://shop.example/"
    )


@pytest.mark.parametrize(
    ("share", "percent", "one_in"),
    [
        (Fraction(1, 2_000), "0.05 %", "1 in 2,000"),
        (Fraction(13, 20), "65 %", "13 in 20"),
        (Fraction(1), "100 %", "always"),
        (Fraction(1, 3), "≈ 33.33 %", "1 in 3"),
        (Fraction(5, 10_000_000), "0.00005 %", "1 in 2,000,000"),
        (Fraction(71_125, 100_000), "71.125 %", "569 in 800"),
    ],
)
def test_odds_are_said_exactly_or_marked_as_rounded(
    share: Fraction, percent: str, one_in: str
) -> None:
    assert percent_of(share) == percent
    assert one_in_of(share) == one_in


def test_a_rounded_count_of_packs_is_said_to_be_rounded() -> None:
    assert about_one_in(Fraction(1, 400)) == "1 in 400"
    assert about_one_in(Fraction(3, 1_000)) == "about 1 in 333"
