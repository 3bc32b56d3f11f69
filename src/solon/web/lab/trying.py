"""One principle, step by step, in the thread that computes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from solon.artifacts.finished import FinishedStage
from solon.constitution.principles import Principle
from solon.evals.sensitivity import UnderConstitution
from solon.records import Comparison, Prompt, RevisionRound
from solon.web.modelling import Modelling


@dataclass(frozen=True, kw_only=True)
class Step:
    """How far it is."""

    what: Literal["prompts", "pairs"]
    done: int
    all: int


@dataclass(frozen=True, kw_only=True)
class Chain:
    """A prompt, the assistant's answer to it, and what came of it under the principle."""

    prompt: Prompt
    answer: str
    step: RevisionRound


@dataclass(frozen=True, kw_only=True)
class Move:
    """A pair of the run, and what the judge says of it: under the run's constitution, and under the principle."""

    prompt: Prompt
    before: Comparison
    after: Comparison


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a run's models make of a principle."""

    principle: Principle
    chains: Sequence[Chain]
    moves: Sequence[Move]
    moved: UnderConstitution | None
    """None: no pair could be judged."""
    failed: Counter[str]
    """Rows that gave nothing, by reason."""


def try_out(modelling: Modelling, run: Path, principle: Principle, tell: Callable[[Step], None]) -> Found:
    """Raises `RunError` if the run has no comparisons."""
    from solon.pipeline.trying import Trial

    version = FinishedStage.open(run, "comparisons").manifest.fingerprint
    trial = modelling.kept((run, "trial"), version, lambda: Trial(run))
    chains: list[Chain] = []
    moves: list[Move] = []
    failed = Counter[str]()
    for number, prompt in enumerate(trial.prompts):
        tell(Step(what="prompts", done=number, all=len(trial.prompts)))
        rows = trial.chain(prompt, principle)
        failed += rows.dropped
        chains += [Chain(prompt=prompt, answer=row.initial, step=row.rounds[0]) for row in rows.records]
    for number, before in enumerate(trial.sample.labels):
        tell(Step(what="pairs", done=number, all=len(trial.sample.labels)))
        found = trial.label(before, principle)
        failed += found.dropped
        prompt = trial.sample.run.prompts[before.prompt_id]
        moves += [Move(prompt=prompt, before=before, after=after) for after in found.records]
    moved = trial.moved([one.after for one in moves]) if moves else None
    return Found(principle=principle, chains=chains, moves=moves, moved=moved, failed=failed)
