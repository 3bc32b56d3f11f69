"""RL of a run's SL-CAI against its preference model: completions per second beside TRL's GRPOTrainer, groups of 8.

Both sides do GRPO from the same weights with the same preference model, prompts, temperature, limit of new tokens, KL
coefficient, clip and learning rate; a step is one update on all its completions. TRL gets the prompts as text, and the
settings at which it is fastest here (`peers/trl_settings.py`); it scores all completions of a step in one padded batch,
in the run's arithmetic, as it does with a reward model that it is given.

WHAT DIFFERS: texts end where the policy ends them, since RL is about such; each side draws its own, so both say how
long theirs are. Solon's sampler takes finished texts out of its batch and reads a group's prompt once; it computes what
a group shares once for the reference, the preference model and the gradient; it divides a group's rewards by their
standard deviation plus one, TRL by it alone. TRL's continuous batching is left out: in bf16 it turns the weights that
learn into bf16. Beside the speed stands the mean score of answers to prompts that were not drawn, after the same steps.

The second figure is the share of the time that the products of the tokens alone would take: prompts and answers are
read once by the reference and by the preference model, and once forward and backward by the policy, each common
beginning once; prompts are read for sampling once, and answers are written as many side by side as there are.

    python bench/claims/rl.py [--quick] [--rows PROMPTS_OF_A_STEP] [--model FOLDER] [--run FINISHED_RUN ...]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from measuring.products import Once, Products, distinct_tokens
from measuring.result import Bound, Result, at_least
from measuring.run_data import EMBEDDED_MODEL, SMOLLM2, RunData, Subject, run_data
from measuring.script import Options, run
from measuring.training import (
    BODY_SIDE_BY_SIDE,
    HEAD_SIDE_BY_SIDE,
    Contest,
    Cost,
    constant,
    train_context,
    training_costs,
)
from measuring.turns import tell
from peers.trl_settings import dataset
from peers.trl_side import Trl, at_its_best
from solon.config.training import RLSection
from solon.lm.engines.local import LocalModel
from solon.lm.protocols import Completion, SampleRequest
from solon.models.heads import PreferenceModel
from solon.models.load import LoadedModel, load_model
from solon.models.tokens import pad_id
from solon.pipeline.learning import algorithm_of
from solon.train.batches import TokenExample
from solon.train.preference import PreferenceReward
from solon.train.rewards import OfAnswers, Reward
from solon.train.rl import reinforce
from solon.train.rollouts import Environment, PolicyPrompt, RLModels, draw_prompts

GROUP = 8
HELD_OUT = 64
"""Prompts that nobody drew, at most."""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What both sides learn, and from whom."""

    data: RunData
    section: RLSection
    prompts: Sequence[PolicyPrompt]
    new_tokens: int

    @classmethod
    def of(cls, data: RunData, prompts: int, steps: int) -> Lesson:
        """So many prompts and steps."""
        sizes = {"steps": steps, "prompts_per_step": prompts, "samples_per_prompt": GROUP}
        own = {"algorithm": "grpo", "batch_size": prompts * GROUP, **sizes}
        section = constant(data.config.rl).model_copy(update=own)
        new = data.config.sampling.max_new_tokens
        return cls(data=data, section=section, prompts=data.policy_prompts(), new_tokens=new)

    def few(self) -> Lesson:
        """One step of shorter texts."""
        section = self.section.model_copy(update={"steps": 1})
        return replace(self, section=section, new_tokens=max(4, self.new_tokens // 4))

    def drawn(self) -> list[PolicyPrompt]:
        """The prompts of all steps, as Solon draws them."""
        section = self.section
        steps = range(1, section.steps + 1)
        return [one for step in steps for one in draw_prompts(self.prompts, step, section.prompts_per_step, seed=0)]

    def reward(self) -> PreferenceReward:
        data = self.data
        return PreferenceReward(
            model=PreferenceModel.load(data.preference_model, dtype=torch.float32, device="cpu"),
            tokenizer=data.tokenizer,
            section=self.section,
            answer_text=data.format.answer,
            pad_id=pad_id(data.tokenizer),
            max_tokens=data.context,
            count=lambda _: None,
            dtype=data.dtype,
        )

    def policy(self) -> LoadedModel:
        """That all begin with."""
        return load_model(self.data.policy, dtype=torch.float32, device="cpu")

    def sampler(self, policy: LoadedModel) -> LocalModel:
        return LocalModel(policy, batch_size=self.data.config.sampling.batch_size, dtype=self.data.dtype)

    def score(self, trained: PreTrainedModel) -> float:
        """Mean score of answers, by a policy of these weights, to prompts that were not drawn."""
        drawn = {prompt.id for prompt in self.drawn()}
        asked = ([prompt for prompt in self.prompts if prompt.id not in drawn] or list(self.prompts))[:HELD_OUT]
        policy = self.policy()
        policy.model.load_state_dict(trained.state_dict())
        requests = [
            SampleRequest(
                prompt=prompt.text,
                seed=row,
                stop=self.data.format.stop,
                max_new_tokens=self.new_tokens,
                temperature=self.section.temperature,
            )
            for row, prompt in enumerate(asked)
        ]
        return mean(self.reward()(asked, self.sampler(policy).sample(requests)))


class Solon:
    """Solon's own loop."""

    def __init__(self, lesson: Lesson):
        self.lesson = lesson

    def begin(self) -> None:
        lesson = self.lesson
        policy, reference = lesson.policy(), load_model(lesson.data.policy, dtype=lesson.data.dtype, device="cpu")
        self.engine, self.model = lesson.sampler(policy), policy.model
        self.models = RLModels(policy=policy.model, reference=reference.model)
        self.rollouts: list[list[TokenExample]] = []
        """By step."""
        self.environment = Environment(
            prompts=lesson.prompts,
            sampler=self._sampled,
            reward=Reward.of(OfAnswers(lesson.reward())),
            max_new_tokens=lesson.new_tokens,
            stop=lesson.data.format.stop,
        )

    def train(self) -> object:
        grpo, context = algorithm_of("grpo"), train_context(self.lesson.data)
        return reinforce(grpo, self.models, self.environment, self.lesson.section, context, lambda *_: None)

    def _sampled(self, requests: Sequence[SampleRequest]) -> Sequence[Completion]:
        answers = self.engine.sample(requests)
        self.rollouts.append([TokenExample.answered("", one.prompt_ids, one.answer_ids) for one in answers])
        return answers

    @property
    def answer_tokens(self) -> int:
        return sum(sum(one.loss_mask) for step in self.rollouts for one in step)

    def costs(self, products: Products) -> list[Cost]:
        """Of what was sampled last."""
        once, written = Once.of(self.rollouts), self.answer_tokens
        prompts = sum(
            distinct_tokens([one.input_ids[: one.loss_mask.index(True)] for one in step]) for step in self.rollouts
        )
        return [
            Cost(tokens=prompts + 2 * once.read, passes=products.body(BODY_SIDE_BY_SIDE)),
            Cost(tokens=once.predicting, passes=products.head(HEAD_SIDE_BY_SIDE)),  # of the reference
            Cost(tokens=written, passes=products.whole(self.lesson.section.batch_size)),
            *training_costs(products, once),
        ]


class Grpo(Trl[Lesson]):
    """TRL's, in given settings."""

    @property
    def folder(self) -> Path:
        return self.lesson.data.policy

    def train(self) -> object:
        self.answer_tokens = 0
        return super().train()

    def built(self, trl: Any) -> Any:
        section, lesson = self.lesson.section, self.lesson
        args = trl.GRPOConfig(
            **self.arguments,
            max_steps=section.steps,
            num_generations=GROUP,
            max_completion_length=lesson.new_tokens,
            temperature=section.temperature,
            beta=section.kl_coefficient,
            epsilon=section.clip,
            shuffle_dataset=False,
        )
        return trl.GRPOTrainer(
            model=str(self.folder),
            reward_funcs=self._reward(),
            args=args,
            train_dataset=dataset([{"prompt": prompt.text} for prompt in lesson.drawn()]),
            processing_class=self.tokenizer,
        )

    def _reward(self) -> Callable[..., list[float | None]]:
        """The run's preference model, used as TRL uses reward models: on one padded batch, without gradients."""
        data, head = self.lesson.data, self.lesson.reward().model.head.weight
        model: Any = AutoModelForSequenceClassification.from_pretrained(
            data.preference_model, num_labels=1, dtype=data.dtype, attn_implementation=self.settings.attention
        )
        model.config.pad_token_id = self.tokenizer.pad_token_id

        @torch.inference_mode()
        def preference(
            prompts: list[str], completions: list[str], completion_ids: list[list[int]], **_: object
        ) -> list[float | None]:
            self.answer_tokens += sum(map(len, completion_ids))
            answers = (data.format.answer(text.strip()) for text in completions)
            texts = [prompt + answer for prompt, answer in zip(prompts, answers, strict=True)]
            batch = self.tokenizer(
                texts, return_tensors="pt", padding=True, padding_side="right", add_special_tokens=False
            )
            scores: list[float | None] = model(**batch).logits[:, 0].float().tolist()
            return scores

        with torch.no_grad():
            model.score.weight.copy_(head)
        return preference


def contest(subject: Subject, lesson: Lesson, asked: Bound) -> Contest:
    """TRL's settings are found here."""
    data, section = lesson.data, lesson.section
    tell("warming: solon")
    solon, products = Solon(lesson), Products(data.policy, data.dtype)
    solon.begin()
    before = lesson.score(solon.model)
    solon.train()
    found = at_its_best(Grpo, lesson, max(len(one) for step in solon.rollouts for one in step))
    other, completions = Grpo(lesson, found), section.steps * section.batch_size

    def quality() -> str:
        after, peers = lesson.score(solon.model), lesson.score(other.trainer.model)
        lengths = [side.answer_tokens / completions for side in (solon, other)]
        scores = f"held-out score {before:.3f}, after it {after:.3f}, TRL's {peers:.3f}"
        return f"{scores}; tokens a completion {lengths[0]:.1f}, TRL's {lengths[1]:.1f}"

    return Contest(
        claim=f"RL with a preference model, {subject.name}",
        setting=f"{section.steps} steps of {section.prompts_per_step} prompts, groups of {GROUP}, TRL: {found}",
        peer="TRL GRPOTrainer",
        solon=solon,
        other=other,
        amount=completions,
        unit="completions/s",
        asked=asked,
        tokens=Once.of(solon.rollouts).read,
        costs=solon.costs(products),
        quality=quality,
    )


def measure(options: Options) -> Iterator[Result]:
    for subject, prompts, steps, asked in ((EMBEDDED_MODEL, 24, 3, at_least(5)), (SMOLLM2, 4, 2, at_least(3))):
        with run_data(subject, options) as data:
            lesson = Lesson.of(data, options.size(prompts, 2), 1 if options.quick else steps)
            yield from contest(subject, lesson, asked).results(options.repetitions)


if __name__ == "__main__":
    raise SystemExit(run(__doc__, measure))
