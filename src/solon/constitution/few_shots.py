"""Few-shot examples: worked critiques, comparisons and reasoned comparisons shown to a model before its own task.

`solon constitution import` writes them to `few_shots.json`; anyone may write that file by hand. The texts are bare:
delimiters, brackets and option letters are added when the examples are rendered.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator

from solon.config.paths import FEW_SHOTS_FILE, shipped_few_shots
from solon.constitution.files import JsonFile, kind
from solon.constitution.texts import Text, non_empty
from solon.errors import ConstitutionError, Where
from solon.records import Record, Turn, order_fault

SHIPPED = Path(__file__).parent / "examples"
"""A folder for each shipped constitution that has examples, of our own writing."""
_SHAPE = "its keys are `critique`, `comparison` and `reasoning`, each a list"


def _awaits_an_answer(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    if not turns or turns[-1].role != "human":
        raise ValueError("must end with a human turn")
    if fault := order_fault(turns):
        raise ValueError(f"has {fault}")
    return tuple(Turn(role=turn.role, text=non_empty(turn.text)) for turn in turns)


Dialogue = Annotated[tuple[Turn, ...], AfterValidator(_awaits_an_answer)]
"""A dialogue up to the point where the assistant answers."""


class CritiqueShot(Record):
    """One answer, criticised and revised."""

    turns: Dialogue
    answer: Text
    critique_request: Text
    critique: Text
    revision_request: Text
    revision: Text


class ComparisonShot(Record):
    """Two answers, of which one is better; which is shown as (A) is drawn when the example is rendered."""

    turns: Dialogue
    better: Text
    worse: Text


class ReasoningShot(Record):
    """Two answers in a fixed order, the reasoning about them (which may say "option (A)"), and the verdict."""

    turns: Dialogue
    first: Text
    """Shown as (A)."""
    second: Text
    """Shown as (B)."""
    question: Text | None = None
    """None: the question of the judgement at hand is put in its place."""
    rationale: Text
    answer: Literal["A", "B"]


class FewShots(Record):
    """All examples of one folder, in order; any kind may be empty."""

    critique: tuple[CritiqueShot, ...] = ()
    comparison: tuple[ComparisonShot, ...] = ()
    reasoning: tuple[ReasoningShot, ...] = ()


def load_few_shots(name_or_folder: str | Path) -> FewShots:
    """Reads `few_shots.json` of a shipped constitution, or of a folder. Raises ConstitutionError with every fault of
    the file and its line."""
    folder = SHIPPED / name_or_folder if str(name_or_folder) in shipped_few_shots() else Path(name_or_folder)
    file = JsonFile(folder / FEW_SHOTS_FILE, missing="`solon constitution import` writes one")
    if not isinstance(file.data, dict):
        raise ConstitutionError(f"must hold an object, not {kind(file.data)}", where=Where(file.path, 1), hint=_SHAPE)
    few_shots = file.checked(FewShots, file.data, known=())
    file.raise_any()
    return few_shots or FewShots()
