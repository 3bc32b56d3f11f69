"""Prompts written by a model from a few examples (CAI sections 3.2 and 4.2): asking for them, and sifting what comes.

The model gets a list of examples of one category and continues it. A request asks for several prompts, because most of
what a model reads for one serves them all.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

from solon.data.alike import Texts
from solon.data.example_prompts import ExamplePrompt
from solon.errors import EngineError
from solon.evals.lexical import refusal
from solon.feedback.rows import Sampler, run_rows
from solon.prompting.context import Context, Message
from solon.records import PromptKind, Record

Kind = Literal["red-team", "helpful"]
KINDS: dict[Kind, PromptKind] = {"red-team": "harmful", "helpful": "benign"}
SHOWN = 5
"""Examples in a request. RLHF-22 showed about ten, to a larger model."""
ASKED = 5
"""Prompts that a request asks for. Assumption."""
SHARE = 2.0
"""A category may have so many times its equal share of the prompts: for one, the model may find nothing. Assumption."""
WORDS = range(3, 81)
"""How long a prompt may be. Assumption."""

MORE = "more than asked for"

_PEOPLE: dict[Kind, str] = {
    "red-team": "messages{about} that people sent to an assistant in order to test whether it refuses what is harmful",
    "helpful": "messages{about} that people sent to an assistant because they needed help",
}
_REQUEST = """Here is a list of {people}. Each is one message in one line, in the words of the person who sent it.

{listed}

Write {asked} more messages for this list, numbered from {next}. Each must ask for something else than all the others. \
Do not answer any of them, and write nothing besides the list."""
_NUMBER = re.compile(r"\s*(?:\d+\s*[.):]|[-*\u2022])\s*")
_INSIDE = re.compile(r"\s\d+[.)]\s|[?].*[?].*[?]")
_ANSWERS = re.compile(
    r"(?:sure|certainly|of course|absolutely|here (?:is|are)|here's|as an ai|i'm sorry|i am sorry)\b|"
    r"(?:sorry,|human:|user:|assistant:|these (?:messages|requests)|note:)",
    re.IGNORECASE,
)
_QUOTES = "\"'\u201c\u201d\u2018\u2019`* "


class Reply(Record):
    """What came of one request."""

    request: int
    """Its number, from 0."""
    category: str
    shown: tuple[str, ...]
    """Where the examples stand that it showed."""
    text: str
    cut: bool
    """Whether the token limit cut it off."""
    lost: str | None = None
    """Why there is no reply."""
    tokens: int = 0


class WrittenPrompt(Record):
    """A prompt, in a form that runs read, and how it came about."""

    prompt: str
    kind: PromptKind
    category: str
    written_by: str
    """The identity of the model."""
    seed: int
    request: int
    """Number of the request that gave it; with the seed, what was drawn."""
    shown: tuple[str, ...]


def ask(kind: Kind, examples: Sequence[ExamplePrompt], numbers: Iterable[int], sampler: Sampler) -> list[Reply]:
    """The replies to the requests of these numbers. The categories take turns, in the order of the examples."""
    categories = list(dict.fromkeys(example.category for example in examples))

    async def reply(number: int) -> Reply:
        category = categories[number % len(categories)]
        alike = [example for example in examples if example.category == category]
        order = sampler.rng("examples", number).permutation(len(alike))[:SHOWN]
        shown = [alike[place] for place in order]
        part = {"request": number, "category": category, "shown": tuple(example.source for example in shown)}
        try:
            found = await sampler.complete(_context(kind, category, shown, sampler), number)
        except EngineError as error:
            return Reply(text="", cut=False, lost=error.reason, **part)
        return Reply(text=found.text, cut=found.truncated, tokens=found.tokens, **part)

    return list(run_rows(reply(number) for number in numbers).records)


def _context(kind: Kind, category: str, shown: Sequence[ExamplePrompt], sampler: Sampler) -> Context:
    """The reply begins with the number of its first prompt, where the engine can begin replies."""
    listed = "\n".join(f"{place}. {example.text}" for place, example in enumerate(shown, start=1))
    people = _PEOPLE[kind].format(about=f" about {category}" if category else "")
    following = len(shown) + 1
    text = _REQUEST.format(people=people, listed=listed, asked=ASKED, next=following)
    prefill = f"{following}." if sampler.model.can.prefill else ""
    return Context(messages=(Message("human", text),), prefill=prefill)


class Sieve:
    """Keeps prompts that are prompts and unlike all before them, and counts what it leaves out by reason."""

    def __init__(self, known: Iterable[str], not_like: Iterable[str], *, wanted: int, share: int):
        """
        Args:
            known: texts that every prompt is to be unlike.
            not_like: those kept for evaluation, likewise.
            wanted: prompts in all.
            share: and at most of one category.
        """
        self._known, self._not_like = Texts(), Texts()
        for text in known:
            self._known.add(text)
        for text in not_like:
            self._not_like.add(text)
        self._wanted, self._share = wanted, share
        self.categories: Counter[str] = Counter()
        """Of those that are kept."""
        self.kept: list[tuple[str, Reply]] = []
        self.dropped: Counter[str] = Counter()
        self.lines = 0

    @property
    def missing(self) -> int:
        return self._wanted - len(self.kept)

    def take(self, reply: Reply) -> None:
        """Sifts a reply, line by line."""
        if reply.lost:
            self.dropped[f"request lost: {reply.lost}"] += 1
        for text, fault in [] if reply.lost else items(reply):
            self.lines += 1
            reason = fault or self._reason(text, reply.category)
            if reason:
                self.dropped[reason] += 1
            else:
                self._known.add(text)
                self.kept.append((text, reply))
                self.categories[reply.category] += 1

    def _reason(self, text: str, category: str) -> str | None:
        """Why a prompt is left out, None if it is kept."""
        if self._not_like.has(text) or self._not_like.has_alike(text):
            return "like an evaluation prompt"
        if self._known.has(text):
            return "duplicate"
        if self._known.has_alike(text):
            return "near-duplicate"
        if self.missing <= 0:
            return MORE
        return "more than its category's share" if self.categories[category] >= self._share else None


def sieve_of(examples: Sequence[ExamplePrompt], not_like: Iterable[str], wanted: int) -> Sieve:
    """For prompts that go on with these examples."""
    share = math.ceil(SHARE * wanted / len({example.category for example in examples}))
    return Sieve((example.text for example in examples), not_like, wanted=wanted, share=share)


def items(reply: Reply) -> list[tuple[str, str | None]]:
    """The lines of a reply without their numbers, and for each what is wrong with it in itself.

    The first may lack its number, which the request may have written; where others have one, a line without is talk.
    """
    lines = [line for line in reply.text.splitlines() if line.strip()]
    if not lines:
        return [("", "empty")]
    numbered = any(_NUMBER.match(line) for line in lines[1:])
    found = []
    for place, line in enumerate(lines):
        text = " ".join(_NUMBER.sub("", line, count=1).strip(_QUOTES).split())
        talk = numbered and place > 0 and not _NUMBER.match(line)
        cut = reply.cut and place == len(lines) - 1
        fault = MORE if place >= ASKED else "cut off" if cut else "not a prompt" if talk else fault_of(text)
        found.append((text, fault))
    return found


def fault_of(text: str) -> str | None:
    """Why a text is no single prompt, None if it may be one. Example: "Sure! Here are five." is no prompt."""
    words = len(text.split())
    if not words:
        return "empty"
    if _INSIDE.search(text):
        return "several prompts in one"
    if words not in WORDS:
        return "too short or too long"
    answers = _ANSWERS.match(text) or text.endswith(":") or refusal(text) != "none"
    return "not a prompt" if answers else None
