"""Supervised finetuning on demonstrations (CAI section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import PreTrainedModel

from solon.config import SFTSection
from solon.lm.protocols import Progress
from solon.train.batches import TokenExample, collate, cut, epoch_order, micro_batches
from solon.train.forward import answer_logits, attention_for
from solon.train.loop import Checkpoints, NoCheckpoints, Trainer, TrainStep, run_steps
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
    batches = [
        batch
        for epoch in range(section.epochs)
        for batch in cut(epoch_order(len(examples), seed, "sft", epoch), section.batch_size)
    ]
    trainer = Trainer({"model": model}, section)

    def loss_of(indices: Sequence[int]) -> SumAndWeight:
        batch = collate([examples[index] for index in indices], pad_id, device)
        logits_NV, targets_N = answer_logits(model, batch, dtype), batch.target_ids_N
        return cross_entropy(logits_NV, targets_N, torch.ones_like(targets_N, dtype=torch.bool))

    def step(number: int) -> TrainStep:
        indices = batches[number - 1]
        weight = sum(sum(examples[index].loss_mask[1:]) for index in indices)
        parts = micro_batches(indices, lengths, section.micro_batch_tokens)
        update = trainer.update(parts, loss_of, weight=max(1, weight))
        tokens = sum(lengths[index] for index in indices)
        if progress is not None:
            progress(len(indices), tokens)
        return TrainStep(
            step=number,
            loss=update.loss,
            grad_norm=update.grad_norm,
            learning_rate=update.learning_rate,
            tokens=tokens,
        )

    with attention_for([model], max(lengths)):
        return run_steps(
            trainer, step, steps=len(batches), record=TrainStep, checkpoints=checkpoints or NoCheckpoints()
        )
