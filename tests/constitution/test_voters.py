"""Facts about whoever said a statement, told from wishes and opinions; all sentences are made up."""

from __future__ import annotations

import pytest

from solon.constitution.voters import fact_about_speaker

FACTS = [
    "I own a boat and a shed in Port Albion.",
    "I live in Kirkham with two cats",
    "I have two children",
    "I’m a nurse on night shifts",
    "i am under 25",
    "I am of Cornish descent",
    "I've lived by the canal for thirty years.",
    "I do not own a car",
    "We moved here from the coast in spring",
    "My daughter goes to the school by the mill.",
    "I work from home. It is quiet.",
    "My father drove a tram",
    "We have lived here since the flood",
    "I've got two dogs by the canal",
    "In my street there are six lamps",
    "As a nurse, I see the ward at night",
    "I believe in God",
    "我在镇上有两只猫",
    "Ich wohne seit zehn Jahren in Althofen.",
    "Ich habe zwei Kinder",
    "Ich bin Rentnerin und fahre Rad",
    "Meine Tochter geht hier zur Schule",
    "J'habite près du canal",
    "J’ai trois enfants",
    "Je suis propriétaire à Vallon",
    "Mon mari travaille de nuit",
    "Vivo en un pueblo de la costa",
    "Tengo dos hijos pequeños",
    "Soy maestra en una escuela rural",
    "Mi hija va al colegio del barrio",
    "我住在河边的小区",
    "我有两个孩子",
    "我每天骑车上班",
    "我的孩子在这里上学",
]
NONE = [
    "I think AI should be patient",
    "I believe my town is kind to strangers",
    "I am against cameras at the canal",
    "I am a strong believer in open records",
    "I have no idea",
    "I have concerns about cameras",
    "I live by the canal and the boats should be quieter",
    "I believe in honest answers",
    "As a nurse, I think AI should ask",
    "In my town we need more lamps",
    "I want AI to admit what it does not know",
    "I'd like more buses in the evening",
    "We live in a democracy",
    "We need more trees",
    "My children deserve clean air",
    "AI should ask whether I live alone",
    "AI should know that people own their words",
    "The AI must not say that it lives in a town",
    "Own less, share more",
    "Ich finde, die KI soll höflich sein",
    "Ich möchte, dass die KI ehrlich ist",
    "Ich habe Bedenken",
    "Die KI soll wissen, wo ich wohne",
    "Je pense que l'IA doit être honnête",
    "Je suis contre les caméras",
    "Il faut plus de bus",
    "Creo que la IA debe ser amable",
    "Trabajo digno para todas las personas",
    "Tengo dudas sobre las cámaras",
    "Soy partidaria de más parques",
    "我认为人工智能应该诚实",
    "我希望有更多的公园",
    "我们应该保护河流",
    "人工智能应该友善",
]


@pytest.mark.parametrize("text", FACTS)
def test_a_fact_about_the_speaker_is_found(text: str) -> None:
    assert fact_about_speaker(text)


@pytest.mark.parametrize("text", NONE)
def test_wishes_opinions_and_rules_are_none(text: str) -> None:
    assert fact_about_speaker(text) is None


def test_the_sentence_is_told_and_quotation_marks_begin_one() -> None:
    assert fact_about_speaker("AI should be kind. I own a shed! Yes") == "I own a shed"
    assert fact_about_speaker("From a public consultation: “I own a shed”. Which is better?") == "I own a shed"


def test_what_is_said_in_other_forms_is_not_found() -> None:
    """The limits, as the module states them."""
    assert fact_about_speaker("Born by the canal in 1970") is None
    assert fact_about_speaker("Nurse for ten years") is None
