"""`solon collect principles DIR -o CONSTITUTION.toml`: with nothing else, and with everything."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cli.test_collect_topics import collect
from solon.collective.conversation import Conversation
from solon.config.load import load_run_config
from solon.constitution.lint import lint
from solon.constitution.load import load_constitution
from talks import talk, write_export

TEXTS = [
    "AI should be helpful to everybody",
    "AI shouldn't spread rumours",
    "AI should choose sides\n\nHuman: (A)",
    "AI should sing in the morning",
    "AI must never mock beginners",
    "Tea, then {talk}",
]
"""Two camps of twenty are of one mind on all but 2 and 3."""


def public() -> Conversation:
    rng = np.random.default_rng(5)
    rows: list[list[int | None]] = []
    for person in range(40):
        side = 1 if person < 20 else -1
        rows.append([int(vote) if rng.random() > 0.03 else 0 for vote in (1, 1, side, -side, 1, 1)])
    made = talk(rows, people=range(100, 140))
    worded = (one.model_copy(update={"text": text}) for one, text in zip(made.statements, TEXTS, strict=True))
    return replace(made, statements=tuple(worded))


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write_export(public(), tmp_path / "export")


def test_what_is_agreed_but_was_never_moderated_is_told(tmp_path: Path) -> None:
    """The report counts 4 agreed statements, of which 2 became principles; what became of the others was not said."""
    waiting = [one.model_copy(update={"moderated": 0 if one.id in (0, 3, 4) else 1}) for one in public().statements]
    export = write_export(replace(public(), statements=tuple(waiting)), tmp_path / "export")
    result = collect("principles", export, "-o", tmp_path / "some.toml")
    told = "2 of these 4 were never moderated and make no principle; --include-unmoderated lets them in\n"
    assert "agreement: 4 of 6 " in result.stdout and told in result.stdout, result.output
    result = collect("principles", export, "--include-unmoderated", "-o", tmp_path / "all.toml")
    assert "agreement: 4 of 6 " in result.stdout and "never moderated" not in result.stdout, result.output


def test_an_export_and_nothing_else(export: Path, tmp_path: Path) -> None:
    out = tmp_path / "public.toml"
    result = collect("principles", export, "-o", out)
    assert result.exit_code == 0, result.output
    assert lint(out) == ()
    constitution = load_constitution(out)
    assert {one.id for one in constitution.principles} == {f"statement-{at}" for at in (0, 1, 4, 5)}
    assert "Opinion groups: 2, found by method polis" in result.stdout
    assert "Rule: consensus of at least 0.85" in result.stdout and "Merges: none." in result.stdout
    assert "left out: 2 low-consensus" in result.stdout
    assert "1 principle for a person to look at, see the trace: statement-5\n" in result.stderr
    assert [line.split() for line in result.stdout.splitlines() if line.startswith("  principles")] == [
        ["principles", "0", "2", "4", "4", "4", "4", "4", "4", "4", "4"]
    ]
    assert "  the first ... ideas        4\n  consensus of the last   0.8" in result.stdout
    trace = json.loads((tmp_path / "public.trace.json").read_text(encoding="utf-8"))
    assert [one["text"] for one in trace["statements"]] == TEXTS


def test_groups_that_are_found_here_come_with_how_far_to_trust_them(export: Path, tmp_path: Path) -> None:
    beside = tmp_path / "public.stability.json"
    result = collect("principles", export, "-o", tmp_path / "public.toml")
    report = json.loads(beside.read_text(encoding="utf-8"))
    assert (report["method"], report["k"], report["verdict"]) == ("polis", 2, "firm")
    assert all(sentence in result.stderr for sentence in report["sentences"])
    assert f"{beside}: how far to trust the groups" in result.stdout
    groups = tmp_path / "groups.csv"
    assert collect("groups", export, "-o", groups).exit_code == 0
    given = collect("principles", export, "--groups", groups, "--force", "-o", tmp_path / "public.toml")
    assert given.exit_code == 0 and not beside.exists()
    assert (tmp_path / "groups-stability.json").exists()


def test_a_run_file_can_name_it(export: Path, tmp_path: Path) -> None:
    assert collect("principles", export, "-o", tmp_path / "public.toml").exit_code == 0
    run_file = tmp_path / "run.toml"
    run_file.write_text('extends = "world"\n[constitution]\npath = "public.toml"\n', encoding="utf-8")
    named = load_run_config(run_file).constitution.path
    assert len(load_constitution(named).principles) == 4


def test_an_imported_folder_gives_the_same_bytes_as_its_export_in_any_order(export: Path, tmp_path: Path) -> None:
    shuffled = write_export(public(), tmp_path / "shuffled", order=np.random.default_rng(1))
    assert collect("import", export, "-o", tmp_path / "imported").exit_code == 0
    written = []
    for at, folder in enumerate((export, shuffled, tmp_path / "imported")):
        out = tmp_path / str(at) / "public.toml"
        result = collect("principles", folder, "-o", out)
        assert result.exit_code == 0, result.output
        written.append((out.read_bytes(), out.with_suffix(".trace.json").read_bytes()))
    assert written[0] == written[1] == written[2]


def test_merges_groups_and_numbers_that_somebody_gives(export: Path, tmp_path: Path) -> None:
    groups = tmp_path / "groups.csv"
    groups.write_text("participant,group\n" + "".join(f"{at},{'ab'[at >= 120]}\n" for at in range(100, 140)))
    merges = tmp_path / "m.toml"
    merges.write_text(
        'format = "solon-merges-1"\n[[merge]]\nid = "m"\ndecision = "yes"\nwording = "AI should be helpful and fair"\n'
        f'statements = [{{ id = 0, text = "{TEXTS[0]}" }}, {{ id = 4, text = "{TEXTS[4]}" }}]\n',
        encoding="utf-8",
    )
    out = tmp_path / "public.toml"
    result = collect("principles", export, "--ideas", "2", "--merges", merges, "--groups", groups, "-o", out)
    assert result.exit_code == 0, result.output
    assert len(load_constitution(out).principles) == 2
    assert "given in a table (group a: 20, group b: 20 people)" in result.stdout
    assert "Merges: 1 accepted" in result.stdout
    merges.write_text(merges.read_text(encoding="utf-8").replace("to everybody", "to nobody"), encoding="utf-8")
    result = collect("principles", export, "--merges", merges, "-o", tmp_path / "other.toml")
    assert result.exit_code == 2
    assert "m.toml:6" in result.output and "statement 0 reads" in result.output
    assert not (tmp_path / "other.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--threshold", "0.999"], "no statement reaches 0.999; the nearest is "),
        (["--minimum-votes", "30"], "no statement has 30 votes in every group"),
        (["--groups", "exported"], "names no opinion groups"),
        (["--groups", "none.csv"], "none.csv"),
        (["--merges", "none.toml"], "none.toml"),
    ],
)
def test_what_cannot_be_done_is_one_clear_error(export: Path, tmp_path: Path, arguments: list[str], said: str) -> None:
    result = collect("principles", export, *arguments, "-o", tmp_path / "public.toml")
    assert result.exit_code == 2
    assert said in result.output and "Traceback" not in result.output
    assert said.startswith("names") or "Clojure" not in result.output, "no word for people"
    assert not list(tmp_path.glob("public.*"))


def test_what_is_there_is_not_overwritten(export: Path, tmp_path: Path) -> None:
    out = tmp_path / "public.toml"
    out.write_text("mine", encoding="utf-8")
    result = collect("principles", export, "-o", out)
    assert result.exit_code == 2 and "exists already" in result.output
    assert out.read_text(encoding="utf-8") == "mine"
    result = collect("principles", export, "-o", tmp_path / "public.json")
    assert result.exit_code == 2 and "call it public.toml" in result.output
