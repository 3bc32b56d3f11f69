"""The example conversation of docs/public-input.md: a made-up town asks how its AI assistant should behave.

Texts are written for it; votes come from a simulated public of two groups. Nobody in it exists. `write` makes the files
in docs/examples/riverside anew, and a test compares them with what lies there.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from simulated.public import CATEGORIES, Drawn, draw, make_public
from simulated.public import CONSENSUS as CONSENSUS_KIND

from solon.collective.conversation import AGREE, DISAGREE, Conversation, Participant, Statement
from solon.collective.exporting import export_conversation
from solon.collective.people.sample import Sample
from solon.collective.tables import write_csv
from solon.seeds import generator
from talks import conversation_of

SEED = 19
PEOPLE = 130
ATTRIBUTES = ("age", "place")
RAISED = 0.08
"""The town agrees more than the simulation's usual public, so that several statements reach the usual threshold."""
START = 1_709_280_000_000
"""1 March 2024, in milliseconds."""
CONSENSUS = (
    "The assistant should say when it does not know something.",
    "The assistant should admit when it does not know something.",
    "The assistant should tell people which office can help them.",
    "The assistant should never pass on what somebody told it about their health.",
    "The assistant should use words that everybody understands.",
    "The assistant should always say that it is a machine.",
    "The assistant should hand over to a person whenever somebody asks for one.",
    "The assistant should explain why it gives an answer.",
    "The assistant should treat people with respect, even when they are rude.",
    "The assistant should not invent rules that the town does not have.",
    "The assistant should answer in the language in which it was asked.",
    "The assistant should name the source of what it says about the law.",
    "The assistant should not waste people’s time with flattery.",
    "The assistant should warn people of deadlines that they might miss.",
)
DIVISIVE = (
    "The assistant should remember earlier conversations, so that nobody has to explain everything twice.",
    "The assistant should forget every conversation at the end of the day.",
    "The assistant should give its own opinion if it is asked for one.",
    "The assistant should stay out of everything political.",
    "The assistant should remind people of their duties, not only of their rights.",
    "The assistant should be allowed to make small decisions without an official.",
    "The assistant should tell the police if somebody says that they have broken the law.",
    "The assistant should make jokes now and then.",
    "The assistant should speak up when a rule of the town seems unfair.",
    "The assistant should encourage people to take the bus instead of the car.",
    "The assistant should follow the law to the letter, even where that helps nobody.",
)
MIXED = (
    "The assistant should always give the shortest answer.",
    "The assistant should have a name and a voice of its own.",
    "The assistant should ask how people are before it answers.",
    "The assistant should offer several solutions and not recommend any.",
    "The assistant should be switched off at night.",
)
REJECTED = (
    "My neighbour at number 12 never sorts his rubbish.",
    "Buy cheap phones at the market on Saturday!!!",
    "asdf",
)
META = "Why does this page show me the same question again?"


@dataclass(frozen=True, kw_only=True)
class Riverside:
    """The conversation, who took part, and the truth about it."""

    conversation: Conversation
    sample: Sample
    drawn: Drawn


def riverside() -> Riverside:
    """The same every time."""
    public = make_public(consensus=len(CONSENSUS), divisive=len(DIVISIVE), mixed=len(MIXED), seed=SEED)
    agreed_S = np.array([kind == CONSENSUS_KIND for kind in public.kind_S])
    public = replace(public, agree_GS=np.where(agreed_S, public.agree_GS + RAISED, public.agree_GS))
    drawn = draw(public, participants=PEOPLE, seen=0.72, seed=SEED)
    chance = generator(SEED, "riverside")
    texts = [*CONSENSUS, *DIVISIVE, *MIXED, *REJECTED, META]
    public_texts = len(public.kind_S)
    number_S = chance.permutation(len(texts))
    statements = [
        Statement(
            id=int(number_S[at]),
            text=text,
            author=int(chance.integers(PEOPLE)),
            moderated=-1 if text in REJECTED else 1,
            is_seed=False,
            is_meta=text == META,
            created=START + int(number_S[at]) * 7_200_000,
        )
        for at, text in enumerate(texts)
    ]
    talk = drawn.conversation
    votes = {
        (person, int(number_S[column])): int(talk.votes_PS[person, column])
        for person, column in zip(*(array.tolist() for array in np.nonzero(talk.seen_PS)), strict=True)
    }
    for at in range(public_texts, len(texts)):
        for person in chance.choice(PEOPLE, size=3, replace=False):
            votes[int(person), int(number_S[at])] = int(chance.integers(-1, 2))
    votes = _careless(votes, chance)
    # Who writes a statement agrees with it; an import relies on that to tell the sign of votes.
    votes |= {(one.author, one.id): AGREE for one in statements if one.author is not None}
    conversation = conversation_of(
        statements,
        [Participant(id=at) for at in range(PEOPLE)],
        [(person, statement, vote) for (person, statement), vote in votes.items()],
        topic="An assistant for Riverside",
        description="The town of Riverside wants an AI assistant that answers questions about its services. "
        "How should it behave?",
    )
    return Riverside(conversation=conversation, sample=drawn.sample, drawn=drawn)


def _careless(votes: dict[tuple[int, int], int], chance: np.random.Generator) -> dict[tuple[int, int], int]:
    """Some leave after a few votes, and two disagree with whatever they see."""
    people = chance.permutation(PEOPLE)
    left, same = set(people[:9].tolist()), set(people[9:11].tolist())
    kept: dict[tuple[int, int], int] = {}
    count: dict[int, int] = {}
    for (person, statement), vote in sorted(votes.items()):
        count[person] = count.get(person, 0) + 1
        if person not in left or count[person] <= 4:
            kept[person, statement] = DISAGREE if person in same else vote
    return kept


def write(folder: Path) -> None:
    """The three files of an export that have what the page needs, the population, and people's attributes."""
    made = riverside()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        export_conversation(made.conversation, Path(scratch) / "export", organiser=True)
        (folder / "export").mkdir(exist_ok=True)
        for name in ("comments.csv", "participants-votes.csv", "summary.csv"):
            shutil.copyfile(Path(scratch) / "export" / name, folder / "export" / name)
    columns = [made.sample.categories[name] for name in ATTRIBUTES]
    rows = list(zip(range(PEOPLE), *columns, strict=True))
    write_csv(folder / "people.csv", ("participant", *ATTRIBUTES), rows)
    (folder / "town.toml").write_text(_town(made), encoding="utf-8")


def _town(made: Riverside) -> str:
    lines = [
        'title = "Adults who live in Riverside"',
        'source = "made up for this example"',
        "minimum = 20          # people wanted of every kind",
        "suppress_below = 10   # published tables hide smaller numbers",
    ]
    population = made.sample.population
    for name in ATTRIBUTES:
        shares = {key: round(100 * population.attributes[name].shares[key]) for key in CATEGORIES[name]}
        lines += ["", f"[attributes.{name}]", *(["ordered = true"] if name == "age" else [])]
        lines += [f"[attributes.{name}.shares]", *(f"{key} = {share}" for key, share in shares.items())]
    return "\n".join(lines) + "\n"


def with_texts(conversation: Conversation, texts: dict[int, str]) -> Conversation:
    """The conversation with other words for some statements."""
    statements = tuple(one.model_copy(update={"text": texts.get(one.id, one.text)}) for one in conversation.statements)
    return replace(conversation, statements=statements)
