"""A judge as people write it with transformers: the next token's probabilities, prompt by prompt or in batches.

An option is read from the first token that tells it from the other, so one forward pass is enough; Solon's own engine
adds the tokens behind it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import torch
from torch import Tensor

from peers.gather import Gather
from peers.generate import left_padded
from solon.lm.protocols import Capabilities, Completion, OptionScores, Sampling
from solon.models.load import LoadedModel
from solon.models.tokens import encode_continuation, encode_prompt
from solon.prompting.chat_template import DialogueFormat
from solon.prompting.context import Context


class ForwardJudge(ABC):
    """`LanguageModel` that only scores."""

    identity = "peer"
    can = Capabilities(logprobs="full", prefill=True, seed=False, context=None)

    def __init__(self, loaded: LoadedModel, format: DialogueFormat):
        self.model: Any = loaded.model
        self.tokenizer, self.format = loaded.tokenizer, format
        self._gather: Gather[list[int], Tensor] = Gather(self.next_tokens)

    @abstractmethod
    def next_tokens(self, prompts: Sequence[list[int]]) -> Sequence[Tensor]:
        """Logits [V] after each prompt."""

    async def score(self, context: Context, options: Sequence[str]) -> OptionScores:
        prompt = self.format.render(context)
        option_ids = [encode_continuation(self.tokenizer, prompt, option) for option in options]
        shared = [ids[0] for ids in takewhile(lambda ids: len(set(ids)) == 1, zip(*option_ids, strict=False))]
        logits_V = await self._gather.ask([*encode_prompt(self.tokenizer, prompt), *shared])
        logp_V = logits_V.float().log_softmax(dim=-1)
        return OptionScores(logprobs=tuple(float(logp_V[ids[len(shared)]]) for ids in option_ids))

    async def complete(self, context: Context, sampling: Sampling, *, seed: int) -> Completion:
        raise NotImplementedError


class PromptByPrompt(ForwardJudge):
    """One forward pass for every prompt."""

    @torch.no_grad()
    def next_tokens(self, prompts: Sequence[list[int]]) -> Sequence[Tensor]:
        return [self.model(torch.tensor([ids]), logits_to_keep=1, use_cache=False).logits[0, -1] for ids in prompts]


class BatchedGenerate(ForwardJudge):
    """`generate` of one token, so many rows at a time, sorted by length."""

    def __init__(self, loaded: LoadedModel, format: DialogueFormat, batch_size: int):
        super().__init__(loaded, format)
        self.batch_size = batch_size

    @torch.no_grad()
    def next_tokens(self, prompts: Sequence[list[int]]) -> Sequence[Tensor]:
        order = sorted(range(len(prompts)), key=lambda row: len(prompts[row]))
        found: dict[int, Tensor] = {}
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            ids, mask = left_padded([prompts[row] for row in rows])
            told = {"output_logits": True, "return_dict_in_generate": True}
            out = self.model.generate(
                ids, attention_mask=mask, max_new_tokens=1, do_sample=False, pad_token_id=0, **told
            )
            found |= dict(zip(rows, out.logits[0], strict=True))
        return [found[row] for row in range(len(prompts))]
