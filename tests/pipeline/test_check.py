"""A run that would fail at a model's turn does not begin: whatever can be known without its weights is told first."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from pipeline.tiny_run import world_config
from solon.errors import UserError
from solon.pipeline.check import check_inputs
from solon.prompting import chat_template
from solon.prompting.layout import Layout, find_layout
from tiny_models import CHAT_TEMPLATE, tiny_model_folder

ROLES = ("assistant", "base", "judge")
Spoil = Callable[[Path], object]
ONE_TURN = "{% if messages | length > 1 %}{{ raise_exception('one turn, please') }}{% endif %}" + CHAT_TEMPLATE


def told(folder: Path, role: str, sound: Path, *settings: str) -> list[str]:
    with pytest.raises(UserError) as raised:
        check_inputs(world_config(sound, f"models.{role}={folder}", *settings))
    return [str(fault).removeprefix(str(folder)) for fault in raised.value.faults]


def cut_off(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])


def one_more_layer(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))


def no_tokenizer_json(folder: Path) -> None:
    (folder / "tokenizer.json").write_text('{"version": "1.0", "added_tokens": [], "model": {"type": "None"}}')


def no_template(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text("{% for %}")


FAULTS: dict[str, tuple[Spoil, str]] = {
    "cut off": (cut_off, "/model.safetensors: is cut off or damaged: "),
    "config": (one_more_layer, ": config.json asks for 9 missing weights "),
    "tokenizer": (no_tokenizer_json, ": its tokenizer cannot be loaded: data did not match any variant"),
    "template": (no_template, ": the tokenizer's chat template cannot write a dialogue: Expected an expression"),
}


def test_a_tracker_without_its_library_is_told_before_the_run(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solon.train.tracking.find_spec", lambda _: None)
    assert told(llama, "base", llama, 'tracking.to=["wandb"]') == [
        "tracking.to names wandb, a library that is missing (pip install 'solon[tracking]')"
    ]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_model_is_told_before_the_run_begins(llama: Path, tmp_path: Path, role: str, fault: str) -> None:
    spoil, expected = FAULTS[fault]
    folder = tiny_model_folder(tmp_path, chat_template=True)
    check_inputs(world_config(llama, f"models.{role}={folder}"))
    spoil(folder)
    (only,) = told(folder, role, llama)
    assert only.startswith(expected)


def test_a_sampler_of_rl_without_its_library_is_told_before_the_run(
    llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solon.lm.engines.find_spec", lambda _: None)
    with pytest.raises(UserError) as raised:
        check_inputs(world_config(llama, "rl.sampler=vllm"))
    assert str(raised.value) == "the engine vllm needs vllm, which is missing (pip install 'solon[vllm]')"
    check_inputs(world_config(llama, "rl.sampler=vllm", "alignment=dpo"))


def test_a_faulty_template_and_a_faulty_constitution_are_told_together(llama: Path, tmp_path: Path) -> None:
    folder = tiny_model_folder(tmp_path, chat_template=True)
    no_template(folder)
    lines = told(folder, "judge", llama, "constitution.path=nowhere.toml")
    assert [line.partition(": ")[2].split()[0] for line in lines] == ["there", "the"]


def test_how_a_role_is_written_to_is_found_out_once(
    llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[None] = []

    def counted(*given: Any) -> Layout:
        found.append(None)
        return find_layout(*given)

    monkeypatch.setattr(chat_template, "find_layout", counted)
    check_inputs(world_config(tiny_model_folder(tmp_path, chat_template=True)))
    assert len(found) == len(ROLES)


def test_faults_of_several_models_come_together_and_once(llama: Path, tmp_path: Path) -> None:
    one, two = tiny_model_folder(tmp_path / "one"), tiny_model_folder(tmp_path / "two")
    cut_off(one)
    no_tokenizer_json(two)
    lines = told(two, "judge", llama, f"models.base={one}", f"models.assistant={one}")
    assert len(lines) == 2 and "cut off" in lines[0] and "its tokenizer" in lines[1]


def test_a_template_is_asked_for_dialogues_of_several_turns(llama: Path, tmp_path: Path) -> None:
    folder = tiny_model_folder(tmp_path, chat_template=True)
    (folder / "chat_template.jinja").write_text(ONE_TURN)
    for role in ROLES:
        (only,) = told(folder, role, llama)
        assert only.startswith(": the tokenizer's chat template cannot write a dialogue: one turn, please")


SHOT = [{"role": "human", "text": "Is moss a plant?"}]
CRITIQUED = dict.fromkeys(
    ("answer", "critique_request", "critique", "revision_request", "revision"), "Moss is a plant."
)
COMPARED = {"turns": SHOT, "better": "Yes, a small one.", "worse": "No."}
REASONED = {"turns": SHOT, "first": "Yes.", "second": "No.", "rationale": "It has leaves.", "answer": "A"}
EXAMPLES = {"critique": [{"turns": SHOT} | CRITIQUED], "comparison": [COMPARED] * 2, "reasoning": [REASONED] * 2}
LONG = "{% if messages | length > 8 %}{{ raise_exception('eight turns at most') }}{% endif %}"
FOUR = "{% if messages | length > 4 %}{{ raise_exception('four turns at most') }}{% endif %}"
TOLD = "{% if messages[0].role == 'system' and messages | length > 2 %}{{ raise_exception('no more') }}{% endif %}"
COT = "judge.method=cot"


@pytest.mark.parametrize(
    ("role", "refuses", "settings", "shown"),
    [
        ("assistant", LONG, ("supervised.ask=turns",), "critique"),
        ("judge", FOUR, (), "comparison"),
        ("judge", FOUR, (COT,), "reasoning"),
        ("assistant", TOLD, (), ""),
        ("base", TOLD, (), ""),
    ],
)
def test_what_a_role_will_be_asked_is_tried_with_the_runs_own_examples_and_with_a_system_turn(
    llama: Path, tmp_path: Path, role: str, refuses: str, settings: tuple[str, ...], shown: str
) -> None:
    folder = tiny_model_folder(tmp_path, chat_template=True)
    (folder / "chat_template.jinja").write_text(refuses + CHAT_TEMPLATE)
    if shown:
        check_inputs(world_config(llama, f"models.{role}={folder}", *settings))
        (tmp_path / "few_shots.json").write_text(json.dumps({shown: EXAMPLES[shown]}))
        settings = (*settings, f"constitution.few_shots={tmp_path}")
    (only,) = told(folder, role, llama, *settings)
    assert only.startswith(": the tokenizer's chat template cannot write a dialogue: ")


@pytest.mark.parametrize(
    ("role", "shown", "settings", "room"),
    [("assistant", "critique", (), 1014), ("judge", "comparison", (), 1016), ("judge", "reasoning", (COT,), 1014)],
)
def test_examples_that_do_not_all_fit_the_context_are_told(
    llama: Path, tmp_path: Path, role: str, shown: str, settings: tuple[str, ...], room: int
) -> None:
    """They are no fault: each row gets as many as fit."""
    folder, notes = tiny_model_folder(tmp_path), list[str]()
    (tmp_path / "few_shots.json").write_text(json.dumps({shown: EXAMPLES[shown] * 30}))
    examples = f"constitution.few_shots={tmp_path}"
    check_inputs(world_config(llama, f"models.{role}={folder}", *settings, examples), notes.append)
    (note,) = [note for note in notes if "few-shot" in note]
    assert re.fullmatch(
        rf"{role}: \d{{4,5}} tokens with all few-shot examples; of each row as many as {room} hold", note
    )


def test_a_context_that_no_dialogue_fits_is_a_fault(llama: Path, tmp_path: Path) -> None:
    folder = tiny_model_folder(tmp_path)
    lines = told(folder, "assistant", llama, "sampling.revisions.max_new_tokens=1010")
    hint = "(lower max_new_tokens, or take a model with a longer context)"
    assert re.fullmatch(rf": a short dialogue is \d+ tokens long, and there is room for 14 {re.escape(hint)}", lines[0])


def test_a_judge_that_cannot_write_its_options_apart(llama: Path, tmp_path: Path) -> None:
    folder = tiny_model_folder(tmp_path)
    words = Tokenizer(models.WordLevel({"<unk>": 0, "rose": 1}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>", eos_token="<unk>").save_pretrained(folder)
    hint = "(set models.judge to a model whose vocabulary has both letters)"
    assert told(folder, "judge", llama) == [f": the judge's tokenizer writes (A) and (B) alike {hint}"]
    check_inputs(world_config(llama, f"models.base={folder}"))


def test_a_model_that_would_always_answer_alike_is_told_with_what_to_set(llama: Path, tmp_path: Path) -> None:
    """By its own settings: that no two answers would differ is known before the first is written."""
    folder = tiny_model_folder(tmp_path)
    asked = {"do_sample": True, "temperature": 1e-6, "top_k": 1}
    (folder / "generation_config.json").write_text(json.dumps(asked))
    so = "the likeliest token alone is drawn, so all answers to a prompt are the same text"
    pairs = f"pairs: with `temperature 1e-06`, `top_k 1` {so} (set pairs.temperature = 1 and pairs.top_k = 0)"
    assert told(folder, "base", llama) == [pairs]
    answers = f"sampling.answers: with `top_k 1` {so} (set sampling.answers.top_k = 0)"
    more = ("sft.helpful_per_prompt=2", "sampling.temperature=0.5", "pairs.top_k=0")
    assert told(folder, "assistant", llama, *more) == [answers]
    reasons = (
        f"sampling.reasoning: with `temperature 1e-06`, `top_k 1` {so} (set sampling.reasoning.temperature = 1 and "
    )
    [told_so] = told(folder, "judge", llama, "judge.method=cot", "judge.rationales=2")
    assert told_so == f"{reasons}sampling.reasoning.top_k = 0)"
    check_inputs(world_config(llama, f"models.base={folder}", "pairs.temperature=1", "pairs.top_k=0"))
    (folder / "generation_config.json").write_text(json.dumps(asked | {"do_sample": False}))
    check_inputs(world_config(llama, f"models.base={folder}"))
