"""What a report is made of, and reading it from a run folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, get_args

from solon.artifacts.finished import RUN, FinishedStage, kept_record
from solon.artifacts.manifest import Manifest
from solon.artifacts.run_folder import SPENT, run_config
from solon.config.models import ModelRole
from solon.config.run import RunConfig
from solon.constitution.principles import Constitution
from solon.evals.conflicts import Principles
from solon.evals.grader import Score
from solon.evals.kept import FOLDER, Evaluation, read_evaluations
from solon.evals.origin import Origin
from solon.evals.people import PEOPLE, People, read_people
from solon.evals.sensitivity import Sensitivity
from solon.evals.summary import Summary, read_summary
from solon.lm.endpoint.spending import Tokens
from solon.pipeline.grading import HeldOutMargin
from solon.pipeline.inputs import CONSTITUTION
from solon.pipeline.stages import STAGES
from solon.records import (
    Answer,
    Comparison,
    MonitorAnswer,
    Pair,
    Prompt,
    Record,
    Revision,
    Rollout,
)

R = TypeVar("R", bound=Record)
SENSITIVITY, PRINCIPLES = "sensitivity.json", "principles.json"
"""What `solon labels` leaves in a run's folder."""
MONITOR = "monitor"
"""What the answers to the monitor are called in the stage of RL."""


@dataclass(frozen=True, kw_only=True)
class ReportData:
    """Everything a report shows. Whatever a run lacks is empty, and the page leaves it out."""

    summary: Summary
    config: RunConfig | None = None
    constitution: Constitution | None = None
    prompts: Mapping[str, Prompt] = field(default_factory=dict)
    """By id."""
    red_team: Sequence[str] = ()
    """Ids of the prompts that chains begin with, and pairs are drawn for."""
    helpful: Sequence[str] = ()
    """And those of helpfulness."""
    scenarios: Sequence[str] = ()
    """Ids of the scenarios of articles, which chains begin with too."""
    revisions: Sequence[Revision] = ()
    answers: Mapping[str, Sequence[Answer]] = field(default_factory=dict)
    """To the held-out prompts, by model."""
    scores: Sequence[Score] = ()
    """Of these answers, and of the assistant's chains."""
    comparisons: Sequence[Comparison] = ()
    rollouts: Sequence[Rollout] = ()
    manifests: Sequence[Manifest] = ()
    sensitivity: Sensitivity | None = None
    """What the judge makes of other constitutions, if it was asked."""
    principles: Principles | None = None
    """What all principles say of a sample of pairs, if that was asked."""
    stale: Sequence[str] = ()
    """Files of these that are of other labels than the run has."""
    evaluations: Mapping[str, Evaluation] = field(default_factory=dict)
    """By the names of their files."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """Files of evaluations, and of what people said, that are no result, or are stale, and why."""
    people: People | None = None
    """What people said of the models in an arena."""
    monitor_answers: Sequence[MonitorAnswer] = ()
    pairs: Sequence[Pair] = ()
    held_out: frozenset[str] = frozenset()
    """Ids of comparisons that the preference model, or DPO-CAI, did not learn from."""
    spent: Mapping[str, Tokens] = field(default_factory=dict)
    """What servers have read and written, by role."""


def load_report_data(run: Path) -> ReportData:
    """Reads a run folder; stages that are missing are left empty.

    Raises:
        RunError: if there is no summary, or a file is not what it should be (naming file and line).
    """
    config = run_config(run) if (run / RUN).exists() else None
    summary = read_summary(run / "summary.json")
    sensitivity, principles = kept_record(run / SENSITIVITY, Sensitivity), kept_record(run / PRINCIPLES, Principles)
    measured = {SENSITIVITY: sensitivity, PRINCIPLES: principles}
    stale = [name for name, found in measured.items() if found and _of_other_labels(run, found.origin)]
    evaluations, faults = read_evaluations(run)
    people, why = read_people(run)
    unread = {f"{FOLDER}/{name}": fault for name, fault in faults.items()} | ({PEOPLE: why} if why else {})
    margins = [row for stage in ("models/pm", "models/dpo") for row in _rows(run, stage, "held-out", HeldOutMargin)]
    files = [("prompts", name) for name in ("prompts-red-team", "prompts-helpful", "evals")]
    scenarios = _rows(run, "scenarios", "prompts", Prompt)
    prompts = [*scenarios, *(prompt for file in files for prompt in _rows(run, *file, Prompt))]
    return ReportData(
        summary=summary,
        config=config,
        constitution=kept_record(run / CONSTITUTION, Constitution),
        prompts={prompt.id: prompt for prompt in prompts},
        red_team=[prompt.id for prompt in _rows(run, *files[0], Prompt)],
        helpful=[prompt.id for prompt in _rows(run, *files[1], Prompt)],
        scenarios=[prompt.id for prompt in scenarios],
        revisions=_rows(run, "revisions", "rows", Revision),
        answers={model: _rows(run, f"answers-{model}", "rows", Answer) for model in summary.models()},
        scores=_rows(run, "scores", "rows", Score),
        comparisons=[row for name in ("comparisons", "helpfulness") for row in _rows(run, name, "rows", Comparison)],
        rollouts=_rows(run, "models/rl", "rollouts", Rollout),
        manifests=_manifests(run),
        sensitivity=None if SENSITIVITY in stale else sensitivity,
        principles=None if PRINCIPLES in stale else principles,
        stale=tuple(stale),
        evaluations=evaluations,
        unread=unread,
        people=people,
        monitor_answers=_rows(run, "models/rl", MONITOR, MonitorAnswer),
        pairs=_rows(run, "pairs", "rows", Pair),
        held_out=frozenset(row.id for row in margins),
        spent={
            role: found for role in get_args(ModelRole) if (found := kept_record(run / SPENT.format(role=role), Tokens))
        },
    )


def _of_other_labels(run: Path, origin: Origin | None) -> bool:
    """Also if it does not say of which."""
    found = FinishedStage.find(run, "comparisons")
    return origin is None or found is None or origin.comparisons != found.manifest.fingerprint


def _rows(run: Path, stage: str, name: str, record: type[R]) -> list[R]:
    """The rows of `name.jsonl` of a stage, or of its shards; none if the stage is not finished."""
    found = FinishedStage.find(run, stage)
    return list(found.rows(name, record)) if found else []


def _manifests(run: Path) -> list[Manifest]:
    """The finished stages, in the order in which they run. Any other folder is the user's own."""
    found = [FinishedStage.find(run, stage.folder) for stage in STAGES]
    return [stage.manifest for stage in found if stage is not None]
