"""A principle from one sentence in plain words; what somebody words themselves stays as it is."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from pydantic import ValidationError

from solon.constitution.principles import TEXT_KEYS, Constitution, Principle
from solon.errors import ConstitutionError, Fault
from solon.text import fill

ID = "new"


def principle_of(sentence: str, own: Mapping[str, str]) -> Principle:
    """The principle that says this. `own`: its texts by their keys; those that are empty are made of the sentence.

    Raises `ConstitutionError`, a fault for each text that cannot be put to a model, after its key, or `sentence`.
    """
    made = {key: own.get(key, "").strip() or fill(template, sentence=sentence) for key, template in _made().items()}
    try:
        return Principle.model_validate({"id": ID, "title": sentence, **made})
    except ValidationError as error:
        found = {
            str(one["loc"][0]) if own.get(str(one["loc"][0]), "").strip() else "sentence": one["msg"]
            for one in error.errors()
        }
        faults = [Fault(f"{key}: {what.removeprefix('Value error, ')}") for key, what in found.items()]
        raise ConstitutionError(faults) from None


def constitution_of(principle: Principle) -> Constitution:
    """One that holds this principle alone."""
    return Constitution(name=principle.id, title=principle.title, principles=(principle,))


@cache
def _made() -> Mapping[str, str]:
    text = files("solon.constitution").joinpath("templates/sentence.toml").read_text(encoding="utf-8")
    found: dict[str, str] = tomllib.loads(text)
    return {key: found[key] for key in TEXT_KEYS}
