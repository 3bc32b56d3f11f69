"""From votes to a constitution: what all agree on is in it, what splits them is not, and a kill changes nothing."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from solon.errors import ProcessError
from solon.progress import Reporter
from solon.town import collect as collecting
from solon.town.collect import Collected, Folder, collect, said_by, steps
from solon.town.public import Public
from town.towns import PEOPLE, children, require_gone

MAKE = """
import sys
from pathlib import Path
from solon.progress import PlainReporter
from solon.town import collect as collecting
from solon.town.collect import Folder, collect
from solon.town.make import vote
from town.towns import said_here, small_public
collecting.said_by = said_here
folder, reporter = Folder(path=Path(sys.argv[1])), PlainReporter(sys.stdout)
reporter.interval = 0.0
vote(small_public(), folder, reporter)
collect(folder, small_public(), reporter)
"""


def test_the_constitution_is_what_all_agree_on(public: Public, found: Collected) -> None:
    assert {one.text for one in found.chosen} <= {one.text for one in public.statement if one.agreed}
    assert found.agreed and set(found.agreed) <= set(public.agreed_faults())
    assert {"rude", "evasive"} <= set(found.agreed)


def test_what_splits_the_public_is_left_out_and_known_as_such(public: Public, found: Collected) -> None:
    splits = {one.text for one in public.statement if one.split and not one.rejected}
    assert splits <= {one.text for one in found.left_out}
    assert splits == {one.text for one in found.left_out if one.splits}
    assert "preachy" in found.split


def test_groups_are_the_districts(found: Collected) -> None:
    assert found.people == sum(found.groups) == 2 * PEOPLE and found.districts == (PEOPLE, PEOPLE)
    assert found.placed >= 0.9 and found.likeness >= 0.6


def test_a_group_objects_to_what_most_of_it_want_none_of(found: Collected) -> None:
    wants = {name: set(those) for name, those in found.objections.items()}
    assert all({"harm", "rude", "evasive"} <= those for those in wants.values())
    assert sum("preachy" in those for those in wants.values()) == 1


def test_what_ended_well_is_not_done_again(
    public: Public, folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied, done = Folder(path=tmp_path / "copied"), list[str]()
    shutil.copytree(folder.path, copied.path)

    def noting(arguments: Sequence[str], *, answers: str = "") -> str:
        done.append(arguments[1])
        return said_by(arguments, answers=answers)

    monkeypatch.setattr(collecting, "said_by", noting)
    collect(copied, public, Reporter(io.StringIO()))
    assert done == []
    copied.said("report").unlink()
    collect(copied, public, Reporter(io.StringIO()))
    assert done == ["report"]
    assert (
        copied.said("report").read_text().replace(str(copied.path), str(folder.path))
        == folder.said("report").read_text()
    )


def test_killed_and_begun_again_it_ends_with_the_same_constitution(
    public: Public, folder: Folder, tmp_path: Path
) -> None:
    """Killed outright among its votes; the site that it began ends, too."""
    command = [sys.executable, "-c", MAKE, str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert next(line for line in process.stdout if "30/" in line)
        sites = children(process.pid)
        process.send_signal(signal.SIGKILL)
    assert sites and not (tmp_path / "export").exists()
    require_gone(sites)
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    for name in ("public.toml", "public.trace.json"):
        assert _without_numbers((tmp_path / name).read_bytes()) == _without_numbers((folder.path / name).read_bytes())


def test_a_command_that_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match=r"`solon collect import /nowhere -o .*` failed: error: .*no such"):
        said_by(["collect", "import", "/nowhere", "-o", str(tmp_path / "talk")])


def test_commands_are_of_solon_collect(folder: Folder) -> None:
    assert list(steps(folder, "Town")) == [
        *("import", "population", "groups", "analyse", "topics", "merge", "principles", "report")
    ]


def _without_numbers(data: bytes) -> bytes:
    """Authors have other random numbers in every conversation."""
    try:
        trace = json.loads(data)
    except ValueError:
        return data
    for one in trace["statements"]:
        one["author"] = one["author"] is not None
    return json.dumps(trace).encode()
