"""The three families of error."""

import pytest

from packhouse.foundation.errors import (
    BadCursor,
    Breach,
    FieldError,
    InvalidInput,
    NotFound,
    Outage,
    PackhouseError,
    Refusal,
)


@pytest.mark.parametrize("family", [Refusal, Outage, Breach])
def test_an_error_tells_people_a_sentence_and_logs_its_fields(
    family: type[PackhouseError],
) -> None:
    error = family("Nothing is left.", packs_left=0)
    assert str(error) == error.message == "Nothing is left."
    assert error.fields == {"packs_left": 0}


def test_an_error_belongs_to_one_family_only() -> None:
    families = (Refusal, Outage, Breach)
    assert not any(
        issubclass(one, other) for one in families for other in families if one is not other
    )


@pytest.mark.parametrize("error", [InvalidInput, NotFound, BadCursor])
def test_what_the_caller_can_change_is_a_refusal(error: type[PackhouseError]) -> None:
    assert issubclass(error, Refusal)


def test_codes_tell_errors_apart() -> None:
    errors: list[type[PackhouseError]] = [
        PackhouseError,
        Refusal,
        Outage,
        Breach,
        InvalidInput,
        NotFound,
        BadCursor,
    ]
    assert len({error.code for error in errors}) == len(errors)


def test_a_bad_input_names_each_bad_field() -> None:
    bad = [FieldError("price", "At least 1."), FieldError("name", "Say one.")]
    assert InvalidInput("Not like this.", bad).errors == tuple(bad)
    assert InvalidInput("Not like this.").errors == ()
