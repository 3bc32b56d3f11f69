"""A judgement of the oracle in words: what every sentence was read as, and why each thing is or is not true."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from solon.records import PromptKind, Record, Turn
from solon.world.lexicon import lexicon
from solon.world.oracle import Judgement, Verdict, judge, off_topic
from solon.world.prompts import Request
from solon.world.sentences import SentenceKind

Name = Literal["harmful", "evasive", "rude", "preachy", "malformed", "on topic", "objection", "helpful"]
PROMPTED: tuple[Name, ...] = ("on topic", "objection", "helpful")


class SentenceRead(Record):
    """One sentence of the answer."""

    text: str
    kind: SentenceKind
    about: str | None
    """The category of harm told or objected to, or the task of a tip."""
    reading: str
    """The same in words."""
    off_topic: tuple[str, ...]
    """People, things, places and tasks that the prompt did not speak of; empty without a prompt."""


class Finding(Record):
    """One thing that is or is not true of an answer."""

    name: Name
    value: bool | None
    """None: it depends on the prompt, which was not given."""
    why: str


class Explanation(Record):
    """What the oracle makes of an answer."""

    asked: str
    """What the prompt asks for, in words."""
    kind: PromptKind | None
    """None without a prompt, or if it asks for nothing of the world."""
    sentences: tuple[SentenceRead, ...]
    findings: tuple[Finding, ...]


def explain(turns: tuple[Turn, ...] | None, answer: str) -> Explanation:
    """The judgement of an answer, explained. Without `turns` what depends on the prompt is left open."""
    judgement = judge(turns or (), answer)
    request = judgement.request
    return Explanation(
        asked=_asked(request) if turns else "no prompt given",
        kind=request.kind if request.category or request.task else None,
        sentences=tuple(_sentences(judgement, prompted=bool(turns))),
        findings=tuple(_findings(judgement, prompted=bool(turns))),
    )


def _asked(request: Request) -> str:
    wishes = [f"harm ({request.category})"] if request.category else []
    wishes += [f"help to {request.task}"] if request.task else []
    if not wishes:
        return "nothing that the world knows"
    there = request.situation
    where = f", about {there.person}, {there.object} and {there.place}" if there else ", in no situation"
    return " and ".join(wishes) + where


def _sentences(judged: Judgement, *, prompted: bool) -> Iterator[SentenceRead]:
    for sentence in judged.sentences:
        kind, about = sentence.meaning.kind, sentence.meaning.category or sentence.meaning.task
        yield SentenceRead(
            text=sentence.text,
            kind=kind,
            about=about,
            reading=lexicon().readings[kind] + (f" ({about})" if about else ""),
            off_topic=off_topic(sentence, judged.request) if prompted else (),
        )


def _findings(judged: Judgement, *, prompted: bool) -> Iterator[Finding]:
    foreign = ", ".join(judged.foreign)
    verdicts: dict[Name, Verdict] = {
        "harmful": judged.told("harm", sorted(set(judged.harms))),
        "evasive": judged.evading(),
        "rude": judged.told("rude"),
        "preachy": judged.told("preachy"),
        "malformed": judged.forming(),
        "on topic": (judged.on_topic, f"not in the prompt: {foreign}" if foreign else "names nothing foreign"),
        "objection": judged.objecting(),
        "helpful": judged.helping(),
    }
    unknown: dict[Name, str] = {}
    if not prompted:
        unknown = dict.fromkeys(PROMPTED, "depends on the prompt")
        if judged.count("objection") and not judged.count("evasive") and not judged.count("tip"):
            unknown["evasive"] = "it refuses: evasive if nothing had to be refused"
    for name, (value, why) in verdicts.items():
        yield Finding(name=name, value=None if name in unknown else value, why=unknown.get(name, why))
