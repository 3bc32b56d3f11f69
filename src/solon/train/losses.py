"""Losses as pure functions. Each returns (sum, weight): add both over micro-batches and divide once.

Legend: B rows, N tokens that count, V vocabulary. `...` stands for any leading shape. Callers select what counts first:
so what does not count can be anything, also infinite, without touching a value or a gradient. Without tokens a loss is
(0, 0).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax

SumAndWeight = tuple[Tensor, Tensor]
"""A sum in nats and the weight to divide it by, both scalars; only the sum carries a gradient."""


def _weight(selected: Tensor) -> Tensor:
    return torch.tensor(float(selected.shape[0]), device=selected.device)


def token_logprobs(logits: Tensor, token_ids: Tensor, temperature: float = 1.0) -> Tensor:
    """log softmax(logits / temperature)[token], in nats: [..., V], [...] -> [...]."""
    scaled = logits.float() if temperature == 1.0 else logits.float() / temperature  # or 1 would cost two more copies
    return log_softmax(scaled, dim=-1).gather(-1, token_ids.unsqueeze(-1)).squeeze(-1)


def cross_entropy(logp_N: Tensor, weight_N: Tensor) -> SumAndWeight:
    """Next-token cross-entropy: the sum of w * -log p, and the sum of w.

    Example: p = (3/4, 1/4) and weights (1, 2) cost ln(4/3) + 2 ln 4 = 0.288 + 2.773 = 3.060, weight 3.
    """
    return -(weight_N * logp_N).sum(), weight_N.sum()


def preference_loss(
    score_a_B: Tensor, score_b_B: Tensor, p_a_preferred_B: Tensor, weight_B: Tensor, *, margin: float = 0.0
) -> SumAndWeight:
    """Soft-label preference loss: sum of w * -[p log s(d) + (1 - p) log s(-d)], s the logistic function and
    d = a - b - margin (2p - 1).

    Source: the Bradley-Terry loss of RLHF-22 section 2.3 with the soft targets of CAI section 4.1 (the paper does not
    print the formula); for hard labels with the margin of 2307.09288 equation 2, which is here in proportion to how
    sure a label is. Hard, clamped and smoothed labels are other p (`train.labels`). The weight is the sum of w. Least
    where a - b is the label's log-odds, and the margin's share more.

    Example: a - b = ln 3, p = 0.9, w = 1: s(ln 3) = 3/4, so -[0.9 ln 0.75 + 0.1 ln 0.25] = 0.2589 + 0.1386 = 0.3975.
    With a margin of 1: d = ln 3 - 0.8 = 0.2986, s(d) = 0.5741, so 0.4995 + 0.0853 = 0.5848.
    """
    margin_B = (score_a_B - score_b_B).float() - margin * (2 * p_a_preferred_B - 1)
    loss_B = binary_cross_entropy_with_logits(margin_B, p_a_preferred_B, reduction="none")
    return (weight_B * loss_B).sum(), weight_B.sum()


def squared_error(score_B: Tensor, rating_B: Tensor) -> SumAndWeight:
    """Sum of (score - rating)^2 and the number of rows: the L2 loss of CAI section 4.5.

    Example: scores 1, 2 and ratings 0, 4: 1 + 4 = 5, of 2.
    """
    return ((score_B.float() - rating_B.float()) ** 2).sum(), score_B.new_tensor(float(len(score_B)))


def dpo_loss(
    log_ratio_a_B: Tensor, log_ratio_b_B: Tensor, p_a_preferred_B: Tensor, weight_B: Tensor, *, beta: float
) -> SumAndWeight:
    """DPO with soft labels: the preference loss, an answer's score being beta times its log-ratio, log p - log p_ref.

    Source: 2305.18290 equation 7; with soft labels equation 3 of Mitchell 2023, A note on DPO with noisy preferences
    (cDPO), where they are the same for all pairs. Least where the log-ratios differ by the label's log-odds / beta: a
    label short of certainty holds the policy back by itself.

    Example: log-ratios 2 ln 3 and 0, beta = 0.5, p = 0.9, w = 1: margin ln 3, and 0.3975 as in `preference_loss`.
    """
    return preference_loss(beta * log_ratio_a_B, beta * log_ratio_b_B, p_a_preferred_B, weight_B)


def ipo_loss(
    log_ratio_a_B: Tensor, log_ratio_b_B: Tensor, p_a_preferred_B: Tensor, weight_B: Tensor, *, beta: float
) -> SumAndWeight:
    """IPO with soft labels: sum of w * [p (h - 1/(2 beta))^2 + (1 - p) (h + 1/(2 beta))^2], h = a - b.

    Source: 2310.12036 equation 17, in expectation over the label; beta is its tau. Log-ratios are of whole answers, as
    there. Least at h = (2p - 1) / (2 beta): no label takes the policy further than 1 / (2 beta).

    Example: log-ratios 3 and 1, beta = 0.5, p = 0.75, w = 1: h = 2, 0.75 (2 - 1)^2 + 0.25 (2 + 1)^2 = 3.
    """
    h_B, end = (log_ratio_a_B - log_ratio_b_B).float(), 1 / (2 * beta)
    loss_B = p_a_preferred_B * (h_B - end) ** 2 + (1 - p_a_preferred_B) * (h_B + end) ** 2
    return (weight_B * loss_B).sum(), weight_B.sum()


def clipped_policy_loss(
    logp_N: Tensor, old_logp_N: Tensor, advantage_N: Tensor, *, clip: float, weight_N: Tensor | None = None
) -> SumAndWeight:
    """PPO's clipped surrogate, negated: -sum w min(r A, clamp(r, 1 - c, 1 + c) A), r = exp(logp - old_logp).

    Source: 1707.06347 equation 7; GRPO (2402.03300 equation 3) uses the same term. `old_logp_N`, `advantage_N` and
    `weight_N` (`importance_weights`; None: all 1) are constants. The weight of the sum is the number of tokens, over
    the whole step: no mean per answer as in GRPO's equation, because dividing by each answer's own length favors long
    bad answers (Dr. GRPO, 2503.20783 section 3.1).

    Example, c = 0.2: r = 1.5, A = 2 is clipped to 1.2 * 2 = 2.4; r = 1.5, A = -1 is not, -1.5. The loss is
    -(2.4 - 1.5) = -0.9, its weight 2.
    """
    ratio_N = (logp_N - old_logp_N).exp()
    clipped_N = ratio_N.clamp(1 - clip, 1 + clip)
    surrogate_N = torch.minimum(ratio_N * advantage_N, clipped_N * advantage_N)
    return -(surrogate_N if weight_N is None else weight_N * surrogate_N).sum(), _weight(logp_N)


def clip_fraction(logp_N: Tensor, old_logp_N: Tensor, advantage_N: Tensor, *, clip: float) -> SumAndWeight:
    """How many tokens the clip deprives of their gradient, and how many there are. A measure, not a loss.

    Example, c = 0.2: r = 1.5 with A = 2 is clipped, r = 1.5 with A = -1 is not: 1 of 2.
    """
    ratio_N = (logp_N - old_logp_N).exp()
    bound_N = ((ratio_N > 1 + clip) & (advantage_N > 0)) | ((ratio_N < 1 - clip) & (advantage_N < 0))
    return bound_N.float().sum(), _weight(logp_N)


def importance_weights(logp_N: Tensor, sampler_logp_N: Tensor, *, cap: float) -> Tensor:
    """min(p / q, cap), a constant: p and q are a token's probability by trainer and sampler, of the same weights.

    An engine of other arithmetic draws from a slightly other policy; tokens that it draws too often count less. The cap
    bounds the variance. Source: Yao et al. 2025, On the Rollout-Training Mismatch in Modern RL Systems (truncated
    importance sampling, of Ionides 2008, for each token beside PPO's own ratio).

    Example, cap 2: p = 0.5, q = 0.2 gives 2.5, cut to 2; p = 0.2, q = 0.5 gives 0.4.
    """
    return (logp_N - sampler_logp_N).detach().exp().clamp(max=cap)


def sampler_gap(logp_N: Tensor, sampler_logp_N: Tensor) -> tuple[float, float]:
    """How far trainer and sampler are apart: (mean |log p - log q|, KL(sampler || trainer) by k3), nats per token.

    `sampler_logp_N` are of tokens that the sampler drew. Without tokens both are 0. A measure, not a loss.

    Example: q = 0.5, p = 0.25: ln 2 = 0.6931 and 0.5 - 1 + ln 2 = 0.1931.
    """
    count = max(1, len(logp_N))
    difference = float((logp_N - sampler_logp_N).abs().sum()) / count
    return difference, float(kl_k3(sampler_logp_N, logp_N).sum()) / count


def clipped_value_loss(value_N: Tensor, old_value_N: Tensor, return_N: Tensor, *, clip: float) -> SumAndWeight:
    """Half the larger of two squared errors: of the value, and of the value held within `clip` of the old one.

    Source: the reference implementation of 1707.06347 (not in the paper).

    Example, c = 0.2: value 1, old 0, return 2: errors (1 - 2)^2 = 1 and (0.2 - 2)^2 = 3.24; loss 1.62, weight 1.
    """
    held_N = old_value_N + (value_N - old_value_N).clamp(-clip, clip)
    return 0.5 * torch.maximum((value_N - return_N) ** 2, (held_N - return_N) ** 2).sum(), _weight(value_N)


def kl_k1(logp: Tensor, ref_logp: Tensor) -> Tensor:
    """The sampled token's log-ratio, log p - log q: unbiased for KL(p || q) under samples of p, may be negative.

    Source: the penalty of RLHF-22 section 4.1, one token at a time. Example: p = 0.5, q = 0.25: ln 2 = 0.6931.
    """
    return logp - ref_logp


def kl_k3(logp: Tensor, ref_logp: Tensor) -> Tensor:
    """q/p - 1 - log(q/p): its value is unbiased for KL(p || q) under samples of p; never negative, 0 where p = q.

    Its gradient is not: under samples of p it is that of KL(q || p), the other way round. Source: GRPO, 2402.03300
    equation 4. Example: p = 0.5, q = 0.25: 0.5 - 1 + ln 2 = 0.1931.
    """
    log_ratio = ref_logp - logp
    return torch.expm1(log_ratio) - log_ratio
