"""What an analysis finds: where people stand, the groups they form, and what each statement means to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from pydantic import Field

from solon.collective.conversation import Bools, Conversation, Floats, Ints, IntsInFiles
from solon.records import Record

Imputation = Literal["mean", "pass"]
"""What a vote not cast counts as while people are grouped: the statement's mean vote, or a pass."""


@dataclass(frozen=True, kw_only=True)
class Projection:
    """Participants and statements on the two axes along which opinions differ most."""

    components_2S: Floats
    center_S: Floats
    """Mean vote of a statement that missing votes were replaced by."""
    participants_P2: Floats
    statements_S2: Floats
    variance_2: Floats
    """Share of the variance each axis explains."""


@dataclass(frozen=True, kw_only=True)
class Groups:
    """Opinion groups. People with too few votes are in none."""

    participant_ids: IntsInFiles
    """Of the people in groups, ascending; G of them."""
    labels_G: IntsInFiles
    """Group of each: 0 is the largest, ties go to the group with the smallest participant id. Stored mathematics and
    exports keep their own numbers."""
    names: tuple[str, ...]
    """How each group is called in output, by label: `0`, `1`, ..., or as the input names it."""
    silhouettes: dict[int, float]
    """By number of groups tried. Empty for groups that were given."""
    method: str
    """`polis`, `ccai`, `stored`, `given` or `exported`."""
    tries: dict[int, int] = field(default_factory=dict)
    """How many tries chose each number of groups. Empty where the number was given."""
    notes: tuple[str, ...] = ()
    """What a reader of the groups has to know, in sentences."""

    @property
    def k(self) -> int:
        return len(self.names)

    @property
    def sizes(self) -> tuple[int, ...]:
        """People in each group, by label."""
        return tuple(np.bincount(self.labels_G, minlength=self.k).tolist())


def by_size(labels_N: Ints, ids_N: Ints) -> Ints:
    """The labels renumbered: 0 is the largest group, and of equals the one with the smallest id in it.

    >>> by_size(np.array([5, 5, 2, 7, 7]), np.array([30, 40, 10, 20, 50])).tolist()
    [1, 1, 2, 0, 0]
    """
    names = np.unique(labels_N)
    rank = sorted(names, key=lambda name: (-int((labels_N == name).sum()), int(ids_N[labels_N == name].min())))
    new = {name: label for label, name in enumerate(rank)}
    return np.array([new[name] for name in labels_N], dtype=np.int64)


class Majority(Record):
    """A statement that most of all participants agree, or disagree, with."""

    comment_id: int = Field(serialization_alias="comment-id")
    direction: str
    """`agree` or `disagree`."""
    n_success: int
    """Votes in that direction."""
    n_trials: int
    """Votes on the statement, passes included."""
    p_success: float
    p_test: float
    """z of `p_success` against one half."""


class Representative(Majority):
    """A statement that sets a group apart. Votes are the group's; `direction`: what it does more than the others."""

    group: str
    repness: float
    """Ratio of the group's probability to everybody else's."""
    repness_test: float
    best_agree: bool = False


class Agreement(Record):
    """How one thing that stored mathematics says of statements compares with what is computed from the votes."""

    quantity: str
    compared: int
    """Statements of which both have a number."""
    differ: int
    """Of those, how many are not the same, up to 1e-9."""
    largest: float


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """One conversation, analysed. Arrays over statements follow `conversation.statements`."""

    conversation: Conversation
    projection: Projection
    groups: Groups
    consensus_S: Floats
    """Group-aware consensus: product over groups of (agrees + 1) / (votes + 2)."""
    disagreement_S: Floats
    """Group-aware disagreement: product over groups of (disagrees + 1) / (votes + 2). High: all groups reject it."""
    extremity_S: Floats
    priority_S: Floats
    polarization_S: Floats
    """0: the groups vote alike; 1: they are wholly opposed."""
    moderated_out_S: Bools
    """True: rejected, or about the conversation itself; counted as a pass by everybody, and in no list."""
    representative: tuple[Representative, ...]
    majority: tuple[Majority, ...]
    agreements: tuple[Agreement, ...] = ()
    """With stored mathematics, where it is given: everything that both say, compared."""
    notes: tuple[str, ...] = ()
    """What a reader has to know, in sentences; those of `groups` among them."""
