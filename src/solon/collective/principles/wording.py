"""Statements as principles: a comparison question and a critique/revision pair each, by templates.

The templates (`templates/wording.toml`) put the same request after every statement. They state what the public said and
ask which response keeps to it; they add no judgement of their own. A statement in the common form is given as a
sentence, any other is quoted and marked for a person.

Texts that differ by one word in seven look like one principle written twice, to the linter and to a judge. So each
list of the templates has several wordings, and a text takes the first combination that differs enough from every text
before it.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cache
from importlib.resources import files
from itertools import chain, islice, product
from pathlib import Path
from typing import Any

import numpy as np

from solon.collective.principles.neutral import words
from solon.collective.principles.saying import NOTES, Saying
from solon.constitution.lint import LONG_LIST_TEXT, NEAR_DUPLICATE, remarks
from solon.constitution.principles import Constitution, Principle
from solon.constitution.sourced import Sourced

TEXT_KEYS = ("comparison_question", "critique_request", "revision_request")
MAX_QUOTED_WORDS = 80
"""Longest statement that fits into every template below the linter's limit of 120 words for a text."""
TITLE_LENGTH = 80
"""Characters of a principle's title, which people read in lists. Assumption."""
TRIED, TRIED_LONG = 500, 40
"""Combinations tried for a text; of long statements the words around them are too few to tell two apart."""


@dataclass(frozen=True, kw_only=True)
class Worded:
    """A statement in the words that are put to a model, or the reason why it cannot be."""

    title: str
    texts: Mapping[str, str]
    """By key of a principle; empty: it cannot be worded. The comparison question alone may be missing."""
    refused: str | None = None
    """Why there are no texts."""
    remarks: tuple[str, ...] = ()
    """What a person should look at, in plain words."""


@dataclass(kw_only=True)
class Wordings:
    """Words one statement after the other; remembers what it wrote, so that no two texts are nearly the same."""

    tie_break: bool = False
    """Whether every comparison question ends with a word for the more useful response."""
    _written: dict[str, _Written] = field(default_factory=lambda: {key: _Written() for key in TEXT_KEYS})

    def word(self, saying: Saying) -> Worded:
        """The texts for one statement. Depends on those worded before it, in their order."""
        title = title_of(saying)
        refused = unusable(saying)
        if refused:
            return Worded(title=title, texts={}, refused=refused)
        texts = {key: self._text(key, saying) for key in TEXT_KEYS}
        noted = [NOTES[note] for note in saying.notes]
        for key, what in _faults(title, texts).items():
            if key != "comparison_question":
                return Worded(title=title, texts={}, refused=f"in its {key.replace('_', ' ')}, {what}")
            del texts[key]
            noted.append(f"serves no comparison: {what}")
        for key, text in texts.items():
            self._written[key].add(text)
        return Worded(title=title, texts=texts, remarks=tuple(noted))

    def _text(self, key: str, saying: Saying) -> str:
        """The first combination that is not nearly the same as a text before it; the plainest if there is none."""
        tried = islice(
            _combinations(key, saying, self.tie_break), TRIED if len(saying.clean.split()) < 25 else TRIED_LONG
        )
        first = next(tried)
        return next((text for text in chain([first], tried) if not self._written[key].has_near(text)), first)


def word_all(sayings: Sequence[Saying]) -> tuple[list[Worded], bool]:
    """The texts of one constitution, in its order; and whether its comparison questions got a tie-break.

    They get one if no question says a word for being helpful, or against refusing and preaching.
    """
    wordings = Wordings()
    worded = [wordings.word(saying) for saying in sayings]
    principles = [
        Principle.model_validate({"id": f"p{at}", "title": one.title, **one.texts})
        for at, one in enumerate(worded)
        if one.texts
    ]
    if not principles:
        return worded, False
    trial = Constitution(name="trial", title="trial", principles=tuple(principles))
    found = remarks(Sourced(constitution=trial, path=Path("trial"), lines={}))
    if all(finding.rule != "invites-evasion" for finding in found):
        return worded, False
    wordings = Wordings(tie_break=True)
    return [wordings.word(saying) for saying in sayings], True


class _Written:
    """Texts, and whether another is nearly the same as one of them, as the linter counts words."""

    def __init__(self) -> None:
        self._words: list[list[str]] = []
        self._column: dict[str, int] = {}
        self._counts_TV = np.zeros((16, 256), dtype=np.int16)
        """How often each word of the vocabulary stands in each text; grows by doubling."""

    def add(self, text: str) -> None:
        found = _words_of(text)
        row = len(self._words)
        self._words.append(found)
        for word in found:
            self._column.setdefault(word, len(self._column))
        rows, columns = self._counts_TV.shape
        if row >= rows or len(self._column) > columns:
            grown_TV = np.zeros((max(rows, 2 * row), max(columns, 2 * len(self._column))), dtype=np.int16)
            grown_TV[:rows, :columns] = self._counts_TV
            self._counts_TV = grown_TV
        for word in found:
            self._counts_TV[row, self._column[word]] += 1

    def has_near(self, text: str) -> bool:
        found = _words_of(text)
        counted = [(self._column[word], count) for word, count in Counter(found).items() if word in self._column]
        if not self._words or not counted:
            return False
        columns, counts = zip(*counted, strict=True)
        # Words in common bound the ratio from above, and are counted for all texts at once.
        common_T = np.minimum(self._counts_TV[: len(self._words), columns], np.array(counts)).sum(axis=1)
        matcher = SequenceMatcher(None, "", found, autojunk=False)
        for row in np.flatnonzero(2 * common_T >= NEAR_DUPLICATE * len(found)):
            old = self._words[row]
            if 2 * common_T[row] >= NEAR_DUPLICATE * (len(found) + len(old)):
                matcher.set_seq1(old)
                if matcher.ratio() >= NEAR_DUPLICATE:
                    return True
        return False


def unusable(saying: Saying) -> str | None:
    """Why no text can be made of a statement; None: one can."""
    count = len(saying.clean.split())
    if not any(any(char.isalpha() for char in word) for word in words(saying.clean)):
        return "has no words"
    if count > MAX_QUOTED_WORDS:
        return f"has {count} words, more than the {MAX_QUOTED_WORDS} that fit into a principle; word it more shortly"
    return None


def title_of(saying: Saying) -> str:
    """For people: the common form, or the statement's own words, cut at a word's end."""
    text = saying.clause or saying.clean or "a statement without words"
    if len(text) <= TITLE_LENGTH:
        return text
    return text[: TITLE_LENGTH - 3].rsplit(" ", 1)[0].rstrip(" ,;:") + "..."


def _combinations(key: str, saying: Saying, tie_break: bool) -> Iterator[str]:
    templates = _templates()
    leads = [_lead(template, saying) for template in templates["lead"]["quote" if saying.clause is None else "clause"]]
    slots = [options for name, options in sorted(templates[key].items()) if name != "text"]
    tails = templates["tie_break"][key] if tie_break and key in templates["tie_break"] else [""]
    # The last varies fastest, so the request changes before the lead does.
    for lead, tail, *chosen in product(leads, tails, *slots):
        numbered = {str(number): option for number, option in enumerate(chosen, start=1)}
        text = _fill(templates[key]["text"], lead=lead, **numbered)
        yield f"{text} {tail}" if tail else text


def _lead(template: str, saying: Saying) -> str:
    if saying.clause is None:
        return _fill(template, quote=quoted(saying.clean))
    begins = template.startswith("{clause}")
    return _fill(template, clause=saying.clause if begins else saying.clause[0].lower() + saying.clause[1:])


def quoted(text: str) -> str:
    """In double quotation marks, with single ones inside and a full stop at the end of the sentence.

    >>> quoted('Say "no" at times!'), quoted("Be kind")
    ('“Say ‘no’ at times!”', '“Be kind.”')
    """
    opened = re.sub(r"(?<!\w)[\"“„«](?=\w)", "‘", text)
    inside = re.sub(r"[\"“”„«»]", "’", opened)
    return f"“{inside}”" if inside.endswith((".", "!", "?", "…")) else f"“{inside}.”"


def _words_of(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _faults(title: str, texts: Mapping[str, str]) -> dict[str, str]:
    """What the linter says of one principle's texts, by the key at fault."""
    principle = Principle.model_validate({"id": "statement", "title": title, **texts})
    alone = Constitution(name="one", title="one", principles=(principle,))
    lines = {("statement", key): number for number, key in enumerate(TEXT_KEYS, start=1)}
    found: dict[str, str] = {}
    for remark in remarks(Sourced(constitution=alone, path=Path("one"), lines=lines)):
        if remark.where and remark.where.line:
            found.setdefault(TEXT_KEYS[remark.where.line - 1], remark.what.removeprefix("`statement` "))
    return found


@cache
def _templates() -> dict[str, Any]:
    return tomllib.loads(
        files("solon.collective.principles").joinpath("templates/wording.toml").read_text(encoding="utf-8")
    )


def _fill(template: str, **fields: str) -> str:
    """Fields are inserted literally, in one pass: nothing in a statement is taken for a field."""
    return re.sub(r"\{(\w+)\}", lambda found: fields[found[1]], template)


assert MAX_QUOTED_WORDS < LONG_LIST_TEXT
