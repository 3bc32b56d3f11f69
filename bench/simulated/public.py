"""A simulated public whose groups disagree in a known way, to try the methods on where the truth is known.

People have attributes; attributes make it likelier to belong to one opinion group or another; a group agrees with each
statement with a known probability. A sample recruits some people more readily than others, by their attributes, and
everybody sees only some of the statements. Nothing in a sample says which group anybody is in.

Shapes: C kinds of people (combinations of categories), G groups, P participants, S statements.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from solon.collective.conversation import AGREE, DISAGREE, PASS, Conversation, Floats, Ints, Participant, Statement
from solon.collective.people.population import Attribute, Population
from solon.collective.people.sample import Sample
from solon.seeds import generator

CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "age": ("young", "middle", "old"),
    "schooling": ("short", "medium", "long"),
    "place": ("town", "village"),
}
CONSENSUS, DIVISIVE, MIXED = "consensus", "divisive", "mixed"
PASSES = 0.08
"""Share of votes that are passes: as in the Collective Constitutional AI data."""
CONSENSUS_AGREES = (0.72, 0.88)
"""Range of the probability to agree with a consensus statement, drawn for each group by itself."""
AGAINST, FOR = (0.10, 0.20), (0.75, 0.85)
"""Ranges of the probability to agree with a divisive statement, on its two sides."""
MIXED_AGREES = (0.35, 0.60)
"""Range for statements on which every group is of two minds."""
LEANING = 1.5
"""How strongly attributes pull towards a group: standard deviation of the log-odds."""
RECRUITMENT = 0.4
"""How much more readily people are recruited whose attributes lean to group 0: log-odds for each unit of log-odds."""


HIDDEN_READINESS = 3.0
"""So many times as readily one group is recruited where recruitment goes by opinion."""


@dataclass(frozen=True, kw_only=True)
class Public:
    """A population and what it thinks: the truth."""

    kinds_C: tuple[tuple[str, ...], ...]
    """A category of each attribute."""
    share_C: Floats
    """Of the population."""
    group_CG: Floats
    """Probability of each group, given the kind of person. Rows sum to 1."""
    agree_GS: Floats
    """Probability to agree, of all who see the statement. `PASSES` pass, the others disagree."""
    recruit_CG: Floats
    """Chance that the next person recruited is of this kind and group. Sums to 1."""
    kind_S: tuple[str, ...]
    """`consensus`, `divisive` or `mixed`."""

    @property
    def truth_S(self) -> Floats:
        """The population's share that agrees with each statement."""
        return np.asarray(self.share_C @ self.group_CG @ self.agree_GS)

    @property
    def population(self) -> Population:
        """The quotas, as somebody would know them who knows the census and no opinions: attribute by attribute."""
        attributes = {}
        for place, (name, categories) in enumerate(CATEGORIES.items()):
            shares = {
                category: float(
                    sum(self.share_C[at] for at, kind in enumerate(self.kinds_C) if kind[place] == category)
                )
                for category in categories
            }
            attributes[name] = Attribute(shares=shares)
        return Population(path=Path("simulated.toml"), title="A simulated public", attributes=attributes)


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A sample of a public, and the truth about it."""

    conversation: Conversation
    sample: Sample
    groups_P: Ints
    """The group that each participant belongs to."""


def make_public(
    *,
    groups: int = 2,
    consensus: int = 12,
    divisive: int = 20,
    mixed: int = 8,
    hidden_recruitment: bool = False,
    seed: int = 0,
) -> Public:
    """A public with `groups` groups and so many statements of each sort.

    Kinds of people are as frequent as they happen to be, so attributes depend on one another. People whose attributes
    lean to group 0 are recruited more readily, by a factor for each category, which quotas by each attribute can undo.
    With `hidden_recruitment` it is the members of group 0, whatever their attributes, which no such quota can undo.
    """
    chance = generator(seed, "public")
    kinds = tuple(product(*CATEGORIES.values()))
    share_C = chance.dirichlet(np.full(len(kinds), 8.0))
    leaning_CG = _effects(kinds, groups, LEANING, chance)
    group_CG = _softmax(leaning_CG)
    readiness_CG = np.exp(RECRUITMENT * (leaning_CG[:, :1] - leaning_CG.mean(axis=1, keepdims=True)))
    if hidden_recruitment:
        readiness_CG = np.where(np.arange(groups) == 0, HIDDEN_READINESS, 1.0)[None, :]
    recruit_CG = share_C[:, None] * group_CG * readiness_CG
    kind_S = (*[CONSENSUS] * consensus, *[DIVISIVE] * divisive, *[MIXED] * mixed)
    agree_GS = np.stack([_agrees(kind, groups, chance) for kind in kind_S], axis=1)
    return Public(
        kinds_C=kinds,
        share_C=share_C,
        group_CG=group_CG,
        agree_GS=agree_GS,
        recruit_CG=recruit_CG / recruit_CG.sum(),
        kind_S=kind_S,
    )


def draw(public: Public, *, participants: int, seen: float = 0.3, seed: int = 0) -> Drawn:
    """A sample of a public: recruited as unevenly as the public says, each person seeing a share `seen` of statements.

    The same public and seed give the same sample.
    """
    chance = generator(seed, "sample")
    kinds, groups = public.recruit_CG.shape
    picked_P = chance.choice(kinds * groups, size=participants, p=public.recruit_CG.ravel())
    kind_P, group_P = np.divmod(picked_P, groups)
    agree_PS = public.agree_GS[group_P]
    luck_PS = chance.random(agree_PS.shape)
    votes_PS = np.where(luck_PS < agree_PS, AGREE, np.where(luck_PS < agree_PS + PASSES, PASS, DISAGREE))
    seen_PS = chance.random(agree_PS.shape) < seen
    conversation = Conversation(
        statements=tuple(
            Statement(id=at, text=f"Statement {at}, {kind}", moderated=1) for at, kind in enumerate(public.kind_S)
        ),
        participants=tuple(Participant(id=at) for at in range(participants)),
        votes_PS=np.where(seen_PS, votes_PS, PASS).astype(np.int8),
        seen_PS=seen_PS,
        topic="A simulated public",
    )
    sample = Sample(
        population=public.population,
        participant_ids=conversation.participant_ids,
        categories={
            name: tuple(public.kinds_C[kind][place] for kind in kind_P) for place, name in enumerate(CATEGORIES)
        },
    )
    return Drawn(conversation=conversation, sample=sample, groups_P=group_P.astype(np.int64))


def _agrees(kind: str, groups: int, chance: np.random.Generator) -> Floats:
    """Probability to agree with one statement [G]."""
    if kind == CONSENSUS:
        return chance.uniform(*CONSENSUS_AGREES, size=groups)
    if kind == MIXED:
        return chance.uniform(*MIXED_AGREES, size=groups)
    side_G = chance.permutation(np.arange(groups) < chance.integers(1, groups))
    return np.where(side_G, chance.uniform(*FOR, size=groups), chance.uniform(*AGAINST, size=groups))


def _effects(kinds: tuple[tuple[str, ...], ...], outcomes: int, scale: float, chance: np.random.Generator) -> Floats:
    """Sums of one random effect for each category and outcome [C, outcomes]."""
    of = {
        (place, category): chance.normal(scale=scale, size=outcomes)
        for place, categories in enumerate(CATEGORIES.values())
        for category in categories
    }
    return np.array([np.sum([of[place, one] for place, one in enumerate(kind)], axis=0) for kind in kinds])


def _softmax(scores_CG: Floats) -> Floats:
    raised_CG = np.exp(scores_CG - scores_CG.max(axis=1, keepdims=True))
    return np.asarray(raised_CG / raised_CG.sum(axis=1, keepdims=True))
