"""What a run's trainings learn from, as tokens: the same for all sides of a claim on training."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from measuring.commands import solon
from measuring.script import Options
from measuring.turns import tell
from solon.artifacts.finished import FinishedStage
from solon.artifacts.run_folder import run_config
from solon.config.paths import EMBEDDED
from solon.export.sets import training_prompts
from solon.lm.engines.local import context_of
from solon.models.memory import ModelSize
from solon.models.outline import load_outline
from solon.models.tokens import encode_prompt
from solon.pipeline.actors import Actors
from solon.records import Comparison, Demonstration
from solon.train.batches import TokenExample, answer_example, fit
from solon.train.preference import PreferenceExample, sequence_tokens
from solon.train.rollouts import PolicyPrompt

FITTING = 1 << 27
"""Layers times width times tokens read at once, at most, where gradients are needed: 8 GiB of what is kept for them.
Assumption."""
AROUND = 8
"""Tokens that a format has around an answer, at most. Assumption."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A model, and the run that is made with it where none was given."""

    name: str
    run_file: str
    doses: tuple[str, ...]
    """Settings of that run, so that it takes minutes."""
    toy_doses: tuple[str, ...]

    def is_of(self, run: Path) -> bool:
        """Whether a run is one of this model: there are but two."""
        return (run_config(run).models.role("base").path == EMBEDDED) == (self.run_file == "world")


ANY_QUALITY = tuple(f"quality.max_{share}=1" for share in ("noise", "unfinished", "echoes", "unchanged"))
"""Speed is measured, and toys write noise."""
EMBEDDED_MODEL = Subject(
    name="embedded model",
    run_file="world",
    doses=("prompts.harmful=96", "prompts.mixed=48", "prompts.benign=96", "prompts.evaluation=8"),
    toy_doses=("prompts.harmful=10", "prompts.mixed=4", "prompts.benign=8", "prompts.evaluation=2"),
)
SMOLLM2 = Subject(
    name="SmolLM2",
    run_file="smollm2",
    doses=("prompts.harmful=64", "prompts.benign=32", "prompts.evaluation=4"),
    toy_doses=("prompts.harmful=8", "prompts.benign=2", "prompts.evaluation=2", "sampling.max_new_tokens=8"),
)


@contextmanager
def run_data(subject: Subject, options: Options) -> Iterator[RunData]:
    """Of a run of this model that was given, else of one made here, as far as its preference model.

    Raises `Skip` without the model.
    """
    given = next((run for run in options.runs if subject.is_of(run)), None)
    with tempfile.TemporaryDirectory() as work:
        run = given or Path(work) / "run"
        if given is None:
            own = [] if subject is EMBEDDED_MODEL else ["--model", str(options.smollm2())]
            tell(f"making a run of the {subject.name} to learn from")
            arguments = ["stage", "pm", subject.run_file, *own, "-o", str(run), "--no-reuse", "--quiet"]
            solon(arguments, (*(subject.toy_doses if options.quick else subject.doses), *ANY_QUALITY))
        yield RunData(run)


class RunData:
    """A run that has come as far as its preference model."""

    def __init__(self, run: Path):
        self.run, self.config = run, run_config(run)
        actors = Actors(config=self.config)
        self.base, self.dtype = actors.path("base"), actors.dtype
        self.tokenizer: PreTrainedTokenizerBase = actors.tokenizer(self.base)
        self.policy, self.preference_model = run / "models/sl/model", run / "models/pm/model"
        self.format = actors.format(self.base)
        self._prompts = training_prompts(FinishedStage.open(run, "prompts"))

    @cached_property
    def _outline(self) -> PreTrainedModel:
        return load_outline(self.base)

    @property
    def context(self) -> int:
        """Tokens that the model reads at once."""
        return context_of(self._outline, self.tokenizer)

    def most_rows(self, longest: int) -> int:
        """Rows of so many tokens, padding and all, that may be trained on at once."""
        size = ModelSize.of(self._outline)
        return FITTING // (size.layers * size.width * longest)

    def prompt(self, prompt_id: str) -> str:
        return self.format.prompt(self._prompts[prompt_id].turns)

    def demonstrations(self) -> list[TokenExample]:
        """Revisions of all rounds and helpful answers."""
        rows = FinishedStage.open(self.run, "models/sl").rows("demonstrations", Demonstration)
        texts = ((row.id, self.prompt(row.prompt_id), row.answer, row.finished) for row in rows)
        examples = (
            answer_example(self.tokenizer, name, prompt, self.format.answer(answer, finished=finished))
            for name, prompt, answer, finished in texts
        )
        return fit(examples, self.context)[0]

    def comparisons(self) -> list[PreferenceExample]:
        """Those with a verdict that is no tie, all of them sure: trainers for hard labels know no other."""
        rows = [row for stage in ("comparisons", "helpfulness") for row in self._compared(stage)]
        examples = (
            PreferenceExample(
                id=row.id,
                prompt_id=row.prompt_id,
                a_ids=self.sequence(row.prompt_id, row.a),
                b_ids=self.sequence(row.prompt_id, row.b),
                p_a_preferred=float(row.p_a_preferred > 0.5),
            )
            for row in rows
            if row.p_a_preferred is not None and row.p_a_preferred != 0.5
        )
        return fit(examples, self.context)[0]

    def _compared(self, stage: str) -> Sequence[Comparison]:
        return FinishedStage.open(self.run, stage).rows("rows", Comparison)

    def sequence(self, prompt_id: str, answer: str) -> tuple[int, ...]:
        """What a preference model reads of an answer."""
        return sequence_tokens(self.tokenizer, self.prompt(prompt_id), self.format.answer(answer))

    def policy_prompts(self) -> list[PolicyPrompt]:
        """Those that leave room for an answer."""
        room = self.context - self.config.sampling.max_new_tokens - AROUND
        asked = (PolicyPrompt(id=name, text=self.prompt(name)) for name in self._prompts)
        return [prompt for prompt in asked if len(encode_prompt(self.tokenizer, prompt.text)) <= room]
