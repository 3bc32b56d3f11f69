"""Made-up results: answers, verdicts and looks of which the truth is known, in the place of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from solon.config.monitor import MonitorSection
from solon.config.training import RLSection
from solon.embedded.answers import all_acts, as_text, good_sentences, harm_sentence, help_sentences, style_sentence
from solon.embedded.verdicts import WorldVerdict
from solon.evals.checks import Check
from solon.evals.reliability import log_odds
from solon.evals.statistics import mean
from solon.evals.stopping import Ending, ending_of
from solon.figures.results import Results, Texts
from solon.figures.tasks import Arm
from solon.pipeline.labelled import RunLabels
from solon.records import Prompt, PromptKind
from solon.world.prompts import read_request, world_prompts

SEEDS = (0, 1)
COUNTS: Mapping[PromptKind, int] = {"harmful": 40, "mixed": 40, "benign": 40}
QUESTIONS = 120
At = int | str
"""A number of revisions or steps, or the name of a model."""
Shares = tuple[float, float]
"""Of the prompts of each kind: those whose answer is harmless, and those whose answer helps."""
SECTION = RLSection(monitor=MonitorSection(stop=False, patience=1))


@dataclass(frozen=True, kw_only=True)
class Made(Results):
    """Every prompt has a place in its kind, and the first ones are answered well, as many as the shares say."""

    level: Callable[[str, At], Shares]
    """By the name of an arm."""
    right: Callable[[str, str, str], float]
    """The share of questions that are answered right, by model, task and way."""
    golds: Sequence[float] = ()
    """The share of good answers at each look of the monitor."""
    label: Callable[[str], tuple[float, float]] = lambda arm: (0.5, 0.5)
    """How sure labels of an arm are, and how many are right."""
    asked: int = max(COUNTS.values())
    """Prompts of each kind that are answered behind an arm other than `rl-cai`."""

    def prompts(self, arm: Arm, seed: int) -> dict[str, Prompt]:
        return _prompts(seed)

    def _texts(self, arm: Arm, at: At) -> dict[int, Texts]:
        return {seed: dict(self._of(arm, at, seed)) for seed in SEEDS}

    def _of(self, arm: Arm, at: At, seed: int) -> dict[str, str]:
        harmless, helpful = self.level(arm.name, at)
        found = {}
        for name, prompt in _prompts(seed).items():
            place = int(name.rsplit("-", 1)[1])
            if place < (self.asked if arm.name != "rl-cai" else COUNTS[prompt.kind]):
                share = (place + 0.5) / COUNTS[prompt.kind]
                found[name] = _text(seed, name, share < harmless, share < helpful)
        return found

    def chains(self, arm: Arm) -> list[dict[int, Texts]]:
        return [self._texts(arm, number) for number in range(3)]

    def critique_principles(self, arm: Arm) -> int:
        return 8

    def answers(self, arm: Arm, model: str) -> dict[int, Texts]:
        return self._texts(arm, model)

    def looks(self, arm: Arm) -> dict[int, dict[int, Texts]]:
        return {step: self._texts(arm, step) for step in (0, 10)}

    def likeliest(self, arm: Arm) -> dict[int, dict[int, Texts]]:
        return self.looks(arm)

    def checks(self, arm: Arm) -> dict[int, list[Check]]:
        """The reward rises with every look."""
        return {seed: [check(at, share) for at, share in enumerate(self.golds)] for seed in SEEDS}

    def endings(self, arm: Arm, checks: Mapping[int, Sequence[Check]]) -> dict[int, Ending]:
        return {seed: ending for seed, own in checks.items() if (ending := ending_of(own, SECTION))}

    def labels(self, arm: Arm, seed: int) -> RunLabels:
        sure, right = self.label(arm.name)
        n = 2 * COUNTS["harmful"] if self.asked else 0
        rows = [SimpleNamespace(id=str(k), prompt_id=str(k // 2), p_a_preferred=sure) for k in range(n)]
        truth = {row.id: "a" if (at + 0.5) / n < right else "b" for at, row in enumerate(rows)}
        return cast(RunLabels, SimpleNamespace(rows=rows, better=lambda rows: truth))

    def margins(self, arm: Arm, seed: int) -> dict[str, float]:
        """As sure as the labels, of every other comparison."""
        return {row.id: log_odds(row.p_a_preferred) for row in self.labels(arm, seed).rows[::2]}

    def verdicts(self, model: str) -> dict[int, list[WorldVerdict]]:
        return {seed: list(self._verdicts(model)) for seed in SEEDS}

    def _verdicts(self, model: str) -> list[WorldVerdict]:
        ways = {"pairs": ("at once", "reasoned", "reasoned-5"), "harm": ("at once", "few-shot", "reasoned")}
        ways |= {"hard-pairs": ways["pairs"], "kind": ways["harm"]}
        return [
            verdict(task, way, at, (at + 0.5) / QUESTIONS < self.right(model, task, way) if self.asked else None)
            for task, own in ways.items()
            for way in own
            for at in range(QUESTIONS)
        ]


def verdict(task: str, way: str, at: int, right: bool | None) -> WorldVerdict:
    """Six tenths sure."""
    p = None if right is None else 0.6 if right else 0.4
    said: dict[str, Any] = {"id": f"{task}-{at}", "task": task, "way": way, "p_right": p, "correct": right}
    return WorldVerdict.model_validate(said | {"unscored": "no verdict" if right is None else None})


def check(at: int, share: float) -> Check:
    gold = tuple(float((k + 0.5) / 100 < share) for k in range(100))
    quiet: dict[str, Any] = {"kl": mean([0.0]), "tokens": 1.0, "boilerplate": 0.0, "evasion": None}
    return Check.model_construct(step=5 * at, gold=mean(gold), gold_of=gold, proxy=mean([at, at + 0.1]), **quiet)


@cache
def _prompts(seed: int) -> dict[str, Prompt]:
    return {
        f"{kind}-{at}": prompt.model_copy(update={"id": f"{kind}-{at}"})
        for kind, count in COUNTS.items()
        for at, prompt in enumerate(world_prompts(kind, count, split="training", seed=seed))
    }


@cache
def _text(seed: int, name: str, harmless: bool, helpful: bool) -> str:
    rng, prompt = np.random.default_rng(0), _prompts(seed)[name]
    request = read_request(prompt.turns)
    if prompt.kind == "harmful":
        helpful = harmless
    if prompt.kind == "benign":
        harmless = helpful
    if harmless:
        return as_text(good_sentences(rng, request) if helpful else [style_sentence(rng, "evasive")])
    if prompt.kind == "benign":
        return as_text([style_sentence(rng, "evasive")])
    assert request.situation is not None and request.category is not None
    harm = harm_sentence(rng, request.category, request.situation, all_acts())
    tips = help_sentences(rng, request.task, 1) if helpful and request.task else []
    return as_text([*tips, harm])
