"""The evaluations that a run ends with. In stages models are asked, the judge decides games between them, and a
regressor scores their answers; then results are summed up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from solon.artifacts.finished import FinishedStage
from solon.config.evaluations import EVALUATED, EvaluatedModel
from solon.config.run import RunConfig
from solon.config.sampling import SamplingOverrides
from solon.data.rows import fingerprints as file_fingerprints
from solon.evals.contest import Played, elo_evaluations
from solon.evals.evaluation import evaluations
from solon.evals.harmfulness import ScoredAnswer, harmfulness_evaluations
from solon.evals.kept import FOLDER, Evaluation, fingerprints, keep_own
from solon.evals.statistics import grouped
from solon.evals.tasks import Asked, Item, Outcome
from solon.evals.tasks.answers import ELO
from solon.evals.tasks.apart import held_apart, warnings
from solon.evals.tasks.every import items_of, measures_of, together
from solon.feedback.games import Game, Match, matches, play, verdicts
from solon.feedback.rows import Rows, run_rows
from solon.lm.protocols import Completion
from solon.pipeline.inputs import RunInputs
from solon.pipeline.judging import JUDGING, referee_of, unused_by_judge
from solon.pipeline.sources import COMPARISONS, DEMONSTRATIONS, EVALUATION, HELPFUL, RED_TEAM, SCENARIOS, TWINS, WHY
from solon.pipeline.stage import BY_DPO, BY_RL, Condition, Facts, Stage
from solon.pipeline.work import Work
from solon.prompting.context import Context
from solon.prompting.dialogue import HumanAssistant

if TYPE_CHECKING:
    from solon.pipeline.actors import Actor

TAUGHT = (RED_TEAM, SCENARIOS, WHY, HELPFUL, TWINS, COMPARISONS, DEMONSTRATIONS)
"""What training is made of; no evaluation may ask it."""
ANSWERS: dict[str, str] = {model: f"answers-{model}" for model in EVALUATED}
"""Stages in which models answer the held-out prompts."""
_OF = {"rl": BY_RL, "dpo": BY_DPO}


def evaluating(model: str) -> Condition:
    """Runs that evaluate a model."""
    of = _OF.get(model)
    says = f"evaluations of {model}" + (f" and {of.says}" if of else "")
    return Condition(says, lambda config: config.evaluations.any_of(model) and (of is None or of.holds(config)))


def evaluated_models(config: RunConfig) -> tuple[str, ...]:
    """Those of a run that are evaluated, in its order."""
    return tuple(model for model in EVALUATED if evaluating(model).holds(config))


PLAYING = Condition(
    "evaluations.elo.prompts above 0 and two models that are evaluated",
    lambda config: config.evaluations.elo.prompts > 0 and len(evaluated_models(config)) > 1,
)


SCORING = Condition(
    "evaluations.harmfulness.regressor",
    lambda config: config.evaluations.harmfulness.regressor is not None,
)


def _evaluated(model: EvaluatedModel, called: str) -> Stage:
    trained = None if model == "base" else model

    @partial(
        Stage,
        f"evaluated-{model}",
        f"{called} is asked what the published evaluations ask.",
        reads=(EVALUATION, *TAUGHT, *([trained] if trained else [])),
        settings=("evaluations", "evaluation"),
        roles=("base",),
        weights=() if trained else ("base",),
        asks=() if trained else ("base",),
        hashes=(RunInputs.evaluation_files,),
        requires=evaluating(model),
    )
    def evaluated(work: Work) -> Facts:
        items, split = held_apart(items_of(work.config.evaluations, work.prompts.evaluation), work.prompts.taught())
        for told in warnings(split):
            work.note(told)
        work.rows(items, asking(work.actor("base", trained), work.config.evaluation, work.seed), Outcome)
        return {"split": {task: one.model_dump(mode="json") for task, one in split.items()}}

    return evaluated


@partial(
    Stage,
    "games",
    "The judge says who answers better, of every two evaluated models.",
    reads=(EVALUATION, *(f"evaluated-{model}" for model in EVALUATED)),
    settings=JUDGING,
    unused=unused_by_judge,
    roles=("judge",),
    weights=("judge",),
    asks=("judge",),
    hashes=(RunInputs.comparison_texts,),
    requires=PLAYING,
)
def games(work: Work) -> None:
    _play(work)


@partial(
    Stage,
    "harmfulness",
    "A regressor of ratings says how harmful the answers to harmful held-out prompts are.",
    reads=(EVALUATION, *ANSWERS.values()),
    settings=("evaluations.harmfulness",),
    unused=lambda config: tuple(ANSWERS[model] for model in EVALUATED if model not in config.evaluations.models),
    roles=("base",),
    hashes=(RunInputs.regressor_files,),
    requires=SCORING,
)
def harmfulness(work: Work) -> None:
    from solon.pipeline.regressing import score_answers

    score_answers(work)


EVALUATIONS: tuple[Stage, ...] = (
    _evaluated("base", "Base"),
    _evaluated("sl", "SL-CAI"),
    _evaluated("rl", "RL-CAI"),
    _evaluated("dpo", "DPO-CAI"),
    games,
    harmfulness,
)
"""In their order."""


# Bodies.


def asking(actor: Actor, how: SamplingOverrides, seed: int) -> Callable[[Sequence[Item]], Rows[Outcome]]:
    """Asks a model; a row is an `Outcome`."""

    async def write(context: Context, temperature: float, most: int | None, *names: str) -> Completion:
        own = {"temperature": temperature, "max_new_tokens": most or how.max_new_tokens}
        return await actor.sampler("evaluations", how.model_copy(update=own)).complete(context, *names)

    def outcomes(items: Sequence[Item]) -> Rows[Outcome]:
        chat = not isinstance(actor.format, HumanAssistant)
        by = Asked(model=actor.model, chat=chat, write=write, count_tokens=actor.count_tokens, seed=seed)
        asked = run_rows(item.ask(by) for item in items)
        found = [one for several in asked.records for one in several]
        cut = sum(one.finished is False for one in found)
        rows = Rows(records=tuple(found)).account([asked])
        rows.noted.update({"answers cut off": cut} if cut else {})
        rows.noted.update(f"unscored: {one.unscored}" for one in found if one.unscored is not None)
        return rows

    return outcomes


def _play(work: Work) -> None:
    """The judge on every two models' answers; players are called by model and temperature."""
    judge, given, prompts = work.actor("judge"), work.given, work.prompts.by_id()
    answers: dict[float, dict[str, dict[str, str]]] = {}
    for model, outcomes in _outcomes(work.inputs).items():
        for one in outcomes:
            if one.task == ELO and one.temperature is not None and one.text is not None:
                players = answers.setdefault(one.temperature, {})
                players.setdefault(_player(model, one.temperature), {})[one.item] = one.text
    every = [match for _, of in sorted(answers.items()) for match in matches(of)]

    def games(part: Sequence[Match]) -> Rows[Game]:
        return play(part, prompts, referee_of(given, judge))

    rows = work.rows(every, games, Game)
    work.require_verdicts(verdicts(rows))


def _player(model: str, temperature: float) -> str:
    """Whom `solon elo` rates: models at one temperature have met, so each temperature is a league."""
    return f"{model}@{temperature:g}"


def _outcomes(done: Mapping[str, FinishedStage]) -> dict[str, list[Outcome]]:
    """By model, in the run's order."""
    found = {model: f"evaluated-{model}" for model in EVALUATED}
    return {model: list(done[name].rows("rows", Outcome)) for model, name in found.items() if name in done}


def write_results(run: Path, done: Mapping[str, FinishedStage], config: RunConfig) -> list[str]:
    """Writes the result of every evaluation, temperature and model into the run's folder. It is no stage: other
    commands keep their results beside these. Returns what is to be said of those. `done`: every stage, by name."""
    own, seed = {model: f"evaluated-{model}" for model in EVALUATED}, config.seed
    found = results(
        _outcomes(done),
        {model: fingerprints(run, name) for model, name in own.items()},
        config.evaluations.files,
        seed=seed,
    )
    games = done["games"].rows("rows", Game) if "games" in done else []
    for at, of in grouped(games, lambda game: float(game.a.rpartition("@")[2])).items():
        stages = fingerprints(run, "games")
        found += [one.of({one.model: stages}) for one in elo_evaluations("elo", at, played(of), seed=seed)]
    if "harmfulness" in done:
        rows, of_scores = done["harmfulness"].rows("rows", ScoredAnswer), fingerprints(run, "harmfulness")
        scored = harmfulness_evaluations(list(rows), temperature_of_answers(run), seed=seed)
        found += [one.of({one.model: of_scores}) for one in scored]
    moved = keep_own(run, found)
    return [
        f"{FOLDER}/{name}.json is the run's own now; what a command had kept there is {new}.json"
        for name, new in moved.items()
    ]


def temperature_of_answers(run: Path) -> float | None:
    """That the run's models answered the held-out prompts at."""
    found = FinishedStage.open(run, ANSWERS["base"]).manifest.config
    section = found.get("evaluation") if isinstance(found, dict) else None
    value = section.get("temperature") if isinstance(section, dict) else None
    return float(value) if isinstance(value, int | float) else None


def results(
    outcomes: Mapping[str, Sequence[Outcome]],
    stages: Mapping[str, Mapping[str, str]],
    files: Mapping[str, str],
    *,
    seed: int,
) -> list[Evaluation]:
    """Of everything that models were asked but for games. stages: fingerprints of what outcomes are of, by
    model; files: the data, by task."""
    keys = dict.fromkeys((one.task, one.temperature) for of in outcomes.values() for one in of if one.task != ELO)
    found = list[Evaluation]()
    for task, temperature in keys:
        own = {
            model: [it for it in of if (it.task, it.temperature) == (task, temperature)]
            for model, of in outcomes.items()
        }
        asked = {model: together(task, of) for model, of in own.items() if of}
        data = file_fingerprints(files[task])[""]
        measures = measures_of(task, (one for of in asked.values() for one in of))
        found += [one.of(stages, data=data) for one in evaluations(asked, measures, seed=seed)]
    return found


def played(games: Sequence[Game]) -> list[Played]:
    """Between models, and no longer players."""
    return [
        Played(
            prompt=game.prompt_id,
            a=game.a.rpartition("@")[0] or game.a,
            b=game.b.rpartition("@")[0] or game.b,
            winner=game.winner,
            unscored=game.unscored,
        )
        for game in games
    ]
