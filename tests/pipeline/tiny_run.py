"""Runs of seconds: random tiny models and a few rows, but every stage. And what two equal runs must have in common."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solon.artifacts.atomic import sha256_bytes
from solon.artifacts.finished import FinishedStage
from solon.artifacts.hashes import sha256_file
from solon.artifacts.manifest import Counts, Header, Manifest, Timing
from solon.artifacts.reuse import OtherRuns
from solon.artifacts.run_folder import RunFolder
from solon.config.load import load_run_config
from solon.config.run import RunConfig
from solon.pipeline.run import run_pipeline
from solon.report.html import write_report

TINY = (
    "models.dtype=float32",
    "models.device=cpu",
    "judge.decide=mean",
    "sampling.max_new_tokens=10",
    "sampling.batch_size=16",
    "sampling.shard_rows=4",
    "quality.max_noise=1",
    "quality.max_unfinished=1",
    "quality.max_echoes=1",
    "quality.max_unchanged=1",
    "supervised.rounds=2",
    "sft.helpful_per_prompt=1",
    "sft.epochs=2",
    "sft.batch_size=4",
    "sft.checkpoint_steps=2",
    "pairs.per_prompt=1",
    "helpfulness.per_prompt=1",
    "helpfulness.needless_refusals_per_prompt=1",
    "preference.epochs=2",
    "preference.batch_size=4",
    "preference.checkpoint_steps=2",
    "preference.holdout=0.3",
    "rl.steps=2",
    "rl.prompts_per_step=2",
    "rl.samples_per_prompt=2",
    "rl.batch_size=4",
)
"""Settings of any tiny run."""

WORLD = ("prompts.harmful=6", "prompts.mixed=3", "prompts.benign=6", "prompts.evaluation=3")
"""Counts of a tiny run in the world."""

FOLDERS = (
    "prompts",
    "revisions",
    "helpful",
    "models/sl",
    "pairs",
    "comparisons",
    "helpfulness",
    "models/pm",
    "models/rl",
    "answers-base",
    "answers-sl",
    "answers-rl",
    "scores",
)
"""Every stage of a finished run, by its folder, in order."""


class Told:
    """A reporter that remembers which stages had work to do, and what they recovered and did."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.totals: dict[str, int | None] = {}
        self.rows: dict[str, int] = {}
        self.notes: list[str] = []
        self.recovered_rows = 0

    def stage(self, name: str, total_rows: int | None = None) -> None:
        self.stages.append(name)
        self.totals[name] = total_rows
        self.rows[name] = 0

    def end_stage(self) -> None:
        pass

    def reused(self, name: str, run: str) -> None:
        self.notes.append(f"{name}: reused from {run}")

    def recovered(self, rows: int) -> None:
        self.rows[self.stages[-1]] += rows
        self.recovered_rows += rows

    def advance(self, rows: int, tokens: int) -> None:
        self.rows[self.stages[-1]] += rows

    def computed(self, flops: float, peak: float | None) -> None:
        pass

    def cut_short(self) -> None:
        pass

    def note(self, text: str) -> None:
        self.notes.append(text)

    def done(self, text: str = "") -> None:
        pass

    def close(self) -> None:
        pass


@dataclass(frozen=True, kw_only=True)
class Trained(FinishedStage):
    """Stands in for a finished stage that trained a model."""

    model: Path

    @classmethod
    def at(cls, model: Path) -> Trained:
        header = Header(stage="models/any", seed=0, config={}, inputs={})
        empty = Manifest(**dict(header), outputs={}, counts=Counts(), timing=Timing(), versions={})
        return cls(run=model, manifest=empty, model=model)

    def path(self, name: str) -> Path:
        return self.model


def world_config(model: Path, *settings: str, seed: int = 0) -> RunConfig:
    """A tiny run of this model in the world."""
    return load_run_config(None, [*TINY, *WORLD, *settings], {"models.assistant": model, "seed": seed})


def run_in(
    folder: Path,
    config: RunConfig,
    *,
    until: str | None = None,
    others: OtherRuns | None = None,
    isolate: bool | None = None,
) -> Told:
    """Runs, or goes on with a run, in this process."""
    told = Told()
    with RunFolder.create(folder, config) as run:
        run_pipeline(run, told, until=until, others=others, isolate=isolate)
        if until is None:
            write_report(run.path)
    return told


def manifest(run: Path, stage: str) -> Manifest:
    return Manifest.model_validate_json((run / stage / "manifest.json").read_bytes())


def rows(run: Path, stage: str, file: str = "rows") -> list[dict[str, Any]]:
    """The rows of one file of a stage, or of its shards."""
    whole = run / stage / f"{file}.jsonl"
    paths = [whole] if whole.exists() else sorted((run / stage).glob(f"{file}-[0-9]*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_bytes().splitlines()]


def figures(summary: dict[str, Any]) -> dict[tuple[str, str, str, str], dict[str, Any]]:
    """The estimates of a summary by task, model, kind and measure; each is told once."""
    found = {(one["task"], one["model"], one["kind"], one["measure"]): one for one in summary["estimates"]}
    assert len(found) == len(summary["estimates"])
    return found


def data(run: Path) -> dict[str, str]:
    """sha256 of everything a run says, timing apart: every file that a manifest lists, what the manifests say of them,
    and the summary without its seconds."""
    found: dict[str, str] = {}
    for path in sorted(run.rglob("manifest.json")):
        read = json.loads(path.read_bytes())
        for name, file in read["outputs"].items():
            assert sha256_file(path.parent / name) == file["sha256"], f"{path.parent / name} is not what was made"
            found[f"{path.parent.relative_to(run)}/{name}"] = file["sha256"]
        said = {key: value for key, value in read.items() if key not in ("timing", "versions", "deviations")}
        found[path.relative_to(run).as_posix()] = sha256_bytes(json.dumps(said).encode())
    summary = json.loads((run / "summary.json").read_bytes())
    del summary["pipeline_seconds"]
    found["summary.json"] = sha256_bytes(json.dumps(summary).encode())
    found["constitution.json"] = sha256_file(run / "constitution.json")
    return found


def differing(one: dict[str, str], two: dict[str, str]) -> list[str]:
    """Names of files that are in one run alone, or differ."""
    return sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))


def texts(run: Path, stage: str, keys: Sequence[str]) -> list[str]:
    """The named texts of every row of a stage."""
    return [str(row[key]) for row in rows(run, stage) for key in keys]
