"""The preference model: trained on soft labels, measured on prompts it never saw, then the reward of RL.

Legend: B pairs, or texts where one row is one text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from solon.config.keys import key_of
from solon.config.training import OptimizerSection, PreferenceSection
from solon.errors import memory_for
from solon.lm.protocols import Completion
from solon.models.adapters import reading_by
from solon.models.heads import PreferenceModel
from solon.models.tokens import encode_continuation, encode_prompt
from solon.seeds import generator
from solon.train.forward import Reader
from solon.train.labels import target
from solon.train.loop import TrainContext, Trainer, TrainStep, train_epochs
from solon.train.losses import SumAndWeight, preference_loss
from solon.train.parallel import ALONE, Group
from solon.train.rollouts import PolicyPrompt

SCORED_TOKENS = 2
"""So many times as many tokens are scored at once as are learned from: nothing is kept for gradients. Assumption."""
SHORTENED = "answers shortened to be scored"
"""They did not fit the preference model's context."""


@dataclass(frozen=True, kw_only=True)
class PreferenceExample:
    """Two answers to one prompt, each as prompt and answer in one sequence, and how surely the first is better."""

    id: str
    prompt_id: str
    a_ids: tuple[int, ...]
    b_ids: tuple[int, ...]
    p_a_preferred: float
    weight: float = 1.0
    """This pair's share in the loss relative to others, e.g. to balance objectives."""

    def __post_init__(self) -> None:
        for side, ids in (("a", self.a_ids), ("b", self.b_ids)):
            if not ids:
                raise ValueError(f"{self.id}: answer {side} has no tokens")
        if not 0.0 <= self.p_a_preferred <= 1.0:
            raise ValueError(f"{self.id}: a label of {self.p_a_preferred}, expected a probability, 0 to 1")
        if not 0.0 <= self.weight < math.inf:
            raise ValueError(f"{self.id}: a weight of {self.weight}, expected 0 or more")

    def __len__(self) -> int:
        """Tokens of the longer of the two."""
        return max(len(self.a_ids), len(self.b_ids))


def sequence_tokens(tokenizer: PreTrainedTokenizerBase, prompt: str, answer: str) -> tuple[int, ...]:
    """What the preference model reads: a prompt and its finished answer, as a `DialogueFormat` writes them; the score
    is read at the end mark (RLHF-22 A.2)."""
    return (*encode_prompt(tokenizer, prompt), *encode_continuation(tokenizer, prompt, answer))


def split_by_prompt(
    examples: Iterable[PreferenceExample], share: float, *, seed: int
) -> tuple[list[PreferenceExample], list[PreferenceExample]]:
    """(training, held out): each prompt falls to one side with all its pairs, drawn from `seed` and the prompt's id."""
    sides: tuple[list[PreferenceExample], list[PreferenceExample]] = ([], [])
    for example in examples:
        sides[int(holdout_draw(example.prompt_id, seed=seed) < share)].append(example)
    return sides


def holdout_draw(prompt_id: str, *, seed: int) -> float:
    """In [0, 1): a prompt's pairs are held out if it is below the share that is."""
    return float(generator(seed, "holdout", prompt_id).random())


def train_preference(
    model: PreferenceModel, examples: Sequence[PreferenceExample], section: PreferenceSection, context: TrainContext
) -> list[TrainStep]:
    """Trains `model` in place and returns one record per optimizer step.

    The loss of a step is the weighted mean over its pairs (`losses.preference_loss`).
    """
    if not examples:
        raise ValueError("no comparisons to train a preference model on")

    reader = Reader(model.backbone, pad_id=context.pad_id, dtype=context.dtype)

    def loss_of(rows: list[int]) -> SumAndWeight:
        pairs = [examples[row] for row in rows]
        both = [pair.a_ids for pair in pairs] + [pair.b_ids for pair in pairs]
        score_a_B, score_b_B = scored(model, reader, both).chunk(2)
        p_B = torch.tensor([target(pair.p_a_preferred, section) for pair in pairs], device=score_a_B.device)
        weight_B = torch.tensor([pair.weight for pair in pairs], device=score_a_B.device)
        return preference_loss(score_a_B, score_b_B, p_B, weight_B, margin=section.margin)

    return train_epochs(
        Trainer({"model": model}, section, group=context.group, seed=context.seed),
        loss_of,
        reader,
        context,
        stage="preference",
        section=section,
        ids=[example.id for example in examples],
        prompts=[example.prompt_id for example in examples],
        weights=[example.weight for example in examples],
        rows_of=lambda index: [examples[index].a_ids, examples[index].b_ids],
    )


def scored(model: PreferenceModel, reader: Reader, sequences: Sequence[Sequence[int]]) -> Tensor:
    """[B] scores, float32, from one forward pass."""
    batch = reader.collate(sequences)
    score_B: Tensor = model.head(reader.hidden(batch)[batch.last_R])
    return score_B


@torch.no_grad()
def scores(
    model: PreferenceModel,
    sequences: Sequence[Sequence[int]],
    *,
    section: OptimizerSection = PreferenceSection(),  # noqa: B008
    pad_id: int,
    dtype: torch.dtype = torch.float32,
    group: Group = ALONE,
) -> list[float]:
    """The model's score of each sequence, in order. The processes of a group share them.

    section: whose `micro_batch_tokens` say how much is read at once. Raises `OutOfMemoryError` with that setting.
    """
    reader, limit = Reader(model.backbone, pad_id=pad_id, dtype=dtype), SCORED_TOKENS * section.tokens_at_once
    found: dict[int, float] = {}
    with memory_for(f"{key_of(type(section))}.micro_batch_tokens"):
        own, idle = group.turns(reader, range(len(sequences)), lambda index: [sequences[index]], limit)
        for part in (*own, *idle):
            score_B = scored(model, reader, [sequences[index] for index in part])
            found.update(zip(part, score_B.tolist(), strict=True))
    everybodys = group.merge(found)
    return [everybodys[index] for index in range(len(sequences))]


def margins(
    model: PreferenceModel,
    examples: Sequence[PreferenceExample],
    *,
    section: OptimizerSection = PreferenceSection(),  # noqa: B008
    pad_id: int,
    dtype: torch.dtype = torch.float32,
    group: Group = ALONE,
) -> list[float]:
    """score(a) - score(b) of each pair; its logistic function is the model's p(a preferred). Otherwise as `scores`."""
    both = [ids for example in examples for ids in (example.a_ids, example.b_ids)]
    flat = scores(model, both, section=section, pad_id=pad_id, dtype=dtype, group=group)
    return [a - b for a, b in zip(flat[0::2], flat[1::2], strict=True)]


@dataclass(frozen=True, kw_only=True)
class PreferenceReward:
    """The preference model as a reward of RL: it reads an answer exactly as it read those it was trained on."""

    model: PreferenceModel
    tokenizer: PreTrainedTokenizerBase
    section: OptimizerSection
    """Of the training that it rewards."""
    answer_text: Callable[[str], str]
    """`DialogueFormat.answer`: an answer as it follows its prompt."""
    pad_id: int
    max_tokens: int
    """Of prompt and answer together. A sampled answer may have more when its text is encoded again: what is too much
    then goes from before its last token, where the score is read."""
    count: Callable[[str], object]
    """Told `SHORTENED` for every such answer."""
    dtype: torch.dtype = torch.float32
    prompt_text: Callable[[PolicyPrompt], str] = attrgetter("text")
    """`DialogueFormat.prompt` of its dialogue: that of this model, where it is another than the policy's."""
    group: Group = ALONE
    """Its processes share the answers."""

    def __call__(self, prompts: Sequence[PolicyPrompt], answers: Sequence[Completion]) -> list[float]:
        rows = [
            self._tokens(self.prompt_text(prompt), answer.text) for prompt, answer in zip(prompts, answers, strict=True)
        ]
        with reading_by(self.model.backbone, self.model.adapter):  # others are the policy's, or a value model's
            return scores(
                self.model, rows, section=self.section, pad_id=self.pad_id, dtype=self.dtype, group=self.group
            )

    def _tokens(self, prompt: str, answer: str) -> tuple[int, ...]:
        ids = sequence_tokens(self.tokenizer, prompt, self.answer_text(answer))
        if len(ids) <= self.max_tokens:
            return ids
        self.count(SHORTENED)
        return (*ids[: self.max_tokens - 1], ids[-1])
