"""Small conversations for tests, and exports of them in any order."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from solon.collective.conversation import Conversation, Participant, Statement

CLOCK = 1_700_000_000_000
COMMENT_COLUMNS = (
    "timestamp",
    "comment-id",
    "author-id",
    "agrees",
    "disagrees",
    "moderated",
    "is-meta",
    "is-seed",
    "comment-body",
)


def conversation_of(
    statements: Sequence[Statement],
    participants: Sequence[Participant],
    votes: Sequence[tuple[int, int, int]],
    **more: Any,
) -> Conversation:
    """From parts in any order. votes: (participant, statement, vote), at most one per pair; more: other fields."""
    people = tuple(sorted(participants, key=lambda one: one.id))
    sayings = tuple(sorted(statements, key=lambda one: one.id))
    row = {one.id: i for i, one in enumerate(people)}
    column = {one.id: i for i, one in enumerate(sayings)}
    votes_PS = np.zeros((len(people), len(sayings)), dtype=np.int8)
    seen_PS = np.zeros(votes_PS.shape, dtype=bool)
    for participant, statement, vote in votes:
        at = row[participant], column[statement]
        assert not seen_PS[at], "one vote per participant and statement"
        votes_PS[at], seen_PS[at] = vote, True
    return Conversation(statements=sayings, participants=people, votes_PS=votes_PS, seen_PS=seen_PS, **more)


def talk(
    rows: Sequence[Sequence[int | None]],
    *,
    people: Sequence[int] | None = None,
    statements: Sequence[int] | None = None,
    moderated: dict[int, int] | None = None,
    meta: Sequence[int] = (),
) -> Conversation:
    """A conversation from a table of votes: a row per participant, None where nobody voted. Ids count from 0."""
    people = range(len(rows)) if people is None else people
    statements = range(len(rows[0]) if rows else 0) if statements is None else statements
    return conversation_of(
        [
            Statement(id=one, text=f"Statement {one}", moderated=(moderated or {}).get(one, 1), is_meta=one in meta)
            for one in statements
        ],
        [Participant(id=one) for one in people],
        [
            (person, statement, vote)
            for person, row in zip(people, rows, strict=True)
            for statement, vote in zip(statements, row, strict=True)
            if vote is not None
        ],
    )


def random_rows(seed: int, people: int, statements: int, *, seen: float = 0.6) -> list[list[int | None]]:
    """Two camps that vote in opposite ways on half of the statements, with noise."""
    draws = np.random.default_rng(seed)
    leaning = draws.choice([-1, 0, 1], size=(2, statements), p=[0.35, 0.15, 0.5])
    leaning[1, ::2] = -leaning[0, ::2]
    camp = draws.integers(2, size=people)
    rows: list[list[int | None]] = []
    for person in range(people):
        noise = draws.random(statements) < 0.2
        votes = np.where(noise, draws.integers(-1, 2, size=statements), leaning[camp[person]])
        looked = draws.random(statements) < seen
        rows.append([int(vote) if saw else None for vote, saw in zip(votes, looked, strict=True)])
    return rows


def write_export(conversation: Conversation, folder: Path, *, order: np.random.Generator | None = None) -> Path:
    """The conversation as a Polis export of two files; `order` shuffles rows and columns."""
    people = list(range(len(conversation.participants)))
    columns = list(range(len(conversation.statements)))
    listed = columns.copy()
    if order is not None:
        for indices in (people, columns, listed):
            order.shuffle(indices)
    votes, seen = conversation.votes_PS, conversation.seen_PS
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "participants-votes.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        ids = [conversation.statements[column].id for column in columns]
        table.writerow(["participant", "group-id", "n-comments", "n-votes", "n-agree", "n-disagree", *ids])
        for row in people:
            counts = [int(seen[row].sum()), int((votes[row] == 1).sum()), int((votes[row] == -1).sum())]
            cells = [int(votes[row, column]) if seen[row, column] else "" for column in columns]
            table.writerow([conversation.participants[row].id, "", 0, *counts, *cells])
    with open(folder / "comments.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(COMMENT_COLUMNS)
        for column in listed:
            one = conversation.statements[column]
            agrees, disagrees = int((votes[:, column] == 1).sum()), int((votes[:, column] == -1).sum())
            meta = str(one.is_meta).lower()
            table.writerow([CLOCK + one.id, one.id, 0, agrees, disagrees, one.moderated, meta, "true", one.text])
    return folder
