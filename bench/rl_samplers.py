"""What a step of RL takes with vLLM as its sampler, and with the local engine.

RL of a finished run is done again for some steps, whose answers come from either sampler in turns, so that both meet
the same policy in the same process. Prints the processor's seconds of a step, of its sampling and of handing over the
weights, each the median over the steps of that sampler but its first, and how far the sampler was from the trainer.
Run, in an environment with vLLM: `python bench/rl_samplers.py runs/demo`
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import process_time

from solon.artifacts.reuse import OtherRuns
from solon.artifacts.run_folder import RunFolder, run_config
from solon.config.engines import VllmSection
from solon.config.training import RLSection
from solon.lm.protocols import Completion, SampleRequest
from solon.pipeline import learning
from solon.pipeline.learner import Learner
from solon.pipeline.policy_sampler import LocalSampler, VllmSampler
from solon.pipeline.run import run_pipeline
from solon.progress import Reporter
from solon.train import rl
from solon.train.rollouts import Sample, TokenModels, TokenScores, score_tokens

SAMPLERS = ("local", "vllm")


class InTurns:
    """Both samplers, and what each took."""

    def __init__(self, learner: Learner) -> None:
        self._local, self._vllm = LocalSampler(learner), VllmSampler(learner)
        self.max_context = self._local.max_context
        self.asked: list[float] = []
        self.answered: list[float] = []
        self.sampling: list[float] = []
        self.handing_over: list[float] = []

    def __call__(self, requests: Sequence[SampleRequest]) -> Sequence[Completion]:
        turn, start = len(self.asked) % 2, process_time()
        self.asked.append(start)
        if turn:  # once more, to time it alone
            self._vllm.hand_over()
            self.handing_over.append(process_time() - start)
        start = process_time()
        answers = (self._vllm if turn else self._local)(requests)
        self.answered.append(process_time())
        self.sampling.append(self.answered[-1] - start)
        return answers


def measure(run: Path, steps: int) -> None:
    config = run_config(run)
    vllm = VllmSection(enforce_eager=True)
    section = config.rl.model_copy(update={"steps": steps + 1, "sampler": "vllm", "vllm": vllm, "monitor": None})
    found: list[InTurns] = []

    def both(learner: Learner) -> InTurns:
        found.append(InTurns(learner))
        return found[-1]

    def scored(models: TokenModels, samples: Sequence[Sample], section: RLSection, *, policy: bool) -> TokenScores:
        """As with the sampler whose turn it was."""
        named = section.model_copy(update={"sampler": SAMPLERS[(len(found[0].asked) - 1) % 2]})
        return score_tokens(models, samples, named, policy=policy)

    learning.policy_sampler = both  # type: ignore[assignment, attr-defined]
    rl.score_tokens = scored  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "run"
        with RunFolder.create(folder, config.model_copy(update={"rl": section})) as begun:
            others = OtherRuns.of(folder, [run])
            run_pipeline(begun, Reporter(sys.stderr), until="rl", others=others, isolate=False)
        told = [json.loads(line) for line in (folder / "models/rl/steps.jsonl").read_text().splitlines()]
    turns = found[0]
    learned = [after - before for before, after in zip(turns.answered, turns.asked[1:], strict=False)]
    for turn, name in enumerate(SAMPLERS):
        mine = range(turn + 2, steps, 2)
        figures = {
            "step": statistics.median(turns.sampling[one] + learned[one] for one in mine),
            "sampling": statistics.median(turns.sampling[one] for one in mine),
            **({"of that, handing over": statistics.median(turns.handing_over[1:])} if turn else {}),
        }
        gap = statistics.mean(told[one]["sampler_gap"] for one in mine)
        said = ", ".join(f"{what} {seconds:.2f} s" for what, seconds in figures.items())
        print(f"{name}: {said}; {len(mine)} steps; sampler_gap {gap:.5f} nats per token")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="the folder of a finished run")
    parser.add_argument("--steps", type=int, default=12)
    given = parser.parse_args()
    measure(given.run, given.steps)
