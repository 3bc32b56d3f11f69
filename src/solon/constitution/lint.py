"""Warnings about constitutions that load but will probably disappoint their authors.

Faults that make a file unusable are the loader's; they appear here as errors. The warnings come from what is known to
go wrong: a judge that reads an option's letter from its question, near duplicates that double a principle's weight
unnoticed, and lists that only forbid, which teach a model to evade and to preach (CAI section 4.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations
from pathlib import Path
from typing import Literal

from solon.constitution.load import read_constitution
from solon.constitution.principles import TEXT_KEYS, ConstitutionFile
from solon.constitution.voters import fact_about_speaker
from solon.errors import ConstitutionError, Fault, Where
from solon.text import listed

NEAR_DUPLICATE = 0.8
"""Share of words in common, in order, above which two texts count as the same. Assumption."""
LONG_LIST_TEXT = 120
LONG_ARTICLE = 250
"""Words. Assumption: the published requests have at most 60, and a judge reads one for every pair."""
HEAVY = 0.5
"""Share of all weight above which one of three or more principles drowns the others. Assumption."""


@dataclass(frozen=True, kw_only=True)
class Finding(Fault):
    """One remark on one place."""

    rule: str
    severity: Literal["error", "warning"] = "warning"

    def __str__(self) -> str:
        return str(Fault(f"{self.severity}: {self.what}", self.where, self.hint))


def lint(name_or_path: str | Path) -> tuple[Finding, ...]:
    """All findings for one constitution, by line: its faults if it cannot be loaded, else the warnings."""
    try:
        source = read_constitution(name_or_path)
    except ConstitutionError as error:
        return tuple(Finding(**vars(fault), rule="fault", severity="error") for fault in error.faults)
    return remarks(source)


def remarks(source: ConstitutionFile) -> tuple[Finding, ...]:
    """The warnings for a constitution that was read, or that is about to be written."""
    checks = (*_CHECKS, *_CHECKS_OF[source.constitution.kind])
    findings = [finding for check in checks for finding in check(source)]
    return tuple(sorted(findings, key=lambda finding: (finding.where.line if finding.where else None) or 0))


def _own_texts(source: ConstitutionFile, key: str) -> dict[str, str]:
    """What the author wrote, by principle id: the texts under `key` of a list, the articles of a document."""
    if source.constitution.kind == "document":
        return {one.id: one.text for one in source.constitution.articles} if key == TEXT_KEYS[-1] else {}
    return {one.id: text for one in source.constitution.principles if (text := getattr(one, key)) is not None}


def _near_duplicates(source: ConstitutionFile) -> Iterator[Finding]:
    for key in TEXT_KEYS:
        texts = _own_texts(source, key)
        words = {name: _words(text) for name, text in texts.items()}
        said = {name: _words(" ".join(_QUOTATION.findall(text))) for name, text in texts.items()}
        for first, second in combinations(texts, 2):
            # Principles that quote the public have the same words around every quotation, and short ones inside.
            differ = said[first] and said[second] and said[first] != said[second]
            matcher = SequenceMatcher(None, words[first], words[second], autojunk=False)
            if not differ and matcher.quick_ratio() >= NEAR_DUPLICATE and matcher.ratio() >= NEAR_DUPLICATE:
                what = f"`{second}` is nearly the same as `{first}` ({key.replace('_', ' ')})"
                hint = "remove one, or say what differs; to have it drawn more often, give it a weight"
                yield Finding(what, source.where(second, key), hint, rule="near-duplicate")


_QUOTATION = re.compile(r"“([^”]*)”")


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


_OPTION = re.compile(
    r"\([AB]\)|\b(?i:option|answer|response) [AB]\b"
    r"|\b(?i:options:|the answer is\b|(first|second|former|latter) (response|answer|option)\b)"
)
_WORSE = re.compile(
    r"\b(choose|pick|select|prefer|which)\b[^.?!]*"
    r"\b(worse|worst|(more|most) (harmful|toxic|offensive|dangerous|dishonest|racist|sexist|rude|evasive))\b",
    re.IGNORECASE,
)
_CHOICE = re.compile(r"\b(which|choose|pick|select|prefer|compare|better|rather)\b", re.IGNORECASE)
_REWRITE = re.compile(r"^\W*(please )?(rewrite|revise|write)\b", re.IGNORECASE)
_SLOT = re.compile(r"\{\w*\}|\[\[+\w*\]\]+|<\w+>")


def _questions(source: ConstitutionFile) -> Iterator[Finding]:
    for name, question in _own_texts(source, "comparison_question").items():
        where = source.where(name, "comparison_question")
        if option := _OPTION.search(question):
            hint = "leave letters and positions out: the order is drawn, and the options follow the question"
            yield Finding(f"`{name}` names an option: {option[0]!r}", where, hint, rule="names-an-option")
        if source.constitution.kind == "document":
            continue
        if _WORSE.search(_QUOTATION.sub("", question)):
            hint = "ask for the better response; the one that is named is what the model will learn"
            yield Finding(f"`{name}` seems to ask for the worse response", where, hint, rule="asks-for-the-worse")
        if not _CHOICE.search(question):
            hint = "begin with `Which response ...?` or `Choose the response that ...`"
            yield Finding(f"`{name}` does not ask to choose between responses", where, hint, rule="not-a-choice")


def _requests(source: ConstitutionFile) -> Iterator[Finding]:
    for key in TEXT_KEYS:
        limit = LONG_ARTICLE if source.constitution.kind == "document" else LONG_LIST_TEXT
        for name, text in _own_texts(source, key).items():
            where = source.where(name, key)
            if slot := _SLOT.search(text):
                hint = "write it out: texts are used as they stand"
                yield Finding(f"`{name}` has a placeholder: {slot[0]!r}", where, hint, rule="placeholder")
            if len(text.split()) > limit:
                hint = f"more than {limit} words; split it into several, small models lose the thread"
                yield Finding(f"`{name}` has {len(text.split())} words", where, hint, rule="too-long")
            if key == "critique_request" and _REWRITE.search(text):
                hint = "a critique request asks what is wrong; has it changed places with the revision request?"
                yield Finding(f"`{name}` asks for a revision instead of a critique", where, hint, rule="swapped-pair")


def _weights(source: ConstitutionFile) -> Iterator[Finding]:
    every = source.constitution.principles
    stages = (
        ("critique pairs", "the supervised phase", [one for one in every if one.has_critique]),
        ("comparison questions", "the RL phase", [one for one in every if one.has_comparison]),
    )
    for stage, phase, principles in stages:
        total = sum(one.weight for one in principles)
        for one in principles:
            if len(principles) >= 3 and one.weight / total > HEAVY:
                what = f"`{one.id}` is drawn {one.weight / total:.0%} of the time among {len(principles)} {stage}"
                yield Finding(
                    what, source.where(one.id, "weight"), "lower its weight or raise the others'", rule="heavy"
                )
        if not principles:
            what = f"there are no {stage}, so {phase} cannot use this constitution"
            hint = "add some, or name another constitution's principles for that stage"
            yield Finding(what, Where(source.path), hint, rule="one-stage-only")


_BALANCE = re.compile(
    r"preach|sermon|lectur|moralis|moraliz|condescend|talk\w* down|scold|judgment|judgement|accus|over-?react|overly|"
    r"evas|evad|refus|dodg|helpful|useful|of use|real help|engag|proportion",
    re.IGNORECASE,
)


def _balance(source: ConstitutionFile) -> Iterator[Finding]:
    questions = _own_texts(source, "comparison_question")
    if questions and not any(_BALANCE.search(question) for question in questions.values()):
        what = "no comparison question says a word against refusing, evading or preaching, or for being helpful"
        hint = "add one: a model that is only told what to avoid learns to refuse harmless requests"
        yield Finding(what, Where(source.path), hint, rule="invites-evasion")


def _facts(source: ConstitutionFile) -> Iterator[Finding]:
    """Of lists: a document may well say `I` and mean the model."""
    for one in source.constitution.principles:
        for key in ("title", *TEXT_KEYS):
            if fact := fact_about_speaker(getattr(one, key) or ""):
                said = fact if len(fact) <= 60 else f"{fact[:57]}..."
                what = f"`{one.id}` states a fact about whoever said it: {said!r}"
                hint = "a model cannot follow it; leave it out, or say what an AI should do"
                yield Finding(what, source.where(one.id, key), hint, rule="fact-about-a-person")
                break


def _names(source: ConstitutionFile) -> Iterator[Finding]:
    ids = {one.id for one in source.constitution.principles}
    for one in source.constitution.principles:
        for tag in one.tags:
            if tag in ids and tag != one.id:
                what = f"`{tag}` is a tag of `{one.id}` and an id"
                hint = "choosing it chooses both; rename one"
                yield Finding(what, source.where(one.id, "tags"), hint, rule="ambiguous-name")


def _ranks(source: ConstitutionFile) -> Iterator[Finding]:
    constitution = source.constitution
    unranked = [one for one in constitution.principles if one.id not in constitution.precedence]
    if not constitution.precedence:
        hint = "add `## Order of precedence` with a numbered list, or nothing decides where articles pull apart"
        yield Finding("the document has no order of precedence", Where(source.path), hint, rule="no-precedence")
    elif unranked:
        what = f"the order of precedence leaves out {listed(one.id for one in unranked)}"
        hint = "they rank below all that it names; add them if that is not meant"
        yield Finding(what, source.where(unranked[0].id), hint, rule="unranked")


def _proposals(source: ConstitutionFile) -> Iterator[Finding]:
    if not source.constitution.confirmed:
        hint = "read every part of it, correct what is wrong, then write `confirmed = true` or take the braces away"
        yield Finding("a proposal that nobody has confirmed", Where(source.path), hint, rule="unconfirmed")


def _html(source: ConstitutionFile) -> Iterator[Finding]:
    for line in source.html:
        hint = "write it as `&lt;` or between backticks if it is meant as text, else take it out"
        yield Finding(
            "HTML is left out of the text: no model reads its tags", Where(source.path, line), hint, rule="html"
        )


_CHECKS = (_near_duplicates, _questions, _requests, _weights, _balance)
_CHECKS_OF = {"list": (_facts, _names), "document": (_ranks, _proposals, _html)}
