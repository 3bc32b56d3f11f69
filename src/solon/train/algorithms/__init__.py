"""RL algorithms: a file each, named as the run file names it, with two functions.

`advantages(reward_B, scores, section)` gives (advantage, return), both [B, T], constants, and 0 outside the mask. The
return is what the value model should have said; zeros without one. `reward_B` is the preference model's score, any
penalty for being cut off included, the KL penalty not.
`loss(tokens, section)` gives a sum over the tokens of a micro-batch and their number.

What was left out, for all: no entropy bonus (RLHF-22 appendix B.1 has none), no reward normalization, no early
stopping on KL. Legend: B rollouts (the G of one prompt stand together), T answer tokens, N tokens that count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from solon.config.training import RLSection
from solon.train.losses import SumAndWeight
from solon.train.rollouts import TokenScores


@dataclass(frozen=True, kw_only=True)
class UpdateTokens:
    """The tokens of one micro-batch, each [N]; `logp_N` and `value_N` carry gradients."""

    logp_N: Tensor
    value_N: Tensor
    old_logp_N: Tensor
    old_value_N: Tensor
    ref_logp_N: Tensor
    advantage_N: Tensor
    return_N: Tensor


class Algorithm(Protocol):
    """One way to turn rewards into a gradient. Its module is one."""

    VALUE_MODEL: bool
    """Whether it needs a value model."""

    def advantages(self, reward_B: Tensor, scores: TokenScores, section: RLSection) -> tuple[Tensor, Tensor]: ...

    def loss(self, tokens: UpdateTokens, section: RLSection) -> SumAndWeight: ...
