"""The trainings of a run: demonstrations -> SL-CAI, comparisons -> preference model, rewards -> RL-CAI; or comparisons
-> DPO-CAI.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TypeVar, cast

import torch
from pydantic import JsonValue
from transformers import PreTrainedModel

from solon.config.keys import key_of
from solon.config.run import RunConfig
from solon.config.training import DPOSection, EpochsSection, OptimizerSection, PreferenceSection
from solon.evals.checks import Look
from solon.evals.preference import ScoredPair, preference_quality
from solon.evals.quality import counted
from solon.evals.reliability import fit_temperature
from solon.evals.stopping import ending_of
from solon.feedback.critique import helpful_demonstrations, revision_demonstrations
from solon.lm.batcher import shared_loop
from solon.lm.engines.local import LocalModel, context_of, decoder_kind
from solon.lm.protocols import Completion, SampleRequest
from solon.models.adapter_files import save_adapter
from solon.models.adapters import add_adapters, fold
from solon.models.heads import PreferenceModel, ValueModel
from solon.models.load import save_model
from solon.models.rates import product_rate
from solon.models.tokens import add_end, pad_id
from solon.pipeline.grading import HeldOutMargin
from solon.pipeline.monitoring import monitor_of, split_prompts
from solon.pipeline.rewards import reward_of
from solon.pipeline.stage import Facts
from solon.pipeline.work import Work
from solon.prompting.chat_template import DialogueFormat
from solon.records import Answer, Comparison, Demonstration, Record, Revision
from solon.train.algorithms import Algorithm
from solon.train.batches import Example, answer_example, fit
from solon.train.dpo import answer_logps, train_dpo
from solon.train.early_stopping import held_out
from solon.train.faults import memory_for
from solon.train.flops import FlopCounter
from solon.train.loop import TrainContext
from solon.train.parallel import ALONE
from solon.train.preference import (
    PreferenceExample,
    PreferenceReward,
    margins,
    scores,
    sequence_tokens,
    split_by_prompt,
    train_preference,
)
from solon.train.rl import reinforce
from solon.train.rollouts import Environment, PolicyPrompt, RLModels
from solon.train.sft import finetune
from solon.train.sharding import Shards
from solon.train.tracking import trackers

Saved = TypeVar("Saved")
OWN_FORM = "the preference model is kept in a form that Solon alone reads (docs/models.md)"


def train_sl(work: Work) -> Facts:
    """Finetunes `base` on revisions and helpful answers, and keeps the demonstrations beside the model."""
    section = work.config.sft
    learner = _Learner(work, work.actors.path("base"), section)
    rows = _demonstrations(work, learner.format)
    format = learner.format
    said = ((row, learner.prompt(row.prompt_id), format.answer(row.answer, finished=row.finished)) for row in rows)
    examples = learner.fitting(answer_example(learner.tokenizer, row.id, *texts) for row, *texts in said)
    work.folder.count("out", len(examples))
    work.folder.write_records("demonstrations", rows)
    with learner.training(learner.readings([one.prompt for one in examples], section)) as context:
        learner.keep_policy(finetune(learner.shards.of(learner.loaded.model), examples, section, context))
    return {"targets": f"{section.rounds} revisions, and helpful answers", **learner.ending()}


def train_pm(work: Work, rows: Sequence[Comparison]) -> Facts:
    """Trains the preference model on scored comparisons; those of some prompts are held out to measure it."""
    section = work.config.preference
    learner = _Learner(work, work.actors.path("base") if section.start == "base" else work.model_of("sl"), section)
    training, kept_out = learner.compared(rows, section)
    model = PreferenceModel(learner.loaded.model, seed=work.seed)
    with learner.training(learner.readings([one.prompt_id for one in training], section)) as context:
        steps = train_preference(learner.shards.of(model), training, section, context)
        learner.shards.fill(model)
        margin_of = margins(model, kept_out, pad_id=context.pad_id, dtype=context.dtype, group=context.group)
        facts, margin_of = _set_temperature(model, section, margin_of, kept_out)
        if section.lora is not None and learner.group.first:
            with work.folder.new_folder("adapter") as folder:
                save_adapter(model.backbone, model.head.weight, folder)
        fold(model.backbone)
        kept = learner.keep(steps, lambda to: model.save(to, learner.tokenizer, end=learner.format.end))
        if kept is False:
            work.note(f"transformers cannot classify sequences with {type(model.backbone).__name__}: {OWN_FORM}")
    return {**facts, **_held_out(work, kept_out, margin_of), **learner.ending()}


@torch.no_grad()
def _set_temperature(
    model: PreferenceModel,
    section: PreferenceSection,
    margin_of: list[float],
    kept_out: Sequence[PreferenceExample],
) -> tuple[Facts, list[float]]:
    """As the section has it, fitted to held-out labels, if there are any. Returns it, and the margins by it."""
    if section.temperature == "one" or not kept_out:
        return {}, margin_of
    fitted = fit_temperature(margin_of, [row.p_a_preferred for row in kept_out])
    facts: Facts = {"temperature": fitted}
    if section.temperature == "fit":
        model.temperature = fitted
        return facts, margin_of
    model.head.weight.div_(fitted)
    return facts, [margin / fitted for margin in margin_of]


def train_rl(work: Work) -> Facts:
    """RL from SL-CAI; every rollout is kept, in one shard per step."""
    sl, section = work.model_of("sl"), work.config.rl
    algorithm = algorithm_of(section.algorithm)
    learner = _Learner(work, sl, section)
    engine, in_place = learner.engine(), learner.shards.of
    policy = in_place(learner.loaded.model)
    reference = in_place(work.actors.load(sl).model) if section.lora is None else policy
    own = _preference_model(learner)
    value = _value_model(work, own) if algorithm.VALUE_MODEL else None
    learner.count_flops([reference, *(one.backbone for one in (own, value) if one is not None)])
    models = RLModels(policy=policy, reference=reference, value_model=in_place(value))
    environment, watched = _environments(learner, engine, in_place(own))
    keep, monitor = partial(work.folder.write_shard, "rollouts"), monitor_of(work, watched, learner.prompts)
    rollouts = section.steps * section.prompts_per_step * section.samples_per_prompt
    with shared_loop(), learner.training(rollouts) as context:
        learner.keep_policy(reinforce(algorithm, models, environment, section, context, keep, monitor))
    return {"algorithm": section.algorithm, **learner.ending()}


def train_by_dpo(work: Work, rows: Sequence[Comparison]) -> Facts:
    """DPO from SL-CAI, to which the policy is held: what it says before the first step is the reference."""
    section = work.config.dpo
    learner = _Learner(work, work.model_of("sl"), section)
    training, kept_out = learner.compared(rows, section)
    with learner.training(learner.readings([one.prompt_id for one in training], section)) as context:
        policy = learner.shards.of(learner.loaded.model)
        before_P2 = answer_logps(policy, kept_out, section, context)
        learner.keep_policy(train_dpo(policy, policy, training, section, context))
        log_ratio_P2 = answer_logps(learner.loaded.model, kept_out, section, context) - before_P2
    margin_P = section.beta * (log_ratio_P2[:, 0] - log_ratio_P2[:, 1])
    return {"loss": section.loss, **_held_out(work, kept_out, margin_P.tolist()), **learner.ending()}


def score_answers(work: Work, asked: Sequence[tuple[str, str]]) -> list[float]:
    """The preference model's scores of (prompt id, answer)."""
    actors, prompts, folder = work.actors, work.prompts.by_id(), work.model_of("pm")
    model, tokenizer, format = actors.load_preference(folder), actors.tokenizer(folder), actors.format(folder)
    texts = [
        sequence_tokens(tokenizer, format.prompt(prompts[name].turns), format.answer(text)) for name, text in asked
    ]
    return scores(model, texts, pad_id=pad_id(tokenizer), dtype=actors.dtype)


def shares_weights(config: RunConfig) -> bool:
    """Whether RL holds one model: the preference model is an adapter on the weights that the policy learns beside. A
    value model needs adapters on the preference model, which then is a model of its own."""
    adapted = config.rl.lora is not None and config.preference.lora is not None and config.rl.shard == "none"
    return (
        adapted
        and config.rl.rewards.preference > 0
        and config.preference.start == "sl"
        and not algorithm_of(config.rl.algorithm).VALUE_MODEL
    )


def _preference_model(learner: _Learner) -> PreferenceModel | None:
    """The run's own, where it earns anything."""
    work, section = learner.work, learner.work.config.rl
    if not section.rewards.preference:
        return None
    if shares_weights(work.config):
        return PreferenceModel.beside(learner.loaded.model, work.inputs["pm"].path("adapter"))
    return work.actors.load_preference(work.model_of("pm"), compact=section.lora is not None)


def _value_model(work: Work, own: PreferenceModel | None) -> ValueModel:
    """Begins as the preference model: a copy of its backbone, or adapters on it that the reward does not see. Without
    one, begins as SL-CAI."""
    lora = work.config.rl.lora
    if own is None:
        backbone, width = work.actors.load(work.model_of("sl"), trainable=lora is None).model, None
    else:
        backbone, width = copy.deepcopy(own.backbone) if lora is None else own.backbone, own.head.weight.shape[1]
    if lora is not None:
        add_adapters(backbone, lora, seed=work.seed)
    return ValueModel(backbone, width=width)


class _Learner:
    """A model that a stage trains, all of it or adapters, and how dialogues are written for it."""

    def __init__(self, work: Work, folder: Path, section: OptimizerSection) -> None:
        self.work, self.prompts, self.format = work, work.prompts.by_id(), work.actors.format(folder)
        self.group = work.group or ALONE
        self.shards = Shards(wanted=section.shard == "full" and self.group.size > 1)
        self.loaded = work.actors.load(folder, trainable=section.lora is None)
        self.tokenizer = self.loaded.tokenizer
        self.section = section
        self.looks: Sequence[Look] = ()
        if section.lora is not None:
            add_adapters(self.loaded.model, section.lora, seed=work.seed)
        peak = None if self.shards.wanted else product_rate(work.actors.device, work.actors.dtype)
        self.flops, self._told = FlopCounter(peak), 0.0
        self._counted: set[int] = set()
        self.count_flops([self.loaded.model])

    def count_flops(self, models: Iterable[PreTrainedModel]) -> None:
        """Of these models, each once; what models in shards compute is not counted."""
        new = {id(one): one for one in models if id(one) not in self._counted}
        self._counted |= new.keys()
        for model in [] if self.shards.wanted else new.values():
            self.flops.count(model)

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
                track=track,
                looked=self._looked,
                flops=self.flops,
                group=self.group,
            )

    def readings(self, prompts: Sequence[str], section: EpochsSection) -> int:
        """How many examples a training reads, those of an epoch each time; those that early stopping keeps out are
        counted. `prompts`: what names that of each example."""
        kept_out = held_out(prompts, section, key_of(type(section)), seed=self.work.seed)
        self.work.account({}, {"kept out for early stopping": len(kept_out)})
        return (len(prompts) - len(kept_out)) * section.epochs

    def _advance(self, rows: int, tokens: int) -> None:
        flops = self.flops.total - self._told
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


def _held_out(work: Work, kept_out: Sequence[PreferenceExample], margins: Sequence[float]) -> dict[str, JsonValue]:
    """How well the margins of comparisons that were not trained on agree with their labels; they are kept."""
    measured = list(zip(kept_out, margins, strict=True))
    work.folder.write_records("held-out", [HeldOutMargin(id=row.id, margin=margin) for row, margin in measured])
    quality = preference_quality(
        [ScoredPair(margin=margin, p_a_preferred=row.p_a_preferred, prompt=row.prompt_id) for row, margin in measured]
    )
    of_labels = {"n", "label_n", "label_accuracy", "label_loss"}
    return {"held_out": None if quality is None else quality.model_dump(mode="json", include=of_labels)}


def _demonstrations(work: Work, format: DialogueFormat) -> list[Demonstration]:
    """What SL-CAI learns from; everything that is left out is accounted for."""
    chains, answers, given = work.read("revisions", Revision), work.read("helpful", Answer), work.prompts.demonstrations
    revised, kept = revision_demonstrations(chains, work.config.sft.rounds), helpful_demonstrations(answers)
    rows = [*revised.records, *kept.records, *given]
    work.folder.count("in", sum(len(chain.rounds) for chain in chains) + len(answers) + len(given))
    changed = sum(format.guard(row.answer) != row.answer for row in rows)
    noted = Counter({"answers with marks of the format in them, broken up": changed})
    work.account(revised.dropped + kept.dropped, revised.noted + kept.noted + noted)
    if not revised.records:
        work.note("no revision is left to learn from: SL-CAI learns from helpful answers alone")
    return rows


def algorithm_of(name: str) -> Algorithm:
    """By its file's name; the run file can name no other."""
    return cast(Algorithm, import_module(f"solon.train.algorithms.{name}"))


def _environments(
    learner: _Learner, engine: LocalModel, own: PreferenceModel | None
) -> tuple[Environment, Environment]:
    """Prompts that leave room for an answer and its reward, the policy that answers, and the reward: for RL, and for its
    monitor. `own`: the run's preference model."""
    work, format, new = learner.work, learner.format, learner.work.config.sampling.max_new_tokens
    prompts = (*work.prompts.red_team, *work.prompts.helpful)
    asked = [PolicyPrompt(id=prompt.id, text=format.prompt(prompt.turns)) for prompt in prompts]

    def has_room(prompt: str) -> bool:
        """For an answer, and for what the preference model reads around one that the token limit cut off."""
        around = engine.count_tokens(format.answer(""), after=prompt)
        return engine.count_tokens(prompt) + new + around <= engine.max_context

    def sampled(requests: Sequence[SampleRequest]) -> Sequence[Completion]:
        before = replace(engine.counts)
        with memory_for("sampling.batch_size"), learner.shards.filled(learner.loaded.model):
            answers = learner.group.spread(requests, engine.sample)
        if decoder_kind(learner.loaded.model) == "lean":  # other engines call the model, which counts by itself
            read, drawn = engine.counts.read - before.read, engine.counts.drawn - before.drawn
            learner.flops.sampled(learner.loaded.model, read=read, drawn=drawn)
        return answers

    def counted_as_texts(requests: Sequence[SampleRequest]) -> Sequence[Completion]:
        """Like those of any stage; steps that are done again after a kill count once."""
        answers = sampled(requests)
        for counts in (count for answer in answers for count in counted("answer", answer, format.guard)):
            work.account({}, counts)
        return answers

    section, holdout = work.config.rl, work.config.preference.holdout
    fitting = [prompt for prompt in asked if has_room(prompt.text)]
    trained, watched = split_prompts(fitting, section.monitor, holdout, seed=work.seed)
    work.folder.count("in", len(prompts))
    work.account({"too long": len(prompts) - len(fitting)}, {"kept out for the monitor": len(watched)})
    work.folder.count("out", len(trained))
    environment = Environment(
        prompts=[one for one in trained for _ in range(section.prompt_weights.of(learner.prompts[one.id].kind))],
        sampler=counted_as_texts,
        reward=reward_of(work, None if own is None else _reward(learner, own, engine.max_context)),
        max_new_tokens=new,
        stop=format.stop,
    )
    return environment, replace(environment, prompts=watched, sampler=sampled)


def _reward(learner: _Learner, own: PreferenceModel, max_tokens: int) -> PreferenceReward:
    """Of the run's preference model, which reads dialogues as the policy does."""
    return PreferenceReward(
        model=own,
        tokenizer=learner.tokenizer,
        answer_text=learner.format.answer,
        pad_id=pad_id(learner.tokenizer),
        max_tokens=max_tokens,
        count=learner.work.folder.count,
        dtype=learner.work.actors.dtype,
        group=learner.group,
    )
