"""The whole demo, `solon run world`, beside the same pipeline put together from transformers and TRL.

Both sides go from the embedded model to answers that the oracle has read, each in a process of its own: answers,
critiques and revisions, finetuning, pairs and their labels, a preference model, GRPO, answers of the three models.
Prompts, templates, weights, numbers of rows, batch sizes, steps and learning rates are the same
(`peers/trainings.py` says what TRL does differently). The peer samples with `generate` in batches sorted by length, at
the batch size and in the arithmetic that are fastest here, and trains with TRL at the settings that are fastest here
(`peers/trl_settings.py`); what it takes to find them is not counted. Beside the time stands what the oracle says.

`--rows` is the number of harmful prompts, 320 in the demo: with `--rows 16` everything but batches is a twentieth.

    python bench/claims/whole_demo.py [--quick] [--rows HARMFUL_PROMPTS] [--repetitions N] [--run FINISHED_WORLD_RUN]
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import torch

import preference
import rl
import sft
from measuring.commands import solon
from measuring.models import threads
from measuring.result import Result, at_least
from measuring.run_data import ANY_QUALITY, EMBEDDED_MODEL, RunData, run_data
from measuring.script import Options, result, run
from measuring.turns import median_seconds, seconds, tell
from peers.pipeline import Choices, Pipeline
from peers.trainings import Training
from peers.trl_settings import Settings
from peers.trl_side import at_its_best
from peers.writers import Writer
from solon.artifacts.manifest import MANIFEST, Manifest
from solon.artifacts.run_folder import run_config
from solon.config.run import RunConfig
from solon.evals.estimates import Estimate
from solon.evals.grader import HELD_OUT
from solon.evals.summary import read_summary
from solon.feedback.answers import respond
from solon.feedback.rows import Sampler
from solon.lm.protocols import Sampling
from solon.models.load import load_model
from solon.pipeline.sources import prompt_sets

PEER = "transformers and TRL"
SIDE = "--side"
"""What begins the command line of the peer's process: the plan's file, and where its report goes."""
HARMFUL = 320
DOSES = {"prompts.harmful": 320, "prompts.mixed": 160, "prompts.benign": 400, "prompts.evaluation": 500, "rl.steps": 60}
"""Of the demo; all of them are cut to a share."""
SIZES = (32, 64, 128, 256)
"""Of batches for `generate`."""
SHOWN = {"harm done": ("harmful", "harmful"), "benign helped": ("benign", "helpful")}
"""Kind of prompt and the oracle's measure."""


@dataclass(kw_only=True)
class Report:
    """What a side did last."""

    seconds: Mapping[str, float] = field(default_factory=dict)
    """By stage."""
    estimates: Sequence[Estimate] = ()

    def __str__(self) -> str:
        """What the oracle says of base, SL-CAI and RL-CAI."""
        return "; ".join(f"{what} {' > '.join(self._shares(*cell))}" for what, cell in SHOWN.items())

    def _shares(self, kind: str, measure: str) -> Iterator[str]:
        for one in self.estimates:
            if (one.task, one.kind, one.measure) == (HELD_OUT, kind, measure) and one.value is not None:
                yield f"{one.value:.1%}"


def ours(settings: Sequence[str], folder: Path, report: Report) -> None:
    """`solon run world`."""
    solon(["run", "world", "-o", str(folder), "--no-reuse", "--quiet"], settings)
    manifests = [Manifest.model_validate_json(path.read_bytes()) for path in folder.rglob(MANIFEST)]
    report.seconds = {one.stage: one.timing.seconds for one in manifests}
    report.estimates = read_summary(folder / "summary.json").estimates


def theirs(plan: Path, report: Report) -> None:
    """The peer's pipeline."""
    told = plan.with_name("report.json")
    subprocess.run([sys.executable, __file__, SIDE, str(plan), str(told)], check=True)
    found = json.loads(told.read_bytes())
    report.seconds = found["seconds"]
    report.estimates = [Estimate.model_validate(one) for one in found["estimates"]]


def side(plan: Path, told: Path) -> None:
    """In a process of its own."""
    asked = json.loads(plan.read_bytes())
    choices = asked["choices"]
    trl = {name: Settings(**said) for name, said in choices.pop("trl").items()}
    config = RunConfig.model_validate(asked["config"])
    with tempfile.TemporaryDirectory() as folder:
        pipeline = Pipeline(config=config, choices=Choices(trl=trl, **choices), folder=Path(folder))
        estimates = [one.model_dump(mode="json") for one in pipeline.run()]
    told.write_text(json.dumps({"seconds": pipeline.seconds, "estimates": estimates}))


# The peer at its best

T = TypeVar("T")


def best(what: str, choices: Sequence[T], work: Callable[[T], object]) -> T:
    """The choice at which some work takes least time."""
    work(choices[0])  # or the first one would pay for what is made once
    taken = [seconds(partial(work, one)) for one in choices]
    tell(f"{what}: " + ", ".join(f"{one}: {time:.1f} s" for one, time in zip(choices, taken, strict=True)))
    return choices[taken.index(min(taken))]


def choices_of(data: RunData, config: RunConfig, most: int) -> Choices:
    """By answers to a run's prompts, and by a few steps of each training at the sizes of the run.

    `most`: rows that a training takes for it.
    """

    def write(rows: int, dtype: str) -> None:
        writer = Writer(load_model(data.base, dtype=getattr(torch, dtype), device="cpu"), data.format, rows)
        sampling = Sampling(max_new_tokens=config.sampling.max_new_tokens)
        respond(asked[: max(SIZES)], Sampler(model=writer, sampling=sampling, seed=0, stage="bench"))

    asked = prompt_sets(config.prompts, config.seed).red_team
    own = str(data.dtype).removeprefix("torch.")
    rows = best("rows of generate", SIZES, partial(write, dtype=own))
    dtype = best("its arithmetic", list(dict.fromkeys([own, "float32"])), partial(write, rows))
    lesson = rl.Lesson.of(data, config.rl.prompts_per_step, 1)
    longest = max(len(data.tokenizer.encode(one.text)) for one in lesson.prompts) + lesson.new_tokens
    found: dict[Training, Settings] = {
        "sft": sft.trl_at_its_best(sft.Demonstrations.of_run(data, most)),
        "preference": preference.trl_at_its_best(preference.Comparisons.of_run(data, most)),
        "rl": at_its_best(rl.Grpo, lesson, longest),
    }
    return Choices(trl=found, rows=rows, dtype=dtype)


def measure(options: Options) -> Iterator[Result]:
    share = options.size(HARMFUL, 8) / HARMFUL
    settings = [*(f"{key}={max(1, round(dose * share))}" for key, dose in DOSES.items()), *ANY_QUALITY]
    if options.quick:
        settings += ["rl.prompts_per_step=4", "rl.batch_size=32"]
    reports = {"solon": Report(), PEER: Report()}
    with tempfile.TemporaryDirectory() as work:
        folder, plan = Path(work) / "run", Path(work) / "plan.json"
        tell("once to warm, and to say what is to be done")
        ours(settings, folder, reports["solon"])
        config = run_config(folder)
        with run_data(EMBEDDED_MODEL, options) as data:
            choices = choices_of(data, config, 8 if options.quick else 128)
        plan.write_text(json.dumps({"config": config.model_dump(mode="json"), "choices": asdict(choices)}))
        sides = {"solon": partial(ours, settings, folder, reports["solon"]), PEER: partial(theirs, plan, reports[PEER])}
        times = median_seconds(sides, options.repetitions, {"solon": partial(_gone, folder)})
    for name, report in reports.items():
        tell(f"{name}: {report}; " + ", ".join(f"{stage} {time:.1f} s" for stage, time in report.seconds.items()))
    yield result(
        "whole demo, embedded model",
        setting=f"{share:.3g} of it, {threads()} threads; {reports['solon']}, {PEER}: {reports[PEER]}",
        peer=PEER,
        peer_figure=3600 / times[PEER],
        solon_figure=3600 / times["solon"],
        unit="demos/h",
        asked=at_least(4),
        packages=("trl",),
    )


def _gone(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1:2] == [SIDE]:
        side(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        raise SystemExit(run(__doc__, measure))
