"""Draw tokens. Every row owns its stream of uniforms, so what it draws does not depend on the batch it is in.

B rows   V vocabulary
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from solon.errors import ModelError


def uniforms(seed: int, count: int) -> np.ndarray:
    """The first `count` uniforms in [0, 1) of a row's own Philox stream; token t of the row is drawn with number t."""
    return np.random.Generator(np.random.Philox(key=seed)).random(count)


def double_device(device: torch.device) -> torch.device:
    """Where numbers of this device are added up in float64: Apple's GPUs have none, so there it is the processor."""
    return torch.device("cpu") if device.type == "mps" else device


def draw(logits_BV: Tensor, temperature_B: Tensor, uniform_B: Tensor) -> tuple[Tensor, Tensor]:
    """One token per row by inverse CDF, and its log-probability; both [B].

    The distribution is softmax(logits / temperature). A temperature of 0 takes the likeliest token, the first of
    equals, and gives its log-probability at temperature 1. Probabilities are summed in float64, in order of the token
    id: e.g. probabilities (0.2, 0.5, 0.3) and a uniform of 0.69 give token 1, a uniform of 0.7 token 2.
    Rows whose logits are not numbers get a log-probability of NaN.
    """
    greedy_B = temperature_B == 0
    scaled_BV = logits_BV / torch.where(greedy_B, 1.0, temperature_B)[:, None]
    peak_B1 = scaled_BV.max(dim=-1, keepdim=True).values
    cumulative_BV = (scaled_BV - peak_B1).exp_().cumsum(dim=-1, dtype=torch.float64)
    total_B = cumulative_BV[:, -1]
    # A product may round up to the total, and would then fall behind the last token: stay just below.
    target_B = torch.minimum(uniform_B * total_B, torch.nextafter(total_B, torch.zeros_like(total_B)))
    token_B = torch.searchsorted(cumulative_BV, target_B[:, None], right=True)[:, 0]
    token_B = token_B.clamp_max(logits_BV.shape[-1] - 1)  # only ever needed where a row is not numbers
    if bool(greedy_B.any()):
        token_B = torch.where(greedy_B, scaled_BV.argmax(dim=-1), token_B)
    chosen_B = scaled_BV.gather(1, token_B[:, None])[:, 0] - peak_B1[:, 0]
    return token_B, (chosen_B.double() - total_B.log()).float()


def no_numbers() -> ModelError:
    """What to raise of a model whose logits are NaN."""
    hint = (
        "its training has diverged, some of its weights are not numbers, or config.json holds impossible ones "
        "(e.g. rope_theta, rms_norm_eps)"
    )
    return ModelError("the model returned logits that are not numbers", hint=hint)
