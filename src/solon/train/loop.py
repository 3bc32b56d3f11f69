"""What all training shares: AdamW, warm-up, clipping, one division by the global weight, checkpoints that resume."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from solon.artifacts.checkpoint import Checkpoint
from solon.config import OptimizerSection
from solon.errors import DivergedError
from solon.lm.protocols import Progress
from solon.records import Record
from solon.train.batches import cut, epoch_order, micro_batches
from solon.train.losses import SumAndWeight


class Checkpoints(Protocol):
    """Where a training stage keeps its state. `state` is JSON. `artifacts.checkpoint.Checkpoints` is one."""

    def latest(self) -> Checkpoint | None:
        """The last complete save, or None."""

    def save(self, step: int, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
        """Keeps all of it or, if killed, nothing of it."""


class NoCheckpoints:
    """Keeps nothing: a killed run starts over."""

    def latest(self) -> None:
        return None

    def save(self, step: int, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
        pass


class TrainStep(Record):
    """One optimiser step."""

    step: int
    """From 1."""
    loss: float
    """Sum over the step's examples divided by their weight, in nats."""
    grad_norm: float
    """Before clipping; over all modules together."""
    learning_rate: float
    tokens: int
    """Real tokens read, padding not counted."""


@dataclass(frozen=True, kw_only=True)
class Update:
    """What one optimiser step did; the fields of `TrainStep`."""

    loss: float
    grad_norm: float
    learning_rate: float


def decayed(learning_rate: float, done: float, final_share: float) -> float:
    """A straight line from the full learning rate to `final_share` of it; `done` is the share of the stage behind it.

    Example: 1e-3 with final share 0.2 is 6e-4 halfway.
    """
    return learning_rate * (1.0 - (1.0 - final_share) * done)


def warmed_up(learning_rate: float, step: int, warmup_steps: int) -> float:
    """Linear warm-up, then constant; `step` counts from 1. Example: 1e-3, warm-up 4: step 1 has 2.5e-4, step 4 1e-3."""
    return learning_rate * min(1.0, step / max(1, warmup_steps))


class Trainer:
    """Optimises modules in place.

    Weights become float32 and dropout is off, also while training: no global random state, and in RL the sampled and
    the trained policy are the same function. Gradients are clipped for each module by itself, so that a value model's
    cannot drown the policy's.
    """

    def __init__(self, modules: Mapping[str, nn.Module], section: OptimizerSection) -> None:
        self.modules = dict(modules)
        self.section = section
        self.updates = 0
        self.done = 0.0
        """Share of the stage's steps that are behind; set by `run_steps`."""
        for module in self.modules.values():
            module.float().eval()
        self._parameters = {
            f"{name}.{key}": parameter
            for name, module in self.modules.items()
            for key, parameter in module.named_parameters()
            if parameter.requires_grad
        }
        self._adamw = torch.optim.AdamW(
            self._parameters.values(), lr=section.learning_rate, weight_decay=section.weight_decay
        )

    def update(
        self, micro_batches: Iterable[list[int]], loss_of: Callable[[list[int]], SumAndWeight], *, weight: float
    ) -> Update:
        """One optimiser step on the gradient of (sum of `loss_of` over all micro-batches) / `weight`.

        `weight` is that of the whole batch, known beforehand, so that each micro-batch can be run backwards at once.
        """
        learning_rate = decayed(self.section.learning_rate, self.done, self.section.final_share)
        learning_rate = warmed_up(learning_rate, self.updates + 1, self.section.warmup_steps)
        for group in self._adamw.param_groups:
            group["lr"] = learning_rate
        loss = 0.0
        for micro_batch in micro_batches:
            total, _ = loss_of(micro_batch)
            (total / weight).backward()
            loss += float(total.detach()) / weight
        norms = [
            float(nn.utils.clip_grad_norm_(module.parameters(), self.section.max_grad_norm))
            for module in self.modules.values()
        ]
        grad_norm = math.hypot(*norms)
        if not math.isfinite(loss) or not math.isfinite(grad_norm):
            raise DivergedError(
                f"training diverged at update {self.updates + 1}: loss {loss}, gradient norm {grad_norm} "
                "(lower the learning rate)"
            )
        self._adamw.step()
        self._adamw.zero_grad(set_to_none=True)
        self.updates += 1
        return Update(loss=loss, grad_norm=grad_norm, learning_rate=learning_rate)

    def tensors(self) -> dict[str, Tensor]:
        """Weights and AdamW's state, by name: `weights.*`, and `exp_avg.*`, `exp_avg_sq.*`, `step.*` if it has any."""
        out = {f"weights.{name}": parameter.detach() for name, parameter in self._parameters.items()}
        for name, parameter in self._parameters.items():
            out |= {f"{key}.{name}": value for key, value in self._adamw.state.get(parameter, {}).items()}
        return {name: tensor.detach().cpu().clone() for name, tensor in out.items()}

    @torch.no_grad()
    def load(self, tensors: Mapping[str, Tensor], updates: int) -> None:
        """Puts back what `tensors()` returned."""
        for name, parameter in self._parameters.items():
            parameter.copy_(tensors[f"weights.{name}"])
            state = {key: tensors.get(f"{key}.{name}") for key in ("step", "exp_avg", "exp_avg_sq")}
            self._adamw.state[parameter] = {
                # AdamW keeps its step count on the CPU.
                key: value.clone() if key == "step" else value.to(parameter.device, copy=True)
                for key, value in state.items()
                if value is not None
            }
        self.updates = updates


Step = TypeVar("Step", bound=Record)


def run_steps(
    trainer: Trainer, step: Callable[[int], Step], *, steps: int, record: type[Step], checkpoints: Checkpoints
) -> list[Step]:
    """Runs `step(1)` to `step(steps)` and returns their records; after a kill, from the last checkpoint on.

    A step must be a function of its number and of the trainer's modules alone: then a resumed run ends with the same
    bytes as an undisturbed one.
    """
    records: list[Step] = []
    saved = checkpoints.latest()
    if saved is not None:
        records = [record.model_validate(row) for row in saved.state["records"]]
        trainer.load(saved.tensors, saved.state["updates"])
    for number in range(len(records) + 1, steps + 1):
        trainer.done = (number - 1) / steps
        records.append(step(number))
        if number % trainer.section.checkpoint_steps == 0 and number < steps:
            state = {"updates": trainer.updates, "records": [row.model_dump(mode="json") for row in records]}
            checkpoints.save(number, trainer.tensors(), state)
    return records


@dataclass(frozen=True, kw_only=True)
class Epochs:
    """Examples in the order in which they are learnt from; `row` is an example's index."""

    batches: Sequence[Sequence[int]]
    """The rows of each optimiser step."""
    weights: Sequence[float]
    """Of each row in the loss: its counted tokens, or its pair's weight."""
    lengths: Sequence[int]
    """Padded tokens of each row if it is the longest of its micro-batch."""
    tokens: Sequence[int]
    """Real tokens of each row."""

    @classmethod
    def shuffled(
        cls,
        section: OptimizerSection,
        names: tuple[int, str],
        *,
        epochs: int,
        weights: Sequence[float],
        lengths: Sequence[int],
        tokens: Sequence[int],
    ) -> Epochs:
        """Every row once per epoch, in an order derived from `names` (run seed, stage) and the epoch."""
        batches = [
            batch
            for epoch in range(epochs)
            for batch in cut(epoch_order(len(weights), *names, epoch), section.batch_size)
        ]
        return cls(batches=batches, weights=weights, lengths=lengths, tokens=tokens)


def train_epochs(
    trainer: Trainer,
    epochs: Epochs,
    loss_of: Callable[[list[int]], SumAndWeight],
    *,
    checkpoints: Checkpoints | None,
    progress: Progress | None,
) -> list[TrainStep]:
    """One optimiser step per batch, each on the mean loss of its rows; `progress` hears (rows, tokens) after each."""

    def step(number: int) -> TrainStep:
        rows = epochs.batches[number - 1]
        parts = micro_batches(rows, epochs.lengths, trainer.section.micro_batch_tokens)
        update = trainer.update(parts, loss_of, weight=sum(epochs.weights[row] for row in rows) or 1.0)
        tokens = sum(epochs.tokens[row] for row in rows)
        if progress is not None:
            progress(len(rows), tokens)
        return TrainStep(
            step=number,
            loss=update.loss,
            grad_norm=update.grad_norm,
            learning_rate=update.learning_rate,
            tokens=tokens,
        )

    return run_steps(
        trainer, step, steps=len(epochs.batches), record=TrainStep, checkpoints=checkpoints or NoCheckpoints()
    )
