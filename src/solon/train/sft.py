"""Supervised finetuning on demonstrations (CAI section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence

from transformers import PreTrainedModel

from solon.config.training import SFTSection
from solon.train.batches import TokenExample, collate
from solon.train.forward import answer_logits, attention_for
from solon.train.loop import TrainContext, Trainer, TrainStep, train_epochs
from solon.train.losses import SumAndWeight, cross_entropy


def finetune(
    model: PreTrainedModel, examples: Sequence[TokenExample], section: SFTSection, context: TrainContext
) -> list[TrainStep]:
    """Finetunes `model` in place on the tokens that count, and returns one record per optimizer step.

    The loss is the mean over a step's counted tokens. The weights become float32.
    """
    if not examples:
        raise ValueError("nothing to finetune on")
    device = next(model.parameters()).device
    lengths = [len(example) for example in examples]

    def loss_of(rows: list[int]) -> SumAndWeight:
        batch = collate([examples[row] for row in rows], context.pad_id, device)
        return cross_entropy(answer_logits(model, batch, context.dtype), batch.target_ids_N)

    with attention_for([model], max(lengths)):
        return train_epochs(
            Trainer({"model": model}, section),
            loss_of,
            context,
            stage="sft",
            epochs=section.epochs,
            weights=[sum(example.loss_mask[1:]) for example in examples],
            lengths=lengths,
            tokens=lengths,
        )
