"""RLOO: an answer against the mean of the others to its prompt, undivided; the KL is paid from the reward.

Source: 2402.14740 section 2.3, which takes REINFORCE's gradient of whole answers. With one update per step that is the
gradient of the clipped loss (2205.09123), which also bounds later updates.
"""

from __future__ import annotations

from torch import Tensor

from solon.config.training import RLSection
from solon.train.advantages import leave_one_out
from solon.train.algorithms import answer_rewards, policy_loss, same_for_all_tokens
from solon.train.rollouts import TokenScores

VALUE_MODEL = False
loss = policy_loss


def advantages(reward_B: Tensor, scores: TokenScores, section: RLSection) -> tuple[Tensor, Tensor]:
    """Every token of an answer has the answer's reward less the mean of the others."""
    reward_PG = answer_rewards(reward_B, scores, section).view(-1, section.samples_per_prompt)
    return same_for_all_tokens(leave_one_out(reward_PG).flatten(), scores)
