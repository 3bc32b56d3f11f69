"""A principle tried out on a finished run: what its assistant makes of a few prompts, and its judge of a few pairs.

By the functions of the run's own stages, one row at a time.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

from solon.constitution.principles import Principle
from solon.evals.sensitivity import GIVEN, UnderConstitution, sensitivity
from solon.feedback.critique import revise
from solon.feedback.judge import Judge
from solon.feedback.rows import Rows
from solon.pipeline.actors import Actor, Actors
from solon.pipeline.asking_again import Sample, sample_of
from solon.progress import Reporter
from solon.prompting.asking import critique_format
from solon.records import Comparison, Pair, Prompt, Revision

PAIRS, PROMPTS = 10, 3


@dataclass(frozen=True)
class Trial:
    """A run to try principles on. Its models are loaded when they are first asked."""

    run: Path

    @cached_property
    def sample(self) -> Sample:
        """Some of the run's pairs, with what its judge said of them, and the judge."""
        return sample_of(self.run, (), PAIRS, Reporter(io.StringIO()))

    @cached_property
    def _actors(self) -> Actors:
        return Actors(config=self.sample.run.given.config, run=self.run)

    @cached_property
    def _assistant(self) -> Actor:
        return self._actors.actor("assistant", None, lambda rows, tokens: None)

    @property
    def prompts(self) -> Sequence[Prompt]:
        """Some of those that the pairs answer."""
        asked = dict.fromkeys(row.prompt_id for row in self.sample.labels)
        return [self.sample.run.prompts[name] for name in asked][:PROMPTS]

    def chain(self, prompt: Prompt, principle: Principle) -> Rows[Revision]:
        """The assistant's answer, its critique and revision under this principle, as the stage `revisions` makes
        them; none where the row fails, with the reason."""
        given, config = self.sample.run.given, self._actors.settled
        section = config.supervised.model_copy(update={"rounds": 1, "critique": True, "gate": False})
        return revise(
            [prompt],
            self._assistant.sampler("respond", config.sampling.answers),
            self._assistant.sampler("revisions", config.sampling.revisions),
            [principle],
            section,
            shots=given.few_shots.critique,
            format=critique_format(self._assistant.format, section.ask),
        )

    def label(self, row: Comparison, principle: Principle) -> Rows[Comparison]:
        """What the judge says of a pair under a constitution of this principle alone, as the stage `comparisons` asks;
        none where the row fails."""
        own = {one.name: getattr(self.sample.judge, one.name) for one in fields(Judge)}
        alone = {"decide": "mean", "principles": 1}
        own |= {"principles": [principle], "section": self.sample.judge.section.model_copy(update=alone)}
        pair = Pair(id=row.id, prompt_id=row.prompt_id, a=row.a, b=row.b)
        return Judge(**own).compare([pair], self.sample.run.prompts)

    def moved(self, labels: Sequence[Comparison]) -> UnderConstitution:
        """How far these labels are from those of the run."""
        ids = {row.id for row in labels}
        before = [row for row in self.sample.labels if row.id in ids]
        identity = self.sample.judge.sampler.model.identity
        return sensitivity(identity, {GIVEN: before, "new": labels}, None).constitutions[1]
