"""What was decided on the way from votes to principles."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from solon.collective.principles.deciding import cited, without
from solon.collective.principles.merges import FORMAT, MergeFile
from solon.collective.principles.selection import Asked
from solon.report.public.language import mark
from solon.web.db.conversations import lock
from solon.web.db.statements import all_statements
from solon.web.db.tables import Conversation, PrinciplesDraft, now
from solon.web.troubles import Trouble


@dataclass(frozen=True, kw_only=True)
class Draft:
    """As it is kept."""

    version: int = 0
    """0: nothing was decided yet."""
    merges: MergeFile = field(default_factory=lambda: MergeFile(format=FORMAT))
    asked: Asked = field(default_factory=Asked)
    title: str = ""
    published: bool = False


def draft_of(db: Session, talk: Conversation) -> Draft:
    found = db.get(PrinciplesDraft, talk.id)
    if found is None:
        return Draft()
    merges, asked = MergeFile.model_validate(found.merges), Asked.model_validate(found.asked)
    return Draft(version=found.version, merges=merges, asked=asked, title=found.title, published=found.published)


def is_published(db: Session, talk: Conversation) -> bool:
    """May everybody see what became of it?"""
    return bool(db.scalar(select(PrinciplesDraft.published).where(PrinciplesDraft.conversation_id == talk.id)))


def keep(db: Session, talk: Conversation, draft: Draft) -> None:
    """In the place of the version that it was made from, without statements that were taken away since.

    Raises `Trouble` where that version is not the newest any more.
    """
    lock(db, talk)
    found = db.get(PrinciplesDraft, talk.id, populate_existing=True)
    if (found.version if found else 0) != draft.version:
        raise Trouble(409, mark("Somebody else decided meanwhile"), mark("Look at the principles again."))
    row = found or PrinciplesDraft(conversation_id=talk.id)
    row.version, row.title, row.changed = draft.version + 1, draft.title, now()
    row.published = draft.published
    texts = {one.number: one.text for one in all_statements(db, talk)}
    merges = without(draft.merges, cited(draft.merges) - texts.keys(), texts)
    row.merges, row.asked = merges.model_dump(mode="json"), draft.asked.model_dump(mode="json")
    db.add(row)
    db.flush()


def forget(db: Session, conversation: int, numbers: Collection[int]) -> None:
    """Nothing stays of these statements, which their author takes away."""
    found = db.get(PrinciplesDraft, conversation, with_for_update=True)
    if found is not None and numbers:
        talk = db.get_one(Conversation, conversation)
        texts = {one.number: one.text for one in all_statements(db, talk) if one.number not in numbers}
        found.merges = without(MergeFile.model_validate(found.merges), numbers, texts).model_dump(mode="json")
        found.version += 1
