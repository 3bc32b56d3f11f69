"""Topics, and statements that say nearly the same: by words (TF-IDF and latent semantic analysis) or by embeddings.

Shapes: S statements, V terms, L latent dimensions. Statements come sorted by id.

Three views of a statement's core (what is to be done or left, see `saying`) are laid side by side: its word stems, its
letters in runs of three to five, which forgive spelling, and its place in a latent space in which words that keep the
same company lie close together. The similarity of two statements is the weighted mean of their three cosines, lowered
where each has weighty words that the other lacks: `be honest` is close to `be intensely honest`, while `override the
law` and `override humans` are about different things.

Nothing is merged here. Two statements with an odd number of negations between them are never proposed, however alike
their words (`should lie`, `should not lie`), nor two of which one turns a word of the other round (`legal`, `illegal`).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import combinations
from typing import Any

import numpy as np

from solon.collective.conversation import Floats, Ints
from solon.collective.numerics import as_numpy_takes_it, one_thread
from solon.collective.principles.neutral import words
from solon.collective.principles.saying import Saying
from solon.seeds import derive_seed

LATENT = 100
"""Dimensions of the latent space at most, a usual number for latent semantic analysis (Deerwester 1990)."""
VIEWS = (0.4, 0.4, 0.2)
"""Weights of stems, letters and latent space; the last finds what the others miss, and much else. Tuned by eye on the
CCAI statements."""
SIMILAR = 0.4
"""Similarity from which a merge is proposed. Measured on the CCAI statements, see docs/method.md."""
SIMILAR_EMBEDDED = 0.8
"""The same for embeddings, whose cosines are larger. Assumption: it depends on the model; look at what is proposed."""
BELONGS = 0.3
"""Cosine to a topic's centre below which a statement belongs to no topic. Assumption: many statements are alone."""
BLOCK = 512
"""Rows whose similarities are held in memory at a time."""

Embed = Callable[[Sequence[str]], Floats]
"""Texts to vectors [S, D]."""


@dataclass(frozen=True, kw_only=True)
class Vectors:
    """Where statements lie."""

    rows_SV: Any
    """Rows of length 1 (or 0), sparse or dense: the similarity of two statements is the product of their rows."""
    latent_SL: Floats
    """Dense rows of length 1 (or 0), for topics."""
    method: str
    """`tfidf-lsa`, or `embeddings`."""
    terms: tuple[frozenset[str], ...] | None = None
    """Word stems of each statement, to compare what two of them do not share; None: cosines alone."""


@dataclass(frozen=True, kw_only=True)
class Near:
    """Statements that may say the same, as positions, ascending."""

    members: tuple[int, ...]
    similarity: float
    """Of the two members that are least alike."""
    medoid: int
    """The member most like the others, of those in the common form if there are any; ties go to the lowest."""


@dataclass(frozen=True, kw_only=True)
class Topic:
    """Statements about one thing."""

    name: str
    """Its most telling words."""
    members: tuple[int, ...]
    """Positions, ascending."""


def vectors_of(sayings: Sequence[Saying], *, embed: Embed | None = None, seed: int = 0) -> Vectors:
    """Places statements; with `embed`, by what a model makes of their whole clean text."""
    if embed is not None:
        dense_SD = np.asarray(embed([saying.clean for saying in sayings]), dtype=np.float64)
        # Models put all texts into a narrow cone; around their mean the differences show.
        dense_SD = _unit_rows(dense_SD - dense_SD.mean(axis=0, keepdims=True))
        return Vectors(rows_SV=dense_SD, latent_SL=dense_SD, method="embeddings")
    from scipy.sparse import csr_matrix, hstack

    views = [_tfidf(sayings, _stems), _tfidf(sayings, _letters)]
    both = hstack(views, format="csr")
    latent_SL = _latent(both, seed)
    weighted = [view * weight**0.5 for view, weight in zip([*views, csr_matrix(latent_SL)], VIEWS, strict=True)]
    terms = tuple(frozenset(_stems(saying.core)) for saying in sayings)
    return Vectors(rows_SV=hstack(weighted, format="csr"), latent_SL=latent_SL, method="tfidf-lsa", terms=terms)


def near_duplicates(vectors: Vectors, sayings: Sequence[Saying], threshold: float) -> tuple[Near, ...]:
    """Groups in which every two statements are at least `threshold` alike, most alike first.

    Pairs are joined from the most alike on, two groups only if all pairs across them reach the threshold: a chain of
    small steps never joins two statements that are not alike.
    """
    similar = _pairs_from(vectors.rows_SV, threshold)
    if vectors.terms is not None:
        lowered = _lowered(similar, vectors.terms)
        similar = {pair: s for pair, s in lowered.items() if s >= threshold - 1e-9}
    allowed = {pair: s for pair, s in similar.items() if _same_direction(sayings[pair[0]], sayings[pair[1]])}
    group = {position: [position] for position in range(len(sayings))}
    for first, second in sorted(allowed, key=lambda pair: (-allowed[pair], pair)):
        one, other = group[first], group[second]
        if one is not other and all((min(a, b), max(a, b)) in allowed for a in one for b in other):
            one += other
            group.update(dict.fromkeys(other, one))
    joined = {tuple(sorted(members)) for members in group.values() if len(members) > 1}
    found = [_near(members, allowed, sayings) for members in joined]
    return tuple(sorted(found, key=lambda near: (-near.similarity, near.members)))


def topics_of(
    vectors: Vectors, sayings: Sequence[Saying], count: int | None = None, seed: int = 0
) -> tuple[Topic, ...]:
    """`count` topics by k-means, the largest first; without a count, the square root of half the statements."""
    from sklearn.cluster import KMeans

    total = len(sayings)
    wanted = min(total, count or max(1, round((total / 2) ** 0.5)))
    if wanted < 2:
        labels_S: Ints = np.zeros(total, dtype=np.int64)
    else:
        means = KMeans(wanted, n_init=10, random_state=as_numpy_takes_it(derive_seed(seed, "topics")))
        with one_thread():
            labels_S = np.asarray(means.fit_predict(vectors.latent_SL), dtype=np.int64)
        centres_KL = _unit_rows(np.asarray(means.cluster_centers_, dtype=np.float64))
        labels_S[(vectors.latent_SL * centres_KL[labels_S]).sum(axis=1) < BELONGS] = wanted
    members = [tuple(np.flatnonzero(labels_S == label).tolist()) for label in np.unique(labels_S)]
    apart = tuple(np.flatnonzero(labels_S == wanted).tolist())
    ordered = sorted((those for those in members if those != apart), key=lambda those: (-len(those), those))
    names = _telling_words(sayings, ordered)
    topics = [Topic(name=name, members=those) for name, those in zip(names, ordered, strict=True)]
    return (*topics, Topic(name="other", members=apart)) if apart else tuple(topics)


def _same_direction(one: Saying, other: Saying) -> bool:
    """Neither is negated where the other is not, and no word of one is the other's with `un` or the like before it."""
    if one.negated != other.negated or one.negations % 2 != other.negations % 2:
        return False
    said, others = set(_content(one.core)), set(_content(other.core))
    return not _turns_round(said - others, others - said) and not _turns_round(others - said, said - others)


def _turns_round(said: set[str], others: set[str]) -> bool:
    """Is a word of `others`, but for its ending, a word of `said` without the syllable that turns it round?"""
    plain = {_ENDINGS.sub("", _OPPOSITE.sub("", word)) for word in said if _OPPOSITE.match(word)}
    return any(_ENDINGS.sub("", word) in plain for word in others)


def _near(members: tuple[int, ...], similar: dict[tuple[int, int], float], sayings: Sequence[Saying]) -> Near:
    inside = {pair: similar[pair] for pair in combinations(members, 2)}
    closeness = {one: sum(s for pair, s in inside.items() if one in pair) for one in members}
    medoid = min(members, key=lambda one: (sayings[one].clause is None, -closeness[one], one))
    return Near(members=members, similarity=min(inside.values()), medoid=medoid)


def _pairs_from(rows_SV: Any, threshold: float) -> dict[tuple[int, int], float]:
    """Similarity of all pairs (lower, higher position) that reach the threshold."""
    found: dict[tuple[int, int], float] = {}
    for start in range(0, rows_SV.shape[0], BLOCK):
        product = rows_SV[start : start + BLOCK] @ rows_SV.T
        block = np.asarray(product.todense() if hasattr(product, "todense") else product)
        for row, column in np.argwhere(block >= threshold - 1e-9).tolist():
            if start + row < column:
                found[start + row, column] = round(float(block[row, column]), 6)
    return found


def _lowered(similar: dict[tuple[int, int], float], terms: Sequence[frozenset[str]]) -> dict[tuple[int, int], float]:
    """Similarities times (1 + share) / 2. Share: of the weight of the poorer statement's terms, how much is common.

    With `weigh` as 1 for every term, {override, law} and {override, human} share 1 of 2: 0.73 falls to 0.55.
    """
    number = Counter(term for those in terms for term in those)

    def weigh(those: frozenset[str]) -> float:
        return math.fsum(math.log((1 + len(terms)) / (1 + number[term])) + 1 for term in those)

    lowered = {}
    for (first, second), similarity in similar.items():
        poorer = min(weigh(terms[first]), weigh(terms[second]))
        share = weigh(terms[first] & terms[second]) / poorer if poorer else 0.0
        lowered[first, second] = round(similarity * (1 + share) / 2, 6)
    return lowered


def _tfidf(sayings: Sequence[Saying], terms: Callable[[str], list[str]]) -> Any:
    """Rows of length 1. A term counts 1 + ln(its number); rare ones weigh more (scikit-learn's smoothed idf)."""
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

    lists = [terms(saying.core) for saying in sayings]
    if not any(lists):
        return csr_matrix((len(sayings), 1), dtype=np.float64)
    return TfidfVectorizer(analyzer=lambda term_list: term_list, sublinear_tf=True).fit_transform(lists)


def _latent(rows_SV: Any, seed: int) -> Floats:
    from sklearn.decomposition import TruncatedSVD

    size = min(LATENT, *(side - 1 for side in rows_SV.shape))
    if size < 1:
        return np.zeros((rows_SV.shape[0], 1))
    svd = TruncatedSVD(size, n_iter=7, random_state=as_numpy_takes_it(derive_seed(seed, "latent")))
    with one_thread(), np.errstate(invalid="ignore"):  # texts without a word in common explain no variance: no fault
        return _unit_rows(np.asarray(svd.fit_transform(rows_SV), dtype=np.float64))


def _unit_rows(rows_SD: Floats) -> Floats:
    lengths_S = np.linalg.norm(rows_SD, axis=1, keepdims=True)
    return np.asarray(np.divide(rows_SD, lengths_S, out=np.zeros_like(rows_SD), where=lengths_S > 1e-12))


@cache
def _stop_words() -> frozenset[str]:
    return frozenset(
        files("solon.collective.principles").joinpath("templates/stop_words.txt").read_text(encoding="utf-8").split()
    )


_ENDINGS = re.compile(
    r"(?<=\w{4})(?:ically|fulness|iveness|i[sz]ation|ational|ations?|ities|iness|ously|ingly|edly|ness|ments?|able|ible|"
    r"ally|ful|ing|ity|ies|ied|ive|ions?|ous|ed|ly|es|al|s|e|y)$"
)


_OPPOSITE = re.compile(r"(?:un|in|im|il|ir|dis|non|anti|mis)-?(?=\w{3})")


def _content(text: str) -> list[str]:
    """Words that carry meaning, in small letters; all words if none does."""
    said = [re.split("['’]", word.lower())[0] for word in words(text)]
    return [word for word in said if word not in _stop_words()] or said


def _stems(text: str) -> list[str]:
    """Words without their endings, roughly: `unbiased` and `unbiasedly` are one."""
    return [_ENDINGS.sub("", word) for word in _content(text)]


def _letters(text: str) -> list[str]:
    """All runs of three to five letters within words, word ends marked."""
    runs = []
    for word in _content(text):
        marked = f" {word} "
        runs += [marked[at : at + size] for size in (3, 4, 5) for at in range(max(1, len(marked) - size + 1))]
    return runs


def _telling_words(sayings: Sequence[Saying], topics: Sequence[tuple[int, ...]]) -> list[str]:
    """For each topic three words that stand in many of its statements and in few others, none used twice in a name."""
    contents = [set(_content(saying.core)) for saying in sayings]
    everywhere: dict[str, int] = {}
    for content in contents:
        for word in content:
            everywhere[word] = everywhere.get(word, 0) + 1
    names = []
    for members in topics:
        inside: dict[str, int] = {}
        for position in members:
            for word in contents[position]:
                inside[word] = inside.get(word, 0) + 1
        ranked = sorted(inside, key=lambda word: (-(inside[word] ** 2) / everywhere[word], word))
        chosen: dict[str, str] = {}
        for word in ranked:
            chosen.setdefault(_ENDINGS.sub("", word), word)
        names.append(", ".join(list(chosen.values())[:3]) or "other")
    return names
