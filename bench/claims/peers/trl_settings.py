"""TRL's trainers on a processor: what they are told, and the settings at which they are fastest.

Nothing is logged, saved or computed twice. The optimizer, its learning rate and what makes a step are Solon's; how many
rows are read at once, which attention, in which arithmetic, and with padding or without, is what is fastest here.
Weights, gradients and moments are float32 on both sides.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

from transformers import PreTrainedTokenizerBase, PrinterCallback

from measuring.script import Skip
from measuring.turns import tell
from solon.config.training import OptimizerSection
from solon.models.load import quiet


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a user of TRL on a processor can turn."""

    rows: int
    """`per_device_train_batch_size`; the rest of a step accumulates."""
    bf16: bool
    attention: str = "sdpa"
    padding_free: bool = False

    def __str__(self) -> str:
        arithmetic, padding = "bf16" if self.bf16 else "float32", ", padding-free" if self.padding_free else ""
        return f"{self.rows} rows at once, {arithmetic}, {self.attention}{padding}"

    def arguments(self, section: OptimizerSection, folder: str) -> dict[str, Any]:
        """Of every trainer's config. `folder`: nothing is written there."""
        return {
            "output_dir": folder,
            "use_cpu": True,
            "bf16": self.bf16,
            "model_init_kwargs": {"attn_implementation": self.attention, "dtype": "float32"},
            "gradient_checkpointing": False,
            "per_device_train_batch_size": self.rows,
            "gradient_accumulation_steps": section.batch_size // self.rows,
            "learning_rate": section.learning_rate,
            "lr_scheduler_type": "constant",
            "weight_decay": section.weight_decay,
            "max_grad_norm": section.max_grad_norm,
            "num_train_epochs": 1,
            "dataloader_pin_memory": False,
            "logging_strategy": "no",
            "save_strategy": "no",
            "report_to": "none",
            "disable_tqdm": True,
        }


def fastest(
    batch_size: int, most_rows: int, *, bf16: bool, padding_free: bool = False, seconds: Callable[[Settings], float]
) -> Settings:
    """One thing after the other, each at the value at which little work took least time.

    Args:
        most_rows: that fit the memory when they are read at once.
        bf16, padding_free: whether the processor, or the trainer, has it.
    """
    fitting = [rows for rows in (batch_size, batch_size // 2, batch_size // 4) if 0 < rows <= most_rows]
    rows = fitting or [max(1, batch_size // 8)]
    choices: Mapping[str, Sequence[Any]] = {
        "rows": rows,
        "attention": ("sdpa", "eager"),
        "bf16": (bf16, False),
        "padding_free": (False, padding_free),
    }
    best = Settings(rows=rows[0], bf16=bf16)
    seconds(best)  # or the first one would pay for what is made once
    taken: dict[Settings, float] = {}
    for name, values in choices.items():
        for tried in (replace(best, **{name: value}) for value in values):
            if tried not in taken:
                taken[tried] = seconds(tried)
                tell(f"TRL with {tried}: {taken[tried]:.2f} s")
        best = min(taken, key=taken.__getitem__)
    return best


def dataset(rows: Sequence[Mapping[str, object]]) -> Any:
    """Rows as TRL takes them. Raises `Skip` without TRL."""
    if find_spec("trl") is None:
        raise Skip("no TRL (pip install 'trl>=1,<2')")
    import datasets

    datasets.disable_progress_bars()
    return datasets.Dataset.from_list(list(rows))


def silent(build: Callable[[], Any]) -> Any:
    """A trainer that is built, and will train, without a word."""
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # TRL's own use of transformers
        trainer = build()
    trainer.remove_callback(PrinterCallback)
    return trainer


def padded(tokenizer: PreTrainedTokenizerBase) -> PreTrainedTokenizerBase:
    """The same, padding with a token that ends no row: TRL's reward models read the last one that is no padding."""
    if tokenizer.pad_token == tokenizer.eos_token and tokenizer.unk_token:
        tokenizer.pad_token = tokenizer.unk_token
    return tokenizer
