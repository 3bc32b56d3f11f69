"""Draw tokens. Every row owns its settings and its stream of uniforms, so what it draws depends neither on the batch
that it is in, nor on how far the other rows are.

B rows   V vocabulary   T tokens that a row may have   N blocks of K tokens   C candidates
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from solon.errors import ModelError
from solon.lm.protocols import SampleRequest

BLOCK = 128
"""Tokens whose probabilities are summed together first: it divides most vocabularies. Running sums of blocks, and then
of one block, cost a quarter of running sums of all tokens (measured: 64 rows of 49,152 tokens, 9 ms for 40)."""
SMALL = 4096
"""A vocabulary up to this size is summed at once, which is faster there (measured)."""
CANDIDATES = 256
"""The likeliest tokens, among which `top_k` and `top_p` usually find their last. Where they do not, the row is searched
again with `MORE` times as many. Measured: sorting a whole vocabulary costs thirty times as much."""
MORE = 8


def uniforms(seed: int, count: int) -> np.ndarray:
    """The first `count` uniforms in [0, 1) of a row's own Philox stream; token t of the row is drawn with number t."""
    return np.random.Generator(np.random.Philox(key=seed)).random(count)


def double_device(device: torch.device) -> torch.device:
    """Where numbers of this device are added up in float64: Apple's GPUs have none, so there it is the processor."""
    return torch.device("cpu") if device.type == "mps" else device


@dataclass(frozen=True, kw_only=True)
class Draws:
    """How each of B rows draws its tokens, on the device of its tensors."""

    temperature_B: Tensor
    top_k_B: Tensor
    top_p_B: Tensor
    min_p_B: Tensor
    uniform_BT: Tensor
    """float64; token t of a row is drawn with number t."""

    @classmethod
    def of(cls, requests: Sequence[SampleRequest], device: torch.device) -> Draws:
        """Those of some requests, for as many tokens as each asks for."""
        uniform_BT = np.zeros((len(requests), max(one.max_new_tokens for one in requests)))
        for row, one in zip(uniform_BT, requests, strict=True):
            row[: one.max_new_tokens] = uniforms(one.seed, one.max_new_tokens)
        greedy = [one.temperature == 0 for one in requests]

        def column(values: Sequence[float], dtype: torch.dtype, off: float) -> Tensor:
            settled = [off if is_greedy else value for value, is_greedy in zip(values, greedy, strict=True)]
            return torch.tensor(settled, dtype=dtype, device=device)

        return cls(
            temperature_B=torch.tensor([one.temperature for one in requests], dtype=torch.float32, device=device),
            top_k_B=column([one.top_k for one in requests], torch.long, 0),
            top_p_B=column([one.top_p for one in requests], torch.float64, 1.0),
            min_p_B=column([one.min_p for one in requests], torch.float32, 0.0),
            uniform_BT=torch.from_numpy(uniform_BT).to(device),
        )

    def keep(self, rows: Sequence[int] | Tensor) -> Draws:
        """Those of some rows, in the order given."""
        index = torch.as_tensor(rows, device=self.temperature_B.device)
        return Draws(**{one.name: getattr(self, one.name)[index] for one in fields(self)})

    def join(self, others: Draws) -> Draws:
        """These rows, and others after them."""
        longest = max(self.uniform_BT.shape[1], others.uniform_BT.shape[1])
        sides = [{one.name: getattr(side, one.name) for one in fields(side)} for side in (self, others)]
        for side in sides:
            side["uniform_BT"] = pad(side["uniform_BT"], (0, longest - side["uniform_BT"].shape[1]))
        return Draws(**{name: torch.cat([side[name] for side in sides]) for name in sides[0]})

    @cached_property
    def _greedy(self) -> bool:
        return bool((self.temperature_B == 0).any())

    @cached_property
    def _tempered(self) -> bool:
        return not bool(((self.temperature_B == 0) | (self.temperature_B == 1)).all())

    @cached_property
    def _ranked(self) -> bool:
        return bool(((self.top_k_B > 0) | (self.top_p_B < 1)).any())

    @cached_property
    def _filtered(self) -> bool:
        return self._ranked or bool((self.min_p_B > 0).any())

    def draw(self, logits_BV: Tensor, step: int | Tensor) -> tuple[Tensor, Tensor]:
        """One token per row by inverse CDF, and its log-probability under exactly that distribution; both [B].

        The distribution is softmax(logits / temperature), of which the filters keep, in the order of transformers:
        `top_k`, the k likeliest tokens; `top_p`, of these and renormalized, the likeliest until their probabilities
        add up to p, the one that reaches it included; `min_p`, those at least that many times as likely as the
        likeliest. What is as likely as the last token that is kept is kept too. The others have probability 0, and the
        rest is renormalized. vLLM has `min_p` before the other two, which differs only where `top_p` is set as well.

        A temperature of 0 takes the likeliest token, the first of equals, and gives its log-probability at temperature
        1, without filters. Probabilities are summed in float64, in order of the token id: e.g. probabilities
        (0.2, 0.5, 0.3) and a uniform of 0.69 give token 1, a uniform of 0.7 token 2; with `top_k` 2 they are
        (0, 0.625, 0.375), and 0.62 gives token 1, 0.63 token 2. Rows whose logits are not numbers get a log-probability
        of NaN.

        Args:
            step: how many tokens each row has, [B], or all rows have, below T: uniform t draws token t.
        """
        greedy_B = self.temperature_B == 0
        scaled_BV = logits_BV.float()
        if self._tempered:
            scaled_BV = scaled_BV / torch.where(greedy_B, 1.0, self.temperature_B)[:, None]
        peak_B1 = scaled_BV.amax(dim=-1, keepdim=True)
        weight_BV = (scaled_BV - peak_B1).exp_()
        if self._filtered:
            weight_BV.masked_fill_(weight_BV < self._floor(weight_BV)[:, None], 0)
        token_B, total_B = _inverse_cdf(weight_BV, self._uniform(step))
        if self._greedy:
            token_B = torch.where(greedy_B, scaled_BV.argmax(dim=-1), token_B)
        chosen_B = scaled_BV.gather(1, token_B[:, None])[:, 0] - peak_B1[:, 0]
        return token_B, (chosen_B.double() - total_B.log()).float()

    def _uniform(self, step: int | Tensor) -> Tensor:
        """[B]: the number with which each row draws."""
        if isinstance(step, int):
            return self.uniform_BT[:, step]
        return self.uniform_BT.gather(1, step[:, None])[:, 0]

    def _floor(self, weight_BV: Tensor) -> Tensor:
        """[B]: the smallest weight that each row keeps. The likeliest token weighs 1."""
        if not self._ranked:
            return self.min_p_B
        return torch.maximum(self.min_p_B, _last_kept(weight_BV, self.top_k_B, self.top_p_B, CANDIDATES))


def _inverse_cdf(weight_BV: Tensor, uniform_B: Tensor) -> tuple[Tensor, Tensor]:
    """The token at which the running sum of weights passes `uniform` times their total, and the total; both [B]."""
    if weight_BV.shape[1] <= SMALL:
        running_BV = weight_BV.cumsum(dim=-1, dtype=torch.float64)
        return _passing(running_BV, uniform_B[:, None] * running_BV[:, -1:])[:, 0], running_BV[:, -1]
    padded_BV = pad(weight_BV, (0, -weight_BV.shape[1] % BLOCK)) if weight_BV.shape[1] % BLOCK else weight_BV
    weight_BNK = padded_BV.view(len(weight_BV), -1, BLOCK)
    running_BN = weight_BNK.sum(dim=-1, dtype=torch.float64).cumsum(dim=-1)
    target_B1 = uniform_B[:, None] * running_BN[:, -1:]
    block_B1 = _passing(running_BN, target_B1)
    before_B1 = torch.where(block_B1 > 0, running_BN.gather(1, (block_B1 - 1).clamp_min(0)), 0.0)
    chosen_BK = weight_BNK[torch.arange(len(weight_BV), device=block_B1.device), block_B1[:, 0]]
    place_B1 = _passing(chosen_BK.cumsum(dim=-1, dtype=torch.float64), target_B1 - before_B1)
    token_B = (block_B1 * BLOCK + place_B1)[:, 0]
    return token_B.clamp_max(weight_BV.shape[1] - 1), running_BN[:, -1]


def _passing(running_BN: Tensor, target_B1: Tensor) -> Tensor:
    """[B, 1]: the first place whose running sum is above the target; the last where a row is not numbers.

    Rounding may bring a target up to the last sum, and it would then fall behind the end: it stays just below.
    """
    last_B1 = running_BN[:, -1:]
    target_B1 = torch.minimum(target_B1, torch.nextafter(last_B1, torch.zeros_like(last_B1)))
    return torch.searchsorted(running_BN, target_B1, right=True).clamp_max(running_BN.shape[1] - 1)


def _last_kept(weight_BV: Tensor, top_k_B: Tensor, top_p_B: Tensor, candidates: int) -> Tensor:
    """[B]: the weight of the last token that `top_k`, and then `top_p`, keep."""
    count, by_rank_B = min(candidates, weight_BV.shape[1]), top_k_B > 0
    best_BC = weight_BV.topk(count).values
    last_B1 = (top_k_B[:, None] - 1).clamp(0, count - 1)
    floor_B1 = torch.where(by_rank_B[:, None], best_BC.gather(1, last_B1), 0.0)
    running_BC = best_BC.masked_fill(best_BC < floor_B1, 0).cumsum(dim=-1, dtype=torch.float64)
    total_B = torch.where(by_rank_B, running_BC[:, -1], weight_BV.sum(dim=-1, dtype=torch.float64))
    crossing_B1 = torch.searchsorted(running_BC, (top_p_B * total_B)[:, None])
    crossed_B1 = best_BC.gather(1, crossing_B1.clamp_max(count - 1))
    floor_B = torch.where(top_p_B < 1, torch.maximum(floor_B1, crossed_B1)[:, 0], floor_B1[:, 0])
    beyond_B = (by_rank_B & (floor_B1[:, 0] <= best_BC[:, -1])) | ((top_p_B < 1) & (crossing_B1[:, 0] == count))
    if count < weight_BV.shape[1] and bool(beyond_B.any()):
        rows = (weight_BV[beyond_B], top_k_B[beyond_B], top_p_B[beyond_B])
        floor_B[beyond_B] = _last_kept(*rows, MORE * candidates)
    return floor_B


def no_numbers() -> ModelError:
    """What to raise of a model whose logits are NaN."""
    hint = (
        "its training has diverged, some of its weights are not numbers, or config.json holds impossible ones "
        "(e.g. rope_theta, rms_norm_eps)"
    )
    return ModelError("the model returned logits that are not numbers", hint=hint)
