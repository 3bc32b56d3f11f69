"""From values to a `RunConfig`, or every fault in words."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from solon.config.keys import field_of, is_model, near_key
from solon.config.layers import Layers
from solon.config.rules import contradictions
from solon.config.run import RunConfig
from solon.errors import ConfigError, Fault, Where
from solon.text import did_you_mean, excerpt, without_secret
from solon.toml_text import toml

_EXPECTED = {
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a table",
    **dict.fromkeys(("int_type", "int_from_float"), "a whole number"),
    **dict.fromkeys(("model_type", "model_attributes_type"), "a section"),
    **dict.fromkeys(("date_type", "date_parsing", "date_from_datetime_parsing"), "a date such as 2026-01-01"),
}
"""pydantic's error types, as what was expected instead."""
_PAIRS = ("judge.clamp", "rl.rewards.length_between")


def validate(layers: Layers, sections: Collection[str]) -> RunConfig:
    """The config. Raises `ConfigError` with the faults of all values, and contradictions, within these sections, among
    those without fault."""
    faults, bad = layers.faults, layers.bad
    try:
        config = _parse(layers.data)
    except ValidationError as error:
        found = defaultdict[str, list[ErrorDetails]](list)
        for details in error.errors():
            found[_key(details["loc"], layers.data)].append(details)
        faults.extend(_fault(key, errors, layers.place(key)) for key, errors in found.items() if key not in bad)
        bad.update(found)
        config = _parse(_without(layers.data, bad))
    faults.extend(
        Fault(found.what, layers.last_place(found.keys), found.hint)
        for found in contradictions(config)
        if {key.split(".")[0] for key in found.keys} <= set(sections) - bad and bad.isdisjoint(found.keys)
    )
    if faults:  # by line in the file, then those of the command line
        raise ConfigError(sorted(faults, key=lambda fault: (fault.where and fault.where.line) or float("inf")))
    return config


def _parse(data: Mapping[str, Any]) -> RunConfig:
    # By way of JSON: strict there means no "5" for 5, yet lists for tuples and 1 for 1.0.
    return RunConfig.model_validate_json(json.dumps(data, default=str), strict=True)


def _key(place: Iterable[str | int], value: Any) -> str:
    """Without what pydantic adds below a value that may be of several types: `constrained-int`."""
    key = ""
    for part in (part for part in place if isinstance(part, str)):
        inner = f"{key}.{part}".lstrip(".")
        given = isinstance(value, Mapping) and part in value
        if not given and field_of(inner) is None:
            break
        key, value = inner, value[part] if given else None
    return key


def _without(data: Mapping[str, Any], bad: Iterable[str], prefix: str = "") -> dict[str, Any]:
    kept = {key: value for key, value in data.items() if prefix + key not in bad}
    return {
        key: _without(value, bad, f"{prefix}{key}.") if isinstance(value, dict) else value
        for key, value in kept.items()
    }


def _fault(key: str, errors: Sequence[ErrorDetails], place: Where | None) -> Fault:
    """`errors`: all of a key; of a value that may be of several types one for each, of a list's values one for each."""
    error = errors[0]
    if error["type"] == "extra_forbidden":
        return Fault(f'unknown key "{key}"', place, near_key(key, in_file=bool(place and place.line)))
    given = excerpt(without_secret(key, toml(error["input"])))
    alternatives = (one for one in errors if str(one["input"]) == str(error["input"]))
    expected = dict.fromkeys(_expected(key, one) for one in alternatives)
    hint = did_you_mean(str(error["input"]), re.findall(r'"([^"]+)"', " ".join(expected)))
    if place is not None and str(place).startswith("--set") and error["type"] == "string_type":
        hint = f"quote it: --set '{key}=\"{given}\"'"
    return Fault(f"{key} is {given}; expected {' or '.join(expected)}", place, hint)


def _expected(key: str, error: ErrorDetails) -> str:
    expected = _EXPECTED.get(error["type"])
    if error["type"] == "literal_error":
        return str(error["ctx"]["expected"]).replace("'", '"')
    if expected == "a section" and is_model(field_of(key)):
        return "a model in quotes, or a section"
    if error["type"] in ("too_long", "missing") and key in _PAIRS:
        return "two numbers"
    return expected or error["msg"].removeprefix("Input should be ")
