"""The forward pass by which the embedded model learns: what `transformers` computes for a Llama, in fewer operations.

Most of a small model's time goes into small operations, not products. Here queries, keys and values are one product,
gate and up another, with the gain of the norm before them folded in; norms and rotations have gradients written out;
and after the last attention only what is to be learned goes on.

    B rows   T positions   N = B * T   D width   H heads   E head width   M targets   V vocabulary
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import LlamaForCausalLM


class _Normal(torch.autograd.Function):
    """Rows of a mean square of 1."""

    @staticmethod
    def forward(ctx: Any, x_ND: Tensor, eps: float) -> Tensor:
        wide_ND = x_ND.float()
        scale_N1 = torch.linalg.vecdot(wide_ND, wide_ND)[:, None].div_(x_ND.shape[-1]).add_(eps).rsqrt_()
        normal_ND = wide_ND.mul_(scale_N1) if wide_ND is not x_ND else wide_ND * scale_N1
        ctx.save_for_backward(normal_ND, scale_N1)
        return normal_ND.to(x_ND.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        normal_ND, scale_N1 = ctx.saved_tensors
        wide_ND = grad.float()
        along_N1 = torch.linalg.vecdot(wide_ND, normal_ND)[:, None].div_(grad.shape[-1])
        return torch.addcmul(wide_ND, normal_ND, along_N1, value=-1).mul_(scale_N1).to(grad.dtype), None


class _Turn(torch.autograd.Function):
    """Heads turned by the angles of their positions; the gradient is turned back."""

    @staticmethod
    def forward(ctx: Any, heads_BTHE: Tensor, cosine_THE: Tensor, sine_THE: Tensor) -> Tensor:
        ctx.save_for_backward(cosine_THE, sine_THE)
        return _turned(heads_BTHE, cosine_THE, sine_THE)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        cosine_THE, sine_THE = ctx.saved_tensors
        return _turned(grad, cosine_THE, -sine_THE), None, None


def _turned(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    left, right = x.chunk(2, dim=-1)
    return (x * cosine).addcmul_(torch.cat([right, left], dim=-1), sine)


_normal: Callable[[Tensor, float], Tensor] = _Normal.apply
_turn: Callable[[Tensor, Tensor, Tensor], Tensor] = _Turn.apply


class LlamaTraining:
    """Reads rows that are padded on the right, with the weights of a model, which may change between two calls."""

    def __init__(self, model: LlamaForCausalLM):
        """`model`: still in float32, since angles are taken from it."""
        config: Any = model.config
        self._model: Any = model
        self._heads, self._eps = config.num_attention_heads, config.rms_norm_eps
        width = config.hidden_size // self._heads
        angle_TE = torch.arange(config.max_position_embeddings)[:, None] * model.model.rotary_emb.inv_freq
        scale_H1 = torch.cat([torch.full((self._heads,), width**-0.5), torch.ones(self._heads)])[:, None]
        cosine_TE, sine_TE = angle_TE.cos().repeat(1, 2), torch.cat([-angle_TE.sin(), angle_TE.sin()], dim=-1)
        self._turn = cosine_TE[:, None] * scale_H1, sine_TE[:, None] * scale_H1
        """[T, 2 H, E] each: of queries, which carry the scale of the scores, and keys."""
        self._ahead_TT = torch.full((config.max_position_embeddings,) * 2, -torch.inf).triu(1)

    def logits(self, ids_BT: Tensor, at_M: Tensor) -> Tensor:
        """[M, V], float32, after the tokens at these places of all rows, one row behind the other."""
        model = self._model.model
        length, dtype = ids_BT.shape[1], model.embed_tokens.weight.dtype
        turn = [of[:length].to(dtype) for of in self._turn]
        ahead_TT = self._ahead_TT[:length, :length].to(dtype)
        x_ND = F.embedding(ids_BT.flatten(), model.embed_tokens.weight)
        for layer in model.layers:
            mixed_ND = self._attend(layer, x_ND, turn, ahead_TT)
            if layer is model.layers[-1]:
                x_ND, mixed_ND = x_ND.index_select(0, at_M), mixed_ND.index_select(0, at_M)
            x_ND = torch.addmm(x_ND, mixed_ND, layer.self_attn.o_proj.weight.T)
            mlp, gain = layer.mlp, layer.post_attention_layernorm.weight
            gate, up = F.linear(_normal(x_ND, self._eps), _fused(gain, mlp.gate_proj, mlp.up_proj)).chunk(2, dim=-1)
            x_ND = torch.addmm(x_ND, F.silu(gate) * up, mlp.down_proj.weight.T)
        logits_MV = F.linear(_normal(x_ND, self._eps) * model.norm.weight, self._model.lm_head.weight)
        return logits_MV.float()

    def _attend(self, layer: Any, x_ND: Tensor, turn: list[Tensor], ahead_TT: Tensor) -> Tensor:
        """What each token's heads gather, [N, D]."""
        of, heads, length = layer.self_attn, self._heads, len(ahead_TT)
        weights = _fused(layer.input_layernorm.weight, of.q_proj, of.k_proj, of.v_proj)
        qkv = F.linear(_normal(x_ND, self._eps), weights)
        turning, value = qkv.view(-1, length, 3 * heads, of.head_dim).split([2 * heads, heads], dim=2)
        query, key = _turn(turning, *turn).chunk(2, dim=2)
        query, key, value = (each.transpose(1, 2).reshape(-1, length, of.head_dim) for each in (query, key, value))
        share = torch.baddbmm(ahead_TT, query, key.mT).softmax(dim=-1)
        return torch.bmm(share, value).view(-1, heads, length, of.head_dim).transpose(1, 2).reshape(len(x_ND), -1)


def _fused(gain_D: Tensor, *layers: Any) -> Tensor:
    """The weights of several products, behind a norm's gain."""
    return torch.cat([layer.weight for layer in layers]) * gain_D
