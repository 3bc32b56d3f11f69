"""What pages say of faults: never where a file lies on the machine that serves."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette

from solon.errors import Fault, InputError, ModelError, RunError, Where
from solon.web.faults import shortened, told
from solon.web.runs import Runs
from web.visitor import owner_of, site_in

RUNS = Path("/srv/my site/runs")
PLACE = RUNS / "demo" / "run.json"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RunError("is no run", where=Where(PLACE, 3), hint="see /etc/solon/a"), "demo/run.json:3: is no run (see a)"),
        (RunError(f"{PLACE} is damaged"), "demo/run.json is damaged"),
        (ModelError("no model here", where=Where("/opt/big models/base")), "base: no model here"),
        (FileNotFoundError(2, "No such file", str(PLACE)), "[Errno 2] No such file: 'demo/run.json'"),
        (PermissionError(13, "Permission denied", "/opt/big models/x.bin"), "[Errno 13] Permission denied: 'x.bin'"),
        (OSError(2, "No", "/a/b c", None, "/d e/f"), "[Errno 2] No: 'b c' -> 'f'"),
        (InputError([Fault("a", Where("/x/y.csv")), Fault("b", Where("z/y.csv"))]), "y.csv: a\nz/y.csv: b"),
        (InputError("and/or, 1/2, https://a.org/b/c, ~/x"), "and/or, 1/2, https://a.org/b/c, ~/x"),
    ],
)
def test_paths_are_told_from_the_folder_of_runs_or_by_their_names(error: Exception, said: str) -> None:
    assert told(error, RUNS) == said


def test_a_folder_that_was_named_from_here_is_left_out_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    named = Runs(Path("data/runs"))
    for path in ("data/runs/demo/x.json", tmp_path / "data/runs/demo/x.json"):
        assert named.told(RunError("no", where=Where(path))) == "demo/x.json: no"
        assert shortened(f"{path} is no JSON", named.folder) == "demo/x.json is no JSON"


@pytest.fixture
def app(tmp_path: Path) -> Starlette:
    """Its only run is damaged in every file that pages read first."""
    run = tmp_path / "some where" / "runs" / "demo"
    run.mkdir(parents=True)
    for name in ("run.json", "summary.json", "constitution.json", "progress.json"):
        (run / name).write_text("{")
    return site_in(tmp_path / "site", runs=run.parent)


def test_no_page_says_where_the_runs_are(app: Starlette, tmp_path: Path) -> None:
    member = owner_of(app)
    for path in ("/runs", *(f"/runs/demo{part}" for part in ("", "/live", "/report", "/files")), "/chat/demo"):
        text = member.get(path).text
        assert member.status in (200, 409) and "run.json" in text, path
        assert "some where" not in member.response.text and str(tmp_path) not in member.response.text, path
