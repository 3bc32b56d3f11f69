"""The dotted keys of a run file: which there are, what each holds, and which was probably meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args, get_origin

from pydantic.fields import FieldInfo

from solon.config.models import ModelRole, ModelSection
from solon.config.paths import PathKey
from solon.config.run import RunConfig
from solon.config.section import Section, marks, subsection
from solon.text import did_you_mean

EXTENDS = "extends"
"""The key of a run file that names another, whose values hold where it gives none."""
RENAMED = {f"models.{role}_system": f"models.{role}.system" for role in get_args(ModelRole)}
"""Keys of older run files, and what they are called now."""
_WHOLE = "RL compares log-probabilities under softmax(logits / rl.temperature), so it draws from all of that"
_NO_COEFFICIENT = "a loss's factor is no factor of AdamW's steps; set rl.value_learning_rate"
REFUSED = dict.fromkeys(("rl.top_p", "rl.top_k", "rl.min_p"), _WHOLE) | {"rl.value_coefficient": _NO_COEFFICIENT}
"""Keys that people look for, and why they are not there."""


def known_keys(section: type[Section] = RunConfig, prefix: str = "") -> Iterator[str]:
    """Every dotted key of a run file, sections included."""
    for name, field in section.model_fields.items():
        yield prefix + name
        if inner := subsection(field):
            yield from known_keys(inner, f"{prefix}{name}.{'NAME.' if by_name(field) else ''}")


def by_name(field: FieldInfo) -> bool:
    """Whether a key holds sections under names that are free to choose."""
    return get_origin(field.annotation) is dict and subsection(field) is not None


def field_of(key: str) -> FieldInfo | None:
    """What the key of a run file holds; None if there is no such key, or it is a section under a chosen name."""
    section: type[Section] | None = RunConfig
    field, chosen = None, False
    for name in key.split("."):
        if chosen:
            field, chosen = None, False
            continue
        field = section.model_fields.get(name) if section else None
        section, chosen = (subsection(field), by_name(field)) if field else (None, False)
    return field


def key_of(section: type[Section]) -> str:
    """The key of a run file that holds a section of this type, e.g. `rl`."""
    return next(name for name, field in RunConfig.model_fields.items() if subsection(field) is section)


def is_model(field: FieldInfo | None) -> bool:
    """Whether a key holds the section of a model, in whose place its path may stand."""
    return field is not None and subsection(field) is ModelSection


def path_key(field: FieldInfo | None) -> PathKey | None:
    """The mark of a key that holds a path."""
    if is_model(field):
        field = ModelSection.model_fields["path"]
    return next((mark for mark in marks(field) if isinstance(mark, PathKey)), None) if field else None


def near_key(key: str, *, in_file: bool) -> str | None:
    """A hint towards the key that was probably meant."""
    if key == EXTENDS:
        return "only a run file can extend another"
    if key in RENAMED:
        return f"it is now `{RENAMED[key]}`"
    if key in REFUSED:
        return REFUSED[key]
    known = [*([EXTENDS] if in_file else []), *known_keys()]
    section, _, name = key.rpartition(".")
    siblings = [k.rpartition(".")[2] for k in known if k.rpartition(".")[0] == section]
    if near := did_you_mean(name, siblings):
        return near
    if elsewhere := [k for k in known if k.rpartition(".")[2] == name]:
        return f"did you mean {' or '.join(f'`{k}`' for k in elsewhere)}?"
    return f"known here: {', '.join(siblings)}" if siblings else did_you_mean(key, known)
