"""The population a conversation is meant to speak for: a small TOML file.

    title = "Adults in Redshire"
    source = "Census 2021, table 4"
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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import Field, ValidationError

from solon.collective.tables import read_text, shown
from solon.errors import Fault, InputError, Where
from solon.records import Record

Share = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
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
    minimum: int | None = Field(default=None, ge=0)
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
    minimum: int = Field(default=0, ge=0)
    suppress_below: int = Field(default=SUPPRESS_BELOW, ge=1)


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

    @property
    def margins(self) -> tuple[Margin, ...]:
        """Every attribute, then every joint quota."""
        single = (Margin((one.name,), one.shares) for one in self.attributes.values())
        return (*single, *(Margin(one.attributes, one.shares) for one in self.joint))

    def where(self, attribute: str, category: str | None = None) -> Where:
        """The line of an attribute, or of one of its categories."""
        return Where(self.path, line_of(self.text, attribute, category))

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
    file = _File(path=path, text=text, faults=[])
    tables = {key: data.pop(key, None) for key in ("attributes", "joint", "screening")}
    head = file.checked(_Head, data, "")
    attributes = {}
    for name, table in file.named("attributes", tables["attributes"]):
        found = file.checked(Attribute, table, name)
        if found is not None and (sound := _scaled(found, name, file)):
            attributes[name] = sound
    quotas = [file.checked(Joint, table, "joint") for table in file.listed("joint", tables["joint"])]
    joint = [_joint(quota, attributes, file) for quota in quotas if quota is not None]
    screening = [file.checked(Screening, table, "screening") for table in file.listed("screening", tables["screening"])]
    if not attributes and not file.faults:
        file.fault("no attributes", "", hint="write at least one [attributes.NAME] with shares")
    if file.faults or head is None:
        raise InputError(file.faults)
    return Population(
        path=path,
        title=head.title,
        source=head.source,
        minimum=head.minimum,
        suppress_below=head.suppress_below,
        attributes=attributes,
        joint=tuple(one for one in joint if one is not None),
        screening=tuple(one for one in screening if one is not None),
        text=text,
    )


_Kind = TypeVar("_Kind", bound=Record)


@dataclass(frozen=True, kw_only=True)
class _File:
    """A file while it is read, and what is wrong with it so far."""

    path: Path
    text: str
    faults: list[Fault]

    def fault(self, what: str, section: str, key: str | None = None, hint: str | None = None) -> None:
        self.faults.append(Fault(what, Where(self.path, line_of(self.text, section, key)), hint))

    def named(self, section: str, value: Any) -> Iterator[tuple[str, Any]]:
        """The tables `[section.NAME]`."""
        if isinstance(value, dict):
            yield from value.items()
        elif value is not None:
            self.fault(f"{section} must be tables [{section}.NAME]", "", section)

    def listed(self, section: str, value: Any) -> Iterator[Any]:
        """The tables `[[section]]`."""
        if isinstance(value, list):
            yield from value
        elif value is not None:
            self.fault(f"{section} must be tables [[{section}]]", section, section)

    def checked(self, kind: type[_Kind], table: Any, section: str) -> _Kind | None:
        """A table as a record; None, and its faults noted, if it is none."""
        try:
            return kind.model_validate(table)
        except ValidationError as error:
            keys = f"known keys: {', '.join(key for key in kind.model_fields if key != 'name')}"
            for one in error.errors():
                parts = [str(part) for part in one["loc"]]
                unknown = one["type"] == "extra_forbidden"
                what = "unknown key" if unknown else one["msg"][0].lower() + one["msg"][1:]
                place = ".".join([section, *parts] if section else parts)
                self.fault(f"{place}: {what}", section, parts[-1] if parts else None, keys if unknown else None)
            return None

    def sums(self, title: str, shares: Mapping[str, float], section: str) -> None:
        """Notes a fault unless shares sum to 1 or to 100, but for rounding."""
        total = sum(shares.values())
        if all(abs(total / whole - 1) > ROUNDING for whole in (1.0, 100.0)):
            self.fault(
                f"{title}: the shares sum to {total:.6g}", section, hint="they must sum to 1, or to 100 per cent"
            )


def _scaled(attribute: Attribute, name: str, file: _File) -> Attribute | None:
    """With its name, and with shares merged and scaled to sum to 1."""
    before = len(file.faults)
    shares, merge = attribute.shares, attribute.merge
    file.sums(name, shares, name)
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


def _joint(quota: Joint, attributes: Mapping[str, Attribute], file: _File) -> Joint | None:
    """A joint quota that fits its attributes, merged and scaled."""
    before = len(file.faults)
    title = f"joint {' × '.join(quota.attributes)}"
    if lost := [name for name in quota.attributes if name not in attributes]:
        file.fault(f"{title}: no sound attribute {', '.join(map(shown, lost))}", "joint")
        return None
    parts = [attributes[name] for name in quota.attributes]
    known = [JOINER.join(names) for names in product(*([*one.shares, *one.merge] for one in parts))]
    if strange := sorted(set(quota.shares) - set(known)):
        hint = f"combinations are written as {shown(known[0])}, in the order of `attributes`"
        file.fault(f"{title}: {', '.join(map(shown, strange[:5]))} is no combination", "joint", strange[0], hint)
    file.sums(title, quota.shares, "joint")
    if len(file.faults) > before:
        return None
    merged = _merged(quota.shares, tuple(one.merge for one in parts))
    for place, one in enumerate(parts):
        for category, share in one.shares.items():
            found = sum(value for key, value in merged.items() if key.split(JOINER)[place] == category)
            if abs(found - share) > ROUNDING:
                what = f"{title}: {one.name} {shown(category)} sums to {found:.3f}, its own share is {share:.3f}"
                file.fault(what, "joint", hint="take both from the same table")
    return quota.model_copy(update={"shares": merged}) if len(file.faults) == before else None


def line_of(text: str, section: str, key: str | None = None) -> int | None:
    """Line of a table, or of a key in it, counted from 1: the first that looks like it; None if none does."""
    heads = (section, f"attributes.{section}")
    start = None if section else 0
    for number, line in enumerate(text.split("\n"), start=1):
        if found := re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]", line):
            name = re.sub("[\"']", "", found[1])
            inside = any(name == head or name.startswith(f"{head}.") for head in heads)
            if start is None and inside:
                start = number
            elif start is not None and not inside:
                break
        if start is not None and key and re.search(rf"(^|[\s{{,.\"']){re.escape(key)}[\"']?\s*[=.]", line):
            return number
    return start or None
