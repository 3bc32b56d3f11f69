"""The population a conversation is meant to speak for: a small TOML file.

    title = "Adults in Redshire"
    source = "Census 2021, table 4"
    participants = 500           # people wanted altogether
    minimum = 10                 # people wanted in every category, unless an attribute says otherwise
    suppress_below = 10          # published tables hide smaller counts

    [attributes.age]
    ordered = true               # neighbours are like one another
    minimum = 30
    unknown = ["prefer not to say"]
    merge = { "75+" = "55-74" }  # count these as those
    [attributes.age.shares]
    "18-34" = 28
    "35-54" = 34
    "55-74" = 27
    "75+" = 11

    [attributes.region]
    shares = { north = 0.4, south = 0.6 }

    [[joint]]                    # optional: quotas by several attributes at once
    attributes = ["age", "region"]
    shares = { "18-34 | north" = 10, "18-34 | south" = 18 }  # and so on, every combination

    [[screening]]
    column = "resident"
    question = "Do you live in Redshire?"
    accepted = ["yes"]

Shares are fractions or percentages. Rounded ones need not sum to the whole exactly; they are scaled to it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from solon.collective.people.toml_faults import TomlFile, line_of, line_of_fault
from solon.collective.tables import read_text, shown
from solon.errors import InputError, Where
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

    name: str = ""
    shares: dict[str, Share] = Field(min_length=2)
    """By category, after merging; sums to 1. The order of the file is kept."""
    ordered: bool = False
    """Neighbouring categories are alike, so that small ones are merged with a neighbour."""
    minimum: Count | None = None
    """People wanted in every category; None: as the population says."""
    unknown: tuple[str, ...] = ()
    """Answers that tell nothing, beside the empty one."""
    merge: dict[str, str] = Field(default_factory=dict)
    """Categories counted as another."""


class Joint(Record):
    """Quotas by several attributes at once."""

    attributes: tuple[str, ...] = Field(min_length=2)
    shares: dict[str, Share]
    """By combination, such as `18-34 | north`, after merging; sums to 1. One that is left out has nobody in it."""


class Screening(Record):
    """A question that decides who belongs to the population."""

    column: str = Field(min_length=1)
    """Of the attributes file."""
    question: str = ""
    accepted: tuple[str, ...] = Field(min_length=1)


class _Head(Record):
    title: str = ""
    source: str = ""
    participants: Count = 0
    minimum: Count = 0
    suppress_below: int = Field(default=SUPPRESS_BELOW, ge=1, strict=True)


class Margin(NamedTuple):
    """Shares that a sample is compared with and weighted to, by one attribute or by several."""

    attributes: tuple[str, ...]
    shares: dict[str, float]

    @property
    def name(self) -> str:
        return " × ".join(self.attributes)


@dataclass(frozen=True, kw_only=True)
class Population:
    """A population file, checked."""

    path: Path
    title: str
    source: str
    """Where the shares come from."""
    minimum: int
    suppress_below: int
    attributes: dict[str, Attribute]
    joint: tuple[Joint, ...]
    screening: tuple[Screening, ...]
    text: str
    """Of the file, to name lines in later errors."""
    participants: int = 0
    """People wanted altogether."""

    @property
    def margins(self) -> tuple[Margin, ...]:
        """Every attribute, then every joint quota."""
        single = (Margin((one.name,), one.shares) for one in self.attributes.values())
        return (*single, *(Margin(one.attributes, one.shares) for one in self.joint))

    def where(self, margin: Margin, category: str | None = None) -> Where:
        """The line of a margin, or of one of its categories."""
        if len(margin.attributes) == 1:
            return Where(self.path, line_of(self.text, margin.attributes[0], category))
        nth = [one.attributes for one in self.joint].index(margin.attributes)
        return Where(self.path, line_of(self.text, "joint", category, nth=nth))

    def minimum_of(self, margin: Margin) -> int:
        """People wanted in each category of a margin. Joint quotas have the population's minimum."""
        own = self.attributes[margin.attributes[0]].minimum if len(margin.attributes) == 1 else None
        return self.minimum if own is None else own


def load_population(path: Path) -> Population:
    """A population file.

    Raises:
        InputError: with every fault of the file, each with its line: shares that do not sum to the whole, merges and
            joint quotas that name what is not there, joint quotas that contradict an attribute's.
    """
    text = read_text(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise InputError(f"not TOML: {error}", where=Where(path, int(line[1]) if line else None)) from None
    file = TomlFile(path=path, text=text)
    tables = {key: data.pop(key, None) for key in ("attributes", "joint", "screening")}
    head = file.checked(_Head, data, "")
    attributes = {}
    for name, table in file.named("attributes", tables["attributes"]):
        if name != name.strip() or name in ("", "participant"):
            what = f"an attribute cannot be called {shown(name)}"
            file.fault(what, name, hint="take the name of a column that tells something about participants")
        found = file.checked(Attribute, table, name)
        if found is not None and (sound := _scaled(found, name, file)):
            attributes[name] = sound
    joint = _joints(tables["joint"], attributes, file)
    listed = enumerate(file.listed("screening", tables["screening"]))
    screening = [file.checked(Screening, table, "screening", nth=nth) for nth, table in listed]
    if not attributes and not file.faults:
        file.fault("no attributes", "", hint="write at least one [attributes.NAME] with shares")
    if file.faults or head is None:
        raise InputError(sorted(file.faults, key=line_of_fault))
    return Population(
        path=path,
        title=head.title,
        source=head.source,
        participants=head.participants,
        minimum=head.minimum,
        suppress_below=head.suppress_below,
        attributes=attributes,
        joint=joint,
        screening=tuple(one for one in screening if one is not None),
        text=text,
    )


def _check_sum(file: TomlFile, title: str, shares: Mapping[str, float], section: str, nth: int = 0) -> None:
    """Notes a fault unless shares sum to 1 or to 100, but for rounding."""
    total = sum(shares.values())
    if all(abs(total / whole - 1) > ROUNDING for whole in (1.0, 100.0)):
        hint = "they must sum to 1, or to 100 per cent"
        file.fault(f"{title}: the shares sum to {total:.6g}", section, hint=hint, nth=nth)


def _scaled(attribute: Attribute, name: str, file: TomlFile) -> Attribute | None:
    """With its name, and with shares merged and scaled to sum to 1."""
    before = len(file.faults)
    shares, merge = attribute.shares, attribute.merge
    _check_sum(file, name, shares, name)
    for source, target in merge.items():
        if source not in shares or target not in shares or source == target:
            lost = shown(source if source not in shares else target)
            what = f"{name}.merge: {lost} is no category to merge with another"
            file.fault(what, name, "merge", f"categories: {', '.join(shares)}")
        elif target in merge:
            file.fault(f"{name}.merge: {shown(target)} is itself merged", name, "merge", "name the last of the chain")
    if len(set(shares) - set(merge)) < 2:
        file.fault(f"{name}: fewer than two categories are left", name, "merge")
    for answer in attribute.unknown:
        if answer in shares:
            file.fault(f"{name}.unknown: {shown(answer)} has a share, so it is known", name, "unknown")
    for category in shares:
        if "|" in category or category != category.strip() or not category:
            file.fault(f"{name}: a category cannot be {shown(category)}", name, category, "no |, no spaces at the ends")
    if len(file.faults) > before:
        return None
    return attribute.model_copy(update={"name": name, "shares": _merged(shares, (merge,))})


def _merged(shares: Mapping[str, float], merges: tuple[Mapping[str, str], ...]) -> dict[str, float]:
    total, merged = sum(shares.values()), dict[str, float]()
    for key, share in shares.items():
        parts = key.split(JOINER) if len(merges) > 1 else [key]
        kept = JOINER.join(merge.get(part, part) for part, merge in zip(parts, merges, strict=True))
        merged[kept] = merged.get(kept, 0.0) + share / total
    return merged


def _joints(value: Any, attributes: Mapping[str, Attribute], file: TomlFile) -> tuple[Joint, ...]:
    """The joint quotas that can be used."""
    found: list[Joint] = []
    for nth, table in enumerate(file.listed("joint", value)):
        quota = file.checked(Joint, table, "joint", nth=nth)
        if quota is None:
            continue
        if any({*quota.attributes} == {*one.attributes} for one in found):
            file.fault("joint: these attributes have a joint quota above", "joint", hint="keep one of them", nth=nth)
        elif sound := _joint(quota, attributes, file, nth):
            found.append(sound)
    return tuple(found)


def _joint(quota: Joint, attributes: Mapping[str, Attribute], file: TomlFile, nth: int) -> Joint | None:
    """A joint quota that fits its attributes, merged and scaled."""
    before = len(file.faults)
    title = f"joint {' × '.join(quota.attributes)}"
    lost = [name for name in quota.attributes if name not in attributes]
    if lost or len({*quota.attributes}) < len(quota.attributes):
        what = f"no sound attribute {', '.join(map(shown, lost))}" if lost else "an attribute is named twice"
        file.fault(f"{title}: {what}", "joint", nth=nth)
        return None
    parts = [attributes[name] for name in quota.attributes]
    known = [JOINER.join(names) for names in product(*([*one.shares, *one.merge] for one in parts))]
    if strange := sorted(set(quota.shares) - set(known)):
        hint = f"combinations are written as {shown(known[0])}, in the order of `attributes`"
        file.fault(f"{title}: {', '.join(map(shown, strange[:5]))} is no combination", "joint", strange[0], hint, nth)
    _check_sum(file, title, quota.shares, "joint", nth)
    if len(file.faults) > before:
        return None
    merged = _merged(quota.shares, tuple(one.merge for one in parts))
    for place, one in enumerate(parts):
        for category, share in one.shares.items():
            found = sum(value for key, value in merged.items() if key.split(JOINER)[place] == category)
            if abs(found - share) > ROUNDING:
                what = f"{title}: {one.name} {shown(category)} sums to {found:.3f}, its own share is {share:.3f}"
                file.fault(what, "joint", hint="take both from the same table", nth=nth)
    return quota.model_copy(update={"shares": merged}) if len(file.faults) == before else None
