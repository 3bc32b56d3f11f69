"""GRPO with outcome supervision: an answer against the others to its prompt, by their spread.

Source: 2402.03300 section 4.1.2. There the KL is a term of the loss; here it is paid from the reward unless `kl_in`
says otherwise.
"""

from __future__ import annotations

from torch import Tensor

from solon.config.training import RLSection
from solon.train.advantages import group_normalized
from solon.train.algorithms import answer_rewards, policy_loss, same_for_all_tokens
from solon.train.rollouts import TokenScores

VALUE_MODEL = False
loss = policy_loss


def advantages(reward_B: Tensor, scores: TokenScores, section: RLSection) -> tuple[Tensor, Tensor]:
    """Every token of an answer has the answer's group-normalized reward."""
    reward_PG = answer_rewards(reward_B, scores, section).view(-1, section.samples_per_prompt)
    return same_for_all_tokens(group_normalized(reward_PG, epsilon=section.group_epsilon).flatten(), scores)
