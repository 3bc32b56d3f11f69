"""Languages told by their words, and the words of statements in them."""

from __future__ import annotations

from typing import get_args

import pytest

from solon.cli.collect.options import Spoken
from solon.collective.principles.languages import Language, languages, read_all

ENGLISH = ["AI should be honest about its sources", "The bus is too slow for my grandmother", "We need more benches"]
GERMAN = ["Die KI soll ihre Quellen nennen", "Der Bus ist zu langsam für meine Oma", "Wir brauchen mehr Bänke"]
FRENCH = ["L'IA doit citer ses sources", "Le bus est trop lent pour ma grand-mère", "Il faut plus de bancs"]
SPANISH = ["La IA debe citar sus fuentes", "El autobús es lento para mi abuela", "Hacen falta más bancos"]
CHINESE = ["人工智能应该说明来源", "公交车太慢了", "我们需要更多的长椅"]
WELSH = ["Mae'r bws yn rhy araf i fy nain", "Rhaid i'r peiriant fod yn onest", "Mae angen mwy o feinciau yn y parc"]


def codes(texts: list[str], language: str | None = None) -> list[str]:
    return [one.code for one in read_all(texts, language).languages]


@pytest.mark.parametrize(
    ("texts", "code"), [(ENGLISH, "en"), (GERMAN, "de"), (FRENCH, "fr"), (SPANISH, "es"), (CHINESE, "zh"), (WELSH, "")]
)
def test_the_language_is_told_by_the_text(texts: list[str], code: str) -> None:
    assert codes(texts) == [code] * len(texts)


def test_every_statement_of_a_mixed_conversation_has_its_own() -> None:
    assert codes(GERMAN + ENGLISH + CHINESE) == ["de"] * 3 + ["en"] * 3 + ["zh"] * 3
    assert read_all(GERMAN + ENGLISH[:1]).spoken == "German and English"


def test_a_short_text_is_in_the_main_language_and_a_long_strange_one_in_none() -> None:
    assert codes([*GERMAN, "Mehr Tempo 30"]) == ["de"] * 4
    assert codes([*GERMAN, "Mae angen mwy o feinciau hir yn y parc"])[-1] == ""


def test_japanese_is_not_taken_for_chinese() -> None:
    assert codes(["人工知能の倫理規制強化", "公共交通機関の料金値上"]) == ["", ""]


def test_an_option_says_the_language() -> None:
    assert codes(WELSH, "de") == ["de"] * 3
    assert read_all(WELSH, "de").note == ""
    assert list(get_args(Spoken)) == list(languages())


def test_an_unknown_language_is_said_and_its_common_words_carry_no_topic() -> None:
    texts = [f"Mae'r {word} yn hir" for word in ("parc", "bws", "afon", "ffordd", "bont", "daith")]
    read = read_all(texts)
    assert read.words[:2] == (("parc",), ("bws",))
    assert read.negations == (0,) * 6
    assert read.note.startswith("6 statements in a language that is not known here (en English, de German, ")
    assert read_all(ENGLISH).note == ""


def test_scripts_without_spaces_are_read_in_pairs_cut_at_words_of_grammar() -> None:
    assert languages()["zh"].words("平台必须保护乘客的隐私") == ["平台", "保护", "护乘", "乘客", "隐私"]
    assert languages()["zh"].words("使用AI写作业") == ["使用", "ai", "写作", "作业"]
    assert Language(code="", name="none").words("รถเมล์ช้า")[0] == "รถ"


def test_vowel_signs_belong_to_their_words() -> None:
    assert Language(code="", name="none").words("कृत्रिम बुद्धिमत्ता ईमानदार") == ["कृत्रिम", "बुद्धिमत्ता", "ईमानदार"]


@pytest.mark.parametrize(
    ("code", "text", "stems"),
    [
        ("en", "AI shouldn't respect the rivers' names", ["respect", "river", "name"]),
        ("de", "Die KI soll die Flüsse nennen", ["fluss", "nenn"]),
        ("fr", "L'IA doit protéger l'eau", ["proteg", "eau"]),
        ("es", "La IA debe proteger los autobuses", ["proteg", "autobus"]),
    ],
)
def test_words_lose_grammar_and_endings(code: str, text: str, stems: list[str]) -> None:
    language = languages()[code]
    assert [language.stem(word) for word in language.words(text)] == stems


@pytest.mark.parametrize(
    ("code", "text", "count"),
    [
        ("en", "AI shouldn't never yield without asking", 3),
        ("de", "Die KI darf niemals ohne Grund lügen", 2),
        ("fr", "L'IA ne doit pas mentir", 1),
        ("fr", "L'IA ne doit jamais mentir sans raison", 2),
        ("es", "La IA no debe mentir", 1),
        ("zh", "人工智能不应该说谎", 1),
        ("zh", "不同的平台不但要缴税", 0),
    ],
)
def test_words_that_turn_the_meaning_round_are_counted(code: str, text: str, count: int) -> None:
    assert languages()[code].negations(text) == count


def test_a_syllable_that_turns_a_word_round() -> None:
    assert languages()["en"].turns_round("illegally", "legal")
    assert languages()["de"].turns_round("unfreundlich", "freundliche")
    assert languages()["es"].turns_round("ilegal", "legales")
    assert not languages()["en"].turns_round("legal", "illegal")
    assert not languages()["zh"].turns_round("不法", "法")
