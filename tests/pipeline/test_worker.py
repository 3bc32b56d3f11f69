"""Stages in processes of their own: the same bytes, and every way in which such a process may end."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.tiny_run import Told, data, differing, run_in, world_config
from solon.artifacts.run_folder import RunFolder
from solon.config.run import RunConfig
from solon.errors import ProcessError, RunError, SolonError, UnscoredError
from solon.pipeline import worker
from solon.pipeline.run import run_pipeline
from solon.pipeline.stages import revisions
from solon.pipeline.worker import run_in_child
from solon.progress import Fact, Reporter
from stages import begun

OUT_OF_MEMORY = (
    "the process of stage revisions ran out of memory; what was done is kept "
    "(lower sampling.batch_size or its micro_batch_tokens first)"
)
needs_proc = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's /proc")


def test_a_stage_in_a_process_of_its_own_makes_the_same_bytes(llama: Path, finished: Path, tmp_path: Path) -> None:
    run, config = Path(shutil.copytree(finished, tmp_path / "run")), world_config(llama)
    shutil.rmtree(run / "models" / "rl")
    told = run_in(run, config, isolate=True, until="rl")
    assert told.stages == ["models/rl"]
    assert told.rows == {"models/rl": told.totals["models/rl"]}
    assert differing(data(finished), data(run)) == []


def test_stages_without_a_model_stay_in_this_process(
    llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "COMMAND", ("false",))
    assert run_in(tmp_path, world_config(llama), isolate=True, until="prompts").stages == ["prompts"]
    with pytest.raises(RuntimeError, match="process of stage revisions failed"):
        run_in(tmp_path, world_config(llama), isolate=True)


def test_the_start_of_a_process_is_no_time_of_the_stage_before(
    llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []

    class Heard(Reporter):
        def show(self, event: str, line: str, **facts: Fact) -> None:
            events.append(f"{event} {facts['stage']}")

    def starts(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("solon.pipeline.run.run_in_child", starts)
    with RunFolder.create(tmp_path, world_config(llama)) as run, pytest.raises(KeyboardInterrupt):
        run_pipeline(run, Heard(sys.stdout), isolate=True)
    assert events == ["stage prompts", "stage_done prompts"]


def test_only_large_models_have_one_by_default(llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_in(tmp_path, world_config(llama), until="revisions")
    monkeypatch.setattr(worker, "COMMAND", ("false",))
    monkeypatch.setattr("solon.pipeline.run.LARGE_BYTES", 1)
    with pytest.raises(RuntimeError, match="process of stage helpful failed"):
        run_in(tmp_path, world_config(llama))
    assert run_in(tmp_path, world_config(llama), until="helpful", isolate=False).stages == ["helpful"]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunFolder]:
    """A run in which the revisions are begun, and have nothing to work on."""
    with RunFolder.create(tmp_path / "run", RunConfig()) as folder:
        begun(folder, "revisions")
        yield folder


def act(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Puts a script in the place of the worker."""
    monkeypatch.setattr(worker, "COMMAND", (sys.executable, "-c", f"import os, time\n{script}"))


@pytest.mark.parametrize(("number", "more"), [(9, True), (11, False), (15, False)])
def test_a_process_that_is_killed_is_named(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, number: int, more: bool
) -> None:
    act(monkeypatch, f"print('[1, ', end='', flush=True); os.kill(os.getpid(), {number})")
    with pytest.raises(ProcessError) as caught:
        run_in_child(revisions, run, Told(), print)
    memory = " (if memory ran out, lower sampling.batch_size or its micro_batch_tokens first)" if more else ""
    name = signal.Signals(number).name
    assert str(caught.value) == f"the process of stage revisions was killed by {name}; what was done is kept{memory}"


FAILING = """
import sys
from pathlib import Path
from solon.pipeline import worker
def work(*given):
    {act}
worker.work = work
sys.exit(worker.main({run!r}, "revisions"))
"""


@pytest.mark.parametrize(
    ("act_", "kind", "message"),
    [
        ("raise MemoryError", ProcessError, OUT_OF_MEMORY),
        ('raise RuntimeError("DefaultCPUAllocator: can\'t allocate memory")', ProcessError, OUT_OF_MEMORY),
        ("raise OSError(28, 'x', '/tmp/full')", RunError, "cannot write /tmp/full: No space left on device"),
    ],
)
def test_memory_and_disks_that_are_full_are_one_line(
    run: RunFolder,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    act_: str,
    kind: type[SolonError],
    message: str,
) -> None:
    act(monkeypatch, FAILING.format(act=act_, run=str(run.path)))
    with pytest.raises(kind) as caught:
        run_in_child(revisions, run, Told(), print)
    hint = f" (free some space, then `solon resume {run.path}`)" if kind is RunError else ""
    assert str(caught.value) == message + hint
    assert "Traceback" not in capfd.readouterr().err


def test_a_process_whose_parent_has_died_says_nothing(run: RunFolder) -> None:
    script = FAILING.format(act="given[2].note('one'); time.sleep(0.2); given[2].note('two')", run=str(run.path))
    command = [sys.executable, "-c", f"import time\n{script}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None and child.stderr is not None
        assert child.stdout.readline() == '["note", "one"]\n'
        child.stdout.close()
        assert (child.stderr.read(), child.wait()) == ("", 1)


def test_a_process_ends_whatever_threads_are_left_and_cleans_up() -> None:
    script = """
import atexit, threading, time
from solon.pipeline.worker import leave
threading.Thread(target=time.sleep, args=(600,)).start()
atexit.register(print, "clean", end="", flush=True)
print("done, ", end="")
leave(3)"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=250)
    assert (done.returncode, done.stdout, done.stderr) == (3, "done, clean", "")


def test_progress_comes_through_and_an_interrupt_ends_the_process(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all that it has started."""
    act(
        monkeypatch,
        """
if started := os.fork():
    print('["stage", "revisions", 4]', '["advance", 2, 0]', f'["note", "{started}"]', sep="\\n", flush=True)
time.sleep(60)""",
    )
    told = Told()

    def interrupted(text: str) -> None:
        told.note(text)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_in_child(revisions, run, told, interrupted)
    assert (told.totals, told.rows) == ({"revisions": 4}, {"revisions": 2})
    gone = int(told.notes[-1])
    assert ends(lambda: not alive(gone))


def alive(process: int) -> bool:
    """Zombies are not."""
    status = Path(f"/proc/{process}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def ends(there: Callable[[], bool]) -> bool:
    """Does it come true within a few seconds?"""
    until = time.monotonic() + 5.0
    while not there() and time.monotonic() < until:
        time.sleep(0.01)
    return there()


def test_what_the_user_has_to_mend_comes_through_with_its_hint(run: RunFolder) -> None:
    (run.path / "run.json").unlink()
    with pytest.raises(RunError) as caught:
        run_in_child(revisions, run, Told(), print)
    (fault,) = caught.value.faults
    assert (fault.what, fault.hint) == (f"{run.path} holds no run", f"begin one with `solon run -o {run.path}`")


def test_faults_keep_their_places_and_other_errors_their_text(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    stage_json = run.path / "revisions" / ".partial" / "stage.json"
    (run.path / "prompts").mkdir()
    (run.path / "prompts" / "manifest.json").write_text("{")
    with pytest.raises(RunError) as caught:
        run_in_child(revisions, run, Told(), print)
    assert str(caught.value.faults[0].where) == f"{run.path}/prompts/manifest.json"
    assert stage_json.exists()
    act(monkeypatch, """print('["failed", "UnscoredError", "too many"]')""")
    with pytest.raises(UnscoredError, match=r"^too many$"):
        run_in_child(revisions, run, Told(), print)


def test_a_bug_leaves_its_traceback(run: RunFolder, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="process of stage revisions failed; it has told why on standard error"):
        run_in_child(replace(revisions, name="none"), run, Told(), print)
    assert "Traceback" in (told := capfd.readouterr().err) and "KeyError: 'none'" in told


@needs_proc
def test_a_process_ends_when_nobody_waits_for_it(tmp_path: Path) -> None:
    """Until then it holds the folder's lock: two processes never write into one."""
    script = f"""
import sys
from solon.artifacts.run_folder import RunFolder
from solon.config.run import RunConfig
from solon.pipeline import worker
from solon.pipeline.stages import revisions
from solon.progress import QuietReporter
code = "import threading, time; from solon.pipeline import worker; print('[\\"note\\", 0]', flush=True); "
code += "threading.Thread(target=worker._end_with_parent).start(); time.sleep(60)"
worker.COMMAND = (sys.executable, "-c", code)
with RunFolder.create({str(tmp_path)!r}, RunConfig()) as run:
    worker.run_in_child(revisions, run, QuietReporter(sys.stdout), lambda text: print(text, flush=True))
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None and parent.stdout.readline() == "0\n"
        (child,) = [int(pid) for pid in Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()]
        assert alive(child)
        parent.kill()
    with RunFolder.resume(tmp_path):  # waits for the orphan
        assert not alive(child)
