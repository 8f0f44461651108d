"""Addresses of many countries, as people type them."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packhouse.foundation.errors import InvalidInput
from packhouse.shipping.addresses import (
    address_form,
    format_address,
    list_countries,
    parse_address,
    parse_country,
)
from packhouse.shipping.model import Address

ADA = Address(
    name="Ada Example",
    line1="1 Harbor St",
    line2="Apt 4",
    city="Portland",
    region="OR",
    postal_code="97201",
    country="US",
    phone="+1 (503) 555-0100",
)
KENJI = Address(
    name="Kenji Example",
    line1="1-2-3 Minato",
    city="Shibuya-ku",
    region="Tokyo",
    postal_code="150-0001",
    country="JP",
)
GOOD = [
    ADA,
    KENJI,
    Address(name="Jürgen", line1="Hafenstr. 1", city="Berlin", postal_code="10115", country="DE"),
    Address(name="Tom", line1="1 Quay", city="London", postal_code="SW1A 2AA", country="GB"),
    Address(
        name="João",
        line1="Rua A, 1º andar",
        city="São Paulo",
        region="SP",
        postal_code="01310-100",
        country="BR",
    ),
    Address(
        name="Chan", line1="1 Pier Rd", city="", region="Kowloon", postal_code="", country="HK"
    ),
    Address(name="Aoife", line1="1 Strand", city="Galway", postal_code="", country="IE"),
    Address(name="Niamh", line1="2 Strand", city="Dublin", postal_code="D02 X285", country="IE"),
]

countries = st.sampled_from([country.code for country in list_countries()])
texts = st.text(max_size=12)
anything = st.builds(
    Address,
    name=texts,
    line1=texts,
    line2=texts,
    city=texts,
    region=texts,
    postal_code=texts,
    country=countries,
    phone=st.none() | st.text("0123456789 ()+-", max_size=15),
)


def changed(address: Address, **changes: str | None) -> Address:
    return msgspec.structs.replace(address, **changes)


def complaints(address: Address) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refusal:
        parse_address(address)
    return {error.field: error.message for error in refusal.value.errors}


@pytest.mark.parametrize("address", GOOD, ids=lambda address: address.country)
def test_a_good_address_is_accepted_and_keeps_its_country(address: Address) -> None:
    assert parse_address(address).country == address.country


@settings(deadline=None)
@given(anything)
def test_parsing_twice_changes_nothing(address: Address) -> None:
    try:
        once = parse_address(address)
    except InvalidInput:
        return
    assert parse_address(once) == once
    assert format_address(once)


@settings(deadline=None)
@given(anything)
def test_every_complaint_names_a_field_of_the_contract(address: Address) -> None:
    fields = {f"address.{field}" for field in Address.__struct_fields__}
    assert {"address.name"} <= set(complaints(changed(address, name=""))) <= fields


@settings(deadline=None)
@given(st.sampled_from(GOOD), texts)
def test_a_good_address_with_any_second_line_parses_to_the_same_twice(
    address: Address, line2: str
) -> None:
    once = parse_address(changed(address, line2=line2))
    assert parse_address(once) == once


@settings(deadline=None)
@given(countries)
def test_a_region_chosen_on_the_form_is_accepted(country: str) -> None:
    form = address_form(country)
    for choice in form.field("region").choices[:5]:
        nameless = changed(ADA, name="", country=country, region=choice.code, postal_code="")
        assert "address.region" not in complaints(nameless)


def test_control_characters_and_spare_white_space_are_removed() -> None:
    parsed = parse_address(changed(ADA, name=" Ada\u202e\x00 \n Example\t", line2=" \r\n"))
    assert (parsed.name, parsed.line2) == ("Ada Example", None)


def test_a_region_is_known_by_any_of_its_names() -> None:
    spellings = ["or", "Oregon", "OREGON"]
    assert {parse_address(changed(ADA, region=region)).region for region in spellings} == {"OR"}
    assert parse_address(changed(GOOD[4], region="Sao Paulo")).region == "SP"


def test_country_and_postal_code_become_capitals() -> None:
    parsed = parse_address(changed(GOOD[3], country="gb", postal_code="sw1a 2aa"))
    assert (parsed.country, parsed.postal_code) == ("GB", "SW1A 2AA")


def test_a_postal_code_in_full_width_digits_is_understood() -> None:
    parsed = parse_address(changed(KENJI, postal_code="１５０−０００１"))
    assert parsed.postal_code == "150-0001"


def test_every_bad_field_is_named_at_once() -> None:
    bad = changed(ADA, name=" ", line1="", region="Atlantis", postal_code="1", phone="call me")
    assert set(complaints(bad)) == {
        "address.name",
        "address.line1",
        "address.region",
        "address.postal_code",
        "address.phone",
    }


def test_a_bad_postal_code_is_answered_with_a_good_one() -> None:
    assert complaints(changed(GOOD[2], postal_code="1011")) == {
        "address.postal_code": "In Germany a postal code looks like 26133."
    }


def test_a_postal_code_of_another_state_is_refused() -> None:
    message = complaints(changed(ADA, region="CA"))["address.postal_code"]
    assert message.startswith("This ZIP code does not belong to the chosen state")


def test_a_bad_optional_postal_code_may_be_left_empty() -> None:
    assert complaints(changed(GOOD[7], postal_code="1"))["address.postal_code"].endswith(
        "or leave it empty."
    )


def test_a_missing_postal_code_is_asked_for_where_the_country_has_them() -> None:
    assert complaints(changed(ADA, postal_code="")) == {
        "address.postal_code": "ZIP code is needed for an address in the United States."
    }


@pytest.mark.parametrize("country", ["ZZ", "XX", "UK", "EU", "AC", "", "us1", "日本", "../us"])
def test_a_country_that_does_not_exist_is_refused(country: str) -> None:
    assert set(complaints(changed(ADA, country=country))) == {"address.country"}
    with pytest.raises(InvalidInput):
        parse_country(country)


def test_a_field_that_is_too_long_is_refused() -> None:
    assert set(complaints(changed(ADA, line2="x" * 121))) == {"address.line2"}


def test_no_complaint_repeats_what_was_typed() -> None:
    bad = changed(ADA, region="Secretshire", postal_code="S3CR3T", phone="secret")
    said = " ".join(complaints(bad).values())
    assert not any(typed in said for typed in ("Secretshire", "S3CR3T", "secret"))


def test_the_repr_of_an_address_holds_no_address() -> None:
    assert repr(ADA) == "Address(country='US', …)"


def test_unknown_fields_of_an_address_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert(msgspec.to_builtins(ADA) | {"planet": "Earth"}, Address)


def test_a_label_is_in_the_order_of_its_country() -> None:
    assert format_address(parse_address(ADA)) == [
        "Ada Example",
        "1 Harbor St",
        "Apt 4",
        "PORTLAND, OR 97201",
        "UNITED STATES",
    ]


def test_a_city_that_the_label_has_no_line_for_is_printed_with_the_street() -> None:
    assert format_address(parse_address(KENJI)) == [
        "Kenji Example",
        "1-2-3 Minato",
        "Shibuya-ku, TOKYO",
        "150-0001",
        "JAPAN",
    ]


def test_a_japanese_label_runs_from_the_large_to_the_small() -> None:
    native = changed(KENJI, name="山田太郎", line1="港1-2-3", city="渋谷区")
    assert format_address(parse_address(native)) == [
        "〒150-0001",
        "東京都",
        "渋谷区",
        "港1-2-3",
        "山田太郎",
        "JAPAN",
    ]


def test_a_city_state_is_printed_once() -> None:
    lim = Address(
        name="Lim", line1="1 Pier Rd", city="Singapore", postal_code="238801", country="SG"
    )
    assert format_address(parse_address(lim))[2:] == ["SINGAPORE 238801", "REP. OF SINGAPORE"]


def test_a_region_that_the_label_has_no_place_for_is_kept_beside_the_city() -> None:
    tom = parse_address(changed(GOOD[3], region="Greater London"))
    assert "LONDON, GREATER LONDON" in format_address(tom)


def test_a_form_speaks_the_words_of_its_country() -> None:
    assert address_form("US").field("postal_code").label == "ZIP code"
    assert address_form("JP").field("region").label == "Prefecture"
    assert address_form("IE").field("postal_code").label == "Eircode"


def test_a_form_leaves_out_what_the_country_does_not_use() -> None:
    assert not address_form("HK").field("postal_code").is_used
    assert not address_form("DE").field("region").is_used


def test_a_form_offers_regions_by_readable_names() -> None:
    choices = {choice.code: choice.name for choice in address_form("JP").field("region").choices}
    assert choices["東京都"] == "Tokyo"
    assert len(choices) == 47


def test_countries_are_listed_by_name_in_the_language_asked_for() -> None:
    english, german = list_countries(), list_countries("de")
    assert len(english) == len({country.code for country in english}) == 250
    assert english[0].name == "Afghanistan"
    assert {country.code: country.name for country in german}["DE"] == "Deutschland"


def test_the_kosovar_address_is_accepted_though_its_code_is_user_assigned() -> None:
    assert parse_country(" xk ") == "XK"
