"""The models in an exported folder: the run's own weights, and chat templates that write dialogues as the run did."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

from export.small_run import DEMONSTRATIONS, LADDER, ROSE, THEFT, small_run
from solon.errors import RunError
from solon.export.chat import chat_template
from solon.export.folder import export
from solon.export.models import POLICY, REWARD_MODEL, RunModels
from solon.export.trl import TRL
from solon.prompting.chat_template import dialogue_format
from solon.prompting.dialogue import MESSAGE_ROLES
from solon.records import Prompt, Turn
from tiny_models import END, tiny_model_folder, tiny_tokenizer


def messages(turns: tuple[Turn, ...]) -> list[dict[str, str]]:
    return [{"role": MESSAGE_ROLES[turn.role], "content": turn.text} for turn in turns]


@pytest.fixture
def out(whole_run: Path, tmp_path: Path) -> Path:
    export(TRL, whole_run, tmp_path / "out")
    return tmp_path / "out"


def test_weights_are_those_of_the_run_and_take_no_room(whole_run: Path, out: Path) -> None:
    for name, stage in {POLICY: "sl", REWARD_MODEL: "pm"}.items():
        own, handed = whole_run / f"models/{stage}/model/model.safetensors", out / name / "model.safetensors"
        assert handed.read_bytes() == own.read_bytes()
        assert handed.samefile(own)


def test_they_load_as_what_they_are(out: Path) -> None:
    AutoModelForCausalLM.from_pretrained(out / POLICY)
    model, told = AutoModelForSequenceClassification.from_pretrained(out / REWARD_MODEL, output_loading_info=True)
    assert not told["missing_keys"] and not told["unexpected_keys"]
    assert model(torch.tensor([[5, 6, 7]])).logits.shape == (1, 1)


@pytest.mark.parametrize("prompt", [THEFT, LADDER, ROSE], ids=lambda prompt: prompt.id)
def test_dialogues_are_written_as_the_run_does(out: Path, chats: bool, prompt: Prompt) -> None:
    """Both models' templates, of prompts alone and with an answer, against the run's own format."""
    format, answer = dialogue_format(tiny_tokenizer(chat_template=chats)), DEMONSTRATIONS[0].answer
    asked = messages(prompt.turns)
    for name in (POLICY, REWARD_MODEL):
        write = AutoTokenizer.from_pretrained(out / name).apply_chat_template
        assert write(asked, tokenize=False, add_generation_prompt=True) == format.prompt(prompt.turns)
        for text in (answer, f" {answer}" if not chats else answer):  # as a model of that format writes it
            whole = write([*asked, {"role": "assistant", "content": text}], tokenize=False)
            assert whole == format.prompt(prompt.turns) + format.answer(answer)


def test_a_beginning_mark_is_written_where_the_tokenizer_writes_it(tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.bos_token = END
    tokenizer.save_pretrained(tmp_path / "without")
    assert "bos_token" not in chat_template(tmp_path / "without", plain=False)
    from tokenizers.processors import TemplateProcessing

    marked = tokenizer.backend_tokenizer
    marked.post_processor = TemplateProcessing(f"{END} $A", special_tokens=[(END, tokenizer.eos_token_id)])
    tokenizer.save_pretrained(tmp_path / "with")
    found = AutoTokenizer.from_pretrained(tmp_path / "with")
    found.chat_template = chat_template(tmp_path / "with", plain=False)
    asked = found.apply_chat_template(messages(ROSE.turns), tokenize=False, add_generation_prompt=True)
    assert asked == dialogue_format(AutoTokenizer.from_pretrained(tmp_path / "with")).prompt(ROSE.turns)
    assert asked.startswith(END)


def test_a_run_that_chose_the_plain_format_is_written_so(tmp_path: Path) -> None:
    folder = tiny_model_folder(tmp_path, chat_template=True)
    assert "Human:" in chat_template(folder, plain=True)
    assert "Human:" not in chat_template(folder, plain=False)


def test_a_run_without_a_preference_model_says_so(whole_run: Path, tmp_path: Path) -> None:
    models = {"models/sl": whole_run / "models/sl/model"}
    done = export(TRL, small_run(tmp_path / "run", models=models), tmp_path / "out")
    assert done.models == (POLICY,)
    assert done.run_files == ("sft.yaml", "reward.yaml", "dpo.yaml")
    assert "no `reward-model`" in (tmp_path / "out/README.md").read_text()


def test_data_alone(whole_run: Path, tmp_path: Path) -> None:
    done = export(TRL, whole_run, tmp_path / "out", models=False)
    assert (done.models, done.run_files) == ((), ())
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"README.md", "sft.jsonl", "preference.jsonl", "prompts.jsonl"}
    assert "run files" not in (tmp_path / "out/README.md").read_text()


def changed(run: Path, tmp_path: Path, model: str, architecture: str) -> Path:
    """A run whose model of a stage says that it is of another architecture."""
    folder = tmp_path / "other"
    shutil.copytree(run / "models/pm/model", folder)
    config = json.loads((folder / "config.json").read_text()) | {"architectures": [architecture]}
    (folder / "config.json").write_text(json.dumps(config))
    return small_run(tmp_path / "run", models={"models/sl": run / "models/sl/model", model: folder})


def test_a_preference_model_that_others_cannot_score_with(whole_run: Path, tmp_path: Path) -> None:
    """They would score with a random head, and only warn."""
    run = changed(whole_run, tmp_path, "models/pm", "LlamaForCausalLM")
    with pytest.raises(RunError) as told:
        export(TRL, run, tmp_path / "out")
    assert str(told.value) == (
        f"{run}/models/pm/model/config.json: a preference model that Solon alone reads, saved as LlamaForCausalLM: "
        "others need one of a class ...ForSequenceClassification (export the data alone with --no-models, or, "
        f"if an older version made it, delete {run}/models/pm and run `solon resume {run}` to do the stage again)"
    )
    assert not (tmp_path / "out").exists()


def test_a_model_that_was_changed(whole_run: Path, tmp_path: Path) -> None:
    shutil.copytree(whole_run, tmp_path / "run")
    path = tmp_path / "run/models/sl/model/config.json"
    path.write_text(path.read_text() + " ")
    with pytest.raises(RunError, match="changed: not what stage models/sl made"):
        RunModels(tmp_path / "run")
