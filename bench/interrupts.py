"""No interrupt is lost: SIGINT and SIGTERM at random moments of a tiny run, from its first import to its last line.

A random tiny Llama goes through a whole run, once undisturbed. Then again and again: `solon run`, a signal at a random
moment, `solon resume`, a signal, ... until the run has ended; every tenth signal comes twice. Each must end the process
with 130 or 143, say so, say how to go on once there is a run, and keep every finished stage; and every file of the run
that ends must have the sha256 it has in the undisturbed run.

Promise: no exception, and each ends within `--seconds`. Exits with 1 where it is broken.
Run: `python bench/interrupts.py [--signals N] [--seed N] [--seconds S]`.
With `--fork`, the commands run in forks of one process that has imported torch already: no signal meets an import.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from kill_and_resume import SETTINGS, STAGES, Process, data, differing, start, tiny_model

SIGNALS = (signal.SIGINT, signal.SIGTERM)
TWICE = 10
"""Every so many signals, one comes twice."""
EARLIEST = 0.3
"""Seconds until Python itself has started: before, a signal kills in its own way."""
PATIENCE = 60.0
"""Seconds after which a process that goes on is killed: its signal was lost."""


@dataclass
class Experiment:
    """The undisturbed run, and what signals did to the others."""

    folder: Path
    model: Path
    fork: bool
    rng: random.Random
    seconds: float = 0.0
    """How long the undisturbed run takes."""
    latencies: list[float] = field(default_factory=list)
    """Seconds from a signal to the end of its process, for each signal that met one."""
    met: Counter[str] = field(default_factory=Counter)
    """Signals by where the run was: the last stage that had been told."""
    wrong: list[str] = field(default_factory=list)

    def undisturbed(self) -> dict[str, str]:
        begun = time.monotonic()
        process = self._start(self.run("undisturbed"), "undisturbed")
        list(process.events())
        if code := process.wait():
            raise SystemExit(f"the undisturbed run failed with {code}:\n{self._log('undisturbed').read_text()}")
        self.seconds = time.monotonic() - begun
        return data(self.folder / "undisturbed")

    def disturbed(self, name: str) -> dict[str, str]:
        """A run that is struck and resumed until it ends."""
        run, command = self.folder / name, self.run(name)
        while True:
            kept = {stage for stage in STAGES if (run / stage / "manifest.json").exists()}
            said = f"{name}-{len(self.latencies)}"
            process = self._start(command, said)
            if self._strike(process, kept, said, run) is None:
                return data(run)
            if (run / "run.json").exists():
                command = ["resume", str(run), "--no-reuse"]

    def run(self, name: str) -> list[str]:
        settings = [part for setting in SETTINGS for part in ("--set", setting)]
        return ["run", "--model", str(self.model), "-o", str(self.folder / name), "--no-reuse", *settings]

    def _strike(self, process: Process, kept: set[str], said: str, run: Path) -> int | None:
        """Signal the process at a random moment; its exit code, or None if it had ended before."""
        number = self.rng.choice(SIGNALS)
        moment = time.monotonic() + self.rng.uniform(0.0 if self.fork else EARLIEST, self.seconds)
        stages = [event["stage"] for event in process.events(moment) if event["event"] == "stage"]
        if again := kept.intersection(stages):
            self.wrong.append(f"{said}: done again: {', '.join(sorted(again))}")
        struck = time.monotonic()
        if struck < moment:  # it closed its output before
            if code := process.wait():
                self.wrong.append(f"{said}: failed with {code}: {self._log(said).read_text()[-500:]}")
            return None
        os.kill(process.pid, number)
        if twice := len(self.latencies) % TWICE == TWICE - 1:
            time.sleep(0.01)
            os.kill(process.pid, number)
        list(process.events(struck + PATIENCE))
        self.latencies.append(time.monotonic() - struck)
        process.kill()
        code = process.wait()
        if code == 0 and (run / "summary.json").exists():  # it was leaving, with all its work done
            self.latencies.pop()
            return None
        self.met[stages[-1] if stages else "before the first stage"] += 1
        if code != 128 + number:
            self.wrong.append(f"{said}: {number.name} gave {code}: {self._log(said).read_text()[-500:]}")
        elif not twice:
            self._check_words(said, run, begun=bool(stages))
        return code

    def _check_words(self, said: str, run: Path, *, begun: bool) -> None:
        words = self._log(said).read_text().strip()
        hint = f"Finished work is kept. To continue: solon resume {run}"
        if words not in ((f"interrupted\n{hint}",) if begun else ("interrupted", f"interrupted\n{hint}")):
            self.wrong.append(f"{said}: said {words[-500:]!r}")

    def _start(self, command: list[str], said: str) -> Process:
        return start(command, self._log(said), fork=self.fork)

    def _log(self, said: str) -> Path:
        return self.folder / f"{said}.log"


def experiment(folder: Path, *, signals: int, seed: int, seconds: float, fork: bool) -> int:
    """Runs it all and prints the table; 1 if anything is not as promised."""
    found = Experiment(folder=folder, model=tiny_model(folder / "model"), fork=fork, rng=random.Random(seed))
    straight = found.undisturbed()
    print(f"undisturbed: {len(straight)} files, {found.seconds:.1f} s", flush=True)
    rounds = 0
    while len(found.latencies) < signals:
        rounds += 1
        before = len(found.latencies)
        changed = differing(straight, found.disturbed(f"struck-{rounds}"))
        found.wrong += [f"struck-{rounds}: {name} differs" for name in changed]
        print(f"run {rounds}: {len(found.latencies) - before} signals, {len(changed)} files differ", flush=True)
    return _verdict(found, seconds)


def _verdict(found: Experiment, seconds: float) -> int:
    for where in ("before the first stage", *STAGES):
        print(f"{where:<24} {found.met[where]:>4}")
    late = sum(latency > seconds for latency in found.latencies)
    typical, worst = statistics.median(found.latencies), max(found.latencies)
    print(f"in all {len(found.latencies)} signals; median {typical:.3f} s to the end, worst {worst:.3f} s")
    for line in found.wrong:
        print(f"WRONG: {line}")
    print(f"{len(found.wrong)} wrong, {late} later than {seconds:g} s")
    return int(bool(found.wrong or late))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--signals", type=int, default=200, help="at least so many (default 200)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--seconds", type=float, default=1.0, help="from a signal to the end, at most (default 1)")
    parser.add_argument("--fork", action="store_true", help="fork a process that has imported torch already")
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the same for all; and a tiny model gains nothing by more
    if given.fork:
        import solon.pipeline.run  # noqa: F401
    with tempfile.TemporaryDirectory() as folder:
        return experiment(Path(folder), signals=given.signals, seed=given.seed, seconds=given.seconds, fork=given.fork)


if __name__ == "__main__":
    raise SystemExit(main())
