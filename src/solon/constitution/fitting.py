"""Which articles of a document a judge reads, where it cannot read all.

The hard constraints are always read. The articles take turns: each rank of the order of precedence, highest first,
gives the article of its own that is nearest to the text at hand; then each rank its next, and so on; articles that the
order leaves out make up the last rank. One that does not fit the tokens left is passed over. So every rank has a say
before any has two, a higher rank before a lower one, and within a rank what the text is about decides.

How near an article, its title included, is to the text: Okapi BM25 over the words that they share. A word counts the
more the fewer articles have it and, up to a limit, the more often this one does; words that all articles share weigh
next to nothing, in any language. The same text chooses the same articles, whoever asks.
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
K, B = 1.2, 0.75
"""Of BM25: how soon more of a word counts no more, and how much long articles have to say. The values in common use."""


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
        self._nearness = Nearness({one.id: _shown(document, one) for one in document.articles})

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
    """How near articles are to a text: Okapi BM25 (Robertson and Zaragoza 2009, "The probabilistic relevance
    framework"). Of a word that n of N articles have, w = ln(1 + (N - n + 1/2) / (n + 1/2)); an article of length l with
    f of it has w f (K + 1) / (f + K (1 - B + B l / mean length))."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """`texts`: of articles by id."""
        self._counts = {name: Counter(_words(text)) for name, text in texts.items()}
        spread, n = Counter(word for found in self._counts.values() for word in found), len(texts)
        self._weight = {word: math.log(1 + (n - have + 0.5) / (have + 0.5)) for word, have in spread.items()}
        mean = sum(found.total() for found in self._counts.values()) / max(1, n) or 1.0
        self._damp = {name: K * (1 - B + B * found.total() / mean) for name, found in self._counts.items()}

    def to(self, text: str) -> dict[str, float]:
        """Of each article, the sum over the words of the text.

        Example: `Tell no lies` and `Tell jokes` have 2.5 words on average; the text `lies, lies` has nothing of the
        second. Of the first it has one word, once: w = ln(1 + 1.5 / 1.5) = ln 2, and the article's length of 3 makes
        that ln(2) * 2.2 / (1 + 1.2 * 1.15).
        """
        said = sorted(set(_words(text)))
        return {name: math.fsum(self._said(word, name) for word in said) for name in self._counts}

    def _said(self, word: str, name: str) -> float:
        count = self._counts[name][word]
        return self._weight[word] * count * (K + 1) / (count + self._damp[name]) if count else 0.0


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _question(document: Constitution, shown: Sequence[Article]) -> str:
    templates = document_templates()
    articles = "".join(_shown(document, one) for one in shown)
    constraints = "\n".join(f"- {one}" for one in document.hard_constraints)
    return fill(templates["document_question"], articles=articles, hard_constraints=constraints)


def _shown(document: Constitution, article: Article) -> str:
    title = next(one.title for one in document.principles if one.id == article.id)
    return f"{title}\n{article.text}\n\n"
