"""Rollouts: which prompts a step draws, what the policy answers, and what policy and reference think of each token.

Legend: B rollouts, T answer tokens (rows padded on the right), N tokens that count, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel

from solon.config.training import RLSection
from solon.lm.protocols import Completion, SampleRequest
from solon.seeds import derive_seed
from solon.train.batches import TokenBatch, TokenExample, collate, epoch_order, micro_batches
from solon.train.forward import answer_logits, autocast
from solon.train.loop import TrainContext
from solon.train.losses import entropy, exact_kl, token_logprobs


@dataclass(frozen=True, kw_only=True)
class PolicyPrompt:
    """A prompt as the policy reads it."""

    id: str
    text: str


Sampler = Callable[[Sequence[SampleRequest]], Sequence[Completion]]
"""Samples from the policy with the weights it has at the time of the call; answers in the order of requests."""
RewardModel = Callable[[Sequence[PolicyPrompt], Sequence[Completion]], Sequence[float]]
"""Scores answers; `prompts[i]` belongs to `answers[i]`."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Where rollouts come from and what they earn."""

    prompts: Sequence[PolicyPrompt]
    sampler: Sampler
    reward_model: RewardModel
    max_new_tokens: int
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One answer of one step."""

    id: str
    prompt: PolicyPrompt
    answer: Completion

    @property
    def example(self) -> TokenExample:
        return TokenExample.answered(self.id, self.answer.prompt_ids, self.answer.answer_ids)


def draw_prompts(prompts: Sequence[PolicyPrompt], step: int, count: int, *, seed: int) -> list[PolicyPrompt]:
    """The prompts of `step` (from 1): every prompt once, in a shuffled order, before any comes again.

    A function of its arguments alone, so a resumed run draws the same.
    """
    start, size = (step - 1) * count, len(prompts)
    epochs = range(start // size, (start + count - 1) // size + 1)
    order = [index for epoch in epochs for index in epoch_order(size, seed, "rl", "prompts", epoch)]
    return [prompts[index] for index in order[start % size :][:count]]


def sample_rollouts(
    environment: Environment, prompts: Sequence[PolicyPrompt], section: RLSection, *, step: int, seed: int
) -> list[Sample]:
    """A group of answers to each prompt, those of one prompt together; each answer has a seed of its own."""
    members = range(section.samples_per_prompt)
    asked = {f"rl-{step}-{place}-{member}": prompt for place, prompt in enumerate(prompts) for member in members}
    requests = [
        SampleRequest(
            prompt=prompt.text,
            seed=derive_seed(seed, "rl", sample_id),
            max_new_tokens=environment.max_new_tokens,
            temperature=section.temperature,
            stop=environment.stop,
        )
        for sample_id, prompt in asked.items()
    ]
    answered = zip(asked.items(), environment.sampler(requests), strict=True)
    return [Sample(id=sample_id, prompt=prompt, answer=answer) for (sample_id, prompt), answer in answered]


@dataclass(frozen=True, kw_only=True)
class RLModels:
    """The models of RL beside the reward; only policy and value model learn."""

    policy: PreTrainedModel
    reference: PreTrainedModel
    """SL-CAI, frozen: the policy is held close to it."""
    value_model: nn.Module | None = None
    """(ids [B, T], mask [B, T]) -> values [B, T], e.g. `models.heads.ValueModel`; None for algorithms that need none.

    It has a backbone of its own, best a copy of the preference model's, so that the value loss cannot pull at the
    policy."""

    @property
    def device(self) -> torch.device:
        return next(self.policy.parameters()).device

    @property
    def learning(self) -> dict[str, nn.Module]:
        """Those that are trained, by name."""
        return {"policy": self.policy} | ({} if self.value_model is None else {"value": self.value_model})

    def values(self, batch: TokenBatch, dtype: torch.dtype) -> Tensor:
        """[N] values, each of what stands before a token that counts; zeros without a value model."""
        if self.value_model is None:
            return torch.zeros(len(batch.target_ids_N), device=self.device)
        with autocast(self.device, dtype):
            value_BT: Tensor = self.value_model(batch.input_ids_BT, batch.attention_mask_BT)
        return value_BT.float()[batch.before_mask_BT]


@dataclass(frozen=True, kw_only=True)
class TokenScores:
    """What the models think of every answer token before the step's first update. All [B, T], 0 outside the mask."""

    logp_BT: Tensor
    ref_logp_BT: Tensor
    kl_BT: Tensor
    """Exact KL(policy || reference) over the vocabulary."""
    entropy_BT: Tensor
    value_BT: Tensor
    loss_mask_BT: Tensor


@torch.no_grad()
def score_tokens(
    models: RLModels, examples: Sequence[TokenExample], section: RLSection, context: TrainContext
) -> TokenScores:
    """Log-probabilities, KL, entropy and values of all answers, without gradients.

    Everything is at the sampling temperature: the policy that writes, the one that learns and the reference it is
    compared with are softmax(logits / temperature).
    """
    lengths, dtype = [len(example) for example in examples], context.dtype
    columns: list[Tensor] = [torch.empty(0)] * len(examples)
    for part in micro_batches(range(len(examples)), lengths, section.micro_batch_tokens):
        batch = collate([examples[index] for index in part], context.pad_id, models.device)
        logits_NV = answer_logits(models.policy, batch, dtype) / section.temperature
        ref_logits_NV = answer_logits(models.reference, batch, dtype) / section.temperature
        logp_N = token_logprobs(logits_NV, batch.target_ids_N)
        ref_logp_N = token_logprobs(ref_logits_NV, batch.target_ids_N)
        kl_N, entropy_N = exact_kl(logits_NV, ref_logits_NV), entropy(logits_NV)
        table_N5 = torch.stack([logp_N, ref_logp_N, kl_N, entropy_N, models.values(batch, dtype)], dim=1)
        for index, rows in zip(part, table_N5.split(batch.target_mask_BT.sum(dim=1).tolist()), strict=True):
            columns[index] = rows
    logp_BT, ref_logp_BT, kl_BT, entropy_BT, value_BT = pad_sequence(columns, batch_first=True).unbind(dim=2)
    tokens_B1 = torch.tensor([[len(rows)] for rows in columns], device=logp_BT.device)
    return TokenScores(
        logp_BT=logp_BT,
        ref_logp_BT=ref_logp_BT,
        kl_BT=kl_BT,
        entropy_BT=entropy_BT,
        value_BT=value_BT,
        loss_mask_BT=torch.arange(logp_BT.shape[1], device=logp_BT.device) < tokens_B1,
    )
