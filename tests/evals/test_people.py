"""What people said of a run's models: from an arena's export into the run's folder and its report."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.command import done, solon
from report.sample import sample_data
from report.test_data import write_run
from solon.artifacts.run_folder import RunFolder
from solon.data.turns import dialogue_id
from solon.evals.arena import Ballot, answer_hash, standings
from solon.evals.people import PEOPLE, People, read_people
from solon.records import Answer, Prompt, Record, Turn
from stages import begun

ASKED = [(Turn(role="human", text=f"Question {n}?"),) for n in range(4)]
OTHER = "elsewhere:rl"


def said(model: str, n: int) -> str:
    return f"Answer {n}\tof {model}."


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose SL-CAI and RL-CAI have answered four questions."""
    return answered(tmp_path_factory.mktemp("made") / "town")


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "town"))


def answered(folder: Path) -> Path:
    data = sample_data(2)
    write_run(folder, data)
    prompts = [Prompt(id=f"p{n}", kind="harmful", turns=one) for n, one in enumerate(ASKED)]
    told = {"tokens": 1, "finished": True}
    stages: dict[str, dict[str, list[Record]]] = {"prompts": {"evals": [*prompts]}}
    for model in ("sl", "rl"):
        rows = [Answer(id=f"a{n}", prompt_id=f"p{n}", text=said(model, n), **told) for n in range(len(ASKED))]
        stages[f"answers-{model}"] = {"rows": [*rows]}
    assert data.config is not None
    with RunFolder.create(folder, data.config) as opened:
        for name, files in stages.items():
            shutil.rmtree(folder / name)
            stage = begun(opened, name)
            for file, rows_ in files.items():
                stage.write_records(file, rows_)
            stage.finish()
    return folder


def ballot(n: int, a: str, b: str, helpful: str, harmless: str = "tie", judge: str = "ada", **more: object) -> Ballot:
    prompt = n % len(ASKED)
    texts = [answer_hash(said(name.removeprefix("town:"), prompt)) for name in (a, b)]
    told = {"said": {"helpfulness": helpful, "harmlessness": harmless}, "chance": 0.5, "answers": texts}
    named = {"id": str(n), "judge": judge, "prompt": dialogue_id(ASKED[prompt]), "a": a, "b": b}
    return Ballot.model_validate({**named, **told, **more})


BALLOTS = [
    *(ballot(n, "town:rl", "town:sl", "a", "both bad") for n in range(4)),
    *(ballot(4 + n, "town:sl", "town:rl", "b" if n else "a", judge="ben") for n in range(4)),
    *(ballot(8 + n, "town:rl", OTHER, "tie" if n else "b", judge="cleo") for n in range(4)),
    ballot(12, "town:rl", "town:rl", "a", judge="ada", sound="a"),
    ballot(13, "town:rl", "town:rl", "a", judge="cleo", sound="b"),
]


def votes(folder: Path, ballots: Sequence[Ballot] = BALLOTS, name: str = "votes.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(f"{one.model_dump_json()}\n" for one in ballots))
    return path


def test_ratings_are_those_of_the_arena_and_the_report_shows_them(run: Path, tmp_path: Path) -> None:
    printed = solon("elo", run, "--votes", votes(tmp_path))
    assert (printed.exit_code, printed.stderr) == (0, f"kept in {run}/people.json\n")
    found, why = read_people(run)
    assert found is not None and why is None
    assert found.objectives == standings(BALLOTS, anchor=("town:sl", 0.0)).objectives
    assert found.models == {"town:sl": "sl", "town:rl": "rl"}
    assert (found.people, found.votes, found.left_out, found.checks, found.passed) == (3, 12, 0, 2, 1)
    assert (found.same, found.unknown) == (20, 0)
    helpful = {row.player: row for row in found.objectives[0].elo.rows}  # type: ignore[union-attr]
    assert helpful["town:sl"].rating == 0 < helpful["town:rl"].rating and OTHER in helpful
    done("report", run)
    page = (run / "report.html").read_text()
    for text in (
        "Helpfulness, by people",
        "Harmlessness, by people",
        "elsewhere:rl",
        "3 people, who did not know whose answers they saw; a fair coin said which stood first",
        "checks of attention: 1 passed, 1 missed",
        "5 for the answer shown first, 4 for the other, 3 alike, 0 both bad",
        "0 for the answer shown first, 0 for the other, 8 alike, 4 both bad",
        "word for word those of this run: 20",
        "agreement (Krippendorff",
        "people, in 12 comparisons and the oracle",
    ):
        assert text in page, text
    assert not [name for name in ("ada", "cleo") if f'"{name}"' in (run / PEOPLE).read_text()], (
        "nobody can be told apart"
    )


def test_without_those_who_miss_the_checks(run: Path, tmp_path: Path) -> None:
    printed = done("elo", run, "--votes", votes(tmp_path), "--checked", "--json")
    found = People.model_validate({k: v for k, v in json.loads(printed).items() if k in People.model_fields})
    assert (found.people, found.votes, found.left_out) == (2, 8, 4)
    assert OTHER not in {row.player for row in found.objectives[0].elo.rows}  # type: ignore[union-attr]


def test_other_votes_replace_none_unasked_and_stale_ones_are_not_shown(run: Path, tmp_path: Path) -> None:
    done("elo", run, "--votes", votes(tmp_path))
    before = (run / PEOPLE).read_bytes()
    fewer = votes(tmp_path, BALLOTS[:5], "fewer.jsonl")
    refused = solon("elo", run, "--votes", fewer)
    assert refused.exit_code == 2 and "--replace" in refused.stderr and (run / PEOPLE).read_bytes() == before
    assert solon("elo", run, "--votes", tmp_path / "votes.jsonl").exit_code == 0, "the same again"
    done("elo", run, "--votes", fewer, "--replace")
    manifest = run / "answers-rl/manifest.json"
    as_made = manifest.read_text()
    manifest.write_text(re.sub(r'(?<="sha256": ")[0-9a-f]{8}', "00000000", as_made))
    assert read_people(run) == (None, "it is of another answers-rl than the run has now")
    manifest.write_text(as_made)
    (run / PEOPLE).write_text("[]")
    found, why = read_people(run)
    assert found is None and why == "nothing that solon elo has kept (ValidationError)"
    done("report", run)
    page = (run / "report.html").read_text()
    assert "<code>people.json</code> is not shown: nothing that" in page and ", by people</th>" not in page


ROW = json.loads(BALLOTS[0].model_dump_json())


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([{**ROW, "a": "x:sl", "b": "y:rl"}], "no model of the arena is one of the run: `x:sl`, `y:rl`"),
        ([{**ROW, "b": "rl"}], "two are called rl"),
        ([{**ROW, "answers": ["0" * 16, ROW["answers"][1]]}], "1 of 2 answers are not those that the run has stored"),
        ([ROW, ROW], "1 votes stand twice, the first is '0'"),
        ([ROW, {**ROW, "said": {"helpfulness": "a"}}], 'votes.jsonl:2: "said" must have'),
        ([ROW, {**ROW, "said": {"helpfulness": "c", "harmlessness": "a"}}], "votes.jsonl:2: no vote of an arena: said"),
        ([{**ROW, "b": ROW["a"]}], "against itself"),
        ([{**ROW, "chance": 0}], "no vote of an arena: chance"),
        ([{"a": "x", "b": "y", "winner": "a"}], "no vote of an arena: id: Field required"),
        ([{**ROW, "b": ROW["a"], "sound": "a"}], "no vote on a model of the run counts"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(
    run: Path, tmp_path: Path, rows: list[dict[str, object]], what: str
) -> None:
    path = tmp_path / "votes.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    failed = solon("elo", run, "--votes", path)
    assert (failed.exit_code, failed.stdout) == (2, "") and what in failed.stderr, failed.stderr
    assert len(failed.stderr.splitlines()) == 1 and not (run / PEOPLE).exists()


def test_answers_to_other_prompts_are_known_by_name_alone(run: Path, tmp_path: Path) -> None:
    live = [BALLOTS[0], BALLOTS[1].model_copy(update={"prompt": "x" * 43})]
    text = done("elo", run, "--votes", votes(tmp_path, live))
    assert "known by the model's name alone: 2" in text and "word for word those of this run: 2" in text


def test_options_that_say_nothing_here_are_refused(run: Path, tmp_path: Path) -> None:
    file = votes(tmp_path)
    for wrong in ((run, "--checked"), (run, "--votes", file, "-n", "3"), (file, "--votes", file)):
        failed = solon("elo", *wrong)
        assert failed.exit_code == 2 and len(failed.stderr.splitlines()) == 1, failed.stderr
