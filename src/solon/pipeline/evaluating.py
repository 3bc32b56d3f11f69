"""The evaluations that a run ends with. In stages models are asked, and the judge decides games between them; then
results are summed up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from solon.artifacts.finished import FinishedStage
from solon.config.evaluations import EvaluatedModel
from solon.config.run import RunConfig
from solon.evals.elo import Game as Played
from solon.evals.evaluation import elo_evaluations, evaluations, keep_evaluations
from solon.evals.kept import Evaluation
from solon.evals.statistics import grouped
from solon.evals.tasks import Asked, Item, Outcome
from solon.evals.tasks.answers import ELO
from solon.evals.tasks.every import MEASURES, items_of
from solon.feedback.games import Game, Match, matches, play
from solon.feedback.rows import Rows, run_rows
from solon.lm.protocols import Completion
from solon.pipeline.inputs import RunInputs
from solon.pipeline.judging import JUDGING, judge_of, unused_by_judge
from solon.pipeline.sources import EVALUATION
from solon.pipeline.stage import BY_DPO, BY_RL, Condition, Stage
from solon.pipeline.work import Work
from solon.prompting.context import Context
from solon.prompting.dialogue import HumanAssistant

if TYPE_CHECKING:
    from solon.pipeline.actors import Actor

EVALUATED: tuple[EvaluatedModel, ...] = get_args(EvaluatedModel)
"""The models that answer the held-out prompts, in the runs that train them."""
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


def _evaluated(model: EvaluatedModel, called: str) -> Stage:
    trained = None if model == "base" else model

    @partial(
        Stage,
        f"evaluated-{model}",
        f"{called} is asked what the published evaluations ask.",
        reads=(EVALUATION, *([trained] if trained else [])),
        settings=("evaluations", "evaluation"),
        roles=("base",),
        weights=() if trained else ("base",),
        asks=() if trained else ("base",),
        hashes=(RunInputs.evaluation_files,),
        requires=evaluating(model),
    )
    def evaluated(work: Work) -> None:
        _ask(work, work.actor("base", trained))

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


EVALUATIONS: tuple[Stage, ...] = (
    _evaluated("base", "Base"),
    _evaluated("sl", "SL-CAI"),
    _evaluated("rl", "RL-CAI"),
    _evaluated("dpo", "DPO-CAI"),
    games,
)
"""In their order."""


# Bodies.


def _ask(work: Work, actor: Actor) -> None:
    """Asks a model everything; a row is an `Outcome`."""
    section, how = work.config.evaluations, work.config.evaluation
    seed, named = work.seed, "evaluations"

    async def write(context: Context, temperature: float, most: int | None, *names: str) -> Completion:
        own = {"temperature": temperature, "max_new_tokens": most or how.max_new_tokens}
        return await actor.sampler(named, how.model_copy(update=own)).complete(context, *names)

    def outcomes(items: Sequence[Item]) -> Rows[Outcome]:
        chat = not isinstance(actor.format, HumanAssistant)
        by = Asked(model=actor.model, chat=chat, write=write, count_tokens=actor.count_tokens, seed=seed)
        asked = run_rows(item.ask(by) for item in items)
        found = [one for several in asked.records for one in several]
        cut = sum(one.finished is False for one in found)
        rows = Rows(records=tuple(found)).account([asked])
        rows.noted.update({"answers cut off": cut} if cut else {})
        return rows

    work.rows(items_of(section, work.prompts.evaluation), outcomes, Outcome)


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
        return play(part, prompts, judge_of(given, judge, "games", orders="both"))

    rows = work.rows(every, games, Game)
    work.require_verdicts([row.unscored for row in rows])


def _player(model: str, temperature: float) -> str:
    """Whom `solon elo` rates: models at one temperature have met, so each temperature is a league."""
    return f"{model}@{temperature:g}"


def _outcomes(done: Mapping[str, FinishedStage]) -> dict[str, list[Outcome]]:
    """By model, in the run's order."""
    found = {model: f"evaluated-{model}" for model in EVALUATED}
    return {model: list(done[name].rows("rows", Outcome)) for model, name in found.items() if name in done}


def write_results(run: Path, done: Mapping[str, FinishedStage], seed: int) -> None:
    """Writes the result of every evaluation, temperature and model into the run's folder. It is no stage: other
    commands keep their results beside these. `done`: every stage, by name."""
    outcomes, found = _outcomes(done), list[Evaluation]()
    keys = dict.fromkeys((one.task, one.temperature) for of in outcomes.values() for one in of if one.task != ELO)
    for task, temperature in keys:
        own = {
            model: [it for it in of if (it.task, it.temperature) == (task, temperature)]
            for model, of in outcomes.items()
        }
        found += evaluations({model: of for model, of in own.items() if of}, MEASURES[task], seed=seed)
    games = done["games"].rows("rows", Game) if "games" in done else []
    keep_evaluations(run, [*found, *elo_evaluations(_by_temperature(games), list(outcomes), seed=seed)])


def _by_temperature(games: Sequence[Game]) -> dict[float, list[Played]]:
    """Between models, and no longer players."""

    def model(player: str) -> str:
        return player.rpartition("@")[0]

    found = grouped(games, lambda game: float(game.a.rpartition("@")[2]))
    return {at: [(model(game.a), model(game.b), game.winner) for game in own] for at, own in found.items()}
