"""Principles in the formats of others: the schema of Constitutional-Evals, and plain lists.

    constitutional-evals    {"id", "title", "overview", "criteria": [principle, ...], "guidelines": [principle, ...]}
    json                    [principle, ...]
    lines                   one principle a line

All of them hold questions that compare two responses, and nothing else of a principle: what a format cannot carry is
named, both ways. In the files that Constitutional-Evals has not yet governed a criterion is an object, whose
`comparative` is the statement.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from solon.constitution.files import JsonFile, SourceFile, kind, read_text
from solon.constitution.principles import Constitution, Principle
from solon.places import Places

Format = Literal["constitutional-evals", "json", "lines"]
LISTS = (".json", ".txt")
CRITERION = "criterion"
"""The tag of principles that the schema has under `criteria`, and of those of plain lists."""
GUIDELINE = "guideline"
"""The tag of those under `guidelines`: what decides where criteria pull apart, and says little alone."""
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.)])\s+")
_SHAPE = 'an object with "criteria", or a list of texts'
_TAKEN = ("schema_version", "id", "title", "summary", "overview", "criteria", "guidelines")
_NUMBERED = re.compile(rf"(?:{CRITERION}|{GUIDELINE})-\d+")
"""Ids that an import gives."""


@dataclass(frozen=True, kw_only=True)
class ListImport:
    """A list of principles, and what of the file it does not hold."""

    constitution: Constitution
    left: Mapping[str, int]
    """How often each key of the file was passed over."""

    @property
    def guidelines(self) -> int:
        """How many there are beside criteria, from which a selection by tag can tell them."""
        tags = [one.tags for one in self.constitution.principles]
        return tags.count((GUIDELINE,)) if (CRITERION,) in tags else 0


@dataclass(frozen=True, kw_only=True)
class ListExport:
    """The text of a file, and what of the constitution it does not hold."""

    text: str
    principles: int
    left: Mapping[str, int]
    """Of how many principles each key was passed over; of the constitution's own keys how many values."""


def read_principles(path: Path) -> ListImport:
    """A .json or .txt file as comparison questions. Raises ConstitutionError with every fault and its line."""
    return _read_json(path) if path.suffix.lower() == ".json" else _read_lines(path)


def _read_lines(path: Path) -> ListImport:
    file, text = SourceFile(path), read_text(path)
    rows = [(number, _BULLET.sub("", row, count=1).strip()) for number, row in enumerate(text.split("\n"), start=1)]
    found = [(number, row) for number, row in rows if row]
    file.places = Places(lines={(place,): number for place, (number, _) in enumerate(found)})
    return _imported(
        file, path.stem, [(row, CRITERION, (place,)) for place, (_, row) in enumerate(found)], {}, Counter()
    )


def _read_json(path: Path) -> ListImport:
    file = JsonFile(path)
    head: dict[str, Any] = file.data if isinstance(file.data, dict) else {"criteria": file.data}
    left: Counter[str] = Counter(key for key, value in head.items() if key not in _TAKEN and value not in ("", [], {}))
    under = ("criteria",) if isinstance(file.data, dict) else ()
    texts = list(_texts(file, head.get("criteria"), under, CRITERION, left))
    texts += _texts(file, head.get("guidelines", []), ("guidelines",), GUIDELINE, left)
    return _imported(file, path.stem, texts, head, left)


Key = tuple[str | int, ...]


def _texts(file: SourceFile, values: Any, under: Key, tag: str, left: Counter[str]) -> Iterator[tuple[str, str, Key]]:
    """The statements of a list of texts, or of objects that have one as `comparative`."""
    if not isinstance(values, list):
        file.fault(f"must be {_SHAPE}, not {kind(values)}" if tag == CRITERION else f"`{tag}s` must be a list", *under)
        return
    for place, value in enumerate(values):
        if isinstance(value, dict):
            left.update(f"{under[-1] if under else tag}: {key}" for key in value if key != "comparative")
            value = value.get("comparative")
        if isinstance(value, str):
            yield value, tag, (*under, place)
        else:
            hint = "write a text, or an object whose `comparative` is one"
            file.fault(f"{tag} {place + 1} is {kind(value)}", *under, place, hint=hint)


def _imported(
    file: SourceFile, stem: str, texts: list[tuple[str, str, Key]], head: Mapping[str, Any], left: Mapping[str, int]
) -> ListImport:
    counts: Counter[str] = Counter()
    principles = []
    for text, tag, key in texts:
        counts[tag] += 1
        name = f"{tag}-{counts[tag]}"
        fields = {"id": name, "title": name, "comparison_question": text, "tags": (tag,), "source": file.path.name}
        principles.append(file.checked(Principle, fields, *key, label=f"{tag} {counts[tag]}"))
    if not principles and not len(file):
        file.add("has no principles", None, f"write {_SHAPE}, or one principle a line")
    file.raise_any()
    constitution = Constitution(
        name=_said(head, "id") or stem,
        title=_said(head, "title") or stem,
        description="\n\n".join(filter(None, (_said(head, "summary"), _said(head, "overview")))),
        principles=tuple(one for one in principles if one),
    )
    return ListImport(constitution=constitution, left=left)


def _said(head: Mapping[str, Any], key: str) -> str:
    value = head.get(key)
    return value.strip() if isinstance(value, str) else ""


# Export.


def exported(constitution: Constitution, format: Format) -> ListExport:
    """The constitution in a format. Raises ConstitutionError if it has no comparison questions."""
    asked = constitution.comparison_principles()
    return ListExport(text=_WRITERS[format](constitution), principles=len(asked), left=_left(constitution, format))


def _left(constitution: Constitution, format: Format) -> Mapping[str, int]:
    left: Counter[str] = Counter()
    for one in constitution.principles:
        left["principles without a comparison question"] += not one.has_comparison
        left["id"] += not _NUMBERED.fullmatch(one.id)
        left["title"] += one.title != one.id
        left["critique_request and revision_request"] += one.has_critique
        left["weight"] += one.weight != 1.0
        left["tags"] += bool({*one.tags} - {CRITERION, GUIDELINE if format == "constitutional-evals" else CRITERION})
        left["line breaks"] += format == "lines" and "\n" in (one.comparison_question or "")
    if format != "constitutional-evals":
        left["name and title of the constitution"] = 1
        left["description"] = bool(constitution.description)
        left["hard_constraints"] = len(constitution.hard_constraints)
        left["precedence"] = len(constitution.precedence)
    return +left


def _questions(constitution: Constitution, *, guidelines: bool | None = None) -> list[str]:
    """What is asked, of guidelines alone or of all others alone. Of a document the articles, without the instructions
    around them."""
    articles = {one.id: one.text for one in constitution.articles}
    return [
        f"Which response keeps better to this? {one.title}: {articles[one.id]}"
        if one.id in articles
        else one.comparison_question or ""
        for one in constitution.comparison_principles()
        if guidelines in (None, GUIDELINE in one.tags)
    ]


def _evals(constitution: Constitution) -> str:
    """Schema 1.1. A document's hard constraints and its order are guidelines there, in words."""
    titles = {one.id: one.title for one in constitution.principles}
    order = "; ".join(titles[one] for one in constitution.precedence)
    guidelines = [
        *_questions(constitution, guidelines=True),
        *(f"Without exception: {one}" for one in constitution.hard_constraints),
        *([f"Where two of these pull apart, the one named first comes first: {order}."] if order else []),
    ]
    value = {
        "schema_version": "1.1",
        "id": re.sub(r"[^a-z0-9]+", "-", constitution.name.lower()).strip("-") or "constitution",
        "title": constitution.title,
        "version": "0.1.0",
        "role": "supplementary",
        "in_basis": False,
        "overview": constitution.description,
        "criteria": _questions(constitution, guidelines=False),
        "guidelines": guidelines,
    }
    return _json(
        {key: found for key, found in value.items() if found not in ("", [])} | {"criteria": value["criteria"]}
    )


def _lines(constitution: Constitution) -> str:
    return "".join(f"{' '.join(text.split())}\n" for text in _questions(constitution))


_WRITERS: dict[Format, Callable[[Constitution], str]] = {
    "constitutional-evals": _evals,
    "json": lambda constitution: _json(_questions(constitution)),
    "lines": _lines,
}


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
