"""The rules of cleaning: what each looks at, where its limit lies, and why.

A rule looks at the conversation as it came, never at what another rule left, so their order changes nothing. It flags
people or statements; `cleaning.removing` removes, logs and measures what removing changes. No rule proves that somebody
acted in bad faith.

Several rules ask how likely a pattern is by chance, if everybody answered each statement as all people together did.
People do not all think alike, so this makes sincere people with strong views look less likely than they are: the limits
are far out (`chance`), and counted over all people or pairs that could have shown the pattern (Bonferroni).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from inspect import signature
from itertools import groupby
from math import comb
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from solon.collective.cleaning.repeated import repeated_statements
from solon.collective.conversation import AGREE, DISAGREE, PASS, Conversation, Floats, Ints

ANSWERS = {AGREE: "agree", DISAGREE: "disagree", PASS: "pass"}


class Flag(NamedTuple):
    """A person or a statement that a rule would remove: what was measured, and the limit it was compared with."""

    id: int
    value: float
    limit: float
    detail: str


@dataclass(frozen=True)
class Evidence:
    """A conversation, and what several rules look at in it, computed once. Rows are its people."""

    talk: Conversation

    @cached_property
    def ids(self) -> list[int]:
        return [one.id for one in self.talk.participants]

    @cached_property
    def share_S(self) -> dict[int, Floats]:
        """How all people together answered each statement, by answer [S]; add-one smoothing keeps it off 0 and 1."""
        seen_S = self.talk.seen_PS.sum(axis=0)
        counts = {one: ((self.talk.votes_PS == one) & self.talk.seen_PS).sum(axis=0) for one in ANSWERS}
        return {one: (count_S + 1.0) / (seen_S + len(ANSWERS)) for one, count_S in counts.items()}

    @cached_property
    def match_S(self) -> Floats:
        """Probability that two strangers give the same answer [S]."""
        return np.asarray(sum(share_S**2 for share_S in self.share_S.values()))

    @cached_property
    def events(self) -> dict[int, tuple[Ints, NDArray[np.int8]]]:
        """Times and votes of each participant, by time; statement ids break ties, then votes."""
        log = self.talk.log
        if log is None:
            return {}
        order = np.lexsort((log.vote, log.statement, log.time, log.participant))
        order = order[np.isin(log.participant[order], self.talk.participant_ids)]
        pieces = np.split(order, np.flatnonzero(np.diff(log.participant[order])) + 1)
        return {int(log.participant[at[0]]): (log.time[at], log.vote[at]) for at in pieces if len(at)}


Find = Callable[..., Iterator[Flag]]
"""Of evidence and, by name, limits."""
Kind = Literal["participant", "statement"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What is looked for, why, and the limits that decide."""

    name: str
    reason: str
    """Why what it flags should not count; one sentence."""
    limits: Mapping[str, float]
    find: Find
    kind: Kind = "participant"
    needs_log: bool = False
    """It needs the time of each vote, which some exports lack."""


RULES: dict[str, Rule] = {}
"""By name. Limits without a source beside them are assumptions: see what each changes with `solon collect clean`."""


def _rule(name: str, reason: str, kind: Kind = "participant", needs_log: bool = False) -> Callable[[Find], Rule]:
    """Puts a function among the rules; its limits are its keyword arguments."""

    def register(find: Find) -> Rule:
        limits = {key: one.default for key, one in signature(find).parameters.items() if key != "evidence"}
        rule = Rule(name=name, reason=reason, limits=limits, find=find, kind=kind, needs_log=needs_log)
        return RULES.setdefault(name, rule)

    return register


@_rule("minimum-votes", "Too few votes to say where somebody stands (Polis groups people from 7 votes on).")
def _minimum_votes(evidence: Evidence, *, votes: float = 7) -> Iterator[Flag]:
    """People with fewer votes than `votes`, or than there are statements."""
    limit = min(votes, len(evidence.talk.statements))
    for one, cast in zip(evidence.ids, evidence.talk.n_votes_P.tolist(), strict=True):
        if cast < limit:
            yield Flag(one, cast, limit, f"{cast} votes")


@_rule("same-answer", "One answer to nearly everything, where others differ, is a sign of answering without reading.")
def _same_answer(
    evidence: Evidence, *, votes: float = 15, share: float = 0.95, chance: float = 0.001
) -> Iterator[Flag]:
    """People with at least `votes` votes of which `share` or more are one answer, where chance would not do it."""
    talk, codes = evidence.talk, tuple(ANSWERS)
    count_AP = np.array([((talk.votes_PS == one) & talk.seen_PS).sum(axis=1) for one in codes])
    share_P = count_AP.max(axis=0) / np.maximum(talk.n_votes_P, 1)
    for row in np.flatnonzero((talk.n_votes_P >= max(votes, 1)) & (share_P >= share)).tolist():
        at, answer, count = np.flatnonzero(talk.seen_PS[row]), codes[count_AP[:, row].argmax()], count_AP[:, row].max()
        expected = at_least(int(count), evidence.share_S[answer][at]) * len(evidence.ids)
        if expected < chance:
            detail = f"{count} of {len(at)} votes {ANSWERS[answer]}; by chance {expected:.1g} people would"
            yield Flag(evidence.ids[row], float(share_P[row]), share, detail)


@_rule(
    "long-runs",
    "One long run of an answer, though statements come in random order, does not follow the statements.",
    needs_log=True,
)
def _long_runs(evidence: Evidence, *, votes: float = 15, chance: float = 0.001) -> Iterator[Flag]:
    """People who gave one answer so many times in a row that the order of their votes cannot be chance.

    Given how often somebody gave each answer, all orders are equally likely if statements come in random order. A run
    of r among n votes, k of them that answer, then has at most the probability (n − r + 1)·C(n − r, k − r) / C(n, k).
    """
    for one, (_, cast) in evidence.events.items():
        if len(cast) < votes:
            continue
        run, answer = longest_run(cast)
        count = int((cast == answer).sum())
        expected = run_chance(run, count, len(cast)) * len(evidence.ids)
        if expected < chance:
            detail = f"{run} times {ANSWERS[answer]} in a row, {count} of {len(cast)} in all"
            yield Flag(one, expected, chance, detail)


@_rule(
    "speed",
    # Brysbaert (2019), "How many words do we read per minute?", Journal of Memory and Language 109: 238.
    "Nobody reads a statement so fast: at 238 words a minute, six words take one and a half seconds.",
    needs_log=True,
)
def _speed(evidence: Evidence, *, votes: float = 10, seconds: float = 1.5) -> Iterator[Flag]:
    """People with at least `votes` votes whose median time from one vote to the next is below `seconds`."""
    for one, (times, _) in evidence.events.items():
        if len(times) < max(votes, 2):
            continue
        median = float(np.median(np.diff(times))) / 1000
        if median < seconds:
            yield Flag(one, median, seconds, f"{median:.1f} s from vote to vote")


@_rule(
    "spam-authors",
    # The number is the CCAI study's: more than six spam statements.
    "Whoever wrote more than six statements, nearly all of them rejected, did not come to take part.",
)
def _spam_authors(evidence: Evidence, *, rejected: float = 7, share: float = 0.8) -> Iterator[Flag]:
    """People who wrote `rejected` or more statements that moderation rejected, making up `share` or more of theirs."""
    by_author: dict[int | None, list[int]] = {}
    for statement in evidence.talk.statements:
        by_author.setdefault(statement.author, []).append(statement.moderated)
    for one in evidence.ids:
        states = by_author.get(one, [])
        spam = states.count(-1)
        if spam >= max(rejected, 1) and spam / len(states) >= share:
            yield Flag(one, spam, rejected, f"{spam} of {len(states)} statements rejected")


@_rule(
    "identical-votes", "The same answers to the same statements, too many for chance to explain, are one voice twice."
)
def _identical_votes(evidence: Evidence, *, votes: float = 10, chance: float = 0.001) -> Iterator[Flag]:
    """Everybody but the first of people who gave the same answers to the same statements, `votes` or more of them."""
    talk, people = evidence.talk, len(evidence.ids)
    cells_PS = np.where(talk.seen_PS, talk.votes_PS, 2)
    first_with: dict[bytes, int] = {}
    for row in np.flatnonzero(talk.n_votes_P >= votes).tolist():
        one = evidence.ids[row]
        first = first_with.setdefault(cells_PS[row].tobytes(), one)
        if first == one:
            continue
        at = np.flatnonzero(talk.seen_PS[row])
        expected = float(np.exp(np.log(evidence.match_S[at]).sum())) * people * (people - 1) / 2
        if expected < chance:
            detail = f"the same {len(at)} votes as participant {first}; by chance {expected:.1g} pairs would"
            yield Flag(one, len(at), votes, detail)


@_rule(
    "bursts",
    "People who begin together and vote more alike than strangers do may be one person, or a campaign.",
    needs_log=True,
)
def _bursts(
    evidence: Evidence, *, people: float = 3, seconds: float = 60, common: float = 10, chance: float = 0.001
) -> Iterator[Flag]:
    """`people` or more who began within `seconds` of one another and vote more alike than chance allows.

    Two are linked if on at least `common` statements that both saw they agree more often than strangers would. Many
    people arriving at once is no fault: an invitation does that.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = np.array([*_links(evidence, seconds, common, chance)], dtype=np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(links)), (links[:, 0], links[:, 1])), shape=(len(evidence.ids),) * 2)
    _, group_P = connected_components(graph, directed=False)
    size_P = np.bincount(group_P, minlength=1)[group_P]
    for row in np.flatnonzero(size_P >= max(people, 2)).tolist():
        detail = f"one of {size_P[row]} who began together, voting alike"
        yield Flag(evidence.ids[row], int(size_P[row]), people, detail)


def _links(evidence: Evidence, seconds: float, common: float, chance: float) -> Iterator[tuple[int, int]]:
    """Rows of two people who began together and vote alike."""
    votes_PS, seen_PS = evidence.talk.votes_PS, evidence.talk.seen_PS
    begins = sorted((int(times[0]), one) for one, (times, _) in evidence.events.items())
    starts = np.array([start for start, _ in begins], dtype=np.int64)
    rows = np.searchsorted(evidence.talk.participant_ids, [one for _, one in begins])
    ends = np.searchsorted(starts, starts + 1000 * seconds, side="right")
    pairs = len(evidence.ids) * (len(evidence.ids) - 1) / 2
    for place, (row, end) in enumerate(zip(rows.tolist(), ends.tolist(), strict=True)):
        others = rows[place + 1 : end]
        both_OS = seen_PS[others] & seen_PS[row]
        alike_O = (both_OS & (votes_PS[others] == votes_PS[row])).sum(axis=1)
        common_O = both_OS.sum(axis=1)
        # Strangers agree on most statements too; below this share the chance need not be computed.
        for at in np.flatnonzero((common_O >= common) & (alike_O >= 0.8 * common_O)).tolist():
            if at_least(int(alike_O[at]), evidence.match_S[both_OS[at]]) * pairs < chance:
                yield row, int(others[at])


@_rule("repeated-statements", "The same sentence twice splits its votes and counts an idea twice.", kind="statement")
def _repeated(evidence: Evidence, *, edits: float = 1) -> Iterator[Flag]:
    """Statements that repeat another word by word, but for spelling.

    One stays: an accepted one before one never moderated, then the one with most votes, then the first. Rejected
    statements are out of the conversation already.
    """
    votes = evidence.talk.seen_PS.sum(axis=0).tolist()
    rank = {one.id: (-one.moderated, -count) for one, count in zip(evidence.talk.statements, votes, strict=True)}
    candidates = [(one.id, one.text) for one in evidence.talk.statements if one.moderated >= 0]
    for group in repeated_statements(candidates, edits=int(edits)):
        kept, *others = sorted(group, key=lambda one: (rank[one], one))
        for one in others:
            yield Flag(one, len(group), 1, f"repeats statement {kept}, which stays")


def at_least(count: int, chances: Floats) -> float:
    """Probability of `count` or more successes in independent trials of different chances (Poisson binomial).

    Two coins and a sure thing: at least two of three has probability 0.75.

    >>> at_least(2, np.array([0.5, 0.5, 1.0]))
    0.75
    """
    # [missing so many]: counting failures keeps the table as short as the few failures that are allowed.
    failures = np.zeros(len(chances) - count + 1)
    failures[0] = 1.0
    for chance in chances:
        failures[1:] = failures[1:] * chance + failures[:-1] * (1 - chance)
        failures[0] *= chance
    return float(failures.sum())


def longest_run(votes: NDArray[np.int8]) -> tuple[int, int]:
    """Length and answer of the longest run; the first if there are several.

    >>> longest_run(np.array([1, -1, -1, -1, 1, 1]))
    (3, -1)
    """
    runs = ((len([*run]), answer) for answer, run in groupby(votes.tolist()))
    return max(runs, key=lambda run: run[0])


def run_chance(run: int, count: int, votes: int) -> float:
    """An upper bound of the probability of a run of `run`, if `count` of `votes` answers are alike, in random order.

    A run of 2 with 2 of 4 alike: at most 3 · C(2, 0) / C(4, 2) = 0.5.
    """
    return min(1.0, (votes - run + 1) * comb(votes - run, count - run) / comb(votes, count))
