"""Models that no run can use: one line each, from their files alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken
from torch._subclasses.fake_tensor import FakeTensor
from transformers import BertConfig, BertForMaskedLM, PreTrainedModel, T5Config, T5ForConditionalGeneration

from solon.errors import ModelError
from solon.lm.check import check_model
from solon.models.load import load_model
from solon.models.outline import load_outline
from solon.prompting.chat_template import dialogue_format
from solon.records import Turn
from tiny_models import CHAT_TEMPLATE, tiny_tokenizer
from zoo import zoo_folder

LEFT_TO_RIGHT = "(give a model that writes texts from left to right, e.g. of the Llama, Qwen or Gemma families)"
SAME_PLACE = "(copy config.json and weights from the same place)"
AGAIN = "(copy it again from where it came from)"
ROOM = "(see max_position_embeddings in config.json and model_max_length in tokenizer_config.json)"
FILES = "(check the folder's files)"
FULL_PRECISION = "(give the model it was made from, in bfloat16 or float32: what is quantized cannot be trained)"

Change = Callable[[Path], object]


def config(**changes: Any) -> Change:
    """Other values in config.json."""
    return _json("config.json", changes)


def tokenizer(**changes: Any) -> Change:
    """Other values in tokenizer.json."""
    return _json("tokenizer.json", changes)


def tokenizer_settings(**changes: Any) -> Change:
    return _json("tokenizer_config.json", changes)


def generation(**settings: Any) -> Change:
    """A generation_config.json."""
    return lambda folder: (folder / "generation_config.json").write_text(json.dumps(settings))


def both(*changes: Change) -> Change:
    return lambda folder: [change(folder) for change in changes]


def _json(name: str, changes: dict[str, Any]) -> Change:
    def change(folder: Path) -> None:
        file = folder / name
        file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))

    return change


def weights(change: Callable[[dict[str, Any]], object]) -> Change:
    """Other tensors."""

    def changed(folder: Path) -> None:
        tensors = load_file(folder / "model.safetensors")
        change(tensors)
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})

    return changed


def other_model(model: PreTrainedModel) -> Change:
    def change(folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        model.save_pretrained(folder)

    return change


def bert() -> PreTrainedModel:
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    return BertForMaskedLM(BertConfig(vocab_size=392, **shape))


def t5() -> PreTrainedModel:
    return T5ForConditionalGeneration(T5Config(vocab_size=392, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2))


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def more_tokens(folder: Path) -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens([f"extra_{number}" for number in range(10)])
    tokenizer.save_pretrained(folder)


def truncated(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def silent_template(folder: Path) -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = "{% for message in messages %}{{ message['role'] }}{% endfor %}"
    tokenizer.save_pretrained(folder)


REFUSED: dict[str, tuple[Change, str]] = {
    "bert": (other_model(bert()), f"llama: bert is no causal language model {LEFT_TO_RIGHT}"),
    "t5": (other_model(t5()), f"llama: t5 is no causal language model {LEFT_TO_RIGHT}"),
    "clip": (config(model_type="clip"), f"llama: clip is no causal language model {LEFT_TO_RIGHT}"),
    "an embedding model of a causal family": (
        config(model_type="gemma3_text", use_bidirectional_attention=True),
        f"llama: gemma3_text is no causal language model {LEFT_TO_RIGHT}",
    ),
    **{
        method: (
            config(quantization_config={"quant_method": method, "bits": 4}),
            f"llama/config.json: the weights are quantized ({method}) {FULL_PRECISION}",
        )
        for method in ("awq", "gptq", "fp8", "bitsandbytes")
    },
    "quantized within a composite": (
        config(text_config={"quantization_config": {"bits": 8}}),
        f"llama/config.json: the weights are quantized (by a method without a name) {FULL_PRECISION}",
    ),
    "pickles": (
        pickled,
        "llama: weights only as pickles (pytorch_model.bin) (a pickle can run any code when opened; convert it where "
        "you trust it: AutoModelForCausalLM.from_pretrained(old).save_pretrained(new))",
    ),
    "tokenizer too large": (
        more_tokens,
        "llama: the tokenizer knows 2 tokens too many ('extra_8', 'extra_9'): the model has 392 embeddings (copy "
        "the model's own tokenizer, or resize the model: model.resize_token_embeddings(len(tokenizer)))",
    ),
    "a number as text": (
        config(hidden_size="32"),
        "llama/config.json: describes no model that can be built: Validation error for field 'hidden_size': TypeError: "
        f"Field 'hidden_size' expected int, got str (value: '32') {AGAIN}",
    ),
    "no heads": (
        config(num_attention_heads=0),
        "llama/config.json: describes no model that can be built: ZeroDivisionError: integer modulo by zero " + AGAIN,
    ),
    "an unknown activation": (
        config(hidden_act="sigh"),
        f"llama/config.json: describes no model that can be built: KeyError: 'sigh' {AGAIN}",
    ),
    "a missing weight": (
        weights(lambda tensors: tensors.pop("model.norm.weight")),
        f"llama: config.json asks for 1 missing weights (model.norm.weight) {SAME_PLACE}",
    ),
    "more layers than weights": (
        config(num_hidden_layers=3),
        "llama: config.json asks for 9 missing weights (model.layers.2.input_layernorm.weight, "
        f"model.layers.2.mlp.down_proj.weight, model.layers.2.mlp.gate_proj.weight) {SAME_PLACE}",
    ),
    "fewer layers than weights": (
        config(num_hidden_layers=1),
        "llama: config.json has too few layers for 9 weights (model.layers.1.input_layernorm.weight, "
        f"model.layers.1.mlp.down_proj.weight, model.layers.1.mlp.gate_proj.weight) {SAME_PLACE}",
    ),
    "another width": (
        config(intermediate_size=48),
        "llama: model.layers.0.mlp.down_proj.weight is 32 x 32, but config.json asks for 32 x 48 (6 such weights) "
        + SAME_PLACE,
    ),
    "an adapter beside the weights": (
        lambda folder: (folder / "adapter_config.json").write_text("{}"),
        "llama: holds an adapter (LoRA), not a whole model (merge it into its model where it was trained: "
        "merge_and_unload(), then save_pretrained(new))",
    ),
    "an impossible generation config": (
        lambda folder: (folder / "generation_config.json").write_text('{"max_new_tokens": 0}'),
        "llama/generation_config.json: cannot be read: `max_new_tokens` must be greater than 0, but is 0. " + AGAIN,
    ),
    "truncated weights": (
        truncated,
        "llama/model.safetensors: is cut off or damaged: Error while deserializing header: incomplete metadata, file "
        f"not fully covered {AGAIN}",
    ),
    "a template that leaves out what is said": (
        silent_template,
        'llama: the tokenizer\'s chat template leaves out what is said (set models.dialogue = "human-assistant")',
    ),
    "a normalizer that cannot be read": (
        tokenizer(normalizer={"type": "Precompiled", "precompiled_charsmap": "AAAA"}),
        'llama: its tokenizer cannot be loaded: Precompiled: Error("Cannot parse precompiled_charsmap", line: 0, '
        f"column: 0) {FILES}",
    ),
    "a pre-tokenizer that panics": (
        tokenizer(pre_tokenizer={"type": "FixedLength", "length": 0}),
        f"llama: its tokenizer cannot encode text: chunk size must be non-zero {FILES}",
    ),
    "a normalizer that panics": (
        tokenizer(normalizer={"type": "Prepend", "prepend": ""}),
        f"llama: its tokenizer cannot encode text: index out of bounds: the len is 6 but the index is 6 {FILES}",
    ),
    "characters that have no token": (
        tokenizer(model={"type": "Unigram", "unk_id": None, "vocab": [["<|end|>", 0.0], ["<|pad|>", 0.0]]}),
        "llama: its tokenizer cannot encode text: Encountered an unknown token but `unk_id` is missing " + FILES,
    ),
    "words that have no token": (
        tokenizer(model={"type": "WordLevel", "vocab": {"<|end|>": 0, "<|pad|>": 1}, "unk_token": "<none>"}),
        "llama: its tokenizer cannot encode text: WordLevel error: Missing [UNK] token from the vocabulary " + FILES,
    ),
    **{
        f"an end of texts that is {ends}": (
            generation(eos_token_id=ends),
            f"llama/generation_config.json: eos_token_id is {ends}; expected a token's number, or a list of them "
            + AGAIN,
        )
        for ends in ([[1]], {}, 1.5, [None, {}])
    },
    **{
        f"an empty {mark}": (
            tokenizer_settings(**{mark: ""}),
            f"llama: the tokenizer's {mark} is empty (name a token of the vocabulary in tokenizer_config.json, or "
            "leave it out)",
        )
        for mark in ("eos_token", "pad_token", "unk_token", "bos_token")
    },
    **{
        f"a tokenizer's longest text of {longest!r}": (
            tokenizer_settings(model_max_length=longest),
            f"llama/tokenizer_config.json: model_max_length is {longest!r}; expected a whole number {AGAIN}",
        )
        for longest in ("x", 1.5, [1], float("nan"))
    },
    **{
        f"a context of {length!r}": (
            config(max_position_embeddings=0, max_seq_len=length),
            f"llama/config.json: the length of the model's context is no number: {said} {AGAIN}",
        )
        for length, said in {
            "x": "invalid literal for int() with base 10: 'x'",
            float("nan"): "cannot convert float NaN to integer",
            float("inf"): "OverflowError: cannot convert float infinity to integer",
        }.items()
    },
    **{
        f"a context of {length} places": (
            config(max_position_embeddings=length),
            f"llama: the model's context has {length} tokens; expected 8 or more {ROOM}",
        )
        for length in (-1, 1, 7)
    },
    **{
        f"a context of {length} by the tokenizer": (
            both(config(max_position_embeddings=0), tokenizer_settings(model_max_length=length)),
            f"llama: the model's context has {length} tokens; expected 8 or more {ROOM}",
        )
        for length in (-1, 0, 7)
    },
    "a config.json nested too deep": (
        lambda folder: (folder / "config.json").write_text("[" * 200_000 + "]" * 200_000),
        "llama/config.json: config.json is not JSON: maximum recursion depth exceeded while decoding a JSON array from "
        f"a unicode string {AGAIN}",
    ),
}


def line(folder: Path) -> str:
    with pytest.raises(ModelError) as raised:
        check_model(folder)
    assert len(raised.value.faults) == 1
    return str(raised.value).replace(f"{folder.parent}/", "")


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_used_is_refused_in_one_line(tmp_path: Path, what: str) -> None:
    change, expected = REFUSED[what]
    folder = zoo_folder(tmp_path, "llama")
    check_model(folder)
    change(folder)
    assert line(folder) == expected


@pytest.mark.parametrize(
    ("special", "named", "template", "sound"),
    [
        (True, {}, None, True),
        (True, {}, CHAT_TEMPLATE, True),
        (True, {}, "{% if false %}<picture>{% endif %}" + CHAT_TEMPLATE, False),
        (False, {}, None, False),
        *((True, {f"{name}_token": "<picture>"}, None, False) for name in ("bos", "eos", "pad", "unk")),
    ],
)
def test_a_mark_without_an_embedding_is_sound_where_no_prompt_can_hold_it(
    tmp_path: Path, special: bool, named: dict[str, str], template: str | None, sound: bool
) -> None:
    """As of models whose larger siblings see pictures."""
    folder, tokenizer = zoo_folder(tmp_path, "llama"), tiny_tokenizer()
    tokenizer.add_tokens([f"extra_{number}" for number in range(8)])
    tokenizer.add_tokens([AddedToken("<picture>", special=special)])
    for name, mark in named.items():
        setattr(tokenizer, name, mark)
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    if sound:
        assert check_model(folder).vocabulary == tokenizer.convert_tokens_to_ids("<picture>")
        written = dialogue_format(tokenizer).prompt([Turn(role="human", text="What is in this <picture>?")])
        assert max(tokenizer.encode(written)) < check_model(folder).vocabulary
    else:
        assert "the tokenizer knows 1 tokens too many ('<picture>'): the model has 392 embeddings" in line(folder)


def test_a_shard_that_is_missing_is_named(tmp_path: Path) -> None:
    folder = zoo_folder(tmp_path, "llama, sharded and tied")
    shards = sorted(folder.glob("*.safetensors"))
    assert len(shards) > 1
    shards[1].unlink()
    what = f"weights not in the folder: {shards[1].name} (1 of {len(shards)} files)"
    assert line(folder) == f"{folder.name}: {what} (copy them from where the model came from)"
    (folder / "model.safetensors.index.json").write_text("[]")
    index = "model.safetensors.index.json"
    assert line(folder) == f"{folder.name}/{index}: is no index of weights {AGAIN}"
    (folder / index).write_text('{"weight_map": {}}')
    assert line(folder) == f"{folder.name}/{index}: is no index of weights {AGAIN}"
    (folder / index).unlink()
    what = "neither model.safetensors nor an index of several such files"
    assert line(folder) == f"{folder.name}: {what} (copy {index} from where the model came from)"


def test_a_vocabulary_padded_beyond_the_tokenizer_is_sound(tmp_path: Path) -> None:
    folder = zoo_folder(tmp_path, "llama")
    assert check_model(folder).vocabulary > len(tiny_tokenizer())


def test_the_weights_are_not_read(tmp_path: Path) -> None:
    outline = load_outline(zoo_folder(tmp_path, "llama"))
    assert all(isinstance(parameter, FakeTensor) for parameter in outline.parameters())


def test_missing_weights_are_told_where_their_numbers_would_have_been_looked_at(tmp_path: Path) -> None:
    folder = zoo_folder(tmp_path, "gemma3")
    weights(lambda tensors: [tensors.pop(name) for name in list(tensors) if name.endswith("fc1.weight")])(folder)
    assert line(folder) == f"gemma3: config.json asks for missing weights {SAME_PLACE}"


def test_every_damaged_shard_is_named(tmp_path: Path) -> None:
    folder = zoo_folder(tmp_path, "llama, sharded and tied")
    shards = sorted(folder.glob("*.safetensors"))[:2]
    for shard in shards:
        shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(ModelError) as raised:
        check_model(folder)
    assert [fault.where and fault.where.path for fault in raised.value.faults] == shards


def test_weights_of_another_task_do_no_harm(tmp_path: Path) -> None:
    folder = zoo_folder(tmp_path, "llama")
    weights(lambda tensors: tensors.update({"score.weight": torch.zeros(1, 32)}))(folder)
    check_model(folder)
    load_model(folder, dtype=torch.float32, device="cpu")


def test_what_is_found_is_what_loading_would_have_found(tmp_path: Path) -> None:
    folder = zoo_folder(tmp_path, "llama")
    for layers in (1, 3):
        config(num_hidden_layers=layers)(folder)
        with pytest.raises(ModelError) as raised:
            load_model(folder, dtype=torch.float32, device="cpu")
        assert str(raised.value).replace(f"{folder.parent}/", "") == line(folder)
