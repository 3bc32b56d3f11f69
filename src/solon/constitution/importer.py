"""Importing the files that were published with Constitutional AI into a constitution and few-shot examples.

    file                                 shape
    CritiqueRevisionInstructions.json    {key: {"prompt": [critique request], "edit_request": revision request}}
    RLMadisonInstructions.json           [comparison question]
    CritiqueRevisionFewShotPrompts.json  [dialogue, critique and revision in one text]
    RLMadisonFewShotPrompts.json         [{"prompt": dialogue, "corrects": [better], "incorrects": [worse]}]
    RLMadisonPrecogFewShotPrompts.json   [{"prompt": dialogue, slot, options, reasoning and verdict in one text}]

The first two become principles: critique pairs keep their keys as ids, comparison questions are numbered, and both name
their file and key as source. The paper used two different sets of 16; an import keeps them apart, none has both texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from solon.constitution import published
from solon.constitution.faults import Faults
from solon.constitution.few_shots import ComparisonShot, CritiqueShot, FewShots, ReasoningShot
from solon.constitution.principles import Constitution, Principle
from solon.constitution.reading import kind, parse_json, read_text
from solon.errors import ConstitutionError, Fault, Where
from solon.places import KeyPath, Places, json_places

CRITIQUE_PAIRS = "CritiqueRevisionInstructions.json"
COMPARISON_QUESTIONS = "RLMadisonInstructions.json"
CRITIQUE_SHOTS = "CritiqueRevisionFewShotPrompts.json"
COMPARISON_SHOTS = "RLMadisonFewShotPrompts.json"
REASONING_SHOTS = "RLMadisonPrecogFewShotPrompts.json"
_AS_PUBLISHED = "compare it with the published file, or fetch that again"
FILES = (CRITIQUE_PAIRS, COMPARISON_QUESTIONS, CRITIQUE_SHOTS, COMPARISON_SHOTS, REASONING_SHOTS)

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What a folder of published files held."""

    constitution: Constitution
    few_shots: FewShots
    absent: tuple[str, ...]
    """Published files that the folder does not have; what they would have given is simply not there."""


class _File:
    """One published file that has been read, and the faults found in it."""

    def __init__(self, path: Path) -> None:
        text = read_text(path)
        self.value = parse_json(path, text)
        self.where: Places = json_places(text)
        self.faults = Faults(path)
        self.faults.add_repeated_keys(self.where)

    def fault(self, key: KeyPath, what: str) -> None:
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")
        self.faults.add(f"`{place or 'the file'}` {what}", self.where.line(key), _AS_PUBLISHED)

    def indices(self) -> range:
        """The indices of the list that the file should hold; none, and a fault, if it holds no list or an empty one."""
        if isinstance(self.value, list) and self.value:
            return range(len(self.value))
        self.fault((), "is empty" if self.value == [] else f"must hold a list, not {kind(self.value)}")
        return range(0)

    def entries(self) -> dict[str, Any]:
        """The entries of the object that the file should hold; none, and a fault, if it holds no object."""
        if isinstance(self.value, dict) and self.value:
            return self.value
        self.fault((), "is empty" if self.value == {} else f"must hold an object, not {kind(self.value)}")
        return {}

    def text(self, key: KeyPath, parse: Callable[[str], T]) -> T | None:
        """The text at `key`, parsed; None and a fault if it is not there, not a text or not in the published form.

        A list with one text, as the published files have in places, counts as the text.
        """
        value = self.value
        for part in key:
            if isinstance(part, str) and (not isinstance(value, dict) or part not in value):
                self.fault(key, "is missing")
                return None
            value = value[part]
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if not isinstance(value, str):
            several = f"{len(value)} of them" if isinstance(value, list) else kind(value)
            self.fault(key, f"must be one text, not {several}")
            return None
        try:
            return parse(value)
        except ValueError as error:
            self.fault(key, str(error))
            return None


def import_published(folder: Path) -> Imported:
    """Reads every published file in `folder`. Raises ConstitutionError with all faults of all files."""
    paths = {name: folder / name for name in FILES if (folder / name).exists()}
    if CRITIQUE_PAIRS not in paths and COMPARISON_QUESTIONS not in paths:
        raise ConstitutionError(_nothing_to_import(folder))
    found: list[Fault] = []
    results: dict[str, list[Any]] = {name: [] for name in FILES}
    for name, path in paths.items():
        try:
            file = _File(path)
            results[name] = [entry for entry in _READERS[name](file) if entry is not None]
            file.faults.raise_any()
        except ConstitutionError as error:
            found += error.faults
    principles = results[CRITIQUE_PAIRS] + results[COMPARISON_QUESTIONS]
    found += _shared_ids(principles, folder)
    if found:
        raise ConstitutionError(found)
    constitution = Constitution(
        name="cai-2022",
        title="Constitutional AI (2022), as published",
        description="Imported from the files published with arXiv 2212.08073.",
        principles=tuple(principles),
    )
    few_shots = FewShots(
        critique=tuple(results[CRITIQUE_SHOTS]),
        comparison=tuple(results[COMPARISON_SHOTS]),
        reasoning=tuple(results[REASONING_SHOTS]),
    )
    return Imported(
        constitution=constitution, few_shots=few_shots, absent=tuple(name for name in FILES if name not in paths)
    )


def _nothing_to_import(folder: Path) -> Fault:
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "there is no such folder"
        return Fault(what, Where(folder), f"give the folder that holds {CRITIQUE_PAIRS}")
    inside = [child for child in sorted(folder.iterdir()) if (child / CRITIQUE_PAIRS).is_file()]
    hint = f"did you mean `{inside[0]}`?" if inside else f"looked for {' and '.join(FILES[:2])}"
    return Fault("holds none of the published instruction files", Where(folder), hint)


def _shared_ids(principles: list[Principle], folder: Path) -> list[Fault]:
    """A key of the critique pairs may, in a foreign file, equal a number given to a comparison question."""
    ids = [principle.id for principle in principles]
    return [
        Fault(f"the id `{name}` would be used twice", Where(folder / CRITIQUE_PAIRS), "rename that key")
        for name in sorted({name for name in ids if ids.count(name) > 1})
    ]


def _critique_pairs(file: _File) -> Iterator[Principle | None]:
    for key, entry in file.entries().items():
        if not isinstance(entry, dict):
            file.fault((key,), f"must hold `prompt` and `edit_request`, not {kind(entry)}")
            continue
        for extra in entry.keys() - {"prompt", "edit_request"}:
            file.fault((key, extra), "is unknown")
        critique = file.text((key, "prompt"), published.critique_request)
        revision = file.text((key, "edit_request"), published.revision_request)
        if critique and revision:
            texts = {"critique_request": critique, "revision_request": revision}
            yield _principle(file, (key,), {"id": key, "title": key, "tags": ("critique",), **texts})


def _comparison_questions(file: _File) -> Iterator[Principle | None]:
    for index in file.indices():
        question = file.text((index,), published.comparison_question)
        if question:
            name = f"comparison{index}"
            fields = {"id": name, "title": name, "tags": ("comparison",), "comparison_question": question}
            yield _principle(file, (index,), fields)


def _principle(file: _File, key: KeyPath, fields: dict[str, Any]) -> Principle | None:
    source = f"{file.faults.path.name} {key[0]}"
    try:
        return Principle.model_validate({**fields, "source": source})
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            file.fault(key, f"gives no principle: `{detail['loc'][0]}` {detail['msg'].removeprefix('Value error, ')}")
        return None


def _critique_shots(file: _File) -> Iterator[CritiqueShot | None]:
    for index in file.indices():
        yield file.text((index,), published.critique_shot)


def _comparison_shots(file: _File) -> Iterator[ComparisonShot | None]:
    for index in file.indices():
        better = file.text((index, "corrects"), str)
        worse = file.text((index, "incorrects"), str)
        if better is not None and worse is not None:
            yield file.text((index, "prompt"), partial(published.comparison_shot, better=better, worse=worse))


def _reasoning_shots(file: _File) -> Iterator[ReasoningShot | None]:
    for index in file.indices():
        yield file.text((index, "prompt"), published.reasoning_shot)


_READERS: dict[str, Callable[[_File], Iterator[Any]]] = {
    CRITIQUE_PAIRS: _critique_pairs,
    COMPARISON_QUESTIONS: _comparison_questions,
    CRITIQUE_SHOTS: _critique_shots,
    COMPARISON_SHOTS: _comparison_shots,
    REASONING_SHOTS: _reasoning_shots,
}
