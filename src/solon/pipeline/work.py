"""What the body of a stage works with."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Never, TypeVar

from solon.artifacts.finished import FinishedStage
from solon.artifacts.stage import StageFolder
from solon.config.models import ModelRole
from solon.config.run import RunConfig
from solon.errors import PASSING, EngineUnavailableError, RunError, TooLongError, UnscoredError, memory_for
from solon.evals.quality import require_quality, text_quality
from solon.feedback.critique import gate_verdicts
from solon.feedback.dialogues import UNSCORED, dialogue_verdicts
from solon.feedback.judge import check_unscored
from solon.feedback.rows import Rows
from solon.lm.batcher import shared_loop
from solon.pipeline.inputs import RunInputs
from solon.pipeline.shard import Maker, Shard, Workers, one_by_one
from solon.pipeline.sources import PromptSets
from solon.pipeline.stage import Stage
from solon.progress import Reporter
from solon.records import Dialogue, Ranking, Record, Revision

if TYPE_CHECKING:
    from solon.pipeline.actors import Actor, Actors
    from solon.train.parallel import Group

T = TypeVar("T")
R = TypeVar("R", bound=Record)

MAX_LOST = 0.2
"""A stage ends when its engine loses more of a shard's rows, rounded up, to failures that may pass. Assumption."""
_TOO_LONG = (
    "prompt and answer do not fit the model's context: give shorter prompts, or lower the max_new_tokens that holds "
    "for them, in sampling or the sections inside it, pairs or evaluation"
)


@dataclass(frozen=True, kw_only=True)
class Work:
    """A stage in progress: its folder, the stages that it declares to read, and the run's models."""

    given: RunInputs
    actors: Actors
    inputs: Mapping[str, FinishedStage]
    """By what the stage declares to read, e.g. `pairs` or `prompts/evals`."""
    folder: StageFolder
    reporter: Reporter
    tell: Callable[[str], None]
    """Tells the user of something, once in a run."""
    workers: Workers = one_by_one
    """Where rows are made that ask a model."""
    again: str = ""
    """How the user asks for what was lost; empty: the run is resumed."""
    group: Group | None = None
    """The processes that do a stage of training together; None: this one alone."""
    notes: list[str] = field(default_factory=list)
    """What was told; the manifest keeps it."""
    engines: dict[str, str] = field(default_factory=dict)
    """Identities of the models that rows were asked of, by role or by the stage that trained them."""
    manners: dict[str, str] = field(default_factory=dict)
    """How those were asked that can be asked in several ways."""
    _actors: dict[str, Actor] = field(default_factory=dict)

    def __reduce__(self) -> Never:
        raise TypeError(
            "rows may be made on another machine: let `make` hold `work.given`, an actor or values, not `work`"
        )

    @property
    def config(self) -> RunConfig:
        """The settled run file. A stage depends on the keys that it declares, and reads no other."""
        return self.given.config

    @property
    def seed(self) -> int:
        return self.config.seed

    @cached_property
    def prompts(self) -> PromptSets:
        """Those that the stage declares to read."""
        return PromptSets.read(self.inputs)

    def read(self, name: str, record: type[R]) -> list[R]:
        """All rows of a stage, e.g. of `pairs`, or of one of its files, e.g. of `pm/held-out`."""
        stage, _, file = name.partition("/")
        found = self.inputs[name if name in self.inputs else stage]
        return list(found.rows(file or "rows", record))

    def actor(self, role: ModelRole, trained: str | None = None) -> Actor:
        """The model of a role, or in its place what the stage `trained` made of it."""
        folder = self.model_of(trained) if trained else None
        advance = self.reporter.advance  # no method of this object: models would hold it in a cycle
        count = self.folder.count_requests
        actor = self.actors.actor(role, folder, lambda _rows, tokens: advance(0, tokens), count)
        return self._actors.setdefault(trained or role, actor)

    def model_of(self, stage: str) -> Path:
        return self.inputs[stage].path("model")

    def rows(
        self, items: Sequence[T], make: Callable[[Sequence[T]], Rows[R]], record: type[R], *, may_be_empty: bool = False
    ) -> Sequence[R]:
        """Makes the stage's rows, shard by shard, and accounts for each. Shards that were made before are read.

        `make` may be sent to other machines, so it holds models, texts and values, and not this object; a server is
        asked from here. Raises `EngineUnavailableError` if the engine loses too many rows of a shard, which is not
        kept, and asked for again; `RunError` if nothing is kept of some items, unless that `may_be_empty`.
        """
        here = not self._actors or any(actor.on_server for actor in self._actors.values())
        spread = partial(one_by_one if here else self.workers, Maker(make=make, actors=self._actors))

        def keep(shard: Shard[R]) -> Sequence[R]:
            made = shard.rows
            self.folder.add_tokens(made.tokens)
            self.check_failures(made)
            self.account(made.dropped, made.noted + made.texts)
            self._asked(shard)
            self.reporter.advance(shard.items, 0)
            return made.records

        self.reporter.stage(self.folder.name, len(items))
        size, recovered = self.config.sampling.shard_rows, self.reporter.recovered
        with shared_loop(), memory_for("sampling.batch_size"):
            rows = self.folder.rows(
                items, shard_rows=size, work=keep, record=record, recovered=recovered, spread=spread
            )
        if items and not rows:
            what = f"stage {self.folder.name} kept none of its {len(items)} rows{_listed(self.folder.dropped)}"
            if not may_be_empty:
                raise RunError(what, hint=self._hint())
            self.note(what)
        if items and self._actors and not self.engines:  # every shard was there
            self._asked(next(shard for _, shard in spread({0: ()})))
        return rows

    def _asked(self, shard: Shard[R]) -> None:
        self.engines.update(shard.engines)
        self.manners.update(shard.manners)

    def require_quality(self, *stages: str) -> None:
        """Raises `NoiseError` if the texts that these stages wrote, as far as the run has them, are poorer than the run
        file allows."""
        for name in (one for one in stages if one in self.inputs):
            counts = self.inputs[name].manifest.counts.other
            require_quality(text_quality(name, counts), self.config.quality)

    def require_verdicts(self, verdicts: Sequence[str | None]) -> None:
        """Raises `UnscoredError`, with what to turn, if more verdicts could not be read than the run file allows.
        `verdicts`: why, None where one could."""
        section = self.config.judge
        try:
            check_unscored(verdicts, section.max_unscored)
        except UnscoredError as error:
            other = "logprob" if section.method == "cot" else "cot"
            ways = f'take another judge (models.judge), or ask it in the other way (judge.method = "{other}")'
            hint = f"{ways}, in a new run; or allow more in this one: --set judge.max_unscored=1"
            raise UnscoredError(f"{error} ({hint})") from None

    def note(self, text: str) -> None:
        """Tells the user, and keeps it in the manifest, which tells it again where the stage is reused."""
        self.notes.append(text)
        self.tell(text)

    def check_failures(self, made: Rows[R]) -> None:
        """Rows that another try may not lose are not lost for good, nor are verdicts of stages that ask for several, or
        none, in a row."""
        rows = len(made.records) + made.dropped.total()
        verdicts = _verdicts(made)
        dropped = Counter({reason: made.dropped[reason] for reason in sorted(PASSING)})
        either = made.noted + made.dropped
        unread = Counter({reason: either[f"{UNSCORED}{reason}"] for reason in sorted(PASSING)})
        if verdicts:
            self._check_lost("rows", dropped, rows)
            self._check_lost("verdicts", unread, verdicts)
        else:
            self._check_lost("rows", dropped + unread, rows)

    def _check_lost(self, what: str, lost: Counter[str], asked: int) -> None:
        if lost.total() > math.ceil(MAX_LOST * asked):
            told = f"stage {self.folder.name} lost {lost.total()} of {asked} {what} that it asked for{_listed(lost)}"
            again = self.again or f"`solon resume {self.folder.run}`"
            hint = f"see to the engine, then {again}: it asks for them again"
            raise EngineUnavailableError(told, hint=hint)

    def _hint(self) -> str:
        """For a stage that kept nothing."""
        if TooLongError.reason in self.folder.dropped:
            return _TOO_LONG
        if PASSING & self.folder.dropped.keys():
            return f"delete {self.folder.folder} and run `solon resume {self.folder.run}` to ask again"
        return "choose other prompts or another model"

    def account(self, dropped: Mapping[str, int], noted: Mapping[str, int] = MappingProxyType({})) -> None:
        """Counts rows that are left out, by reason, and what is to be known of others."""
        for reason, count in (+Counter(dropped)).items():
            self.folder.drop(reason, count)
        for what, count in (+Counter(noted)).items():
            self.folder.count(what, count)


def run_stage(stage: Stage, work: Work) -> None:
    """Does what is left to do of a stage that was begun, and seals it. One that another process seals is only
    worked on."""
    if not work.folder.writes:
        stage.body(work)
        return
    given = any(found.manifest.facts.get("system_turns") for found in work.inputs.values())
    system = stage.system_turns or given
    formats = {role: work.actors.format_facts(role, system=system) for role in stage.played(work.config)}
    notes = [note for format in formats.values() for note in format.notes]
    notes += [note for role in stage.asked(work.config) for note in work.actors.preference(role).notes(role)]
    for note in dict.fromkeys(notes):
        work.note(note)
    facts = dict(stage.body(work) or {})
    if formats:
        facts["formats"] = {role: format.model_dump(mode="json") for role, format in formats.items()}
    if work.engines:
        facts["engines"] = dict(work.engines)
    names = {str(role): work.actors.hub_name(role) for role in stage.weighed(work.config)}
    if on_hub := {role: name for role, name in names.items() if name}:
        facts["models"] = dict(on_hub)
    if work.manners:
        facts["manners"] = dict(work.manners)
    manifest = work.folder.finish(notes=work.notes, **facts)
    for texts in text_quality(stage.name, manifest.counts.other):
        work.tell(f"{stage.name}, {texts}")


def _verdicts(made: Rows[R]) -> int:
    """That gates, dialogues and rankings asked for; 0 of other rows, which have one at most."""
    gated = gate_verdicts([row for row in made.records if isinstance(row, Revision)])
    explained = dialogue_verdicts(sum(isinstance(row, Dialogue) for row in made.records), made.dropped)
    ranked = [label for row in made.records if isinstance(row, Ranking) for label in row.labels]
    return len(gated) + len(explained) + len(ranked)


def _listed(reasons: Mapping[str, int]) -> str:
    """E.g. ` (timed out: 4, too long: 1)`."""
    told = ", ".join(f"{reason}: {count}" for reason, count in Counter(reasons).most_common() if count)
    return f" ({told})" if told else ""
