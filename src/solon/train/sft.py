"""Supervised finetuning on demonstrations (CAI section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence

from transformers import PreTrainedModel

from solon.config.training import SFTSection
from solon.train.batches import TokenExample
from solon.train.forward import Reader
from solon.train.loop import TrainContext, Trainer, TrainStep, train_epochs
from solon.train.losses import SumAndWeight, cross_entropy


def finetune(
    model: PreTrainedModel, examples: Sequence[TokenExample], section: SFTSection, context: TrainContext
) -> list[TrainStep]:
    """Finetunes `model` in place on the tokens that count, and returns one record per optimizer step.

    The loss is the mean over a step's counted tokens. The weights become what `section` says.
    """
    if not examples:
        raise ValueError("nothing to finetune on")
    if empty := [one.id for one in examples if not any(one.loss_mask[1:])]:
        raise ValueError(f"{empty[0]}: an empty mask: of none of its tokens the prediction counts")
    reader = Reader(model, pad_id=context.pad_id, dtype=context.dtype)

    def loss_of(rows: list[int]) -> SumAndWeight:
        batch = reader.collate_examples([examples[row] for row in rows], merged=True)
        return cross_entropy(reader.logp(batch), batch.weight_N)

    return train_epochs(
        Trainer({"model": model}, section, group=context.group, seed=context.seed),
        loss_of,
        reader,
        context,
        stage="sft",
        section=section,
        ids=[example.id for example in examples],
        prompts=[example.prompt for example in examples],
        weights=[sum(example.loss_mask[1:]) for example in examples],
        rows_of=lambda index: [examples[index].input_ids],
    )
