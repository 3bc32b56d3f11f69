"""Supervised finetuning on demonstrations (CAI section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import PreTrainedModel

from solon.config import SFTSection
from solon.lm.protocols import Progress
from solon.train.batches import TokenExample, collate
from solon.train.forward import answer_logits, attention_for
from solon.train.loop import Checkpoints, Epochs, Trainer, TrainStep, train_epochs
from solon.train.losses import SumAndWeight, cross_entropy


def finetune(
    model: PreTrainedModel,
    examples: Sequence[TokenExample],
    section: SFTSection,
    *,
    seed: int,
    pad_id: int,
    dtype: torch.dtype = torch.float32,
    checkpoints: Checkpoints | None = None,
    progress: Progress | None = None,
) -> list[TrainStep]:
    """Finetunes `model` in place on the tokens that count, and returns one record per optimiser step.

    Each epoch visits every example once, in an order derived from `seed`. The loss is the mean over a step's counted
    tokens. `dtype` is that of the arithmetic; the weights become float32. `progress` is called after each step with
    (examples, tokens read).
    """
    if not examples:
        raise ValueError("nothing to finetune on")
    device = next(model.parameters()).device
    lengths = [len(example) for example in examples]
    counted = [sum(example.loss_mask[1:]) for example in examples]
    epochs = Epochs.shuffled(
        section, (seed, "sft"), epochs=section.epochs, weights=counted, lengths=lengths, tokens=lengths
    )
    trainer = Trainer({"model": model}, section)

    def loss_of(rows: list[int]) -> SumAndWeight:
        batch = collate([examples[row] for row in rows], pad_id, device)
        logits_NV, targets_N = answer_logits(model, batch, dtype), batch.target_ids_N
        return cross_entropy(logits_NV, targets_N, torch.ones_like(targets_N, dtype=torch.bool))

    with attention_for([model], max(lengths)):
        return train_epochs(trainer, epochs, loss_of, checkpoints=checkpoints, progress=progress)
