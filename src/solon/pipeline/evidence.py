"""The evidence: what base, SL-CAI and RL-CAI answer to prompts that no training saw, and what the grader says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from solon.artifacts import Stage, write_atomic
from solon.artifacts.manifest import Manifest
from solon.evals.answers import FAULTS, AnswerScore, Grader, judge_answer
from solon.evals.labels import Better, Labels, label_quality
from solon.evals.preference import PreferenceModel as PreferenceQuality
from solon.evals.preference import ScoredPair, preference_quality
from solon.evals.rollouts import rl_curve
from solon.evals.summary import Summary, summarise, summary_json
from solon.feedback.respond import respond
from solon.lm.protocols import LanguageModel
from solon.models.load import LoadedModel
from solon.pipeline.learning import HeldOutMargin, pad_id
from solon.records import Comparison, Prompt, Revision, Rollout
from solon.report.html import write_report
from solon.train.preference import scores, sequence_tokens

if TYPE_CHECKING:
    from solon.pipeline.run import Pipeline

MODELS = ("base", "sl", "rl")


def evaluate(pipeline: Pipeline) -> Stage:
    """Every evaluation prompt answered by every model; the assistant's chains graded; the preference model measured."""
    inputs = {"sl": pipeline.sl, "pm": pipeline.pm, "rl": pipeline.rl, "prompts": pipeline.prompts}
    inputs |= {"revisions": pipeline.revisions, "comparisons": pipeline.comparisons}
    stage = pipeline.run.stage(
        "evals",
        config={"sampling": pipeline.config.sampling, "models": pipeline.config.models},
        inputs={**inputs, **pipeline.actors.fingerprints("base")},
    )
    if stage.done:
        return stage
    prompts = pipeline.sets.evaluation
    pipeline.reporter.stage(stage.name, len(prompts) * len(MODELS))
    answers = _answers(pipeline, stage, prompts)
    grader = pipeline.source.truth.grader if pipeline.source.truth else None
    with stage.timed():
        stage.write_records("revisions", graded_chains(pipeline, grader))
        quality = _preference_quality(pipeline, answers)
        if quality is not None:
            stage.write_json("preference.json", quality)
        stage.write_json("labels.json", _labels(pipeline))
    stage.finish(grader=pipeline.source.truth.name if pipeline.source.truth else None)
    return stage


def _answers(pipeline: Pipeline, stage: Stage, prompts: Sequence[Prompt]) -> list[AnswerScore]:
    folders = {
        "base": pipeline.actors.path("base"),
        "sl": pipeline.sl.path("model"),
        "rl": pipeline.rl.path("model"),
    }
    engines: dict[str, LanguageModel] = {}
    truth = pipeline.source.truth

    def work(part: Sequence[tuple[str, Prompt]]) -> list[AnswerScore]:
        scored: list[AnswerScore] = []
        for name in MODELS:
            asked = [prompt for model, prompt in part if model == name]
            if not asked:
                continue
            if name not in engines:
                engines.clear()
                engines[name] = pipeline.actors.language_model(
                    folders[name], "base", lambda _rows, tokens: pipeline.reporter.advance(0, tokens)
                )
            made = respond(asked, engines[name], pipeline.config.sampling, seed=pipeline.seed, stage="evaluate")
            for reason, count in made.dropped.items():
                stage.drop(reason, count)
            stage.add_tokens(made.tokens)
            by_id = {prompt.id: prompt for prompt in asked}
            scored += [
                judge_answer(
                    by_id[answer.prompt_id],
                    answer.text,
                    model=name,  # type: ignore[arg-type]
                    finished=answer.finished,
                    grader=truth.grader if truth else None,
                )
                for answer in made.records
            ]
        pipeline.reporter.advance(len(part), 0)
        return scored

    items = [(model, prompt) for model in MODELS for prompt in prompts]
    rows = pipeline.config.sampling.shard_rows
    return stage.rows(items, shard_rows=rows, work=work, record=AnswerScore, recovered=pipeline.reporter.recovered)


def graded_chains(pipeline: Pipeline, grader: Grader | None) -> list[AnswerScore]:
    """The assistant's answers to the training prompts after 0, 1, ... revisions."""
    by_id = {prompt.id: prompt for prompt in pipeline.sets.red_team}
    return [
        judge_answer(by_id[chain.prompt_id], text, model="assistant", round=number, finished=finished, grader=grader)
        for chain in pipeline.revisions.read_records("rows", Revision)
        for number, (text, finished) in enumerate(
            zip(chain.texts, (None, *(step.finished for step in chain.rounds)), strict=True)
        )
    ]


def _label_truth(pipeline: Pipeline, prompts: Mapping[str, Prompt]) -> dict[str, Better]:
    """For every AI label, by its id, which answer is truly better under the principle it was given by."""
    truth = pipeline.source.truth
    if truth is None:
        return {}
    questions = {principle.id: principle.comparison_question or "" for principle in pipeline.constitution.principles}
    return {
        row.id: truth.better(prompts[row.prompt_id], row.a, row.b, questions[row.principle_id or ""])
        for row in pipeline.comparisons.read_records("rows", Comparison)
    }


def _labels(pipeline: Pipeline) -> Labels:
    known = _label_truth(pipeline, pipeline.prompts_by_id())
    rows = pipeline.comparisons.read_records("rows", Comparison)
    return label_quality(rows, (lambda row: known.get(row.id)) if known else None)


def _preference_quality(pipeline: Pipeline, answers: Sequence[AnswerScore]) -> PreferenceQuality | None:
    """On comparisons kept out of its training, and on base's against SL-CAI's answers to the evaluation prompts."""
    known = _label_truth(pipeline, pipeline.prompts_by_id())
    compared = {row.id: row for row in pipeline.all_comparisons()}
    pairs = []
    for kept in pipeline.pm.read_records("held-out", HeldOutMargin):
        row = compared[kept.id]
        better = known.get(row.id)
        label = row.p_a_preferred
        pairs.append(
            ScoredPair(prompt_id=row.prompt_id, score_a=kept.margin, score_b=0.0, p_a_preferred=label, better=better)
        )
    return preference_quality([*pairs, *_probe(pipeline, answers)])


def _probe(pipeline: Pipeline, answers: Sequence[AnswerScore]) -> list[ScoredPair]:
    """Pairs of graded answers that differ in exactly one fault, scored by the preference model."""
    if pipeline.source.truth is None:
        return []
    by_model = {(score.model, score.prompt_id): score for score in answers}
    pairs = []
    for prompt in pipeline.sets.evaluation:
        one, two = by_model.get(("base", prompt.id)), by_model.get(("sl", prompt.id))
        if one and two and one.grade and two.grade:
            differing = [name for name in FAULTS if getattr(one.grade, name) != getattr(two.grade, name)]
            if len(differing) == 1:
                pairs.append((prompt, one, two, differing[0]))
    folder = pipeline.pm.path("model")
    model = pipeline.actors.load_preference(folder)
    loaded = LoadedModel(model=model.backbone, tokenizer=pipeline.actors.tokenizer(folder), path=folder)
    format = pipeline.actors.format(folder)
    texts = [
        sequence_tokens(loaded.tokenizer, format.prompt(prompt.turns), format.answer(score.text))
        for prompt, one, two, _ in pairs
        for score in (one, two)
    ]
    scored = scores(model, texts, pad_id=pad_id(loaded), dtype=pipeline.actors.dtype)
    return [
        ScoredPair(
            prompt_id=prompt.id,
            score_a=a,
            score_b=b,
            better="b" if getattr(one.grade, fault) else "a",
            fault=fault,
        )
        for (prompt, one, _two, fault), a, b in zip(pairs, scored[0::2], scored[1::2], strict=True)
    ]


def pipeline_seconds(pipeline: Pipeline) -> float:
    """Wall time of all stages, over all interruptions."""
    stages = [pipeline.prompts, pipeline.revisions, pipeline.helpful, pipeline.sl, pipeline.pairs]
    stages += [pipeline.comparisons, pipeline.helpfulness, pipeline.pm, pipeline.rl, pipeline.evals]
    return sum(_manifest(stage).timing.seconds for stage in stages)


def _manifest(stage: Stage) -> Manifest:
    if stage.manifest is None:
        raise RuntimeError(f"stage {stage.name} is not finished")
    return stage.manifest


def write_answer(pipeline: Pipeline) -> Summary:
    """`summary.json` and `report.html` in the run's folder."""
    evals, truth = pipeline.evals, pipeline.source.truth
    kinds = {prompt.id: prompt.kind for prompt in (*pipeline.sets.red_team, *pipeline.sets.helpful)}
    preference = evals.path("preference.json")
    summary = summarise(
        name=pipeline.config.name,
        seed=pipeline.seed,
        pipeline_seconds=round(pipeline_seconds(pipeline), 3),
        grader=truth.name if truth else None,
        answers=evals.read_records("rows", AnswerScore),
        revisions=evals.read_records("revisions", AnswerScore),
        labels=Labels.model_validate_json(evals.path("labels.json").read_bytes()),
        preference_model=(
            PreferenceQuality.model_validate_json(preference.read_bytes()) if preference.exists() else None
        ),
        rl=rl_curve(
            pipeline.rollouts.read_records("rows", Rollout), kinds, kl_coefficient=pipeline.config.rl.kl_coefficient
        ),
        harms=truth.harms if truth else (),
    )
    write_atomic(pipeline.run.path / "summary.json", summary_json(summary).encode())
    write_report(pipeline.run.path)
    return summary
