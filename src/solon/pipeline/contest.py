"""A run's judge compares the answers of the run's models to held-out prompts, every two of each prompt.

The games are a stage in a folder of their own, by what they depend on, so that a command that was stopped goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from solon.artifacts.atomic import canonical_json, sha256_bytes
from solon.artifacts.finished import FinishedStage
from solon.artifacts.lock import FolderLock
from solon.artifacts.manifest import Header
from solon.artifacts.stage import StageFolder
from solon.config.evaluations import EVALUATED
from solon.errors import RunError, Where
from solon.evals.contest import KINDS, elo_evaluations
from solon.evals.kept import FOLDER, Evaluation, fingerprints
from solon.feedback.games import Game, Match, matches, play, verdicts
from solon.feedback.judge import check_unscored
from solon.pipeline.actors import Actors
from solon.pipeline.asking_again import judge_again
from solon.pipeline.evaluating import games, played
from solon.pipeline.inputs import RunInputs
from solon.pipeline.judging import referee_of
from solon.pipeline.sources import EVALUATION, PromptSets
from solon.pipeline.stage import stage_of
from solon.pipeline.work import Work
from solon.progress import Reporter
from solon.records import Answer, Prompt
from solon.seeds import generator

ANSWERS: dict[str, str] = {model: f"answers-{model}" for model in EVALUATED}


def contest(run: Path, settings: Sequence[str], count: int, reporter: Reporter) -> list[Evaluation]:
    """Of so many prompts that ask for harm, drawn by the run's seed; of all, if `count` is 0 or there are no more.

    The rule is that of the stage `games` (`feedback.games`). Raises `RunError` without answers of two models,
    `UnscoredError` if more verdicts than the run file allows could not be read.
    """
    own, actor = judge_again(run, settings, reporter)
    config = own.given.config
    prompts = PromptSets.read({EVALUATION: FinishedStage.open(run, stage_of(EVALUATION))}).by_id()
    asked = _drawn(prompts, count, config.seed)
    stages = {model: found for model, name in ANSWERS.items() if (found := FinishedStage.find(run, name))}
    answers = {
        model: {row.prompt_id: row.text for row in stage.rows("rows", Answer) if row.prompt_id in asked}
        for model, stage in stages.items()
    }
    every = list(matches(answers))
    if not every:
        raise RunError("no two models of the run have answered the same harmful prompt", where=Where(run))
    header = _header(run, own.given, actor.actors, asked)
    with _locked(run / FOLDER):
        stage = FinishedStage.of(run, header) or _played(every, prompts, header, run, own.given, actor.actors, reporter)
    rows = stage.rows("rows", Game)
    of = fingerprints(run, *ANSWERS.values())
    rated = elo_evaluations("elo-answers", temperature_of_answers(run), played(rows), seed=config.seed)
    results = [one.model_copy(update={"stages": of, "settings": tuple(settings)}) for one in rated]
    if not results:
        lost = stage.manifest.counts.dropped
        raise RunError(f"none of {len(every)} comparisons gave a game ({lost})", where=Where(run))
    return results


def _header(run: Path, given: RunInputs, actors: Actors, asked: Collection[str]) -> Header:
    """What the games depend on: all that those of a run do, but for what was answered. Its hash is in the folder's
    name, so that games under other settings are other ones."""
    models = {name: own for role in games.weighed(given.config) for name, own in actors.fingerprints(role).items()}
    prompts = {"prompts": sha256_bytes(canonical_json(sorted(asked)))}
    header = Header(
        stage="elo",
        seed=given.config.seed,
        config=games.config(actors.settled),
        inputs={**fingerprints(run, *ANSWERS.values()), **models, **games.inputs_given(given), **prompts},
    )
    return header.model_copy(update={"stage": f"{FOLDER}/elo-{sha256_bytes(canonical_json(header))[:12]}"})


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    lock = FolderLock(folder)
    try:
        yield
    finally:
        lock.release()


def _played(
    every: Sequence[Match],
    prompts: Mapping[str, Prompt],
    header: Header,
    run: Path,
    given: RunInputs,
    actors: Actors,
    reporter: Reporter,
) -> FinishedStage:
    """Raises `UnscoredError` where too little could be read; another call then reads what there is, and allows more if
    it is told to."""
    folder = StageFolder(run, header)
    work = Work(
        given=given,
        actors=actors,
        inputs={},
        folder=folder,
        reporter=reporter,
        tell=reporter.note,
        again="give the same command again",
    )
    judge = referee_of(given, work.actor("judge"))
    rows = work.rows(every, lambda part: play(part, prompts, judge), Game, may_be_empty=True)
    reporter.end_stage()
    check_unscored(verdicts(rows), given.config.judge.max_unscored)
    folder.finish(notes=work.notes)
    return FinishedStage.open(run, header.stage)


def _drawn(prompts: Mapping[str, Prompt], count: int, seed: int) -> set[str]:
    """Ids of prompts that a judge of harmlessness can say something of."""
    ids = [name for name, prompt in prompts.items() if prompt.kind in KINDS["harmlessness"]]
    order = generator(seed, "elo").permutation(len(ids))[: count or None]
    return {ids[int(place)] for place in order}


def temperature_of_answers(run: Path) -> float | None:
    """That the run's models answered the held-out prompts at."""
    found = FinishedStage.open(run, ANSWERS["base"]).manifest.config
    section = found.get("evaluation") if isinstance(found, dict) else None
    value = section.get("temperature") if isinstance(section, dict) else None
    return float(value) if isinstance(value, int | float) else None
