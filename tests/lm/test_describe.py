"""What `solon models check` finds unusual, one model an oddity."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solon.lm.describe import describe_model
from tiny_models import CHAT_TEMPLATE, END, tiny_model_folder, tiny_tokenizer
from zoo import zoo_folder

ALTERNATE = (
    "{% for message in messages %}{% if loop.index0 % 2 != (message['role'] == 'assistant') | int %}"
    "{{ raise_exception('take turns') }}{% endif %}{% endfor %}" + CHAT_TEMPLATE
)
NO_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no') }}{% endif %}" + CHAT_TEMPLATE
OWN_SYSTEM = "{% if messages[0]['role'] != 'system' %}<|system|>Be kind." + END + "{% endif %}" + CHAT_TEMPLATE


def described(folder: Path) -> tuple[str, ...]:
    return describe_model(folder).oddities


def rewrite(file: Path, **changed: Any) -> None:
    told = json.loads(file.read_text()) if file.is_file() else {}
    file.write_text(json.dumps({name: value for name, value in {**told, **changed}.items() if value is not None}))


def template(text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / "chat_template.jinja").write_text(text) and None


SPOILT: dict[str, tuple[Callable[[Path], None], str]] = {
    "pad": (
        lambda folder: rewrite(folder / "tokenizer_config.json", pad_token=None),
        "no padding token: token 0 fills short rows, and never counts",
    ),
    "ends": (
        lambda folder: rewrite(folder / "generation_config.json", eos_token_id=[0, 1]),
        f"2 end tokens ('{END}', '<|pad|>'): each of them ends an answer",
    ),
    "another end": (
        lambda folder: rewrite(folder / "generation_config.json", eos_token_id=1),
        f"generation_config.json ends texts with '<|pad|>', the tokenizer with '{END}': both do",
    ),
    "sampling": (
        lambda folder: rewrite(folder / "generation_config.json", do_sample=True, temperature=0.6),
        "where the run file says nothing, generation_config.json of the model decides: `temperature 0.6`",
    ),
    "greedy": (
        lambda folder: rewrite(folder / "generation_config.json", do_sample=True, top_k=1),
        "pairs: with `top_k 1` the likeliest token alone is drawn, so all answers to a prompt are the same text (set "
        "pairs.top_k = 0)",
    ),
    "context": (
        lambda folder: rewrite(folder / "tokenizer_config.json", model_max_length=512),
        "the tokenizer takes texts of at most 512 tokens, config.json 1,024: the latter holds",
    ),
    "turns": (template(ALTERNATE), "the chat template demands that human and assistant take turns: in a run they do"),
    "system": (
        template(NO_SYSTEM),
        "the chat template has no place for a system turn; it begins the first human turn",
    ),
    "own system": (
        template(OWN_SYSTEM),
        "the chat template has a system turn of its own ('Be kind.'); to replace it, set models.system",
    ),
}


@pytest.mark.parametrize("name", SPOILT)
def test_an_oddity_is_told_and_a_plain_model_has_none_of_it(tmp_path: Path, name: str) -> None:
    folder, (spoil, told) = tiny_model_folder(tmp_path, chat_template=True), SPOILT[name]
    assert told not in described(folder)
    spoil(folder)
    assert told in described(folder)


def test_what_a_model_is_by_nature(tmp_path: Path) -> None:
    assert described(tiny_model_folder(tmp_path)) == (
        *(("the files keep float32; this machine computes in bfloat16",) if bfloat16(tmp_path) else ()),
        "input and output embeddings are one matrix: training moves both",
        "no chat template: dialogues are written as Human/Assistant",
        "a system turn stands before the first human turn, without a delimiter",
        "the options (A) and (B) both begin with ' (': they are told apart by what follows",
    )
    spare = "the vocabulary has 8 places that the tokenizer does not know: a run never writes them"
    assert spare in described(zoo_folder(tmp_path, "llama"))
    assert "1 of 2 layers see a window of 8 tokens alone" in described(zoo_folder(tmp_path, "gemma3"))
    assert "2 of 2 layers see a window of 8 tokens alone" in described(zoo_folder(tmp_path, "mistral"))


def bfloat16(folder: Path) -> bool:
    return describe_model(folder / "llama").computed == "bfloat16"


def test_the_rest_of_what_is_told(tmp_path: Path) -> None:
    folder = tiny_model_folder(tmp_path, chat_template=True)
    report = describe_model(folder)
    assert report.stored == {"float32": 32_928}
    assert (report.special, report.stop) == ({"eos": f"'{END}'", "pad": "'<|pad|>'"}, (END,))
    assert report.example.startswith("<|user|>How do I prune a rose?") and report.example.endswith(END)
    assert len(tiny_tokenizer()) == report.summary.vocabulary
    assert {stage for stage, memory in report.memory.items() if memory.total > report.machine.memory} == set()
