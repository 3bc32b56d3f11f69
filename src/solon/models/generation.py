"""How a model asks to be sampled, in the generation_config.json of its folder. Neither weights nor torch are loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from solon.config.sampling import SamplingOverrides
from solon.errors import Fault, ModelError, Where
from solon.places import json_places
from solon.text import listed

GENERATION_CONFIG = "generation_config.json"
_HEEDED = ("temperature", "top_p", "top_k", "min_p")
_OTHERS = {"repetition_penalty": 1.0, "typical_p": 1.0, "no_repeat_ngram_size": 0, "epsilon_cutoff": 0, "eta_cutoff": 0}
"""What else changes the distribution that transformers draws from, and the value that changes nothing."""
_ALONE: dict[str, tuple[Callable[[float], bool], float]] = {
    "temperature": (lambda value: value < 0.01, 1.0),
    "top_p": (lambda value: value < 0.01, 1.0),
    "top_k": (lambda value: value == 1, 0),
    "min_p": (lambda value: value == 1.0, 0.0),
}
"""When a setting leaves the likeliest token alone, or as good as alone, and the value that leaves all."""


@dataclass(frozen=True, kw_only=True)
class Preference:
    """How a model asks to be sampled."""

    sampling: SamplingOverrides = field(default_factory=SamplingOverrides)
    """What it names; nothing if its file does not say that it is to be sampled (`do_sample`)."""
    unheeded: tuple[str, ...] = ()
    """What it asks for besides, and Solon leaves out, e.g. `repetition_penalty 1.1`."""

    def notes(self, role: str) -> list[str]:
        """What the user should know of it."""
        named, file = _named(self.sampling.model_dump(exclude_none=True)), f"{GENERATION_CONFIG} of the {role}"
        notes = [f"where the run file says nothing, {file} decides: {listed(named)}"] if named else []
        return notes + ([f"{file} asks for more, which is left out: {listed(self.unheeded)}"] if self.unheeded else [])


def preference(folder: Path) -> Preference:
    """That of the model in a folder. Raises `ModelError` with every value out of range, and its line."""
    path = folder / GENERATION_CONFIG
    if not path.is_file():
        return Preference()
    try:
        text = path.read_text(encoding="utf-8")
        asked: dict[str, Any] = dict(json.loads(text))
    except (ValueError, TypeError, RecursionError) as error:
        hint = "copy it again from where the model came from"
        raise ModelError("holds no JSON object", where=Where(path), hint=hint) from error
    if asked.get("do_sample") is not True:
        return Preference()
    try:
        sampling = SamplingOverrides.model_validate({key: asked.get(key) for key in _HEEDED})
    except ValidationError as error:
        raise ModelError([_fault(path, text, details) for details in error.errors()]) from error
    others = {key: asked[key] for key, off in _OTHERS.items() if asked.get(key) not in (None, off)}
    return Preference(sampling=sampling, unheeded=tuple(_named(others)))


def alike(sampling: SamplingOverrides, section: str) -> Fault | None:
    """That all answers to one prompt are the same text if they are drawn so, and what to set in a `section` of the run
    file; None: they differ."""
    given = sampling.model_dump(exclude_none=True)
    alone = {key: off for key, (holds, off) in _ALONE.items() if key in given and holds(given[key])}
    if not alone:
        return None
    drawn = listed(_named({key: given[key] for key in alone}))
    what = f"{section}: with {drawn} the likeliest token alone is drawn, so all answers to a prompt are the same text"
    return Fault(what, hint=f"set {' and '.join(f'{section}.{key} = {off:g}' for key, off in alone.items())}")


def _named(values: dict[str, Any]) -> list[str]:
    return [f"{key} {value}" for key, value in values.items()]


def _fault(path: Path, text: str, details: ErrorDetails) -> Fault:
    key = str(details["loc"][0])
    what = f"{key} is {details['input']!r:.60}; expected {details['msg'].removeprefix('Input should be ')}"
    return Fault(what, Where(path, json_places(text).line((key,))), "mend the file, or take the key out")
