"""From a conversation to a merges file: what `solon collect topics` proposes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from solon.collective.conversation import Conversation
from solon.collective.principles.merges import FORMAT, Cited, Merge, MergeFile, NamedTopic, Rewording
from solon.collective.principles.neutral import neutralise
from solon.collective.principles.topics import (
    SIMILAR,
    SIMILAR_EMBEDDED,
    Embed,
    Near,
    near_duplicates,
    topics_of,
    vectors_of,
)
from solon.collective.principles.wording import odd, unusable


def propose(
    conversation: Conversation,
    *,
    threshold: float | None = None,
    topics: int | None = None,
    language: str | None = None,
    embed: Embed | None = None,
    seed: int = 0,
) -> tuple[MergeFile, str]:
    """Topics, merges and statements to look at, all undecided; and what to tell of them, or nothing.

    `threshold`: similarity from which a merge is proposed; None: the method's own. `topics`: as for `topics_of`.
    `language`, `embed`: as for `vectors_of`.
    """
    texts = [one.text for one in conversation.statements]
    if not texts:
        return MergeFile(format=FORMAT), "There are no statements."
    limit = threshold if threshold is not None else SIMILAR if embed is None else SIMILAR_EMBEDDED
    vectors = vectors_of(texts, language=language, embed=embed, seed=seed)
    ids = [one.id for one in conversation.statements]
    file = MergeFile(
        format=FORMAT,
        made_by=f"{vectors.method}, {vectors.read.spoken}, threshold {limit:g}, seed {seed}, {len(texts)} statements",
        topic=tuple(
            NamedTopic(name=topic.name, statements=tuple(ids[at] for at in topic.members))
            for topic in topics_of(vectors, topics, seed)
        ),
        merge=tuple(
            _merge(number, one, conversation) for number, one in enumerate(near_duplicates(vectors, limit), start=1)
        ),
        wording=tuple(_to_word(conversation)),
    )
    return file, vectors.read.note


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


def _to_word(conversation: Conversation) -> Iterator[Rewording]:
    """Statements that cannot be used as they are, or at which a person should look."""
    for one in conversation.statements:
        refused = unusable(one.text)
        if why := (refused,) if refused else odd(one.text):
            yield Rewording(statement=one.id, wording=neutralise(one.text)[0], text=one.text, why="; ".join(why))
