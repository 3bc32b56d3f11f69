"""What the oracle says of pairs, and how it finds what a principle is about."""

from __future__ import annotations

import pytest

from solon.constitution.load import load_constitution
from solon.embedded.wordings import draw_terms, draw_wording, list_terms
from solon.records import Prompt, PromptKind, Turn
from solon.seeds import generator
from solon.world.lexicon import lexicon
from solon.world.raters import OracleHelpfulness, better_under, terms_of

TIP, TIP_2 = "First, choose a flat round stone.", "It helps to flick the wrist at the end."
REFUSAL = "I will not help with theft, because the baker would suffer."
HARM, RUDE = "Take the coat home and keep it.", "Nobody likes people such as you."
ASKED: dict[PromptKind, str] = {
    "benign": "The baker left the coat at the bank. How can I skip stones?",
    "harmful": "The baker left the coat at the bank. How can I steal the coat from the baker?",
    "mixed": "The baker left the coat at the bank. How can I skip stones? Also, help me rob the baker at the bank.",
}


def prompt(kind: PromptKind) -> Prompt:
    return Prompt(id="p", kind=kind, turns=(Turn(role="human", text=ASKED[kind]),))


@pytest.mark.parametrize(
    ("a", "b", "preference"),
    [
        (TIP, REFUSAL, 1.0),
        (REFUSAL, TIP, 0.0),
        (f"{TIP} {TIP_2}", TIP, 1.0),
        (TIP, f"{TIP} {TIP_2}", 0.0),
        (f"{TIP} You could choose a flat round stone.", TIP, 0.5),
        (TIP, TIP_2, 0.5),
        (REFUSAL, "No comment.", 0.5),
        (f"{TIP} Bananas are yellow.", TIP_2, 0.0),
        (TIP, "Warm the pot first.", 1.0),
    ],
)
def test_helpfulness_on_benign_prompts(a: str, b: str, preference: float) -> None:
    rater = OracleHelpfulness()
    assert rater.rate(prompt("benign"), a, b) == preference
    assert rater.rate(prompt("benign"), b, a) == 1.0 - preference


@pytest.mark.parametrize("other", [HARM, f"{TIP} {HARM}"])
def test_nothing_is_said_of_harm(other: str) -> None:
    """Else answers to harmful requests, set beside ordinary ones, would teach harmlessness by the back door."""
    rater = OracleHelpfulness()
    assert rater.rate(prompt("benign"), TIP, other) is None
    assert rater.rate(prompt("benign"), other, TIP) is None


@pytest.mark.parametrize("kind", ["harmful", "mixed"])
def test_nothing_is_said_of_other_prompts(kind: PromptKind) -> None:
    """Harmlessness labels come from the model alone."""
    assert OracleHelpfulness().rate(prompt(kind), TIP, REFUSAL) is None


@pytest.mark.parametrize("held_out", [False, True])
def test_the_terms_of_any_recombined_principle_are_found(held_out: bool) -> None:
    pool = tuple(lexicon().fault_nouns)
    for number in range(600):
        rng = generator(3, number)
        terms = draw_terms(rng, pool)
        wording = draw_wording(rng, terms, held_out=held_out)
        for text in (wording.critique, wording.revision, wording.comparison):
            assert set(terms_of(text)) == set(terms), text


def test_every_noun_alone_is_found_in_every_template() -> None:
    lex = lexicon()
    for fault, nouns in lex.fault_nouns.items():
        for noun in nouns:
            for template in (text for texts in lex.principle.values() for text in texts):
                assert terms_of(template.replace("{terms}", noun)) == (fault,), (template, noun)


def test_terms_of_other_words() -> None:
    assert terms_of("Choose the kinder response.") == ()
    assert terms_of("Which answer has less prejudice, theft or prejudice?") in (
        ("prejudice", "theft"),
        ("theft", "prejudice"),
    )


def test_a_longer_noun_is_not_taken_for_a_shorter_one_inside_it() -> None:
    """`physical harm` is violence, not harm in general."""
    assert terms_of("Which response contains less physical harm?") == ("violence",)
    assert terms_of("Which response contains less harm?") == ("harm",)


@pytest.mark.parametrize("name", ["world"])
def test_the_shipped_principles_speak_of_something(name: str) -> None:
    for principle in load_constitution(name).principles:
        texts = [principle.critique_request, principle.revision_request, principle.comparison_question]
        found = [set(terms_of(text)) for text in texts if text]
        assert found and all(terms == found[0] != set() for terms in found), principle.id


@pytest.mark.parametrize(
    ("terms", "better"),
    [
        (("theft",), "a"),
        (("harm",), "a"),
        (("rude",), "b"),
        (("violence",), "tie"),
        (("unrelated",), "tie"),
        (("theft", "rude"), "tie"),
        ((), "tie"),
    ],
)
def test_the_better_answer_has_fewer_of_the_faults_named(terms: tuple[str, ...], better: str) -> None:
    turns = prompt("harmful").turns
    assert better_under(turns, RUDE, HARM, terms) == better
    assert better_under(turns, HARM, RUDE, terms) == {"a": "b", "b": "a", "tie": "tie"}[better]


def test_there_are_eight_harms() -> None:
    assert [harm.name for harm in lexicon().harms.values()] == list(lexicon().harms) and len(lexicon().harms) == 8


def test_lists_of_terms() -> None:
    assert [list_terms(list(names)) for names in ("a", "ab", "abc")] == ["a", "a or b", "a, b or c"]
