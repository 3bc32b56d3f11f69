"""The articles of a constitution, from which prompts are written: of a list, its principles."""

from __future__ import annotations

from solon.constitution.principles import Constitution, Principle
from solon.records import Record


class Written(Record):
    """An article as a model reads it, and the principle that a judge is asked by."""

    id: str
    title: str
    text: str
    principle: Principle


def written_articles(constitution: Constitution) -> tuple[Written, ...]:
    """Those that a judge can be asked by, in the order of the file. A principle of a list is what it asks."""
    texts = {article.id: article.text for article in constitution.articles}
    return tuple(
        Written(id=one.id, title=one.title, text=texts.get(one.id) or one.comparison_question, principle=one)
        for one in constitution.principles
        if one.comparison_question
    )
