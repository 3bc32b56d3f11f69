"""The sections of the run file that say how models are trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import Field, JsonValue, field_validator

from solon.config.engines import VllmSection
from solon.config.monitor import MonitorSection
from solon.config.rewards import RewardsSection
from solon.config.section import MECHANICAL, Section, names_in

ALGORITHMS = names_in("train/algorithms")
"""Of RL."""
if TYPE_CHECKING:
    Algorithm: TypeAlias = str
else:
    Algorithm = Literal[ALGORITHMS]

TOKENS_AT_ONCE = 4096
"""In training, unless a run file says otherwise."""
SHARE_BESIDE_TRAINING = 0.25
"""Of a device's memory, for vLLM in RL. Assumption."""
WeightType = Literal["float32", "bfloat16+masters", "bfloat16+stochastic"]
ScheduleName = Literal["constant", "linear", "cosine"]


class LoraSection(Section):
    """Low-rank adapters (LoRA, arXiv 2106.09685) beside every linear layer but the head; all other weights stay fixed.

    They want a learning rate about ten times as high as all weights do.
    """

    rank: int = Field(16, ge=1)
    """Assumption, as `alpha`: usual."""
    alpha: int = Field(32, ge=1)
    """What adapters add is multiplied by alpha / rank."""


def _settings_of(name: str, section: Section | None) -> dict[str, JsonValue]:
    """Of a section that may be missing: then its key is missing too, as in manifests that are older than it."""
    return {} if section is None else {name: section.result_settings()}


class OptimizerSection(Section):
    """AdamW with a linear warm-up to a learning rate that may fall."""

    learning_rate: float = Field(gt=0.0)
    schedule: ScheduleName = "linear"
    """How the learning rate goes from its first value to its last: not at all, in a straight line, or along half a
    cosine."""
    final_share: float = Field(1.0, gt=0.0, le=1.0)
    """The learning rate at the last step, as a share of the full one. 1: it stays, as in CAI section 3.2."""
    batch_size: int = Field(gt=0)
    """Examples (pairs, rollouts) per optimizer step."""
    weight_decay: float = Field(0.0, ge=0.0)
    weight_decay_on: Literal["matrices", "all"] = "matrices"
    """What it pulls to 0: `matrices`, embeddings among them, and no gains of norms and no biases; or all weights."""
    betas: tuple[float, float] = Field((0.9, 0.999), exclude_if=lambda betas: betas == (0.9, 0.999))
    """How slowly AdamW's two moments change (1412.6980)."""
    eps: float = Field(1e-8, gt=0.0, exclude_if=lambda eps: eps == 1e-8)
    """What AdamW adds to the root of the second."""
    weights: WeightType = Field("float32", exclude_if=lambda weights: weights == "float32")
    """The type of weights that learn, and of the model that is saved. `bfloat16+masters`: roundings of float32 weights
    that learn beside them. `bfloat16+stochastic`: in bfloat16 alone, each step rounded up or down at random, so that
    its mean is exact. Both have bfloat16 gradients and compute in bfloat16 (`train.weights`, docs/models.md)."""
    warmup_steps: int = Field(5, ge=0)
    max_grad_norm: float = Field(1.0, gt=0.0)
    micro_batch_tokens: Annotated[Annotated[int, Field(ge=1)] | Literal["auto"], MECHANICAL] = TOKENS_AT_ONCE
    """Padded tokens in one forward pass; changes results by rounding only. "auto": what this machine's memory holds of
    the stage, by arithmetic (docs/models.md); a run that goes on on another machine may round otherwise. A preference
    model that scores, and learns nothing, reads twice as many."""
    checkpoint_steps: Annotated[int, MECHANICAL] = Field(50, ge=1)
    """A killed run repeats at most this many steps. A checkpoint is three times as large as the weights that learn."""
    gradient_checkpointing: Annotated[bool, MECHANICAL] = False
    """Compute each layer again for its gradient instead of keeping what is inside it: a third more time, and memory for
    one layer in the place of all."""
    shard: Annotated[Literal["none", "full"], MECHANICAL] = "none"
    """What each of several processes (`--nproc`) holds while they train: `none`: all weights, gradients and moments;
    `full`: its share of each layer's, of models that learn and of those beside them. One process holds all of them."""
    lora: LoraSection | None = None
    """None: all weights learn."""

    def result_settings(self) -> dict[str, JsonValue]:
        """With those of the adapters, if there are any; without what decays, if nothing does."""
        found = super().result_settings() | _settings_of("lora", self.lora)
        return found if self.weight_decay else {key: found[key] for key in found if key != "weight_decay_on"}

    @property
    def tokens_at_once(self) -> int:
        """`micro_batch_tokens`; the default where nobody has chosen yet."""
        return TOKENS_AT_ONCE if self.micro_batch_tokens == "auto" else self.micro_batch_tokens

    def decays(self, dimensions: int) -> bool:
        """Whether weights of so many dimensions do."""
        return self.weight_decay_on == "all" or dimensions > 1

    @field_validator("betas")
    @classmethod
    def _below_one(cls, betas: tuple[float, float]) -> tuple[float, float]:
        if not all(0.0 <= beta < 1.0 for beta in betas):
            raise ValueError("each must be 0 or more, and less than 1")
        return betas

    def learning_rate_of(self, module: str) -> float:
        """The full one of a module, by its name among those that are trained together."""
        return self.learning_rate


class EarlyStoppingSection(Section):
    """Some prompts are kept out of a training to see how it goes; the weights that do best on them are kept."""

    holdout: float = Field(0.05, gt=0.0, lt=1.0)
    """Share of the prompts. Those that measure the result (`preference.holdout`) are others. Assumption."""
    every: int = Field(10, ge=1)
    """Optimizer steps from one look at their loss to the next. Assumption."""
    patience: int = Field(3, ge=1)
    """The training ends after so many looks in a row without a lower loss. Assumption."""


class EpochsSection(OptimizerSection):
    """Passes over examples that are there beforehand."""

    epochs: int = Field(1, ge=1)
    """Assumption."""
    order: Literal["rows", "prompts"] = "rows"
    """`rows`: any example after any other. `prompts`: those of one prompt together, so that more of what they share is
    computed once, while a batch holds fewer prompts. Measured on the embedded model: finetuning takes 0.6 of the time,
    and its model does 13% of what harmful requests ask, not 10% (three seeds, docs/log.md)."""
    early_stopping: EarlyStoppingSection | None = None
    """None: every step is made, and the last weights are kept."""

    def result_settings(self) -> dict[str, JsonValue]:
        """With those of early stopping, if there is any."""
        return super().result_settings() | _settings_of("early_stopping", self.early_stopping)


class SFTSection(EpochsSection):
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


class ObjectiveWeights(Section):
    """The weight in the preference loss of a comparison, by what it is about. 0: read, and without effect."""

    harmlessness: float = Field(1.0, ge=0.0)
    """CCAI had to lower it, or the model apologized to everybody; how far is not published."""
    helpfulness: float = Field(1.0, ge=0.0)

    def of(self, objective: Literal["harmlessness", "helpfulness"]) -> float:
        return self.harmlessness if objective == "harmlessness" else self.helpfulness


_LATER = ("start", "labels", "clamp", "smoothing", "margin", "temperature")


class ComparisonsSection(EpochsSection):
    """Learning from comparisons whose labels are probabilities. What is done to labels is done in this order
    (`train.labels`)."""

    labels: Literal["soft", "hard"] = "soft"
    """`hard`: 1 above one half and 0 below. CAI section 4.1: soft."""
    clamp: float = Field(1.0, gt=0.5, le=1.0)
    """No label is surer than this. CAI section 4.1 has 0.6 for judges that reason; `judge.clamp` does it to the
    judge's labels alone, and before they are kept."""
    smoothing: float = Field(0.0, ge=0.0, lt=0.5)
    """How probable it is that a label names the wrong answer (cDPO; with hard labels, label smoothing)."""
    holdout: float = Field(0.1, ge=0.0, lt=1.0)
    """Share of prompts whose comparisons are kept out of training to measure accuracy. RLHF-22: 0.05."""
    objective_weights: ObjectiveWeights = ObjectiveWeights()

    def result_settings(self) -> dict[str, JsonValue]:
        """Without those that came later and are as if they were not there: stages of before are still as good."""
        found, fields = super().result_settings(), type(self).model_fields
        return {key: value for key, value in found.items() if key not in _LATER or value != fields[key].default}


class PreferenceSection(ComparisonsSection):
    """The preference model (CAI section 4.2)."""

    start: Literal["base", "sl"] = "base"
    """What it is made of: `base`, or SL-CAI. With `sl` and adapters (`lora`) here and in `rl`, RL holds one model:
    policy, reference and preference model are its weights with one adapter, none, and another. RLHF-22: a pretrained
    model."""
    margin: float = Field(0.0, ge=0.0)
    """Scores should differ by so much more than a label of certainty asks, and in proportion where it is less sure
    (2307.09288 section 3.2.2, there by how much better an answer was rated)."""
    temperature: Literal["one", "fit", "fold"] = "one"
    """What divides differences of scores to make them probabilities. `fit`: fitted to held-out labels and kept in the
    model's config.json as `score_temperature`; it is for probabilities, and rewards stay as they are. `fold`: scores
    themselves are divided by it, and so are rewards, against which `rl.kl_coefficient` counts."""
    epochs: int = Field(1, ge=1)
    """RLHF-22 appendix A.2: 1."""
    learning_rate: float = Field(1e-5, gt=0.0)
    """Assumption: usual for a billion weights."""
    batch_size: int = Field(16, gt=0)
    """Assumption."""


class PromptWeights(Section):
    """How often a prompt comes for each time that others do, by its kind. 2 beside 1: twice as often."""

    harmful: int = Field(1, ge=1)
    mixed: int = Field(1, ge=1)
    benign: int = Field(1, ge=1)
    scenario: int = Field(1, ge=1, exclude_if=lambda weight: weight == 1)
    """Prompts that a model wrote from an article."""

    def of(self, kind: str) -> int:
        weight: int = getattr(self, kind)
        return weight


class DPOSection(ComparisonsSection):
    """Direct preference optimization of SL-CAI on the comparisons (2305.18290), instead of preference model and RL."""

    loss: Literal["sigmoid", "ipo"] = "sigmoid"
    """`sigmoid`: DPO's own; `ipo`: a square (2310.12036). Both with soft labels."""
    beta: float = Field(0.1, gt=0.0)
    """How strongly the policy is held to SL-CAI; 2310.12036 calls it tau. 2305.18290 appendix B: 0.1."""
    learning_rate: float = Field(1e-6, gt=0.0)
    """2305.18290 appendix B, there with RMSprop."""
    final_share: float = Field(0.1, gt=0.0, le=1.0)
    """Assumption."""
    batch_size: int = Field(64, gt=0)
    """2305.18290 appendix B."""


class RLSection(OptimizerSection):
    """Reinforcement learning from a reward, by default the preference model's score, with a KL penalty to SL-CAI (CAI
    section 4.2)."""

    algorithm: Algorithm = "grpo"
    rewards: RewardsSection = RewardsSection()
    steps: int = Field(100, ge=1)
    """Assumption, as the two counts below."""
    prompts_per_step: int = Field(8, ge=1)
    samples_per_prompt: int = Field(4, ge=1)
    """The group that GRPO and RLOO compare; PPO and REINFORCE++ may use 1."""
    prompt_weights: PromptWeights = PromptWeights()
    epochs: int = Field(1, ge=1)
    """Passes over each step's rollouts."""
    group_epsilon: float = Field(1.0, gt=0.0)
    """GRPO only: added to the standard deviation that a group's rewards are divided by. Measured on the embedded model:
    with 0.1, groups whose rewards barely differ get full-size advantages, which is amplified noise (docs/log.md)."""
    kl_coefficient: float = Field(0.1, ge=0.0)
    """Measured on the embedded model. RLHF-22 appendix B.1: 0.001 on a preference model of another scale."""
    kl_in: Literal["reward", "loss"] = "reward"
    """Where the coefficient counts: off the reward, as in CAI section 4.2, where it weighs KL(policy || reference)
    whatever the algorithm; or as a term of the loss (k3), as GRPO has it, whose gradient is that of
    KL(reference || policy)."""
    kl_target: float | None = Field(None, gt=0.0)
    """Nats per answer: after every step the coefficient, from `kl_coefficient` on, goes up to 2% up or down towards it
    (1909.08593 section 2.2). None: it stays, as in RLHF-22."""
    clip: float = Field(0.2, gt=0.0)
    """RLHF-22 appendix B.1."""
    sampler: Literal["local", "vllm"] = Field("local", exclude_if=lambda sampler: sampler == "local")
    """What answers with the policy's weights: the engine of the trainer's own process and weights, or vLLM beside it,
    which is handed them in every step (docs/engines.md)."""
    vllm: VllmSection | None = None
    """With the sampler `vllm`. None: its defaults. It leaves room for the training: `gpu_memory_utilization` is a
    quarter also on a GPU, unless it says otherwise. Assumption."""
    importance_cap: float = Field(2.0, gt=0.0)
    """Where another engine samples than trains, each token counts by the ratio of its probabilities under both, at most
    by so much. Assumption: usual."""
    discount: float = Field(1.0, ge=0.0, le=1.0)
    """PPO and REINFORCE++. RLHF-22 appendix B.1."""
    gae_lambda: float = Field(0.95, ge=0.0, le=1.0)
    """PPO only; assumption, the usual value."""
    value_learning_rate: float | None = Field(None, gt=0.0)
    """PPO only: the value model's. None: the policy's."""
    value_clip: float = Field(0.2, gt=0.0)
    """PPO only, in units of the reward: how far a value may move from what it was when the step's answers were sampled
    before the loss stops pulling it on. Does nothing while a step has one update. Assumption."""
    unfinished_penalty: float = Field(0.0, ge=0.0)
    """Taken off the reward of an answer that the token limit cut off. Not in the paper."""
    temperature: float = Field(1.0, gt=0.0)
    """Rollouts are drawn from softmax(logits / temperature), whole: log-probabilities of policy and reference are of
    that distribution."""
    learning_rate: float = Field(1e-6, gt=0.0)
    """Assumption: usual for a billion weights."""
    final_share: float = Field(0.1, gt=0.0, le=1.0)
    """Assumption."""
    batch_size: int = Field(32, gt=0)
    """All rollouts of a step: one update, on-policy."""
    monitor: MonitorSection | None = None
    """None: nothing looks at the policy from outside, and every step is made."""

    def result_settings(self) -> dict[str, JsonValue]:
        """With those of the monitor, if there is one, and of vLLM, if it answers."""
        found = super().result_settings() | _settings_of("monitor", self.monitor)
        return found | _settings_of("vllm", self.beside if self.sampler == "vllm" else None)

    @property
    def beside(self) -> VllmSection:
        """How vLLM uses the machine while a training is on it."""
        own = self.vllm or VllmSection()
        return own.model_copy(update={"gpu_memory_utilization": own.gpu_memory_utilization or SHARE_BESIDE_TRAINING})

    def learning_rate_of(self, module: str) -> float:
        """Of `policy` and `value`."""
        return (self.value_learning_rate if module == "value" else None) or self.learning_rate
