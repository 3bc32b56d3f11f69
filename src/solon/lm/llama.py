"""A lean network for the Llama family (Llama, Mistral, Qwen2, Qwen3): for models so small that overhead costs more than
arithmetic.

It computes what `transformers` computes for the same weights; tests/lm/test_networks.py holds it to those logits. What
makes it fast: query, key and value, and gate and up, are one product each; the residual stream is float32 and
everything that is multiplied is `dtype`.

    N new tokens   M of them whose logits are wanted   D width   H query heads   K key-value heads   E head width
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedModel

from solon.lm.attention import Attention, Pass
from solon.lm.cache import Shape

MAX_PARAMETERS = 300_000_000
"""Above this, arithmetic dominates and a second copy of the weights is not worth its memory. Assumption."""
_ROPE = ("default", "linear", "llama3")
_MODELS = ("LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM")


def supports(model: PreTrainedModel) -> bool:
    """Whether `LlamaWeights` knows this architecture and the model is small enough to gain by it.

    Only layers of torch itself are known: it would read past adapters and other things that were put in their place.
    """
    config: Any = model.config
    if type(model).__name__ not in _MODELS or not all(type(linear) is nn.Linear for linear in _linear(model)):
        return False
    rope = (getattr(config, "rope_parameters", None) or {}).get("rope_type")
    full = set(getattr(config, "layer_types", None) or ["full_attention"]) == {"full_attention"}
    known = config.hidden_act == "silu" and rope in _ROPE and full
    return known and model.num_parameters() <= MAX_PARAMETERS


def _linear(model: Any) -> Iterator[nn.Module]:
    """Every module that is read as a plain product."""
    yield model.get_output_embeddings()
    for layer in model.model.layers:
        attention, mlp = layer.self_attn, layer.mlp
        yield from (attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj)
        yield from (mlp.gate_proj, mlp.up_proj, mlp.down_proj)


Product = tuple[Tensor, Tensor | None]
"""Weight and bias of a linear map, as `F.linear` takes them."""


@dataclass(frozen=True, kw_only=True)
class _Layer:
    norm_in: Tensor
    qkv: Product
    norm_qk: Tensor | None
    """Of every head of queries and keys, [H + K, E]; None where they are not normalized."""
    out: Product
    norm_mlp: Tensor
    gate_up: Product
    down: Product


class LlamaWeights:
    """A model's weights, fused and cast. A copy: build it anew after the model has been trained."""

    def __init__(self, model: Any, dtype: torch.dtype):
        config = model.config
        self.dtype = dtype
        self.heads: int = config.num_attention_heads
        self.key_value_heads: int = config.num_key_value_heads
        self.head_width: int = getattr(config, "head_dim", None) or config.hidden_size // self.heads
        self.eps: float = config.rms_norm_eps
        mistral = type(model).__name__ == "MistralForCausalLM"
        self.attention = Attention(window=config.sliding_window if mistral else None)
        rotary = model.model.rotary_emb
        self.inverse_frequencies: Tensor = rotary.inv_freq.float()
        self.rotary_scale: float = rotary.attention_scaling
        with torch.no_grad():
            self.embedding = model.get_input_embeddings().weight.to(dtype)
            self.norm = model.model.norm.weight.float()
            self.head = model.get_output_embeddings().weight.to(dtype)
            self.layers = [self._layer(layer) for layer in model.model.layers]

    def _layer(self, layer: Any) -> _Layer:
        attention, mlp = layer.self_attn, layer.mlp
        # The scale of the scores is folded into what gives the queries.
        scale, norm_qk = self.head_width**-0.5, None
        if hasattr(attention, "q_norm"):
            query, key = attention.q_norm.weight.float() * scale, attention.k_norm.weight.float()
            norm_qk, scale = torch.cat([query.repeat(self.heads, 1), key.repeat(self.key_value_heads, 1)]), 1.0
        return _Layer(
            norm_in=layer.input_layernorm.weight.float(),
            qkv=self._fused(attention.q_proj, attention.k_proj, attention.v_proj, first=scale),
            norm_qk=norm_qk,
            out=self._fused(attention.o_proj),
            norm_mlp=layer.post_attention_layernorm.weight.float(),
            gate_up=self._fused(mlp.gate_proj, mlp.up_proj),
            down=self._fused(mlp.down_proj),
        )

    def _fused(self, linear: Any, *others: Any, first: float = 1.0) -> Product:
        """One product of several, of which the first is scaled."""
        weight, bias = linear.weight, linear.bias
        if others:
            weight = torch.cat([weight * first, *(other.weight for other in others)])
            bias = None if bias is None else torch.cat([bias * first, *(other.bias for other in others)])
        return weight.to(self.dtype), None if bias is None else bias.to(self.dtype)


class LlamaNetwork:
    """The network of `LlamaWeights`; see `solon.lm.reader.Network`."""

    def __init__(self, weights: LlamaWeights):
        self._weights = weights
        self.dtype, self.device = weights.dtype, weights.embedding.device

    def shapes(self) -> list[Shape]:
        one = (self._weights.key_value_heads, self._weights.head_width)
        return [Shape(keys=one, values=one)] * len(self._weights.layers)

    def read(self, tokens: Pass) -> Tensor:
        w = self._weights
        angle_N1E = tokens.positions_N[:, None, None].float() * w.inverse_frequencies
        cosine, sine = angle_N1E.cos() * w.rotary_scale, angle_N1E.sin() * w.rotary_scale
        turn = torch.cat([cosine, cosine], dim=-1).to(w.dtype), torch.cat([-sine, sine], dim=-1).to(w.dtype)
        x_ND = F.embedding(tokens.ids_N, w.embedding).float()
        for index, layer in enumerate(w.layers):
            h_ND = F.rms_norm(x_ND, x_ND.shape[-1:], layer.norm_in, w.eps).to(w.dtype)
            x_ND += self._attend(index, layer, h_ND, turn, tokens)
            h_ND = F.rms_norm(x_ND, x_ND.shape[-1:], layer.norm_mlp, w.eps).to(w.dtype)
            gate, up = F.linear(h_ND, *layer.gate_up).chunk(2, dim=-1)
            x_ND += F.linear(F.silu(gate) * up, *layer.down)
        h_MD = F.rms_norm(x_ND[tokens.wanted], x_ND.shape[-1:], w.norm, w.eps).to(w.dtype)
        return F.linear(h_MD, w.head).float()

    def _attend(self, index: int, layer: _Layer, h_ND: Tensor, turn: tuple[Tensor, Tensor], tokens: Pass) -> Tensor:
        w = self._weights
        qkv = F.linear(h_ND, *layer.qkv).view(len(h_ND), -1, w.head_width)
        turning, value_NKE = qkv.split([w.heads + w.key_value_heads, w.key_value_heads], dim=1)
        if layer.norm_qk is not None:
            turning = (F.rms_norm(turning.float(), (w.head_width,), None, w.eps) * layer.norm_qk).to(w.dtype)
        left, right = turning.chunk(2, dim=-1)
        turned = turning * turn[0] + torch.cat([right, left], dim=-1) * turn[1]
        query_NHE, key_NKE = turned.split([w.heads, w.key_value_heads], dim=1)
        mixed_NHE = tokens.attend(index, query_NHE, key_NKE, value_NKE, w.attention)
        return F.linear(mixed_NHE.reshape(len(h_ND), -1), *layer.out)
