"""A saved preference model is what transformers calls sequence classification, and TRL a reward model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer, GPT2Config, GPT2LMHeadModel

import zoo
from solon.errors import ModelError
from solon.models.classifier import NEW_PAD, scoring_tokenizer
from solon.models.heads import PreferenceModel
from solon.models.load import load_tokenizer, save_model
from solon.prompting.chat_template import dialogue_format
from solon.records import Turn
from solon.train.preference import scores, sequence_tokens
from tiny_models import END, FAMILIES, PAD, Family, tiny_model, tiny_model_folder, tiny_tokenizer

ALONE = {
    *("cohere2", "falcon_h1", "bamba", "granite", "granitemoehybrid", "lfm2", "llama4_text", "nemotron_h"),
    *("mamba", "falcon_mamba", "mamba2", "recurrent_gemma", "rwkv", "xlstm"),
}
"""Kinds of the zoo that transformers cannot classify sequences with."""
PROMPT = "\n\nHuman: Give the ladder back.\n\nAssistant:"
ANSWERS = (" Ring the bell first.", " No.", " Throw it over the fence, and then go home by another way.")


def load(folder: Path) -> PreferenceModel:
    return PreferenceModel.load(folder, dtype=torch.float32, device="cpu")


def in_transformers(folder: Path, *batches: list[str]) -> list[float]:
    """As TRL's online trainers call a reward model that they are given by its folder; each batch is padded."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=1, dtype=torch.float32)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    model.config.get_text_config().pad_token_id = tokenizer.pad_token_id
    found: list[float] = []
    for texts in batches:
        read = tokenizer(text=texts, return_tensors="pt", padding=True, padding_side="right", add_special_tokens=False)
        with torch.no_grad():
            found += model.eval()(**read).logits[:, 0].tolist()
    return found


@pytest.mark.parametrize("kind", zoo.KINDS)
def test_transformers_scores_what_solon_scores(kind: str, tmp_path: Path) -> None:
    """To 1e-4 in float32, alone and in a padded batch; what has no such class is Solon's alone, and loads too."""
    model, tokenizer = PreferenceModel(zoo.zoo_model(zoo.KINDS[kind]), seed=3).eval(), tiny_tokenizer()
    standard = model.save(tmp_path / "pm", tokenizer)
    assert standard == (kind not in ALONE)
    texts = [f"{PROMPT}{answer}{END}" for answer in ANSWERS]
    own = scores(model, [tokenizer.encode(text) for text in texts], pad_id=1)
    if standard:
        got = in_transformers(tmp_path / "pm", texts, texts[:1])
        assert got == pytest.approx([*own, own[0]], abs=1e-4, rel=1e-4)
    assert scores(load(tmp_path / "pm"), [tokenizer.encode(text) for text in texts], pad_id=1) == own


def gpt2() -> GPT2LMHeadModel:
    """As wide as its tokenizer, which has no token to pad with but the end mark."""
    torch.manual_seed(0)
    shape = {"n_positions": 128, "n_embd": 16, "n_layer": 1, "n_head": 2, "vocab_size": len(tiny_tokenizer())}
    return GPT2LMHeadModel(GPT2Config(**shape, initializer_range=0.2)).eval()


@pytest.mark.parametrize(("pad", "chosen"), [(END, "<|begin|>"), (None, "<|begin|>"), (PAD, PAD)])
def test_what_pads_never_ends_an_answer(pad: str | None, chosen: str) -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.add_special_tokens({"bos_token": "<|begin|>"})
    tokenizer.pad_token, tokenizer.padding_side = pad, "left"
    padding = scoring_tokenizer(tokenizer)
    assert (padding.pad_token, padding.padding_side) == (chosen, "right")
    assert (tokenizer.pad_token, tokenizer.padding_side) == (pad, "left"), "the model's own stays as it was"
    assert scoring_tokenizer(tokenizer, chosen).pad_token != chosen, "another mark ends answers"


@pytest.mark.parametrize("behind", ["", "\n", "\n<|pad|>\n\n"])
def test_a_chat_template_ends_where_the_score_is_read_and_says_else_what_it_did(behind: str) -> None:
    tokenizer = tiny_tokenizer(chat_template=True)
    tokenizer.chat_template = tokenizer.chat_template.replace("{% endfor %}", "\n{% endfor %}") + (
        "{% if not add_generation_prompt %}" + behind + "{% endif %}"
    )
    scored = scoring_tokenizer(tokenizer)
    turns = [{"role": role, "content": f"{role} says"} for role in ("user", "assistant", "user", "assistant")]
    for asked, begun in ((turns, False), (turns[:3], True), (turns[:2], False)):
        before, after = (
            one.apply_chat_template(asked, tokenize=False, add_generation_prompt=begun) for one in (tokenizer, scored)
        )
        assert after == (before if begun else before[: before.rindex(END) + len(END)])
    for one, other in ((dialogue_format(tokenizer), dialogue_format(scored)),):
        human = Turn(role="human", text="Hello?")
        assert one.prompt([human]) == other.prompt([human]) and one.answer("Yes.") == other.answer("Yes.")


def test_a_model_whose_only_token_to_pad_with_is_the_end_mark_gets_another(tmp_path: Path) -> None:
    """As GPT-2 has it: padded with the end mark, a score would be read before it."""
    tokenizer, model = tiny_tokenizer(), PreferenceModel(gpt2(), seed=1).eval()
    tokenizer.pad_token = END
    places = model.backbone.get_input_embeddings().weight.shape[0]
    assert model.save(tmp_path / "pm", tokenizer)
    assert model.backbone.get_input_embeddings().weight.shape[0] == places == model.backbone.config.vocab_size
    assert load_tokenizer(tmp_path / "pm").pad_token == NEW_PAD
    texts = [f"{PROMPT}{answer}{END}" for answer in ANSWERS]
    own = scores(model, [tokenizer.encode(text) for text in texts], pad_id=0)
    assert in_transformers(tmp_path / "pm", texts) == pytest.approx(own, abs=1e-4)
    assert scores(load(tmp_path / "pm"), [tokenizer.encode(text) for text in texts], pad_id=0) == own


def test_scores_in_bfloat16_differ_by_its_rounding_alone(tmp_path: Path) -> None:
    model, tokenizer = PreferenceModel(tiny_model(), seed=3).eval(), tiny_tokenizer()
    model.save(tmp_path / "pm", tokenizer)
    whole: Any = AutoModelForSequenceClassification.from_pretrained(tmp_path / "pm", dtype=torch.bfloat16)
    read = tokenizer([f"{PROMPT}{answer}{END}" for answer in ANSWERS], return_tensors="pt", padding=True)
    with torch.no_grad():
        own = model(read.input_ids, read.attention_mask.bool())
        assert torch.allclose(whole(**read).logits[:, 0].float(), own, atol=0.1, rtol=0.05)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_earlier_versions_wrote_scores_as_it_did(family: Family, tmp_path: Path) -> None:
    """A whole language model, with the head beside it, which had a bias."""
    model = PreferenceModel(tiny_model(family), seed=2).eval()
    save_model(tiny_model(family), tiny_tokenizer(), tmp_path)
    save_file({"weight": model.head.weight.detach(), "bias": torch.tensor([0.25])}, tmp_path / "score.safetensors")
    card = {"kind": "preference", "width": model.head.weight.shape[1]}
    (tmp_path / "score.json").write_text(json.dumps(card))
    rows = [tiny_tokenizer().encode(f"{PROMPT}{answer}{END}") for answer in ANSWERS]
    assert scores(load(tmp_path), rows, pad_id=1) == pytest.approx(
        [score + 0.25 for score in scores(model, rows, pad_id=1)], abs=1e-6
    )


def test_what_is_no_preference_model_is_refused(tmp_path: Path) -> None:
    hint = "(give a folder that a run's preference stage wrote)"
    plain = tiny_model_folder(tmp_path)
    with pytest.raises(ModelError) as raised:
        load(plain)
    assert str(raised.value) == f"{plain}: holds LlamaForCausalLM, not a preference model {hint}"
    two = AutoModelForSequenceClassification.from_pretrained(plain, num_labels=2, ignore_mismatched_sizes=True)
    two.save_pretrained(plain)
    with pytest.raises(ModelError) as raised:
        load(plain)
    assert str(raised.value) == f"{plain}: holds a classifier of 2 classes, needed: one score {hint}"


def test_a_head_that_does_not_fit_its_card_is_refused(tmp_path: Path) -> None:
    folder = zoo.zoo_folder(tmp_path, "mamba")
    PreferenceModel(zoo.zoo_model(zoo.KINDS["mamba"])).save(folder, tiny_tokenizer())
    for card, fault in (
        ({"kind": "preference", "width": 33}, r"score\.safetensors: holds a head of width 32, needed: 33$"),
        ({"kind": "value", "width": 32}, r"no readable score\.json and score\.safetensors"),
    ):
        (folder / "score.json").write_text(json.dumps(card))
        with pytest.raises(ModelError, match=fault):
            load(folder)


@pytest.mark.filterwarnings("ignore:.*will be removed in v6:FutureWarning")
@pytest.mark.parametrize("chat_template", [True, False])
def test_trl_rewards_an_answer_with_the_score_that_solon_gives_it(chat_template: bool, tmp_path: Path) -> None:
    """By a step of its trainer, which is given the folder."""
    trl, datasets = pytest.importorskip("trl"), pytest.importorskip("datasets")
    policy = tiny_model_folder(tmp_path, chat_template=chat_template)
    tokenizer = tiny_tokenizer(chat_template=chat_template)
    PreferenceModel(tiny_model(seed=5), seed=3).save(tmp_path / "pm", tokenizer)
    seen: list[tuple[str, float]] = []

    class Trainer(trl.GRPOTrainer):  # type: ignore[misc]
        def _calculate_rewards(self, inputs: Any, prompts: Any, completions: Any, *rest: Any) -> Any:
            found = super()._calculate_rewards(inputs, prompts, completions, *rest)
            answers = [one if isinstance(one, str) else one[0]["content"] for one in completions]
            seen.extend(zip(answers, found[:, 0].tolist(), strict=True))
            return found

    asked = [{"role": "user", "content": "Hello?"}]
    args = trl.GRPOConfig(
        output_dir=str(tmp_path / "out"),
        max_steps=1,
        per_device_train_batch_size=4,
        num_generations=4,
        max_completion_length=6,
        use_cpu=True,
        bf16=False,
        report_to="none",
        save_strategy="no",
    )
    rows = datasets.Dataset.from_list([{"prompt": asked if chat_template else PROMPT}] * 4)
    Trainer(model=str(policy), reward_funcs=str(tmp_path / "pm"), args=args, train_dataset=rows).train()
    prompt = "<|user|>Hello?<|end|><|assistant|>" if chat_template else PROMPT
    model, end = load(tmp_path / "pm"), END if chat_template else ""
    for answer, score in seen:
        own = scores(model, [sequence_tokens(tokenizer, prompt, answer + end)], pad_id=1)
        assert score == pytest.approx(own[0], abs=1e-4)
    assert len({score for _, score in seen}) > 1
