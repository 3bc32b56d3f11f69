"""What a run will take, told before it begins, from a sample of the run: a share of its prompts, a few steps of RL.

First the sample is walked through without models: calls and tokens, at most. Then, where that costs nothing, it is
really run: time and memory. A stage of the whole takes as much longer as there are more prompts in the files that it
reads, and RL as it has more steps.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from solon.artifacts.finished import FinishedStage
from solon.artifacts.run_folder import RunFolder
from solon.config.evaluations import EvaluationsSection, key_of
from solon.config.models import ModelRole
from solon.config.paths import WORLD
from solon.config.prompts import PromptsSection
from solon.config.run import RunConfig
from solon.config.scenarios import ScenariosSection
from solon.config.section import Section
from solon.evals.tasks.answers import ELO
from solon.evals.tasks.every import items_in, items_of
from solon.feedback.scenarios import requests_for, scenario_id
from solon.pipeline.evaluating import EVALUATIONS, harmfulness
from solon.pipeline.inputs import RunInputs
from solon.pipeline.memory import training_memory, with_budgets
from solon.pipeline.monitoring import split_prompts
from solon.pipeline.run import run_pipeline
from solon.pipeline.sources import EVALUATION, HELPFUL, RED_TEAM, SCENARIOS, PromptSets, prompt_sets
from solon.pipeline.stage import BY_SCENARIOS, Stage
from solon.pipeline.stages import stages_of
from solon.pipeline.walk import MONITORED, Volume, volumes
from solon.progress import Reporter
from solon.records import Record
from solon.train.rewards.judged import meetings
from solon.train.rollouts import PolicyPrompt

STEPS = 3
"""RL steps of a sample."""
PART = 0.25
"""Of what models are evaluated on, in a sample: rows of one kind are about as long as each other."""
_FILES = (RED_TEAM, HELPFUL, EVALUATION)
_FIXED = {"models/rl", *(stage.folder for stage in EVALUATIONS if stage is not harmfulness)}
"""Stages that take as long however many prompts there are."""


class Asked(Record):
    """What a stage asks of the model of one role."""

    role: ModelRole
    calls: int
    """Completions and scorings."""
    tokens_read: int
    """At most. Beginnings that an engine reads once count each time."""
    tokens_written: int
    """At most: the limits of `max_new_tokens`, and what verdicts take: a token each, on a server a few."""
    prices: tuple[float, float] = (0.0, 0.0)
    """Of a million tokens read and written, on a server."""

    @property
    def cost(self) -> float:
        """At most, in the money of the prices."""
        return (self.tokens_read * self.prices[0] + self.tokens_written * self.prices[1]) / 1e6


class StagePlan(Record):
    """What a stage of the whole run takes."""

    stage: str
    trains: bool
    """More workers make it no faster."""
    asked: tuple[Asked, ...]
    memory_bytes: int | None = None
    """On the device that trains, at its peak, by arithmetic; None: it does not train."""
    tokens: int | None = None
    """Written or trained on, if texts are as long as in the trial; None without a trial."""
    seconds: float | None = None
    """With one worker."""

    def times(self, more: float) -> StagePlan:
        """The stage, for so many times as many prompts."""
        asked = (
            one.model_copy(update={name: math.ceil(more * getattr(one, name)) for name in _COUNTS})
            for one in self.asked
        )
        tokens = None if self.tokens is None else math.ceil(more * self.tokens)
        seconds = None if self.seconds is None else more * self.seconds
        return self.model_copy(update={"asked": tuple(asked), "tokens": tokens, "seconds": seconds})


_COUNTS = ("calls", "tokens_read", "tokens_written")


class Plan(Record):
    """What a whole run takes."""

    prompts: int
    """Its red-team prompts."""
    sample: int
    """Those of the sample."""
    stages: tuple[StagePlan, ...]
    workers: int = 1
    """Among which the rows of data stages are shared."""
    startup: float | None = None
    """Seconds outside of stages; None without a trial."""
    peak_bytes: int | None = None
    """Resident memory at its peak, in one worker."""

    @property
    def cost(self) -> float:
        """At most."""
        return sum(one.cost for stage in self.stages for one in stage.asked)

    @property
    def seconds(self) -> float | None:
        """None without a trial."""
        if self.startup is None:
            return None
        return self.startup + sum(self.seconds_of(stage) or 0.0 for stage in self.stages)

    def seconds_of(self, stage: StagePlan) -> float | None:
        """With all workers."""
        return stage.seconds if stage.seconds is None or stage.trains else stage.seconds / self.workers

    def scaled(self, prompts: int, workers: int = 1) -> Plan:
        """For so many red-team prompts, and as many more of all others. RL keeps its steps, and
        evaluations their items."""
        more = prompts / self.prompts
        stages = tuple(stage if stage.stage in _FIXED else stage.times(more) for stage in self.stages)
        return self.model_copy(update={"stages": stages, "prompts": prompts, "workers": workers})


@dataclass(frozen=True, kw_only=True)
class _Sample:
    """A small run that is like the whole."""

    whole: RunConfig
    part: RunConfig
    counts: dict[str, tuple[int, int]]
    """Prompts of the whole and of the part, by file."""
    items: dict[bool, tuple[int, int]]
    """Likewise, what a model is asked in evaluations; True: for games alone."""
    watched: int
    """Answers of one look of the monitor in the whole run; 0 without one."""
    requests: tuple[int, int] = (0, 0)
    """For scenarios, of the whole and of the part: each asks for several at once."""

    @classmethod
    def of(cls, config: RunConfig) -> _Sample:
        """As many red-team prompts as are decoded together, and as many fewer of all others."""
        sets = prompt_sets(config.prompts, config.seed)
        part = config.model_copy(
            update={
                "prompts": _fewer(config, sets),
                "evaluations": _fewer_items(config.evaluations),
                "scenarios": _fewer_scenarios(config, sets),
                "rl": config.rl.model_copy(update={"steps": min(STEPS, config.rl.steps)}),
            }
        )
        fewer = prompt_sets(part.prompts, part.seed)
        whole, some = sets.files(), fewer.files()
        counts = {file: (len(whole[file]), len(some[file])) for file in _FILES}
        articles = RunInputs(config).articles if BY_SCENARIOS.holds(config) else ()
        wanted = [one.scenarios.per_article for one in (config, part)]
        if articles:
            counts[SCENARIOS] = (len(articles) * wanted[0], len(articles) * wanted[1])
        requests = [len(requests_for(articles, each, config.scenarios.tries)) for each in wanted]
        asked = [items_of(config.evaluations, sets.evaluation), items_of(part.evaluations, fewer.evaluation)]
        playing = [sum(one.task == ELO for one in items) for items in asked]
        items = {True: (playing[0], playing[1]), False: (len(asked[0]), len(asked[1]))}
        watched = _watched(config, sets, [scenario_id(one.id, n) for one in articles for n in range(wanted[0])])
        return cls(
            whole=config,
            part=part,
            counts=counts,
            items=items,
            watched=watched,
            requests=(requests[0], requests[1]),
        )

    @property
    def unwatched(self) -> RunConfig:
        """The part without a monitor, which may find too few prompts in it."""
        return self.part.model_copy(update={"rl": self.part.rl.model_copy(update={"monitor": None})})

    @property
    def looks(self) -> int:
        """Of the monitor in the whole run: before the first step, every so many, and after the last."""
        monitor = self.whole.rl.monitor
        return 1 + math.ceil(self.whole.rl.steps / monitor.every) if monitor else 0

    @property
    def answers(self) -> int:
        """That RL and its monitor sample in the whole run."""
        return _rollouts(self.whole) + self.looks * self.watched

    def more(self, stage: Stage) -> float:
        """How many times as much the stage has to do in the whole run as in the part without a monitor."""
        if "rl" in stage.settings:
            return self.answers / _rollouts(self.part)
        if stage.folder in _FIXED:
            asked, of_part = self.items[stage.name == "games"]
            return asked / max(1, of_part)
        if stage.name == "scenarios":
            return self.requests[0] / max(1, self.requests[1])
        counts = [count for file, count in self.counts.items() if file in stage.reads or not stage.reads]
        return sum(whole for whole, _ in counts) / max(1, sum(some for _, some in counts))


def _share(config: RunConfig, sets: PromptSets) -> float:
    return min(1.0, config.sampling.batch_size / len(sets.red_team))


def _fewer_scenarios(config: RunConfig, sets: PromptSets) -> ScenariosSection:
    count = math.ceil(_share(config, sets) * config.scenarios.per_article)
    return config.scenarios.model_copy(update={"per_article": count})


def _fewer(config: RunConfig, sets: PromptSets) -> PromptsSection:
    """Of a file, `harmful` counts its mixed prompts too."""
    section, world = config.prompts, config.prompts.source == WORLD
    share = _share(config, sets)
    counts = {
        "harmful": section.harmful if world else len(sets.red_team),
        "mixed": section.mixed if world else 0,
        "benign": len(sets.helpful),
        "evaluation": section.evaluation,
    }
    return section.model_copy(update={name: math.ceil(share * count) for name, count in counts.items()})


def _fewer_items(section: EvaluationsSection) -> EvaluationsSection:
    """Rows for about a part of what models are evaluated on."""
    fewer: dict[str, Section] = {}
    for name, one in section.published():
        temperatures = len(getattr(one, "temperatures", "1"))
        rows = math.ceil(PART * len(items_in(name, one)) / temperatures)
        fewer[key_of(name)] = one.model_copy(update={"limit": rows})
    games = section.elo.model_copy(update={"prompts": math.ceil(PART * section.elo.prompts)})
    return section.model_copy(update=fewer | {"elo": games})


def _watched(config: RunConfig, sets: PromptSets, scenarios: Sequence[str]) -> int:
    """Answers of one look of the monitor. `scenarios`: ids of all that may be written. Raises as `split_prompts`."""
    monitor = config.rl.monitor
    if monitor is None or config.alignment != "rl":
        return 0
    own = [prompt.id for prompt in (*sets.red_team, *sets.helpful)]
    asked = [PolicyPrompt(id=name, text="") for name in (*own, *scenarios)]
    _, watched = split_prompts(asked, monitor, config.preference.holdout, seed=config.seed)
    return len(watched) * (monitor.samples_per_prompt + monitor.likeliest)


def _rollouts(config: RunConfig) -> int:
    return config.rl.steps * config.rl.prompts_per_step * config.rl.samples_per_prompt


def make_plan(config: RunConfig, reporter: Reporter, *, trial: bool) -> Plan:
    """The plan of a run whose inputs are checked. The sample is run if a `trial` is wanted."""
    config, chosen = with_budgets(config)
    for text in chosen:
        reporter.note(text)
    sample = _Sample.of(config)
    with _run(sample.part) as run:
        asked = volumes(run)
    if "rl" in asked:
        asked["rl"] = dict(_asked_by_rl(sample, asked))
    memory = {name: needed.total for name, needed in training_memory(config).items()}
    planned = (
        (stage, _stage_plan(stage, asked.get(stage.name, {}), memory.get(stage.name), config))
        for stage in stages_of(config)
    )
    stages = tuple(one if stage.name == "rl" else one.times(sample.more(stage)) for stage, one in planned)
    whole, some = sample.counts[RED_TEAM]
    plan = Plan(prompts=whole, sample=some, stages=stages)
    return _tried(plan, sample, reporter) if trial else plan


def _stage_plan(stage: Stage, asked: Mapping[ModelRole, Volume], memory: int | None, config: RunConfig) -> StagePlan:
    def prices(role: ModelRole) -> tuple[float, float]:
        server = config.models.role(role).endpoint if role in stage.asked(config) else None
        return (server.input_price, server.output_price) if server else (0.0, 0.0)

    every = tuple(Asked(role=role, prices=prices(role), **vars(volume)) for role, volume in asked.items())
    return StagePlan(stage=stage.folder, trains=stage.trains, asked=every, memory_bytes=memory)


def _asked_by_rl(
    sample: _Sample, asked: Mapping[str, Mapping[ModelRole, Volume]]
) -> Iterator[tuple[ModelRole, Volume]]:
    """In the whole run, of prompts and answers as long as those of the pairs: the policy by RL and its monitor; a judge
    that is the reward, of two answers what it is asked of the two of a pair; or a judge that the monitor goes by, from
    its second look on."""
    config, rl, pairs = sample.whole, sample.whole.rl, asked["pairs"]["base"]
    written = sample.answers * config.sampling.max_new_tokens
    yield "base", replace(pairs.times(sample.answers / pairs.calls), tokens_written=written)
    both = pairs.calls / 2
    if rl.rewards.judge:
        met = rl.steps * rl.prompts_per_step * len(meetings(rl.samples_per_prompt, rl.rewards.judge_pairs))
        yield "judge", asked["comparisons"]["judge"].times(met / both)
    if config.gold == "judge":
        yield "judge", asked[MONITORED.name]["judge"].times((sample.looks - 1) * sample.watched / both)


def _tried(plan: Plan, sample: _Sample, reporter: Reporter) -> Plan:
    """The plan, with what the sample took."""
    own = stages_of(sample.whole)
    with _run(sample.unwatched) as run:
        began = time.monotonic()
        run_pipeline(run, reporter, isolate=False)
        wall = time.monotonic() - began
        took = [FinishedStage.open(run.path, stage.folder).manifest.timing for stage in own]
    stages = [
        one.model_copy(
            update={
                "tokens": math.ceil(sample.more(stage) * timing.tokens),
                "seconds": sample.more(stage) * timing.seconds,
            }
        )
        for stage, one, timing in zip(own, plan.stages, took, strict=True)
    ]
    startup = wall - sum(timing.seconds for timing in took)
    return plan.model_copy(update={"stages": tuple(stages), "startup": startup, "peak_bytes": peak_bytes()})


@contextmanager
def _run(config: RunConfig) -> Iterator[RunFolder]:
    with tempfile.TemporaryDirectory(prefix="solon-plan-") as folder, RunFolder.create(folder, config) as run:
        yield run


def peak_bytes() -> int | None:
    """The most memory that this process ever had; None where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:")), None)
