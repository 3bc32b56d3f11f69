"""How much memory each stage of a run takes, from the sizes of a model and of what it reads at once. In bytes.

Weights, gradients and moments are exact. What a forward pass keeps for the backward pass, and the working space around
logits, are estimates: tests hold them to what is measured on small models.

    P parameters   L layers   D width   I inner width   H query heads   K key-value heads   E head width   V vocabulary
    r rank of adapters
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from pydantic import computed_field
from transformers import PretrainedConfig, PreTrainedModel

from solon.config.training import OptimizerSection, WeightType
from solon.models.adapters import linear_layers
from solon.records import Record

FLOAT = 4
"""Bytes of a float32."""
BFLOAT16 = 2
"""Likewise."""
LOSS_LOGITS = 3
"""Copies of [N, V] float32 while a loss of logits is taken back: their log-softmax, its gradient and theirs."""
KEPT_FREE = 3
"""So many times as much on a processor: what was freed stays in the process (`models.allocator`), in pieces that the
next tensor does not fit, and products have space of their own. Measured, see docs/log.md."""
PROGRAM = 650 << 20
"""Of Python, its libraries, two tokenizers and what products, AdamW and the stages before have left, where models are
in a processor's memory. Measured, see docs/log.md."""
LOGITS = 1 << 24
"""Logits that training makes at once: 64 MiB. Assumption. More only where a model does something behind its head."""
DRAWN_LOGITS = 16
"""Bytes per row and token of the vocabulary while a token is drawn: float32 logits and work in float64."""
_STATES = ("linear", "mamba", "conv", "recurrent", "mlp", "moe")
"""In the names of layers without keys and values."""


@dataclass(frozen=True, kw_only=True)
class ModelSize:
    """What memory follows from."""

    parameters: int
    layers: int
    """L."""
    width: int
    """D."""
    inner: int
    """I, of what one token passes through: of the chosen experts, where there are several."""
    attention: int
    """H E."""
    key_value: int
    """K E."""
    heads: int
    """H."""
    gated: bool
    """Whether the inner layer has a gate, and so two inputs."""
    vocabulary: int
    """V."""
    adapted: int
    """Inputs and outputs of all layers that may get adapters, which of rank r have r times as many numbers."""
    config: PretrainedConfig

    @classmethod
    def of(cls, model: PreTrainedModel) -> ModelSize:
        """Of a model, with weights or without."""
        config: Any = model.config.get_text_config()
        heads, kv_heads, head_width = _heads(config)
        embeddings: Any = model.get_input_embeddings()
        width = int(config.hidden_size)
        return cls(
            parameters=model.num_parameters(),
            layers=int(config.num_hidden_layers),
            width=width,
            inner=_inner(config, width),
            attention=heads * head_width,
            key_value=kv_heads * head_width,
            heads=heads,
            gated=any("gate" in name for name, _ in model.named_parameters()),
            vocabulary=int(embeddings.weight.shape[0]),
            adapted=sum(sum(layer.weight.shape) for layer in linear_layers(model).values()),
            config=config,
        )


def kv_bytes_per_token(config: PretrainedConfig, dtype: torch.dtype) -> int:
    """Keys and values of one token in every layer that keeps them: 2 L K E numbers, or what is compressed of them.

    Layers with a sliding window count as if they kept everything, which they do up to their window. Recurrent layers
    keep a state that does not grow with the text, and count for nothing.
    """
    config = config.get_text_config()
    kinds = getattr(config, "layer_types", None) or ["attention"] * int(config.num_hidden_layers)
    layers = sum(not any(state in kind for state in _STATES) for kind in kinds)
    _, kv_heads, head_width = _heads(config)
    compressed = getattr(config, "kv_lora_rank", None)
    numbers = compressed + config.qk_rope_head_dim if compressed else 2 * kv_heads * head_width
    return layers * numbers * dtype.itemsize


def _heads(config: Any) -> tuple[int, int, int]:
    """Query heads, key-value heads, and the width of a head; 0 of a network without attention."""
    heads = int(getattr(config, "num_attention_heads", 0) or 0)
    alone = getattr(config, "multi_query", False) and not getattr(config, "new_decoder_architecture", False)
    kv_heads = 1 if alone else int(getattr(config, "num_key_value_heads", None) or heads)
    width = getattr(config, "head_dim", None) or (config.hidden_size // heads if heads else 0)
    return heads, kv_heads, int(width)


def _inner(config: Any, width: int) -> int:
    """Of models that do not say it, four times the width: what the first transformers had."""
    names = ("intermediate_size", "ffn_dim", "n_inner", "ffn_hidden_size", "ff_dim")
    inner = next((found for name in names if (found := getattr(config, name, None))), 4 * width)
    experts = getattr(config, "num_experts_per_tok", None)
    if experts:
        inner = int(experts) * int(getattr(config, "moe_intermediate_size", None) or inner)
    return int(inner)


class StageMemory(Record):
    """What a stage takes at its peak."""

    held: dict[str, int]
    """All the while, by what it is."""
    phases: dict[str, int]
    """Beside that, one after the other, by what is done."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def total(self) -> int:
        """At the peak."""
        return sum(self.held.values()) + max(self.phases.values())


@dataclass(frozen=True, kw_only=True)
class Learning:
    """How a model is trained."""

    rank: int | None = None
    """r of its adapters; None: all weights learn."""
    recomputed: bool = False
    """Whether layers are computed again for their gradients, and keep their inputs alone."""
    weights: WeightType = "float32"
    """Of those that learn."""

    @classmethod
    def by(cls, section: OptimizerSection) -> Learning:
        """As a section of the run file says."""
        rank = None if section.lora is None else section.lora.rank
        return cls(rank=rank, recomputed=section.gradient_checkpointing, weights=section.weights)

    def learns(self, size: ModelSize) -> int:
        """Numbers that are moved."""
        return size.parameters if self.rank is None else self.rank * size.adapted

    def bytes_of_weight(self, dtype: torch.dtype) -> int:
        """Of those that models are read with: what is frozen beside adapters is in the type of the arithmetic."""
        return self.bytes_of_gradient if self.rank is None else dtype.itemsize

    @property
    def bytes_of_gradient(self) -> int:
        """Of one number of those that learn, while all gradients are there."""
        return FLOAT if self.weights == "float32" else BFLOAT16

    def stepping(self, size: ModelSize) -> int:
        """What AdamW's step works on beside all gradients: of bfloat16 weights, one after the other, the float32
        gradient, and if they are rounded at random the float32 weight and what is rounded. At most of the embeddings.
        """
        of_number = {"float32": 0, "bfloat16+masters": FLOAT, "bfloat16+stochastic": 2 * FLOAT + BFLOAT16}
        return of_number[self.weights] * size.vocabulary * size.width


ALL_WEIGHTS = Learning()


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How much is read at once."""

    dtype: torch.dtype
    """Of the arithmetic."""
    rows: int
    """Answers that are written side by side."""
    tokens: int
    """Of all of them, prompts included: their keys and values are held."""
    micro_batch_tokens: int
    """Padded tokens of one forward pass in training."""
    on_cpu: bool = True
    file_bytes: int = 0
    """Of the model's weights on disk."""
    eager_tokens: int = 0
    """Of the longest row, where attention in training is written out as two products, which keeps a number for every
    pair of tokens; 0: it is not."""


def sampling_memory(size: ModelSize, reading: Reading, *, copied: bool = False) -> StageMemory:
    """Of a stage that writes or judges: weights in `dtype`, keys and values of every row, and logits of one token each.

    `copied`: the decoder has a copy of the weights of its own (`lm.llama.LlamaWeights`).
    """
    held = {"weights": size.parameters * reading.dtype.itemsize}
    return _stage(reading, held, {"writing": _writing(size, reading, copied=copied)})


def finetuning_memory(size: ModelSize, reading: Reading, learning: Learning = ALL_WEIGHTS) -> StageMemory:
    """Of supervised finetuning: weights, and what `_learned` says, all the while; see `_phases`."""
    held, learned = _weights(size, reading, learning), _learned(size, learning)
    return _stage(reading, held, _phases(size, reading, learning, logits=LOSS_LOGITS), learned)


def preference_memory(size: ModelSize, reading: Reading, learning: Learning = ALL_WEIGHTS) -> StageMemory:
    """Of the preference model's training: as of finetuning, but its head gives one number and no logits."""
    held, learned = _weights(size, reading, learning), _learned(size, learning)
    return _stage(reading, held, _phases(size, reading, learning, logits=0), learned)


def rl_memory(
    size: ModelSize,
    reading: Reading,
    learning: Learning = ALL_WEIGHTS,
    *,
    value_model: bool = False,
    copied: bool = False,
    beside: Learning | None = None,
) -> StageMemory:
    """Of RL: the policy in training, its frozen reference in `dtype`, the preference model and, for PPO, a value model
    of that model's size, in training too.

    With adapters the reference is the policy without them, and the value model the preference model with some. A step
    writes answers and updates. The weights that write are cast, or copied by the decoder.

    beside: how the preference model learned, where it is an adapter on the policy's weights and no model of its own.
    """
    adapters = learning.rank is not None
    held = {f"policy's {name}": count for name, count in _weights(size, reading, learning).items()}
    learned = {f"policy's {name}": count for name, count in _learned(size, learning).items()}
    held |= {} if adapters else {"reference": size.parameters * reading.dtype.itemsize}
    if beside is None:
        held["preference model"] = size.parameters * (reading.dtype.itemsize if adapters else FLOAT)
    else:
        held["preference model's adapters"] = FLOAT * beside.learns(size)
    if value_model:
        held |= {} if adapters else {"value model's weights": held["policy's weights"]}
        learned |= {f"value model's {name}": count for name, count in _learned(size, learning).items()}
    phases = _phases(size, reading, learning, logits=LOSS_LOGITS, models=1 + value_model)
    cast = not adapters and (copied or reading.dtype.itemsize != learning.bytes_of_weight(reading.dtype))
    phases["writing"] = _writing(size, reading, copied=cast)
    return _stage(reading, held, phases, learned)


def activation_bytes(size: ModelSize, reading: Reading, learning: Learning = ALL_WEIGHTS) -> int:
    """What the backward pass of one micro-batch reads at its peak: what the forward pass kept, and of layers that are
    computed again one at a time what it keeps by itself.
    """
    again = reading.micro_batch_tokens * _kept_of_token(size, reading, learning) if learning.recomputed else 0
    return _kept(size, reading, learning) + again


def _kept(size: ModelSize, reading: Reading, learning: Learning) -> int:
    """By the forward pass of one micro-batch: of layers that are computed again, their inputs."""
    inputs = size.width * learning.bytes_of_weight(reading.dtype)
    of_token = inputs if learning.recomputed else _kept_of_token(size, reading, learning)
    return size.layers * reading.micro_batch_tokens * of_token


def _kept_of_token(size: ModelSize, reading: Reading, learning: Learning) -> int:
    """By one layer, by the pre-norm transformer as transformers writes it and `train.attention` reads it: what norms
    read, what each product reads (in bfloat16 cast for each by itself), queries, keys, values and what is gathered of
    them, and the inner layer.

    With a gate norms are written out, in float32, and keep what they read twice, for weights that learn too. Without
    one they are a kernel, and the two halves of a layer are taken to stand side by side, as in GPT-NeoX, where they
    share what norms read. Beside adapters nothing is cast, nor where weights are bfloat16 themselves.
    """
    frozen = learning.rank is not None
    if size.gated:
        norms, inner = 2 * FLOAT + (0 if frozen else 2 * learning.bytes_of_gradient), 4
        read = 2 if frozen or learning.bytes_of_weight(reading.dtype) == reading.dtype.itemsize else 5
    else:
        norms, inner, read = learning.bytes_of_weight(reading.dtype), 2, 2
    mixed = 2 if reading.eager_tokens else 3  # the kernel keeps what it gives, too
    numbers = read * size.width + mixed * size.attention + 2 * size.key_value + inner * size.inner
    return norms * size.width + reading.dtype.itemsize * (numbers + size.heads * reading.eager_tokens)


def _stage(
    reading: Reading, held: dict[str, int], phases: dict[str, int], learned: Mapping[str, int] = MappingProxyType({})
) -> StageMemory:
    """With the program where that is in the same memory, and the file that is mapped there while a model is loaded:
    before there is anything of what is `learned`."""
    if reading.on_cpu:
        held = {"program": PROGRAM, **held}
        phases = {**phases, "loading": max(0, reading.file_bytes - sum(learned.values()))}
    return StageMemory(held={**held, **learned}, phases=phases)


def _weights(size: ModelSize, reading: Reading, learning: Learning) -> dict[str, int]:
    """That a model in training is read with, but adapters."""
    return {"weights": size.parameters * learning.bytes_of_weight(reading.dtype)}


def _learned(size: ModelSize, learning: Learning) -> dict[str, int]:
    """Of AdamW: two float32 moments of all that learns, and adapters or masters themselves."""
    numbers = FLOAT * learning.learns(size)
    own = {"adapters": numbers} if learning.rank is not None else {}
    masters = {"masters": numbers} if learning.weights == "bfloat16+masters" else {}
    return own | masters | {"moments": 2 * numbers}


def _phases(size: ModelSize, reading: Reading, learning: Learning, *, logits: int, models: int = 1) -> dict[str, int]:
    """While a loss is taken back there is what the forward pass kept, `logits` copies of a micro-batch's logits and, in
    bfloat16, what learns in float32 once more; then gradients in the place of logits. A checkpoint is put together
    beside the weights on the processor; and adapters are folded into float32 weights.

    `models`: those that learn, one after the other.
    """
    learns, copies = learning.learns(size), logits * (KEPT_FREE if reading.on_cpu else 1)
    cast = 0 if reading.dtype.itemsize == learning.bytes_of_gradient else learns * reading.dtype.itemsize
    gradients, read = learns * learning.bytes_of_gradient, activation_bytes(size, reading, learning)
    made = min(reading.micro_batch_tokens * size.vocabulary, LOGITS) * FLOAT
    phases = {
        "loss": models * (cast + _kept(size, reading, learning)) + copies * made,
        "step": models * (cast + max(read, learning.stepping(size)) + gradients),
    }
    if reading.on_cpu:
        weight = BFLOAT16 if learning.weights == "bfloat16+stochastic" else FLOAT
        phases["checkpoint"] = models * learns * (weight + 2 * FLOAT)
    if learning.rank is not None:
        phases["saving"] = size.parameters * (FLOAT - reading.dtype.itemsize)
    return phases


def _writing(size: ModelSize, reading: Reading, *, copied: bool) -> int:
    """Keys and values, logits of one token of each row and, if `copied`, the weights once more."""
    cache = reading.tokens * kv_bytes_per_token(size.config, reading.dtype)
    copy = size.parameters * reading.dtype.itemsize if copied else 0
    return cache + copy + reading.rows * size.vocabulary * DRAWN_LOGITS
