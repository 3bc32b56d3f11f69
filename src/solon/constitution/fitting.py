"""Which articles of a document a judge reads, where it cannot read all.

The hard constraints are always read. The articles take turns: each rank of the order of precedence, highest first,
gives the article of its own that is nearest to the text at hand; then each rank its next, and so on; articles that the
order leaves out make up the last rank. One that does not fit the tokens left is passed over. So every rank has a say
before any has two, a higher rank before a lower one, and within a rank what the text is about decides.

How near an article is to the text: the cosine between their sets of words, each word weighed by how few articles have
it, `log(articles / articles with the word)`. Words that all articles share weigh nothing, in any language. The same
text chooses the same articles, whoever asks.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from solon.constitution.principles import Article, Constitution
from solon.constitution.texts import document_templates
from solon.text import fill

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What of a document a judge is asked by."""

    question: str
    articles: tuple[str, ...]
    """Ids, in the order of the question: that of precedence, then that of the document."""
    left_out: tuple[str, ...]
    """Ids of those that had no room."""


def fitting(
    document: Constitution, budget_tokens: float, count_tokens: Callable[[str], int], text: str
) -> Selection | None:
    """The articles for a text and the question that is asked by them.

    Args:
        document: of kind `document`.
        budget_tokens: how long the question may be; `math.inf` if it may be as long as it likes.
        count_tokens: of a piece of the question.
        text: what is judged.

    None if there is no room for the constraints and at least one article.
    """
    left = budget_tokens - count_tokens(_question(document, ()))
    chosen = set[str]()
    for article in _in_turns(document.articles, _nearness(document.articles, text)):
        tokens = count_tokens(_shown(document, article))
        if tokens <= left:
            chosen.add(article.id)
            left -= tokens
    shown = [one for one in _by_rank(document.articles) if one.id in chosen]
    if not shown:
        return None
    return Selection(
        question=_question(document, shown),
        articles=tuple(one.id for one in shown),
        left_out=tuple(one.id for one in document.articles if one.id not in chosen),
    )


def _by_rank(articles: Sequence[Article]) -> list[Article]:
    return sorted(articles, key=lambda one: math.inf if one.rank is None else one.rank)


def _in_turns(articles: Sequence[Article], nearness: Mapping[str, float]) -> Iterator[Article]:
    """Of each rank the nearest, then of each rank the next nearest; among equals the first in the document."""
    ranks: dict[int | None, list[Article]] = {}
    for article in _by_rank(articles):
        ranks.setdefault(article.rank, []).append(article)
    nearest_first = [sorted(rank, key=lambda one: -nearness[one.id]) for rank in ranks.values()]
    for turn in zip_longest(*nearest_first):
        yield from (article for article in turn if article is not None)


def _nearness(articles: Sequence[Article], text: str) -> dict[str, float]:
    """The cosine of each article and the text, but for the length of the text, which is the same for all.

    Example: of `Tell no lies` and `Tell jokes`, the text `lies, lies` has nothing of the second; of the first it has
    one of the two words that tell them apart, which makes log(2) / sqrt(2).
    """
    words = {one.id: set(_WORD.findall(one.text.casefold())) for one in articles}
    spread = Counter(word for found in words.values() for word in found)
    weight = {word: math.log(len(articles) / count) ** 2 for word, count in spread.items()}
    said = set(_WORD.findall(text.casefold()))
    return {
        name: math.fsum(weight[word] for word in found & said)
        / (math.sqrt(math.fsum(weight[word] for word in found)) or 1.0)
        for name, found in words.items()
    }


def _question(document: Constitution, shown: Sequence[Article]) -> str:
    templates = document_templates()
    articles = "".join(_shown(document, one) for one in shown)
    constraints = "\n".join(f"- {one}" for one in document.hard_constraints)
    return fill(templates["document_question"], articles=articles, hard_constraints=constraints)


def _shown(document: Constitution, article: Article) -> str:
    title = next(one.title for one in document.principles if one.id == article.id)
    return f"{title}\n{article.text}\n\n"
