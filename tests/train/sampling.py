"""The simplest sampler there is, to test RL without an engine: one full forward pass per token, a generator per row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

from solon.lm.protocols import Completion, SampleRequest


@dataclass(frozen=True, kw_only=True)
class NaiveSampler:
    """Samples from `model` with the weights it has at the time of the call.

    Prompts and texts are token ids in decimal. All prompts must be of one length.
    """

    model: PreTrainedModel
    eos_id: int

    @torch.no_grad()
    def __call__(self, requests: Sequence[SampleRequest]) -> list[Completion]:
        ids_BT = torch.tensor([[int(word) for word in request.prompt.split()] for request in requests])
        width = ids_BT.shape[1]
        draws = [torch.Generator().manual_seed(request.seed % 2**63) for request in requests]
        for _ in range(requests[0].max_new_tokens):
            token_B1 = _drawn(self.model(ids_BT).logits[:, -1], requests[0].temperature, draws)
            ids_BT = torch.cat([ids_BT, token_B1], dim=1)
        return [self._row(row[:width], row[width:]) for row in ids_BT.tolist()]

    def _row(self, prompt: list[int], answer: list[int]) -> Completion:
        finished = self.eos_id in answer
        answer = answer[: answer.index(self.eos_id) + 1] if finished else answer
        text = " ".join(map(str, answer))
        return Completion(
            prompt=" ".join(map(str, prompt)),
            text=text,
            tokens=len(answer),
            ended="eos" if finished else "length",
            prompt_ids=tuple(prompt),
            answer_ids=tuple(answer),
        )


def _drawn(logits_BV: torch.Tensor, temperature: float, draws: Sequence[torch.Generator]) -> torch.Tensor:
    """[B, 1]; the likeliest at temperature 0."""
    if temperature == 0:
        return logits_BV.argmax(dim=-1, keepdim=True)
    p_BV = (logits_BV / temperature).softmax(-1)
    return torch.stack([torch.multinomial(p, 1, generator=draw) for p, draw in zip(p_BV, draws, strict=True)])
