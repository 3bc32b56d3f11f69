"""What of the reward of RL an engine takes over: `rl.rewards` of the run file, term by term."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from solon.config.rewards import RewardsSection
from solon.config.run import RunConfig

OWN = "preference"
"""The term of the run's own preference model."""
NO_JUDGE = "it asks no judge"
ONE_MODEL = "it takes one reward model"
_AS_GIVEN = "scores of models count as they are given: nothing standardizes them, so that weights mean something else"


@dataclass(frozen=True, kw_only=True)
class Rewarding:
    """What an engine lets answers earn."""

    taken: Mapping[str, float]
    """Weights by term."""
    departs: Mapping[str, str]
    """What is otherwise than in the run, by term or key of `rl.rewards`."""

    @property
    def of_texts(self) -> Mapping[str, float]:
        """What is taken beside models."""
        return {name: weight for name, weight in self.taken.items() if name != OWN}

    @property
    def needs_no_model(self) -> bool:
        """Whether answers earn something without a preference model."""
        return bool(self.taken) and OWN not in self.taken

    @property
    def as_ever(self) -> bool:
        """Whether it is the preference model's score and nothing else, there as in the run."""
        return self.taken == {OWN: 1.0} and not self.departs


Takes = Callable[[RunConfig], Rewarding]


def rewarding(rewards: RewardsSection, lacks: Mapping[str, str]) -> Rewarding:
    """All terms but those that an engine `lacks`, each with the reason; `models` stands for all other models."""
    reasons = {name: lacks.get("models" if name.startswith("models.") else name) for name in _weights(rewards)}
    departs = {name: reason for name, reason in reasons.items() if reason}
    scale = {"scale": _AS_GIVEN} if rewards.standardized else {}
    taken = {name: weight for name, weight in _weights(rewards).items() if name not in departs}
    return Rewarding(taken=taken, departs=departs | scale)


def unweighted(rewards: RewardsSection, lacks: Mapping[str, str]) -> Rewarding:
    """The same, by an engine whose reward model has the weight 1, and which does nothing without it."""
    found = rewarding(rewards, lacks)
    if not rewards.preference:
        every = dict.fromkeys(found.taken, "it takes this beside a reward model alone")
        return Rewarding(taken={}, departs={**every, **found.departs})
    plain = {} if rewards.preference == 1.0 else {OWN: f"its weight is 1 there, {rewards.preference:g} in the run"}
    return Rewarding(taken={**found.taken, OWN: 1.0}, departs={**plain, **found.departs})


def _weights(rewards: RewardsSection) -> dict[str, float]:
    return rewards.of_models | rewards.of_texts
