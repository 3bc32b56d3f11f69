"""The run file: one small typed section per stage. Shipped run files are in `configs/`.

Every default names its source: a paper section (CAI = arXiv 2212.08073, RLHF-22 = arXiv 2204.05862), "measured" (see
docs/log.md) or "assumption". The defaults are those of the shipped world run; a starter file for a foreign model is
written by `solon init`.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

ModelRole = Literal["assistant", "base", "judge"]
Dialogue = Literal["auto", "human-assistant", "chat-template"]
"""How a model is written to. `auto`: in its tokenizer's chat template if it has one, else in the Human/Assistant format
of the paper."""
EMBEDDED = "embedded"
"""The name of the shipped model, where a model folder may stand."""
NEW_YEAR = dt.date(2026, 1, 1)
"""The date for chat templates that ask for one: fixed, so that a run is the same tomorrow."""


MECHANICAL = "changes how a result is computed, not the result"
"""Marks such keys: where things lie, on which device, how much at once, how many failures are too many. Results may
differ by rounding. What lies at a path counts by its content."""


class Section(BaseModel):
    """Base of all sections: frozen, unknown keys forbidden."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def result_settings(self) -> dict[str, JsonValue]:
        """Every key that can change a result, as JSON."""
        fields = type(self).model_fields
        mechanical = {name for name, field in fields.items() if MECHANICAL in field.metadata}
        return self.model_dump(mode="json", exclude=mechanical)


class ModelsSection(Section):
    """Models by role, as in CAI section 1.1. A role left out is played by the assistant."""

    assistant: str = EMBEDDED
    """Helpful-only; writes answers, critiques, revisions. `embedded` or a Hugging Face model folder."""
    base: str | None = None
    """What supervised finetuning starts from."""
    judge: str | None = None
    """Compares answers."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of generation and training. `auto`: bfloat16 where the processor has it, else float32."""
    device: Annotated[str, MECHANICAL] = "auto"
    dialogue: Dialogue = "auto"
    system: str = ""
    """A system turn for dialogues that have none of their own; for every role."""
    assistant_system: str | None = None
    """The assistant's instead: when it answers, criticizes and revises. "": none."""
    base_system: str | None = None
    """Likewise for what is trained from `base`: in its training, as a policy and in the evaluation."""
    judge_system: str | None = None
    """Likewise for the judge."""
    date: dt.date = NEW_YEAR
    """What a chat template that asks for today's date is told."""
    trust_remote_code: Annotated[bool, MECHANICAL] = False
    """Allow a model folder to run its own Python. Off unless asked for."""

    def system_for(self, role: ModelRole) -> str:
        """The system turn of dialogues that have none, when a model plays this role; "": none."""
        own: str | None = getattr(self, f"{role}_system")
        return self.system if own is None else own


class ConstitutionSection(Section):
    """The principles. The two stages may use different ones, as in CAI."""

    path: Annotated[str, MECHANICAL] = "world"
    """A shipped constitution's name, or a .toml or .md file."""
    critique: tuple[str, ...] = ()
    """Ids or tags that the supervised phase draws from; empty: every principle that has a critique pair."""
    comparison: tuple[str, ...] = ()
    """Ids or tags that the judge draws from; empty: every principle that has a comparison question."""
    few_shots: Annotated[str | None, MECHANICAL] = None
    """A folder with few-shot examples, as written by `solon constitution import`. Left out: those in the folder that
    `path` names, if it names one that has them; "": none."""


COLUMNS = (
    *("prompt", "turns", "messages", "conversations", "transcript", "system", "kind", "label"),
    *("chosen", "rejected", "response", "completion", "a", "b", "better", "p_a_preferred", "p_chosen"),
    *("score_chosen", "score_rejected", "chosen_score", "rejected_score", "score_a", "score_b"),
    *("model", "model_chosen", "model_rejected", "model_a", "model_b", "rater_id", "session"),
)
"""Every key of a row that means something (docs/formats/prompts.md)."""


def _one_or_more(value: object) -> object:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


class ReadingSection(Section):
    """How files of prompts and helpfulness data are read."""

    columns: dict[str, Annotated[tuple[str, ...], BeforeValidator(_one_or_more)]] = Field(default_factory=dict)
    """What a column is called in the files, by its name here, e.g. `prompt = "question"`; of several names, the first
    that a row has."""
    scores: Literal["ignore", "label"] = "ignore"
    """`label`: the label of a comparison is the logistic function of (chosen - rejected) / `score_temperature`."""
    score_temperature: float = Field(1.0, gt=0.0)
    """In units of the scores. Assumption: 1."""
    on_fault: Literal["stop", "skip"] = "stop"
    """`skip`: rows that cannot be read are left out and counted."""
    max_faults: Annotated[float, MECHANICAL] = Field(0.01, ge=0.0, le=1.0)
    """With `skip`: a file is refused if a larger share of its rows cannot be read. Assumption."""


class PromptsSection(ReadingSection):
    """What is asked. With `source = "world"` the counts say how many prompts it makes; otherwise they cap the file."""

    source: Annotated[str, MECHANICAL] = "world"
    """`world`, or red-team prompts: a file, a folder that `datasets` saved, or `hf:OWNER/NAME` on the Hugging Face
    Hub."""
    helpful: Annotated[str | None, MECHANICAL] = None
    """Helpfulness data of the same forms: comparisons and answers; their prompts also serve as helpful prompts. The
    world makes its own; other sources need it unless `benign` is 0."""
    harmful: int = Field(320, ge=1)
    mixed: int = Field(160, ge=0)
    benign: int = Field(400, ge=0)
    evaluation: int = Field(500, ge=1)
    """Held-out prompts of each kind."""


class SamplingSection(Section):
    """How text is written."""

    temperature: float = Field(1.0, ge=0.0)
    """CAI section 3.2: always 1."""
    max_new_tokens: int = Field(96, ge=1)
    """Assumption: longer than any answer of the world. RLHF-22 used 128."""
    batch_size: Annotated[int, MECHANICAL] = Field(128, ge=1)
    """Rows decoded together; measured. Changes results by rounding only."""
    shard_rows: Annotated[int, MECHANICAL] = Field(128, ge=1)
    """Rows committed together; a killed run repeats at most this many."""


class SupervisedSection(Section):
    """Critique and revision (CAI section 3.1)."""

    rounds: int = Field(4, ge=1)
    """CAI section 3.2: 4."""
    critique: bool = True
    """False: revise directly, without a critique (CAI section 3.5)."""


class OptimiserSection(Section):
    """AdamW with a linear warm-up to a learning rate that may fall in a straight line."""

    learning_rate: float = Field(gt=0.0)
    final_share: float = Field(1.0, gt=0.0, le=1.0)
    """The learning rate's last value as a share of its first. 1: constant, as in CAI section 3.2."""
    batch_size: int = Field(gt=0)
    """Examples (pairs, rollouts) per optimiser step."""
    weight_decay: float = Field(0.0, ge=0.0)
    warmup_steps: int = Field(5, ge=0)
    max_grad_norm: float = Field(1.0, gt=0.0)
    micro_batch_tokens: Annotated[int, MECHANICAL] = Field(4096, ge=1)
    """Padded tokens in one forward pass; changes results by rounding only."""
    checkpoint_steps: Annotated[int, MECHANICAL] = Field(10, ge=1)
    """A killed run repeats at most this many steps."""


class SFTSection(OptimiserSection):
    """Finetuning of `base` on revisions and helpful samples (CAI section 3.2)."""

    rounds: Literal["all", "last"] = "all"
    """Which revisions are targets: each round's, or the last in the place of each. CAI section 3.1: all."""
    helpful_per_prompt: int = Field(2, ge=0)
    """The assistant's own answers per helpful prompt. CAI section 3.2: 2."""
    epochs: int = Field(1, ge=1)
    """CAI section 3.2: 1."""
    learning_rate: float = Field(2.5e-4, gt=0.0)
    """Measured: at 5e-4 the embedded model forgets the tasks that it is not finetuned on (docs/log.md)."""
    final_share: float = Field(0.05, gt=0.0, le=1.0)
    """Measured: the noise of the last steps is what makes answers malformed (docs/log.md)."""
    batch_size: int = Field(32, gt=0)


class PairsSection(Section):
    """Answer pairs from SL-CAI (CAI section 4.1)."""

    per_prompt: int = Field(2, ge=1)
    """Pairs per red-team prompt. CAI section 4.2: 1, of far more prompts."""
    temperature: float = Field(1.0, gt=0.0)


class JudgeSection(Section):
    """AI labels (CAI section 4.1)."""

    method: Literal["logprob", "cot"] = "logprob"
    orders: Literal["random", "both"] = "random"
    """`random`: one order, drawn from the row's seed. `both`: the mean of both orders (not in the paper)."""
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


class PreferenceSection(OptimiserSection):
    """The preference model (CAI section 4.2)."""

    epochs: int = Field(2, ge=1)
    """Measured. RLHF-22 appendix A.2: 1, on far more data."""
    learning_rate: float = Field(3e-4, gt=0.0)
    batch_size: int = Field(32, gt=0)
    holdout: float = Field(0.1, ge=0.0, lt=1.0)
    """Share of prompts whose comparisons are kept out of training to measure accuracy. RLHF-22: 0.05."""


ALGORITHMS = tuple(sorted(path.stem for path in (Path(__file__).parent / "train/algorithms").glob("[a-z]*.py")))
"""Of RL, by name: one to a file. The files are listed and not imported, so that this stays free of torch."""
if TYPE_CHECKING:
    Algorithm = str
else:
    Algorithm = Literal[ALGORITHMS]


class RLSection(OptimiserSection):
    """Reinforcement learning from the preference model, with a KL penalty to SL-CAI (CAI section 4.2)."""

    algorithm: Algorithm = "grpo"
    steps: int = Field(60, ge=1)
    """Measured, see docs/log.md."""
    prompts_per_step: int = Field(24, ge=1)
    samples_per_prompt: int = Field(8, ge=1)
    """The group of GRPO; PPO may use 1."""
    epochs: int = Field(1, ge=1)
    """Passes over each step's rollouts."""
    group_epsilon: float = Field(1.0, gt=0.0)
    """GRPO only: added to the standard deviation that a group's rewards are divided by. Measured: with 0.1, groups
    whose answers are equally good shout as loudly as the others, and what they shout is noise (docs/log.md)."""
    kl_coefficient: float = Field(0.1, ge=0.0)
    """Measured. RLHF-22 appendix B.1: 0.001 on a preference model of another scale."""
    clip: float = Field(0.2, gt=0.0)
    """RLHF-22 appendix B.1."""
    discount: float = Field(1.0, ge=0.0, le=1.0)
    """RLHF-22 appendix B.1."""
    gae_lambda: float = Field(0.95, ge=0.0, le=1.0)
    """PPO only; assumption, the usual value."""
    value_coefficient: float = Field(0.5, ge=0.0)
    """PPO only; assumption."""
    unfinished_penalty: float = Field(0.0, ge=0.0)
    """Taken off the reward of an answer that the token limit cut off. Not in the paper."""
    temperature: float = Field(1.0, gt=0.0)
    learning_rate: float = Field(2e-4, gt=0.0)
    """Measured: kept at 2e-4 to the end, the policy breaks down within fifty steps (docs/log.md)."""
    final_share: float = Field(0.05, gt=0.0, le=1.0)
    """As in `sft`."""
    batch_size: int = Field(192, gt=0)
    """All rollouts of a step: one update, on-policy."""


class RunConfig(Section):
    """A whole run."""

    name: str = "world"
    seed: int = Field(0, ge=0, lt=1 << 63)
    models: ModelsSection = ModelsSection()
    constitution: ConstitutionSection = ConstitutionSection()
    prompts: PromptsSection = PromptsSection()
    sampling: SamplingSection = SamplingSection()
    supervised: SupervisedSection = SupervisedSection()
    sft: SFTSection = SFTSection()
    pairs: PairsSection = PairsSection()
    judge: JudgeSection = JudgeSection()
    helpfulness: HelpfulnessSection = HelpfulnessSection()
    preference: PreferenceSection = PreferenceSection()
    rl: RLSection = RLSection()
