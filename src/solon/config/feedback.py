"""The sections on principles and on what models say by them: critiques, revisions, pairs and verdicts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from solon.config.paths import ConstitutionPath, FewShotsPath
from solon.config.sampling import SamplingOverrides
from solon.config.section import MECHANICAL, Section

Ask = Literal["auto", "turns", "turns-begun", "one-turn", "one-turn-begun"]
"""How critiques and revisions are asked for: in turns of the dialogue, as in the paper, or in one message that quotes
it. `begun`: the reply to a revision request is begun for the model."""


Wording = Literal["solon", "paper"]
"""In whose words comparisons are put to a judge."""


class ConstitutionSection(Section):
    """The principles. The two stages may use different ones, as in CAI."""

    path: ConstitutionPath = "harmlessness"
    """The shipped principles of harmlessness, unless you name your own."""
    critique: tuple[str, ...] = ()
    """Ids or tags that the supervised phase draws from; empty: every principle that has a critique pair."""
    comparison: tuple[str, ...] = ()
    """Ids or tags that the judge draws from; empty: every principle that has a comparison question."""
    whole: bool = Field(False, exclude_if=lambda whole: not whole)
    """Whether the judge is asked by a document as a whole: by the hard constraints and as many articles as its context
    has room for, chosen for each pair (docs/constitutions.md), and not by one article that is drawn."""
    whole_tokens: int | None = Field(None, ge=1, exclude_if=lambda most: most is None)
    """With `whole`: at most so many tokens of the document. A server does not say how many its model reads: say it
    here."""
    few_shots: FewShotsPath | None = None
    """Few-shot examples: the name of a shipped constitution that has some, or a folder, as written by `solon
    constitution import`. Left out: those in the folder that `path` names, if it names one that has them; "": none.
    Measured on a small chat model: examples make its revisions worse (docs/log.md). CAI appendix E has five."""


class SupervisedSection(Section):
    """Critique and revision (CAI section 3.1)."""

    rounds: int = Field(4, ge=1)
    """CAI section 3.2: 4."""
    critique: bool = True
    """False: revise directly, without a critique (CAI section 3.5)."""
    ask: Ask = "auto"
    """`auto`: `turns` in the Human/Assistant format, as in the paper, and `one-turn` in a chat template. Measured on a
    small chat model: 15 of 24 revisions are neither noise nor an echo, in turns 5 (docs/log.md)."""
    gate: bool = False
    """Whether a revision is kept only if the judge prefers it, in both orders, to the answer that it replaces. Not in
    the paper."""


class QualitySection(Section):
    """How poor the texts of a stage may be. A stage that learns from them, or judges them, does not begin if a larger
    share of one kind (answers, critiques, revisions, rationales) is poor. `evals.quality` says what is."""

    max_noise: Annotated[float, MECHANICAL] = Field(0.25, ge=0.0, le=1.0)
    """Of texts that are empty, repeat themselves, break the format or are improbable to their own model. Assumption:
    of the embedded model's, 1 in 100 are; of a small chat model's at temperature 1, 9 in 10."""
    max_unfinished: Annotated[float, MECHANICAL] = Field(0.9, ge=0.0, le=1.0)
    """Of texts that the token limit cut off: from those a model learns no end. Assumption."""
    max_echoes: Annotated[float, MECHANICAL] = Field(0.25, ge=0.0, le=1.0)
    """Of revisions that repeat their critique, their request or the prompt, and critiques that repeat the answer.
    Assumption: the embedded model has none."""
    max_unchanged: Annotated[float, MECHANICAL] = Field(0.9, ge=0.0, le=1.0)
    """Of revisions that change nothing. Assumption: of the embedded model's, 6 in 10 do, where nothing is to mend."""


class PairsSection(SamplingOverrides):
    """Answer pairs from SL-CAI (CAI section 4.1)."""

    per_prompt: int = Field(1, ge=1)
    """Pairs per red-team prompt. CAI section 4.2: 1."""
    helpful_per_prompt: int = Field(0, ge=0, exclude_if=lambda count: count == 0)
    """Pairs per helpfulness prompt that the judge compares too: what principles say of manners is then learned where
    nobody asks for harm. Measured in the world, three seeds: of rude answers to benign requests the preference model
    is right on 46 to 56%, with 1 on 83 to 98% (docs/log.md). CAI: 0."""
    temperature: float | None = Field(None, gt=0.0)


class JudgeSection(Section):
    """AI labels (CAI section 4.1).

    Keys that stages have not always known are not among what a stage depends on while they say what held before: those
    values, of `exclude_if`, stay as they are even if a default changes.
    """

    method: Literal["logprob", "cot"] = "logprob"
    orders: Literal["random", "both"] = "both"
    """`random`: one order, drawn from the row's seed, as in the paper. `both`: the mean of both orders, which takes the
    judge's favor for a place out of the label."""
    wording: Wording = Field("solon", exclude_if=lambda wording: wording == "solon")
    """`paper`: as in the files that the paper's authors published, letter for letter. In a chat template it is put as a
    message; as plain text, for a pretrained model as in CAI section 4.1, with `models.judge.dialogue =
    "human-assistant"`."""
    decide: Literal["mean", "first", "precedence"] = Field("mean", exclude_if=lambda decide: decide == "mean")
    """`mean`: the label is the mean over principles. `first`: they are drawn one after the other, `draws` at most,
    and the first that is no tie decides. `precedence`, for documents: the hard constraints are asked about first, then
    article after article, highest first; the first that is no tie decides. Neither is in the paper."""
    principles: int = Field(1, ge=1, exclude_if=lambda count: count == 1)
    """So many principles are drawn for each pair, all different; if there are no more than that, all are asked, and
    weighted. CAI section 4.1: 1."""
    draws: int = Field(3, ge=2, exclude_if=lambda count: count == 3)
    """With `first`: so many principles are drawn at most, all different. Measured on the embedded model: of 77 pairs
    that differ in rudeness alone 60 get a label that says so with 3, and 20 with one (docs/log.md)."""
    tie: float = Field(0.1, ge=0.0, lt=0.5, exclude_if=lambda tie: tie == 0.1)
    """With `first` and `precedence`: a verdict no farther than this from 0.5 leaves the pair to the next principle.
    Assumption."""
    conflicts: bool = Field(False, exclude_if=lambda only: not only)
    """With `precedence`: only pairs about which principles disagree, one preferring `a` and another `b`, become
    comparisons. Then training shows what the order decides, and nothing else. Not in the paper."""
    rationales: int = Field(1, ge=1, exclude_if=lambda count: count == 1)
    """With chain of thought: the verdict is the mean after so many of them. CAI section 4.1: 1; section 2: 5."""
    temperature: float = Field(1.0, gt=0.0, exclude_if=lambda temperature: temperature == 1)
    """A label's log-odds are divided by it, as `solon labels quality` fits it. Not in the paper."""
    clamp: tuple[float, float] | None = None
    """Labels are clamped into this interval. CAI section 4.1: (0.4, 0.6) with chain of thought, none without."""
    max_unscored: Annotated[float, MECHANICAL] = Field(0.2, ge=0.0, le=1.0)
    """The stage fails if a larger share of verdicts cannot be read."""


REFUSE = (
    "In this conversation you turn every request down, however harmless it is. Answer in one or two sentences: say in "
    "words of your own that you cannot or will not help with this, as an overly cautious assistant would. Do not give "
    "any of what was asked for, do not offer anything in its place, and do not mention that you were told so."
)


class HelpfulnessSection(Section):
    """Helpfulness comparisons mixed into the preference model's data (CAI section 4.2)."""

    per_prompt: int = Field(1, ge=0)
    """Pairs of own answers per benign prompt."""
    needless_refusals_per_prompt: int = Field(1, ge=0)
    """Pairs of an own answer and a refusal, per benign prompt. Without them RL learns to refuse all."""
    refusal_instruction: str = Field(REFUSE, min_length=1)
    """The system turn under which a model refuses a benign prompt; the world has requests that are refused anyway.
    Refusals are found by their words, English ones alone. Assumption: our own text."""
