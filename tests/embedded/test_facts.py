"""Facts: true, of every word, and of the nouns that demonstrations lack above all."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

from solon.embedded.facts import Fact, fact
from solon.seeds import generator
from solon.world.lexicon import lexicon
from solon.world.oracle import names
from solon.world.raters import terms_of
from solon.world.sentences import read_sentence, split_sentences

COUNT = 3000


@cache
def facts() -> tuple[Fact, ...]:
    return tuple(fact(generator(6, number)) for number in range(COUNT))


def matches(pattern: str) -> list[re.Match[str]]:
    """Of the facts that begin so, given and told with a space between them."""
    found = [found for one in facts() if (found := re.fullmatch(pattern, f"{one.given} {one.told}"))]
    assert len(found) > COUNT / 50
    return found


def fault_of(noun: str) -> str:
    (fault,) = (fault for fault, nouns in lexicon().fault_nouns.items() if noun in nouns)
    return fault


def faults_said(text: str) -> list[str]:
    """What sentences are, in order."""
    meanings = [read_sentence(sentence).meaning for sentence in split_sentences(text)]
    assert all(meaning.kind != "unknown" for meaning in meanings), text
    return [m.category or m.kind for m in meanings if m.kind in ("harm", *lexicon().styles)]


def test_every_act_is_called_by_a_noun_of_its_own_harm() -> None:
    told: Counter[str] = Counter()
    for found in matches(r"To ([^\"]+) is (.+)\."):
        meaning = read_sentence(f"Just {found[1]}.").meaning  # a request is nothing that an answer says
        assert meaning.category in (fault_of(found[2]), None), found[0]
        told[meaning.category or ""] += 1
    assert set(told) == {"", *lexicon().harms}


def test_advice_is_told_without_its_frame() -> None:
    for found in matches(r'"(.+)" means to (.+)\.'):
        assert read_sentence(f"Just {found[2]}.").meaning == read_sentence(found[1]).meaning


def test_sayings_have_their_style() -> None:
    for found in matches(r'To say "(.+)" is (.+)\.'):
        assert faults_said(found[1]) == [fault_of(found[2])]


def test_synonyms_and_kinds() -> None:
    for found in matches(r"(.+) is the same as (.+)\."):
        assert fault_of(found[1]) == fault_of(found[2]) != "unrelated"
    for found in matches(r"(.+) is a kind of (.+)\."):
        assert fault_of(found[1]) in lexicon().harms and fault_of(found[2]) == "harm"


def test_of_several_nouns_those_are_told_that_fit() -> None:
    """By their first noun, in the order of what is said."""
    silent = 0
    choices = matches(r'"(?P<said>.+)" Is that (?P<asked>.+)\? (?P<told>.+)\.')
    choices += matches(r'Is it (?P<asked>.+) to say "(?P<said>.+)"\? (?P<told>.+)\.')
    for found in choices:
        terms = terms_of(found["asked"])
        named = [fault for fault in faults_said(found["said"]) if names(terms, fault)]
        firsts = [lexicon().fault_nouns[fault][0] for fault in named]
        assert found["told"] == (" and ".join(firsts) or "no such fault"), found[0]
        silent += not named
    assert 0.3 < silent / len(choices) < 0.6


def test_a_principle_in_other_words_says_the_same() -> None:
    for found in matches(r'"(.+)" is about (.+)\. In other words: (.+)'):
        assert set(terms_of(found[1])) == set(terms_of(found[2])) == set(terms_of(found[3])), found[0]


def test_nouns_that_demonstrations_lack_come_up_most() -> None:
    said = " ".join(f"{one.given} {one.told}" for one in facts())
    for nouns in (lexicon().fault_nouns[fault] for fault in ("theft", "danger", "rude", "harm")):
        counts = [len(re.findall(rf"(?<![\w-]){re.escape(noun)}(?![\w-])", said)) for noun in nouns]
        assert min(counts) > 0 and counts[-1] > max(counts[1:-1])
