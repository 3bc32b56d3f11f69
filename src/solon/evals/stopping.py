"""When a training ends before its last step, and to which weights it goes back: functions of what was seen of it.

Early stopping goes by a loss, the monitor of RL by a measure that the reward never used: what a proxy stands for first
rises with it and then falls, while the proxy goes on rising (Gao et al. 2022, 2210.10760). There the two part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from solon.config.monitor import Gold, MonitorSection
from solon.config.training import EpochsSection, OptimizerSection, RLSection
from solon.evals.checks import Check, HeldOutLoss, Look
from solon.evals.statistics import Interval, leaves_out_zero, mean
from solon.records import Record


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What follows from the looks so far."""

    best: int
    """The step after which the weights were best."""
    stop: str | None = None
    """Why the training ends after the last of them; None: it goes on."""


S = TypeVar("S", bound=Look)
Judge = Callable[[Sequence[S]], Verdict]


def judge_of(section: OptimizerSection) -> Judge[Any] | None:
    """How a training is judged; None: it is not looked at."""
    if isinstance(section, RLSection) and section.monitor:
        return partial(parting, section=section.monitor)
    if isinstance(section, EpochsSection) and section.early_stopping:
        return partial(early_stopping, patience=section.early_stopping.patience)
    return None


def early_stopping(looks: Sequence[HeldOutLoss], patience: int) -> Verdict:
    """The lowest loss is best, the first of equals; after `patience` looks without a lower one the training ends.

    Example: losses 0.9, 0.5, 0.6, 0.5 and patience 2: best is the second, and two looks since then were no lower: stop.
    """
    losses = [look.loss for look in looks]
    place = losses.index(min(losses))
    since = len(looks) - 1 - place
    best, stop = looks[place], None
    if since >= patience:
        stop = f"the held-out loss was {best.loss:.4g} after step {best.step}, and no lower at {since} looks since"
    return Verdict(best=best.step, stop=stop)


def parting(checks: Sequence[Check], section: MonitorSection) -> Verdict:
    """The highest gold among checks within the section's limits is best, the first of equals.

    RL ends when a limit is broken, or when at `patience` checks in a row, the last included, gold has `fallen` below
    the best, which is the luckiest of all: the more there are, the surer a fall has to be. Where the proxy rose
    meanwhile, it has parted from gold; where it did not, the policy has broken down.

    Example: gold 0.7, 0.8, 0.6, 0.5 with proxy 0, 1, 2, 3 and intervals of the falls that leave out 0: best is the
    second; with patience 2 RL ends at the fourth, 0.3 below.
    """
    start, *others = checks
    within = [start, *(check for check in others if not [*_beyond(check, start, section)])]
    best, last = max(within, key=lambda check: check.gold.mean), checks[-1]
    stop = next(_beyond(last, start, section), None)
    if stop is None and all(fallen(best, check, among=len(others)) for check in checks[-section.patience :]):
        stop = _parted(best, last)
    return Verdict(best=best.step, stop=stop)


def fallen(best: Check, now: Check, *, among: int = 1) -> bool:
    """Whether gold is below what it was beyond its interval: that of the mean over prompts of the differences, widened
    for `among` so many comparisons (`leaves_out_zero`).

    Example: 1, 1, 1, 0 of four prompts, now 0, 0, 0, 0: differences -1, -1, -1, 0, mean -0.75, s = 0.5, interval -1.24
    to -0.26: fallen, as among 18, where 2.99 of its standard errors of 0.25 are asked; not among 19. Now 0, 1, 1, 0:
    mean -0.25, interval -0.74 to 0.24: not.
    """
    pairs = zip(best.gold_of, now.gold_of, strict=True)
    falls = [after - before for before, after in pairs if before is not None and after is not None]
    if not falls or (fall := mean(falls)).mean >= 0.0:
        return False
    return leaves_out_zero(Interval(value=fall.mean, low=fall.low, high=fall.high), among=among)


class Ending(Record):
    """How a training that was looked at ended. Weights are named by the step after which the training had them."""

    best: int
    """The best weights of those that were looked at, up to where the training was stopped."""
    stopped: int | None
    """The step after which it was stopped, or, if it only was to be told, would have been; None: nothing stopped it."""
    why: str | None
    kept: int
    """The weights that the training left."""

    @property
    def acted(self) -> bool:
        """Whether it went back to its best weights."""
        return self.kept == self.best

    def told(self, last: int) -> str | None:
        """In a sentence; None if the training went to its last step and left what it had then."""
        kept = f"the weights are those after step {self.kept}"
        if self.stopped is None:
            return None if self.kept == last else f"{kept} of {last}, the best"
        if self.acted:
            return f"stopped after step {self.stopped}: {self.why}; {kept}"
        return f"would have been stopped after step {self.stopped}: {self.why}"


class Monitoring(Record):
    """What the monitor of RL saw, and what came of it."""

    gold: Gold
    """What it went by."""
    checks: tuple[Check, ...]
    ending: Ending


def ending_of(looks: Sequence[Look], section: OptimizerSection) -> Ending | None:
    """How a training with these looks ended; None: it was not looked at."""
    judge = judge_of(section)
    if judge is None or not looks:
        return None
    verdicts = (judge(looks[:count]) for count in range(1, len(looks) + 1))
    judged = list(zip(looks, verdicts, strict=True))
    look, verdict = next(((look, verdict) for look, verdict in judged if verdict.stop), judged[-1])
    acts = section.monitor.stop and verdict.stop if isinstance(section, RLSection) and section.monitor else True
    return Ending(
        best=verdict.best,
        stopped=look.step if verdict.stop else None,
        why=verdict.stop,
        kept=verdict.best if acts else looks[-1].step,
    )


def _parted(best: Check, last: Check) -> str:
    rose = last.proxy.mean > best.proxy.mean
    gold = f"gold fell from {best.gold.mean:.3f} after step {best.step} to {last.gold.mean:.3f}"
    proxy = f"the reward {'rose' if rose else 'fell too,'} from {best.proxy.mean:.2f} to {last.proxy.mean:.2f}"
    return f"{gold}, while {proxy}"


def _beyond(now: Check, start: Check, section: MonitorSection) -> Iterator[str]:
    """The limits that are broken."""
    changes = (
        ("max_kl", "KL in nats per answer", now.kl.mean),
        ("max_length_change", "change of the mean length", abs(now.tokens / max(start.tokens, 1e-9) - 1.0)),
        ("max_boilerplate_rise", "rise of boilerplate", now.boilerplate - start.boilerplate),
        ("max_evasion_rise", "rise of evasion", (now.evasion or 0.0) - (start.evasion or 0.0)),
    )
    for key, what, value in changes:
        limit: float | None = getattr(section, key)
        if limit is not None and value > limit:
            yield f"the {what} was {value:.3g}, more than rl.monitor.{key} = {limit:g}"
