"""What figures share is made once and first; what is made is not made again."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from typer.testing import CliRunner

from solon.cli.main import app
from solon.embedded.card import WEIGHTS
from solon.errors import ModelError, ProcessError, RunError, UserError
from solon.figures.arms import DIRECT, RL, every_arm
from solon.figures.catalogue import EXPERIMENTS, chosen
from solon.figures.experiment import Drawn, Experiment, size_names, sizes
from solon.figures.make import Order, make_figures, ordered, tasks_of
from solon.figures.plan import Needs, plan
from solon.figures.tasks import Arm, Place, Task, asked_file
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
    assert f"solon stage rl figures -o {run} --seed 0 --model embedded --set preference.labels=hard" in [
        t.command for t in tasks
    ]


def test_a_dose_with_a_model_of_its_own_is_run_and_named_by_it(tmp_path: Path) -> None:
    model = weighed(tmp_path / "mine", 10)
    (tmp_path / "dose.toml").write_text(f'extends = "figures-quick"\n[models]\nassistant = "{model}"\n')
    where, missing = ordered(Order(dose=str(tmp_path / "dose.toml")))
    assert (where.models, missing) == ((str(model),), [])
    for models in ((), ("embedded",)):
        where, _ = ordered(Order(dose=str(tmp_path / "dose.toml"), models=models))
        arguments = where.arguments(TRUNK, 0)
        assert arguments[arguments.index("--model") + 1] == (models or (str(model),))[0]


def test_models_are_ordered_by_size_and_those_that_look_alike_are_told_apart(tmp_path: Path) -> None:
    small, large, other = (weighed(tmp_path / name, n) for name, n in (("s", 10), ("l", 2_000_000), ("o", 2_000_001)))
    where, _ = ordered(Order(models=tuple(map(str, (small, large, other)))))
    assert where.models == (str(other), str(large), str(small))
    assert list(sizes(where).values()) == [10, 2_000_000, 2_000_001]
    assert size_names(where) == {"1e-05 M": 0.0, "2 M, l": 1.0, "2 M, o": 2.0}


def test_every_shipped_size_takes_part_and_one_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = {"embedded": 30, "embedded-medium": 20, "embedded-small": 10}
    folders = {name: weighed(tmp_path / name, count) for name, count in counts.items()}

    def shipped(name: str) -> Path:
        if not (folders[name] / WEIGHTS).exists():
            raise ModelError(f"the weights of the model {name} are missing")
        return folders[name]

    for module in ("make", "tasks"):
        monkeypatch.setattr(f"solon.figures.{module}.model_folder", shipped)
    where, missing = ordered(Order())
    assert (where.models, missing) == (tuple(counts), [])
    assert {model for need in (one.needs(where) for one in EXPERIMENTS) for model in need.asked} == set(counts)
    (folders["embedded-medium"] / WEIGHTS).unlink()
    where, missing = ordered(Order())
    assert where.models == ("embedded", "embedded-small")
    assert missing == ["left out: the weights of the model embedded-medium are missing"]


def weighed(folder: Path, parameters: int) -> Path:
    """A folder with weights and nothing else."""
    folder.mkdir()
    save_file({"weight": np.zeros(parameters, dtype=np.int8)}, folder / WEIGHTS)
    return folder


def test_verdicts_of_another_number_of_questions_are_others(tmp_path: Path) -> None:
    one = place(tmp_path)
    files = {asked_file(dataclasses.replace(one, items=items), "embedded", 0) for items in (10, 20)}
    assert len(files) == 2


def test_every_figure_can_be_planned_and_every_command_is_a_run_file_that_holds(tmp_path: Path) -> None:
    for dose in ("figures", "figures-quick"):
        where, _ = ordered(Order(dose=dose, runs=tmp_path))
        tasks = tasks_of(EXPERIMENTS, where)
        names = [task.name for task in tasks]
        assert len(set(names)) == len(names)
        for number, task in enumerate(tasks):
            assert task.after <= set(names[:number])
            assert not task.done
        for arm in every_arm((*where.models, *where.models)):
            assert where.config(arm, 0).seed == 0
    with pytest.raises(UserError, match="no_such_key"):
        where.config(Arm(name="wrong", title="", settings=("rl.no_such_key=1",)), 0)


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


def test_a_command_that_fails_is_told_and_only_those_behind_it_are_left_out(tmp_path: Path) -> None:
    heard = Heard()
    every = [*tasks("wrong"), *tasks("broken", "d", "e"), *tasks("f", "g")]
    failed = do_tasks(every, tmp_path, heard, jobs=1, threads=1, launch=launch(tmp_path))
    assert list(failed) == ["wrong", "broken"]
    assert isinstance(failed["wrong"], RunError) and "wrong: unusable" in str(failed["wrong"])
    assert isinstance(failed["broken"], ProcessError) and "broken failed: it broke" in str(failed["broken"])
    assert sorted(path.name for path in tmp_path.glob("made-*")) == ["made-f", "made-g"]
    assert heard.notes[0] == f"wrong: failed, see {tmp_path / 'logs/wrong.log'}"


def needing(key: str, arm: Arm) -> Experiment:
    """An experiment that is drawn from nothing."""
    drawn, needs = Drawn(claims=[], panels=[]), Needs(stages=[(arm, "sl")])
    return Experiment(key=key, title=key, paper="", here="", needs=lambda _: needs, draw=lambda _: drawn)


FAILING = """
import sys
if "direct-0" in " ".join(sys.argv):
    print("it broke", file=sys.stderr); sys.exit(int(sys.argv[1]))
"""


@pytest.mark.parametrize(("code", "kind"), [(2, RunError), (1, ProcessError)])
def test_a_figure_that_lacks_a_task_is_named_and_the_others_are_made(
    tmp_path: Path, code: int, kind: type[RunError | ProcessError]
) -> None:
    experiments = [needing("one", DIRECT), needing("two", RL)]
    made = make_figures(
        experiments,
        place(tmp_path, seeds=1),
        tmp_path / "out",
        ["one", "two"],
        Heard(),
        jobs=1,
        threads=1,
        launch=[sys.executable, "-c", FAILING, str(code)],
    )
    assert [figure.key for figure in made.figures] == ["two"] and list(made.missing) == ["one"]
    assert (tmp_path / "out/figure-two.json").is_file() and not (tmp_path / "out/figure-one.json").exists()
    with pytest.raises(kind, match=r"(?s)not made: figure one.*direct-0 up to sl.*it broke"):
        made.require_all()


def test_help_names_every_key() -> None:
    told = CliRunner().invoke(app, ["figures", "--help"]).stdout
    numbers = [one.key for one in EXPERIMENTS if one.key.isdigit()]
    assert numbers == [str(n) for n in range(2, 13)] and "Keys are 2 to 12" in told
    assert all(one.key in told for one in EXPERIMENTS if not one.key.isdigit())
