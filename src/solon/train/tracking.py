"""Steps of training, told to TensorBoard or Weights & Biases as they end. `steps.jsonl` has them all anyway.

What is tracked lies in `tracking/STAGE` of the run's folder, and is no part of its results.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from solon.artifacts.manifest import Header
from solon.config.run import Tracker
from solon.errors import ConfigError
from solon.toml_text import leaves

if TYPE_CHECKING:
    from solon.train.loop import TrainStep


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Of one step, per second of wall time."""

    tokens_per_second: float
    flops_per_second: float
    """Floating-point operations of the products that training computed (`train.flops`)."""
    mfu: float | None
    """These as a share of what the device does; None if that is not known."""

    def numbers(self) -> dict[str, float]:
        """Those that are known."""
        mfu = {} if self.mfu is None else {"mfu": self.mfu}
        return {"tokens_per_second": self.tokens_per_second, "flops_per_second": self.flops_per_second} | mfu


Track = Callable[["TrainStep", Speed], None]
"""Called after each step with its record."""
_Write = Callable[[int, Mapping[str, float]], object]
"""Writes the numbers of a step."""


def untracked(record: TrainStep, speed: Speed) -> None:
    """For who does not want to know."""


def check_trackers(names: Sequence[Tracker]) -> None:
    """Raises `ConfigError` if the library of one is missing: each is called as its library."""
    for name in names:
        if find_spec(name) is None:
            what = f"tracking.to names {name}, a library that is missing"
            raise ConfigError(what, hint="pip install 'solon[tracking]'")


@contextmanager
def trackers(names: Sequence[Tracker], run: Path, header: Header) -> Iterator[Track]:
    """Tells every named tracker of the steps of a stage; none costs nothing. A step that is done again after a kill is
    shown once. Raises as `check_trackers`."""
    check_trackers(names)
    writes: list[_Write] = []
    with ExitStack() as stack:

        def track(record: TrainStep, speed: Speed) -> None:
            if not writes:
                training = _Training(run=run, header=header, first_step=record.step)
                training.folder.mkdir(parents=True, exist_ok=True)
                writes.extend(_OPEN[name](training, stack) for name in dict.fromkeys(names))
            numbers = dict(leaves(record.model_dump(exclude={"step"}))) | speed.numbers()
            for write in writes:
                write(record.step, numbers)

        yield track if names else untracked


@dataclass(frozen=True, kw_only=True)
class _Training:
    """What is told of a stage to who is to hear of its steps."""

    run: Path
    header: Header
    first_step: int
    """Of this process."""

    @property
    def folder(self) -> Path:
        return self.run / "tracking" / self.header.stage


def _tensorboard(training: _Training, stack: ExitStack) -> _Write:
    """Event files. Those of an earlier process lose the steps that this one tells."""
    from torch.utils.tensorboard import SummaryWriter

    writer = stack.enter_context(SummaryWriter(str(training.folder), purge_step=training.first_step))

    def write(step: int, numbers: Mapping[str, float]) -> None:
        for name, value in numbers.items():
            writer.add_scalar(name, value, step)
        writer.flush()  # a kill would take what is not: steps before the checkpoint are not done again

    return write


def _wandb(training: _Training, stack: ExitStack) -> _Write:
    """A run on its server for each stage, those of one run of ours in one group; with `WANDB_MODE=offline` in files.
    It gets numbers and the stage's settings: neither code nor console. It keeps the first of two equal steps."""
    import wandb

    config: Any = {"seed": training.header.seed, "settings": training.header.config}
    try:
        run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", "solon"),
            group=training.run.name,
            name=training.header.stage,
            dir=training.folder,
            config=config,
            resume="auto",
            settings=wandb.Settings(console="off", disable_code=True, disable_git=True),
        )
    except wandb.Error as error:
        hint = "see to that, set WANDB_MODE=offline, or take wandb out of tracking.to"
        raise ConfigError(f"wandb cannot begin: {error}", hint=hint) from error
    stack.push(lambda kind, *_: run.finish(exit_code=0 if kind is None else 1))
    return lambda step, numbers: run.log(dict(numbers), step=step)


_OPEN: Mapping[Tracker, Callable[[_Training, ExitStack], _Write]] = {"tensorboard": _tensorboard, "wandb": _wandb}
