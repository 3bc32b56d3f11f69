"""A conversation in which every rule of cleaning has somebody to find, and thirty people whom none should."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solon.collective.conversation import AGREE, DISAGREE, Conversation, Participant, Statement, VoteLog
from talks import conversation_of

SINCERE, STATEMENTS = 30, 40
FEW, STRAIGHT, RUNS, FAST, SPAMMER, TWIN, COPY = range(30, 37)
TOGETHER = (37, 38, 39)
REJECTED = tuple(range(100, 108))
ORIGINAL, REPEAT = 200, 201
EXPECTED = {
    "minimum-votes": [FEW],
    "same-answer": [STRAIGHT],
    "long-runs": [RUNS],
    "speed": [FAST],
    "spam-authors": [SPAMMER],
    "identical-votes": [COPY],
    "bursts": list(TOGETHER),
    "repeated-statements": [REPEAT],
}
HOUR, SECOND = 3_600_000, 1000
CLOCK = 1_700_000_000_000


def spoilt() -> Conversation:
    """Statements 0 to 39 divide everybody by the toss of a coin."""
    draws = np.random.default_rng(11)
    rows = {one: draws.choice([AGREE, DISAGREE], size=STATEMENTS).tolist() for one in range(40)}
    rows[FEW] = rows[FEW][:3]
    rows[STRAIGHT] = [AGREE] * STATEMENTS
    rows[RUNS] = [AGREE] * 20 + [DISAGREE] * 20
    rows[COPY] = list(rows[TWIN])
    for place, one in enumerate(TOGETHER):
        rows[one] = list(rows[TOGETHER[0]])
        rows[one][place] *= -1
    events = []
    for one, votes in rows.items():
        start = CLOCK + HOUR * (one if one not in TOGETHER else 60) + SECOND * one
        pace = SECOND // 2 if one == FAST else 10 * SECOND
        events += [(one, statement, vote, start + pace * statement) for statement, vote in enumerate(votes)]
    return conversation_of(
        [
            *(Statement(id=one, text=f"Statement {one}", moderated=1) for one in range(STATEMENTS)),
            *(Statement(id=one, text=f"Buy {one}", moderated=-1, author=SPAMMER) for one in REJECTED),
            Statement(id=ORIGINAL, text="More playgrounds for children", moderated=1),
            Statement(id=REPEAT, text="more playgrouds, for children!", moderated=0),
        ],
        [Participant(id=one) for one in rows],
        [(one, statement, vote) for one, statement, vote, _ in events],
        log=log_of(events),
    )


def log_of(events: list[tuple[int, int, int, int]]) -> VoteLog:
    """(participant, statement, vote, time)."""
    columns = [np.array(column, dtype=np.int64) for column in zip(*events, strict=True)]
    return VoteLog(participant=columns[0], statement=columns[1], vote=columns[2].astype(np.int8), time=columns[3])


def in_another_order(conversation: Conversation, seed: int) -> Conversation:
    """The same events, listed otherwise."""
    log = conversation.log
    assert log is not None
    order = np.random.default_rng(seed).permutation(len(log.vote))
    mixed = VoteLog(
        participant=log.participant[order],
        statement=log.statement[order],
        vote=log.vote[order],
        time=log.time[order],
    )
    return replace(conversation, log=mixed)
