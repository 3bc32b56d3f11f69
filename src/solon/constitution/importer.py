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

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from solon.config.paths import FEW_SHOTS_FILE
from solon.constitution import published
from solon.constitution.few_shots import ComparisonShot, FewShots
from solon.constitution.files import JsonFile, kind, write_texts
from solon.constitution.lists import list_toml
from solon.constitution.principles import Constitution, Principle
from solon.errors import ConstitutionError, Fault, Where

CRITIQUE_PAIRS = "CritiqueRevisionInstructions.json"
COMPARISON_QUESTIONS = "RLMadisonInstructions.json"
CRITIQUE_SHOTS = "CritiqueRevisionFewShotPrompts.json"
COMPARISON_SHOTS = "RLMadisonFewShotPrompts.json"
REASONING_SHOTS = "RLMadisonPrecogFewShotPrompts.json"
FILES = (CRITIQUE_PAIRS, COMPARISON_QUESTIONS, CRITIQUE_SHOTS, COMPARISON_SHOTS, REASONING_SHOTS)
_CONSTITUTION_FILE = "constitution.toml"

T = TypeVar("T")


_HINT = "compare it with the published file, or fetch that again"


@dataclass(frozen=True, kw_only=True)
class PublishedFiles:
    """What a folder of published files held."""

    constitution: Constitution
    few_shots: FewShots
    absent: tuple[str, ...]
    """Published files that the folder does not have; what they would have given is simply not there."""


class _File(JsonFile):
    """One published file, and the faults found in it."""

    def refuse(self, what: str, *key: str | int) -> None:
        self.fault(f"{_place(*key)} {what}", *key, hint=_HINT)

    def holds(self, shape: type[T], name: str) -> T | None:
        """The list or object that the file should hold; None, and a fault, if it holds something else or nothing."""
        if isinstance(self.data, shape) and self.data:
            return self.data
        self.refuse("is empty" if self.data == shape() else f"must hold {name}, not {kind(self.data)}")
        return None

    def indices(self) -> range:
        return range(len(self.holds(list, "a list") or ()))

    def text(self, parse: Callable[[str], T], *key: str | int) -> T | None:
        """The text at `key`, parsed; None and a fault if it is not there, not a text or not in the published form.

        A list with one text, as the published files have in places, counts as the text.
        """
        value = self.data
        for part in key:
            if isinstance(part, str) and (not isinstance(value, dict) or part not in value):
                self.refuse("is missing", *key)
                return None
            value = value[part]
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if not isinstance(value, str):
            several = f"{len(value)} of them" if isinstance(value, list) else kind(value)
            self.refuse(f"must be one text, not {several}", *key)
            return None
        try:
            return parse(value)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            self.refuse(f"`{first['loc'][0]}`: {first['msg'].removeprefix('Value error, ')}", *key)
        except ValueError as error:
            self.refuse(str(error), *key)
        return None


def _place(*key: str | int) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")
    return f"`{path or 'the file'}`"


def import_published(folder: Path) -> PublishedFiles:
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
            file.raise_any()
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
    return PublishedFiles(
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
    for key, entry in (file.holds(dict, "an object") or {}).items():
        if not isinstance(entry, dict):
            file.refuse(f"must hold `prompt` and `edit_request`, not {kind(entry)}", key)
            continue
        for extra in entry:
            if extra not in ("prompt", "edit_request"):
                file.refuse("is unknown", key, extra)
        critique = file.text(partial(published.request, "Critique"), key, "prompt")
        revision = file.text(partial(published.request, "Revision"), key, "edit_request")
        if critique and revision:
            yield _principle(file, key, key, "critique", critique_request=critique, revision_request=revision)


def _comparison_questions(file: _File) -> Iterator[Principle | None]:
    for index in file.indices():
        question = file.text(published.comparison_question, index)
        if question:
            yield _principle(file, index, f"comparison{index}", "comparison", comparison_question=question)


def _principle(file: _File, key: str | int, name: str, tag: str, **texts: str) -> Principle | None:
    fields = {"id": name, "title": name, "tags": (tag,), **texts, "source": f"{file.path.name} {key}"}
    return file.checked(Principle, fields, key, label=f"{_place(key)} gives no principle", hint=_HINT)


def _comparison_shots(file: _File) -> Iterator[ComparisonShot | None]:
    for index in file.indices():
        better = file.text(str, index, "corrects")
        worse = file.text(str, index, "incorrects")
        if better is not None and worse is not None:
            yield file.text(partial(published.comparison_shot, better=better, worse=worse), index, "prompt")


_READERS: dict[str, Callable[[_File], Iterator[Any]]] = {
    CRITIQUE_PAIRS: _critique_pairs,
    COMPARISON_QUESTIONS: _comparison_questions,
    CRITIQUE_SHOTS: lambda file: (file.text(published.critique_shot, index) for index in file.indices()),
    COMPARISON_SHOTS: _comparison_shots,
    REASONING_SHOTS: lambda file: (file.text(published.reasoning_shot, index, "prompt") for index in file.indices()),
}


def write_folder(
    constitution: Constitution, few_shots: FewShots, out: Path, *, force: bool = False
) -> tuple[Path, Path]:
    """Writes `constitution.toml` (a list) and `few_shots.json` into `out`, each whole or not at all.

    Raises ConstitutionError if one of them exists and `force` is off, or if the folder cannot be written.
    """
    texts = {
        out / _CONSTITUTION_FILE: list_toml(constitution),
        out / FEW_SHOTS_FILE: json.dumps(few_shots.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n",
    }
    write_texts(texts, force=force)
    return out / _CONSTITUTION_FILE, out / FEW_SHOTS_FILE
