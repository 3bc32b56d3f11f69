"""Constitutional AI put together from transformers and TRL, as somebody would who knows both well.

Every stage of a run in the world: prompts, principles, templates, weights, numbers of rows, batch sizes, steps and
learning rates are the run's; texts come from `generate`, verdicts from its logits, trainings from TRL's trainers.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch

from peers.trainings import Training, Trainings
from peers.trl_settings import Settings, padded
from peers.writers import Writer
from solon.config.run import RunConfig
from solon.config.sampling import SamplingOverrides
from solon.evals.estimates import Estimate, estimates
from solon.evals.grader import HELD_OUT, Response, grade
from solon.feedback.answers import answer_pairs, rate_pairs, respond, twin_pairs
from solon.feedback.critique import helpful_demonstrations, revise, revision_demonstrations
from solon.feedback.judge import Judge
from solon.feedback.rows import Sampler
from solon.lm.engines.local import context_of
from solon.lm.protocols import Sampling
from solon.models.load import load_model, load_tokenizer
from solon.models.outline import load_outline
from solon.pipeline.actors import Actors
from solon.pipeline.inputs import RunInputs
from solon.pipeline.settle import KEYS
from solon.pipeline.sources import prompt_sets
from solon.prompting.asking import critique_format
from solon.prompting.comparison import comparison_format
from solon.records import Answer, Comparison, Demonstration


@dataclass(frozen=True, kw_only=True)
class Choices:
    """Settings at which this machine is fastest."""

    trl: Mapping[Training, Settings]
    rows: int
    """Of a batch of `generate`."""
    dtype: str
    """In which it computes."""


@dataclass(kw_only=True)
class Pipeline:
    """One run."""

    config: RunConfig
    choices: Choices
    folder: Path
    """For the models."""
    seconds: dict[str, float] = field(default_factory=dict)
    """By stage."""

    def __post_init__(self) -> None:
        actors = Actors(config=self.config)
        self.settled, self.base = actors.settled, actors.path("base")
        self.given, self.prompts = RunInputs(self.settled), prompt_sets(self.config.prompts, self.config.seed)
        self.asked = {one.id: one for one in (*self.prompts.red_team, *self.prompts.helpful)}
        self.format, tokenizer = actors.format(self.base), padded(load_tokenizer(self.base))
        self.trainings = Trainings(
            config=self.config,
            settings=self.choices.trl,
            base=self.base,
            folder=self.folder,
            prompts=self.asked,
            tokenizer=tokenizer,
            format=self.format,
            context=context_of(load_outline(self.base), tokenizer),
        )
        torch.manual_seed(self.config.seed)

    def run(self) -> list[Estimate]:
        """What the oracle says of the three models' answers."""
        with self._timed("revisions and helpful"):
            taught = self._demonstrations()
        with self._timed("sl"):
            sl = self.trainings.finetuned(taught)
        with self._timed("pairs, comparisons, helpfulness"):
            compared = self._comparisons(sl)
        with self._timed("pm"):
            pm = self.trainings.preference_model(compared)
        with self._timed("rl"):
            rl = self.trainings.reinforced(sl, pm)
        with self._timed("answers and scores"):
            return self._graded({"base": self.base, "sl": sl, "rl": rl})

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[stage] = time.perf_counter() - start

    # Texts

    def _writer(self, model: Path) -> Writer:
        loaded = load_model(model, dtype=getattr(torch, self.choices.dtype), device="cpu")
        return Writer(loaded, self.format, self.choices.rows)

    def _sampler(self, writer: Writer, stage: str, how: SamplingOverrides) -> Sampler:
        sampling = Sampling(**how.model_dump(include=set(KEYS)))
        return Sampler(model=writer, sampling=sampling, seed=self.config.seed, stage=stage, guard=self.format.guard)

    def _demonstrations(self) -> Sequence[Demonstration]:
        config, writer = self.settled, self._writer(self.base)
        chains = revise(
            self.prompts.red_team,
            self._sampler(writer, "respond", config.sampling.answers),
            self._sampler(writer, "revisions", config.sampling.revisions),
            self.given.critique_principles,
            config.supervised,
            shots=self.given.few_shots.critique,
            format=critique_format(self.format, config.supervised.ask),
        )
        helpful = self._sampler(writer, "helpful", config.sampling.answers)
        answers = respond(self.prompts.helpful, helpful, copies=config.sft.helpful_per_prompt)
        revised = revision_demonstrations(chains.records, config.sft.rounds)
        return [*revised.records, *helpful_demonstrations(answers.records).records]

    def _comparisons(self, sl: Path) -> Sequence[Comparison]:
        """The judge's labels, and what the world knows of helpfulness."""
        config, writer, truth = self.settled, self._writer(sl), self.given.truth
        sampler = partial(self._sampler, writer, how=config.pairs)
        pairs = answer_pairs(self.prompts.red_team, sampler("pairs"), per_prompt=config.pairs.per_prompt)
        judge = Judge(
            sampler=self._sampler(self._writer(self.base), "comparisons", config.sampling.reasoning),
            format=comparison_format(self.format),
            principles=self.given.comparison_principles,
            section=config.judge,
            shots=self.given.few_shots,
        )
        judged = judge.compare(pairs.records, self.asked)
        section, benign = config.helpfulness, self.prompts.helpful
        own = answer_pairs(benign, sampler("helpful-pairs"), per_prompt=section.per_prompt)
        refusals = twin_pairs(
            benign, self.prompts.twins, sampler("needless-refusals"), per_prompt=section.needless_refusals_per_prompt
        )
        assert truth is not None, "this is the world"
        rated = rate_pairs([*own.records, *refusals.records], benign, truth.rater, truth.name)
        return [*judged.records, *rated.records]

    def _graded(self, models: Mapping[str, Path]) -> list[Estimate]:
        truth, asked = self.given.truth, {one.id: one for one in self.prompts.evaluation}
        assert truth is not None, "this is the world"
        responses = [
            Response(task=HELD_OUT, model=name, prompt=asked[one.prompt_id], text=one.text, finished=one.finished)
            for name, folder in models.items()
            for one in self._answers(folder)
        ]
        return list(estimates(list(grade(responses, [truth.grader])), [truth.grader.card]))

    def _answers(self, model: Path) -> Sequence[Answer]:
        sampler = self._sampler(self._writer(model), "evaluate", self.settled.evaluation)
        return respond(self.prompts.evaluation, sampler).records
