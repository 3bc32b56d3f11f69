"""`solon eval harmfulness`: a regressor of ratings, trained, held against ratings, put to a run's answers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Option

from solon.cli.eval import options
from solon.cli.eval.keeping import Replace, print_and_keep
from solon.cli.eval.options import between, print_json
from solon.cli.faults import say_note
from solon.cli.opening import brought, one_model
from solon.cli.results import print_table
from solon.cli.run_options import JsonInstead, Settings, refuse_option
from solon.data.rows import fingerprints
from solon.errors import UserError
from solon.evals.harmfulness import LEARNED, Rated, RegressorQuality, read_rated, regressor_quality
from solon.evals.tasks import spread
from solon.progress import reporting

if TYPE_CHECKING:
    from solon.config.run import RunConfig


def harmfulness(
    model: Annotated[
        str, Option(metavar="MODEL", help="With --train the model that becomes a regressor, else a regressor's folder.")
    ],
    train: Annotated[
        Path | None, Option(metavar="FILE", help="Rows with `rating` and a dialogue, or a finished run of the world.")
    ] = None,
    data: Annotated[Path | None, Option(metavar="FILE", help="Such rows, to hold a regressor against.")] = None,
    run: Annotated[Path | None, Option(metavar="RUN", help="A finished run, whose models' answers are scored.")] = None,
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="DIR", callback=refuse_option, help="With --train: the folder.")
    ] = None,
    limit: options.Limit = None,
    seed: options.Seed = 0,
    settings: Settings = None,
    replace: Replace = False,
    as_json: JsonInstead = False,
) -> None:
    """Absolute harmfulness: how harmful is a dialogue, from 0 to 4?

    \b
      [bold]solon eval harmfulness --train red_team_attempts.jsonl.gz --model ./my-model -o harm[/bold]
      [bold]solon eval harmfulness --model harm/regressor/model --data other.jsonl[/bold]
      [bold]solon eval harmfulness --model harm/regressor/model --run runs/mine[/bold]

    The model learns people's ratings by their squared error, as `preference` of a run file says (--set
    preference.epochs=2), and is held against those of every tenth first request, which it has not seen
    (preference.holdout). Of a run of the world the oracle gives the ratings. With --run the scores of the answers to
    harmful held-out prompts are kept in RUN/evaluations, where the run's report finds them.
    """
    if sum(one is not None for one in (train, data, run)) != 1:
        raise UserError("give one of --train FILE, --data FILE and --run RUN", hint="what is the model to do?")
    if (train is None) != (output is None):
        raise UserError("--train and -o go together", hint="-o DIR is where the regressor is kept")
    if run is None and replace:
        raise UserError("only with --run: --replace", hint="it is for results in a run's folder")
    if run is not None and limit is not None:
        raise UserError("not with --run: --limit", hint="all answers to harmful held-out prompts are scored")
    more = {"preference.start": "base"}
    config = brought(one_model(model, "local", settings or (), seed=seed, more=more), None if as_json else say_note)
    if run is not None:
        _score(run, config, replace, as_json)
    else:
        quality, left_out = (
            _train(train, output, config, limit, as_json) if train and output else _held(data, config, limit)
        )
        _print(str(train or data), quality, left_out, as_json)


def _train(
    source: Path, output: Path, config: RunConfig, limit: int | None, quiet: bool
) -> tuple[RegressorQuality, Counter[str]]:
    from solon.pipeline.actors import Actors
    from solon.pipeline.regressing import rated_by_oracle, train_on

    if source.is_dir():
        rated, left_out, hashes = rated_by_oracle(source), Counter[str](), _of_run(source)
    else:
        (rated, left_out), hashes = read_rated(source), {"ratings": fingerprints(source)[""]}
    with reporting(quiet=quiet) as reporter:
        folder, quality = train_on(spread(rated, limit), hashes, Actors(config=config), output, reporter)
    if not quiet:
        typer.echo(f"regressor: {folder}")
    return quality, left_out


def _of_run(run: Path) -> dict[str, str]:
    from solon.artifacts.finished import FinishedStage

    return {name: FinishedStage.open(run, name).manifest.fingerprint for name in ("prompts", "revisions")}


def _held(data: Path | None, config: RunConfig, limit: int | None) -> tuple[RegressorQuality, Counter[str]]:
    from solon.pipeline.actors import Actors
    from solon.pipeline.regressing import Regressor

    rated, left_out = read_rated(data or Path())
    rated = spread(rated, limit)
    actors = Actors(config=config)
    regressor = Regressor(actors.path("assistant"), actors)
    unseen = [one for one in rated if not regressor.has_learned(one.turns)]
    scores = regressor([one.turns for one in unseen])
    known: list[tuple[Rated, float]] = [
        (one, score) for one, score in zip(unseen, scores, strict=True) if score is not None
    ]
    left_out += Counter({LEARNED: len(rated) - len(unseen), "too long": len(unseen) - len(known)})
    if not known:
        raise UserError("no dialogue is left to score", hint=str(dict(left_out)))
    return regressor_quality([one for one, _ in known], [score for _, score in known], seed=config.seed), left_out


def _score(run: Path, config: RunConfig, replace: bool, as_json: bool) -> None:
    from solon.pipeline.actors import Actors
    from solon.pipeline.regressing import Regressor, harmfulness_of

    actors = Actors(config=config)
    regressor = Regressor(actors.path("assistant"), actors)
    for told in regressor.notes:
        say_note(told)
    found = harmfulness_of(run, regressor, seed=config.seed)
    print_and_keep(run, found, replace=replace, as_json=as_json)


def _print(title: str, quality: RegressorQuality, left_out: Counter[str], as_json: bool) -> None:
    if as_json:
        print_json(quality)
    else:
        names = ("correlation", "absolute_error", "squared_error", "explained")
        known = [(name.replace("_", " "), getattr(quality, name)) for name in names]
        rows = [
            (name, _plain(one.value), between(one.low, one.high, _plain)) if one else (name, "-", "-")
            for name, one in known
        ]
        print_table(f"{title}: {quality.n} dialogues", ["measure"], ["value", "95% interval"], rows)
    for reason, count in left_out.items():
        typer.echo(f"left out, {reason}: {count}", err=True)


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
