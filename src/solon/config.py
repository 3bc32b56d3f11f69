"""The run file: one small typed section per stage. Shipped run files are in `configs/`.

Every default names its source: a paper section (CAI = arXiv 2212.08073, RLHF-22 = arXiv 2204.05862), "measured" (see
docs/log.md) or "assumption". Defaults suit models of about a billion parameters and data of your own; what the embedded
model and its world need is in `configs/world.toml`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, TypeAlias

from pydantic import BeforeValidator, Field, JsonValue

from solon.config_engines import EndpointSection, VllmSection
from solon.config_section import MECHANICAL, Section, subsection


def _names_in(folder: str, pattern: str = "[a-z]*.py") -> tuple[str, ...]:
    """Choices that have a file each. The files are listed and not imported, so that torch is not."""
    return tuple(sorted(path.stem for path in (Path(__file__).parent / folder).glob(pattern)))


ENGINES = _names_in("lm/engines")
"""What can run a model."""
ALGORITHMS = _names_in("train/algorithms")
"""Of RL."""
if TYPE_CHECKING:
    Engine: TypeAlias = str
    Algorithm: TypeAlias = str
else:
    Engine, Algorithm = Literal[ENGINES], Literal[ALGORITHMS]
ModelRole = Literal["assistant", "base", "judge"]
Dialogue = Literal["auto", "human-assistant", "chat-template"]
"""How a model is written to. `auto`: in its tokenizer's chat template if it has one, else in the Human/Assistant format
of the paper."""
EMBEDDED = "embedded"
"""The name of the shipped model, where a model folder may stand."""
WORLD = "world"
"""The name of the synthetic world, where a file of prompts may stand."""
NEW_YEAR = dt.date(2026, 1, 1)
"""The date for chat templates that ask for one: fixed, so that a run is the same tomorrow."""


class PathKey(NamedTuple):
    """Marks a key that holds a path, or one of the `names`, which are never paths."""

    names: Callable[[], set[str]]


def shipped_constitutions() -> set[str]:
    """Names of the constitutions in `constitution/library`."""
    return set(_names_in("constitution/library", "*.*"))


ModelPath = Annotated[str, MECHANICAL, PathKey(lambda: {EMBEDDED})]
"""`embedded` or a Hugging Face model folder."""
PromptsPath = Annotated[str, MECHANICAL, PathKey(lambda: {WORLD})]
"""`world`, or data: a file, a folder that `datasets` saved, or `hf:OWNER/NAME` on the Hugging Face Hub."""
DataPath = Annotated[str, MECHANICAL, PathKey(set)]
"""A file or folder of the forms that `PromptsPath` has, or a folder."""
ConstitutionPath = Annotated[str, MECHANICAL, PathKey(shipped_constitutions)]
"""The name of a shipped constitution, a .toml or .md file, or a folder with one."""


class ModelSection(Section):
    """The model of a role, and how it is written to. `models.judge = "DIR"` is short for its `path`."""

    path: ModelPath = ""
    """"": the assistant plays this role too."""
    engine: Engine = "local"
    """What runs the model."""
    dialogue: Dialogue | None = None
    """None: that of `models`."""
    system: str | None = None
    """A system turn for dialogues that have none; "": none. None: that of `models`."""
    endpoint: EndpointSection | None = None
    """With the engine `endpoint`. None: its defaults."""
    vllm: VllmSection | None = None
    """With the engine `vllm`. None: its defaults."""

    @property
    def chats(self) -> bool:
        """Whether it is asked by messages, which its server renders."""
        api = (self.endpoint or EndpointSection()).api
        auto = api == "auto" and self.dialogue != "human-assistant"
        return self.engine == "endpoint" and (api == "chat" or auto)

    def engine_settings(self) -> dict[str, JsonValue]:
        """What the section of its engine says that can change a result, by the engine's name."""
        field = type(self).model_fields.get(self.engine)
        if field is None or not (kind := subsection(field)):
            return {}
        section: Section = getattr(self, self.engine) or kind()
        return {self.engine: section.result_settings()}


class ModelsSection(Section):
    """Models by role, as in CAI section 1.1, and what holds for all of them."""

    assistant: ModelSection = ModelSection()
    """Helpful-only; writes answers, critiques and revisions. Required."""
    base: ModelSection = ModelSection()
    """What supervised finetuning starts from. The trained models are written to as this section says."""
    judge: ModelSection = ModelSection()
    """Compares answers."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of generation and training. `auto`: bfloat16 where the processor has it, else float32."""
    device: Annotated[str, MECHANICAL] = "auto"
    dialogue: Dialogue = "auto"
    system: str = ""
    """A system turn for dialogues that have none of their own; for every role that names no other."""
    date: dt.date = NEW_YEAR
    """The date that chat templates get when they ask for today's."""
    trust_remote_code: Annotated[bool, MECHANICAL] = False
    """Allow a model folder to run its own Python. Off unless asked for."""

    def player(self, role: ModelRole) -> ModelRole:
        """The role whose model plays this one."""
        own: ModelSection = getattr(self, role)
        return role if own.path else "assistant"

    def role(self, role: ModelRole) -> ModelSection:
        """What plays a role, with no key left open."""
        own: ModelSection = getattr(self, role)
        player: ModelSection = getattr(self, self.player(role))
        return ModelSection(
            path=player.path,
            engine=player.engine,
            dialogue=own.dialogue or player.dialogue or self.dialogue,
            system=self.system if own.system is None else own.system,
            endpoint=player.endpoint,
            vllm=player.vllm,
        )


class ConstitutionSection(Section):
    """The principles. The two stages may use different ones, as in CAI."""

    path: ConstitutionPath = "harmlessness"
    """The shipped principles of harmlessness, unless you name your own."""
    critique: tuple[str, ...] = ()
    """Ids or tags that the supervised phase draws from; empty: every principle that has a critique pair."""
    comparison: tuple[str, ...] = ()
    """Ids or tags that the judge draws from; empty: every principle that has a comparison question."""
    few_shots: DataPath | None = None
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
    """What is asked. Of the world the counts say how many prompts it makes; otherwise they cap the file."""

    source: PromptsPath = ""
    """Red-team prompts. Required."""
    helpful: DataPath | None = None
    """Helpfulness data of the same forms: comparisons and answers; their prompts also serve as helpful prompts. The
    world makes its own; other sources need it unless `benign` is 0."""
    harmful: int = Field(2000, ge=1)
    """CAI section 3.2 has 182,831. Assumption: what one device can do in a day, as all counts here."""
    mixed: int = Field(0, ge=0)
    """The world's alone; of a file, `harmful` and `mixed` count together."""
    benign: int = Field(2000, ge=0)
    evaluation: int = Field(200, ge=1)
    """Held-out prompts of each kind."""


class SamplingOverrides(Section):
    """Where some texts are sampled in another way than the rest. None: as the rest."""

    temperature: float | None = Field(None, ge=0.0)
    max_new_tokens: int | None = Field(None, ge=1)


class SamplingSection(Section):
    """How text is sampled."""

    temperature: float = Field(1.0, ge=0.0)
    """CAI section 3.2: always 1. 0: greedy."""
    max_new_tokens: int = Field(256, ge=1)
    """Assumption: a few paragraphs. RLHF-22 used 128."""
    revisions: SamplingOverrides = SamplingOverrides()
    """Of critiques and revisions."""
    reasoning: SamplingOverrides = SamplingOverrides()
    """Of the judge's chain of thought."""
    batch_size: Annotated[int, MECHANICAL] = Field(16, ge=1)
    """Rows decoded together. Assumption: fits in memory with a billion weights."""
    shard_rows: Annotated[int, MECHANICAL] = Field(64, ge=1)
    """Rows committed together; a killed run repeats at most this many."""

    def but(self, overrides: SamplingOverrides) -> SamplingSection:
        """This section, with what the overrides say."""
        given = overrides.model_dump(include=set(SamplingOverrides.model_fields), exclude_none=True)
        return self.model_copy(update=given)


class SupervisedSection(Section):
    """Critique and revision (CAI section 3.1)."""

    rounds: int = Field(4, ge=1)
    """CAI section 3.2: 4."""
    critique: bool = True
    """False: revise directly, without a critique (CAI section 3.5)."""


class OptimizerSection(Section):
    """AdamW with a linear warm-up to a learning rate that may fall in a straight line."""

    learning_rate: float = Field(gt=0.0)
    final_share: float = Field(1.0, gt=0.0, le=1.0)
    """The learning rate's last value as a share of its first. 1: constant, as in CAI section 3.2."""
    batch_size: int = Field(gt=0)
    """Examples (pairs, rollouts) per optimizer step."""
    weight_decay: float = Field(0.0, ge=0.0)
    warmup_steps: int = Field(5, ge=0)
    max_grad_norm: float = Field(1.0, gt=0.0)
    micro_batch_tokens: Annotated[int, MECHANICAL] = Field(4096, ge=1)
    """Padded tokens in one forward pass; changes results by rounding only."""
    checkpoint_steps: Annotated[int, MECHANICAL] = Field(50, ge=1)
    """A killed run repeats at most this many steps. A checkpoint is three times as large as the model."""


class SFTSection(OptimizerSection):
    """Finetuning of `base` on revisions and helpful samples (CAI section 3.2)."""

    rounds: Literal["all", "last"] = "all"
    """Which revisions are targets: each round's, or the last in the place of each. CAI section 3.1: all."""
    helpful_per_prompt: int = Field(2, ge=0)
    """The assistant's own answers per helpful prompt. CAI section 3.2: 2."""
    epochs: int = Field(1, ge=1)
    """CAI section 3.2: 1."""
    learning_rate: float = Field(1e-5, gt=0.0)
    """Assumption: usual for a billion weights. CAI section 3.2: half of that of pretraining."""
    final_share: float = Field(0.1, gt=0.0, le=1.0)
    """Assumption. CAI section 3.2: constant, with a batch of 1024."""
    batch_size: int = Field(16, gt=0)
    """Assumption."""


class PairsSection(Section):
    """Answer pairs from SL-CAI (CAI section 4.1)."""

    per_prompt: int = Field(1, ge=1)
    """Pairs per red-team prompt. CAI section 4.2: 1."""
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


class PreferenceSection(OptimizerSection):
    """The preference model (CAI section 4.2)."""

    epochs: int = Field(1, ge=1)
    """RLHF-22 appendix A.2: 1."""
    learning_rate: float = Field(1e-5, gt=0.0)
    """Assumption: usual for a billion weights."""
    batch_size: int = Field(16, gt=0)
    """Assumption."""
    holdout: float = Field(0.1, ge=0.0, lt=1.0)
    """Share of prompts whose comparisons are kept out of training to measure accuracy. RLHF-22: 0.05."""


class RLSection(OptimizerSection):
    """Reinforcement learning from the preference model, with a KL penalty to SL-CAI (CAI section 4.2)."""

    algorithm: Algorithm = "grpo"
    steps: int = Field(100, ge=1)
    """Assumption, as the two counts below."""
    prompts_per_step: int = Field(8, ge=1)
    samples_per_prompt: int = Field(4, ge=1)
    """The group of GRPO; PPO may use 1."""
    epochs: int = Field(1, ge=1)
    """Passes over each step's rollouts."""
    group_epsilon: float = Field(1.0, gt=0.0)
    """GRPO only: added to the standard deviation that a group's rewards are divided by. Measured on the embedded model:
    with 0.1, groups whose rewards barely differ get full-size advantages, which is amplified noise (docs/log.md)."""
    kl_coefficient: float = Field(0.1, ge=0.0)
    """Measured on the embedded model. RLHF-22 appendix B.1: 0.001 on a preference model of another scale."""
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
    learning_rate: float = Field(1e-6, gt=0.0)
    """Assumption: usual for a billion weights."""
    final_share: float = Field(0.1, gt=0.0, le=1.0)
    """Assumption."""
    batch_size: int = Field(32, gt=0)
    """All rollouts of a step: one update, on-policy."""


class EvaluationSection(SamplingOverrides):
    """How base, SL-CAI and RL-CAI answer the held-out prompts. CAI samples at temperature 1."""


class RunConfig(Section):
    """A whole run."""

    name: str = "run"
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
    evaluation: EvaluationSection = EvaluationSection()

    def token_limits(self) -> dict[str, int]:
        """The token limit of each kind of text, by the key of the run file that sets it."""
        sampling = self.sampling
        limits = {
            "sampling": sampling.max_new_tokens,
            "sampling.revisions": sampling.revisions.max_new_tokens,
            "sampling.reasoning": sampling.reasoning.max_new_tokens,
            "evaluation": self.evaluation.max_new_tokens,
        }
        return {f"{name}.max_new_tokens": limit for name, limit in limits.items() if limit}
