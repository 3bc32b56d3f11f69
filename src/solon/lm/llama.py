"""A lean network for the Llama family (Llama, Mistral, Qwen2, Qwen3): for models so small that overhead costs more than
arithmetic.

It computes what `transformers` computes for the same weights; tests/lm/test_networks.py holds it to those logits. What
makes it fast: query, key and value, and gate and up, are one product each, with the weights of the norm before them
folded in; the residual stream is float32 and everything that is multiplied is `dtype`; after the last attention, only
what logits are wanted of goes on.

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
from solon.lm.products import Product

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


@dataclass(frozen=True, kw_only=True)
class _Layer:
    qkv: Product
    norm_qk: Tensor | None
    """Of every head of queries and keys, [H + K, E]; None where they are not normalized."""
    out: Product
    gate_up: Product
    down: Product


class LlamaWeights:
    """A model's weights, fused and cast, but for its embeddings, which it shares. A copy: build it anew after the model
    has been trained."""

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
            self.embedding = model.get_input_embeddings().weight.detach()
            self.norm = model.model.norm.weight.float()
            self.head = self._fused(model.get_output_embeddings())
            self.layers = [self._layer(layer) for layer in model.model.layers]

    def _layer(self, layer: Any) -> _Layer:
        attention, mlp = layer.self_attn, layer.mlp
        # The scale of the scores is folded into what gives the queries.
        scale, norm_qk = self.head_width**-0.5, None
        if hasattr(attention, "q_norm"):
            query, key = attention.q_norm.weight.float() * scale, attention.k_norm.weight.float()
            norm_qk, scale = torch.cat([query.repeat(self.heads, 1), key.repeat(self.key_value_heads, 1)]), 1.0
        return _Layer(
            qkv=self._fused(
                attention.q_proj, attention.k_proj, attention.v_proj, norm=layer.input_layernorm, first=scale
            ),
            norm_qk=norm_qk,
            out=self._fused(attention.o_proj),
            gate_up=self._fused(mlp.gate_proj, mlp.up_proj, norm=layer.post_attention_layernorm),
            down=self._fused(mlp.down_proj),
        )

    def _fused(self, linear: Any, *others: Any, norm: Any = None, first: float = 1.0) -> Product:
        """One product of several, of which the first is scaled, on what a norm gives before its own weights."""
        weight, bias = linear.weight, linear.bias
        if others:
            weight = torch.cat([weight * first, *(other.weight for other in others)])
            bias = None if bias is None else torch.cat([bias * first, *(other.bias for other in others)])
        if norm is not None:
            weight = weight.float() * norm.weight.float()
        return Product(weight.to(self.dtype), None if bias is None else bias.to(self.dtype))


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
            mixed_ND = self._attend(index, layer, self._normal(x_ND), turn, tokens)
            if layer is w.layers[-1]:
                x_ND, mixed_ND = x_ND[tokens.wanted], mixed_ND[tokens.wanted]
            x_ND += layer.out(mixed_ND)
            gate, up = layer.gate_up(self._normal(x_ND)).chunk(2, dim=-1)
            x_ND += layer.down(F.silu(gate).mul_(up))
        h_MD = F.rms_norm(x_ND, x_ND.shape[-1:], w.norm, w.eps).to(w.dtype)
        return w.head(h_MD).float()

    def _normal(self, x_ND: Tensor) -> Tensor:
        """Rows of a mean square of 1. `F.rms_norm` takes twice as long on a processor (measured)."""
        scale_N1: Tensor = (
            torch.linalg.vecdot(x_ND, x_ND)[:, None].div_(x_ND.shape[-1]).add_(self._weights.eps).rsqrt_()
        )
        return (x_ND * scale_N1).to(self.dtype)

    def _attend(self, index: int, layer: _Layer, h_ND: Tensor, turn: tuple[Tensor, Tensor], tokens: Pass) -> Tensor:
        """What each token's heads gather, [N, H * E]."""
        w = self._weights
        qkv = layer.qkv(h_ND).view(len(h_ND), -1, w.head_width)
        turning, value_NKE = qkv.split([w.heads + w.key_value_heads, w.key_value_heads], dim=1)
        if layer.norm_qk is not None:
            turning = (F.rms_norm(turning.float(), (w.head_width,), None, w.eps) * layer.norm_qk).to(w.dtype)
        left, right = turning.chunk(2, dim=-1)
        turned = turning * turn[0] + torch.cat([right, left], dim=-1) * turn[1]
        query_NHE, key_NKE = turned.split([w.heads, w.key_value_heads], dim=1)
        mixed_NHE = tokens.attend(index, query_NHE, key_NKE, value_NKE, w.attention)
        return mixed_NHE.reshape(len(h_ND), -1)
