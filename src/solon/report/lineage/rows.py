"""The rows of a run by id and by prompt, with the constitution and, of public input, its statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError

from solon.artifacts.finished import FinishedStage, kept_record, require_run
from solon.artifacts.run_folder import run_config
from solon.collective.principles.trace import StatementTrace, Trace, trace_path
from solon.config.evaluations import EVALUATED
from solon.config.run import RunConfig
from solon.constitution.articles import written_articles
from solon.constitution.precedence import hard_constraints
from solon.constitution.principles import Constitution, Principle
from solon.errors import ConstitutionError, RunError, UserError, Where
from solon.evals.grader import Score
from solon.pipeline.inputs import (
    CONSTITUTION,
    articles_version,
    comparison_version,
    critique_version,
    document_version,
    judging_principles,
)
from solon.pipeline.sources import world_scenarios
from solon.pipeline.stages import STAGES
from solon.records import (
    Answer,
    Comparison,
    Demonstration,
    Dialogue,
    MonitorAnswer,
    Pair,
    Prompt,
    Ranking,
    Record,
    Revision,
    Rollout,
    first_error,
)
from solon.report.lineage.records import Kind

TABLES: tuple[tuple[Kind, str, str, type[Record]], ...] = (
    ("prompt", "prompts", "prompts-red-team", Prompt),
    ("prompt", "prompts", "prompts-helpful", Prompt),
    ("prompt", "prompts", "prompts-twins", Prompt),
    ("prompt", "prompts", "evals", Prompt),
    ("prompt", "scenarios", "prompts", Prompt),
    ("prompt", "dialogues", "prompts", Prompt),
    ("revision", "revisions", "rows", Revision),
    ("answer", "helpful", "rows", Answer),
    ("dialogue", "dialogues", "rows", Dialogue),
    ("demonstration", "models/sl", "demonstrations", Demonstration),
    ("pair", "pairs", "rows", Pair),
    ("comparison", "comparisons", "rows", Comparison),
    ("ranking", "rankings", "rows", Ranking),
    ("comparison", "helpfulness", "rows", Comparison),
    ("comparison", "prompts", "comparisons", Comparison),
    ("rollout", "models/rl", "rollouts", Rollout),
    ("answer", "models/rl", "monitor", MonitorAnswer),
    *(("answer", f"answers-{model}", "rows", Answer) for model in EVALUATED),
)
"""Kind, folder of the stage, file, record."""

VERSIONS: dict[str, Callable[[RunConfig, Constitution], str]] = {
    "critique_principles": lambda run, kept: critique_version(kept.critique_principles(run.constitution.critique)),
    "comparison_principles": lambda run, kept: comparison_version(judging_principles(run, kept)),
    "articles": lambda run, kept: articles_version(
        written_articles(kept), by_world=world_scenarios(run.prompts) is not None
    ),
    "document": lambda run, kept: document_version(kept, run.constitution.whole_tokens),
}
"""What a constitution says to a stage, by the name under which the manifest of the stage has its hash."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row, principle, statement or model, and where it is."""

    kind: Kind
    stage: str
    file: str
    record: Record | None
    """None: a model."""
    id: str

    @property
    def at(self) -> str:
        return f"{self.stage}/{self.id}" if self.record else self.stage

    @property
    def prompt_id(self) -> str | None:
        return getattr(self.record, "prompt_id", None)


class RunRows:
    """Everything is read when it is first asked for. Raises `RunError` if a file is not what its stage made."""

    def __init__(self, run: Path, constitution: Path | None = None) -> None:
        """`constitution`: the file that the run's was read from, if it is not where the run file says."""
        require_run(run)
        self.run, self._file = run, constitution
        self.notes: list[str] = []

    @cached_property
    def config(self) -> RunConfig:
        return run_config(self.run)

    @cached_property
    def stages(self) -> dict[str, FinishedStage]:
        """The finished ones, by folder."""
        found = ((stage.folder, FinishedStage.find(self.run, stage.folder)) for stage in STAGES)
        return {folder: stage for folder, stage in found if stage}

    @cached_property
    def all(self) -> list[Row]:
        """Rows, principles, statements and trained models."""
        return [*self._rows(), *self._principles(), *self._statements(), *self._models()]

    @cached_property
    def by_prompt(self) -> Mapping[str, Sequence[Row]]:
        found = defaultdict(list)
        for row in self.all:
            if row.prompt_id:
                found[row.prompt_id].append(row)
        return found

    def of(self, *kinds: Kind, stage: str | None = None) -> list[Row]:
        return [row for row in self.all if row.kind in kinds and stage in (None, row.stage)]

    @cached_property
    def prompts(self) -> dict[str, Row]:
        return {row.id: row for row in self.of("prompt")}

    @cached_property
    def constitution(self) -> Constitution | None:
        """As the run used it."""
        return kept_record(self.run / CONSTITUTION, Constitution)

    @cached_property
    def principles(self) -> dict[str, Principle]:
        """With the hard constraints of a document, which are put to a judge as one."""
        kept = self.constitution
        return {one.id: one for one in (*kept.principles, *hard_constraints(kept))} if kept else {}

    def is_of(self, stage: str) -> bool | None:
        """Whether the run's constitution says to a stage what the stage was made from; None: nothing tells."""
        found, kept = self.stages.get(stage), self.constitution
        if not found or not kept:
            return None
        inputs = found.manifest.inputs
        try:
            told = [inputs[name] == version(self.config, kept) for name, version in VERSIONS.items() if name in inputs]
        except ConstitutionError:  # a principle that the run file selects is gone, or the order of precedence
            return False
        return all(told) if told else None

    @cached_property
    def public(self) -> Trace | None:
        """The statements and votes that the constitution was made from, if it was; read from beside its file. Raises
        `UserError` if they are not beside a file that was named."""
        path = trace_path(self._file or Path(self.config.constitution.path))
        if not path.is_file():
            if self._file:
                hint = "name with --constitution the file that the trace lies beside"
                raise UserError("there is no trace of statements and votes here", where=Where(path), hint=hint)
            if any("public input" in one.source for one in self.principles.values()):
                self.notes.append(
                    f"there is no {path}, which would lead on to statements and votes; see --constitution"
                )
            return None
        try:
            found = Trace.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise RunError(f"not a trace: {first_error(error)}", where=Where(path)) from None
        if self.constitution and found.constitution_sha256 != self.constitution.sha256:
            self.notes.append(f"the constitution was changed after {path} was written, so its links are associations")
        return found

    @property
    def public_is_exact(self) -> bool:
        """Whether the constitution is the very one that was made from the statements."""
        kept = self.constitution
        return bool(self.public and kept and self.public.constitution_sha256 == kept.sha256)

    @cached_property
    def scores(self) -> Sequence[Score]:
        found = self.stages.get("scores")
        return found.rows("rows", Score) if found else ()

    def _rows(self) -> Iterator[Row]:
        for kind, stage, file, record in TABLES:
            if found := self.stages.get(stage):
                for one in found.rows(file, record):
                    yield Row(kind=kind, stage=stage, file=file, record=one, id=one.id)  # type: ignore[attr-defined]
                    for label in one.comparisons if isinstance(one, Ranking) else ():
                        yield Row(kind="comparison", stage=stage, file=file, record=label, id=label.id)

    def _principles(self) -> Iterator[Row]:
        for one in self.principles.values():
            yield Row(kind="principle", stage="constitution", file=CONSTITUTION, record=one, id=one.id)

    def _statements(self) -> Iterator[Row]:
        for one in self.statements.values():
            yield Row(kind="statement", stage="statements", file="", record=one, id=str(one.id))

    @property
    def statements(self) -> dict[int, StatementTrace]:
        return {one.id: one for one in self.public.statements} if self.public else {}

    def _models(self) -> Iterator[Row]:
        for folder in self.stages:
            if folder.startswith("models/"):
                yield Row(kind="model", stage=folder, file="", record=None, id=folder.removeprefix("models/"))
