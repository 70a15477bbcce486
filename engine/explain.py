"""Turns what msgspec says about a value that does not fit into a sentence with the key and what to write instead."""

from __future__ import annotations

import difflib
import re
from datetime import date, time
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import inspect


def explain(message: str, root: type[msgspec.Struct]) -> str:
    """A ValidationError's text -> "key `a.b`: what is wrong; what to write". `root` is the type that was decoded."""
    found = re.fullmatch(r"(.*?)(?: - at `\$\.?(.*)`)?", message, re.DOTALL)
    text, path = (found.group(1), found.group(2) or "") if found else (message, "")
    unknown = re.fullmatch(r"Object contains unknown field `(.+)`", text)
    if unknown:
        key, known = unknown.group(1), _field_names(root, path)
        near = difflib.get_close_matches(key, known, 1)
        remedy = f"did you mean `{near[0]}`?" if near else f"remove it, or write one of {', '.join(known)}"
        return f"key `{_join(path, key)}`: unknown key; {remedy}"
    missing = re.fullmatch(r"Object missing required field `(.+)`", text)
    if missing:
        key = _join(path, missing.group(1))
        return f"key `{key}`: missing; write {_remedy(_type_at(root, key))}"
    return f"key `{path}`: {text[:1].lower()}{text[1:]}; write {_remedy(_type_at(root, path))}"


def first_float(value: Any, path: str = "") -> tuple[str, float] | None:
    """The first binary float in decoded TOML and its key, or None. No value of a venue is one."""
    if isinstance(value, float):
        return path, value
    items = ((_join(path, key), item) for key, item in value.items()) if isinstance(value, dict) else ()
    if isinstance(value, list):
        items = ((f"{path}[{i}]", item) for i, item in enumerate(value))
    return next((found for key, item in items if (found := first_float(item, key))), None)


def float_remedy(path: str, value: float, root: type[msgspec.Struct]) -> str:
    """The sentence about a float found at `path`."""
    expected = _type_at(root, path)
    if _is_decimal(expected):
        return f'key `{path}`: {value} is a binary fraction, which is not exact; write "{value}", in quotes'
    return f"key `{path}`: {value} is a binary fraction, which is not exact; write {_remedy(expected)}"


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _type_at(root: type[msgspec.Struct], path: str) -> inspect.Type | None:
    """The declared type of the value at `path`, such as `calendar.transitions[2].at`."""
    at: Any = inspect.type_info(root)
    for part in re.findall(r"[^.\[\]]+|\[[^\]]*\]", path):
        options = at.types if isinstance(at, inspect.UnionType) else (at,)
        if part.startswith("["):
            lists = [o for o in options if isinstance(o, inspect.VarTupleType)]
            at = lists[0].item_type if lists else None
        else:
            structs = [o for o in options if isinstance(o, inspect.StructType)]
            at = next((f.type for s in structs for f in s.fields if f.encode_name == part), None)
        if at is None:
            return None
    return at  # type: ignore[no-any-return]


def _field_names(root: type[msgspec.Struct], path: str) -> list[str]:
    at = _type_at(root, path)
    return [f.encode_name for f in at.fields] if isinstance(at, inspect.StructType) else []


def _is_decimal(expected: inspect.Type | None) -> bool:
    options = expected.types if isinstance(expected, inspect.UnionType) else (expected,)
    return any(isinstance(option, inspect.DecimalType) for option in options)


def _remedy(expected: inspect.Type | None) -> str:
    """What a value of this type looks like in TOML."""
    options = expected.types if isinstance(expected, inspect.UnionType) else (expected,)
    words = [word for option in options if isinstance(option, inspect.LiteralType) for word in option.values]
    if words:
        return "one of " + ", ".join(sorted(f'"{word}"' if isinstance(word, str) else str(word) for word in words))
    if isinstance(expected, inspect.UnionType):
        return " or ".join(_remedy(option) for option in options if not isinstance(option, inspect.NoneType))
    if isinstance(expected, inspect.VarTupleType):
        item = expected.item_type
        if isinstance(item, inspect.StructType):
            return "tables with [[double brackets]]"
        return f"a list [...]; each item: {_remedy(item)}"
    samples: list[tuple[type[inspect.Type], str]] = [
        (inspect.BoolType, "true or false"),
        (inspect.IntType, "a whole number without quotes"),
        (inspect.StrType, "text in quotes"),
        (inspect.DecimalType, f'a decimal number in quotes, such as "{Decimal("72.93")}"'),
        (inspect.DateType, f"a date without quotes, such as {date(2026, 1, 5)}"),
        (inspect.TimeType, f"a local time without quotes, such as {time(9, 30)}"),
        (inspect.StructType, "a [table]"),
    ]
    return next((text for kind, text in samples if isinstance(expected, kind)), "another value")
