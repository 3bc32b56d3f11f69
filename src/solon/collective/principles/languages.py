"""What language statements are in, and their words: what topics and the comparison of statements are made of.

A language is told by its most common words, a table of which stands in `templates/languages.toml`, and Chinese by its
script. Scripts that put no space between words are cut at words of grammar and read as overlapping pairs of characters.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise

from solon.collective.phrases import many

UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Thai, Lao, Myanmar, Khmer, kana and Chinese characters, as a class of a regular expression."""
_MARKS = r"\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0963\u0966-\u0dff"
"""Signs that belong to a word in Hebrew, Arabic and the scripts of India, though they are no letters."""
_RUN = re.compile(rf"[{UNSPACED}]+|[^\W_{UNSPACED}](?:[{_MARKS}]|[^\W_{UNSPACED}])*")
_KANA = re.compile(r"[\u3040-\u30ff]")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
TOLD = 0.2
"""Share of a text's words that are common in a language, from which the text is in it. Assumption: in whole sentences
it is a third to a half, in another language's below a tenth."""
SPOKEN = 0.1
"""Share of a conversation's statements from which a language is one of its own, and not a chance likeness of words."""
SHORT = 8
"""Words below which a text may be in a language though it has none of its common words. Assumption."""
EVERYWHERE = 1 / 3
"""Share of statements above which a word carries no topic, whatever the language. Assumption."""


@dataclass(frozen=True, kw_only=True)
class Language:
    """How to read one language."""

    code: str
    name: str
    stop: frozenset[str] = frozenset()
    negation: str = ""
    opposite: str = ""
    stemmer: str = ""

    def words(self, text: str) -> list[str]:
        """Words that carry a topic, in small letters; pairs of characters where a script has no spaces.

        >>> languages()["en"].words("AI should respect privacy"), languages()["zh"].words("应该尊重隐私")
        (['respect', 'privacy'], ['尊重', '重隐', '隐私'])
        """
        return [word for word in self._all_words(text) if word not in self.stop]

    def stem(self, word: str) -> str:
        """Without its ending: `privacies` and `privacy` are one."""
        return _stem(self.stemmer, word) if self.stemmer else word

    def negations(self, text: str) -> int:
        """How many words turn the meaning round: not, never, avoid, without."""
        return len(re.findall(self.negation, text, re.IGNORECASE)) if self.negation else 0

    def turns_round(self, word: str, other: str) -> bool:
        """Is `word`, without the syllable that turns it round, `other`? Endings aside: `illegally`, `legal`."""
        found = re.match(self.opposite, word) if self.opposite else None
        return found is not None and self.stem(word[found.end() :]) == self.stem(other)

    def likeness(self, text: str) -> float:
        """Share of a text's words that are common in this language; of Chinese, its characters among all letters."""
        if self.code == "zh":
            letters = sum(char.isalpha() for char in text)
            return 0.0 if _KANA.search(text) or not letters else len(_HAN.findall(text)) / letters
        found = [word for word in _RUN.findall(text.lower()) if len(word) > 1]  # single letters are of many languages
        return sum(word in self.stop for word in found) / len(found) if found else 0.0

    def _all_words(self, text: str) -> Iterator[str]:
        for run in _RUN.findall(text.lower()):
            if not is_unspaced(run):
                if len(run) > 1 or run.isdigit():  # a letter alone is left of `don't`, `l'eau`
                    yield run
                continue
            for piece in re.split("|".join(sorted(self.stop, key=len, reverse=True)), run) if self.stop else [run]:
                yield from map("".join, pairwise(piece)) if len(piece) > 1 else filter(None, [piece])


@dataclass(frozen=True, kw_only=True)
class ReadStatements:
    """Statements, read. Lists follow the statements."""

    texts: tuple[str, ...]
    languages: tuple[Language, ...]
    words: tuple[tuple[str, ...], ...]
    """That carry a topic; all words of a statement in which none does."""
    stems: tuple[tuple[str, ...], ...]
    negations: tuple[int, ...]

    @property
    def spoken(self) -> str:
        """`English and German`, most statements first."""
        found = Counter(one.name for one in self.languages)
        return " and ".join(sorted(found, key=lambda name: (-found[name], name)))

    @property
    def note(self) -> str:
        """What to tell a person where a language is not known; empty: nothing."""
        unknown = sum(one is UNKNOWN for one in self.languages)
        known = ", ".join(f"{code} {one.name}" for code, one in languages().items())
        if not unknown:
            return ""
        return (
            f"{many(unknown, 'statement')} in a language that is not known here ({known}): words of grammar, endings "
            "and negations are not told there, so topics and merges are rougher. --language says which one it is."
        )


UNKNOWN = Language(code="", name="an unknown language")


def is_unspaced(word: str) -> bool:
    """Is it in a script that puts no space between words?"""
    return re.match(f"[{UNSPACED}]", word) is not None


@cache
def languages() -> dict[str, Language]:
    text = files("solon.collective.principles").joinpath("templates/languages.toml").read_text(encoding="utf-8")
    return {
        code: Language(code=code, **{**table, "stop": frozenset(table["stop"].split())})
        for code, table in tomllib.loads(text).items()
    }


def words_of(text: str) -> set[str]:
    """As they are, in whatever language, words of grammar too."""
    return {*UNKNOWN._all_words(text)}


def read_all(texts: Sequence[str], code: str | None = None) -> ReadStatements:
    """Every statement in its language: the one with this code, or else the one that it is told by."""
    spoken = [languages()[code]] * len(texts) if code else _told(texts)
    words = [one.words(text) or list(one._all_words(text)) for one, text in zip(spoken, texts, strict=True)]
    words = _without_common(words)
    return ReadStatements(
        texts=tuple(texts),
        languages=tuple(spoken),
        words=tuple(map(tuple, words)),
        stems=tuple(tuple(map(one.stem, those)) for one, those in zip(spoken, words, strict=True)),
        negations=tuple(one.negations(text) for one, text in zip(spoken, texts, strict=True)),
    )


def _told(texts: Sequence[str]) -> list[Language]:
    """Of each text. Only what the conversation speaks counts; a text too short to tell is in its main language."""
    first = [_likeliest(text, list(languages().values())) for text in texts]
    number = Counter(one.code for one in first if one is not UNKNOWN)
    if 2 * number.total() <= len(texts):
        return [UNKNOWN] * len(texts)
    own = [languages()[code] for code, count in number.most_common() if count >= SPOKEN * number.total()]
    told = [_likeliest(text, own) for text in texts]
    return [
        own[0] if one is UNKNOWN and len(text.split()) < SHORT else one for one, text in zip(told, texts, strict=True)
    ]


def _likeliest(text: str, among: Sequence[Language]) -> Language:
    best = max(among, key=lambda one: one.likeness(text))
    return best if best.likeness(text) >= TOLD else UNKNOWN


def _without_common(words: Sequence[list[str]]) -> list[list[str]]:
    """Without those of more than a third of the statements (`assistant`); all of a statement where none is left."""
    number = Counter(word for those in words for word in set(those))
    most = max(2.0, EVERYWHERE * len(words))
    return [[word for word in those if number[word] <= most] or those for those in words]


@cache
def _stem(algorithm: str, word: str) -> str:
    import snowballstemmer

    return str(snowballstemmer.stemmer(algorithm).stemWord(word))
