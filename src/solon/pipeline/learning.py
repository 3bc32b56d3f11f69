"""The trainings of a run: demonstrations -> SL-CAI, comparisons -> preference model, rewards -> RL-CAI; or comparisons
-> DPO-CAI.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import cast

import torch
from pydantic import JsonValue

from solon.config.run import RunConfig
from solon.config.training import PreferenceSection
from solon.evals.preference import ScoredPair, preference_quality
from solon.evals.quality import counted
from solon.evals.reliability import at_limit, fit_temperature
from solon.feedback.critique import helpful_demonstrations, revision_demonstrations
from solon.feedback.dialogues import dialogue_demonstrations
from solon.lm.batcher import shared_loop
from solon.lm.engines.local import context_of
from solon.lm.protocols import Completion, SampleRequest
from solon.models.adapter_files import knows_its_base, save_adapter
from solon.models.adapters import add_adapters, fold
from solon.models.heads import PreferenceModel, ValueModel
from solon.models.tokens import encode_continuation, encode_prompt, pad_id
from solon.pipeline.grading import HeldOutMargin
from solon.pipeline.learner import Learner
from solon.pipeline.monitoring import monitor_of, split_prompts
from solon.pipeline.policy_sampler import PolicySampler, policy_sampler
from solon.pipeline.rewards import reward_of
from solon.pipeline.stage import Facts
from solon.pipeline.work import Work
from solon.prompting.chat_template import DialogueFormat
from solon.records import Answer, Comparison, Demonstration, Dialogue, Revision
from solon.train.algorithms import Algorithm
from solon.train.batches import answer_example
from solon.train.dpo import answer_logps, train_dpo
from solon.train.loop import TrainContext
from solon.train.preference import (
    PreferenceExample,
    PreferenceReward,
    margins,
    scores,
    sequence_tokens,
    train_preference,
)
from solon.train.rl import reinforce
from solon.train.rollouts import Environment, PolicyPrompt, RLModels
from solon.train.sft import finetune

OWN_FORM = "the preference model is kept in a form that Solon alone reads (docs/models.md)"


def train_sl(work: Work) -> Facts:
    """Finetunes `base` on revisions and helpful answers, and keeps the demonstrations beside the model."""
    section = work.config.sft
    learner = Learner(work, work.actors.path("base"), section)
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
    learner = Learner(work, work.actors.path("base") if section.start == "base" else work.model_of("sl"), section)
    training, kept_out = learner.compared(rows, section)
    model = PreferenceModel(learner.loaded.model, seed=work.seed)
    with learner.training(learner.readings([one.prompt_id for one in training], section)) as context:
        steps = train_preference(learner.shards.of(model), training, section, context)
        learner.shards.fill(model)
        margin_of = _margins(model, kept_out, section, context)
        facts, margin_of = _set_temperature(model, section, margin_of, kept_out)
        if section.lora is not None and learner.group.first:
            with work.folder.new_folder("adapter") as folder:
                save_adapter(model.backbone, model.head.weight, folder)
        fold(model.backbone)
        kept = learner.keep(steps, lambda to: model.save(to, learner.tokenizer, end=learner.format.end))
        if kept is False:
            work.note(f"transformers cannot classify sequences with {type(model.backbone).__name__}: {OWN_FORM}")
    return {**facts, **_held_out(work, kept_out, margin_of), **learner.ending()}


def _margins(
    model: PreferenceModel,
    pairs: Sequence[PreferenceExample],
    section: PreferenceSection,
    context: TrainContext,
) -> list[float]:
    return margins(model, pairs, section=section, pad_id=context.pad_id, dtype=context.dtype, group=context.group)


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
    facts: Facts = {"temperature": fitted, **({"temperature_at_limit": True} if at_limit(fitted) else {})}
    if section.temperature == "fit":
        model.temperature = fitted
        return facts, margin_of
    model.head.weight.div_(fitted)
    return facts, [margin / fitted for margin in margin_of]


def train_rl(work: Work) -> Facts:
    """RL from SL-CAI; every rollout is kept, in one shard per step."""
    sl, section = work.model_of("sl"), work.config.rl
    algorithm = algorithm_of(section.algorithm)
    learner = Learner(work, sl, section)
    sampler, in_place = policy_sampler(learner), learner.shards.of
    policy = in_place(learner.loaded.model)
    reference = in_place(work.actors.load(sl).model) if section.lora is None else policy
    own = _preference_model(learner)
    value = _value_model(work, own) if algorithm.VALUE_MODEL else None
    for model in (reference, *(one.backbone for one in (own, value) if one is not None)):
        learner.flops.count(model)
    models = RLModels(policy=policy, reference=reference, value_model=in_place(value))
    environment, watched = _environments(learner, sampler, in_place(own))
    keep, monitor = partial(work.folder.write_shard, "rollouts"), monitor_of(work, watched, learner.prompts)
    rollouts = section.steps * section.prompts_per_step * section.samples_per_prompt
    with shared_loop(), learner.training(rollouts) as context:
        learner.keep_policy(reinforce(algorithm, models, environment, section, context, keep, monitor))
    return {"algorithm": section.algorithm, **learner.ending()}


def train_by_dpo(work: Work, rows: Sequence[Comparison]) -> Facts:
    """DPO from SL-CAI, to which the policy is held: what it says before the first step is the reference."""
    section = work.config.dpo
    learner = Learner(work, work.model_of("sl"), section)
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
    return scores(model, texts, section=work.config.preference, pad_id=pad_id(tokenizer), dtype=actors.dtype)


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


def _preference_model(learner: Learner) -> PreferenceModel | None:
    """The run's own, where it earns anything."""
    work, section = learner.work, learner.work.config.rl
    if not section.rewards.preference:
        return None
    if shares_weights(work.config):
        folder = work.inputs["pm"].path("adapter")
        found = PreferenceModel.beside(learner.loaded.model, folder)
        if not knows_its_base(folder):
            work.note("the preference model's adapter does not say which weights it is for, as earlier ones do not")
        return found
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
    explained = dialogue_demonstrations(work.read("dialogues", Dialogue)) if "dialogues" in work.inputs else []
    rows = [*revised.records, *explained, *kept.records, *given]
    others = len(explained) + len(answers) + len(given)
    work.folder.count("in", sum(len(chain.rounds) for chain in chains) + others)
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
    learner: Learner, sampled: PolicySampler, own: PreferenceModel | None
) -> tuple[Environment, Environment]:
    """Prompts that leave room for an answer and its reward, the policy that answers, and the reward: for RL, and for
    its monitor. `own`: the run's preference model."""
    work, format, new = learner.work, learner.format, learner.work.config.sampling.max_new_tokens
    prompts = (*work.prompts.red_team, *work.prompts.helpful)
    asked = [PolicyPrompt(id=prompt.id, text=format.prompt(prompt.turns)) for prompt in prompts]

    def has_room(prompt: str) -> bool:
        """For an answer, and for what the preference model reads around one that the token limit cut off."""
        around = encode_continuation(learner.tokenizer, prompt, format.answer(""))
        return len(encode_prompt(learner.tokenizer, prompt)) + new + len(around) <= sampled.max_context

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
        reward=reward_of(work, None if own is None else _reward(learner, own)),
        max_new_tokens=new,
        stop=format.stop,
    )
    return environment, replace(environment, prompts=watched, sampler=sampled)


def _reward(learner: Learner, own: PreferenceModel) -> PreferenceReward:
    """Of the run's preference model, which reads dialogues as the policy does."""
    return PreferenceReward(
        model=own,
        tokenizer=learner.tokenizer,
        section=learner.section,
        answer_text=learner.format.answer,
        pad_id=pad_id(learner.tokenizer),
        max_tokens=context_of(learner.loaded.model, learner.tokenizer),
        count=learner.work.folder.count,
        dtype=learner.work.actors.dtype,
        group=learner.group,
    )
