"""The rules of cleaning: what each looks at, where its limit lies, and why.

A rule looks at the conversation as it came, never at what another rule left, so their order changes nothing. It flags
people or statements; `cleaning.removing` removes, logs and measures what removing changes.

Several rules ask how likely a pattern is by chance, if everybody answered each statement as all people together did.
People do not all think alike, so this makes sincere people with strong views look less likely than they are: the limits
are far out (`chance`), and counted over all people or pairs that could have shown the pattern (Bonferroni).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from solon.collective.cleaning.chance import at_least, longest_run, run_chance
from solon.collective.cleaning.repeated import leader_of, repeated_statements
from solon.collective.conversation import AGREE, DISAGREE, PASS, Conversation, Floats, Ints

ANSWERS = {AGREE: "agree", DISAGREE: "disagree", PASS: "pass"}
Limits = Mapping[str, float]


class Flag(NamedTuple):
    """A person or a statement that a rule would remove."""

    kind: Literal["participant", "statement"]
    id: int
    value: float
    """What was measured."""
    limit: float
    """What it was compared with."""
    detail: str


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule, with its limits."""

    name: str
    reason: str
    """Why what it flags should not count; one sentence."""
    limits: Limits
    """By name, so that they can be set."""
    find: Callable[[Conversation, Limits], list[Flag]]
    needs_log: bool = False
    """It needs the time of each vote, which some exports lack."""


def minimum_votes(conversation: Conversation, limits: Limits) -> list[Flag]:
    """People with fewer votes than `votes`, or than there are statements."""
    limit = min(limits["votes"], len(conversation.statements))
    return [
        Flag("participant", int(one), int(votes), limit, f"{votes} votes")
        for one, votes in zip(conversation.participant_ids, conversation.n_votes_P, strict=True)
        if votes < limit
    ]


def same_answer(conversation: Conversation, limits: Limits) -> list[Flag]:
    """People with at least `votes` votes of which `share` or more are one answer, where chance would not do it."""
    shares = _shares(conversation)
    found = []
    for row, one in enumerate(conversation.participant_ids):
        at = np.flatnonzero(conversation.seen_PS[row])
        if len(at) < limits["votes"]:
            continue
        answers = conversation.votes_PS[row, at]
        answer = max(ANSWERS, key=lambda code: int((answers == code).sum()))
        count = int((answers == answer).sum())
        if count / len(at) < limits["share"]:
            continue
        chance = at_least(count, shares[answer][at]) * len(conversation.participants)
        if chance < limits["chance"]:
            detail = f"{count} of {len(at)} votes {ANSWERS[answer]}; by chance {chance:.1g} people would"
            found.append(Flag("participant", int(one), count / len(at), limits["share"], detail))
    return found


def long_runs(conversation: Conversation, limits: Limits) -> list[Flag]:
    """People who gave one answer so many times in a row that the order of their votes cannot be chance.

    Given how often somebody gave each answer, all orders are equally likely if statements come in random order. A run
    of r among n votes, k of them that answer, then has at most the probability (n − r + 1)·C(n − r, k − r) / C(n, k).
    """
    found = []
    for one, (_, _, votes) in _events(conversation).items():
        if len(votes) < limits["votes"]:
            continue
        run, answer = longest_run(votes)
        count = int((votes == answer).sum())
        chance = run_chance(run, count, len(votes)) * len(conversation.participants)
        if chance < limits["chance"]:
            detail = f"{run} times {ANSWERS[answer]} in a row, {count} of {len(votes)} in all"
            found.append(Flag("participant", one, chance, limits["chance"], detail))
    return found


def speed(conversation: Conversation, limits: Limits) -> list[Flag]:
    """People with at least `votes` votes whose median time from one vote to the next is below `seconds`."""
    found = []
    for one, (times, _, votes) in _events(conversation).items():
        if len(votes) < max(limits["votes"], 2):
            continue
        median = float(np.median(np.diff(times))) / 1000
        if median < limits["seconds"]:
            found.append(Flag("participant", one, median, limits["seconds"], f"{median:.1f} s from vote to vote"))
    return found


def spam_authors(conversation: Conversation, limits: Limits) -> list[Flag]:
    """People who wrote `rejected` or more statements that moderation rejected, making up `share` or more of theirs."""
    written: dict[int, list[int]] = {}
    for statement in conversation.statements:
        if statement.author is not None:
            written.setdefault(statement.author, []).append(statement.moderated)
    found = []
    for one in conversation.participant_ids.tolist():
        states = written.get(one, [])
        rejected = states.count(-1)
        if rejected >= max(limits["rejected"], 1) and rejected / len(states) >= limits["share"]:
            detail = f"{rejected} of {len(states)} statements rejected"
            found.append(Flag("participant", one, rejected, limits["rejected"], detail))
    return found


def identical_votes(conversation: Conversation, limits: Limits) -> list[Flag]:
    """Everybody but the first of people who gave the same answers to the same statements, `votes` or more of them."""
    match_S = _match_chance(conversation)
    people = len(conversation.participants)
    seen: dict[bytes, int] = {}
    found = []
    for row, one in enumerate(conversation.participant_ids.tolist()):
        at = np.flatnonzero(conversation.seen_PS[row])
        if len(at) < limits["votes"]:
            continue
        pattern = at.tobytes() + conversation.votes_PS[row, at].tobytes()
        first = seen.setdefault(pattern, one)
        chance = float(np.exp(np.log(match_S[at]).sum())) * people * (people - 1) / 2
        if first != one and chance < limits["chance"]:
            detail = f"the same {len(at)} votes as participant {first}; by chance {chance:.1g} pairs would"
            found.append(Flag("participant", one, len(at), limits["votes"], detail))
    return found


def bursts(conversation: Conversation, limits: Limits) -> list[Flag]:
    """`people` or more who began within `seconds` of one another and vote more alike than chance allows.

    Two are linked if on at least `common` statements that both saw they agree more often than strangers would. Many
    people arriving at once is no fault: an invitation does that.
    """
    match_S = _match_chance(conversation)
    row_of = {one: row for row, one in enumerate(conversation.participant_ids.tolist())}
    begun = sorted((int(times[0]), one) for one, (times, _, _) in _events(conversation).items())
    pairs = len(row_of) * (len(row_of) - 1) / 2
    leader = {one: one for _, one in begun}
    for place, (start, one) in enumerate(begun):
        for later, other in begun[place + 1 :]:
            if later - start > 1000 * limits["seconds"]:
                break
            left, right = row_of[one], row_of[other]
            at = np.flatnonzero(conversation.seen_PS[left] & conversation.seen_PS[right])
            alike = int((conversation.votes_PS[left, at] == conversation.votes_PS[right, at]).sum())
            # Strangers agree on most statements too; below this share the chance need not be computed.
            if len(at) < limits["common"] or alike < 0.8 * len(at):
                continue
            if at_least(alike, match_S[at]) * pairs < limits["chance"]:
                leader[leader_of(leader, other)] = leader_of(leader, one)
    together: dict[int, list[int]] = {}
    for one in sorted(leader):
        together.setdefault(leader_of(leader, one), []).append(one)
    return [
        Flag(
            "participant",
            one,
            len(members),
            limits["people"],
            f"one of {len(members)} who began together, voting alike",
        )
        for members in together.values()
        if len(members) >= max(limits["people"], 2)
        for one in members
    ]


def repeated(conversation: Conversation, limits: Limits) -> list[Flag]:
    """Statements that repeat another word by word, but for spelling.

    One stays: an accepted one before one never moderated, then the one with most votes, then the first. Rejected
    statements are out of the conversation already.
    """
    votes_S = conversation.seen_PS.sum(axis=0)
    votes = dict(zip(conversation.statement_ids.tolist(), votes_S.tolist(), strict=True))
    candidates = [one for one in conversation.statements if one.moderated >= 0]
    moderated = {one.id: one.moderated for one in candidates}
    found = []
    for group in repeated_statements([(one.id, one.text) for one in candidates], edits=int(limits["edits"])):
        kept, *others = sorted(group, key=lambda one: (-moderated[one], -votes[one], one))
        detail = f"repeats statement {kept}, which stays"
        found += [Flag("statement", one, len(group), 1, detail) for one in others]
    return sorted(found, key=lambda flag: flag.id)


RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule(
            name="minimum-votes",
            reason="Too few votes to say where somebody stands (Polis groups people from 7 votes on).",
            limits={"votes": 7},
            find=minimum_votes,
        ),
        Rule(
            name="same-answer",
            reason="One answer to nearly everything, where others differ, is a sign of answering without reading.",
            limits={"votes": 15, "share": 0.95, "chance": 0.001},
            find=same_answer,
        ),
        Rule(
            name="long-runs",
            reason="One long run of an answer, though statements come in random order, does not follow the statements.",
            limits={"votes": 15, "chance": 0.001},
            find=long_runs,
            needs_log=True,
        ),
        Rule(
            name="speed",
            # Brysbaert (2019), "How many words do we read per minute?", Journal of Memory and Language 109: 238.
            reason="Nobody reads a statement so fast: at 238 words a minute, six words take one and a half seconds.",
            limits={"votes": 10, "seconds": 1.5},
            find=speed,
            needs_log=True,
        ),
        Rule(
            name="spam-authors",
            # The number is the CCAI study's: more than six spam statements.
            reason="Whoever wrote more than six statements, nearly all of them rejected, did not come to take part.",
            limits={"rejected": 7, "share": 0.8},
            find=spam_authors,
        ),
        Rule(
            name="identical-votes",
            reason="The same answers to the same statements, too many for chance to explain, are one voice twice.",
            limits={"votes": 10, "chance": 0.001},
            find=identical_votes,
        ),
        Rule(
            name="bursts",
            reason="People who begin together and vote more alike than strangers do may be one person, or a campaign.",
            limits={"people": 3, "seconds": 60, "common": 10, "chance": 0.001},
            find=bursts,
            needs_log=True,
        ),
        Rule(
            name="repeated-statements",
            reason="The same sentence twice splits its votes and counts an idea twice.",
            limits={"edits": 1},
            find=repeated,
        ),
    )
}
"""By name. Limits without a source beside them are assumptions: see what each changes with `solon collect clean`."""


def _shares(conversation: Conversation) -> dict[int, Floats]:
    """How all people together answered each statement, by answer [S]; add-one smoothing keeps it off 0 and 1."""
    seen_S = conversation.seen_PS.sum(axis=0)
    return {
        answer: (((conversation.votes_PS == answer) & conversation.seen_PS).sum(axis=0) + 1.0) / (seen_S + len(ANSWERS))
        for answer in ANSWERS
    }


def _match_chance(conversation: Conversation) -> Floats:
    """Probability that two strangers give the same answer [S]."""
    return np.asarray(sum(share_S**2 for share_S in _shares(conversation).values()))


def _events(conversation: Conversation) -> dict[int, tuple[Ints, Ints, NDArray[np.int8]]]:
    """Times, statements and votes of each participant, by time; statement ids break ties, then votes."""
    log = conversation.log
    if log is None:
        return {}
    order = np.lexsort((log.vote, log.statement, log.time, log.participant))
    order = order[np.isin(log.participant[order], conversation.participant_ids)]
    people = log.participant[order]
    cuts = np.flatnonzero(np.diff(people)) + 1
    found = {}
    for piece in np.split(order, cuts):
        if len(piece):
            found[int(log.participant[piece[0]])] = (log.time[piece], log.statement[piece], log.vote[piece])
    return found
