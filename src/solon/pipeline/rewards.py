"""The reward of a run: the terms to which its run file gives a weight, each with what it asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from solon.feedback.rows import Rows
from solon.lm.engines.local import context_of
from solon.models.tokens import pad_id
from solon.pipeline.judging import judge_of
from solon.pipeline.work import Work
from solon.records import Comparison
from solon.train.parallel import ALONE
from solon.train.preference import PreferenceReward
from solon.train.rewards import OfAnswers, Reward, Score, Term, texts
from solon.train.rewards.judged import JudgeReward
from solon.train.rollouts import PolicyPrompt, Sample


def reward_of(work: Work, own: PreferenceReward | None) -> Reward:
    """That of stage `rl`. `own`: the run's preference model, if it is part of it."""
    rewards, terms = work.config.rl.rewards, list[Term]()
    for name, weight in rewards.of_models.items():
        standardized, compares = rewards.standardized, name == "judge"
        score = _of_model(work, name, own)
        terms.append(Term(name=name, weight=weight, score=score, standardized=standardized, compares=compares))
    if rewards.of_texts:
        scores = dict(_of_texts(work))
        terms += [Term(name=name, weight=weight, score=scores[name]) for name, weight in rewards.of_texts.items()]
    return Reward(terms=tuple(terms))


def _of_model(work: Work, name: str, own: PreferenceReward | None) -> Score:
    if name == "judge":
        return (work.group or ALONE).by_first(lambda: _judge(work))
    if name != "preference":
        return OfAnswers(of_another_run(work, Path(work.config.rl.rewards.models[name.removeprefix("models.")].path)))
    assert own is not None, "the preference model has a weight, and was not loaded"
    return OfAnswers(own)


def of_another_run(work: Work, folder: Path) -> PreferenceReward:
    """A preference model of another run. It reads texts, so its tokenizer and format may be any."""
    actors, prompts = work.actors, work.prompts.by_id()
    model = actors.load_preference(folder, compact=True)
    tokenizer, format = actors.tokenizer(folder), actors.format(folder)

    def prompt_text(prompt: PolicyPrompt) -> str:
        return format.prompt(prompts[prompt.id].turns)

    return PreferenceReward(
        model=model,
        tokenizer=tokenizer,
        section=work.config.rl,
        answer_text=format.answer,
        pad_id=pad_id(tokenizer),
        max_tokens=context_of(model.backbone, tokenizer),
        count=work.folder.count,
        dtype=actors.dtype,
        prompt_text=prompt_text,
        group=work.group or ALONE,
    )


def _judge(work: Work) -> JudgeReward:
    actor = work.actor("judge")
    work.engines["judge"] = actor.model.identity
    if manner := actor.model.can.manner:
        work.manners["judge"] = manner
    return JudgeReward(
        judge=judge_of(work.given, actor, "rl"),
        prompts=work.prompts.by_id(),
        begins=work.config.rl.rewards.judge_pairs,
        heard=Verdicts(work, "comparisons by the judge"),
    )


@dataclass(frozen=True)
class Verdicts:
    """Accounts for what the judge said, and ends the stage as a stage of comparisons ends."""

    work: Work
    counted: str
    """What they are counted as."""
    unscored: list[str | None] = field(default_factory=list)
    """Of all steps so far."""

    def __call__(self, rows: Rows[Comparison]) -> None:
        lost = {f"unscored: {reason}": count for reason, count in rows.dropped.items()}
        judged = {self.counted: len(rows.records) + rows.dropped.total()}
        self.work.folder.add_tokens(rows.tokens)
        self.work.check_failures(rows)
        self.work.account({}, rows.noted + rows.texts + Counter(lost | judged))
        self.unscored.extend([*(row.unscored for row in rows.records), *rows.dropped.elements()])
        self.work.require_verdicts(self.unscored)


def _of_texts(work: Work) -> Iterator[tuple[str, Score]]:
    """Every term that reads texts alone, by name."""
    kinds = {name: prompt.kind for name, prompt in work.prompts.by_id().items()}
    least, most = work.config.rl.rewards.length_between or (0, 0)

    def each(score: Callable[[Sample], float]) -> Score:
        return lambda samples: [score(one) for one in samples]

    def openings(samples: Sequence[Sample]) -> list[float]:
        return texts.openings([one.answer.text for one in samples], [one.prompt.id for one in samples])

    yield "length", each(lambda one: texts.length(one.answer.tokens, least, most))
    yield "repetition", each(lambda one: texts.repetition(one.answer.text))
    yield "openings", openings
    yield "preaching", each(lambda one: texts.preaching(one.answer.text))
    yield "evasiveness", each(lambda one: texts.evasiveness(one.answer.text, kinds[one.prompt.id]))
