"""The common form of a statement about an assistant, `The AI should (not) do something`, found in many spellings.

Only what surely is such a rule is brought to the common form. What might be a prediction (`AI will replace teachers`),
a question, a rule for somebody else (`They should regulate AI`), several rules in one, or another language is not:
a changed meaning is worse than a quotation.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Literal

from solon.collective.principles.neutral import words

Note = Literal[
    "several-sentences",
    "question",
    "in-capitals",
    "speaks-of-me-or-you",
    "other-form",
    "perhaps-a-fact",
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
    "perhaps-a-fact": "may say how an AI is or will be, not how it should be",
    "no-verb": "seems to lack a verb in its plain form",
    "perhaps-not-english": "seems to be in another language than English",
    "marks-replaced": "had marks that a prompt could obey; they were replaced",
}
"""What a person is told who looks through the wordings."""

QUOTED: frozenset[Note] = frozenset(NOTES) - {"in-capitals", "marks-replaced"}
"""With any of these notes a statement is quoted instead of being put into the common form."""


_AI = r"(?:a\.?\s?i\.?|al)(?:['’]?s)?(?![\w'’])"
AI_WORD = re.compile(
    r"\b(?:a\.i\.|ai|a i)(?:['’]?s)?(?![\w'’])|\bartificial intelligence\b|\bchat ?bots?\b", re.IGNORECASE
)
_KIND = r"(?:systems?|models?|assistants?|chat ?bots?|bots?|programs?|programmes?|tools?|apps?|technology)"
_SUBJECT = re.compile(
    rf"(?:(?:the|an|any|all|every|this)\s+)?(?:{_AI}(?:\s+{_KIND})?|artificial intelligence|chat ?bots?|"
    r"(?:ai |language |virtual |digital )?(?:assistants?|language models?|llms?))(?:\s+|$)",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"(?:it|they)\s+", re.IGNORECASE)
_MODALS = r"should|must|shall|ought to|needs? to|ha(?:s|ve) to"
_MODAL = re.compile(rf"(?:(also|always|never)\s+)?({_MODALS})(\s?n['’]?t\b|\s?not\b)?(?:\s+|$|(?=be\b))", re.IGNORECASE)
ANY_MODAL = re.compile(r"\b(?:should|must|ought|needs?|ha(?:s|ve) to)", re.IGNORECASE)
_DESCRIBES = re.compile(r"(?:will|can|cannot|may|might|could|would|won['’]?t|can['’]?t)\b", re.IGNORECASE)
"""`AI will replace teachers` and `AI may be wrong` are no rules; `should` in their place would make them some."""
_NEGATION = re.compile(r"(not ever|never,? ever|not|never|always|only|just)\s+", re.IGNORECASE)
_COMMAND = re.compile(r"(always|never|do not|don['’]?t|not(?= be\b))\s+", re.IGNORECASE)
_LEAD_IN = re.compile(
    r"(?:(?:well|so|also|yes|and|please|ok|okay|just)[,\s]\s*)*(?:(?:i|we)\s+(?:(?:strongly|really|firmly|also|just|do|would)\s+)*"
    r"(?:think|believe|feel|agree|guess|hope|say)\s+(?:that\s+)?|in my (?:humble |honest )?opinion,?\s+|imh?o,?\s+|"
    r"it is important that\s+|it['’]s important that\s+)?",
    re.IGNORECASE,
)
_WISH = re.compile(r"(?:i|we)\s+(?:would like|want|wish for|prefer|need)\s+", re.IGNORECASE)
_TO = re.compile(r"(not\s+)?to\s+(not\s+|never\s+|always\s+)?", re.IGNORECASE)
AVOIDS = re.compile(r"(?:avoid|refrain|abstain|refuse|stop|prevent|oppose|discourage)\b", re.IGNORECASE)
_TURNS_ROUND = re.compile(
    r"\b(?:not|cannot|never|no|none|nobody|nothing|neither|nor|without|against|avoid|refrain|abstain|refuse|stop|prevent|"
    r"oppose|discourage|lack|less|hardly|rarely|seldom|fail|ban|forbid|prohibit|"
    r"(?:do|does|did|is|are|was|wo|would|could|should|must)nt|cant)\b|\w+n['’]t\b",
    re.IGNORECASE,
)
_ME_OR_YOU = re.compile(
    r"\b(?:(?i:i|me|my|mine|myself|we|our|ours|ourselves|you|your|yours|yourself)|us|Us)\b(?!\.)(?:['’](?:m|ve|d|ll|re))?"
)
_QUESTION = re.compile(
    rf"(?:who|what|why|how|where|could|would|does|do you|is|are)\s|(?:{_MODALS})(?:n['’]?t)?\s+"
    rf"(?:{_AI}|it|they|he|she|there|this|that|these|those|people|humans|anyone|everyone)\s",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(
    r"[.!?…]+['\"’”]?\s+(?=[\"“‘']?(?:[A-Z]|(?:it|they|this|that|the|ai|and|but|also|never|always|don['’]?t|do)\b))"
)
_ANOTHER_RULE = re.compile(
    rf"(?<![,;])(?<!\band)(?<!\bbut)(?<!\bor)(?<!\bthat)(?<!\bif)(?<!\bas)(?<!\bso)(?<!\bwhen)(?<!\bhow)\s+"
    rf"(?:the\s+)?AI\s+(?:{_MODALS})\b",
    re.IGNORECASE,
)
"""A second sentence behind the first, without a full stop between them."""
_NOT_A_VERB = re.compile(
    r"\w+(?:ible|ful|ous|[^\Wn]able|[^\Wgr]ive)\b|\w*[^\We]ed\b|\w{2,}ing\b|"
    r"(?:a|an|the|more|no|very|to|it|they|ok|okay|sure|all)\b|do(?:es)?(?:n['’]?t| not)\b|be$",
    re.IGNORECASE,
)
_VERBS_AFTER_ALL = frozenset({"live", "dive", "disable", "embed", "shed", "wed", "bring", "cling", "swing", "spring"})
_SPEAKS_OF_IT = re.compile(rf"\b(?:it|its|itself|they|them|{_AI})(?![\w'’])", re.IGNORECASE)
_EXPLETIVE = re.compile(
    r"be (?:\w+ )?(?:(?:il)?legal|(?:im)?possible|mandatory|compulsory|necessary|a crime|against|up to)\b",
    re.IGNORECASE,
)


@cache
def _english_words() -> frozenset[str]:
    """Common ones that other languages with the same letters do not have, too, as `no` and `me`."""
    return frozenset(
        files("solon.collective.principles").joinpath("templates/english.txt").read_text(encoding="utf-8").split()
    )


def negations_in(text: str) -> int:
    return len(_TURNS_ROUND.findall(text))


def common_form(text: str, about_ai: bool) -> tuple[tuple[str, str, str] | None, list[Note]]:
    """(modal verb, negation or adverb, core), None if the text has another form; and what is odd."""
    if _question(text):
        return None, ["question"]
    if not _english(text):
        return None, ["perhaps-not-english"]
    if _SENTENCE_END.search(text):
        return None, ["several-sentences"]
    found = _taken_apart(text.rstrip(".!…;:, "), about_ai)
    if found is None:
        if _ME_OR_YOU.search(text):
            return None, ["speaks-of-me-or-you"]
        subject = _SUBJECT.match(text)
        return None, ["perhaps-a-fact" if subject and _DESCRIBES.match(text, subject.end()) else "other-form"]
    core = found[2]
    if _ANOTHER_RULE.search(core):
        return found, ["several-sentences"]
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
    if wish:
        return _wished(text[wish.end() :])
    rest = text[_end(_LEAD_IN, text) :]
    subject = _SUBJECT.match(rest)
    if subject:
        return _ruled(rest[subject.end() :])
    if not about_ai:
        return None
    pronoun = _PRONOUN.match(rest)
    if pronoun:
        found = _ruled(rest[pronoun.end() :])
        # `It should be illegal to use AI` and `They should regulate AI` are about somebody else.
        return None if found and (_EXPLETIVE.match(found[2]) or AI_WORD.search(found[2])) else found
    found = _ruled(rest)
    if found:
        return None if AI_WORD.search(found[2]) else found
    found = _commanded(rest)
    return None if found and _SPEAKS_OF_IT.search(found[2]) else found  # `Do not let it grow`: it is the AI


def _wished(text: str) -> tuple[str, str, str] | None:
    """After `I want`: the AI to do something."""
    subject = _SUBJECT.match(text)
    wanted = _TO.match(text, subject.end()) if subject else None
    return _trimmed("should", wanted[1] or wanted[2] or "", text[wanted.end() :]) if wanted else None


def _ruled(text: str) -> tuple[str, str, str] | None:
    """From a modal verb on."""
    modal = _MODAL.match(text)
    if not modal:
        return None
    negation = "not" if modal[3] else ""
    return _with_negation(_modal(modal[2]), negation, modal[1] or "", text[modal.end() :])


def _commanded(text: str) -> tuple[str, str, str] | None:
    """`Never lie`, `Be kind`."""
    command = _COMMAND.match(text)
    if command:
        word = command[1].lower()
        return _trimmed("should", word if word in ("always", "never") else "not", text[command.end() :])
    return _trimmed("should", "", text) if re.match(r"(?:be|avoid)\s", text, re.IGNORECASE) else None


def _end(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.match(text)
    return found.end() if found else 0


def _modal(word: str) -> str:
    """Singular, and without shades that a short text cannot carry: `needs to` and `have to` are `must`."""
    return "should" if " ".join(word.lower().split()) in ("should", "ought to", "shall") else "must"


def _with_negation(modal: str, negation: str, before: str, rest: str) -> tuple[str, str, str] | None:
    rest = re.sub(r"^(?:should|must)\s+", "", rest, flags=re.IGNORECASE)  # said twice by mistake
    adverb = _NEGATION.match(rest)
    if adverb and not negation:
        negation, rest = adverb[1].lower(), rest[adverb.end() :]
        negation = {"not ever": "never", "never ever": "never", "never, ever": "never"}.get(negation, negation)
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
