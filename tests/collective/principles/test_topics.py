"""Which statements are near one another, and which must never be taken for one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from solon.collective.cleaning.repeated import normalised, one_letter_apart, repeated_statements
from solon.collective.principles.embedding import embedder
from solon.collective.principles.saying import read_saying
from solon.collective.principles.topics import (
    SIMILAR,
    SIMILAR_EMBEDDED,
    Near,
    Vectors,
    near_duplicates,
    topics_of,
    vectors_of,
)
from solon.errors import ModelError
from tiny_models import tiny_model_folder

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
    sayings = [read_saying(text) for text in everything]
    found = near_duplicates(vectors_of(sayings), sayings, threshold)
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
    sayings = [read_saying(text) for text in ("one", "two", "three")]
    angles = np.array([0.0, 0.5, 1.1])
    rows_S2 = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    vectors = Vectors(rows_SV=rows_S2, latent_SL=rows_S2, method="embeddings")
    near = near_duplicates(vectors, sayings, float(np.cos(0.7)))
    assert near == (Near(members=(0, 1), similarity=round(float(np.cos(0.5)), 6), medoid=0),)


def test_a_model_folder_embeds_a_text_alike_in_any_company(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tiny_model_folder(tmp_path, "gpt_neox")
    capfd.readouterr()
    embed = embedder(folder)
    texts = ["Be kind.", "The AI should tell the truth, even where it hurts.", "No.", "Respect the people."]
    rows_SD = embed(texts)
    assert rows_SD.shape[0] == 4 and np.isfinite(rows_SD).all()
    assert np.linalg.matrix_rank(rows_SD) == 4, "different texts have different vectors"
    np.testing.assert_allclose(embed(texts[::-1])[::-1], rows_SD, atol=1e-12)
    np.testing.assert_allclose(np.concatenate([embed([text]) for text in texts]), rows_SD, atol=1e-5)
    assert capfd.readouterr() == ("", ""), "loading says nothing"


def test_embeddings_take_the_place_of_words() -> None:
    texts = ["AI should be cheerful", "AI should be gloomy", "AI should be merry", "AI should be quick"]
    seen: list[str] = []

    def embed(given: Sequence[str]) -> np.ndarray:
        seen.extend(given)
        return np.array([[1.0, 0.0], [-1.0, 0.1], [1.0, 0.01], [0.0, -1.0]])

    sayings = [read_saying(text) for text in texts]
    vectors = vectors_of(sayings, embed=embed)
    assert seen == texts
    assert vectors.method == "embeddings"
    assert [one.members for one in near_duplicates(vectors, sayings, SIMILAR_EMBEDDED)] == [(0, 2)]


def test_a_wrong_model_folder_is_told_without_torch(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model folder"):
        embedder(tmp_path / "nowhere")
    code = (
        "import sys\nfrom pathlib import Path\nfrom solon.collective.principles.embedding import embedder\n"
        "try:\n    embedder(Path('nowhere'))\nexcept ValueError:\n    pass\nprint('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.strip() == "False", done.stderr


def test_topics_hold_every_statement_once() -> None:
    subjects = {"rivers": "swim fish flow", "trains": "travel ticket seat", "bread": "bake flour oven"}
    texts = [f"AI should know about {one} and {word}" for one, words in subjects.items() for word in words.split()]
    sayings = [read_saying(text) for text in texts]
    topics = topics_of(vectors_of(sayings), sayings, 3)
    assert sorted(at for topic in topics for at in topic.members) == list(range(len(texts)))
    named = {topic.members: topic.name for topic in topics if topic.name != "other"}
    assert {(0, 1, 2), (3, 4, 5), (6, 7, 8)} == set(named)
    assert all(one in named[tuple(range(3 * at, 3 * at + 3))] for at, one in enumerate(subjects))


@pytest.mark.parametrize(
    "texts", [["AI should be kind"], ["!!!"], ["!!!", "???"], ["人工智能应该友善", "KI soll gut sein"]]
)
def test_few_or_wordless_statements_do_not_break_it(texts: list[str]) -> None:
    sayings = [read_saying(text) for text in texts]
    vectors = vectors_of(sayings)
    assert near_duplicates(vectors, sayings, SIMILAR) == ()
    assert sorted(at for topic in topics_of(vectors, sayings) for at in topic.members) == list(range(len(texts)))


def test_the_same_seed_gives_the_same_topics() -> None:
    sayings = [read_saying(text) for text in COMPANY * 3]
    assert topics_of(vectors_of(sayings, seed=3), sayings, 3, 3) == topics_of(
        vectors_of(sayings, seed=3), sayings, 3, 3
    )


def test_word_by_word_repetitions() -> None:
    assert normalised("“More  PARKS!”") == normalised("more parks")
    assert normalised("5 < 6") != normalised("5 > 6")
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
