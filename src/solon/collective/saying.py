"""One statement as a sentence that a prompt can hold: made harmless, and taken apart where its form is known.

Most statements about an assistant have one form, `The AI should (not) do something`, spelt in many ways. Those are
brought to one spelling. All others can only be quoted, and the reason is kept, so that a person can word them better.

The text is untrusted: `neutral` makes it harmless first, and the original stays beside it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from solon.collective.neutral import neutralise, words

Note = Literal[
    "several-sentences",
    "question",
    "in-capitals",
    "speaks-of-me-or-you",
    "other-form",
    "no-verb",
    "perhaps-not-english",
    "marks-replaced",
]

NOTES: dict[Note, str] = {
    "several-sentences": "has several sentences, perhaps several ideas",
    "question": "is a question, so agreeing with it says little",
    "in-capitals": "was written in capitals, which were lowered",
    "speaks-of-me-or-you": "speaks of me, us or you, which means somebody else in front of a model",
    "other-form": "does not say what an AI should or should not do",
    "no-verb": "seems to lack a verb",
    "perhaps-not-english": "seems to be in another language than English",
    "marks-replaced": "had marks that a prompt could obey; they were replaced",
}
"""What a person is told who looks through the wordings."""

QUOTED: frozenset[Note] = frozenset(NOTES) - {"in-capitals", "marks-replaced"}
"""With any of these notes a statement is quoted instead of being put into the common form."""


@dataclass(frozen=True, kw_only=True)
class Saying:
    """One statement, read."""

    original: str
    clean: str
    """On one line, with nothing in it that would be obeyed."""
    clause: str | None
    """`The AI should not lie`: the common form, without a full stop; None: the statement is quoted."""
    core: str
    """What is to be done or left, without subject and modal verb: `lie`. The whole clean text where it is quoted."""
    negated: bool
    """The common form says `not` or `never`, or that something is to be avoided; both cancel out."""
    negations: int
    """Words that turn the meaning round: not, never, avoid, without, ... Two statements that say the same usually have
    both an even or both an odd number of them."""
    notes: tuple[Note, ...]
    """Why a person should look at the wording; empty: nothing is odd."""


def read_saying(text: str, *, about_ai: bool = True) -> Saying:
    """Takes a statement apart.

    `about_ai`: a statement that names nobody (`Never lie`, `It should be kind`) means the AI. In a conversation about
    something else it does not, and is quoted.

    >>> read_saying("ai shouldn't lie!").clause
    'The AI should not lie'
    >>> read_saying("Why would anyone want this?").notes
    ('question',)
    """
    clean, replaced = neutralise(text)
    notes: list[Note] = ["marks-replaced"] if replaced else []
    said = _unquoted(clean)
    if _in_capitals(said):
        said = _AI_WORD.sub("AI", said.lower())
        notes.append("in-capitals")
    found, odd = _common_form(said, about_ai)
    notes += odd
    if found is None or QUOTED & set(notes):
        return Saying(
            original=text,
            clean=clean,
            clause=None,
            core=said,
            negated=False,
            negations=_negations(said),
            notes=tuple(notes),
        )
    modal, negation, core = found
    clause = " ".join(part for part in ("The AI", modal, negation, core) if part)
    return Saying(
        original=text,
        clean=clean,
        clause=clause,
        core=core,
        negated=(negation in ("not", "never")) != bool(_AVOIDS.match(core)),
        negations=_negations(clause),
        notes=tuple(notes),
    )


def is_about_ai(texts: list[str]) -> bool:
    """True if most statements that say what somebody should do name an AI."""
    modal = [text for text in (neutralise(one)[0] for one in texts) if _ANY_MODAL.search(text)]
    return bool(modal) and 2 * sum(bool(_AI_WORD.search(text)) for text in modal) > len(modal)


def _unquoted(text: str) -> str:
    while len(text) > 1 and text[0] + text[-1] in ('""', "“”", "''", "‘’", "„“", "«»"):
        text = text[1:-1].strip()
    return text


def _in_capitals(text: str) -> bool:
    letters = [char for char in _AI_WORD.sub("", text) if char.isalpha()]
    return len(letters) >= 8 and sum(char.isupper() for char in letters) > 0.8 * len(letters)


_AI = r"(?:a\.?\s?i\.?|al)(?:['’]?s)?(?![\w'’])"
_AI_WORD = re.compile(
    r"\b(?:a\.i\.|ai|a i)(?:['’]?s)?(?![\w'’])|\bartificial intelligence\b|\bchat ?bots?\b", re.IGNORECASE
)
_KIND = r"(?:systems?|models?|assistants?|chat ?bots?|bots?|programs?|programmes?|tools?|apps?|technology)"
_SUBJECT = re.compile(
    rf"(?:(?:the|an|any|all|every|this)\s+)?(?:{_AI}(?:\s+{_KIND})?|artificial intelligence|chat ?bots?|"
    r"(?:ai |language |virtual |digital )?(?:assistants?|language models?|llms?))(?:\s+|$)",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"(?:it|they)\s+", re.IGNORECASE)
_MODALS = r"should|must|shall|ought to|needs? to|ha(?:s|ve) to|will|may|can"
_MODAL = re.compile(rf"(?:(also|always|never)\s+)?({_MODALS})(n['’]?t\b|\s?not\b)?(?:\s+|$|(?=be\b))", re.IGNORECASE)
_ANY_MODAL = re.compile(r"\b(?:should|must|ought|needs?|ha(?:s|ve) to)", re.IGNORECASE)
_CONTRACTED = re.compile(r"\b(?:can['’]?t|won['’]?t)(?=\s)", re.IGNORECASE)
_NEGATION = re.compile(r"(not ever|never ever|not|never|always|only|just)\s+", re.IGNORECASE)
_COMMAND = re.compile(r"(always|never|do not|don['’]?t|not)\s+", re.IGNORECASE)
_LEAD_IN = re.compile(
    r"(?:(?:well|so|also|yes|and|please|ok|okay|just)[,\s]\s*)*(?:(?:i|we)\s+(?:(?:strongly|really|firmly|also|just|do|would)\s+)*"
    r"(?:think|believe|feel|agree|guess|hope|say)\s+(?:that\s+)?|in my (?:humble |honest )?opinion,?\s+|imh?o,?\s+|"
    r"it is important that\s+|it['’]s important that\s+)?",
    re.IGNORECASE,
)
_WISH = re.compile(r"(?:i|we)\s+(?:would like|want|wish for|prefer|need)\s+", re.IGNORECASE)
_TO = re.compile(r"(not\s+)?to\s+(not\s+|never\s+|always\s+)?", re.IGNORECASE)
_AVOIDS = re.compile(r"(?:avoid|refrain|abstain|refuse|stop|prevent|oppose|discourage)\b", re.IGNORECASE)
_TURNS_ROUND = re.compile(
    r"\b(?:not|cannot|never|no|none|nobody|nothing|neither|nor|without|against|avoid|refrain|abstain|refuse|stop|prevent|"
    r"oppose|discourage|lack|less)\b|\w+n['’]t\b",
    re.IGNORECASE,
)
_ME_OR_YOU = re.compile(
    r"\b(?:(?i:i|me|my|mine|myself|we|our|ours|ourselves|you|your|yours|yourself)|us|Us)\b(?!\.)(?:['’](?:m|ve|d|ll|re))?"
)
_QUESTION = re.compile(r"(?:who|what|why|how|where|could|would|does|do you|is|are)\s", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…]+['\"’”]?\s+(?=[\"“‘']?[A-Z])")
_NOT_A_VERB = re.compile(r"\w+(?:ible|ful|ous|[^\Wn]able|[^\Wgr]ive)\b|(?:a|an|the|more|no|very)\b", re.IGNORECASE)
_VERBS_AFTER_ALL = frozenset({"live", "dive", "disable"})


@cache
def _english_words() -> frozenset[str]:
    return frozenset(files("solon.collective").joinpath("templates/english.txt").read_text(encoding="utf-8").split())


def _negations(text: str) -> int:
    return len(_TURNS_ROUND.findall(text))


def _common_form(text: str, about_ai: bool) -> tuple[tuple[str, str, str] | None, list[Note]]:
    """(modal verb, negation or adverb, core), None if the text has another form; and what is odd."""
    if _question(text):
        return None, ["question"]
    if not _english(text):
        return None, ["perhaps-not-english"]
    if _SENTENCE_END.search(text):
        return None, ["several-sentences"]
    found = _taken_apart(text.rstrip(".!…;:, "), about_ai)
    if found is None:
        return None, ["speaks-of-me-or-you" if _ME_OR_YOU.search(text) else "other-form"]
    core = found[2]
    if _ME_OR_YOU.search(core):
        return found, ["speaks-of-me-or-you"]
    if _NOT_A_VERB.match(core) and core.split()[0].lower() not in _VERBS_AFTER_ALL:
        return found, ["no-verb"]
    return found, []


def _question(text: str) -> bool:
    return text.endswith("?") or bool(_QUESTION.match(text))


def _english(text: str) -> bool:
    """Whether it has a common English word, or is too short to tell; letters of another script always tell."""
    letters = [char for char in text if char.isalpha()]
    latin = sum("LATIN" in unicodedata.name(char, "") for char in letters)
    if letters and latin < 0.6 * len(letters):
        return False
    said = [word.lower() for word in words(text)]
    return len(said) < 3 or any(re.split("['’]", word)[0] in _english_words() for word in said)


def _taken_apart(text: str, about_ai: bool) -> tuple[str, str, str] | None:
    wish = _WISH.match(text)
    rest = text[wish.end() :] if wish else text[_end(_LEAD_IN, text) :]
    subject = _SUBJECT.match(rest) or (_PRONOUN.match(rest) if about_ai else None)
    after = rest[subject.end() :] if subject else rest
    if wish:
        wanted = _TO.match(after) if subject else None
        return _trimmed("should", (wanted[1] or wanted[2] or ""), after[wanted.end() :]) if wanted else None
    after = _CONTRACTED.sub(lambda it: f"{'can' if it[0][0] in 'cC' else 'will'} not", after, count=1)
    modal = _MODAL.match(after)
    if modal and (subject or about_ai):
        negation = "not" if modal[3] else ""
        return _with_negation(_modal(modal[2], negation), negation, modal[1] or "", after[modal.end() :])
    command = _COMMAND.match(rest) if about_ai and not subject else None
    if command:
        word = command[1].lower()
        return _trimmed("should", word if word in ("always", "never") else "not", rest[command.end() :])
    if about_ai and not subject and re.match(r"(?:be|avoid)\s", rest, re.IGNORECASE):
        return _trimmed("should", "", rest)
    return None


def _end(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.match(text)
    return found.end() if found else 0


def _modal(word: str, negation: str) -> str:
    """Singular, and without shades that a short text cannot carry: `needs to` and `have to` are `must`."""
    word = " ".join(word.lower().split())
    if word in ("should", "ought to", "shall", "will", "can"):
        return "should" if word != "can" or negation else "can"
    return "may" if word == "may" else "must"


def _with_negation(modal: str, negation: str, before: str, rest: str) -> tuple[str, str, str] | None:
    rest = re.sub(r"^(?:should|must)\s+", "", rest, flags=re.IGNORECASE)  # said twice by mistake
    adverb = _NEGATION.match(rest)
    if adverb and not negation:
        negation, rest = adverb[1].lower(), rest[adverb.end() :]
        negation = {"not ever": "never", "never ever": "never"}.get(negation, negation)
    if before.lower() in ("always", "never") and not negation:
        negation = before.lower()
    return _trimmed(modal, negation, rest)


def _trimmed(modal: str, negation: str, core: str) -> tuple[str, str, str] | None:
    core = core.strip(" .!…;:,-–")
    if not core:
        return None
    first = core.split()[0]
    if first[:1].isupper() and first[1:].islower():
        core = core[0].lower() + core[1:]
    return modal, negation.strip().lower(), core
