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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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


class Fitter:
    """Chooses articles of a document for one text after another. What does not depend on the text is counted once."""

    def __init__(self, document: Constitution, count_tokens: Callable[[str], int]) -> None:
        """`document`: of kind `document`. `count_tokens`: of a piece of the question."""
        self._document = document
        self._frame_tokens = count_tokens(_question(document, ()))
        self._tokens = {one.id: count_tokens(_shown(document, one)) for one in document.articles}
        self._nearness = Nearness(document.articles)

    def choose(self, budget_tokens: float, text: str) -> Selection | None:
        """The articles for a text and the question that is asked by them.

        Args:
            budget_tokens: how long the question may be; `math.inf` if it may be as long as it likes.
            text: what is judged.

        None if there is no room for the constraints and at least one article.
        """
        articles, left = self._document.articles, budget_tokens - self._frame_tokens
        chosen = set[str]()
        for article in _in_turns(articles, self._nearness.to(text)):
            if self._tokens[article.id] <= left:
                chosen.add(article.id)
                left -= self._tokens[article.id]
        shown = [one for one in _by_rank(articles) if one.id in chosen]
        if not shown:
            return None
        return Selection(
            question=_question(self._document, shown),
            articles=tuple(one.id for one in shown),
            left_out=tuple(one.id for one in articles if one.id not in chosen),
        )


def whole_question(document: Constitution) -> str:
    """The question by all articles of a document."""
    return _question(document, _by_rank(document.articles))


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


class Nearness:
    """How near articles are to a text."""

    def __init__(self, articles: Sequence[Article]) -> None:
        self._words = {one.id: _words(one.text) for one in articles}
        spread = Counter(word for found in self._words.values() for word in found)
        self._weight = {word: math.log(len(articles) / count) ** 2 for word, count in spread.items()}
        self._length = {name: math.sqrt(self._weighed(found)) or 1.0 for name, found in self._words.items()}

    def to(self, text: str) -> dict[str, float]:
        """The cosine of each article and the text, but for the length of the text, which is the same for all.

        Example: of `Tell no lies` and `Tell jokes`, the text `lies, lies` has nothing of the second; of the first it
        has one of the two words that tell them apart, which makes log(2) / sqrt(2).
        """
        said = _words(text)
        return {name: self._weighed(found & said) / self._length[name] for name, found in self._words.items()}

    def _weighed(self, words: Iterable[str]) -> float:
        return math.fsum(self._weight[word] for word in words)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))


def _question(document: Constitution, shown: Sequence[Article]) -> str:
    templates = document_templates()
    articles = "".join(_shown(document, one) for one in shown)
    constraints = "\n".join(f"- {one}" for one in document.hard_constraints)
    return fill(templates["document_question"], articles=articles, hard_constraints=constraints)


def _shown(document: Constitution, article: Article) -> str:
    title = next(one.title for one in document.principles if one.id == article.id)
    return f"{title}\n{article.text}\n\n"
