"""The population a conversation is meant to speak for: a small TOML file.

Attributes have shares by category, `[[joint]]` quotas are by several attributes at once, `[[screening]]` says who
belongs to the population at all; an example is in docs/formats/collect.md. Shares are fractions or percentages. Rounded
ones need not sum to the whole exactly; they are scaled to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from solon.collective.csv_text import read_text, shown
from solon.constitution.files import TomlFile
from solon.errors import InputError, Where
from solon.places import KeyPath, Places
from solon.records import Record

Share = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False, strict=True)]
Count = Annotated[int, Field(ge=0, strict=True)]
JOINER = " | "
"""Between the categories in the name of a combination."""
ROUNDING = 0.015
"""How far shares may be from summing to the whole, relatively. Assumption: tables are rounded to whole percents."""
SUPPRESS_BELOW = 10
"""Assumption: statistical offices publish no count of people below a threshold between 5 and 10."""


class Attribute(Record):
    """One attribute and the share of the population in each of its categories."""

    shares: dict[str, Share] = Field(min_length=2)
    """By category, after merging; sums to 1. The order of the file is kept."""
    ordered: bool = False
    """Neighbouring categories are alike, so that small ones are merged with a neighbour."""
    minimum: Count | None = None
    """People wanted in every category; None: as the population says."""
    unknown: tuple[str, ...] = ()
    """Answers that tell nothing, beside the empty one."""
    question: str = ""
    """How people are asked for it, where a site asks them."""
    merge: dict[str, str] = Field(default_factory=dict)

    def category(self, answer: str) -> str:
        """The category that an answer belongs to, merged; empty for one that tells nothing."""
        return "" if answer in self.unknown else self.merge.get(answer, answer)


class Joint(Record):
    """Quotas by several attributes at once."""

    attributes: tuple[str, ...] = Field(min_length=2)
    shares: dict[str, Share]
    """By combination, such as `18-34 | north`, after merging; sums to 1. One that is left out has nobody in it."""


class Screening(Record):
    """A question that decides who belongs to the population."""

    column: str = Field(min_length=1)
    question: str = ""
    accepted: tuple[str, ...] = Field(min_length=1)
    other: tuple[str, ...] = ()
    """Further answers to offer, where a site asks."""


class Margin(NamedTuple):
    """Shares that a sample is compared with and weighted to, by one attribute or by several."""

    attributes: tuple[str, ...]
    shares: dict[str, float]
    minimum: int = 0
    key: KeyPath = ()

    @property
    def name(self) -> str:
        return " × ".join(self.attributes)


class _Head(Record):
    title: str = ""
    source: str = ""
    participants: Count = 0
    minimum: Count = 0
    suppress_below: int = Field(default=SUPPRESS_BELOW, ge=1, strict=True)


class _Tables(Record):
    attributes: dict[str, dict[str, Any]] = Field(default_factory=dict)
    joint: tuple[dict[str, Any], ...] = ()
    screening: tuple[dict[str, Any], ...] = ()


class Population(_Head):
    """A population file, checked."""

    path: Path
    places: Places = Places(lines={})
    """The lines of the file, for later errors."""
    attributes: dict[str, Attribute]
    joint: tuple[Joint, ...] = ()
    screening: tuple[Screening, ...] = ()

    @property
    def margins(self) -> tuple[Margin, ...]:
        """Every attribute, then every joint quota, which has the population's minimum."""
        single = (
            Margin((name,), one.shares, self.minimum if one.minimum is None else one.minimum, ("attributes", name))
            for name, one in self.attributes.items()
        )
        joint = (Margin(one.attributes, one.shares, self.minimum, ("joint", nth)) for nth, one in enumerate(self.joint))
        return (*single, *joint)

    def where(self, margin: Margin, *category: str) -> Where:
        """The line of a margin, or of one of its categories."""
        return Where(self.path, self.places.line((*margin.key, *(("shares", *category) if category else ()))))


def load_population(path: Path) -> Population:
    """A population file.

    Raises InputError as `read_population`.
    """
    return read_population(read_text(path), path)


def read_population(text: str, path: Path) -> Population:
    """What the text of a population file says; `path`: how faults call it.

    Raises InputError with every fault of the file, each with its line: shares that do not sum to the whole, merges and
    joint quotas that name what is not there, joint quotas that contradict an attribute's.
    """
    file = TomlFile(path, text, what="a population file", error=InputError)
    known = (*_Head.model_fields, *_Tables.model_fields)
    tables = {key: file.data.pop(key) for key in _Tables.model_fields if key in file.data}
    head = file.checked(_Head, file.data, known=known) or _Head()
    found = file.checked(_Tables, tables) or _Tables()
    attributes = {name: one for name, table in found.attributes.items() if (one := _attribute(file, name, table))}
    joint: list[Joint] = []
    for nth, table in enumerate(found.joint):
        joint += _joint(file, nth, table, attributes, joint)
    screening = [
        file.checked(Screening, table, "screening", nth, label="screening") for nth, table in enumerate(found.screening)
    ]
    if not attributes and not len(file):
        file.fault("no attributes", hint="write at least one [attributes.NAME] with shares")
    file.raise_any()
    return Population(
        path=path,
        places=file.places,
        attributes=attributes,
        joint=tuple(joint),
        screening=tuple(one for one in screening if one is not None),
        **head.model_dump(),
    )


def _attribute(file: TomlFile, name: str, table: Mapping[str, Any]) -> Attribute | None:
    """An attribute that can be used, with shares merged and scaled to sum to 1."""
    before, key = len(file), ("attributes", name)
    if name in ("", "participant") or name != name.strip():
        what = f"an attribute cannot be called {shown(name)}"
        file.fault(what, *key, hint="take the name of a column that tells something about participants")
    found = file.checked(Attribute, table, *key, label=name)
    if found is None:
        return None
    shares, merge = found.shares, found.merge
    _check_sum(file, name, shares, *key)
    for source, target in merge.items():
        if source not in shares or target not in shares or source == target:
            what = f"{name}.merge: {shown(target if source in shares else source)} is no category to merge with another"
            file.fault(what, *key, "merge", source, hint=f"categories: {', '.join(shares)}")
        elif target in merge:
            what = f"{name}.merge: {shown(target)} is itself merged"
            file.fault(what, *key, "merge", source, hint="name the last of the chain")
    if len(shares.keys() - merge.keys()) < 2:
        file.fault(f"{name}: fewer than two categories are left", *key, "merge")
    for answer in set(found.unknown) & shares.keys():
        file.fault(f"{name}.unknown: {shown(answer)} has a share, so it is known", *key, "unknown")
    for category in shares:
        if "|" in category or category != category.strip() or not category:
            what = f"{name}: a category cannot be {shown(category)}"
            file.fault(what, *key, "shares", category, hint="no |, no spaces at the ends")
    if len(file) > before:
        return None
    return found.model_copy(update={"shares": _merged(shares, [merge])})


def _joint(
    file: TomlFile, nth: int, table: Mapping[str, Any], attributes: Mapping[str, Attribute], earlier: Sequence[Joint]
) -> list[Joint]:
    """A joint quota that fits its attributes, merged and scaled; nothing if it cannot be used."""
    before, key = len(file), ("joint", nth)
    quota = file.checked(Joint, table, *key, label="joint")
    if quota is None:
        return []
    title, names = f"joint {' × '.join(quota.attributes)}", {*quota.attributes}
    if any(names == {*one.attributes} for one in earlier):
        file.fault("joint: these attributes have a joint quota above", *key, hint="keep one of them")
    if lost := [name for name in quota.attributes if name not in attributes]:
        file.fault(f"{title}: no sound attribute {', '.join(map(shown, lost))}", *key)
    if len(names) < len(quota.attributes):
        file.fault(f"{title}: an attribute is named twice", *key)
    if len(file) > before:
        return []
    parts = [attributes[name] for name in quota.attributes]
    known = [JOINER.join(parts) for parts in product(*([*one.shares, *one.merge] for one in parts))]
    if strange := sorted(quota.shares.keys() - {*known}):
        what = f"{title}: {', '.join(map(shown, strange[:5]))} is no combination"
        hint = f"combinations are written as {shown(known[0])}, in the order of `attributes`"
        file.fault(what, *key, "shares", strange[0], hint=hint)
    _check_sum(file, title, quota.shares, *key)
    if len(file) > before:
        return []
    merged = _merged(quota.shares, [one.merge for one in parts])
    for place, (name, one) in enumerate(zip(quota.attributes, parts, strict=True)):
        for category, share in one.shares.items():
            found = sum(value for key, value in merged.items() if key.split(JOINER)[place] == category)
            if abs(found - share) > ROUNDING:
                what = f"{title}: {name} {shown(category)} sums to {found:.3f}, its own share is {share:.3f}"
                file.fault(what, *key, hint="take both from the same table")
    return [quota.model_copy(update={"shares": merged})]


def _check_sum(file: TomlFile, title: str, shares: Mapping[str, float], *key: str | int) -> None:
    total = sum(shares.values())
    if all(abs(total / whole - 1) > ROUNDING for whole in (1.0, 100.0)):
        what = f"{title}: the shares sum to {total:.6g}"
        file.fault(what, *key, "shares", hint="they must sum to 1, or to 100 per cent")


def _merged(shares: Mapping[str, float], merges: Sequence[Mapping[str, str]]) -> dict[str, float]:
    """Shares of what is left after merging, by category or by combination; they sum to 1."""
    total, merged = sum(shares.values()), dict[str, float]()
    for name, share in shares.items():
        parts = name.split(JOINER) if len(merges) > 1 else [name]
        kept = JOINER.join(merge.get(part, part) for part, merge in zip(parts, merges, strict=True))
        merged[kept] = merged.get(kept, 0.0) + share / total
    return merged
