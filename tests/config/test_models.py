from __future__ import annotations

from pathlib import Path
from typing import get_args

from config.run_files import told, written
from solon.config.engines import ENGINES
from solon.config.files import dump_toml
from solon.config.load import load_run_config
from solon.config.models import ModelRole, ModelSection
from solon.config.rules import contradictions


def test_a_role_has_a_model_an_engine_and_a_way_to_be_written_to(tmp_path: Path) -> None:
    text = """extends = "world"
[models]
system = "Be brief."
dialogue = "chat-template"
base = "./base"
[models.assistant]
path = "./big"
dialogue = "human-assistant"
[models.judge]
system = ""
"""
    models = load_run_config(written(tmp_path, text)).models
    assistant, base, judge = (models.role(role) for role in get_args(ModelRole))
    big, small = str(tmp_path / "big"), str(tmp_path / "base")
    assert assistant == ModelSection(path=big, engine="local", dialogue="human-assistant", system="Be brief.")
    assert base == ModelSection(path=small, engine="local", dialogue="chat-template", system="Be brief.")
    assert judge == ModelSection(path=big, engine="local", dialogue="human-assistant", system="")
    again = load_run_config(written(tmp_path, text), ["models.judge=other", "models.base={path='b', system='x'}"])
    assert again.models.judge == ModelSection(path="other", system="")
    assert again.models.base == ModelSection(path="b", system="x")


def test_an_engine_belongs_to_a_model(tmp_path: Path) -> None:
    (line,) = told(None, ["models.assistant.engine=locla"])
    assert line.startswith('--set models.assistant.engine=locla: models.assistant.engine is "locla"; expected "')
    assert all(f'"{name}"' in line for name in ENGINES) and line.endswith("(did you mean `local`?)")
    for name in ENGINES:  # also the one that a model is run by unless another is named
        (line,) = told("world", [f"models.judge.engine={name}", "models.assistant.engine=faulty"])
        assert "models.judge.engine is set, but the assistant's model plays this role (set models.judge.path" in line
    config = load_run_config("world", ["models.assistant.engine=faulty"])
    assert load_run_config(written(tmp_path, dump_toml(config))) == config
    models = config.models.model_copy(update={"judge": ModelSection.model_construct(engine="remote", path="")})
    (found,) = contradictions(config.model_copy(update={"models": models}))
    what = "models.judge.engine is set, but the assistant's model plays this role"
    assert (found.keys[0], found.what) == ("models.judge.engine", what)


def test_settings_of_vllm_belong_to_its_engine() -> None:
    (line,) = told("world", ["models.assistant.vllm.max_model_len=99"])
    what = "models.assistant.vllm is set, but models.assistant.engine is not"
    assert line.endswith(f'{what} (set it to "vllm", or remove the section)')
    config = load_run_config("world", ["models.assistant.engine=vllm", "models.assistant.vllm.max_model_len=99"])
    assert all(
        config.models.role(role).engine_settings() == {"vllm": {"max_model_len": 99}} for role in get_args(ModelRole)
    )
    plain = load_run_config("world", ["models.assistant.engine=vllm", "models.assistant.vllm.enforce_eager=true"])
    assert plain.models.role("judge").engine_settings() == {"vllm": {"max_model_len": None}}
    assert load_run_config("world").models.assistant.engine_settings() == {}
