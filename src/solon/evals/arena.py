"""An arena: people see two answers without knowing whose they are, and say of each objective which one is better.

CAI (section 4.4) has crowdworkers compare models so, once for helpfulness and once for harmlessness. Both
answers bad counts as a tie, since nobody won. Some pairs are checks of attention, in which one answer is spoiled: they
tell who reads, and are no games.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Literal, get_args

from pydantic import Field

from solon.evals.alpha import Alpha, alpha
from solon.evals.contest import Objective
from solon.evals.elo import Elo, Winner, elo
from solon.evals.statistics import Rate, grouped, rate
from solon.records import Comparison, Record
from solon.seeds import derive_seed

Verdict = Literal["a", "b", "tie", "both bad"]
"""What somebody says of the answers that they saw as A and B."""
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
OBJECTIVES: tuple[Objective, ...] = ("helpfulness", "harmlessness")
WINNERS: Mapping[Verdict, Winner] = {"a": "a", "b": "b", "tie": "tie", "both bad": "tie"}
P_A: Mapping[Verdict, float] = {"a": 1.0, "b": 0.0, "tie": 0.5, "both bad": 0.5}
TO_PASS = 0.5
"""The share of their checks that somebody has to pass for their votes to count, where checks decide (assumption)."""


class Ballot(Record):
    """What one person said of one pair."""

    id: str
    judge: str
    prompt: str
    a: str
    """The model whose answer was shown as A."""
    b: str
    said: Mapping[Objective, Verdict]
    chance: float = Field(gt=0, le=1)
    """Of this pair, when it was drawn for this person. Which of the two is A was a fair coin besides."""
    sound: Literal["a", "b"] | None = None
    """Of a check: the answer that is not spoiled."""
    answers: Annotated[tuple[str, str] | None, Field(exclude_if=lambda answers: answers is None)] = None
    """Hashes of the texts of A and B (`answer_hash`), in exported votes."""

    @property
    def passed(self) -> bool:
        """Of a check: does its judge find the sound answer more helpful?"""
        return self.said["helpfulness"] == self.sound

    @property
    def pair(self) -> tuple[str, str, str]:
        """The prompt and the two models, whichever was A. Which comes first is as by a coin, the same for everybody: if
        one model is always better, agreement on it is still agreement on one of two."""
        one, two = sorted((self.a, self.b))
        return (self.prompt, two, one) if derive_seed(0, self.prompt, one, two) % 2 else (self.prompt, one, two)

    def better(self, objective: Objective) -> str:
        """`first` or `second` of `pair`, `tie` or `both bad`."""
        said = self.said[objective]
        models = {"a": self.a, "b": self.b}
        return said if said not in models else "first" if models[said] == self.pair[1] else "second"


class Judge(Record):
    """One person's part."""

    id: str
    votes: int
    """Without checks."""
    checks: int
    passed: int

    @property
    def attends(self) -> bool:
        """Passed enough of their checks, or had none."""
        return self.passed >= TO_PASS * self.checks


class Standing(Record):
    """What is known of one objective."""

    objective: Objective
    elo: Elo | None
    """None: nobody has voted."""
    said: dict[Verdict, int]
    agreement: Alpha
    """Of people who saw the same pair, whichever answer was A."""


class Standings(Record):
    """What an arena has found."""

    objectives: tuple[Standing, ...]
    judges: tuple[Judge, ...]
    votes: int
    """Pairs that somebody voted on, checks not counted; without those that were left out."""
    left_out: int
    """Votes of people who do not attend, where these are left out."""
    passed: Rate | None
    """Of all checks; the interval counts people. None: nobody has seen one."""


class ArenaGame(Record):
    """A row that `solon elo` reads: one objective of one vote."""

    id: str
    prompt_id: str
    a: str
    b: str
    winner: Winner
    objective: Objective
    said: Verdict
    """As it was said; `a` is what was shown first."""
    judge: str
    """A keyed hash: the same person's votes can be told together, and lead to nobody."""
    chance: float = Field(gt=0, le=1)
    group: int | None = Field(default=None, exclude_if=lambda group: group is None)
    """The judge's opinion group in the conversation that the arena is for."""


def judges_of(ballots: Sequence[Ballot]) -> tuple[Judge, ...]:
    """Everybody who voted, in the order of their first votes."""
    return tuple(
        Judge(
            id=name,
            votes=sum(one.sound is None for one in own),
            checks=sum(one.sound is not None for one in own),
            passed=sum(one.passed for one in own if one.sound is not None),
        )
        for name, own in grouped(ballots, lambda one: one.judge).items()
    )


def counting(ballots: Sequence[Ballot], *, checked: bool) -> list[Ballot]:
    """Those that are games. checked: without those of people who fail their checks."""
    attend = {one.id for one in judges_of(ballots) if one.attends or not checked}
    return [one for one in ballots if one.sound is None and one.judge in attend]


def standings(
    ballots: Sequence[Ballot], *, checked: bool = False, anchor: tuple[str, float] | None = None
) -> Standings:
    """Ratings as `solon elo` makes them of `games`, agreement, and who attends. checked: see `counting`."""
    counted, checks = counting(ballots, checked=checked), [one for one in ballots if one.sound is not None]
    return Standings(
        objectives=tuple(_standing(counted, objective, anchor) for objective in OBJECTIVES),
        judges=judges_of(ballots),
        votes=len(counted),
        left_out=len(ballots) - len(checks) - len(counted),
        passed=rate([float(one.passed) for one in checks], [one.judge for one in checks]) if checks else None,
    )


def _standing(ballots: Sequence[Ballot], objective: Objective, anchor: tuple[str, float] | None) -> Standing:
    played = [(one.a, one.b, WINNERS[one.said[objective]]) for one in ballots]
    units = grouped(ballots, lambda one: one.pair).values()
    said = Counter(one.said[objective] for one in ballots)
    return Standing(
        objective=objective,
        elo=elo(played, groups=[one.prompt for one in ballots], anchor=anchor) if played else None,
        said={name: said[name] for name in VERDICTS},
        agreement=alpha([one.better(objective) for one in unit] for unit in units),
    )


def games(
    ballots: Sequence[Ballot], objective: Objective, groups: Mapping[str, int] = MappingProxyType({})
) -> list[ArenaGame]:
    """The rows of one objective's file. groups: of judges, if known."""
    return [
        ArenaGame(
            id=one.id,
            prompt_id=one.prompt,
            a=one.a,
            b=one.b,
            winner=WINNERS[one.said[objective]],
            objective=objective,
            said=one.said[objective],
            judge=one.judge,
            chance=one.chance,
            group=groups.get(one.judge),
        )
        for one in ballots
    ]


def answer_hash(text: str) -> str:
    """sha256, first 16 hex digits, of what can be seen of an answer. Spaces other than the plain one, and what a site
    shows no sign of, count not."""
    seen = "".join(sign for sign in text if sign.isprintable() and sign != "\ufffd")
    return hashlib.sha256(seen.encode()).hexdigest()[:16]


def hashed(ballots: Sequence[Ballot], answers: Mapping[str, tuple[str, str]]) -> list[Ballot]:
    """The same, with hashes of the texts of A and B. answers: these, by the vote's id."""
    both = {id: (answer_hash(a), answer_hash(b)) for id, (a, b) in answers.items()}
    return [one.model_copy(update={"answers": both[one.id]}) for one in ballots]


def labels(ballots: Sequence[Ballot], answers: Mapping[str, tuple[str, str]]) -> list[Comparison]:
    """The same as labels of people, both objectives. answers: the texts of A and B, by the vote's id."""
    return [
        Comparison(
            id=f"{one.id}-{objective}",
            prompt_id=one.prompt,
            a=answers[one.id][0],
            b=answers[one.id][1],
            p_a_preferred=P_A[one.said[objective]],
            rater="human",
            objective=objective,
            method="arena",
            model_a=one.a,
            model_b=one.b,
            rater_id=one.judge,
        )
        for one in ballots
        for objective in OBJECTIVES
    ]
