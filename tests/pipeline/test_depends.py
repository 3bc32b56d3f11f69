"""A run goes on only with the models it was begun with: weights, settings, tokenizer and template."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.tiny_run import manifest, run_in, world_config
from solon.artifacts.run_folder import run_config
from solon.config.run import RunConfig
from solon.errors import RunError
from solon.pipeline.inputs import RunInputs
from tiny_models import tiny_model_folder


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunConfig, Path]:
    """A run's folder, done up to the revisions; its configuration; its model."""
    folder = tmp_path_factory.mktemp("depends")
    model = tiny_model_folder(folder, chat_template=True, max_position_embeddings=2048)
    config = world_config(model)
    run_in(folder / "run", config, until="revisions")
    return folder / "run", config, model


@pytest.mark.parametrize("name", ["chat_template.jinja", "tokenizer_config.json", "config.json", "model.safetensors"])
def test_what_changed_is_named(begun: tuple[Path, RunConfig, Path], name: str) -> None:
    run, config, model = begun
    before = (model / name).read_bytes()
    (model / name).write_bytes(before[:-2] + b" " + before[-2:])
    try:
        with pytest.raises(RunError) as raised:
            run_in(run, config, until="revisions")
    finally:
        (model / name).write_bytes(before)
    what = raised.value.faults[0].what
    start = f"stage revisions was finished from other settings or inputs: inputs.assistant/{name} was "
    assert what.startswith(start) and ";" not in what and len(what) < len(start) + 40
    assert run_in(run, config, until="revisions").stages == []


def test_the_constitution_that_is_kept_is_that_of_the_stages(
    begun: tuple[Path, RunConfig, Path], tmp_path: Path
) -> None:
    """What only the judge is asked may still change after the revisions."""
    _, _, model = begun
    text = '[[principle]]\nid = "theft"\ncritique_request = "Does it steal?"\nrevision_request = "Take that out."\n'
    path, run = tmp_path / "own.toml", tmp_path / "run"
    config = world_config(model, f"constitution.path={path}")

    def write(question: str) -> None:
        path.write_text(f'{text}comparison_question = "{question}"\n')

    def kept() -> str:
        return str(json.loads((run / "constitution.json").read_bytes())["principles"][0]["comparison_question"])

    write("Which steals less?")
    run_in(run, config, until="pairs")
    write("Which is kinder?")
    run_in(run, config, until="comparisons")
    assert kept() == "Which is kinder?"
    write("Which is longer?")
    with pytest.raises(
        RunError, match=r"stage comparisons was finished from other .*inputs\.comparison_principles was"
    ):
        run_in(run, config, until="comparisons")
    assert kept() == "Which is kinder?"


def test_a_gate_depends_on_the_question_of_a_principle_that_only_critiques(
    begun: tuple[Path, RunConfig, Path], tmp_path: Path
) -> None:
    _, _, model = begun
    path = tmp_path / "own.toml"
    requests = 'critique_request = "Does it steal?"\nrevision_request = "Take that out."'
    other = '[[principle]]\nid = "other"\ncomparison_question = "Which is kinder?"'
    chosen = ("supervised.gate=true", 'constitution.critique=["theft"]', 'constitution.comparison=["other"]')

    def texts(question: str) -> dict[str, str]:
        path.write_text(f'[[principle]]\nid = "theft"\n{requests}\ncomparison_question = "{question}"\n{other}\n')
        return RunInputs(world_config(model, f"constitution.path={path}", *chosen)).gate_texts()

    before, after = texts("Which steals less?"), texts("Which is longer?")
    assert {name for name in before if before[name] != after[name]} == {"gate_questions"}


def test_a_refused_command_leaves_the_run_as_it_was(begun: tuple[Path, RunConfig, Path], tmp_path: Path) -> None:
    """Another constitution, another path to the same model: the one is refused, the other is kept."""
    run, config, model = begun
    before = {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()}
    with pytest.raises(RunError, match="stage revisions was finished from other settings or inputs"):
        run_in(run, world_config(model, "constitution.path=only-theft"), until="revisions")
    assert {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()} == before
    (tmp_path / "moved").symlink_to(model)
    assert run_in(run, moved := world_config(tmp_path / "moved"), until="revisions").stages == []
    assert run_config(run) == moved != config
    run_in(run, config, until="revisions")
    assert run_config(run) == config


def test_notes_beside_the_model_are_no_part_of_it(begun: tuple[Path, RunConfig, Path]) -> None:
    run, config, model = begun
    (model / "README.md").write_text("Trained on Tuesday.")
    assert run_in(run, config, until="revisions").stages == []


def test_the_manifest_has_every_file_by_its_own_hash(begun: tuple[Path, RunConfig, Path]) -> None:
    run, _, model = begun
    inputs = manifest(run, "revisions").inputs
    named = {name.removeprefix("assistant/") for name in inputs if name.startswith("assistant/")}
    assert named == {path.name for path in model.iterdir()} - {"README.md"}
