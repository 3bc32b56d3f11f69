"""The three trainings of a run: demonstrations -> SL-CAI, comparisons -> preference model, rewards -> RL-CAI."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from solon.artifacts import StageFolder
from solon.feedback.critique import helpful_demonstrations, revision_demonstrations
from solon.lm.engines.local import LocalModel
from solon.models.heads import PreferenceModel, ValueModel
from solon.models.load import LoadedModel, save_into
from solon.models.tokens import add_end
from solon.pipeline.grading import HeldOutMargin
from solon.pipeline.stage import Facts
from solon.pipeline.work import Work
from solon.prompting.dialogue import DialogueFormat
from solon.records import Answer, Comparison, Record, Revision, Rollout
from solon.train.batches import answer_example, fit
from solon.train.preference import (
    HeldOut,
    PreferenceExample,
    PreferenceReward,
    held_out,
    margins,
    scores,
    sequence_tokens,
    split_by_prompt,
    train_preference,
)
from solon.train.rl import reinforce
from solon.train.rollouts import Actors as RLActors
from solon.train.rollouts import Environment, PolicyPrompt
from solon.train.sft import finetune


def train_sl(work: Work) -> Facts:
    """Finetunes `base` on revisions and helpful answers, and keeps the demonstrations beside the model."""
    stage, actors, section, prompts = work.folder, work.actors, work.config.sft, work.prompts.by_id()
    chains, answers = work.read("revisions", Revision), work.read("helpful", Answer)
    given = work.prompts.demonstrations
    base = actors.load(actors.path("base"), trainable=True)
    format = actors.format(actors.path("base"))
    revised, kept = revision_demonstrations(chains, section.rounds), helpful_demonstrations(answers)
    rows = [*revised.records, *kept.records, *given]
    targets = sum(len(chain.rounds) for chain in chains)
    stage.count("in", targets + len(answers) + len(given))
    changed = sum(format.guard(row.answer) != row.answer for row in rows)
    noted = Counter({"answers with marks of the format in them, broken up": changed})
    work.account(revised.dropped + kept.dropped, revised.noted + kept.noted + noted)
    examples = [
        answer_example(
            base.tokenizer,
            row.id,
            format.prompt(prompts[row.prompt_id].turns),
            format.answer(row.answer, finished=row.finished),
        )
        for row in rows
    ]
    examples, dropped = fit(examples, actors.engine(base).max_context)
    work.account(dropped)
    stage.count("out", len(examples))
    stage.write_records("demonstrations", rows)
    work.reporter.stage(stage.name, len(examples) * section.epochs)
    with stage.timed():
        steps = finetune(
            base.model,
            examples,
            section,
            seed=work.seed,
            pad_id=pad_id(base.tokenizer),
            dtype=actors.dtype,
            checkpoints=stage.checkpoint,
            progress=work.reporter.advance,
        )
        _keep(stage, base, format, steps)
    return {"targets": f"{section.rounds} revisions, and helpful answers"}


def train_pm(work: Work, rows: Sequence[Comparison]) -> Facts:
    """Trains the preference model on scored comparisons; those of some prompts are kept out to measure it."""
    stage, actors, section, prompts = work.folder, work.actors, work.config.preference, work.prompts.by_id()
    base = actors.load(actors.path("base"), trainable=True)
    format = actors.format(actors.path("base"))
    scored = [row for row in rows if row.p_a_preferred is not None]
    stage.count("in", len(rows))
    work.account({"unscored": len(rows) - len(scored)})

    def tokens(row: Comparison, answer: str) -> tuple[int, ...]:
        return sequence_tokens(base.tokenizer, format.prompt(prompts[row.prompt_id].turns), format.answer(answer))

    examples = [
        PreferenceExample(
            id=row.id,
            prompt_id=row.prompt_id,
            a_ids=tokens(row, row.a),
            b_ids=tokens(row, row.b),
            p_a_preferred=row.p_a_preferred or 0.0,
        )
        for row in scored
    ]
    examples, dropped = fit(examples, actors.engine(base).max_context)
    work.account(dropped)
    training, kept_out = split_by_prompt(examples, section.holdout, seed=work.seed)
    stage.count("out", len(training))
    stage.count("held out", len(kept_out))
    model = PreferenceModel(base.model, seed=work.seed)
    work.reporter.stage(stage.name, len(training) * section.epochs)
    with stage.timed():
        steps = train_preference(
            model,
            training,
            section,
            seed=work.seed,
            pad_id=pad_id(base.tokenizer),
            dtype=actors.dtype,
            checkpoints=stage.checkpoint,
            progress=work.reporter.advance,
        )
        margin_of = margins(model, kept_out, pad_id=pad_id(base.tokenizer), dtype=actors.dtype)
        stage.write_records("steps", steps)
        model.save(stage.path("model"), base.tokenizer)
    quality: HeldOut = held_out(kept_out, margin_of)
    stage.write_records(
        "held-out", [HeldOutMargin(id=e.id, margin=m) for e, m in zip(kept_out, margin_of, strict=True)]
    )
    return {"held_out": quality.model_dump(mode="json")}


def score_answers(work: Work, asked: Sequence[tuple[str, str]]) -> list[float]:
    """The preference model's scores of (prompt id, answer)."""
    actors, prompts, folder = work.actors, work.prompts.by_id(), work.model_of("pm")
    model, tokenizer, format = actors.load_preference(folder), actors.tokenizer(folder), actors.format(folder)
    texts = [
        sequence_tokens(tokenizer, format.prompt(prompts[name].turns), format.answer(text)) for name, text in asked
    ]
    return scores(model, texts, pad_id=pad_id(tokenizer), dtype=actors.dtype)


def train_rl(work: Work) -> Facts:
    """RL from SL-CAI; every rollout is kept, in one shard per step."""
    stage, actors, section, new = work.folder, work.actors, work.config.rl, work.config.sampling.max_new_tokens
    prompts, sl = (*work.prompts.red_team, *work.prompts.helpful), work.model_of("sl")
    policy, reference = actors.load(sl, trainable=True), actors.load(sl)
    format = actors.format(sl)
    judge = actors.load_preference(work.model_of("pm"))
    value = ValueModel(copy.deepcopy(judge.backbone)) if section.algorithm == "ppo" else None
    engine = actors.engine(policy)
    asked = [PolicyPrompt(id=prompt.id, text=format.prompt(prompt.turns)) for prompt in prompts]
    fitting = [prompt for prompt in asked if _has_room(engine, prompt.text, new, format)]
    stage.count("in", len(prompts))
    work.account({"too long": len(prompts) - len(fitting)})
    stage.count("out", len(fitting))
    environment = Environment(
        prompts=fitting,
        sampler=engine.sample,
        reward_model=PreferenceReward(
            model=judge,
            tokenizer=policy.tokenizer,
            answer_text=format.answer,
            pad_id=pad_id(policy.tokenizer),
            max_tokens=engine.max_context,
            count=stage.count,
            dtype=actors.dtype,
        ),
        max_new_tokens=new,
        stop=format.stop,
    )

    def keep(step: int, rows: list[Rollout]) -> None:
        stage.write_shard("rollouts", step, rows)

    work.reporter.stage(stage.name, section.steps * section.prompts_per_step * section.samples_per_prompt)
    with stage.timed():
        steps = reinforce(
            RLActors(policy=policy.model, reference=reference.model, value_model=value),
            environment,
            section,
            seed=work.seed,
            pad_id=pad_id(policy.tokenizer),
            dtype=actors.dtype,
            keep=keep,
            checkpoints=stage.checkpoint,
            progress=work.reporter.advance,
        )
        _keep(stage, policy, format, steps)
    return {"algorithm": section.algorithm}


def _has_room(engine: LocalModel, prompt: str, new: int, format: DialogueFormat) -> bool:
    """For an answer, and for what the preference model reads around one that the token limit cut off."""
    around = engine.count_tokens(format.answer(""), after=prompt)
    return engine.count_tokens(prompt) + new + around <= engine.max_context


def pad_id(tokenizer: PreTrainedTokenizerBase) -> int:
    """What fills short rows; never counted, so any token will do where the tokenizer has none."""
    found = tokenizer.pad_token_id
    return int(found) if isinstance(found, int) else 0


def _keep(stage: StageFolder, loaded: LoadedModel, format: DialogueFormat, steps: Sequence[Record]) -> None:
    stage.write_records("steps", steps)
    add_end(loaded.model, loaded.tokenizer, format.end)
    with stage.new_folder("model") as folder:
        save_into(loaded.model, loaded.tokenizer, folder)
