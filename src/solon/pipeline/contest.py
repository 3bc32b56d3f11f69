"""A run's judge compares the answers of the run's models to held-out prompts, every two of each prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from solon.artifacts.finished import FinishedStage
from solon.errors import RunError, Where
from solon.evals.contest import KINDS, Contest, games_of, rated
from solon.evals.elo import Game
from solon.feedback.judge import check_unscored
from solon.pipeline.asking_again import judge_again, put
from solon.pipeline.evaluating import EVALUATED
from solon.pipeline.judging import judge_of
from solon.pipeline.sources import EVALUATION, PromptSets
from solon.pipeline.stage import stage_of
from solon.progress import Reporter
from solon.records import Answer, Pair, Prompt
from solon.seeds import generator


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """Two models' answers to one prompt."""

    models: tuple[str, str]
    pair: Pair

    @property
    def tie(self) -> Game:
        return *self.models, "tie"


def contest(run: Path, settings: Sequence[str], count: int, reporter: Reporter) -> Contest:
    """Of so many prompts that ask for harm, drawn by the run's seed; of all, if `count` is 0 or there are no more.

    Both orders are asked, and labels are not clamped. Equal answers are a tie that nobody is asked about. Raises
    `RunError` without answers of two models, `UnscoredError` if more verdicts than the run file allows could not be
    read.
    """
    found: dict[str, FinishedStage | None] = {model: FinishedStage.find(run, f"answers-{model}") for model in EVALUATED}
    answers = {model: stage for model, stage in found.items() if stage}
    own, actor = judge_again(run, settings, reporter)
    config = own.given.config
    prompts = PromptSets.read({EVALUATION: FinishedStage.open(run, stage_of(EVALUATION))}).by_id()
    meetings = _meetings(answers, _drawn(prompts, count, config.seed))
    if not meetings:
        raise RunError("no two models of the run have answered the same harmful prompt", where=Where(run))
    judge = judge_of(own.given, actor, "elo", orders="both", clamp=None)
    asked = [one.pair for one in meetings.values() if one.pair.a != one.pair.b]
    rows = put("elo", asked, judge, prompts, reporter, size=config.sampling.shard_rows)
    check_unscored([row.unscored for row in rows.records], config.judge.max_unscored)
    games, of = games_of(rows.records, lambda name: meetings[name].models)
    equal = [one for one in meetings.values() if one.pair.a == one.pair.b]
    elo = rated([*games, *(one.tie for one in equal)], [*of, *(one.pair.prompt_id for one in equal)])
    if elo is None:
        raise RunError(f"none of {len(meetings)} comparisons gave a game ({dict(rows.dropped)})", where=Where(run))
    return Contest(
        judge=judge.sampler.model.identity,
        prompts=len({one.pair.prompt_id for one in meetings.values()}),
        elo=elo,
        unscored=dict(rows.dropped + +rows.noted),
        answers={model: stage.manifest.fingerprint for model, stage in answers.items()},
        settings=tuple(settings),
    )


def _drawn(prompts: Mapping[str, Prompt], count: int, seed: int) -> list[str]:
    """Ids of prompts that a judge of harmlessness can say something of."""
    ids = [name for name, prompt in prompts.items() if prompt.kind in KINDS["harmlessness"]]
    order = generator(seed, "elo").permutation(len(ids))[: count or None]
    return [ids[int(place)] for place in sorted(order)]


def _meetings(answers: Mapping[str, FinishedStage], prompts: Sequence[str]) -> dict[str, Meeting]:
    """By the id of the pair."""
    texts = {name: {row.prompt_id: row.text for row in one.rows("rows", Answer)} for name, one in answers.items()}
    return {
        pair.id: Meeting(models=(a, b), pair=pair)
        for prompt in prompts
        for a, b in combinations(texts, 2)
        if prompt in texts[a] and prompt in texts[b]
        for pair in [Pair(id=f"{prompt}.{a}-{b}", prompt_id=prompt, a=texts[a][prompt], b=texts[b][prompt])]
    }
