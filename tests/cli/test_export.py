"""`solon export`: what it prints, and what it says of each thing that is wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from cli.command import done, solon
from export.small_run import STAGES, small_run
from solon.export import files


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run called `run` in the working directory."""
    monkeypatch.chdir(tmp_path)
    return small_run(Path("run"))


def refused(*arguments: str | Path, out: Path = Path("out"), engine: str = "trl") -> str:
    """The one line on standard error; nothing may be left behind."""
    before = sorted(out.parent.rglob("*"))
    result = solon("export", engine, *arguments, "-o", out)
    assert (result.exit_code, result.stdout) == (2, "")
    assert sorted(out.parent.rglob("*")) == before
    return result.stderr.removesuffix("\n")


def test_it_says_what_it_wrote_and_left_out(run: Path) -> None:
    assert done("export", "trl", run, "-o", "out").splitlines() == [
        "out/sft.jsonl: 3 in, 3 out",
        "  cut off: 1",
        "  helpful: 1",
        "  revision-1: 1",
        "  revision-2: 1",
        "out/preference.jsonl: 6 in, 5 out",
        "  left out, unscored: no verdict: 1",
        "  harmlessness, by model (cot): 1",
        "  harmlessness, by model (logprob): 2",
        "  helpfulness, by construction (needless-refusal): 1",
        "  helpfulness, by human (mine|yours.jsonl): 1",
        "  ties: 1",
        "out/prompts.jsonl: 3 in, 3 out",
        "  benign: 2",
        "  harmful: 1",
        "models: none; run files: none",
        "what is in them and how to load them: out/README.md",
    ]


def test_as_json_it_is_one_line(run: Path) -> None:
    (line,) = done("export", "trl", run, "-o", "new/out", "--form", "standard", "--json").splitlines()
    told = json.loads(line)
    assert {key: told[key] for key in ("event", "folder", "form", "format")} == {
        "event": "export",
        "folder": "new/out",
        "form": "standard",
        "format": "jsonl",
    }
    assert told["sets"]["prompts"] == {"in": 3, "out": 3, "dropped": {}, "other": {"benign": 2, "harmful": 1}}
    assert list(told["sets"]) == ["sft", "preference", "prompts"]
    assert (told["models"], told["run_files"]) == ([], [])


def test_openrlhf_leaves_out_what_it_could_not_tell(run: Path) -> None:
    assert done("export", "openrlhf", run, "-o", "out").splitlines() == [
        "out/sft.jsonl: 3 in, 2 out",
        "  left out, cut off: 1",
        "  helpful: 1",
        "  revision-1: 1",
        "out/preference.jsonl: 6 in, 4 out",
        "  left out, tie: 1",
        "  left out, unscored: no verdict: 1",
        "  harmlessness, by model (logprob): 2",
        "  helpfulness, by construction (needless-refusal): 1",
        "  helpfulness, by human (mine|yours.jsonl): 1",
        "out/prompts.jsonl: 3 in, 3 out",
        "  benign: 2",
        "  harmful: 1",
        "models: none; run files: none",
        "what is in them and how to load them: out/README.md",
    ]


def test_verl_without_models(run: Path) -> None:
    assert done("export", "verl", run, "-o", "out", "--no-models").splitlines() == [
        "out/sft.parquet: 3 in, 2 out",
        "  left out, cut off: 1",
        "  helpful: 1",
        "  revision-1: 1",
        "out/prompts.parquet: 3 in, 3 out",
        "  benign: 2",
        "  harmful: 1",
        "what is in them and how to load them: out/README.md",
    ]


@pytest.mark.parametrize("engine", ["trl", "openrlhf", "verl"])
def test_models_and_run_files_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    """Their files are not looked into, but for the kind of the preference model."""
    monkeypatch.chdir(tmp_path)
    Path("model").mkdir()
    Path("model/config.json").write_text('{"architectures": ["LlamaForSequenceClassification"]}')
    small_run(Path("run"), models={"models/sl": Path("model"), "models/pm": Path("model")})
    told = json.loads(done("export", engine, "run", "-o", "out", "--json"))
    assert told["models"] == ["policy", "reward-model"]
    kind = "yaml" if engine == "trl" else "sh"
    names = ["sft", "rl"] if engine == "verl" else ["sft", "reward", "dpo", "rl"]
    assert told["run_files"] == [f"{name}.{kind}" for name in names]
    assert {path.stem for path in Path("out").glob(f"*.{kind}")} == set(names)


def test_no_run(run: Path) -> None:
    assert refused("nowhere") == "error: nowhere holds no run (begin one with `solon run -o nowhere`)"


@pytest.mark.parametrize("stage", STAGES)
def test_a_run_that_is_not_far_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    monkeypatch.chdir(tmp_path)
    small_run(Path("run"), without=[stage])
    assert refused("run") == (
        f"error: run: the run has not finished stage {stage} "
        f"(go on with `solon resume run`, or only so far with `solon stage {stage.removeprefix('models/')} run`)"
    )


@pytest.mark.parametrize("kind", ["folder", "empty", "file"])
def test_what_exists_is_left_alone(run: Path, kind: str) -> None:
    if kind == "file":
        Path("out").write_text("mine")
    else:
        Path("out").mkdir()
    if kind == "folder":
        Path("out/mine").write_text("mine")
    assert refused(run) == "error: out: exists already, and nothing is overwritten (name another place with -o)"


def test_a_place_that_cannot_be_written(run: Path) -> None:
    Path("file").write_text("mine")
    told = refused(run, out=Path("file/out"))
    assert told == "error: file/out: cannot be written: Not a directory (name another place with -o)"


AGAIN = "(delete run/comparisons and run `solon resume run` to do the stage again)"


def test_an_option_that_o_took_for_its_folder(run: Path) -> None:
    told = refused(run, out=Path("--json"))
    assert told == "error: -o expects a folder, got --json (for a folder of that name: -o ./--json)"


def test_a_changed_file_leaves_nothing_half_written(run: Path) -> None:
    path = run / "comparisons/rows-00001.jsonl"
    path.write_bytes(path.read_bytes().replace(b"Second", b"Third"))
    assert refused(run) == f"error: {path}: changed: not what stage comparisons made {AGAIN}"


def test_a_manifest_that_is_none(run: Path) -> None:
    (run / "comparisons/manifest.json").write_text("{}")
    assert refused(run) == (f"error: run/comparisons/manifest.json: not a manifest that this version can read {AGAIN}")


@pytest.mark.parametrize(("engine", "options"), [("trl", ["--format", "parquet"]), ("verl", [])])
def test_parquet_without_its_library(
    run: Path, monkeypatch: pytest.MonkeyPatch, engine: str, options: list[str]
) -> None:
    monkeypatch.setattr(files, "find_spec", lambda name: None)
    told = refused(run, *options, engine=engine)
    assert told == "error: Parquet needs a library that is not installed (pip install 'solon[data]')"


def test_a_run_that_goes_on_can_be_exported(run: Path) -> None:
    """A stage in progress after the last that is needed, and no lock of its own."""
    (run / "models/pm/.partial").mkdir(parents=True)
    done("export", "trl", run, "-o", "out")
    shutil.rmtree("out")
    done("export", "trl", run, "-o", "out", "--format", "parquet")
