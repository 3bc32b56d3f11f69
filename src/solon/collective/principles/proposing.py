"""From a conversation to a merges file: what `solon collect topics` proposes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solon.collective.conversation import Conversation
from solon.collective.principles.merges import FORMAT, Cited, Merge, MergeFile, NamedTopic, Rewording
from solon.collective.principles.saying import NOTES, Saying, is_about_ai, read_saying
from solon.collective.principles.topics import (
    SIMILAR,
    SIMILAR_EMBEDDED,
    Embed,
    Near,
    near_duplicates,
    topics_of,
    vectors_of,
)
from solon.collective.principles.wording import unusable


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """What there is to decide, and what to tell about it."""

    file: MergeFile
    notes: tuple[str, ...]


def propose(
    conversation: Conversation,
    *,
    threshold: float | None = None,
    topics: int | None = None,
    embed: Embed | None = None,
    seed: int = 0,
) -> Proposed:
    """Topics, merges and statements to word by hand, for the statements of `conversation` alone, all undecided.

    `threshold`: similarity from which a merge is proposed; None: the method's own. `embed`: texts to vectors, in the
    place of words in common.
    """
    about_ai = is_about_ai([one.text for one in conversation.statements])
    sayings = [read_saying(one.text, about_ai=about_ai) for one in conversation.statements]
    if not sayings:
        return Proposed(file=MergeFile(format=FORMAT), notes=("There are no statements.",))
    limit = threshold if threshold is not None else SIMILAR if embed is None else SIMILAR_EMBEDDED
    vectors = vectors_of(sayings, embed=embed, seed=seed)
    near = near_duplicates(vectors, sayings, limit)
    named = [
        NamedTopic(name=topic.name, statements=tuple(conversation.statements[at].id for at in topic.members))
        for topic in topics_of(vectors, sayings, topics, seed)
    ]
    wordings, notes = _to_word(conversation, sayings)
    made_by = f"{vectors.method}, threshold {limit:g}, seed {seed}, {len(sayings)} statements"
    merges = [_merge(number, one, conversation) for number, one in enumerate(near, start=1)]
    file = MergeFile(format=FORMAT, made_by=made_by, topic=tuple(named), merge=tuple(merges), wording=tuple(wordings))
    return Proposed(file=file, notes=tuple(notes))


def _merge(number: int, near: Near, conversation: Conversation) -> Merge:
    order = [near.medoid, *(at for at in near.members if at != near.medoid)]
    statements = [conversation.statements[at] for at in order]
    return Merge(
        id=f"merge-{number}",
        wording=statements[0].text.strip(),
        similarity=round(near.similarity, 3),
        voted_alike=_voted_alike(conversation, order),
        statements=tuple(Cited(id=one.id, text=one.text) for one in statements),
    )


def _voted_alike(conversation: Conversation, positions: Sequence[int]) -> str:
    """`18 of 20`: who saw all of them, and who voted the same on all."""
    both_P = conversation.seen_PS[:, positions].all(axis=1)
    votes_PN = conversation.votes_PS[both_P][:, positions]
    alike = int(np.sum((votes_PN == votes_PN[:, :1]).all(axis=1)))
    return f"{alike} of {int(both_P.sum())}"


def _to_word(conversation: Conversation, sayings: Sequence[Saying]) -> tuple[list[Rewording], list[str]]:
    """Statements that are quoted or cannot be used; none if that is most of them, for then quoting is the form."""
    odd = []
    for statement, saying in zip(conversation.statements, sayings, strict=True):
        refused = unusable(saying)
        why = [refused] if refused else [NOTES[note] for note in saying.notes]
        if why:
            odd.append(Rewording(statement=statement.id, wording=saying.clean, text=statement.text, why="; ".join(why)))
    quoted = sum(saying.clause is None for saying in sayings)
    if 2 * quoted <= len(sayings):
        return odd, []
    kept = [one for one, saying in zip(conversation.statements, sayings, strict=True) if unusable(saying)]
    needed = {one.id for one in kept}
    return [one for one in odd if one.statement in needed], [
        f"{quoted} of {len(sayings)} statements do not say what an AI should do; principles will quote them. "
        "To word one yourself, add a [[wording]] with its statement, text, wording and decision."
    ]
