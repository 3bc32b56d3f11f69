"""A model that a stage trains, and what its training needs of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from solon.config.keys import key_of
from solon.config.training import DPOSection, EpochsSection, OptimizerSection, PreferenceSection
from solon.evals.checks import Look
from solon.evals.stopping import ending_of
from solon.lm.engines.local import LocalModel, context_of
from solon.lm.packed import packs
from solon.models.adapters import add_adapters, fold
from solon.models.load import save_model
from solon.models.rates import product_rate
from solon.models.tokens import add_end, pad_id
from solon.pipeline.stage import Facts
from solon.pipeline.work import Work
from solon.records import Comparison, Record
from solon.train.batches import Example, fit
from solon.train.early_stopping import held_out
from solon.train.flops import FlopCounter
from solon.train.forest import fault_of_flex
from solon.train.loop import TrainContext, TrainStep
from solon.train.parallel import ALONE
from solon.train.preference import (
    PreferenceExample,
    sequence_tokens,
    split_by_prompt,
)
from solon.train.sharding import Shards
from solon.train.tracking import Speed, Track, trackers

Saved = TypeVar("Saved")
PADDED = "learns from padded rows: what rows share is computed for each of them"
"""Said once in a run."""


class Learner:
    """A model that a stage trains, all of it or adapters, and how dialogues are written for it."""

    def __init__(self, work: Work, folder: Path, section: OptimizerSection) -> None:
        self.work, self.prompts, self.format = work, work.prompts.by_id(), work.actors.format(folder)
        self.group = work.group or ALONE
        self.shards = Shards(wanted=section.shard == "full" and self.group.size > 1)
        self.loaded = work.actors.load(folder, trainable=section.lora is None)
        self.tokenizer = self.loaded.tokenizer
        if not packs(self.loaded.model):
            work.note(f"{type(self.loaded.model).__name__} {PADDED}")
        elif self.loaded.model.device.type == "cuda":
            self._try_flex()
        self.section = section
        self.looks: Sequence[Look] = ()
        if section.lora is not None:
            add_adapters(self.loaded.model, section.lora, seed=work.seed)
        self.flops, self._told = FlopCounter(self._peak(), self.group), 0.0
        self.flops.count(self.loaded.model)

    def _try_flex(self) -> None:
        if fault := fault_of_flex(self.loaded.model.device, self.work.actors.dtype):
            self.work.note(f"attention is by masks, which take longer on a GPU: FlexAttention {fault}")

    def _peak(self) -> float | None:
        """Operations per second of all processes, which may share a machine's cores, and so are measured at once."""
        self.group.gather(None)
        rates = self.group.gather(product_rate(self.work.actors.device, self.work.actors.dtype))
        known = [rate for rate in rates if rate is not None]
        return sum(known) if len(known) == len(rates) else None

    def prompt(self, prompt_id: str) -> str:
        return self.format.prompt(self.prompts[prompt_id].turns)

    def sequence(self, prompt_id: str, answer: str) -> tuple[int, ...]:
        """What the preference model reads of an answer."""
        return sequence_tokens(self.tokenizer, self.prompt(prompt_id), self.format.answer(answer))

    def fitting(self, examples: Iterable[Example]) -> list[Example]:
        """Those that the model can read; the others are accounted for."""
        kept, dropped = fit(examples, context_of(self.loaded.model, self.tokenizer))
        self.work.account(dropped)
        return kept

    def compared(
        self, rows: Sequence[Comparison], section: PreferenceSection | DPOSection
    ) -> tuple[list[PreferenceExample], list[PreferenceExample]]:
        """Scored comparisons to train on, and those of some prompts to measure it; all others are accounted for."""
        self.work.folder.count("in", len(rows))
        self.work.account({"unscored": sum(row.p_a_preferred is None for row in rows)})
        examples = self.fitting(
            PreferenceExample(
                id=row.id,
                prompt_id=row.prompt_id,
                a_ids=self.sequence(row.prompt_id, row.a),
                b_ids=self.sequence(row.prompt_id, row.b),
                p_a_preferred=row.p_a_preferred,
                weight=section.objective_weights.of(row.objective),
            )
            for row in rows
            if row.p_a_preferred is not None
        )
        training, kept_out = split_by_prompt(examples, section.holdout, seed=self.work.seed)
        self.work.folder.count("out", len(training))
        self.work.folder.count("held out", len(kept_out))
        return training, kept_out

    def engine(self) -> LocalModel:
        """Writes with the model, whose weights may learn and may be in shards meanwhile."""
        config = self.work.config.sampling
        return LocalModel(self.loaded, batch_size=config.batch_size, dtype=self.work.actors.dtype)

    @contextmanager
    def training(self, examples: int) -> Iterator[TrainContext]:
        """Tells of a training that reads so many examples, and times it."""
        folder, reporter = self.work.folder, self.work.reporter
        told = self.work.config.tracking.to if self.group.first else ()
        reporter.stage(folder.name, examples)
        with folder.timed(), trackers(told, folder.run, folder.header) as track:
            yield TrainContext(
                seed=self.work.seed,
                pad_id=pad_id(self.tokenizer),
                dtype=self.work.actors.dtype,
                checkpoints=folder.checkpoint,
                progress=self._advance,
                track=self._tracking(track),
                looked=self._looked,
                flops=self.flops,
                group=self.group,
            )

    def _tracking(self, track: Track) -> Track:
        """As the trackers are told, and where the stage is watched from."""

        def told(record: TrainStep, speed: Speed) -> None:
            if self.group.first:
                self.work.folder.step_log.add(record.step, record)
            track(record, speed)

        return told

    def readings(self, prompts: Sequence[str], section: EpochsSection) -> int:
        """How many examples a training reads, those of an epoch each time; those that early stopping keeps out are
        counted. `prompts`: what names that of each example."""
        kept_out = held_out(prompts, section, key_of(type(section)), seed=self.work.seed)
        self.work.account({}, {"kept out for early stopping": len(kept_out)})
        return (len(prompts) - len(kept_out)) * section.epochs

    def _advance(self, rows: int, tokens: int) -> None:
        flops = self.flops.add_up() - self._told
        self._told += flops
        self.work.folder.add_flops(flops, peak=self.flops.peak)
        self.work.reporter.computed(flops, self.flops.peak)
        self.work.reporter.advance(rows, tokens)

    def _looked(self, looks: Sequence[Look]) -> None:
        self.looks = looks
        self.work.folder.write_records("checks", looks)

    def ending(self) -> Facts:
        """How a training that was looked at ended; it is told."""
        ending = ending_of(self.looks, self.section)
        if ending is None:
            return {}
        if ending.stopped is not None and ending.acted:
            self.work.reporter.cut_short()
        if said := ending.told(self.looks[-1].step):
            self.work.note(f"{self.work.folder.name}: {said}")
        return {"ending": ending.model_dump(mode="json")}

    def keep_policy(self, steps: Sequence[Record]) -> None:
        """The trained model, which ends its answers as it learned to, and its steps."""
        self.shards.fill(self.loaded.model)
        fold(self.loaded.model)
        add_end(self.loaded.model, self.tokenizer, self.format.end)
        self.keep(steps, lambda to: save_model(self.loaded.model, self.tokenizer, to))

    def keep(self, steps: Sequence[Record], save: Callable[[Path], Saved]) -> Saved | None:
        """What `save` returns; None where another process keeps it."""
        if not self.group.first:
            return None
        self.work.folder.write_records("steps", steps)
        with self.work.folder.new_folder("model") as folder:
            return save(folder)
