"""A run walked through without its models: every text is a filler of the greatest length, and what is asked is counted.

No model is trained. So the counts are at most what the run will need.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np

from solon.artifacts.reuse import OtherRuns
from solon.artifacts.run_folder import RunFolder
from solon.config.engines import EndpointSection
from solon.config.models import ModelRole
from solon.config.run import RunConfig
from solon.feedback.scenarios import SCENARIO, scenario_id
from solon.lm.endpoint import VERDICT
from solon.lm.engines import reads_folder
from solon.lm.engines.scripted import ScriptedModel
from solon.lm.protocols import SampleRequest, ScoreRequest
from solon.pipeline.actors import Actors
from solon.pipeline.article_stages import keep_scenarios, make_dialogues, requests
from solon.pipeline.inputs import RunInputs
from solon.pipeline.monitoring import monitoring_judge
from solon.pipeline.run import Pipeline
from solon.pipeline.sources import RED_TEAM
from solon.pipeline.stage import Stage
from solon.pipeline.stages import stages_of
from solon.pipeline.work import Work
from solon.progress import Reporter
from solon.prompting.chat_template import DialogueFormat
from solon.records import Pair, Prompt, Turn
from solon.seeds import derive_seed

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CHARACTERS = 4
"""Of a token, where an engine keeps its tokenizer to itself. Assumption: English."""
SCENARIO_WORDS = 30
"""Of a prompt that is still to be written. Assumption."""
_WORDS = (
    *("time", "year", "people", "way", "day", "thing", "life", "child", "world", "school", "state", "family", "group"),
    *("country", "hand", "part", "place", "case", "week", "work", "number", "night", "point", "home", "water", "room"),
    *("area", "money", "story", "fact", "month", "right", "book", "eye", "job", "word", "side", "kind", "head"),
)
"""A token each in most vocabularies."""


@dataclass(frozen=True, kw_only=True)
class Volume:
    """What a stage asks of models, at most."""

    calls: int
    """Completions and scorings."""
    tokens_read: int
    """Of all prompts. Beginnings that an engine reads once count each time."""
    tokens_written: int

    def times(self, more: float) -> Volume:
        """So many times as much."""
        return Volume(**{field.name: math.ceil(more * getattr(self, field.name)) for field in fields(self)})


def volumes(run: RunFolder) -> dict[str, dict[ModelRole, Volume]]:
    """Of every stage that asks models for texts or verdicts, by its name and the role that is asked; of `MONITORED`,
    where the monitor of RL asks a judge."""
    walk, found = Pipeline(run, Reporter(sys.stderr), OtherRuns()), {}
    stages = stages_of(run.config)[:-1]  # the last one grades
    for stage in (*stages, MONITORED) if run.config.gold == "judge" else stages:
        walk.actors = fillers = _Fillers(run.config)
        walk.do(
            replace(stage, body=_BODIES.get(stage.name, _untrained)) if stage.trains or stage.name in _BODIES else stage
        )
        found[stage.name] = {role: asked.volume() for role, asked in fillers.asked.items()}
    return found


def _untrained(work: Work) -> None:
    with work.folder.new_folder("model"):
        pass


def _written(work: Work) -> None:
    """As many scenarios as there may be, asked for as ever: what fillers write is no prompt."""
    requests(work)
    count, words = work.config.scenarios.per_article, " ".join(_WORDS[:SCENARIO_WORDS])
    keep_scenarios(
        work,
        [
            Prompt(
                id=scenario_id(one.id, number),
                kind=SCENARIO,
                turns=(Turn(role="human", text=words),),
                principle_id=one.id,
            )
            for one in work.given.articles
            for number in range(count)
        ],
    )


def _explained(work: Work) -> None:
    """Explanations by fillers name no article; the judge is asked of all of them."""
    make_dialogues(work, fault=lambda *_: None)


def _nothing(work: Work) -> None:
    """A regressor scores no fillers."""


_BODIES = {"scenarios": _written, "dialogues": _explained, "harmfulness": _nothing}
"""In the place of those that would make nothing of fillers."""


@partial(
    Stage,
    "monitored",
    "The monitor's judge compares the answers of every pair.",
    reads=("pairs", RED_TEAM),
    roles=("judge",),
    weights=("judge",),
    asks=("judge",),
    hashes=(RunInputs.monitor_texts,),
)
def MONITORED(work: Work) -> None:
    """Of a walk alone: a run's monitor compares the answers of RL."""
    judge = monitoring_judge(work)
    judge.compare(work.read("pairs", Pair), work.prompts.by_id(), work.given.monitor_principle)


class _Fillers(Actors):
    """Models of all roles that write fillers."""

    def __init__(self, config: RunConfig) -> None:
        super().__init__(config=config)
        self.asked: dict[ModelRole, _Asked] = {}

    def language_model(self, folder: Path, role: ModelRole, *_: object) -> ScriptedModel:
        apart = 0 if folder == self.path(role) else derive_seed(0, folder.parent.name)
        model = ScriptedModel(partial(_filler, apart=apart), format=self.format(folder, role))
        self.asked[role] = _Asked(model=model, tokens=self._counter(role), verdict=self._verdict(role))
        return model

    def _verdict(self, role: ModelRole) -> tuple[int, int]:
        """Calls that a verdict takes, and tokens that each writes, at most: a server is not asked, and may give no
        log-probabilities."""
        own = self.config.models.role(role)
        return (1, 1) if reads_folder(own.engine) else ((own.endpoint or EndpointSection()).samples, VERDICT)

    def format(self, folder: Path, role: ModelRole = "base") -> DialogueFormat:
        """Trained models are written to as `base` is."""
        return super().format(self.path(role), role)

    def tokenizer(self, folder: Path) -> PreTrainedTokenizerBase:
        """Trained models have that of `base`."""
        own = {self.path(role) for role in get_args(ModelRole)}
        return super().tokenizer(folder if folder in own else self.path("base"))

    def _counter(self, role: ModelRole) -> Callable[[str], int]:
        if not reads_folder(self.config.models.role(role).engine):
            return lambda text: -(-len(text) // CHARACTERS)
        tokenizer = self.tokenizer(self.path(role))
        return lambda text: len(tokenizer.encode(text, add_special_tokens=False))


@dataclass(frozen=True, kw_only=True)
class _Asked:
    model: ScriptedModel
    tokens: Callable[[str], int]
    verdict: tuple[int, int]
    """Calls that one takes, and tokens that each of these writes."""

    def volume(self) -> Volume:
        sampled, scored = self.model.sampled, self.model.scored
        calls, written = self.verdict
        return Volume(
            calls=len(sampled) + calls * len(scored),
            tokens_read=sum(self.tokens(one.prompt) for one in sampled)
            + calls * sum(self.tokens(one.prompt + _text(one)) for one in scored),
            tokens_written=sum(one.max_new_tokens for one in sampled) + calls * written * len(scored),
        )


def _text(request: ScoreRequest) -> str:
    """What is scored, where it is no choice between options."""
    return request.options[0] if len(request.options) == 1 else ""


def _filler(request: SampleRequest, apart: int = 0) -> str:
    """As long as may be without being cut off; no two are alike, for pairs of equal answers are left out. `apart`: a
    number of the model."""
    chosen = np.random.Generator(np.random.Philox(key=(request.seed + apart) % (1 << 64))).choice(
        _WORDS, size=max(1, request.max_new_tokens - 1)
    )
    return " ".join(chosen)
