"""Rollouts: which prompts a step draws, what the policy answers, and what policy and reference think of each token.

Legend: B rollouts, T answer tokens (rows padded on the right), N tokens that count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel

from solon.config.training import RLSection
from solon.lm.protocols import Completion, SampleRequest
from solon.models.heads import ValueModel
from solon.seeds import derive_seed
from solon.train.batches import TokenExample, epoch_order
from solon.train.forward import Reader
from solon.train.loop import TrainContext

if TYPE_CHECKING:
    from solon.train.rewards import Reward


@dataclass(frozen=True, kw_only=True)
class PolicyPrompt:
    """A prompt as the policy reads it."""

    id: str
    text: str


Sampler = Callable[[Sequence[SampleRequest]], Sequence[Completion]]
"""Samples from the policy with the weights it has at the time of the call; answers in the order of requests."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Where rollouts come from and what they earn."""

    prompts: Sequence[PolicyPrompt]
    sampler: Sampler
    reward: Reward
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
    return answers_to(asked, environment, section.temperature, seed=seed)


def answers_to(
    asked: Mapping[str, PolicyPrompt], environment: Environment, temperature: float, *, seed: int
) -> list[Sample]:
    """An answer for each id, drawn from a seed of its own."""
    requests = [
        SampleRequest(
            prompt=prompt.text,
            seed=derive_seed(seed, "rl", sample_id),
            max_new_tokens=environment.max_new_tokens,
            temperature=temperature,
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
    """SL-CAI, frozen: the policy is held close to it. It is read without adapters, so a policy that learns by its
    adapters alone is its own reference."""
    value_model: ValueModel | None = None
    """None for algorithms that need none. It has a backbone of its own, best a copy of the preference model's, so that
    the value loss cannot pull at the policy. With adapters it may be that model's own: the reward does not see them."""

    @property
    def learning(self) -> dict[str, nn.Module]:
        """Those that are trained, by name."""
        return {"policy": self.policy} | ({} if self.value_model is None else {"value": self.value_model})


class TokenModels:
    """What policy, reference and value model say of every answer token.

    Everything is at the sampling temperature: the policy that writes, the one that learns and the reference it is
    compared with are softmax(logits / temperature).
    """

    def __init__(self, models: RLModels, section: RLSection, context: TrainContext):
        reader = partial(Reader, pad_id=context.pad_id, dtype=context.dtype)
        self.policy, self.reference = reader(models.policy), reader(models.reference, bare=True)
        self._value_model = models.value_model
        self._value = None if models.value_model is None else reader(models.value_model.backbone)
        self._temperature = section.temperature
        self.group = context.group

    def logp(self, reader: Reader, examples: Sequence[TokenExample]) -> Tensor:
        """[N] log-probabilities, by the policy or the reference."""
        return reader.logp(reader.collate_examples(examples), temperature=self._temperature)

    def values(self, examples: Sequence[TokenExample]) -> Tensor:
        """[N] values, each of what stands before a token that counts; zeros without a value model."""
        if self._value is None or self._value_model is None:
            return torch.zeros(sum(sum(one.loss_mask[1:]) for one in examples), device=self.policy.device)
        batch = self._value.collate_examples(examples)
        value_N: Tensor = self._value_model.head(self._value.hidden(batch)[batch.before_N])
        return value_N


@dataclass(frozen=True, kw_only=True)
class TokenScores:
    """What the models think of every answer token before the step's first update. All [B, T], 0 outside the mask."""

    logp_BT: Tensor
    """The policy's; the sampler's where nobody asked the policy."""
    sampler_logp_BT: Tensor
    """As the sampler said; the policy's where it did not."""
    ref_logp_BT: Tensor
    value_BT: Tensor
    loss_mask_BT: Tensor


@torch.no_grad()
def score_tokens(models: TokenModels, samples: Sequence[Sample], section: RLSection, *, policy: bool) -> TokenScores:
    """Log-probabilities and values of all answers, without gradients.

    `policy`: whether the policy is asked too; else what the sampler said of it is taken, where it did and is the local
    engine: the gap to another would count as a distance from the reference. The processes of a group share the answers.
    """
    policy = policy or section.sampler != "local"
    examples = [sample.example for sample in samples]
    counted = [sum(example.loss_mask[1:]) for example in examples]
    said = [torch.tensor(sample.answer.logprobs) for sample in samples]
    known = [len(one) for one in said] == counted
    own, idle = models.group.turns(
        models.policy, range(len(samples)), lambda row: [examples[row].input_ids], section.tokens_at_once
    )
    found: dict[int, Tensor] = {}
    for part in (*own, *idle):
        rows = [examples[index] for index in part]
        ref_logp_N, value_N = models.logp(models.reference, rows), models.values(rows)
        sampler_logp_N = torch.cat([said[index] for index in part]).to(ref_logp_N) if known else None
        logp_N = models.logp(models.policy, rows) if policy or sampler_logp_N is None else sampler_logp_N
        table = [logp_N, logp_N if sampler_logp_N is None else sampler_logp_N, ref_logp_N, value_N]
        tables = torch.stack(table, dim=1).cpu().split([counted[index] for index in part])
        found.update(zip(part, tables, strict=True))
    everybodys = models.group.merge(found)
    columns = [everybodys[index].to(models.policy.device) for index in range(len(samples))]
    logp_BT, sampler_logp_BT, ref_logp_BT, value_BT = pad_sequence(columns, batch_first=True).unbind(dim=2)
    tokens_B1 = torch.tensor([[len(row)] for row in columns], device=logp_BT.device)
    return TokenScores(
        logp_BT=logp_BT,
        sampler_logp_BT=sampler_logp_BT,
        ref_logp_BT=ref_logp_BT,
        value_BT=value_BT,
        loss_mask_BT=torch.arange(logp_BT.shape[1], device=logp_BT.device) < tokens_B1,
    )
