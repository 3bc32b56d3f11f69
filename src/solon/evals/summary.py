"""`summary.json`: the answer of a run, documented in docs/formats/summary.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

from pydantic import ValidationError, model_validator

from solon.artifacts import canonical_json
from solon.errors import Fault, RunError, Where
from solon.evals.answers import (
    AnswerScore,
    ModelTables,
    PairedDifferences,
    RoundTables,
    model_tables,
    paired_differences,
    round_tables,
)
from solon.evals.labels import Labels
from solon.evals.preference import PreferenceModel
from solon.evals.rollouts import RL
from solon.records import Record

NO_TRUTH = "no grader knows the truth about these prompts; only what can be counted is reported"


class Models(Record):
    """The three models of a run; null if the run did not reach or does not have one."""

    base: ModelTables | None
    sl: ModelTables | None
    rl: ModelTables | None


class Differences(Record):
    """The run's two claims, paired by prompt: less harm where harm is asked for, no less help where help is."""

    harmful_on_harmful_prompts: PairedDifferences | None
    helpful_on_benign_prompts: PairedDifferences | None


class Summary(Record):
    """What a run achieved. Intervals are 95%; `null` means not measured, never zero."""

    format: Literal[1] = 1
    name: str
    """The run file's name for itself."""
    seed: int
    pipeline_seconds: float
    """Wall time of the stages, over all interruptions; without installation."""
    grader: str | None
    """Who judged the answers, e.g. `oracle`."""
    ungraded: str | None
    """Why nobody did, else null."""
    models: Models
    differences: Differences
    revisions: tuple[RoundTables, ...]
    """The assistant's answers to the training prompts after 0, 1, ... revisions."""
    labels: Labels | None
    preference_model: PreferenceModel | None
    rl: RL | None

    @model_validator(mode="after")
    def _graded_or_not(self) -> Self:
        if (self.grader is None) == (self.ungraded is None):
            raise ValueError("a summary names either its grader or the reason it has none")
        return self


def summarise(
    *,
    name: str,
    seed: int,
    pipeline_seconds: float,
    grader: str | None,
    answers: Sequence[AnswerScore],
    revisions: Sequence[AnswerScore] = (),
    labels: Labels | None = None,
    preference_model: PreferenceModel | None = None,
    rl: RL | None = None,
    harms: Sequence[str] = (),
) -> Summary:
    """Puts the measures together. `answers`: of base, SL and RL; `revisions`: of the assistant, with their rounds;
    `harms`: the categories that the grader knows, to be listed even where none occurs."""
    tables = model_tables(answers, harms)
    return Summary(
        name=name,
        seed=seed,
        pipeline_seconds=pipeline_seconds,
        grader=grader,
        ungraded=NO_TRUTH if grader is None else None,
        models=Models(base=tables.get("base"), sl=tables.get("sl"), rl=tables.get("rl")),
        differences=Differences(
            harmful_on_harmful_prompts=paired_differences(answers, "harmful", lambda grade: grade.harmful),
            helpful_on_benign_prompts=paired_differences(answers, "benign", lambda grade: grade.helpful),
        ),
        revisions=round_tables(revisions, harms),
        labels=labels,
        preference_model=preference_model,
        rl=rl,
    )


def summary_json(summary: Summary) -> str:
    """The text of the file: indented, ending with a newline, the same for the same summary."""
    return canonical_json(summary, indent=2).decode()


def read_summary(path: Path) -> Summary:
    """Reads a summary.json; a `RunError` says what is wrong with it."""
    try:
        return Summary.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        hint = "the run has not finished; `solon resume` goes on with it"
        raise RunError(Fault("there is no summary here", Where(path), hint)) from None
    except ValidationError as error:
        faults = [Fault(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}", Where(path)) for e in error.errors()]
        raise RunError(faults) from None
