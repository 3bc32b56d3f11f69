"""The run file: one small typed section per stage. Shipped run files are in `configs/`.

Every default names its source: a paper section (CAI = arXiv 2212.08073, RLHF-22 = arXiv 2204.05862), "measured" (see
docs/log.md) or "assumption". Defaults suit models of about a billion parameters and data of your own; what the embedded
model and its world need is in `configs/world.toml`.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, JsonValue

from solon.config.engines import EndpointSection, VllmSection
from solon.config.paths import PathKey
from solon.config.section import MECHANICAL, Section, names_in, subsection
from solon.config.training import PreferenceSection, RLSection, SFTSection

ENGINES = names_in("lm/engines")
"""What can run a model."""
if TYPE_CHECKING:
    Engine: TypeAlias = str
else:
    Engine = Literal[ENGINES]
ModelRole = Literal["assistant", "base", "judge"]
Dialogue = Literal["auto", "human-assistant", "chat-template"]
"""How a model is written to. `auto`: in its tokenizer's chat template if it has one, else in the Human/Assistant format
of the paper."""
Ask = Literal["auto", "turns", "turns-begun", "one-turn", "one-turn-begun"]
"""How critiques and revisions are asked for: in turns of the dialogue, as in the paper, or in one message that quotes
it. `begun`: the reply to a revision request is begun for the model."""
EMBEDDED = "embedded"
"""The name of the shipped model, where a model folder may stand."""
WORLD = "world"
"""The name of the synthetic world, where a file of prompts may stand."""
NEW_YEAR = dt.date(2026, 1, 1)
"""The date for chat templates that ask for one: fixed, so that a run is the same tomorrow."""


def shipped_constitutions() -> set[str]:
    """Names of the constitutions in `constitution/library`."""
    return set(names_in("constitution/library", "*.*"))


def shipped_few_shots() -> set[str]:
    """Names of the constitutions that ship with few-shot examples, in `constitution/examples`."""
    return set(names_in("constitution/examples", "[a-z]*"))


ModelPath = Annotated[str, MECHANICAL, PathKey(lambda: {EMBEDDED}, model=True)]
"""`embedded`, a Hugging Face model folder, or a model on the Hub: `OWNER/NAME[@REVISION]`. A folder that is called so
comes first; `hf:OWNER/NAME` always means the Hub."""
PromptsPath = Annotated[str, MECHANICAL, PathKey(lambda: {WORLD})]
"""`world`, or data: a file, a folder that `datasets` saved, or `hf:OWNER/NAME` on the Hugging Face Hub."""
DataPath = Annotated[str, MECHANICAL, PathKey(set)]
"""A file or folder of the forms that `PromptsPath` has, or a folder."""
ConstitutionPath = Annotated[str, MECHANICAL, PathKey(shipped_constitutions)]
"""The name of a shipped constitution, a .toml or .md file, or a folder with one."""
FewShotsPath = Annotated[str, MECHANICAL, PathKey(shipped_few_shots)]
"""The name of a shipped constitution that has examples, or a folder with few_shots.json."""


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
    few_shots: FewShotsPath | None = None
    """Few-shot examples: the name of a shipped constitution that has some, or a folder, as written by `solon
    constitution import`. Left out: those in the folder that `path` names, if it names one that has them; "": none.
    Measured on a small chat model: examples make its revisions worse (docs/log.md). CAI appendix E has five."""


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
    """How some texts are sampled. What is left open (None) is as `sampling` says, else as the generation_config.json of
    the model that writes them asks, if it is to be sampled, else as in CAI section 3.2: at temperature 1 and whole."""

    temperature: float | None = Field(None, ge=0.0)
    """0: greedy."""
    top_p: float | None = Field(None, gt=0.0, le=1.0)
    """Only the likeliest tokens that have this much probability together. 1: off."""
    top_k: int | None = Field(None, ge=0)
    """Only the k likeliest tokens. 0: off."""
    min_p: float | None = Field(None, ge=0.0, le=1.0)
    """Only tokens that are at least this many times as likely as the likeliest. 0: off."""
    max_new_tokens: int | None = Field(None, ge=1)


class SamplingSection(SamplingOverrides):
    """How all texts are sampled whose own sections say nothing else."""

    max_new_tokens: int = Field(256, ge=1)
    """Assumption: a few paragraphs. RLHF-22 used 128."""
    answers: SamplingOverrides = SamplingOverrides()
    """Of the assistant's answers."""
    revisions: SamplingOverrides = SamplingOverrides()
    """Of critiques and revisions."""
    reasoning: SamplingOverrides = SamplingOverrides()
    """Of the judge's chain of thought."""
    batch_size: Annotated[int, MECHANICAL] = Field(64, ge=1)
    """Rows computed together, as far as their tokens fit in memory. Measured: with 64 a processor multiplies at its
    full rate."""
    shard_rows: Annotated[int, MECHANICAL] = Field(64, ge=1)
    """Rows committed together; a killed run repeats at most this many."""


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
    temperature: float | None = Field(None, gt=0.0)


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


class EvaluationSection(SamplingOverrides):
    """How base, SL-CAI and RL-CAI answer the held-out prompts."""


class ClusterSection(Section):
    """Workers of a Ray cluster (`--cluster`). Each has engines of its own for the models that a stage asks."""

    workers: Annotated[int | None, MECHANICAL] = Field(None, ge=1)
    """None: as many as the machines have room for now."""
    gpus: Annotated[float | None, MECHANICAL] = Field(None, ge=0.0)
    """Of each worker. None: 1 if the cluster has any."""
    cpus: Annotated[float | None, MECHANICAL] = Field(None, gt=0.0)
    """Of each worker; its engine has as many threads. None: 1 beside a GPU, else all of the smallest machine."""


class RunConfig(Section):
    """A whole run."""

    name: str = "run"
    seed: int = Field(0, ge=0, lt=1 << 63)
    models: ModelsSection = ModelsSection()
    constitution: ConstitutionSection = ConstitutionSection()
    prompts: PromptsSection = PromptsSection()
    sampling: SamplingSection = SamplingSection()
    supervised: SupervisedSection = SupervisedSection()
    quality: QualitySection = QualitySection()
    sft: SFTSection = SFTSection()
    pairs: PairsSection = PairsSection()
    judge: JudgeSection = JudgeSection()
    helpfulness: HelpfulnessSection = HelpfulnessSection()
    preference: PreferenceSection = PreferenceSection()
    rl: RLSection = RLSection()
    evaluation: EvaluationSection = EvaluationSection()
    cluster: ClusterSection = ClusterSection()

    def token_limits(self) -> dict[str, int]:
        """The token limit of each kind of text, by the key of the run file that sets it."""
        sampling = self.sampling
        limits = {
            "sampling": sampling.max_new_tokens,
            "sampling.answers": sampling.answers.max_new_tokens,
            "sampling.revisions": sampling.revisions.max_new_tokens,
            "sampling.reasoning": sampling.reasoning.max_new_tokens,
            "pairs": self.pairs.max_new_tokens,
            "evaluation": self.evaluation.max_new_tokens,
        }
        return {f"{name}.max_new_tokens": limit for name, limit in limits.items() if limit}
