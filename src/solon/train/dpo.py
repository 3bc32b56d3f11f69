"""Direct preference optimization: the policy learns from comparisons themselves, without preference model and RL.

Legend: B pairs of one forward pass, P all pairs.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel

from solon.config.training import DPOSection
from solon.lm.prefixes import common_length
from solon.train.batches import TokenExample
from solon.train.forward import Reader
from solon.train.labels import target
from solon.train.loop import TrainContext, Trainer, TrainStep, train_epochs
from solon.train.losses import SumAndWeight, dpo_loss, ipo_loss
from solon.train.preference import PreferenceExample

LOSSES = {"sigmoid": dpo_loss, "ipo": ipo_loss}
"""By `dpo.loss`."""


def train_dpo(
    policy: PreTrainedModel,
    reference: PreTrainedModel,
    examples: Sequence[PreferenceExample],
    section: DPOSection,
    context: TrainContext,
) -> list[TrainStep]:
    """Trains `policy` in place and returns one record per optimizer step. The weights become what `section` says.

    The loss of a step is the weighted mean over its pairs. `reference` is asked once, before the first step: it may be
    the policy itself, which is then held to what it was.
    """
    if not examples:
        raise ValueError("no comparisons to learn from")
    reader, loss = Reader(policy, pad_id=context.pad_id, dtype=context.dtype), LOSSES[section.loss]
    trainer = Trainer({"policy": policy}, section, group=context.group, seed=context.seed)
    ref_logp_P2 = answer_logps(reference, examples, section, context)

    def loss_of(rows: list[int]) -> SumAndWeight:
        pairs = [examples[row] for row in rows]
        ratio_a_B, ratio_b_B = (_logps(reader, pairs) - ref_logp_P2[rows]).unbind(1)
        p_B = torch.tensor([target(pair.p_a_preferred, section) for pair in pairs], device=reader.device)
        weight_B = torch.tensor([pair.weight for pair in pairs], device=reader.device)
        return loss(ratio_a_B, ratio_b_B, p_B, weight_B, beta=section.beta)

    return train_epochs(
        trainer,
        loss_of,
        reader,
        context,
        stage="dpo",
        section=section,
        ids=[example.id for example in examples],
        prompts=[example.prompt_id for example in examples],
        weights=[example.weight for example in examples],
        rows_of=lambda index: _rows(examples[index]),
    )


@torch.no_grad()
def answer_logps(
    model: PreTrainedModel, examples: Sequence[PreferenceExample], section: DPOSection, context: TrainContext
) -> Tensor:
    """[P, 2]: of each pair, the log-probabilities of both answers from where they part, in nats."""
    reader = Reader(model, pad_id=context.pad_id, dtype=context.dtype)
    own, idle = context.group.turns(
        reader, range(len(examples)), lambda index: _rows(examples[index]), section.tokens_at_once
    )
    found: dict[int, list[float]] = {}
    for part in (*own, *idle):
        found.update(zip(part, _logps(reader, [examples[index] for index in part]).tolist(), strict=True))
    everybodys = context.group.merge(found)
    return torch.tensor([everybodys[index] for index in range(len(examples))], device=reader.device).view(-1, 2)


def _logps(reader: Reader, pairs: Sequence[PreferenceExample]) -> Tensor:
    """[B, 2], from one forward pass."""
    answers = [answer for pair in pairs for answer in _answers(pair)]
    logp_N = reader.logp(reader.collate_examples(answers))
    return torch.stack([one_N.sum() for one_N in logp_N.split([sum(one.loss_mask[1:]) for one in answers])]).view(-1, 2)


def _answers(pair: PreferenceExample) -> list[TokenExample]:
    """What both begin with, the prompt and more, cancels out of their margin: it does not count."""
    shared = common_length(pair.a_ids, pair.b_ids)
    return [TokenExample.answered(pair.id, ids[:shared], ids[shared:]) for ids in (pair.a_ids, pair.b_ids)]


def _rows(pair: PreferenceExample) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return pair.a_ids, pair.b_ids
