from __future__ import annotations

from pathlib import Path

import pytest

from config.run_files import SOUND, written
from solon.config.files import dump_toml
from solon.config.load import load_run_config
from solon.config.paths import FEW_SHOTS_FILE
from solon.config.training import RLSection


def test_the_world_is_run_unless_prompts_are_given() -> None:
    world = load_run_config("world")
    assert load_run_config() == world == load_run_config(None, [], {"prompts.source": None})
    assert (world.name, world.models.assistant.path, world.rl.learning_rate) == ("world", "embedded", 2e-4)
    own = ["models.assistant=m", "prompts.source=red.jsonl", "prompts.benign=0"]
    rl = RLSection()
    assert load_run_config(None, own).rl == rl and rl.learning_rate == 1e-6
    assert load_run_config(None, own[:1] + own[2:], {"prompts.source": "red.jsonl"}).rl == rl


def test_file_then_flags_then_set(tmp_path: Path) -> None:
    path = written(tmp_path, 'name = "file"\n[rl]\nsteps = 1\nclip = 1\n[judge]\nclamp = [0.4, 0.6]\n')
    config = load_run_config(
        path,
        [
            "rl.steps=3",
            "pairs.temperature=0.5",
            'name=say "hi"',
            "constitution.critique=['a', 'b']",
            "seed=5",
            "seed = 6",
        ],
        {"name": "flag", "rl.steps": 2, "models.device": "cpu", "models.base": None, **SOUND},
    )
    assert (config.name, config.rl.steps, config.seed) == ('say "hi"', 3, 6)
    assert (config.rl.clip, config.pairs.temperature, config.models.device) == (1.0, 0.5, "cpu")
    assert (config.judge.clamp, config.constitution.critique) == ((0.4, 0.6), ("a", "b"))


@pytest.mark.parametrize(
    ("text", "name"),
    [("007", "007"), ('"5"', "5"), ("a b = c", "a b = c"), ("", ""), ("'x'", "x"), ("1\nseed = 3", "1\nseed = 3")],
)
def test_set_values_are_toml_else_plain_text(text: str, name: str) -> None:
    config = load_run_config(None, [f"name={text}"])
    assert (config.name, config.seed) == (name, 0)


def test_a_constitution_folder_brings_its_few_shot_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("cai", "world", "bare"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "constitution.toml").touch()
    for name in ("cai", "world"):
        (tmp_path / name / FEW_SHOTS_FILE).touch()
    monkeypatch.chdir(tmp_path)

    def few_shots(*overrides: str) -> str | None:
        return load_run_config(None, overrides).constitution.few_shots

    own = str(tmp_path / "cai")
    assert few_shots("constitution.path=cai") == own  # a bare name that is not a shipped one is a path
    assert few_shots("constitution.path=bare") is None
    assert few_shots("constitution.path=world") is None
    assert few_shots("constitution.path=./world") == str(tmp_path / "world")
    assert few_shots("constitution.path=cai", "constitution.few_shots=world") == str(tmp_path / "world")
    assert few_shots("constitution.path=cai", 'constitution.few_shots=""') == ""
    config = load_run_config(None, ["constitution.path=cai"])
    assert load_run_config(written(tmp_path, dump_toml(config))) == config
