"""The rows of a run that can be read, by shelf: chains, dialogues, answers, judged pairs, rankings, rollouts.

Rows stay on disk; what is held of them is where each begins. A filter reads them once, one after the other, and what
is kept of it is the numbers of those that pass. Stages in progress are read as far as their shards are committed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from solon.artifacts.finished import FinishedStage
from solon.artifacts.manifest import row_files
from solon.artifacts.stored import StoredRows
from solon.config.evaluations import EVALUATED
from solon.evals.grader import Score
from solon.evals.lexical import has_refusal_phrase
from solon.evals.summary import read_summary
from solon.records import Answer, Comparison, Dialogue, Prompt, Ranking, Revision, Rollout
from solon.report.lineage.rows import TABLES
from solon.report.public.language import mark
from solon.report.run import cards
from solon.report.run.cards import Card, Grades
from solon.web.kept import Kept
from solon.web.runs import SUMMARY, Run, Stamp, stamp_of

Row = Revision | Dialogue | Answer | Comparison | Ranking | Rollout
Grade = Literal["", "harmful", "harmless", "unscored"]


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """Rows of one kind, of one or several stages."""

    key: str
    title: str
    stages: Mapping[str, str]
    """File of each stage, by its folder."""
    record: type[Row]
    graded: bool = False
    """The oracle's grades of such rows are kept, where there is an oracle."""


SHELVES = (
    Shelf(
        key="chains", title=mark("Critiques and revisions"), stages={"revisions": "rows"}, record=Revision, graded=True
    ),
    Shelf(
        key="dialogues", title=mark("Answers that explain themselves"), stages={"dialogues": "rows"}, record=Dialogue
    ),
    Shelf(
        key="answers",
        title=mark("Answers"),
        stages={**{f"answers-{model}": "rows" for model in EVALUATED}, "helpful": "rows"},
        record=Answer,
        graded=True,
    ),
    Shelf(
        key="comparisons",
        title=mark("Judged pairs"),
        stages={"comparisons": "rows", "helpfulness": "rows"},
        record=Comparison,
    ),
    Shelf(key="rankings", title=mark("Rankings"), stages={"rankings": "rows"}, record=Ranking),
    Shelf(key="rollouts", title=mark("Rollouts"), stages={"models/rl": "rollouts"}, record=Rollout),
)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody wants to read."""

    kind: str = ""
    stage: str = ""
    grade: Grade = ""
    refusals: bool = False
    """Only where an answer has a stock phrase of refusal."""
    words: tuple[str, ...] = ()
    """All of them stand in the texts of the row or its prompt, whatever their case; or one is an id."""


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What rows are read with."""

    prompts: Mapping[str, Prompt]
    grades: Grades

    @property
    def kinds(self) -> list[str]:
        return list(dict.fromkeys(prompt.kind for prompt in self.prompts.values()))


def shelves_of(run: Run) -> list[Shelf]:
    """Those that have rows."""
    return [shelf for shelf in SHELVES if any(_files(run.path, stage, file) for stage, file in shelf.stages.items())]


def beside(run: Run, kept: Kept) -> Beside:
    """The prompts of a run, and the grades of its answers."""
    return kept.once("beside", run.stamp, lambda: _beside(run.path))


@dataclass(frozen=True, kw_only=True)
class Shelved:
    """The rows of one stage on a shelf."""

    stage: str
    rows: Sequence[Row]
    stamp: Stamp


def shelved(run: Run, shelf: Shelf, kept: Kept) -> list[Shelved]:
    """By stage, in their order. Raises `RunError` if a file is not what its stage made."""
    found = []
    for stage, file in shelf.stages.items():
        if paths := _files(run.path, stage, file):
            stamp = stamp_of(paths)
            rows = kept.once("rows", stamp, lambda: _rows(run.path, stage, file, paths, shelf.record))  # noqa: B023
            found.append(Shelved(stage=stage, rows=rows, stamp=stamp))
    return found


def passing(run: Run, one: Shelved, wish: Wish, kept: Kept) -> Sequence[int]:
    """The numbers of the rows that somebody wants."""
    if wish.stage not in ("", one.stage):
        return ()
    if wish == Wish(stage=wish.stage):
        return range(len(one.rows))
    key = (one.stamp, run.stamp, wish)
    return kept.once("numbers", key, lambda: _passing(one, wish, beside(run, kept)))


def card_of(stage: str, row: Row, known: Beside) -> Card:
    """As the report draws it."""
    match row:
        case Revision():
            return cards.chain(row, known.grades)
        case Dialogue():
            return cards.explained(row)
        case Comparison():
            return cards.compared(row, held_out=False)
        case Ranking():
            return cards.ranked(row)
        case Rollout():
            return cards.rollout(row)
    return cards.answered(row.prompt_id, {stage.removeprefix("answers-"): row}, known.grades)


def _files(run: Path, stage: str, file: str) -> list[Path]:
    folder = run / stage
    return [folder / name for name in row_files(os.listdir(folder), file)] if folder.is_dir() else []


def _rows(run: Path, stage: str, file: str, paths: Sequence[Path], record: type[Row]) -> Sequence[Row]:
    """Of a finished stage those that its manifest lists."""
    finished = FinishedStage.find(run, stage)
    return finished.rows(file, record) if finished else StoredRows(paths, record)


def _beside(run: Path) -> Beside:
    prompts: dict[str, Prompt] = {}
    for kind, stage, file, _ in TABLES:
        if kind == "prompt" and (found := FinishedStage.find(run, stage)):
            prompts |= {row.id: row for row in found.rows(file, Prompt)}
    scored = FinishedStage.find(run, "scores")
    summary = read_summary(run / SUMMARY) if (run / SUMMARY).is_file() else None
    grades = Grades(summary, scored.rows("rows", Score) if scored and summary and summary.grader else ())
    return Beside(prompts=prompts, grades=grades)


def _passing(one: Shelved, wish: Wish, known: Beside) -> Sequence[int]:
    tests = _tests(one.stage, wish, known)
    return [number for number, row in enumerate(one.rows) if all(test(row) for test in tests)]


def _tests(stage: str, wish: Wish, known: Beside) -> list[Callable[[Row], bool]]:
    """The cheapest first."""
    found: list[Callable[[Row], bool]] = []
    if wish.kind:
        kind = wish.kind
        found.append(lambda row: (asked := known.prompts.get(row.prompt_id)) is not None and asked.kind == kind)
    if wish.grade:
        found.append(lambda row: _grade(stage, row, known.grades) == wish.grade)
    if wish.words:
        found.append(lambda row: _has_words(row, wish.words, known.prompts))
    if wish.refusals:
        found.append(lambda row: any(map(has_refusal_phrase, _answers(row))))
    return found


def _grade(stage: str, row: Row, grades: Grades) -> Grade:
    """Of a chain, that of the answer that it ended with; of what was judged, whether every verdict could be read."""
    if isinstance(row, Comparison | Ranking):
        labels = row.labels if isinstance(row, Ranking) else (row,)
        return "unscored" if any(one.outcome == "unscored" for one in labels) else ""
    model = f"assistant@{len(row.rounds)}" if isinstance(row, Revision) else stage.removeprefix("answers-")
    harmful = grades.has(model, row.prompt_id, "harmful") if isinstance(row, Revision | Answer) else None
    return "unscored" if harmful is None else "harmful" if harmful else "harmless"


def _answers(row: Row) -> Sequence[str]:
    match row:
        case Revision():
            return row.texts
        case Dialogue():
            return (row.plain, row.answer)
        case Comparison():
            return (row.a, row.b)
        case Ranking():
            return row.answers
    return (row.text,)


def _texts(row: Row) -> Sequence[str]:
    """All that a row says."""
    match row:
        case Revision():
            return (row.initial, *(text for step in row.rounds for text in (step.critique or "", step.revision)))
        case Dialogue():
            return (row.plain, row.answer, row.question, row.explanation)
        case Comparison():
            return (row.a, row.b, row.rationale or "", row.raw or "", row.unscored or "")
        case Ranking():
            return row.answers
    return (row.text,)


def _has_words(row: Row, words: Sequence[str], prompts: Mapping[str, Prompt]) -> bool:
    asked = prompts.get(row.prompt_id)
    turns = [turn.text for turn in asked.turns] if asked else []
    told = "\n".join((*_texts(row), *turns, row.id, row.prompt_id)).casefold()
    return all(word in told for word in words)
