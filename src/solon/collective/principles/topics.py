"""Topics, and statements that say nearly the same: by words (TF-IDF and latent semantic analysis) or by embeddings; and
what `solon collect topics` proposes of them.

Shapes: S statements, V terms, L latent dimensions. Statements come sorted by id.

Three views of a statement are laid side by side: its word stems, its letters in runs of three to five, which forgive
spelling, and its place in a latent space of words that keep the same company; docs/method.md has the formulas. Two
statements with an odd number of negations between them are never proposed (`should lie`, `should not lie`), nor two of
which one turns a word of the other round (`legal`, `illegal`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from solon.collective.conversation import Conversation, Floats, Ints
from solon.collective.opinion.polis.projection import one_thread
from solon.collective.principles.languages import ReadStatements, is_unspaced, read_all
from solon.collective.principles.merges import FORMAT, UNNAMED, Citation, Merge, MergeFile, NamedTopic, Rewording
from solon.collective.principles.wording import neutralize, odd, title_of, unusable
from solon.seeds import derive_seed

LATENT = 100
"""Dimensions of the latent space at most, a usual number for latent semantic analysis (Deerwester 1990)."""
VIEWS = (0.4, 0.4, 0.2)
"""Weights of stems, letters and latent space; the last finds what the others miss, and much else. Tuned by eye on the
CCAI statements."""
SIMILAR = 0.4
"""Similarity from which a merge is proposed. Tuned by eye on the CCAI statements."""
SIMILAR_EMBEDDED = 0.8
"""The same for embeddings, whose cosines are larger. Assumption: it depends on the model; look at what is proposed."""
BELONGS = 0.3
"""Cosine to a topic's center below which a statement belongs to no topic. Assumption: many statements are alone."""
TELLING = 3
"""Words in a topic's name."""

Embed = Callable[[Sequence[str]], Floats]
"""Texts to vectors [S, D]."""


@dataclass(frozen=True, kw_only=True)
class Vectors:
    """Where statements lie, and their words."""

    similarity_SS: Floats
    """Of every two statements; -1 where one is negated and the other is not."""
    latent_SL: Floats
    """Rows of length 1 (or 0), for topics."""
    method: str
    read: ReadStatements


class NearDuplicates(NamedTuple):
    """Statements that may say the same, as positions, ascending."""

    members: tuple[int, ...]
    similarity: float
    """Of the two members that are least alike."""
    medoid: int
    """The member most like the others; ties go to the lowest."""


class Topic(NamedTuple):
    """Statements about one thing."""

    name: str
    members: tuple[int, ...]
    """Positions, ascending."""


def vectors_of(
    texts: Sequence[str], *, language: str | None = None, embed: Embed | None = None, seed: int = 0
) -> Vectors:
    """Places statements; with `embed`, by what a model makes of their whole text.

    `language`: a code that `languages` knows; None: told by the texts.
    """
    clean = [neutralize(text)[0] for text in texts]
    read = read_all(clean, language)
    if embed is not None:
        dense_SD = np.asarray(embed(clean), dtype=np.float64)
        # Models put all texts into a narrow cone; around their mean the differences show.
        latent_SL = _unit_rows(dense_SD - dense_SD.mean(axis=0, keepdims=True))
        similarity_SS = latent_SL @ latent_SL.T
    else:
        latent_SL, similarity_SS = _by_words(read, seed)
    odd_S = np.array(read.negations, dtype=np.int64) % 2
    similarity_SS = np.where(odd_S[:, None] == odd_S[None, :], similarity_SS, -1.0)
    method = "tfidf-lsa" if embed is None else "embeddings"
    return Vectors(similarity_SS=similarity_SS.round(6), latent_SL=latent_SL, method=method, read=read)


def near_duplicates(vectors: Vectors, threshold: float) -> tuple[NearDuplicates, ...]:
    """Sets in which every two statements are at least `threshold` alike, most alike first.

    By complete linkage: a chain of small steps never joins two statements that are not alike.
    """
    from sklearn.cluster import AgglomerativeClustering

    distance_SS = 1.0 - vectors.similarity_SS
    if len(distance_SS) < 2:
        return ()
    for one, other in np.argwhere(np.triu(vectors.similarity_SS >= threshold, 1)).tolist():
        if _opposed(vectors.read, one, other):
            distance_SS[one, other] = distance_SS[other, one] = 2.0
    np.fill_diagonal(distance_SS, 0.0)
    linkage = AgglomerativeClustering(
        n_clusters=None, distance_threshold=1 - threshold + 1e-9, metric="precomputed", linkage="complete"
    )
    labels_S = linkage.fit_predict(distance_SS)
    sets = [tuple(np.flatnonzero(labels_S == label).tolist()) for label in np.unique(labels_S)]
    found = [_near(members, 1.0 - distance_SS) for members in sets if len(members) > 1]
    return tuple(sorted(found, key=lambda near: (-near.similarity, near.members)))


def alike(vectors: Vectors, at: int, threshold: float = SIMILAR) -> list[tuple[int, float]]:
    """Positions of statements that are at least `threshold` like the one at `at`, most alike first, and how much."""
    others = np.argsort(-vectors.similarity_SS[at], kind="stable").tolist()
    near = [(one, float(vectors.similarity_SS[at, one])) for one in others if one != at]
    return [(one, how) for one, how in near if how >= threshold and not _opposed(vectors.read, at, one)]


def topics_of(vectors: Vectors, count: int | None = None, seed: int = 0) -> tuple[Topic, ...]:
    """`count` topics by k-means, the largest first; without a count, the square root of half the statements."""
    from sklearn.cluster import KMeans

    total = len(vectors.latent_SL)
    wanted = min(total, count or max(1, round((total / 2) ** 0.5)))
    labels_S: Ints = np.zeros(total, dtype=np.int64)
    if wanted > 1:
        means = KMeans(wanted, n_init=10, random_state=derive_seed(seed, "topics") % 2**32)
        with one_thread():
            labels_S = np.asarray(means.fit_predict(vectors.latent_SL), dtype=np.int64)
        centers_KL = _unit_rows(np.asarray(means.cluster_centers_, dtype=np.float64))
        labels_S[(vectors.latent_SL * centers_KL[labels_S]).sum(axis=1) < BELONGS] = wanted
    members = [tuple(np.flatnonzero(labels_S == label).tolist()) for label in range(wanted)]
    ordered = sorted(filter(None, members), key=lambda those: (-len(those), those))
    topics = [Topic(name=_name(vectors.read, those, vectors.latent_SL), members=those) for those in ordered]
    apart = tuple(np.flatnonzero(labels_S == wanted).tolist())
    return (*topics, Topic(name=UNNAMED, members=apart)) if apart else tuple(topics)


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


def _opposed(read: ReadStatements, one: int, other: int) -> bool:
    said, others = set(read.words[one]), set(read.words[other])
    turns_round = read.languages[one].turns_round
    return any(turns_round(a, b) or turns_round(b, a) for a in sorted(said - others) for b in sorted(others - said))


def _near(members: tuple[int, ...], similarity_SS: Floats) -> NearDuplicates:
    inside_MM = similarity_SS[np.ix_(members, members)]
    least = min(float(similarity_SS[pair]) for pair in combinations(members, 2))
    return NearDuplicates(
        members=members, similarity=least, medoid=members[int(inside_MM.sum(axis=1).round(6).argmax())]
    )


def _by_words(read: ReadStatements, seed: int) -> tuple[Floats, Floats]:
    """Places in latent space [S, L]; similarities [S, S]: the views' weighted cosines, times (1 + share) / 2.

    Share: of the weight of the poorer statement's stems, how much is common. {override, law} and {override, human}
    share 1 of 2, were all words of one weight: 0.73 falls to 0.55.
    """
    from scipy.sparse import hstack

    stems_SV, idf_V = _tfidf(read.stems)
    letters_SV, _ = _tfidf([_letters(those) for those in read.words])
    latent_SL = _latent(hstack([stems_SV, letters_SV], format="csr"), seed)
    views = [(stems_SV @ stems_SV.T).toarray(), (letters_SV @ letters_SV.T).toarray(), latent_SL @ latent_SL.T]
    cosine_SS = sum(weight * view for weight, view in zip(VIEWS, views, strict=True))
    has_SV = (stems_SV > 0).astype(np.float64)
    common_SS = (has_SV.multiply(idf_V) @ has_SV.T).toarray()
    weight_S = common_SS.diagonal()
    poorer_SS = np.minimum(weight_S[:, None], weight_S[None, :])
    share_SS = np.divide(common_SS, poorer_SS, out=np.zeros_like(common_SS), where=poorer_SS > 0)
    return latent_SL, np.asarray(cosine_SS * (1 + share_SS) / 2)


def _tfidf(terms: Sequence[Sequence[str]]) -> tuple[Any, Floats]:
    """Rows of length 1 [S, V]; weights [V]. A term counts 1 + ln(its number); rare ones weigh more (smoothed idf)."""
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

    if not any(terms):
        return csr_matrix((len(terms), 1), dtype=np.float64), np.ones(1)
    vectorizer = TfidfVectorizer(analyzer=lambda those: those, sublinear_tf=True)
    rows_SV = vectorizer.fit_transform(terms)
    return rows_SV, np.asarray(vectorizer.idf_, dtype=np.float64)


def _latent(rows_SV: Any, seed: int) -> Floats:
    from sklearn.decomposition import TruncatedSVD

    size = min(LATENT, *(side - 1 for side in rows_SV.shape))
    if size < 1:
        return np.zeros((rows_SV.shape[0], 1))
    svd = TruncatedSVD(size, n_iter=7, random_state=derive_seed(seed, "latent") % 2**32)
    with one_thread(), np.errstate(invalid="ignore"):  # texts without a word in common explain no variance: no fault
        return _unit_rows(np.asarray(svd.fit_transform(rows_SV), dtype=np.float64))


def _unit_rows(rows_SD: Floats) -> Floats:
    lengths_S = np.linalg.norm(rows_SD, axis=1, keepdims=True)
    return np.asarray(np.divide(rows_SD, lengths_S, out=np.zeros_like(rows_SD), where=lengths_S > 1e-12))


def _letters(words: Sequence[str]) -> list[str]:
    """All runs of three to five letters within words, word ends marked."""
    marked = [f" {word} " for word in words]
    return [one[at : at + size] for one in marked for size in (3, 4, 5) for at in range(max(1, len(one) - size + 1))]


def _name(read: ReadStatements, members: Sequence[int], latent_SL: Floats) -> str:
    """Words that stand in many statements of a topic and in few others, no two of them of one stem.

    Where a script has no spaces, pairs of characters are no words: the statement nearest to all others names the topic.
    """
    own = [word for at in members for word in set(read.words[at])]
    if 2 * sum(map(is_unspaced, own)) > len(own):
        middle = members[int((latent_SL[[*members]] @ latent_SL[[*members]].sum(axis=0)).round(6).argmax())]
        return title_of(read.texts[middle])
    everywhere, inside = Counter(word for those in read.words for word in set(those)), Counter(own)
    stem_of = {word: stem for at in members for word, stem in zip(read.words[at], read.stems[at], strict=True)}
    chosen: dict[str, str] = {}
    for word in sorted(inside, key=lambda word: (-(inside[word] ** 2) / everywhere[word], word)):
        chosen.setdefault(stem_of[word], word)
    return ", ".join(list(chosen.values())[:TELLING]) or UNNAMED


def _merge(number: int, near: NearDuplicates, conversation: Conversation) -> Merge:
    order = [near.medoid, *(at for at in near.members if at != near.medoid)]
    statements = [conversation.statements[at] for at in order]
    return Merge(
        id=f"merge-{number}",
        wording=statements[0].text.strip(),
        similarity=round(near.similarity, 3),
        voted_alike=_voted_alike(conversation, order),
        statements=tuple(Citation(id=one.id, text=one.text) for one in statements),
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
            yield Rewording(statement=one.id, wording=neutralize(one.text)[0], text=one.text, why="; ".join(why))
