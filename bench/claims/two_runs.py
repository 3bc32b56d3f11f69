"""Two runs beside each other, each with as many threads as there are cores, take at most 2.5 times as long as one.

A run is a process that writes 8 texts of 24 tokens with a model of SmolLM2's shape and random weights. Threads that
spin while they wait would take the cores from the other run's threads that work; `src/solon/__init__.py` sees to that.
For comparison, the same two with the spinning that GNU OpenMP has by itself.

    python bench/claims/two_runs.py [--quick]
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

from measuring.result import Result, at_most
from measuring.script import Options, Skip, result, run
from measuring.turns import tell

OWN_SPINNING = {"GOMP_SPINCOUNT": "300000"}
"""What GNU OpenMP takes if nobody says anything."""
WORK = "--work"


def work(turns: int) -> None:
    """In a process of its own: says when it is ready, begins when it is told to, and when so many turns are done."""
    import torch

    from measuring.random_models import SMOLLM2, number_prompts, random_model
    from solon.lm.engines.local import LocalModel
    from solon.lm.protocols import SampleRequest
    from solon.models.runtime import resolve_dtype

    cpu = torch.device("cpu")
    engine = LocalModel(random_model(SMOLLM2, dtype=resolve_dtype("auto", cpu), device=cpu))
    prompts = number_prompts(8, 32, SMOLLM2["vocab_size"])
    requests = [SampleRequest(prompt=prompt, seed=row, max_new_tokens=24) for row, prompt in enumerate(prompts)]
    engine.sample(requests[:1])
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(turns):
        engine.sample(requests)
    print("done", flush=True)


def seconds(processes: int, turns: int, environment: dict[str, str]) -> float:
    """Until the last of so many processes, which begin together, is done."""
    command = [sys.executable, __file__, WORK, str(turns)]
    pipe, clean = subprocess.PIPE, {name: said for name, said in os.environ.items() if "OMP_" not in name}
    started = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=clean | environment) for _ in range(processes)
    ]
    for process in started:
        assert process.stdout and process.stdout.readline() == "ready\n"
    begun = time.perf_counter()
    for process in started:
        assert process.stdin
        print(file=process.stdin, flush=True)
    for process in started:
        assert process.stdout and process.stdout.readline() == "done\n"
    taken = time.perf_counter() - begun
    for process in started:
        process.communicate()
    tell(f"{processes} beside each other, {environment or 'as solon has it'}: {taken:.1f} s")
    return taken


def measure(options: Options) -> Iterator[Result]:
    cores = len(os.sched_getaffinity(0))
    if cores < 2:
        raise Skip("it needs two cores")
    turns = 1 if options.quick else 2
    alone, beside, spinning = (seconds(count, turns, said) for count, said in ((1, {}), (2, {}), (2, OWN_SPINNING)))
    setting = f"192 tokens by a model of 135 million weights, {turns} times; {cores} threads each"
    for peer, figure, asked in (("one alone", alone, at_most(2.5)), ("two with OpenMP's own spinning", spinning, None)):
        yield result(
            "two runs beside each other",
            setting=setting,
            peer=peer,
            peer_figure=figure,
            solon_figure=beside,
            unit="s",
            asked=asked,
        )


if __name__ == "__main__":
    if sys.argv[1:2] == [WORK]:
        work(int(sys.argv[2]))
    else:
        raise SystemExit(run(__doc__, measure))
