"""Which statements are near one another, and which must never be taken for one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from solon.collective.cleaning.repeated import normalized, one_letter_apart, repeated_statements
from solon.collective.principles.languages import read_all
from solon.collective.principles.topics import (
    SIMILAR,
    SIMILAR_EMBEDDED,
    NearDuplicates,
    Vectors,
    near_duplicates,
    topics_of,
    vectors_of,
)

COMPANY = [
    "The AI should be honest about its sources",
    "AI should help people with their homework",
    "The AI must be brief",
    "AI should be patient with beginners",
    "The AI should explain hard words",
    "AI should warn of storms and floods",
]
"""So that words have a weight: rare ones are those that few of these have."""


def nearest(texts: Sequence[str], threshold: float = SIMILAR) -> list[list[str]]:
    everything = [*texts, *COMPANY]
    found = near_duplicates(vectors_of(everything), threshold)
    return [[everything[at] for at in one.members] for one in found]


def test_the_same_in_other_spelling_is_near() -> None:
    pair = ["AI should not spread rumours", "the Ai must not spread  rumors!"]
    assert pair in nearest(pair)


@pytest.mark.parametrize(
    "pair",
    [
        ("AI should spread rumours", "AI should not spread rumours"),
        ("AI should spread rumours", "AI should never spread rumours"),
        ("AI should avoid spreading rumours", "AI should be spreading rumours"),
        ("AI should answer with a warning", "AI should answer without a warning"),
        ("AI should not refuse medical questions", "AI should refuse medical questions"),
        ("AI should give legal advice to tenants", "AI should give illegal advice to tenants"),
        ("AI should be biased in court", "AI should be unbiased in court"),
        ("AI shouldnt spread rumours", "AI should spread rumours"),
    ],
)
def test_opposites_are_never_proposed_at_any_threshold(pair: tuple[str, str]) -> None:
    assert not [those for those in nearest(pair, 0.0) if set(pair) <= set(those)]


def test_every_two_of_a_group_are_near_so_chains_do_not_join() -> None:
    """1 is like 2 and 2 like 3, but 1 is not like 3: only the nearer pair is joined."""
    angles = np.array([0.0, 0.5, 1.1])
    rows_S2 = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    vectors = Vectors(
        similarity_SS=(rows_S2 @ rows_S2.T).round(6),
        latent_SL=rows_S2,
        method="embeddings",
        read=read_all(["one", "two", "three"]),
    )
    near = near_duplicates(vectors, float(np.cos(0.7)))
    assert near == (NearDuplicates(members=(0, 1), similarity=round(float(np.cos(0.5)), 6), medoid=0),)


def test_embeddings_take_the_place_of_words() -> None:
    texts = ["AI should be cheerful", "AI should be gloomy", "AI should be merry", "AI should be quick"]
    seen: list[str] = []

    def embed(given: Sequence[str]) -> np.ndarray:
        seen.extend(given)
        return np.array([[1.0, 0.0], [-1.0, 0.1], [1.0, 0.01], [0.0, -1.0]])

    vectors = vectors_of(texts, embed=embed)
    assert seen == texts
    assert vectors.method == "embeddings"
    assert [one.members for one in near_duplicates(vectors, SIMILAR_EMBEDDED)] == [(0, 2)]


def test_topics_hold_every_statement_once() -> None:
    subjects = {"rivers": "swim fish flow", "trains": "travel ticket seat", "bread": "bake flour oven"}
    texts = [f"AI should know about {one} and {word}" for one, words in subjects.items() for word in words.split()]
    topics = topics_of(vectors_of(texts), 3)
    assert sorted(at for topic in topics for at in topic.members) == list(range(len(texts)))
    named = {topic.members: topic.name for topic in topics if topic.name != "other"}
    assert {(0, 1, 2), (3, 4, 5), (6, 7, 8)} == set(named)
    assert all(one in named[tuple(range(3 * at, 3 * at + 3))] for at, one in enumerate(subjects))


@pytest.mark.parametrize(
    "texts", [["AI should be kind"], ["!!!"], ["!!!", "???"], ["人工智能应该友善", "KI soll gut sein"]]
)
def test_few_or_wordless_statements_do_not_break_it(texts: list[str]) -> None:
    vectors = vectors_of(texts)
    assert near_duplicates(vectors, SIMILAR) == ()
    assert sorted(at for topic in topics_of(vectors) for at in topic.members) == list(range(len(texts)))


def test_the_same_seed_gives_the_same_topics() -> None:
    assert topics_of(vectors_of(COMPANY * 3, seed=3), 3, 3) == topics_of(vectors_of(COMPANY * 3, seed=3), 3, 3)


@pytest.mark.parametrize(
    ("texts", "pair"),
    [
        (["Die KI soll Gerüchte verbreiten", "KI soll ein Gerücht nicht verbreiten"], False),
        (["Die KI soll höflich grüßen", "Eine KI soll immer höflich grüßen"], True),
        (["L'IA doit répandre des rumeurs", "L'IA ne doit pas répandre des rumeurs"], False),
        (["L'IA doit saluer poliment les gens", "L'IA devrait saluer les gens poliment"], True),
        (["La IA debe difundir rumores", "La IA no debe difundir rumores"], False),
        (["La IA debe saludar con calma", "La IA debería saludar con mucha calma"], True),
        (["人工智能应该传播谣言", "人工智能不应该传播谣言"], False),
        (["平台应该保护乘客隐私", "平台必须保护乘客的隐私"], True),
    ],
)
def test_the_same_and_its_opposite_in_other_languages(texts: list[str], pair: bool) -> None:
    """Beside sentences of the language, so that it is told and words have a weight."""
    company = {
        "D": [
            "Die Brücke ist zu schmal für den Bus",
            "Der Park soll mehr Bänke haben",
            "Eine KI muss ihre Quellen nennen",
        ],
        "E": [
            "Die Brücke ist zu schmal für den Bus",
            "Der Park soll mehr Bänke haben",
            "Eine KI muss ihre Quellen nennen",
        ],
        "L'": ["Le pont est trop étroit pour le bus", "Il faut plus de bancs dans le parc", "Les sources sont à citer"],
        "L": [
            "El puente es estrecho para el autobús",
            "Hacen falta más bancos en el parque",
            "Hay que citar las fuentes",
        ],
        "人": ["桥太窄了", "公园需要更多长椅", "司机应该有驾照"],
        "平": ["桥太窄了", "公园需要更多长椅", "司机应该有驾照"],
    }
    beside = next(those for start, those in company.items() if texts[0].startswith(start))
    near = near_duplicates(vectors_of([*texts, *beside]), SIMILAR)
    assert ([one.members for one in near] == [(0, 1)]) is pair


def test_topics_in_chinese_are_named_by_a_statement_and_not_by_pieces_of_words() -> None:
    texts = ["乘客隐私应该受到保护", "平台不得泄露乘客隐私", "司机应该有职业驾照", "司机需要考取职业驾照"]
    topics = topics_of(vectors_of(texts), 2)
    assert {topic.members for topic in topics} == {(0, 1), (2, 3)}
    assert all(topic.name in {texts[at] for at in topic.members} for topic in topics)


def test_word_by_word_repetitions() -> None:
    assert normalized("“More  PARKS!”") == normalized("more parks")
    assert normalized("5 < 6") != normalized("5 > 6")
    statements = [(4, "Support our government"), (2, "support our goverment!"), (9, "Support our governor"), (7, "")]
    assert repeated_statements(statements) == [[2, 4]]
    assert repeated_statements(statements, edits=0) == []
    assert repeated_statements([(1, "adapt it"), (2, "adopt it"), (3, "Adapt it.")]) == [[1, 3]]


@pytest.mark.parametrize(
    ("pair", "apart"),
    [
        (("recieve", "receive"), True),
        (("environment", "enviroment"), True),
        (("immoral", "moral"), False),
        (("legally", "regally"), False),
        (("receive", "receive"), False),
        (("biodiversity", "biodiversities"), False),
    ],
)
def test_one_letter_apart(pair: tuple[str, str], apart: bool) -> None:
    assert one_letter_apart(*pair) is apart
    assert one_letter_apart(*reversed(pair)) is apart
