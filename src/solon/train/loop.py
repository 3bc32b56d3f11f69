"""What all training shares: AdamW, warm-up, clipping, one division by the global weight, checkpoints that resume."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from pydantic import JsonValue
from torch import Tensor, nn

from solon.artifacts.checkpoint import Checkpoints
from solon.artifacts.tensors import in_shards
from solon.config.training import EpochsSection, OptimizerSection
from solon.errors import RunError
from solon.lm.protocols import Progress
from solon.records import Record
from solon.train.batches import Rows, cut, grouped_order
from solon.train.early_stopping import held_out, stopping_early
from solon.train.faults import BatchDivergedError, DivergedBatch, ExampleLoss, faults_told
from solon.train.flops import FlopCounter
from solon.train.forward import Reader
from solon.train.losses import SumAndWeight
from solon.train.parallel import ALONE, Group, reshard
from solon.train.recompute import recompute_layers
from solon.train.schedules import Schedule, schedule_of, warmed_up
from solon.train.tracking import Speed, Track, untracked
from solon.train.watch import Looked, Watch, unwatched
from solon.train.weights import weights_of


@dataclass(frozen=True, kw_only=True)
class TrainContext:
    """What every training needs besides its models, data and section."""

    seed: int
    pad_id: int
    """Fills short rows; never counted."""
    dtype: torch.dtype
    """Of the arithmetic; moments stay float32, and so do weights and gradients unless a section says otherwise."""
    checkpoints: Checkpoints
    progress: Progress
    """Called after each step with (examples, tokens), both of that step."""
    track: Track = untracked
    looked: Looked = lambda looks: None
    """What hears of each look at a training that is watched."""
    flops: FlopCounter = field(default_factory=FlopCounter)
    """Counts what the models of the training compute."""
    group: Group = ALONE
    """The processes that take each step together."""


class TrainStep(Record):
    """What one optimizer step did."""

    step: int
    """From 1."""
    loss: float
    """Sum over the step's examples divided by their weight, in nats."""
    grad_norm: float
    """Before clipping; over all modules together."""
    learning_rate: float
    """Of the first module: in RL the policy's."""
    tokens: int
    """Of all rows: padding is not counted, and what rows share counts for each."""


FULL_RATE = "full_lr"
"""The key of a group of AdamW's that holds what its learning rate is a share of."""
LossOf = Callable[[list[int]], SumAndWeight]
"""Of examples by their index."""


class Trainer:
    """Optimizes what requires gradients of modules, in place.

    What learns has the type of the section's `weights` (`train.weights`); what is frozen keeps its own. Dropout is off,
    also while training: no global random state, and in RL the sampled and the trained policy are the same function.
    Each module has a learning rate of its own (of the section's `learning_rate_of`), and its gradients are clipped by
    themselves, so that a value model's cannot drown the policy's.
    """

    def __init__(
        self, modules: Mapping[str, nn.Module], section: OptimizerSection, *, group: Group = ALONE, seed: int = 0
    ) -> None:
        """`group`: who takes the steps together. `seed`: of rounding at random."""
        self._group = group
        for module in modules.values():
            module.eval()
            reshard(module)
            _learn_in_float32(module)
            if section.gradient_checkpointing:
                recompute_layers(module)
        parameters = {
            f"{name}.{key}": parameter
            for name, module in modules.items()
            for key, parameter in module.named_parameters()
            if parameter.requires_grad
        }
        self._weights = weights_of(parameters, modules.values(), section, seed=seed)
        self._names_of = {module: [name for name in parameters if name.startswith(f"{module}.")] for module in modules}
        self.begin(section, schedule_of(section))

    @property
    def masters(self) -> Mapping[str, Tensor]:
        """All of what learns, by name."""
        return self._weights.kept

    def begin(self, section: OptimizerSection, schedule: Schedule) -> None:
        """Begins a stage: the weights stay, the optimizer's state and the count of updates do not."""
        self.section, self._schedule = section, schedule
        self.updates = 0
        self.done = 0.0
        """How far the stage is, from 0 at its first step to 1 at its last; set before each step."""
        self._adamw = torch.optim.AdamW(
            [group for module in self._names_of for group in self._groups(module)],
            betas=section.betas,
            eps=section.eps,
            fused=True,  # all weights in one pass: a sixth of the time on a processor (measured)
        )

    def _groups(self, module: str) -> Iterator[dict[str, Any]]:
        """AdamW's, of a module: those that decay, and the others."""
        section, decays = self.section, defaultdict[bool, list[Tensor]](list)
        for name in self._names_of[module]:
            decays[section.decays(self.masters[name].ndim)].append(self._weights.moved[name])
        for decay in (True, False):
            held = {"params": decays[decay], "weight_decay": section.weight_decay if decay else 0.0}
            yield held | {FULL_RATE: section.learning_rate_of(module)}

    def update(
        self,
        micro_batches: Iterable[list[int]],
        loss_of: LossOf,
        *,
        weight: float,
        tokens: int,
        ids: Sequence[str] | None = None,
        idle: Iterable[list[int]] = (),
    ) -> TrainStep:
        """One optimizer step on the gradient of (sum of `loss_of` over all micro-batches) / `weight`.

        `weight` is that of the whole batch, of all processes, known beforehand, so that each micro-batch can be run
        backwards at once. `ids` names the examples. `idle`: micro-batches that are read and do not count
        (`Group.turns`). Raises `BatchDivergedError` before the step if loss or gradient are not finite.
        """
        learning_rate, parts = self._set_learning_rates(), list(micro_batches)
        loss = 0.0
        for part in parts:
            total, _ = loss_of(part)
            (total / weight).backward()
            loss += float(total.detach()) / weight
        for part in idle:
            (loss_of(part)[0] * 0.0).backward()
        loss = self._group.total(loss)
        grad_norm = self._clip_gradients()
        if not math.isfinite(loss) or not math.isfinite(grad_norm):
            raise BatchDivergedError(
                DivergedBatch(
                    update=self.updates + 1,
                    loss=loss,
                    grad_norm=grad_norm,
                    learning_rate=learning_rate,
                    examples=_each_alone([part for some in self._group.gather(parts) for part in some], loss_of, ids),
                )
            )
        self.updates += 1
        self._weights.step(self._adamw, self.updates)
        return TrainStep(step=self.updates, loss=loss, grad_norm=grad_norm, learning_rate=learning_rate, tokens=tokens)

    def _set_learning_rates(self) -> float:
        """For the next step. Returns the first module's."""
        share, groups = self._schedule(self.done), self._adamw.param_groups
        for group in groups:
            group["lr"] = warmed_up(group[FULL_RATE] * share, self.updates + 1, self.section.warmup_steps)
        first: float = groups[0]["lr"]
        return first

    def _clip_gradients(self) -> float:
        """Returns the norm before, over all modules together; of the gradients of all processes."""
        self._group.sum_gradients(self._weights.parameters.values())
        limit = self.section.max_grad_norm
        return math.hypot(*(_number(self._weights.clip(names, limit)) for names in self._names_of.values()))

    def weights(self) -> dict[str, Tensor]:
        """A copy of all that learns, on the CPU."""
        return {name: master.detach().cpu().clone() for name, master in self.masters.items()}

    def put_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Puts back what `weights()` returned; AdamW's state stays."""
        self._weights.put(weights)

    @property
    def keeps(self) -> bool:
        """Whether this process has a part in writing a checkpoint: the first one, and all that hold shards."""
        return self._group.first or any(map(in_shards, self.masters.values()))

    def tensors(self) -> dict[str, Tensor]:
        """What learns and AdamW's state, by name: `weights.*`, and `exp_avg.*`, `exp_avg_sq.*`, `step.*` if it has
        any. Copies on the processor; shards as they are."""
        out = {f"weights.{name}": master for name, master in self.masters.items()}
        for name, moved in self._weights.moved.items():
            out |= {f"{key}.{name}": value for key, value in self._adamw.state.get(moved, {}).items()}
        return {name: one.detach() if in_shards(one) else one.detach().cpu().clone() for name, one in out.items()}

    @torch.no_grad()
    def load(self, tensors: Mapping[str, Tensor], updates: int) -> None:
        """Puts back what `tensors()` returned. Raises `RunError` if it is of other weights, e.g. adapters of another
        rank."""
        _must_fit(tensors, self.masters)
        self.put_weights({name: tensors[f"weights.{name}"] for name in self.masters})
        for name, moved in self._weights.moved.items():
            state = {key: tensors.get(f"{key}.{name}") for key in ("step", "exp_avg", "exp_avg_sq")}
            self._adamw.state[moved] = {
                # AdamW keeps its step count on the CPU.
                key: value.clone() if key == "step" else value.to(moved.device, copy=True)
                for key, value in state.items()
                if value is not None
            }
        self.updates = updates


def _number(norm: Any) -> float:
    """Of a scalar, in shards or not."""
    return float(norm.full_tensor() if in_shards(norm) else norm)


@torch.no_grad()
def _each_alone(parts: Sequence[list[int]], loss_of: LossOf, ids: Sequence[str] | None) -> list[ExampleLoss]:
    losses = [(index, *loss_of([index])) for part in parts for index in part]
    return [
        ExampleLoss(id=ids[index] if ids else str(index), loss=float(loss), weight=float(weight))
        for index, loss, weight in losses
    ]


def _learn_in_float32(module: nn.Module) -> None:
    for parameter in module.parameters():
        if parameter.requires_grad and parameter.dtype != torch.float32:
            parameter.data = parameter.data.float()


def _must_fit(saved: Mapping[str, Tensor], masters: Mapping[str, Tensor]) -> None:
    there = {name.removeprefix("weights."): one.shape for name, one in saved.items() if name.startswith("weights.")}
    wanted = {name: one.shape for name, one in masters.items()}
    if other := sorted(name for name in there.keys() | wanted.keys() if there.get(name) != wanted.get(name)):
        shapes = (tuple(found.get(other[0], ())) or "missing" for found in (there, wanted))
        what = "the checkpoint is of other weights: {} is {} there, {} here".format(other[0], *shapes)
        hint = (
            "go on with the settings and version it was begun with, or delete the checkpoint to begin the stage again"
        )
        raise RunError(what, hint=hint)


Step = TypeVar("Step", bound=TrainStep)


def run_steps(
    trainer: Trainer,
    step: Callable[[int, Sequence[Step]], Step],
    *,
    steps: int,
    record: type[Step],
    context: TrainContext,
    watch: Watch[Any] | None = None,
) -> list[Step]:
    """Runs steps 1 to `steps`, each on its number and the records before it, and returns their records; after a kill,
    from the last checkpoint on. `watch` may end it earlier.

    A step must be a function of these two and of the trainer's modules alone: then a resumed run ends with the same
    bytes as an undisturbed one. Raises as `faults_told`.
    """
    checkpoints, watch = context.checkpoints, watch or unwatched()
    records: list[Step] = []
    saved = checkpoints.latest(trainer.masters)
    if saved is not None:
        records = [record.model_validate(row) for row in saved.state["records"]]
        trainer.load(saved.tensors, saved.state["updates"])
        watch.load(saved)
    with faults_told(trainer.section, checkpoints):
        watch.begin(trainer)
    for number in range(len(records) + 1, steps + 1):
        trainer.done = (number - 1) / max(1, steps - 1)
        began, before = time.monotonic(), context.flops.total
        with faults_told(trainer.section, checkpoints):
            records.append(step(number, records))
            context.track(records[-1], _speed(records[-1].tokens, before, began, context.flops))
            goes_on = watch.after(number, trainer, last=number == steps)
        if not goes_on:
            break
        if number % trainer.section.checkpoint_steps == 0 and number < steps and trainer.keeps:
            rows: list[JsonValue] = [row.model_dump(mode="json") for row in records]
            state: dict[str, JsonValue] = {"updates": trainer.updates, "records": rows}
            checkpoints.save(number, trainer.tensors() | watch.tensors(), state | watch.state())
    watch.end(trainer)
    return records


def _speed(tokens: int, flops_before: float, began: float, flops: FlopCounter) -> Speed:
    """Of a step that began then, when so many operations had been counted."""
    seconds = max(time.monotonic() - began, 1e-9)
    rate = (flops.total - flops_before) / seconds
    mfu = rate / flops.peak if flops.peak else None
    return Speed(tokens_per_second=tokens / seconds, flops_per_second=rate, mfu=mfu)


def train_epochs(
    trainer: Trainer,
    loss_of: LossOf,
    reader: Reader,
    context: TrainContext,
    *,
    stage: str,
    section: EpochsSection,
    ids: Sequence[str],
    prompts: Sequence[str],
    weights: Sequence[float],
    rows_of: Rows,
) -> list[TrainStep]:
    """Every example once per epoch, in an order of the seed, the stage and the epoch (`section.order`); a step is on
    the mean loss of its batch.

    Args:
        reader: of the model that learns.
        ids: of the examples.
        prompts: of each example, what names its prompt.
        weights: of each example in the loss: its counted tokens, or its pair's weight.
        rows_of: what the model reads of an example.
    """
    kept_out = held_out(prompts, section, stage, seed=context.seed)
    learned = sorted({*range(len(ids))} - {*kept_out})
    together = [(prompts if section.order == "prompts" else ids)[one] for one in learned]
    orders = [grouped_order(together, context.seed, stage, epoch) for epoch in range(section.epochs)]
    batches = [[learned[at] for at in batch] for order in orders for batch in cut(order, section.batch_size)]

    def weight_of(some: Sequence[int]) -> float:
        return sum(weights[one] for one in some) or 1.0  # if pairs all weigh nothing, there is no gradient to divide

    def step(number: int, _before: Sequence[TrainStep]) -> TrainStep:
        batch = batches[number - 1]
        tokens = sum(len(row) for one in batch for row in rows_of(one))
        own, idle = context.group.turns(reader, batch, rows_of, section.tokens_at_once)
        update = trainer.update(own, loss_of, weight=weight_of(batch), tokens=tokens, ids=ids, idle=idle)
        context.progress(len(batch), update.tokens)
        return update

    @torch.no_grad()
    def kept_out_loss() -> float:
        own, _ = context.group.turns(reader, kept_out, rows_of, section.tokens_at_once)
        return context.group.total(sum(float(loss_of(piece)[0]) for piece in own)) / weight_of(kept_out)

    watch = stopping_early(section, kept_out_loss, context.looked, context.group)
    return run_steps(trainer, step, steps=len(batches), record=TrainStep, context=context, watch=watch)
