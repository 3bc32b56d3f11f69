"""One run, from top to bottom: each function is the body of a stage, and above it stands what the stage depends on.

    prompts -> revisions, helpful -> sl -> pairs -> comparisons, helpfulness -> pm -> rl
            -> answers of base, sl and rl -> evaluations of base, sl and rl -> games, harmfulness -> scores
            (-> scenarios -> dialogues -> sl -> rankings -> pm: `article_stages`)

or, with DPO, in the place of `pm` and `rl`

                                                 -> comparisons, helpfulness -> dpo

Order and names come from `STAGES`. Nothing here imports torch: the command line reads the declarations. A body is a
function of what its stage declares, so a killed run ends with the same bytes, and others can take over what was made.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from solon.config.evaluations import EVALUATED
from solon.config.run import RunConfig
from solon.evals.estimates import evidence
from solon.evals.grader import Score, grade
from solon.evals.labels import label_quality
from solon.feedback.answers import answer_pairs, needless_refusals, rate_pairs, respond, twin_pairs
from solon.feedback.critique import gate_verdicts, revise
from solon.feedback.judge import NO_CONFLICT
from solon.feedback.rows import Rows
from solon.pipeline.article_stages import dialogues, rankings, scenarios
from solon.pipeline.evaluating import EVALUATIONS
from solon.pipeline.grading import (
    chain_responses,
    held_out_responses,
    true_labels,
)
from solon.pipeline.inputs import RunInputs
from solon.pipeline.judging import JUDGING, judge_of, scaling_of, unused_by_judge
from solon.pipeline.preference_evidence import quality_of_preference
from solon.pipeline.settle import KEYS
from solon.pipeline.sources import (
    COMPARISONS,
    DEMONSTRATIONS,
    EVALUATION,
    HELPFUL,
    RED_TEAM,
    SCENARIOS,
    TWINS,
    WHY,
    prompt_sets,
)
from solon.pipeline.stage import BY_DPO, BY_PREFERENCE, BY_RL, Condition, Facts, Stage
from solon.pipeline.work import Work
from solon.prompting.asking import critique_format
from solon.records import Answer, Comparison, Pair, Prompt, Ranking, Revision

if TYPE_CHECKING:
    from solon.pipeline.actors import Actor


@partial(
    Stage,
    "prompts",
    "Prompts for training and, held out, for evaluation.",
    settings=("prompts",),
    hashes=(RunInputs.prompt_files,),
)
def prompts(work: Work) -> Facts:
    folder, reporter = work.folder, work.reporter
    reporter.stage(folder.name)
    with folder.timed():
        sets = prompt_sets(work.config.prompts, work.seed)
        split, warnings = sets.split(work.config.prompts)
        for note in (*sets.notes, *warnings):
            work.note(note)
        for file, records in sets.files().items():
            folder.write_records(Path(file).name, records)
    folder.count("in", sets.rows_in)
    folder.count("out", sets.rows_out)
    work.account(sets.dropped)
    every = (*sets.red_team, *sets.helpful, *sets.evaluation, *sets.twins.values())
    system = any(turn.role == "system" for prompt in every for turn in prompt.turns)
    return {"system_turns": system, "split": split.model_dump(mode="json")}


@partial(
    Stage,
    "revisions",
    "The assistant answers red-team prompts, criticizes its answers, revises them.",
    reads=(RED_TEAM, SCENARIOS),
    settings=("supervised", "sampling.answers", "sampling.revisions", "judge", "sampling.reasoning"),
    unused=lambda config: unused_by_judge(config) if config.supervised.gate else ("judge", "sampling.reasoning"),
    roles=("assistant",),
    weights=("assistant",),
    asks=("assistant",),
    also=lambda config: ("judge",) if config.supervised.gate else (),
    hashes=(RunInputs.critique_texts, RunInputs.gate_texts),
)
def revisions(work: Work) -> Facts:
    assistant, given, config = work.actor("assistant"), work.given, work.config
    section = config.supervised
    judge = _gate(work, assistant) if section.gate else None

    def chains(prompts: Sequence[Prompt]) -> Rows[Revision]:
        return revise(
            prompts,
            assistant.sampler("respond", config.sampling.answers),
            assistant.sampler("revisions", config.sampling.revisions),
            given.critique_principles,
            section,
            shots=given.few_shots.critique,
            format=critique_format(assistant.format, section.ask),
            gate=judge_of(given, judge, "gate", orders="both") if judge else None,
        )

    rows = work.rows(work.prompts.red_team, chains, Revision)
    work.require_verdicts(gate_verdicts(rows))
    return {"asked": critique_format(assistant.format, section.ask).name}


@partial(
    Stage,
    "helpful",
    "The assistant's own answers to benign prompts, so that finetuning keeps it helpful.",
    reads=(HELPFUL,),
    settings=("sampling.answers", "sft.helpful_per_prompt"),
    roles=("assistant",),
    weights=("assistant",),
    asks=("assistant",),
)
def helpful(work: Work) -> None:
    assistant, copies, how = work.actor("assistant"), work.config.sft.helpful_per_prompt, work.config.sampling.answers
    asked = work.prompts.helpful if copies else ()
    work.rows(asked, lambda part: respond(part, assistant.sampler("helpful", how), copies=copies), Answer)


@partial(
    Stage,
    "sl",
    "Finetune base on revisions and helpful answers: SL-CAI.",
    folder="models/sl",
    reads=("revisions", "helpful", "dialogues", RED_TEAM, SCENARIOS, WHY, HELPFUL, DEMONSTRATIONS),
    settings=("sft",),
    roles=("base",),
    weights=("base",),
)
def sl(work: Work) -> Facts:
    work.require_quality("revisions", "helpful", "dialogues")
    from solon.pipeline.learning import train_sl

    return train_sl(work)


@partial(
    Stage,
    "pairs",
    "SL-CAI answers every red-team prompt twice, and helpful ones if asked to.",
    reads=("sl", RED_TEAM, HELPFUL),
    settings=("pairs",),
    unused=lambda config: _unused_by_pairs(config),
    roles=("base",),
)
def pairs(work: Work) -> None:
    policy, section, sets = work.actor("base", "sl"), work.config.pairs, work.prompts
    wanted = {one.id: section.per_prompt for one in sets.red_team}
    wanted |= {one.id: section.helpful_per_prompt for one in sets.helpful}

    def answered(prompts: Sequence[Prompt]) -> Rows[Pair]:
        return answer_pairs(prompts, policy.sampler("pairs", section), per_prompt=wanted)

    work.rows([*sets.red_team, *sets.helpful], answered, Pair)


@partial(
    Stage,
    "comparisons",
    "The judge says which answer is better, by the constitution.",
    reads=("pairs", RED_TEAM, HELPFUL),
    settings=("judge", "sampling.reasoning"),
    unused=lambda config: (*unused_by_judge(config), *_unused_by_pairs(config)),
    roles=("judge",),
    weights=("judge",),
    asks=("judge",),
    hashes=(RunInputs.comparison_texts,),
)
def comparisons(work: Work) -> None:
    work.require_quality("pairs")
    actor, given, by_id, asked = work.actor("judge"), work.given, work.prompts.by_id(), work.config.judge

    def labels(pairs: Sequence[Pair]) -> Rows[Comparison]:
        return judge_of(given, actor, "comparisons", conflicts=asked.conflicts).compare(pairs, by_id)

    rows = work.rows(work.read("pairs", Pair), labels, Comparison, may_be_empty=asked.conflicts)
    agreed = work.folder.dropped.get(NO_CONFLICT, 0)
    work.require_verdicts([*(row.unscored for row in rows), *[None] * agreed])


@partial(
    Stage,
    "helpfulness",
    "Helpfulness comparisons on benign prompts, needless refusals among them.",
    reads=("sl", HELPFUL, TWINS),
    settings=("helpfulness", *(f"pairs.{key}" for key in KEYS)),
    roles=("base",),
    hashes=(RunInputs.grader,),
)
def helpfulness(work: Work) -> None:
    """There may be none: a model that will not refuse on being told to gives no needless refusals."""
    policy, truth, section = work.actor("base", "sl"), work.given.truth, work.config.helpfulness
    as_pairs, twins = work.config.pairs, work.prompts.twins
    refusals_per_prompt = section.needless_refusals_per_prompt

    def compared(prompts: Sequence[Prompt]) -> Rows[Comparison]:
        """Own answers beside each other and beside answers to harmful prompts, which are likely refusals. Without a
        rater, needless refusals alone: they are told by their words."""
        refusing = policy.sampler("needless-refusals", as_pairs)
        if truth is None:
            return needless_refusals(prompts, section.refusal_instruction, refusing, per_prompt=refusals_per_prompt)
        own = answer_pairs(prompts, policy.sampler("helpful-pairs", as_pairs), per_prompt=section.per_prompt)
        refusals = twin_pairs(prompts, twins, refusing, per_prompt=refusals_per_prompt)
        rated = rate_pairs([*own.records, *refusals.records], prompts, truth.rater, truth.name)
        return Rows(records=rated.records).account([own, refusals, rated])

    work.rows(work.prompts.helpful, compared, Comparison, may_be_empty=True)


COMPARED = ("comparisons", "rankings", "helpfulness")
"""The stages that make comparisons."""


@partial(
    Stage,
    "pm",
    "Train the preference model on both kinds of comparison.",
    folder="models/pm",
    reads=("sl", *COMPARED, RED_TEAM, SCENARIOS, HELPFUL, COMPARISONS),
    settings=("preference", "preference.objective_weights"),
    unused=lambda config: ("sl",) if config.preference.start == "base" else (),
    roles=("base",),
    weights=("base",),
    requires=BY_PREFERENCE,
)
def pm(work: Work) -> Facts:
    work.require_quality(*COMPARED)
    from solon.pipeline.learning import train_pm

    return train_pm(work, _compared(work))


@partial(
    Stage,
    "rl",
    "Train SL-CAI by RL against the preference model, or another reward: RL-CAI.",
    folder="models/rl",
    reads=("sl", "pm", RED_TEAM, SCENARIOS, HELPFUL),
    settings=("rl", "rl.prompt_weights", "rl.rewards", "sampling.max_new_tokens", "preference.holdout", *JUDGING),
    unused=lambda config: _unused_by_rl(config),
    roles=("base",),
    engines=lambda config: (config.rl.sampler,),
    also=lambda config: ("judge",) if config.rl.rewards.judge or config.gold == "judge" else (),
    hashes=(RunInputs.reward_texts, RunInputs.monitor_texts),
    requires=BY_RL,
)
def rl(work: Work) -> Facts:
    from solon.pipeline.learning import train_rl

    return train_rl(work)


@partial(
    Stage,
    "dpo",
    "Train SL-CAI by DPO on both kinds of comparison: DPO-CAI.",
    folder="models/dpo",
    reads=("sl", *COMPARED, RED_TEAM, SCENARIOS, HELPFUL, COMPARISONS),
    settings=("dpo", "dpo.objective_weights"),
    roles=("base",),
    requires=BY_DPO,
)
def dpo(work: Work) -> Facts:
    work.require_quality(*COMPARED)
    from solon.pipeline.learning import train_by_dpo

    return train_by_dpo(work, _compared(work))


def _answers(model: str, called: str, requires: Condition | None = None) -> Stage:
    trained = None if model == "base" else model

    @partial(
        Stage,
        f"answers-{model}",
        f"{called} answers the held-out prompts.",
        reads=(EVALUATION, *([trained] if trained else [])),
        settings=("evaluation",),
        roles=("base",),
        weights=() if trained else ("base",),
        asks=() if trained else ("base",),
        requires=requires,
    )
    def answers(work: Work) -> None:
        actor, section = work.actor("base", trained), work.config.evaluation
        work.rows(work.prompts.evaluation, lambda part: respond(part, actor.sampler("evaluate", section)), Answer)

    return answers


@partial(
    Stage,
    "scores",
    "Grade answers and revisions; measure the labels and the preference model.",
    reads=(
        *(f"answers-{model}" for model in EVALUATED),
        *("revisions", *COMPARED, "pm"),
        *(RED_TEAM, SCENARIOS, HELPFUL, EVALUATION, COMPARISONS),
    ),
    unused=lambda config: _unused_by_pairs(config),
    roles=("base",),
    hashes=(RunInputs.comparison_texts, RunInputs.measures),
)
def scores(work: Work) -> Facts:
    folder, given, prompts = work.folder, work.given, work.prompts.by_id()
    answered = {model: work.read(name, Answer) for model in EVALUATED if (name := f"answers-{model}") in work.inputs}
    held_out = (held_out_responses(model, answers, prompts) for model, answers in answered.items())
    responses = [*chain.from_iterable(held_out), *chain_responses(work.read("revisions", Revision), prompts)]
    rows = list(work.rows(responses, lambda part: Rows(records=tuple(grade(part, given.graders))), Score))
    with folder.timed():
        folder.write_json("evidence.json", evidence(responses, rows, [grader.card for grader in given.graders]))
        labels = work.read("comparisons", Comparison)
        known = true_labels([*labels, *_ranked(work)], prompts, given.constitution, given.truth)
        truth = (lambda row: known.get(row.id)) if known else None
        folder.write_json("labels.json", label_quality(labels, truth, scaling_of(work.inputs["comparisons"].manifest)))
        if (quality := quality_of_preference(work, _compared(work), responses, rows, known)) is not None:
            folder.write_json("preference.json", quality)
    return {"grader": given.truth.name if given.truth else None}


STAGES: tuple[Stage, ...] = (
    prompts,
    scenarios,
    revisions,
    helpful,
    dialogues,
    sl,
    pairs,
    comparisons,
    rankings,
    helpfulness,
    pm,
    rl,
    dpo,
    _answers("base", "Base"),
    _answers("sl", "SL-CAI"),
    _answers("rl", "RL-CAI", BY_RL),
    _answers("dpo", "DPO-CAI", BY_DPO),
    *EVALUATIONS,
    scores,
)
"""Those of all runs, in the order in which they run: each reads only such as stand before it."""


def stages_of(config: RunConfig) -> tuple[Stage, ...]:
    """Those of one run. They read no others."""
    own = {stage.name: stage for stage in STAGES if stage.requires is None or stage.requires.holds(config)}
    return tuple(stage.among(own, config) for stage in own.values())


# Parts of declarations and bodies.


def _unused_by_pairs(config: RunConfig) -> tuple[str, ...]:
    return () if config.pairs.helpful_per_prompt else (HELPFUL,)


def _unused_by_rl(config: RunConfig) -> tuple[str, ...]:
    plain = () if config.rl.rewards.result_settings() else ("rl.rewards",)
    unwatched = () if config.gold else ("preference.holdout",)
    judges = config.rl.rewards.judge or config.gold == "judge"
    return (*plain, *unwatched, *(unused_by_judge(config) if judges else JUDGING))


def _gate(work: Work, assistant: Actor) -> Actor:
    """Who judges revisions. One that plays the assistant too, and is written to alike, is loaded once."""
    models = work.config.models
    return assistant if models.role("judge") == models.role("assistant") else work.actor("judge")


def _compared(work: Work) -> list[Comparison]:
    """AI harmlessness labels, those of ranked answers, rated helpfulness pairs, and helpfulness comparisons that the
    user gave."""
    made = (work.read(stage, Comparison) for stage in ("comparisons", "helpfulness"))
    return [*chain.from_iterable(made), *_ranked(work), *work.prompts.comparisons]


def _ranked(work: Work) -> list[Comparison]:
    """Those of rankings that are made as `comparisons` are."""
    rankings = work.read("rankings", Ranking) if "rankings" in work.inputs else []
    return [one for row in rankings for one in row.comparisons]
