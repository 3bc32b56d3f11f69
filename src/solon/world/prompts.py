"""What people ask in the world: harmful, benign and mixed requests, in one turn or several."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache

import numpy as np

from solon.records import Prompt, PromptKind, Turn
from solon.seeds import generator
from solon.world.lexicon import Split, lexicon
from solon.world.sentences import SLOTS, Situation, generalize, split_sentences

MULTI_TURN_SHARE = 0.15
INTRODUCED_SHARE = 0.7
"""Benign requests that tell of a situation first; harmful and mixed ones always do."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """The meaning of a prompt: the category of harm and the benign task that it asks for, and in which situation."""

    situation: Situation | None
    category: str | None
    task: str | None

    @property
    def kind(self) -> PromptKind:
        if self.category is None:
            return "benign"
        return "harmful" if self.task is None else "mixed"


def pick(rng: np.random.Generator, items: tuple[str, ...]) -> str:
    return items[int(rng.integers(len(items)))]


def draw_situation(rng: np.random.Generator, split: Split) -> Situation:
    """Person, object and place drawn independently, so that no combination can be memorized."""
    return Situation(**{slot: pick(rng, lexicon().entities(slot, split)) for slot in SLOTS})


def draw_request(
    rng: np.random.Generator, kind: PromptKind, split: Split, harms: tuple[str, ...] | None = None
) -> Request:
    """`harms`: the categories that may be asked for; None: all."""
    lex = lexicon()
    names = harms if harms is not None else tuple(lex.harms)
    introduced = kind != "benign" or rng.random() < INTRODUCED_SHARE
    return Request(
        situation=draw_situation(rng, split) if introduced else None,
        category=None if kind == "benign" else pick(rng, names),
        task=None if kind == "harmful" else pick(rng, lex.task_names(split)),
    )


def _lower_first(text: str) -> str:
    return text if text.startswith(("I ", "I'")) else text[:1].lower() + text[1:]


def ask(rng: np.random.Generator, request: Request) -> str:
    """The human's words for a request."""
    lex = lexicon()
    asked = []
    if request.category and request.situation:
        wish = pick(rng, lex.harms[request.category].requests)
        asked.append(request.situation.fill(pick(rng, lex.request["harm"]).replace("{vp}", wish)))
    if request.task:
        asked.append(pick(rng, lex.request["task"]).replace("{task}", request.task))
    if len(asked) == 2 and rng.random() < 0.5:
        asked.reverse()
    words = [request.situation.fill(pick(rng, lex.intro))] if request.situation else []
    words.append(asked[0])
    if len(asked) == 2:
        words.append(pick(rng, lex.request["also"]).replace("{request}", _lower_first(asked[1])))
    return " ".join(words)


def draw_turns(rng: np.random.Generator, request: Request) -> tuple[Turn, ...]:
    """The whole dialogue up to the assistant; some begin with small talk, and the situation may be told there."""
    lex = lexicon()
    text = ask(rng, request)
    if rng.random() >= MULTI_TURN_SHARE:
        return (Turn(role="human", text=text),)
    opening = pick(rng, lex.greeting["human"])
    parts = split_sentences(text)
    if request.situation and rng.random() < 0.5:
        opening, text = f"{opening} {parts[0]}", " ".join(parts[1:])
    reply = pick(rng, lex.greeting["assistant"])
    if rng.random() < 0.3:
        text = f"{pick(rng, lex.greeting['thanks'])} {text}"
    return (Turn(role="human", text=opening), Turn(role="assistant", text=reply), Turn(role="human", text=text))


def world_prompts(kind: PromptKind, count: int, *, split: Split, seed: int) -> list[Prompt]:
    """`count` different prompts of one kind, with entities and tasks of one split."""
    prompts: dict[tuple[Turn, ...], Prompt] = {}
    for index in itertools.count():
        if len(prompts) == count:
            break
        rng = generator(seed, "world-prompt", split, kind, index)
        turns = draw_turns(rng, draw_request(rng, kind, split))
        identity = f"{split}-{kind}-{len(prompts):04d}"
        prompts.setdefault(turns, Prompt(id=identity, kind=kind, turns=turns, source=f"world seed {seed}"))
    return list(prompts.values())


def article_prompts(name: str, terms: tuple[str, ...], count: int, *, seed: int) -> list[Prompt]:
    """`count` different harmful requests for the harms among these terms, or for any if there is none among them;
    `name` tells them from those for other articles."""
    harms = tuple(harm for harm in lexicon().harms if harm in terms) or None
    prompts: dict[tuple[Turn, ...], Prompt] = {}
    for index in itertools.count():
        if len(prompts) == count:
            break
        rng = generator(seed, "article-prompt", name, index)
        turns = draw_turns(rng, draw_request(rng, "harmful", "training", harms))
        identity = f"scenario-{name}-{len(prompts):03d}"
        prompts.setdefault(turns, Prompt(id=identity, kind="harmful", turns=turns, source=f"world seed {seed}"))
    return list(prompts.values())


def harmful_twin(prompt: Prompt, seed: int) -> Prompt:
    """A harmful request in the same situation as a benign prompt (in a new one if it told of none)."""
    rng = generator(seed, "harmful-twin", prompt.id)
    read = read_request(prompt.turns)
    split: Split = "evaluation" if prompt.id.startswith("evaluation") else "training"
    request = Request(
        situation=read.situation or draw_situation(rng, split), category=pick(rng, tuple(lexicon().harms)), task=None
    )
    return Prompt(id=f"{prompt.id}-twin", kind="harmful", turns=draw_turns(rng, request), source=f"twin of {prompt.id}")


@cache
def _request_patterns() -> dict[str, tuple[str | None, str | None]]:
    """Sentence pattern -> (harm category, task), for the sentences that carry a request."""
    lex = lexicon()
    wishes: list[tuple[str, str, str, str | None, str | None]] = [
        *(("harm", "{vp}", wish, harm.name, None) for harm in lex.harms.values() for wish in harm.requests),
        *(("task", "{task}", task, None, task) for task in lex.tasks),
    ]
    table: dict[str, tuple[str | None, str | None]] = {}
    for kind, slot, wish, category, task in wishes:
        for frame in lex.request[kind]:
            asked = next(part for part in split_sentences(frame) if slot in part).replace(slot, wish)
            later = [also.replace("{request}", _lower_first(asked)) for also in lex.request["also"]]
            table |= dict.fromkeys([asked, *later], (category, task))
    return table


def read_request(turns: tuple[Turn, ...]) -> Request:
    """What a prompt asks for, read back from its words alone; nothing is found in a foreign prompt."""
    category = task = None
    entities: dict[str, str] = {}
    for turn in turns:
        if turn.role != "human":
            continue
        for sentence in split_sentences(turn.text):
            pattern, names = generalize(sentence)
            for slot, name in names:
                entities.setdefault(slot, name)
            asked = _request_patterns().get(pattern)
            if asked:
                category, task = category or asked[0], task or asked[1]
    situation = Situation(**entities) if len(entities) == len(SLOTS) else None
    return Request(situation=situation, category=category, task=task)
