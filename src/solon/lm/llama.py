"""A lean decoder for the Llama family (Llama, Qwen2): for models so small that overhead costs more than arithmetic.

It computes what `transformers` computes for the same weights; tests/lm/test_decoder.py holds it to those logits. What
makes it fast: query, key and value, and gate and up, are one product each; the cache lives in contiguous blocks;
attention is two batched products, which CPUs run faster than the fused kernel at these lengths; the residual stream is
float32 and everything that is multiplied is `dtype`.

    B rows   T new tokens   S cached columns   D width   H query heads   K key-value heads   G = H / K   E head width
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedModel

from solon.lm.decoder import EVERYTHING

BLOCK = 32
"""Columns by which the cache grows; measured."""
SPAN_TOKENS = 3200
"""Tokens of a prefill computed together on a CPU; measured."""
MAX_SCORES = 1 << 27
"""Attention scores held at once; longer inputs take the fused kernel, which holds none."""
MAX_PARAMETERS = 300_000_000
"""Above this, arithmetic dominates and a second copy of the weights is not worth its memory. Assumption."""
_ROPE = ("default", "linear", "llama3")
_MODELS = ("LlamaForCausalLM", "Qwen2ForCausalLM")


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
        return _Layer(
            norm_in=layer.input_layernorm.weight.float(),
            # The scale of the scores is folded into the queries.
            qkv=self._fused(attention.q_proj, attention.k_proj, attention.v_proj, first=self.head_width**-0.5),
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


@dataclass(frozen=True, kw_only=True)
class _Span:
    """Rows and columns that are computed together."""

    rows: slice
    here: slice
    """The columns of the new tokens."""
    seen: slice
    """The columns that they attend to, as far as `bias_B1TS` allows."""
    bias_B1TS: Tensor
    cosine: Tensor
    """Of the new tokens' angles, [B, T, 1, E]."""
    sine: Tensor
    """Likewise, its first half negated."""


class LlamaDecoder:
    """One batch over `LlamaWeights`; see `solon.lm.decoder.Decoder`."""

    window = EVERYTHING

    def __init__(self, weights: LlamaWeights):
        self._weights = weights
        self._length = 0
        self._mask_BS: Tensor | None = None  # as wide as the cache; False beyond _length
        self._keys: list[Tensor] = []  # per layer [B, K, S, E]
        self._values: list[Tensor] = []

    @torch.no_grad()
    def extend(self, ids_BT: Tensor, mask_BT: Tensor, *, last: int = 1) -> Tensor:
        rows, new = ids_BT.shape
        known = self._length
        self._grow(rows, new, ids_BT.device)
        assert self._mask_BS is not None
        self._mask_BS[:, known : known + new] = mask_BT
        spans = self._spans(mask_BT, last)
        logits = [self._read(span, ids_BT[span.rows, span.here.start - known :], last) for span in spans]
        self._length += new
        return logits[0] if len(logits) == 1 else torch.cat(logits)

    def _spans(self, mask_BT: Tensor, last: int) -> Iterator[_Span]:
        """All rows at once for a single token; else so few that what is computed of them stays in the processor's
        cache, each span without the columns that are padding to all its rows."""
        rows, new = mask_BT.shape
        size = rows if new == 1 or mask_BT.is_cuda else max(1, SPAN_TOKENS // new)
        for start in range(0, rows, size):
            part = slice(start, min(start + size, rows))
            padding = 0 if new == 1 else int(mask_BT[part].any(dim=0).long().argmax())
            here = slice(self._length + min(padding, new - last), self._length + new)
            yield self._span(part, here)

    def _span(self, rows: slice, here: slice) -> _Span:
        """The first tokens of all attend to each other alone, later ones to the whole cache with its unused columns."""
        assert self._mask_BS is not None
        w, mask_BS = self._weights, self._mask_BS[rows]
        seen = slice(0, mask_BS.shape[1]) if self._length else here
        column_S = torch.arange(mask_BS.shape[1], device=mask_BS.device)
        seen_BTS = mask_BS[:, None, seen] & (column_S[seen] <= column_S[here, None])
        bias = torch.zeros(seen_BTS.shape, dtype=w.dtype, device=mask_BS.device)
        # The lowest number, not minus infinity: a padding token sees nothing, and must stay finite.
        bias.masked_fill_(~seen_BTS, torch.finfo(w.dtype).min)
        position_BT = (mask_BS[:, : here.stop].cumsum(1) - 1)[:, here].clamp_min_(0)
        angle = position_BT[:, :, None, None].float() * w.inverse_frequencies
        cosine, sine = angle.cos() * w.rotary_scale, angle.sin() * w.rotary_scale
        return _Span(
            rows=rows,
            here=here,
            seen=seen,
            bias_B1TS=bias[:, None],
            cosine=torch.cat([cosine, cosine], dim=-1).to(w.dtype),
            sine=torch.cat([-sine, sine], dim=-1).to(w.dtype),
        )

    def _read(self, span: _Span, ids_BT: Tensor, last: int) -> Tensor:
        """The network on one span: logits [B, last, V]; the span's keys and values are in the cache afterwards."""
        w = self._weights
        x_BTD = F.embedding(ids_BT, w.embedding).float()
        for index, layer in enumerate(w.layers):
            h_BTD = F.rms_norm(x_BTD, x_BTD.shape[-1:], layer.norm_in, w.eps).to(w.dtype)
            x_BTD += self._attend(index, layer, h_BTD, span)
            h_BTD = F.rms_norm(x_BTD, x_BTD.shape[-1:], layer.norm_mlp, w.eps).to(w.dtype)
            gate, up = F.linear(h_BTD, *layer.gate_up).chunk(2, dim=-1)
            x_BTD += F.linear(F.silu(gate) * up, *layer.down)
        h_BND = F.rms_norm(x_BTD[:, -last:], x_BTD.shape[-1:], w.norm, w.eps).to(w.dtype)
        return F.linear(h_BND, w.head).float()

    def keep(self, rows: Tensor) -> None:
        assert self._mask_BS is not None
        self._mask_BS = self._mask_BS[rows]
        self._keys = [keys[rows] for keys in self._keys]
        self._values = [values[rows] for values in self._values]

    def _grow(self, rows: int, new: int, device: torch.device) -> None:
        """Room for `new` more columns. Fresh columns hold zeros: a masked score must still be a number."""
        w = self._weights
        if self._mask_BS is None:
            self._mask_BS = torch.zeros(rows, 0, dtype=torch.bool, device=device)
            empty = torch.zeros(rows, w.key_value_heads, 0, w.head_width, dtype=w.dtype, device=device)
            self._keys = [empty] * len(w.layers)
            self._values = [empty] * len(w.layers)
        missing = self._length + new - self._mask_BS.shape[1]
        if missing > 0:
            more = -(-missing // BLOCK) * BLOCK
            self._mask_BS = F.pad(self._mask_BS, (0, more))
            self._keys = [F.pad(keys, (0, 0, 0, more)) for keys in self._keys]
            self._values = [F.pad(values, (0, 0, 0, more)) for values in self._values]

    def _attend(self, index: int, layer: _Layer, h_BTD: Tensor, span: _Span) -> Tensor:
        w = self._weights
        rows, new, _ = h_BTD.shape
        qkv = F.linear(h_BTD, *layer.qkv).view(rows, new, -1, w.head_width)
        turning, value = qkv.split([w.heads + w.key_value_heads, w.key_value_heads], dim=2)
        left, right = turning.chunk(2, dim=-1)
        turned = turning * span.cosine + torch.cat([right, left], dim=-1) * span.sine
        query, key, value = (part.transpose(1, 2) for part in (*turned.split([w.heads, w.key_value_heads], 2), value))
        keys, values = self._keys[index][span.rows], self._values[index][span.rows]
        keys[:, :, span.here] = key
        values[:, :, span.here] = value
        if span.seen != span.here:
            key, value = keys, values
        mixed_BHTE = _mix(query, key, value, span.bias_B1TS)
        return F.linear(mixed_BHTE.transpose(1, 2).reshape(rows, new, -1), *layer.out)


def _mix(query: Tensor, key: Tensor, value: Tensor, bias_B1TS: Tensor) -> Tensor:
    """Attention of [B, H, T, E] queries over [B, K, S, E] keys: [B, H, T, E]. Queries come scaled."""
    rows, heads, new, width = query.shape
    columns = key.shape[2]
    if query.is_cuda or rows * heads * new * columns > MAX_SCORES:
        return F.scaled_dot_product_attention(
            query, key, value, attn_mask=bias_B1TS, scale=1.0, enable_gqa=heads != key.shape[1]
        )
    grouped = query.reshape(rows, key.shape[1], -1, width)  # the G queries of one key head side by side
    scores = grouped @ key.transpose(2, 3)
    scores.view(rows, heads, new, columns).add_(bias_B1TS)
    return (scores.softmax(dim=-1) @ value).view(rows, heads, new, width)
