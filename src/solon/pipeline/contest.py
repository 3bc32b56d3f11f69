"""A run's judge compares the answers of the run's models to held-out prompts, every two of each prompt.

The games are kept beside the run, so that a command that was stopped goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from solon.artifacts.atomic import canonical_json, sha256_bytes
from solon.artifacts.finished import FinishedStage
from solon.errors import RunError, Where
from solon.evals.contest import KINDS, elo_evaluations
from solon.evals.kept import Evaluation, fingerprints
from solon.feedback.games import Game, matches, play, verdicts
from solon.feedback.judge import check_unscored
from solon.pipeline.asking_again import judge_again
from solon.pipeline.beside import header_of, kept
from solon.pipeline.evaluating import ANSWERS, games, played, temperature_of_answers
from solon.pipeline.judging import referee_of
from solon.pipeline.sources import EVALUATION, PromptSets
from solon.pipeline.stage import stage_of
from solon.progress import Reporter
from solon.records import Answer, Prompt
from solon.seeds import generator


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
    inputs = {**fingerprints(run, *ANSWERS.values()), "prompts": sha256_bytes(canonical_json(sorted(asked)))}
    header = header_of("elo", games, own.given, actor.actors, inputs)
    stage = kept(
        run,
        header,
        every,
        lambda work: partial(play, prompts=prompts, judge=referee_of(own.given, work.actor("judge"))),
        Game,
        given=own.given,
        actors=actor.actors,
        reporter=reporter,
        check=lambda rows: check_unscored(verdicts(rows), config.judge.max_unscored),
    )
    rows = stage.rows("rows", Game)
    of = fingerprints(run, *ANSWERS.values())
    rated = elo_evaluations("elo-answers", temperature_of_answers(run), played(rows), seed=config.seed)
    results = [one.model_copy(update={"stages": of, "settings": tuple(settings)}) for one in rated]
    if not results:
        lost = stage.manifest.counts.dropped
        raise RunError(f"none of {len(every)} comparisons gave a game ({lost})", where=Where(run))
    return results


def _drawn(prompts: Mapping[str, Prompt], count: int, seed: int) -> set[str]:
    """Ids of prompts that a judge of harmlessness can say something of."""
    ids = [name for name, prompt in prompts.items() if prompt.kind in KINDS["harmlessness"]]
    order = generator(seed, "elo").permutation(len(ids))[: count or None]
    return {ids[int(place)] for place in order}
