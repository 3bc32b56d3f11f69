"""What figures share is made once and first; what is made is not made again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from solon.errors import ProcessError, RunError, UserError
from solon.figures.catalogue import EXPERIMENTS, chosen
from solon.figures.make import Order, ordered, tasks_of
from solon.figures.plan import Needs, plan
from solon.figures.tasks import Arm, Place, Task
from solon.figures.work import do_tasks
from solon.progress import Reporter

TRUNK = Arm(name="trunk", title="")
BRANCH = Arm(name="branch", title="", settings=("preference.labels=hard",), shares=("trunk", "helpfulness"))


def place(folder: Path, seeds: int = 2) -> Place:
    return Place(runs=folder, dose="figures", seeds=tuple(range(seeds)), models=("embedded",), items=10)


def test_what_is_shared_is_made_once_and_before(tmp_path: Path) -> None:
    needs = [Needs(stages=[(BRANCH, "rl")]), Needs(stages=[(BRANCH, "rl"), (TRUNK, "revisions")])]
    tasks = plan(needs, place(tmp_path), [TRUNK, BRANCH])
    assert [task.name for task in tasks] == [
        *("trunk-0 up to revisions", "trunk-0 up to helpfulness", "trunk-1 up to revisions"),
        *("trunk-1 up to helpfulness", "branch-0 up to rl", "branch-1 up to rl"),
    ]
    after = {task.name: task.after for task in tasks}
    assert after["trunk-0 up to revisions"] == frozenset()
    assert after["trunk-0 up to helpfulness"] == {"trunk-0 up to revisions"}
    assert after["branch-1 up to rl"] == {"trunk-1 up to helpfulness"}
    run = tmp_path / "branch-0"
    assert f"solon stage rl figures -o {run} --seed 0 --set preference.labels=hard" in [t.command for t in tasks]


def test_every_figure_can_be_planned_and_every_command_is_a_run_file_that_holds(tmp_path: Path) -> None:
    for dose in ("figures", "figures-quick"):
        where, _ = ordered(Order(dose=dose, runs=tmp_path))
        tasks = tasks_of(EXPERIMENTS, where)
        names = [task.name for task in tasks]
        assert len(set(names)) == len(names)
        for number, task in enumerate(tasks):
            assert task.after <= set(names[:number])
            assert not task.done


def test_figures_are_chosen_by_key() -> None:
    assert [one.key for one in chosen(["9", "5"])] == ["5", "9"]
    assert chosen([]) == list(EXPERIMENTS)
    with pytest.raises(UserError, match="no figure is called 13"):
        chosen(["13"])


class Heard(Reporter):
    def __init__(self) -> None:
        super().__init__(sys.stdout)
        self.notes: list[str] = []

    def show(self, event: str, line: str, **facts: Any) -> None:
        if event == "note":
            self.notes.append(line)


def tasks(*chain: str) -> list[Task]:
    """One after the other."""
    return [
        Task(name=name, arguments=(name,), after=frozenset(chain[max(0, number - 1) : number]))
        for number, name in enumerate(chain)
    ]


SCRIPT = """
import pathlib, sys
folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
assert sys.argv[3:] == ["--json"]
before = sorted(path.name for path in folder.glob("made-*"))
if name == "wrong":
    print("error: unusable", file=sys.stderr); sys.exit(2)
if name == "broken":
    print("it broke", file=sys.stderr); sys.exit(1)
(folder / f"made-{name}").write_text(" ".join(before))
"""


def launch(folder: Path) -> list[str]:
    return [sys.executable, "-c", SCRIPT, str(folder)]


def test_a_task_waits_for_those_before_it_and_a_done_one_is_not_done_again(tmp_path: Path) -> None:
    first, second, third = tasks("a", "b", "c")
    done = Task(name="a", arguments=("a",), done=True)
    heard = Heard()
    do_tasks([done, second, third], tmp_path, heard, jobs=3, threads=1, launch=launch(tmp_path))
    assert not (tmp_path / "made-a").exists()
    assert (tmp_path / "made-c").read_text() == "made-b"
    assert heard.notes == ["b: done, 2 of 3", "c: done, 3 of 3"]
    do_tasks([first], tmp_path, Heard(), jobs=1, threads=1, launch=launch(tmp_path))
    assert (tmp_path / "made-a").exists()


def test_a_command_that_fails_says_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="wrong: unusable"):
        do_tasks(tasks("wrong"), tmp_path, Heard(), jobs=1, threads=1, launch=launch(tmp_path))
    with pytest.raises(ProcessError, match="broken failed: it broke"):
        do_tasks(tasks("broken", "d"), tmp_path, Heard(), jobs=1, threads=1, launch=launch(tmp_path))
    assert not (tmp_path / "made-d").exists()
