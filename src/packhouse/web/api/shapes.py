"""JSON Schema in words for people: what a value is, and what fields an object has."""

from typing import Any, Final

import msgspec

Schema = dict[str, Any]

_ALTERNATIVES: Final = ("oneOf", "anyOf", "allOf")


class FieldRow(msgspec.Struct, frozen=True):
    """One field of an object; ``shape`` names the described object that it holds, if any."""

    name: str
    type: str
    shape: str | None
    is_required: bool
    description: str


def list_fields(schema: Schema) -> list[FieldRow]:
    """The fields of an object's schema; none of a reference or a simple value."""
    required = schema.get("required", ())
    return [
        FieldRow(
            name=name,
            type=name_type(field),
            shape=find_shape(field),
            is_required=name in required,
            description=field.get("description", ""),
        )
        for name, field in schema.get("properties", {}).items()
    ]


def name_type(schema: Schema) -> str:
    """``text, 1 to 128 characters``, ``list of VaultCard``, ``whole number from 1 to 10`` …"""
    if "$ref" in schema:
        return _shape_name(schema)
    alternatives = [name_type(part) for key in _ALTERNATIVES for part in schema.get(key, ())]
    kind = schema.get("type")
    if isinstance(kind, list):
        alternatives = [name_type(schema | {"type": each}) for each in kind]
    if alternatives:
        return " or ".join(dict.fromkeys(alternatives))
    if "enum" in schema:
        return " | ".join("null" if value is None else str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    return _simple_type(schema)


def _simple_type(schema: Schema) -> str:
    match schema.get("type"):
        case "array":
            return f"list of {name_type(schema.get('items', {}))}{_bounds(schema, 'Items')}"
        case "string":
            return str(schema.get("format", "text")) + _bounds(schema, "Length")
        case "integer":
            return "whole number" + _range(schema)
        case "boolean":
            return "true or false"
        case None:
            return "anything"
        case simple:
            return str(simple)


def find_shape(schema: Schema) -> str | None:
    """The described object that a value is, or is a list of, or may be."""
    if "$ref" in schema:
        return _shape_name(schema)
    parts = [schema["items"]] if "items" in schema else []
    parts += [part for key in _ALTERNATIVES for part in schema.get(key, ())]
    return next((shape for part in parts if (shape := find_shape(part)) is not None), None)


def _bounds(schema: Schema, what: str) -> str:
    least, most = schema.get(f"min{what}"), schema.get(f"max{what}")
    unit = " characters" if what == "Length" else ""
    match least, most:
        case None, None:
            return ""
        case None, _:
            return f", at most {most}{unit}"
        case _, None:
            return f", at least {least}{unit}"
    return f", {least} to {most}{unit}"


def _range(schema: Schema) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    text = "" if least is None else f" from {least}"
    return text if most is None else f"{text} to {most}"


def _shape_name(schema: Schema) -> str:
    return str(schema["$ref"]).rpartition("/")[2]
