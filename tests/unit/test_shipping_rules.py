"""What a parcel costs, and how a shipping request may move."""

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packhouse.foundation.errors import InvalidInput
from packhouse.shipping.errors import (
    BadTransition,
    DestinationNotServed,
    ParcelTooHeavy,
    ParcelTooValuable,
)
from packhouse.shipping.model import (
    DEFAULT_RATE_CARD,
    SHIPPING_STATUSES,
    Parcel,
    ParcelCard,
    RateCard,
    ShippingStatus,
)
from packhouse.shipping.rules import (
    TRANSITIONS,
    effects_of,
    is_final,
    may_cancel,
    parcel_for,
    quote,
    require_transition,
    weigh_card,
    zone_of,
)

ALLOWED = {
    ("pending", "packing"),
    ("pending", "cancelled"),
    ("packing", "shipped"),
    ("packing", "cancelled"),
    ("shipped", "delivered"),
    ("shipped", "returned"),
    ("shipped", "lost"),
    ("delivered", "returned"),
    ("delivered", "lost"),
}

countries = st.sampled_from(["US", "CA", "DE", "JP", "BR"])
weights = st.integers(1, DEFAULT_RATE_CARD.parcel_weight_grams_max)
values = st.integers(0, DEFAULT_RATE_CARD.parcel_value_minor_max)


def cost_minor(country: str, *, weight_grams: int, value_minor: int) -> int:
    parcel = Parcel(weight_grams=weight_grams, card_count=1, insured_value_minor=value_minor)
    return quote(parcel, country=country, rate_card=DEFAULT_RATE_CARD).cost_minor


def rate_card_with(**changes: Any) -> bytes:  # noqa: ANN401 - any JSON
    return msgspec.json.encode(msgspec.to_builtins(DEFAULT_RATE_CARD) | changes)


@given(countries, weights, weights, values)
def test_a_heavier_parcel_never_costs_less(country: str, one: int, two: int, value: int) -> None:
    light, heavy = sorted((one, two))
    assert cost_minor(country, weight_grams=light, value_minor=value) <= cost_minor(
        country, weight_grams=heavy, value_minor=value
    )


@given(countries, weights, values, values)
def test_a_dearer_parcel_never_costs_less(country: str, weight: int, one: int, two: int) -> None:
    cheap, dear = sorted((one, two))
    assert cost_minor(country, weight_grams=weight, value_minor=cheap) <= cost_minor(
        country, weight_grams=weight, value_minor=dear
    )


@given(countries, weights, values)
def test_a_quote_is_the_sum_of_its_lines_and_none_is_negative(
    country: str, weight: int, value: int
) -> None:
    parcel = Parcel(weight_grams=weight, card_count=1, insured_value_minor=value)
    answer = quote(parcel, country=country, rate_card=DEFAULT_RATE_CARD)
    assert answer.cost_minor == sum(line.amount_minor for line in answer.lines)
    assert all(line.amount_minor >= 0 for line in answer.lines)


@given(st.integers(1, 300), st.booleans())
def test_one_more_card_never_makes_a_parcel_lighter(count: int, is_graded: bool) -> None:  # noqa: FBT001 - Hypothesis passes by position
    card = ParcelCard(weight_grams=weigh_card(is_graded=is_graded), value_minor=100)
    assert parcel_for([card] * count).weight_grams < parcel_for([card] * (count + 1)).weight_grams


def test_one_raw_card_to_the_united_states_has_this_price() -> None:
    parcel = parcel_for([ParcelCard(weight_grams=weigh_card(is_graded=False), value_minor=10_001)])
    answer = quote(parcel, country="US", rate_card=DEFAULT_RATE_CARD)
    # Postage 4.50 up to 100 g, handling 1.00, insurance of two started hundreds at 0.60.
    assert (parcel.weight_grams, answer.cost_minor) == (35, 450 + 100 + 120)


def test_a_parcel_without_cards_is_refused() -> None:
    with pytest.raises(InvalidInput) as refusal:
        parcel_for([])
    assert refusal.value.errors[0].field == "user_card_ids"


def test_a_parcel_over_the_weight_limit_is_refused() -> None:
    with pytest.raises(ParcelTooHeavy):
        cost_minor("US", weight_grams=20_001, value_minor=0)


def test_a_parcel_over_the_value_limit_is_refused() -> None:
    with pytest.raises(ParcelTooValuable):
        cost_minor("US", weight_grams=10, value_minor=5_000_001)


def test_a_country_that_is_not_served_is_refused() -> None:
    with pytest.raises(DestinationNotServed):
        cost_minor("KP", weight_grams=10, value_minor=0)


def test_a_country_that_no_zone_names_is_in_the_zone_of_all_others() -> None:
    assert zone_of("JP", rate_card=DEFAULT_RATE_CARD).name == "Rest of the world"


def test_a_rate_card_survives_json() -> None:
    decoded = msgspec.json.decode(msgspec.json.encode(DEFAULT_RATE_CARD), type=RateCard)
    assert decoded == DEFAULT_RATE_CARD


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"countries_not_served": ["US"]}, "home country"),
        ({"countries_not_served": ["kp"]}, "capitals"),
        ({"home_country": "us"}, "capitals"),
        ({"parcel_weight_grams_max": 20_001}, "last weight step"),
        ({"handling_fee_minor": -1}, ">= 0"),
        ({"discount": 1}, "unknown field"),
        ({"zones": []}, "length >= 1"),
    ],
)
def test_a_wrong_rate_card_is_refused_with_the_reason(
    changes: dict[str, object], complaint: str
) -> None:
    with pytest.raises(msgspec.ValidationError, match=complaint):
        msgspec.json.decode(rate_card_with(**changes), type=RateCard)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"countries": []}, "exactly one zone"),
        ({"countries": ["US", "DE"]}, "more than one zone: DE"),
        ({"delivery_days_min": 9}, "delivery_days_min"),
        ({"weight_steps": [{"up_to_grams": 9, "price_minor": 1}] * 2}, "must rise"),
        (
            {
                "weight_steps": [
                    {"up_to_grams": 9, "price_minor": 2},
                    {"up_to_grams": 20_000, "price_minor": 1},
                ]
            },
            "must not cost less",
        ),
    ],
)
def test_a_wrong_zone_is_refused_with_the_reason(
    changes: dict[str, object], complaint: str
) -> None:
    home, *others = msgspec.to_builtins(DEFAULT_RATE_CARD)["zones"]
    with pytest.raises(msgspec.ValidationError, match=complaint):
        msgspec.json.decode(rate_card_with(zones=[home | changes, *others]), type=RateCard)


@pytest.mark.parametrize(
    ("current", "wanted"), list(itertools.product(SHIPPING_STATUSES, repeat=2))
)
def test_only_the_moves_of_the_contract_are_allowed(
    current: ShippingStatus, wanted: ShippingStatus
) -> None:
    if (current, wanted) in ALLOWED:
        require_transition(current, wanted)
        return
    with pytest.raises(BadTransition):
        require_transition(current, wanted)


def test_every_status_can_be_reached_from_pending() -> None:
    reached: set[ShippingStatus] = {"pending"}
    for _ in SHIPPING_STATUSES:
        reached |= {after for status in reached for after in TRANSITIONS[status]}
    assert reached == set(SHIPPING_STATUSES)


def test_a_request_ends_once_its_cards_or_their_value_are_given_back() -> None:
    assert {status for status in SHIPPING_STATUSES if is_final(status)} == {
        "cancelled",
        "returned",
        "lost",
    }


def test_a_request_can_be_cancelled_only_before_it_is_shipped() -> None:
    assert [status for status in SHIPPING_STATUSES if may_cancel(status)] == ["pending", "packing"]


def test_cost_is_refunded_only_on_cancellation_and_value_paid_only_on_loss() -> None:
    effects = {status: effects_of(status) for status in SHIPPING_STATUSES}
    assert [status for status in effects if effects[status].refunds_cost] == ["cancelled"]
    assert [status for status in effects if effects[status].pays_locked_value] == ["lost"]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("pending", "reserved"),
        ("packing", None),
        ("shipped", "shipped"),
        ("delivered", None),
        ("cancelled", "vaulted"),
        ("returned", "vaulted"),
        ("lost", "lost"),
    ],
)
def test_cards_and_stock_follow_the_request(status: ShippingStatus, state: str | None) -> None:
    effects = effects_of(status)
    assert (effects.user_card_state, effects.stock_place) == (state, state)
