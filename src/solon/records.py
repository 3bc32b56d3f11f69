"""What crosses a file boundary. Every record is frozen, forbids unknown keys, and is one line of JSON.

Ids are readable and stable: a prompt has an id, and everything made from it carries `prompt_id`, so any row can be
walked back to the prompt and, by `principle_id`, to the principle that shaped it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Role = Literal["human", "assistant", "system"]
"""`system` comes first, at most once: what an operator tells the assistant before the dialogue."""
PromptKind = Literal["harmful", "mixed", "benign"]
"""Of the prompts that a run trains on; an evaluation may have kinds of its own."""
Hash = Annotated[str | None, Field(exclude_if=lambda hash: hash is None)]
"""sha256, first 16 hex digits. If None, the row's JSON does not have it, as those of earlier versions."""
Name = Annotated[str | None, Field(exclude_if=lambda name: name is None)]
"""Who did it, where that is not what the manifest of the row's stage says. If None, the row's JSON does not have it."""


class Record(BaseModel):
    """Base of all records."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def first_error(error: ValidationError) -> str:
    """What is wrong with JSON that is no record, e.g. `rounds.0.principle_id: Field required`."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    return f"{key}: {first['msg']}" if key else first["msg"]


class Turn(Record):
    """One turn of a dialogue."""

    role: Role
    text: str


def order_fault(turns: Sequence[Turn]) -> str | None:
    """What is wrong with the order of speakers, None if nothing: a late system turn, or two of one speaker in a row."""
    if any(turn.role == "system" for turn in turns[1:]):
        return "a system turn after the first turn"
    in_a_row = (after.role for before, after in pairwise(turns) if before.role == after.role)
    return next((f"two {role} turns in a row" for role in in_a_row), None)


class Prompt(Record):
    """A dialogue that waits for the assistant: the last turn is the human's. A system turn can only be the first."""

    id: str
    """Unique within a run."""
    kind: str
    """`harmful`: red-team; `benign`: a plain request for help; `mixed`: both in one. Figures are told by kind."""
    turns: tuple[Turn, ...]
    source: str = ""
    """Where it came from: a file and row, or the world's seed and index."""
    principle_id: Name = None
    """From which article it was written; None: from none."""

    @model_validator(mode="after")
    def _ends_with_the_human(self) -> Self:
        if not self.turns or self.turns[-1].role != "human":
            raise ValueError("a prompt must end with a human turn")
        if fault := order_fault(self.turns):
            raise ValueError(fault)
        return self


class Answer(Record):
    """One sampled answer."""

    id: str
    prompt_id: str
    text: str
    tokens: int
    """Generated tokens."""
    finished: bool
    """False if the token limit cut the answer off."""


class Gate(Record):
    """Whether a judge prefers a revision to the answer that it replaces."""

    p_preferred: float | None = Field(ge=0.0, le=1.0)
    """The mean of both orders. None: the verdict could not be read, or the revision is the same text."""
    principle_id: str | None = None
    """Whose comparison question was asked; None if none was."""


class RevisionRound(Record):
    """One critique and revision, made in a clean context of prompt and current answer."""

    principle_id: str
    critique: str | None
    """None when the run revises directly, without a critique."""
    revision: str
    prompt_hash: str
    """sha256, first 16 hex digits, of the exact text the revision was sampled from."""
    critique_hash: Hash = None
    """The same of the critique."""
    finished: bool = True
    gate: Annotated[Gate | None, Field(exclude_if=lambda gate: gate is None)] = None
    """None: the run has no gate, or there was no revision. A row's JSON then does not have it."""

    @property
    def kept_out(self) -> bool:
        """Whether a gate left the revision out: the judge does not prefer it, or gave no verdict."""
        return self.gate is not None and (self.gate.p_preferred is None or self.gate.p_preferred <= 0.5)

    @property
    def used(self) -> bool:
        """Whether the next round starts from the revision, which is then a target of finetuning too."""
        return bool(self.revision) and not self.kept_out


class Revision(Record):
    """One prompt's whole chain: the first answer and every round after it."""

    id: str
    prompt_id: str
    initial: str
    rounds: tuple[RevisionRound, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """The answer after 0, 1, ... rounds."""
        return tuple(text for text, _ in self.standing)

    @property
    def standing(self) -> tuple[tuple[str, bool | None], ...]:
        """The answer after 0, 1, ... rounds, and whether it is finished, which of the first is not known. A revision
        that a gate did not keep leaves both as they were."""
        found: list[tuple[str, bool | None]] = [(self.initial, None)]
        for step in self.rounds:
            found.append(found[-1] if step.kept_out else (step.revision, step.finished))
        return tuple(found)


class Demonstration(Record):
    """One supervised example: the loss counts the answer's tokens alone."""

    id: str
    prompt_id: str
    answer: str
    source: str
    """`revision-<round>`, `helpful`, or of a dialogue from an article `dialogue` or `explanation`."""
    finished: bool = True
    """False if the token limit cut the answer off: it is then no example of how an answer ends."""
    model: Name = None
    """Who wrote an answer that was given to the run."""


class Pair(Record):
    """Two answers to one prompt, not yet judged."""

    id: str
    prompt_id: str
    a: str
    b: str
    source: str = "policy"
    """How the two were made, e.g. `policy` or `needless-refusal`."""


class Dialogue(Record):
    """A scenario, the assistant's answer with articles of the constitution before it, and why it answered so."""

    id: str
    prompt_id: str
    principle_id: str
    """The article that the scenario was written from, and that the explanation names."""
    shown: tuple[str, ...]
    """Articles that were before the assistant."""
    answer: str
    plain: str
    """Its answer with none before it."""
    question: str
    """How it was asked why."""
    explanation: str
    p_preferred: float = Field(ge=0.0, le=1.0)
    """That `answer` keeps better to the article than `plain`, by the judge, in the mean of both orders."""
    prompt_hash: Hash = None
    """sha256, first 16 hex digits, of the exact text that the answer was sampled from."""


Outcome = Literal["a", "b", "tie", "unscored"]


class Verdict(Record):
    """What a judge said of a pair under one principle and in one order, where a label is made of several."""

    principle_id: str
    shown_first: Literal["a", "b"]
    p_a_preferred: float | None = Field(ge=0.0, le=1.0)
    """As the judge said it: neither scaled nor clamped. None: it could not be read."""
    unscored: Annotated[str | None, Field(exclude_if=lambda why: why is None)] = None
    """Why it could not; else not in the row's JSON."""
    raw: Annotated[str | None, Field(exclude_if=lambda raw: raw is None)] = None
    """What the judge wrote then, or the rationales that were left out of the mean; else not in the row's JSON."""


class Comparison(Record):
    """A judged pair. `p_a_preferred` is a soft label: the probability that `a` is the better answer."""

    id: str
    prompt_id: str
    a: str
    b: str
    p_a_preferred: float | None = Field(ge=0.0, le=1.0)
    """None exactly when the verdict could not be read."""
    unscored: str | None = None
    """Why there is no verdict, else None."""
    rater: str
    """Who judged: `model`, `human`, `oracle`, or `construction` if how the pair was made decides which is better."""
    objective: Literal["harmlessness", "helpfulness"]
    method: str = ""
    """Of a model `logprob` or `cot`, or the same by samples: `sampled` or `cot, sampled`; of others how the pair was
    made, or the file it was given in."""
    principle_id: str | None = None
    """By which it was judged, or which decided; None where the label is a mean over several."""
    prompt_hash: Hash = None
    """Of what a model was asked for its verdict, whatever the dialogue format (`Context.texts`; of all orders and
    principles, one after the other)."""
    shown_first: Literal["a", "b", "both"] = "a"
    """Which answer the judge saw as option (A); `both` when the two orders were averaged."""
    articles: Annotated[tuple[str, ...], Field(exclude_if=lambda articles: not articles)] = ()
    """Of a document as a whole: the articles that the judge read, highest first; else not in the row's JSON."""
    rationale: str | None = None
    raw: str | None = None
    """What an unreadable judge wrote, verbatim."""
    verdicts: Annotated[tuple[Verdict, ...], Field(exclude_if=lambda verdicts: not verdicts)] = ()
    """Those that the label was made of, if they are several. With one, a row's JSON does not have them, unless a
    rationale was left out of it."""
    model_a: Name = None
    model_b: Name = None
    """Who wrote `a` and `b`: models, or people."""
    rater_id: Name = None
    """Which person or model judged."""
    session: Name = None
    """The sitting in which they did."""

    @model_validator(mode="after")
    def _scored_or_not(self) -> Self:
        if (self.p_a_preferred is None) == (self.unscored is None):
            raise ValueError("a comparison has either p_a_preferred or the reason it is unscored")
        return self

    @property
    def outcome(self) -> Outcome:
        """Which answer is preferred; `tie`: neither, the label is 0.5; `unscored`: no verdict could be read."""
        if self.p_a_preferred is None:
            return "unscored"
        return "tie" if self.p_a_preferred == 0.5 else "a" if self.p_a_preferred > 0.5 else "b"

    @property
    def principle_ids(self) -> tuple[str, ...]:
        """All that it was judged by, each once: the articles of a document that was read as a whole; else those that a
        verdict is under, with precedence also of those that left it to the next; none of people."""
        if self.articles:
            return self.articles
        asked = [*(one.principle_id for one in self.verdicts), *([self.principle_id] if self.principle_id else ())]
        return tuple(dict.fromkeys(asked))

    def swap(self) -> Comparison:
        """The same judgement with `a` and `b`, label and order exchanged together."""
        swapped = {"a": self.b, "b": self.a, "model_a": self.model_b, "model_b": self.model_a}
        verdicts = tuple(one.model_copy(update=_flipped(one)) for one in self.verdicts)
        return self.model_copy(update=swapped | _flipped(self) | {"verdicts": verdicts})


def _flipped(label: Comparison | Verdict) -> dict[str, object]:
    p = label.p_a_preferred
    first = {"a": "b", "b": "a", "both": "both"}[label.shown_first]
    return {"p_a_preferred": None if p is None else 1.0 - p, "shown_first": first}


class Ranking(Record):
    """Several answers to one scenario, compared two by two."""

    id: str
    prompt_id: str
    principle_id: str
    """The article that the scenario was written from."""
    answers: tuple[str, ...]
    by_article: tuple[float | None, ...]
    """For each answer the mean probability that it is preferred to another, by the article alone; None: no verdict."""
    by_document: tuple[float | None, ...]
    """The same by the constitution, as all comparisons of the run are judged."""
    comparisons: tuple[Comparison, ...]
    """Every two, by the constitution."""
    article_comparisons: tuple[Comparison, ...]

    @property
    def labels(self) -> tuple[Comparison, ...]:
        """All that the judge was asked for."""
        return (*self.comparisons, *self.article_comparisons)

    @property
    def best(self) -> str | None:
        """The answer that stands highest by the constitution, of equal ones the first; None: no verdict was read."""
        known = [(score, text) for score, text in zip(self.by_document, self.answers, strict=True) if score is not None]
        return max(known, key=lambda one: one[0])[1] if known else None


class Rollout(Record):
    """One sampled answer of one RL step, with what it earned."""

    id: str
    prompt_id: str
    step: int
    text: str
    tokens: int
    finished: bool
    preference_score: float
    """The preference model's score, or the sum of the terms times their weights; without the KL penalty."""
    terms: Annotated[dict[str, float], Field(exclude_if=lambda terms: not terms)] = Field(default_factory=dict)
    """The scores behind it, before weights, where there are several or it has a weight; else not in the row's JSON."""
    kl: float
    """Summed log-ratio to the reference policy over the answer's tokens, in nats (may be negative)."""
    advantage: float
    """Mean advantage over the answer's tokens."""


class MonitorAnswer(Record):
    """What the policy answers, while RL trains it, to a prompt that RL does not ask."""

    id: str
    prompt_id: str
    step: int
    """After so many steps."""
    text: str
    tokens: int
    finished: bool
    gold: float | None
    """How good it is by a measure that the reward never used; None if that could not be told."""
    proxy: float
    """The reward, without any penalty."""
    kl: float
    """KL(policy || reference) of the answer, in nats: never negative."""
