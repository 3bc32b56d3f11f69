"""A run's pairs put to its judge again: by other settings, under every principle, or under other constitutions.

The run's stages do not change. Orders and principles are drawn as in the run, so that under its own settings the judge
says the same again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TypeVar

from solon.artifacts.atomic import canonical_json, sha256_bytes
from solon.config.load import load_run_config
from solon.constitution.controls import Asked, blank, elsewhere, inverted, shuffled
from solon.constitution.load import load_constitution
from solon.errors import Fault, UserError
from solon.evals.conflicts import Principles, principles
from solon.evals.labels import Truth
from solon.evals.origin import Origin
from solon.evals.sensitivity import GIVEN, Sensitivity, sensitivity
from solon.feedback.judge import Judge, check_unscored, question_of
from solon.feedback.rows import Rows
from solon.pipeline.actors import Actor, Actors
from solon.pipeline.beside import header_of, kept
from solon.pipeline.check import check_document
from solon.pipeline.inputs import RunInputs
from solon.pipeline.judging import judge_of
from solon.pipeline.labelled import RunLabels
from solon.pipeline.stages import comparisons
from solon.progress import Reporter
from solon.records import Comparison, Pair, Record
from solon.seeds import generator

T = TypeVar("T")
R = TypeVar("R", bound=Record)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Pairs of a run, and its judge."""

    run: RunLabels
    labels: Sequence[Comparison]
    """Those of the run."""
    judge: Judge
    actors: Actors
    """It is of these."""
    reporter: Reporter
    settings: tuple[str, ...] = ()
    """Keys that are not as in the run file."""

    def ask(self, name: str) -> Rows[Comparison]:
        """What it says of these pairs. Raises `UnscoredError` if more than the run file allows could not be read."""
        config, prompts = self.run.given.config, self.run.prompts
        size = config.sampling.shard_rows
        rows = put(name, self._pairs, lambda part: self.judge.compare(part, prompts), self.reporter, size=size)
        check_unscored([row.unscored for row in rows.records], config.judge.max_unscored)
        return rows

    def kept(self, name: str, judge: Judge, *, control: bool = False) -> Rows[Comparison]:
        """What a judge says of them, kept beside the run, so that a command that was stopped goes on.

        Raises `UnscoredError` likewise, but not of a control: a judge may decline what nobody would ask it.
        """
        given, most = self.run.given, 1.0 if control else self.run.given.config.judge.max_unscored
        questions = [judge.asks(one) for one in judge.principles]
        asked = (judge.section.model_dump(mode="json"), questions, [row.id for row in self.labels])
        inputs = {"comparisons": self.run.stage.manifest.fingerprint, "asked": sha256_bytes(canonical_json(asked))}
        stage = kept(
            self.run.run,
            header_of(f"labels-{name}", comparisons, given, self.actors, inputs),
            self._pairs,
            lambda work: lambda part: replace(judge.compare(part, self.run.prompts), texts=Counter()),
            Comparison,
            given=given,
            actors=self.actors,
            reporter=self.reporter,
            check=lambda rows: check_unscored([row.unscored for row in rows], most),
        )
        counts = stage.manifest.counts
        rows = tuple(stage.rows("rows", Comparison))
        return Rows(records=rows, dropped=Counter(counts.dropped), noted=Counter(counts.other))

    @property
    def _pairs(self) -> list[Pair]:
        return [Pair(id=row.id, prompt_id=row.prompt_id, a=row.a, b=row.b) for row in self.labels]

    def origin(self, asked: Mapping[str, Rows[Comparison]]) -> Origin:
        """Of figures of such answers. asked: by what is put before the reasons, e.g. `blank: `."""
        return Origin(
            comparisons=self.run.stage.manifest.fingerprint,
            settings=self.settings,
            dropped={f"{under}{why}": count for under, rows in asked.items() for why, count in rows.dropped.items()},
            noted={f"{under}{what}": count for under, rows in asked.items() for what, count in (+rows.noted).items()},
        )


def put(
    name: str, items: Sequence[T], make: Callable[[Sequence[T]], Rows[R]], reporter: Reporter, *, size: int
) -> Rows[R]:
    """What is made of items, so many at once."""
    reporter.stage(name, len(items))
    found: list[Rows[R]] = []
    for start in range(0, len(items), size):
        part = items[start : start + size]
        found.append(make(part))
        reporter.advance(len(part), 0)
    reporter.end_stage()
    return Rows(records=tuple(row for part in found for row in part.records)).account(found)


def judge_again(run: Path, settings: Sequence[str], reporter: Reporter) -> tuple[RunLabels, Actor]:
    """A run's labels with what they were given, and the model that judged. settings: keys that are not as in the run
    file. Raises `UserError` of settings that no run may have."""
    own = RunLabels.of(run)
    config = load_run_config(run / "run.toml", settings)
    actors = Actors(config=config, run=run)
    given = RunInputs(actors.settled)
    if config.constitution == own.given.config.constitution:
        given.constitution = own.given.constitution
    faults: list[Fault] = []
    check_document(config, given.constitution, faults)
    if faults:
        raise UserError(faults)
    actor = actors.actor("judge", None, lambda _rows, tokens: reporter.advance(0, tokens))
    return replace(own, given=given), actor


def sample_of(run: Path, settings: Sequence[str], count: int, reporter: Reporter, *, decided: bool = False) -> Sample:
    """So many of a run's comparisons, drawn by its seed; all, if `count` is 0 or the run has no more.

    decided: only those in which one answer is truly better by what the label is by, if such are known. Raises as
    `judge_again` does.
    """
    kept, (own, actor) = RunLabels.of(run), judge_again(run, settings, reporter)
    labels: Sequence[Comparison] = kept.rows
    if decided and (known := kept.better(labels)):
        labels = [row for row in labels if known[row.id] != "tie"] or labels
    order = generator(own.given.config.seed, "asked again").permutation(len(labels))[: count or None]
    return Sample(
        run=own,
        labels=[labels[int(place)] for place in sorted(order)],
        judge=judge_of(own.given, actor, "comparisons"),
        actors=actor.actors,
        reporter=reporter,
        settings=tuple(settings),
    )


def under_every_principle(sample: Sample) -> Principles | None:
    """What each principle says of the same pairs; None if the judge goes by one."""
    every = {"decide": "mean", "principles": len(sample.judge.principles)}
    own = {one.name: getattr(sample.judge, one.name) for one in fields(Judge)}  # a document's judge would ask it whole
    own["section"] = sample.judge.section.model_copy(update=every)
    rows = sample.kept("under-every-principle", Judge(**own))
    found = principles(rows.records)
    return found and found.model_copy(update={"origin": sample.origin({"": rows})})


def under_other_constitutions(sample: Sample, other: str) -> Sensitivity:
    """What the judge says of the same pairs under its constitution and under others in its place; `other`: name or path
    of one about something else."""
    asks: dict[str, Asked] = {
        GIVEN: question_of,
        "blank": blank,
        "shuffled": shuffled,
        "elsewhere": elsewhere(load_constitution(other).comparison_principles()),
        "inverted": inverted,
    }
    rows = {
        name: sample.kept(name, replace(sample.judge, asks=asked), control=name != GIVEN)
        for name, asked in asks.items()
    }
    labels = {name: found.records for name, found in rows.items()}
    known = sample.run.better(labels[GIVEN])
    truth: Truth | None = (lambda row: known.get(row.id)) if known else None
    origin = sample.origin({f"{name}: ": found for name, found in rows.items()})
    return sensitivity(sample.judge.sampler.model.identity, labels, truth, origin)
