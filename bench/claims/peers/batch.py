"""A peer that takes lists of prompts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from peers.gather import Gather
from solon.lm.protocols import Capabilities, Completion, OptionScores, Sampling
from solon.prompting.chat_template import DialogueFormat
from solon.prompting.context import Context


class BatchPeer(ABC):
    """`LanguageModel` of an engine that completes lists of prompts."""

    identity = "peer"
    can = Capabilities(logprobs="full", prefill=True, seed=False, context=None)
    note = ""
    """What is to be said of this side's setting."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, format: DialogueFormat):
        self.tokenizer, self.format = tokenizer, format
        self._gather: Gather[tuple[list[int], int], list[int]] = Gather(self._all)

    @abstractmethod
    def write(self, prompts: Sequence[list[int]], new_tokens: int) -> Sequence[list[int]]:
        """Exactly `new_tokens` ids behind each prompt, sampled at temperature 1."""

    async def complete(self, context: Context, sampling: Sampling, *, seed: int) -> Completion:
        prompt, new_tokens = self.format.render(context), sampling.max_new_tokens
        ids = await self._gather.ask((self.tokenizer.encode(prompt, add_special_tokens=False), new_tokens))
        assert len(ids) == new_tokens, f"{len(ids)} tokens"
        text = str(self.tokenizer.decode(ids, skip_special_tokens=True)).strip()
        return Completion(prompt=prompt, text=text, tokens=new_tokens, ended="length")

    async def score(self, context: Context, options: Sequence[str]) -> OptionScores:
        raise NotImplementedError

    def _all(self, asked: Sequence[tuple[list[int], int]]) -> Sequence[list[int]]:
        return self.write([ids for ids, _ in asked], asked[0][1])
