"""The exported rows: worked by hand for a small run, and a tiny real run row by row, through `datasets`."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from datasets import Dataset

from data.examples import read_helpful
from export.small_run import DEMONSTRATIONS, GIVEN, JUDGED, LADDER, RATED, ROSE, THEFT
from pipeline.tiny_run import rows, run_in, world_config
from solon.artifacts.manifest import Counts
from solon.export.folder import export
from solon.export.sets import Form, PreferenceRow
from solon.export.trl import TRL
from solon.feedback.answers import BY_CONSTRUCTION
from solon.prompting.dialogue import MESSAGE_ROLES
from solon.records import Role
from tiny_models import tiny_model_folder

Load = Callable[[Path], Dataset]
MESSAGES = [
    {"role": "user", "content": "Are you there?"},
    {"role": "assistant", "content": "Yes."},
    {"role": "user", "content": "How do I take a bicycle that is not mine?"},
]
TEXT = "\n\nHuman: Are you there?\n\nAssistant: Yes.\n\nHuman: How do I take a bicycle that is not mine?\n\nAssistant:"


def plain(said: Any) -> str:
    """An answer of either form, without what the form adds."""
    return said.removeprefix(" ") if isinstance(said, str) else said[0]["content"]


def test_a_row_of_each_set(exported: Path, form: Form, load: Load) -> None:
    messages = form == "conversational"
    prompt = MESSAGES if messages else TEXT

    def answer(text: str) -> Any:
        return [{"role": "assistant", "content": text}] if messages else f" {text}"

    assert load(exported / "sft.jsonl")[1] == {
        "prompt": prompt,
        "completion": answer("Ask its owner: you"),
        "source": "revision-2",
        "finished": False,
        "kind": "harmful",
        "prompt_id": "harmful-1",
        "id": "d2",
        "model": None,
    }
    assert load(exported / "preference.jsonl")[1] == {
        "prompt": prompt,
        "chosen": answer("Second of c2."),
        "rejected": answer("First of c2."),
        "p_chosen": 0.9,
        "objective": "harmlessness",
        "rater": "model",
        "method": "logprob",
        "principle": "theft",
        "kind": "harmful",
        "prompt_id": "harmful-1",
        "id": "c2",
        "model_chosen": "south",
        "model_rejected": "north",
        "rater_id": None,
        "session": None,
    }
    assert load(exported / "prompts.jsonl")[0] == {"prompt": prompt, "kind": "harmful", "id": "harmful-1"}


def test_the_better_answer_is_chosen_and_a_tie_takes_the_first(exported: Path, load: Load) -> None:
    labels = {row["id"]: (plain(row["chosen"]), row["p_chosen"]) for row in load(exported / "preference.jsonl")}
    assert labels == {
        "c1": ("First of c1.", 0.7),
        "c2": ("Second of c2.", 0.9),
        "c3": ("First of c3.", 0.5),
        "h1": ("First of h1.", 1.0),
        "g1": ("First of g1.", 1.0),
    }


def test_every_row_of_the_run_is_counted(run: Path, tmp_path: Path) -> None:
    assert export(TRL, run, tmp_path / "out").accounts == {
        "sft": Counts(rows_in=3, rows_out=3, other={"cut off": 1, "helpful": 1, "revision-1": 1, "revision-2": 1}),
        "preference": Counts(
            rows_in=len(JUDGED + RATED + GIVEN),
            rows_out=5,
            dropped={"unscored: no verdict": 1},
            other={
                "harmlessness, by model (cot)": 1,
                "harmlessness, by model (logprob)": 2,
                "helpfulness, by construction (needless-refusal)": 1,
                "helpfulness, by human (mine|yours.jsonl)": 1,
                "ties": 1,
            },
        ),
        "prompts": Counts(rows_in=3, rows_out=3, other={"benign": 2, "harmful": 1}),
    }


def test_parquet_holds_the_same_rows_and_types(
    exported: Path, form: Form, run: Path, tmp_path: Path, load: Load
) -> None:
    export(TRL, run, tmp_path / "parquet", form=form, format="parquet")
    for name in ("sft", "preference", "prompts"):
        lines, table = load(exported / f"{name}.jsonl"), load(tmp_path / "parquet" / f"{name}.parquet")
        assert table.to_list() == lines.to_list()
        assert table.features == lines.features


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_equal_runs_give_equal_bytes(exported: Path, run: Path, form: Form, format: Any, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        export(TRL, run, folder, form=form, format=format)
    names = sorted(path.name for path in one.iterdir())
    assert names == ["README.md", *(f"{name}.{format}" for name in ("preference", "prompts", "sft"))]
    assert all((one / name).read_bytes() == (two / name).read_bytes() for name in names)


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_the_card_loads_what_it_describes(run: Path, format: Any, tmp_path: Path) -> None:
    export(TRL, run, tmp_path / "out", format=format)
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    loaded: dict[str, Any] = {}
    exec(code.replace("path/to/this/folder", str(tmp_path / "out")), loaded)
    assert [len(loaded[name]) for name in ("sft", "preference", "prompts")] == [3, 5, 3]
    for name in ("sft", "preference", "prompts"):
        section = card.split(f"\n## {name}\n")[1].split("\n## ")[0]
        assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == loaded[name].column_names
    assert r"| helpfulness, by human (mine\|yours.jsonl) | 1 |" in card
    advised = re.findall(r"`((?:sft|preference)\.filter\(.*?\))`", card)
    assert [len(eval(advice, loaded)) for advice in advised] == [4, 2]


@pytest.mark.parametrize("form", ["standard", "conversational"])
def test_every_label_reads_back(run: Path, tmp_path: Path, load: Load, form: Form) -> None:
    """By Solon's own reader, which knows the column of soft labels."""
    export(TRL, run, tmp_path / "out", form=form)
    exported = load(tmp_path / "out" / "preference.jsonl").to_list()
    file = read_helpful(tmp_path / "out" / "preference.jsonl")
    assert not file.dropped
    assert [prompt.turns for prompt in file.prompts] == [THEFT.turns, LADDER.turns, ROSE.turns]
    assert [(row.a, row.b) for row in file.comparisons] == [
        ("First of c1.", "Second of c1."),
        ("Second of c2.", "First of c2."),
        ("First of c3.", "Second of c3."),
        ("First of h1.", "Second of h1."),
        ("First of g1.", "Second of g1."),
    ]
    assert [row.p_a_preferred for row in file.comparisons] == [row["p_chosen"] for row in exported]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a random model in the world, up to the last stage that an export needs."""
    folder = tmp_path_factory.mktemp("real")
    run_in(folder / "run", world_config(tiny_model_folder(folder, max_position_embeddings=2048)), until="helpfulness")
    return folder / "run"


def test_a_real_run_comes_back_row_by_row(real: Path, form: Form, tmp_path: Path, load: Load) -> None:
    export(TRL, real, tmp_path / "out", form=form, models=False)
    taught = {row["id"]: row for row in load(tmp_path / "out" / "sft.jsonl").to_list()}
    made = {row["id"]: row for row in rows(real, "models/sl", "demonstrations")}
    assert len(made) == len(rows(real, "models/sl", "demonstrations"))
    assert list(taught) == list(made)
    for name, row in made.items():
        assert plain(taught[name]["completion"]) == row["answer"]
        assert {key: taught[name][key] for key in ("prompt_id", "source", "finished")} == {
            key: row[key] for key in ("prompt_id", "source", "finished")
        }

    labels = {row["id"]: row for row in load(tmp_path / "out" / "preference.jsonl").to_list()}
    judged = [*rows(real, "comparisons"), *rows(real, "helpfulness"), *rows(real, "prompts", "comparisons")]
    scored = {row["id"]: row for row in judged if row["p_a_preferred"] is not None}
    assert len(scored) == sum(row["p_a_preferred"] is not None for row in judged)
    assert list(labels) == list(scored)
    for name, row in scored.items():
        p = row["p_a_preferred"]
        better, worse = ("a", "b") if p >= 0.5 else ("b", "a")
        found = labels[name]
        assert found["p_chosen"] == (p if p >= 0.5 else 1.0 - p)
        assert (plain(found["chosen"]), plain(found["rejected"])) == (row[better], row[worse])
        assert [found[key] for key in ("prompt_id", "objective", "rater", "method", "principle")] == [
            row[key] for key in ("prompt_id", "objective", "rater", "method", "principle_id")
        ]

    asked = [row for part in ("red-team", "helpful") for row in rows(real, "prompts", f"prompts-{part}")]
    prompts = load(tmp_path / "out" / "prompts.jsonl").to_list()
    assert [(row["id"], row["kind"]) for row in prompts] == [(row["id"], row["kind"]) for row in asked]
    by_id = {row["id"]: row["prompt"] for row in prompts}
    for row in (*taught.values(), *labels.values()):
        assert row["prompt"] == by_id[row["prompt_id"]]


def test_no_prompt_held_out_for_evaluation_is_exported(real: Path, tmp_path: Path) -> None:
    export(TRL, real, tmp_path / "out", form="standard", models=False)
    held_out = {row["id"] for row in rows(real, "prompts", "evals")}
    lines = (tmp_path / "out" / "prompts.jsonl").read_text(encoding="utf-8").splitlines()
    assert held_out and not held_out & {json.loads(line)["id"] for line in lines}


@pytest.mark.parametrize("name", ["model", "human", "oracle", BY_CONSTRUCTION])
def test_the_raters_are_named_where_the_sets_are_described(name: str) -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "formats" / "trl.md"
    (described,) = re.findall(r"^\| `rater` \|(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert f"`{name}`" in described
    assert f"`{name}`" in str(PreferenceRow.model_fields["rater"].description)


@pytest.mark.parametrize("name", ["sft", "prompts"])
def test_the_sets_say_that_they_hold_what_is_too_long_for_the_model(name: str) -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "formats" / "trl.md"
    section = page.read_text(encoding="utf-8").split(f"\n## {name}\n")[1].split("\n## ")[0]
    assert "too long for the context of the run's own model are among them" in " ".join(section.split())


def test_every_role_of_a_turn_is_a_role_of_a_message() -> None:
    assert set(get_args(Role)) <= set(MESSAGE_ROLES)


def test_kinds_of_the_small_run_are_all_there() -> None:
    """The hand-worked run is no use if it stops covering what it is for."""
    assert Counter(row.finished for row in DEMONSTRATIONS) == {True: 2, False: 1}
    assert {None, 0.5} < {row.p_a_preferred for row in JUDGED}
