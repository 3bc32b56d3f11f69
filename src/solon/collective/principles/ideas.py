"""Ideas: statements, with those that a person merged counted as one.

Who voted on several statements of an idea has one vote on it: agree if most of those votes are agrees over disagrees,
disagree if it is the other way round, pass if they balance. So an idea's figures are of people, as a statement's are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from solon.collective.conversation import Conversation, Statement
from solon.collective.principles.merges import MergeFile


@dataclass(frozen=True, kw_only=True)
class Idea:
    """One candidate for a principle."""

    id: int
    """Of the statement that stands first in the merge, or of the only one."""
    statement_ids: tuple[int, ...]
    """Ascending."""
    text: str
    """What it says: a person's wording, or the statement's own text."""
    merge: str | None = None
    """Id of the merge it came from."""
    by_person: bool = False
    """A person worded it."""


@dataclass(frozen=True, kw_only=True)
class Ideas:
    """All candidates, and who voted how on each."""

    ideas: tuple[Idea, ...]
    """By id."""
    conversation: Conversation
    """Its statements are the ideas, in their order; participants as before. Without a log."""
    left_out: Mapping[int, str]
    """Statements that a person left out."""


def ideas_of(conversation: Conversation, merges: MergeFile | None = None) -> Ideas:
    """The ideas of a conversation, following the decisions in a merges file that fits it.

    A merge holds for those of its statements that the conversation has. With votes of one person of +1, +1 and -1 on
    three merged statements, their vote on the idea is +1.
    """
    texts = {one.id: one.text for one in conversation.statements}
    accepted = [merge for merge in merges.merge if merge.decision == "yes"] if merges else []
    rewordings = {one.statement: one for one in merges.wording if one.decision} if merges else {}
    left_out = {number: one.note for number, one in rewordings.items() if one.decision == "no" and number in texts}
    ideas: list[Idea] = []
    merged: set[int] = set()
    for merge in accepted:
        members = [cited.id for cited in merge.statements if cited.id in texts]
        if members:
            merged.update(members)
            first = merge.statements[0].text.strip()
            ideas.append(
                Idea(
                    id=members[0],
                    statement_ids=tuple(sorted(set(members))),
                    text=merge.wording,
                    merge=merge.id,
                    by_person=merge.wording.strip() != first,
                )
            )
    for number, text in texts.items():
        if number not in merged and number not in left_out:
            said = rewordings.get(number)
            ideas.append(
                Idea(
                    id=number, statement_ids=(number,), text=said.wording if said else text, by_person=said is not None
                )
            )
    ideas.sort(key=lambda idea: idea.id)
    return Ideas(ideas=tuple(ideas), conversation=_counted(conversation, ideas), left_out=left_out)


def _counted(conversation: Conversation, ideas: Iterable[Idea]) -> Conversation:
    """The conversation about ideas."""
    column = {number: at for at, number in enumerate(conversation.statement_ids.tolist())}
    places = [[column[number] for number in idea.statement_ids] for idea in ideas]
    seen_PI = np.zeros((len(conversation.participants), len(places)), dtype=bool)
    votes_PI = np.zeros(seen_PI.shape, dtype=np.int8)
    for at, columns in enumerate(places):
        seen_PI[:, at] = conversation.seen_PS[:, columns].any(axis=1)
        # Votes not cast are 0, as passes are, so they leave the sum alone.
        votes_PI[:, at] = np.sign(conversation.votes_PS[:, columns].sum(axis=1, dtype=np.int64))
    statements = tuple(Statement(id=idea.id, text=idea.text) for idea in ideas)
    return Conversation(
        statements=statements,
        participants=conversation.participants,
        votes_PS=votes_PI,
        seen_PS=seen_PI,
        topic=conversation.topic,
        source=conversation.source,
    )
