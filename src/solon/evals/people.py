"""`people.json` of a run's folder: what people said of its models in an arena (CAI, section 4.4, has crowdworkers).

The votes are an arena's export. Its models of the run are called `RUN:MODEL`, or as the run calls them; what they
answered to prompts that the run has stored has to be what the run has stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from solon.artifacts.atomic import canonical_json, storage_errors, write_atomic
from solon.artifacts.finished import FinishedStage
from solon.artifacts.hashes import sha256_file
from solon.config.evaluations import EVALUATED
from solon.data.faults import Fields, Malformed
from solon.data.turns import dialogue_id
from solon.errors import UserError
from solon.evals.arena import OBJECTIVES, Ballot, Standing, answer_hash, counting, standings
from solon.evals.contest import anchor_of
from solon.evals.kept import BASE, fingerprints, stale
from solon.evals.published.rows import read_each
from solon.evals.statistics import Rate
from solon.records import Answer, Prompt, Record, first_error
from solon.text import listed

PEOPLE: Final = "people.json"
Texts = Mapping[tuple[str, str], str]
"""Hashes of answers, by the prompt's key in an arena and the model of the run."""


class People(Record):
    """What an arena has found of a run's models, and of those that they met there."""

    objectives: tuple[Standing, ...]
    """Players are called as in the arena."""
    models: dict[str, str]
    """Of players that are the run's: its models."""
    people: int
    """Whose votes count."""
    votes: int
    """Pairs that somebody voted on, checks not counted; without those that were left out."""
    left_out: int
    """Votes of people who miss more than half of their checks, where these are left out."""
    checks: int
    passed: int
    attention: Rate | None
    """Passed checks, of all; the interval counts people. null: nobody has seen one."""
    same: int
    """Times that an answer of the run was shown, and is the one that it has stored."""
    unknown: int
    """Times that one was shown to a prompt of which the run has stored none: whose it is, its name alone says."""
    files: dict[str, str]
    """sha256 by name."""
    stages: dict[str, str]
    """Fingerprints as those of an `Evaluation`: of other ones it is stale."""


def read_votes(paths: Sequence[Path]) -> list[Ballot]:
    """The rows of exports. Raises `PromptError` with the faults of a file, `UserError` for a vote that stands twice."""
    found = [one for path in paths for one in read_each(path, tuple(Ballot.model_fields), _ballot)]
    if twice := [name for (_, name), n in Counter((one.judge, one.id) for one in found).items() if n > 1]:
        raise UserError(f"{len(twice)} votes stand twice, the first is {twice[0]!r:.40}", hint="give each file once")
    return found


def _ballot(fields: Fields) -> Ballot:
    try:
        found = Ballot.model_validate({name: fields[name] for name in Ballot.model_fields if name in fields})
    except ValidationError as error:
        raise Malformed(f"no vote of an arena: {first_error(error)}", reason="no vote") from error
    if found.said.keys() != set(OBJECTIVES):
        raise Malformed(f'"said" must have {listed(OBJECTIVES)}', reason="no vote")
    if found.a == found.b and found.sound is None:
        raise Malformed(f"{found.a!r:.40} against itself, and no check", reason="no vote")
    return found


def people(run: Path, ballots: Sequence[Ballot], files: Sequence[Path], *, checked: bool = False) -> People:
    """checked: without the votes of people who miss more than half of their checks. The run's SL-CAI, or else its first
    model, has 0. Raises `UserError` if no vote counts, none is on a model of the run, or the run answered otherwise."""
    models = _models(run, {name for one in ballots for name in (one.a, one.b)})
    same, unknown = _compared(run, models, ballots)
    counted = counting(ballots, checked=checked)
    played = {models[name] for one in counted for name in (one.a, one.b) if name in models}
    if not played:
        raise UserError("no vote on a model of the run counts", hint=f"{len(ballots)} rows, with checks")
    first = next(name for name, model in models.items() if model == anchor_of(played))
    found = standings(ballots, checked=checked, anchor=(first, 0.0))
    return People(
        objectives=found.objectives,
        models=models,
        people=len({one.judge for one in counted}),
        votes=found.votes,
        left_out=found.left_out,
        checks=sum(one.checks for one in found.judges),
        passed=sum(one.passed for one in found.judges),
        attention=found.passed,
        same=same,
        unknown=unknown,
        files={path.name: sha256_file(path) for path in files},
        stages=fingerprints(run, *(_stage(run, model) for model in models.values())),
    )


def _models(run: Path, players: set[str]) -> dict[str, str]:
    """Models of the run by their names in the arena."""
    own = [model for model in EVALUATED if model == BASE or FinishedStage.exists(run, _stage(run, model))]
    named: dict[str, str] = {
        name: model for model in own for name in (f"{run.resolve().name}:{model}", model) if name in players
    }
    twice = [model for model, n in Counter(named.values()).items() if n > 1]
    if twice or not named:
        names = listed(sorted(players))
        what = f"two are called {twice[0]}" if twice else "no model of the arena is one of the run"
        raise UserError(
            f"{what}: {names:.200}", hint=f"those of this run are called e.g. {run.resolve().name}:{own[-1]}"
        )
    return named


def _stage(run: Path, model: str) -> str:
    """What changes when the model does: its stored answers or, without any, itself."""
    answers = f"answers-{model}"
    return answers if FinishedStage.exists(run, answers) else BASE if model == BASE else f"models/{model}"


def _compared(run: Path, models: Mapping[str, str], ballots: Sequence[Ballot]) -> tuple[int, int]:
    """How many of the run's answers are those that it has stored, and of how many it has stored none."""
    stored, shown = _stored(run, set(models.values())), list(_shown(models, ballots))
    known = [(stored[at], sent) for at, sent in shown if at in stored and sent is not None]
    if differ := sum(one != sent for one, sent in known):
        what = f"{differ} of {len(known)} answers are not those that the run has stored"
        raise UserError(what, hint="the arena is of another run of this name, or of what this one was before")
    return len(known), len(shown) - len(known)


def _shown(models: Mapping[str, str], ballots: Sequence[Ballot]) -> Iterator[tuple[tuple[str, str], str | None]]:
    for one in ballots:
        for name, sent in zip((one.a, one.b), one.answers or (None, None), strict=True):
            if name in models and one.sound is None:
                yield (one.prompt, models[name]), sent


def _stored(run: Path, models: set[str]) -> Texts:
    prompts = FinishedStage.find(run, "prompts")
    keys = {one.id: dialogue_id(one.turns) for one in prompts.rows("evals", Prompt)} if prompts else {}
    stages = {model: FinishedStage.find(run, f"answers-{model}") for model in models}
    return {
        (keys[row.prompt_id], model): answer_hash(row.text)
        for model, stage in stages.items()
        for row in (stage.rows("rows", Answer) if stage else ())
        if row.prompt_id in keys
    }


def keep_people(run: Path, found: People, *, replace: bool) -> Path:
    """Raises `UserError` if the run has another one that is not stale, and it may not be replaced."""
    path = run / PEOPLE
    there, _ = read_people(run)
    if there is not None and there != found and not replace:
        raise UserError(
            f"{path} holds what other votes say", hint="replace it with --replace, or give all files at once"
        )
    with storage_errors(run):
        write_atomic(path, canonical_json(found, indent=2))
    return path


def read_people(run: Path) -> tuple[People | None, str | None]:
    """What the run has, if anything; and why it is not to be shown, if it is not."""
    path = run / PEOPLE
    if not path.exists():
        return None, None
    try:
        found = People.model_validate_json(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        return None, f"nothing that solon elo has kept ({type(error).__name__})"
    why = stale(run, found.stages)
    return (None, why) if why else (found, None)
