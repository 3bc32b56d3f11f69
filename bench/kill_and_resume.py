"""Nothing is lost: a run that is killed again and again ends with the same bytes as one that is left alone.

A random tiny Llama goes through a whole run in the world, once undisturbed. Then again and again: `solon run`, SIGKILL
at a random moment of a stage, `solon resume`, SIGKILL, ... until every stage has been killed while it was in progress,
and at least `--kills` processes died. Every file that is data must then have the sha256 it has in the undisturbed run.

Promise: no difference. Exits with 1 where it is broken. Run: `python bench/kill_and_resume.py [--kills N] [--seed N]`.
With `--fork`, this process does the undisturbed run itself, and the other commands run in its forks, which so have all
that a run imports and prepares: the same kills, much sooner.
With `--isolate`, each stage that uses a model has a process of its own, and every other kill strikes that alone: the
command must then say which process died of what, and leave with 2.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import io
import json
import os
import random
import re
import select
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from solon.artifacts.atomic import sha256_bytes
from solon.artifacts.hashes import sha256_file
from solon.config.run import RunConfig
from solon.pipeline.stages import stages_of

STAGES = tuple(stage.folder for stage in stages_of(RunConfig()))
"""As `solon run --json` announces them."""

SETTINGS = (
    *("models.dtype=float32", "models.device=cpu"),
    *("prompts.harmful=8", "prompts.mixed=4", "prompts.benign=8", "prompts.evaluation=4"),
    *("quality.max_noise=1", "quality.max_unfinished=1", "quality.max_echoes=1", "quality.max_unchanged=1"),
    *("sampling.max_new_tokens=12", "sampling.batch_size=16", "sampling.shard_rows=2", "supervised.rounds=2"),
    *("sft.epochs=2", "sft.batch_size=4", "sft.checkpoint_steps=2"),
    *("preference.epochs=2", "preference.batch_size=4", "preference.checkpoint_steps=2"),
    *("rl.steps=6", "rl.prompts_per_step=2", "rl.samples_per_prompt=2", "rl.batch_size=4", "rl.checkpoint_steps=2"),
)
"""Small shards and frequent checkpoints, so that a kill finds half-done stages."""

HITS_WANTED = 2
"""Kills of each stage in the first round: the second meets a stage that was resumed."""
HASTE = 0.3
"""A stage that ended before its kill came is struck sooner in the next round: delays shrink by this factor."""
MOST_ROUNDS = 12
BETWEEN = "between stages"
NOT_DATA = ("timing", "versions", "deviations", "pipeline_seconds")
"""Keys of manifests and of the summary. Deviations name versions if the code changed meanwhile."""


def tiny_model(folder: Path) -> Path:
    """A random Llama of width 32 that reads bytes, in Hugging Face layout."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    from solon.models.load import save_model

    signs = ["<end>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE(vocab={sign: number for number, sign in enumerate(signs)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(signs),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=2048,
        initializer_range=0.2,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=0,
    )
    model: Any = LlamaForCausalLM(config)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>", pad_token="<end>")
    return save_model(model, fast, folder)


@dataclass
class Process:
    """One `solon` command that tells its progress as JSON."""

    pid: int
    out: int
    """File descriptor of what it says."""
    _said: bytes = b""
    """What has arrived and was not yet handed out."""

    def events(self, until: float = float("inf")) -> Iterator[dict[str, Any]]:
        """What it tells, until it ends or the clock (`time.monotonic`) reaches `until`."""
        while True:
            while b"\n" in self._said:
                line, _, self._said = self._said.partition(b"\n")
                if line.startswith(b"{"):
                    yield json.loads(line)
            left = None if until == float("inf") else max(0.0, until - time.monotonic())
            if not select.select([self.out], [], [], left)[0]:
                return
            arrived = os.read(self.out, 1 << 16)
            if not arrived:
                return
            self._said += arrived

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def kill_stage(self) -> bool:
        """Kill the process of the stage in progress, if it has one of its own."""
        started = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        for pid in map(int, started):
            os.kill(pid, signal.SIGKILL)
        return bool(started)

    def wait(self) -> int:
        """The exit code; -9 if it was killed."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self.out)
        return os.waitstatus_to_exitcode(status)


def start(arguments: Sequence[str], log: Path, *, fork: bool) -> Process:
    """Begin `solon ARGUMENTS --json`; what it says on stderr is added to `log`."""
    command = [*arguments, "--json"]
    receiving, sending = os.pipe()
    errors = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    if fork:
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            become(command, sending, errors)
    else:
        solon = Path(sys.executable).with_name("solon")
        places = [(os.POSIX_SPAWN_DUP2, sending, 1), (os.POSIX_SPAWN_DUP2, errors, 2)]
        heard = (signal.SIGINT, signal.SIGTERM)  # also where this script was started to ignore them
        pid = os.posix_spawn(solon, ["solon", *command], os.environ, file_actions=places, setsigdef=heard)
    os.close(sending)
    os.close(errors)
    return Process(pid=pid, out=receiving)


def whole(arguments: Sequence[str], log: Path, *, here: bool) -> tuple[int, list[str]]:
    """The exit code of `solon ARGUMENTS --json`, and the stages that it says it has done; `here`: in this process."""
    if not here:
        process = start(arguments, log, fork=False)
        told = list(process.events())
        return process.wait(), _done_stages(told)
    import torch

    from solon.cli.main import app

    torch.set_num_threads(1)  # others would not be in the forks
    said = io.StringIO()
    with redirect_stdout(said):
        code = app([*arguments, "--json"], standalone_mode=False)
    gc.freeze()  # forks share what is here as long as nobody touches it
    return code or 0, _done_stages(map(json.loads, said.getvalue().splitlines()))


def _done_stages(told: Iterable[dict[str, Any]]) -> list[str]:
    return [event["stage"] for event in told if event["event"] == "stage_done"]


def become(command: Sequence[str], out: int, errors: int) -> None:
    """In a forked child: run the command and leave, never to return."""
    code = 1
    try:
        os.dup2(out, 1)
        os.dup2(errors, 2)
        atexit._clear()  # what the parent cleans up at its end is not the child's
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        from solon.cli.program import run

        sys.argv = ["solon", *command]
        run()
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    finally:
        if sys.exc_info()[0] is not None:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


@dataclass
class Experiment:
    """The undisturbed run, and what was done to the others."""

    folder: Path
    model: Path
    fork: bool
    rng: random.Random
    isolate: bool = False
    seconds: dict[str, float] = field(default_factory=dict)
    """How long each stage takes when it is left alone."""
    kills: Counter[str] = field(default_factory=Counter)
    """By the stage that was in progress; `between stages` where none was."""
    stages_killed: int = 0
    """Of the kills, those of a stage's own process."""

    def run(self, name: str) -> list[str]:
        settings = [part for setting in SETTINGS for part in ("--set", setting)]
        return ["run", "--model", str(self.model), "-o", str(self.folder / name), *self._options(), *settings]

    def _options(self) -> list[str]:
        return ["--no-reuse", *(["--isolate"] if self.isolate else [])]

    def undisturbed(self) -> dict[str, str]:
        run = "undisturbed"
        code, told = whole(self.run(run), self.folder / f"{run}.log", here=self.fork)
        self._expect_success(code, run)
        assert told == list(STAGES), f"stages are {told}"
        for stage in STAGES:  # what the program tells includes the start of the next stage's process
            manifest = json.loads((self.folder / run / stage / "manifest.json").read_bytes())
            self.seconds[stage] = manifest["timing"]["seconds"]
        return data(self.folder / run)

    def disturbed(self, name: str, wanted: Counter[str], haste: float) -> dict[str, str]:
        """A run in which each stage is struck as often as `wanted` says, and resumed each time.

        `haste`: below 1, kills come earlier in a stage than its whole length would allow.
        """
        wanted = Counter(wanted)
        command = self.run(name)
        while True:
            process = start(command, self.folder / f"{name}.log", fork=self.fork)
            struck = self._strike(process, wanted, haste)
            code = process.wait()
            if struck:
                self._expect_told(name)
            elif code != -signal.SIGKILL:
                self._expect_success(code, name)
                return data(self.folder / name)
            self.kills[in_progress(self.folder / name)] += 1
            command = ["resume", str(self.folder / name), *self._options()]

    def _strike(self, process: Process, wanted: Counter[str], haste: float) -> bool:
        """Kill the process at a random moment of the first stage that is wanted, or else when that stage ends; let the
        process end if there is none. Returns whether the stage's own process was killed instead."""
        for event in process.events():
            stage = event.get("stage", "")
            if event["event"] == "stage" and wanted[stage] > 0:
                wanted[stage] -= 1
                moment = time.monotonic() + self.rng.uniform(0.0, 0.9) * self.seconds[stage] * haste
                next((later for later in process.events(moment) if later["event"] == "stage_done"), None)
                if self.isolate and self.kills.total() % 2 and process.kill_stage():
                    for _ in process.events():
                        pass
                    self.stages_killed += 1
                    return True
                process.kill()
                return False
        return False

    def _expect_told(self, name: str) -> None:
        """The command has said in its last line which process was killed."""
        told = (self.folder / f"{name}.log").read_text().splitlines()[-1]
        stage = in_progress(self.folder / name).replace(BETWEEN, "")  # it may have just been sealed
        if not re.search(f"the process of stage {stage}.* was killed by SIGKILL; what was done is kept", told):
            raise SystemExit(f"{name}: killed in {stage}, but told: {told}")

    def _expect_success(self, code: int, name: str) -> None:
        if code != 0:
            raise SystemExit(f"{name} failed with {code}:\n{(self.folder / f'{name}.log').read_text()[-2000:]}")


def in_progress(run: Path) -> str:
    """The stage that a killed process was in; `between stages` if none was."""
    open_stages = [name for name in STAGES if (run / name / ".partial").is_dir() and not _done(run, name)]
    return open_stages[-1] if open_stages else BETWEEN


def _done(run: Path, stage: str) -> bool:
    return (run / stage / "manifest.json").is_file()


def data(run: Path) -> dict[str, str]:
    """sha256 of all that a run says, timing apart: every file but the report and what tells of progress, which show
    times, and of manifests and summary everything but their times and versions. Temporary files count: none may be
    left."""
    found = {}
    for path in sorted(run.rglob("*")):
        name = path.relative_to(run).as_posix()
        if path.is_dir() or name in (".lock", "report.html", "progress.json"):
            continue
        if path.name in ("manifest.json", "summary.json"):
            said = {key: value for key, value in json.loads(path.read_bytes()).items() if key not in NOT_DATA}
            found[name] = sha256_bytes(json.dumps(said).encode())
        else:
            found[name] = sha256_file(path)
    return found


def differing(one: dict[str, str], two: dict[str, str]) -> list[str]:
    """Names of files that are in one run alone, or differ."""
    return sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))


def experiment(folder: Path, *, kills: int, seed: int, fork: bool, isolate: bool) -> int:
    """Runs it all and prints the table; 1 if any file differs."""
    model, rng = tiny_model(folder / "model"), random.Random(seed)
    found = Experiment(folder=folder, model=model, fork=fork, rng=rng, isolate=isolate)
    begun = time.monotonic()
    straight = found.undisturbed()
    print(f"undisturbed: {len(straight)} files, {time.monotonic() - begun:.1f} s", flush=True)
    worst: list[str] = []
    rounds = 0
    while rounds < MOST_ROUNDS:
        hits = 1 if isolate else HITS_WANTED  # a resumed run has to import torch again
        missing = Counter({stage: hits for stage in STAGES if not found.kills[stage]})
        if not missing and found.kills.total() >= kills:
            break
        rounds += 1
        before = found.kills.total()
        killed = found.disturbed(f"killed-{rounds}", missing or Counter(STAGES), HASTE ** (rounds - 1))
        wrong = differing(straight, killed)
        worst += wrong
        said = f"{len(wrong)} files differ: {', '.join(wrong[:5])}" if wrong else f"{len(killed)} files, all equal"
        print(f"killed {found.kills.total() - before} times: {said}", flush=True)
    return _verdict(found, kills, worst)


def _verdict(found: Experiment, kills: int, wrong: Sequence[str]) -> int:
    print(f"\n{'killed in':<16} {'times':>5}   {'length of the stage, s':>22}")
    for stage in STAGES:
        print(f"{stage:<16} {found.kills[stage]:>5}   {found.seconds[stage]:>22.2f}")
    print(f"{BETWEEN:<16} {found.kills[BETWEEN]:>5}")
    missed = [stage for stage in STAGES if not found.kills[stage]]
    enough = found.kills.total() >= kills and not missed
    print(f"{'in all':<16} {found.kills.total():>5}   {'every file equal' if not wrong else 'FILES DIFFER'}")
    if found.isolate:
        print(f"of these, the stage's own process alone: {found.stages_killed}")
    if not enough:
        print(f"not a fair trial: at least {kills} kills wanted; never killed in: {', '.join(missed) or 'none'}")
    return int(bool(wrong) or not enough)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=10, help="at least so many processes are killed (default 10)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills")
    parser.add_argument("--fork", action="store_true", help="fork a process that has done a run already")
    parser.add_argument("--isolate", action="store_true", help="stages have processes of their own; kill these too")
    parser.add_argument("--folder", type=Path, help="where to keep the runs; default: a folder that is removed")
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the same for all; and a tiny model gains nothing by more
    chosen = {"kills": given.kills, "seed": given.seed, "fork": given.fork, "isolate": given.isolate}
    if given.folder is not None:
        given.folder.mkdir(parents=True)
        return experiment(given.folder, **chosen)
    with tempfile.TemporaryDirectory() as folder:
        return experiment(Path(folder), **chosen)


if __name__ == "__main__":
    raise SystemExit(main())
