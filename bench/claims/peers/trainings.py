"""The three trainings of a run by TRL's trainers, with the run's own steps, batch sizes and learning rates.

Where TRL has no such thing, the nearest that it has: labels are hard, so each is drawn with its probability, anew in
every pass, which is right on average; learning rates that fall do so in a straight line to zero; a group's rewards are
divided by their standard deviation alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerBase

from peers.trl_settings import Settings, dataset, silent
from peers.trl_side import labelled, ranked
from solon.config.run import RunConfig
from solon.config.training import EpochsSection, OptimizerSection
from solon.models.load import quiet
from solon.prompting.chat_template import DialogueFormat
from solon.records import Comparison, Demonstration, Prompt
from solon.seeds import generator
from solon.train.batches import answer_example, cut, epoch_order, fit
from solon.train.preference import PreferenceExample, sequence_tokens, split_by_prompt
from solon.train.rollouts import PolicyPrompt, draw_prompts

Training = Literal["sft", "preference", "rl"]


@dataclass(frozen=True, kw_only=True)
class Trainings:
    """Each returns the folder of the model that it trained."""

    config: RunConfig
    settings: Mapping[Training, Settings]
    base: Path
    folder: Path
    """For the models."""
    prompts: Mapping[str, Prompt]
    """To train on, by their id."""
    tokenizer: PreTrainedTokenizerBase
    format: DialogueFormat
    context: int
    """Tokens that the model reads at once."""

    def finetuned(self, rows: Sequence[Demonstration]) -> Path:
        trl: Any = import_module("trl")
        section, settings, said = self.config.sft, self.settings["sft"], self.format.answer
        every = [
            answer_example(self.tokenizer, row.id, self.prompt(row.prompt_id), said(row.answer, finished=row.finished))
            for row in rows
        ]
        examples = fit(every, self.context)[0]
        order = self._order([len(one) for one in examples], section, "sft")
        taught = [labelled(examples[row]) for row in order]
        arguments = self._arguments("sft", section) | {"padding_free": settings.padding_free, "max_length": None}
        return self._trained(
            "sl",
            lambda: trl.SFTTrainer(
                model=str(self.base),
                args=trl.SFTConfig(**arguments),
                train_dataset=dataset(taught),
                processing_class=self.tokenizer,
            ),
        )

    def preference_model(self, rows: Sequence[Comparison]) -> Path:
        trl: Any = import_module("trl")
        section = self.config.preference
        every = (
            PreferenceExample(
                id=row.id,
                prompt_id=row.prompt_id,
                a_ids=self._sequence(row.prompt_id, row.a),
                b_ids=self._sequence(row.prompt_id, row.b),
                p_a_preferred=row.p_a_preferred,
            )
            for row in rows
            if row.p_a_preferred is not None
        )
        examples = split_by_prompt(fit(every, self.context)[0], section.holdout, seed=self.config.seed)[0]
        drawn = generator(self.config.seed, "labels")
        taught = [
            ranked(examples[row], drawn.random())
            for row in self._order([len(one) for one in examples], section, "preference")
        ]
        arguments = self._arguments("preference", section) | {"max_length": None}
        return self._trained(
            "pm",
            lambda: trl.RewardTrainer(
                model=str(self.base),
                args=trl.RewardConfig(**arguments),
                train_dataset=dataset(taught),
                processing_class=self.tokenizer,
            ),
        )

    def reinforced(self, sl: Path, pm: Path) -> Path:
        trl: Any = import_module("trl")
        section = self.config.rl
        prompts = [PolicyPrompt(id=name, text=self.prompt(name)) for name in self.prompts]
        steps = range(1, section.steps + 1)
        drawn = [one for step in steps for one in draw_prompts(prompts, step, section.prompts_per_step, seed=0)]
        arguments = self._arguments("rl", section) | {
            "max_steps": section.steps,
            "num_generations": section.samples_per_prompt,
            "max_completion_length": self.config.sampling.max_new_tokens,
            "temperature": section.temperature,
            "beta": section.kl_coefficient,
            "epsilon": section.clip,
            "shuffle_dataset": False,
        }
        del arguments["train_sampling_strategy"]
        return self._trained(
            "rl",
            lambda: trl.GRPOTrainer(
                model=str(sl),
                reward_funcs=self._reward(pm),
                args=trl.GRPOConfig(**arguments),
                train_dataset=dataset([{"prompt": prompt.text} for prompt in drawn]),
                processing_class=self.tokenizer,
            ),
        )

    def _reward(self, pm: Path) -> Callable[..., list[float]]:
        """Of whole answers: TRL gives the text without the end mark at which the model learned to score."""
        settings = self.settings["rl"]
        dtype = torch.bfloat16 if settings.bf16 else torch.float32
        model: Any = AutoModelForSequenceClassification.from_pretrained(
            pm, dtype=dtype, attn_implementation=settings.attention
        )
        model.config.pad_token_id = self.tokenizer.pad_token_id

        @torch.inference_mode()
        def preference(prompts: list[str], completions: list[str], **_: object) -> list[float]:
            said = [self.format.answer(text.strip()) for text in completions]
            texts = [prompt + answer for prompt, answer in zip(prompts, said, strict=True)]
            how: dict[str, Any] = {"return_tensors": "pt", "padding": True, "add_special_tokens": False}
            scores: list[float] = model(**self.tokenizer(texts, padding_side="right", **how)).logits[:, 0].tolist()
            return scores

        return preference

    def _trained(self, name: str, build: Callable[[], Any]) -> Path:
        trainer = silent(build)
        trainer.train()
        with quiet():
            trainer.save_model(str(self.folder / name))
            self.tokenizer.save_pretrained(self.folder / name)
        return self.folder / name

    def _arguments(self, training: Training, section: OptimizerSection) -> dict[str, Any]:
        """The run's own, in TRL's words; rows are in the order in which they are to be read."""
        own = self.settings[training].arguments(section, str(self.folder))
        falls = section.final_share < 1
        return own | {
            "lr_scheduler_type": "linear" if falls else "constant_with_warmup",
            "warmup_steps": section.warmup_steps,
            "train_sampling_strategy": "sequential",
            "seed": self.config.seed,
        }

    def _order(self, lengths: Sequence[int], section: EpochsSection, stage: str) -> Iterator[int]:
        """Rows of all passes, in whole steps, each sorted by length so that little is padded."""
        for epoch in range(section.epochs):
            order = epoch_order(len(lengths), self.config.seed, stage, epoch)
            for step in cut(order, section.batch_size):
                yield from sorted(step, key=lengths.__getitem__)

    def prompt(self, name: str) -> str:
        return self.format.prompt(self.prompts[name].turns)

    def _sequence(self, prompt_id: str, answer: str) -> tuple[int, ...]:
        return sequence_tokens(self.tokenizer, self.prompt(prompt_id), self.format.answer(answer))
