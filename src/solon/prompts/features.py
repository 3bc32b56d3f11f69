"""What the `datasets` library notes of columns, and Arrow does not know: class names, and JSON held as text."""

from __future__ import annotations

import json
from collections.abc import Mapping

from solon.prompts.faults import Malformed

_KEY = b"huggingface"
"""Where the library puts its note in the metadata of a schema."""


def features_of(metadata: Mapping[bytes, bytes] | None) -> dict[str, object]:
    """The features of columns by name, as the library writes them; none if there is no such note."""
    try:
        features = json.loads((metadata or {})[_KEY])["info"]["features"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return {}
    return features if isinstance(features, dict) else {}


def decoded(value: object, feature: object, name: str) -> object:
    """A value with names for class numbers, and with what its JSON texts hold. Raises `Malformed`."""
    if isinstance(feature, list):
        feature = {"_type": "List", "feature": feature[0]} if feature else None
    if value is None or not isinstance(feature, dict):
        return value
    kind = feature.get("_type")
    if kind == "Json" and isinstance(value, str):
        return _loaded(value, name)
    if kind == "ClassLabel" and isinstance(value, int):
        return _class_name(value, feature.get("names"), name)
    inner = feature.get("feature") if isinstance(kind, str) else feature
    if isinstance(value, list):
        return [decoded(item, inner, name) for item in value]
    if isinstance(value, dict) and isinstance(inner, dict):
        return {key: decoded(item, inner.get(key), name) for key, item in value.items()}
    return value


def _loaded(text: str, name: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed(f'"{name}": broken JSON: {error}', reason="broken JSON") from error


def _class_name(number: int, names: object, name: str) -> object:
    """The library writes -1 where a class is not known."""
    if number == -1 or not isinstance(names, list):
        return None if number == -1 else number
    if not 0 <= number < len(names):
        raise Malformed(f'"{name}" is class {number} of {len(names)}', reason="unknown class")
    return names[number]
