"""One run, from top to bottom: each method is a stage, and asks for the stages it is made from.

    prompts -> revisions, helpful -> models/sl -> pairs -> comparisons, helpfulness -> models/pm -> models/rl, rollouts
            -> evals -> summary.json, report.html

A finished stage is only read, so running again goes on where the run stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from pydantic import JsonValue

from solon.artifacts import RunFolder, Stage, sha256_bytes, write_atomic
from solon.artifacts.atomic import canonical_json
from solon.constitution.few_shots import FewShots, load_few_shots
from solon.constitution.load import load_constitution
from solon.constitution.principles import Constitution
from solon.errors import RunError
from solon.feedback.judge import check_unscored
from solon.feedback.made import Made
from solon.pipeline.actors import Actors
from solon.pipeline.evidence import evaluate, write_answer
from solon.pipeline.generation import Judging, Policy, Supervision
from solon.pipeline.learning import train_pm, train_rl, train_sl
from solon.pipeline.sources import PromptSets, prompt_source
from solon.progress import Reporter
from solon.records import Answer, Comparison, Demonstration, Pair, Prompt, Record, Revision, Rollout

T = TypeVar("T")
R = TypeVar("R", bound=Record)


class Pipeline:
    """A run in its folder."""

    def __init__(self, run: RunFolder, reporter: Reporter) -> None:
        self.run, self.config, self.reporter = run, run.config, reporter
        self.seed = run.config.seed
        self.actors = Actors(config=run.config)
        self.source = prompt_source(run.config.prompts)

    # What the run is about.

    @cached_property
    def constitution(self) -> Constitution:
        return load_constitution(self.config.constitution.path)

    @cached_property
    def few_shots(self) -> FewShots:
        folder = self.config.constitution.few_shots
        return load_few_shots(Path(folder)) if folder else FewShots()

    @cached_property
    def sets(self) -> PromptSets:
        """The prompts, as the stage `prompts` keeps them."""
        return self.source.prompt_sets(self.config.prompts, self.seed)

    def prompts_by_id(self) -> dict[str, Prompt]:
        sets = self.sets
        return {p.id: p for p in (*sets.red_team, *sets.helpful, *sets.evaluation, *sets.twins.values())}

    # The stages.

    @cached_property
    def prompts(self) -> Stage:
        """Every prompt of the run."""
        sets = self.sets
        stage = self.run.stage("prompts", config={"prompts": self.config.prompts}, inputs=self.source.fingerprints())
        if not stage.done:
            self.reporter.stage(stage.name)
            for note in sets.notes:
                self.reporter.note(note)
            with stage.timed():
                parts = {
                    "prompts-red-team": sets.red_team,
                    "prompts-helpful": sets.helpful,
                    "prompts-twins": tuple(sets.twins.values()),
                    "evals": sets.evaluation,
                    "comparisons": sets.comparisons,
                    "demonstrations": sets.demonstrations,
                }
                for name, records in parts.items():
                    stage.write_records(name, records)
                stage.count("in", sets.rows_in)
                stage.count("out", sets.rows_out)
                for reason, count in sets.dropped.items():
                    stage.drop(reason, count)
            constitution = canonical_json(self.constitution, indent=2)
            write_atomic(self.run.path / "constitution.json", constitution)
            stage.finish(constitution=sha256_bytes(constitution), formats=self._formats())
        return stage

    @cached_property
    def revisions(self) -> Stage:
        """The assistant answers red-team prompts, criticises its answers and revises them."""
        principles = self.constitution.critique_principles(self.config.constitution.critique)
        stage = self._stage(
            "revisions",
            ("supervised", "sampling", "constitution"),
            {"prompts": self.prompts, **self.actors.fingerprints("assistant"), **self._words()},
        )
        assistant = Supervision(self.actors, self.few_shots, self._tokens)
        self._rows(stage, self.sets.red_team, lambda part: assistant.revisions(part, principles), Revision)
        return stage

    @cached_property
    def helpful(self) -> Stage:
        """The assistant's own answers to benign prompts, so that finetuning keeps it helpful."""
        copies = self.config.sft.helpful_per_prompt
        inputs: dict[str, Stage | str] = {"prompts": self.prompts, **self.actors.fingerprints("assistant")}
        stage = self._stage("helpful", ("sampling",), inputs, copies=copies)
        assistant = Supervision(self.actors, self.few_shots, self._tokens)
        self._rows(stage, self.sets.helpful if copies else (), assistant.helpful, Answer)
        return stage

    @cached_property
    def sl(self) -> Stage:
        """`base`, finetuned on revisions and helpful answers: SL-CAI."""
        inputs: dict[str, Stage | str] = {"revisions": self.revisions, "helpful": self.helpful}
        stage = self._stage("models/sl", ("sft",), inputs | self.actors.fingerprints("base"))
        if not stage.done:
            chains = self.revisions.read_records("rows", Revision)
            answers = self.helpful.read_records("rows", Answer)
            given = self.prompts.read_records("demonstrations", Demonstration)
            train_sl(stage, self.actors, self.prompts_by_id(), chains, answers, given, self.reporter)
        return stage

    @cached_property
    def pairs(self) -> Stage:
        """SL-CAI answers every red-team prompt twice."""
        stage = self._stage("pairs", ("pairs", "sampling"), {"sl": self.sl, "prompts": self.prompts})
        self._rows(stage, self.sets.red_team, self._policy().pairs, Pair)
        return stage

    @cached_property
    def comparisons(self) -> Stage:
        """The judge says which answer of each pair is better under a principle: AI harmlessness labels."""
        principles = self.constitution.comparison_principles(self.config.constitution.comparison)
        stage = self._stage(
            "comparisons",
            ("judge", "sampling", "constitution"),
            {"pairs": self.pairs, **self.actors.fingerprints("judge"), **self._words()},
        )
        judging = Judging(self.actors, self.few_shots, self.sets.red_team, self._tokens)

        def check(rows: Sequence[Comparison]) -> None:
            check_unscored(rows, self.config.judge.max_unscored)

        pairs = self.pairs.read_records("rows", Pair)
        self._rows(stage, pairs, lambda part: judging.comparisons(part, principles), Comparison, check=check)
        return stage

    @cached_property
    def helpfulness(self) -> Stage:
        """Helpfulness comparisons on benign prompts: between own answers, and of own answers with needless refusals.

        There may be none: a model that will not refuse on being told to gives no needless refusals.
        """
        stage = self._stage(
            "helpfulness", ("helpfulness", "pairs", "sampling"), {"sl": self.sl, "prompts": self.prompts}
        )
        policy = self._policy()
        self._rows(
            stage, self.sets.helpful, lambda part: policy.helpfulness(part, self.sets), Comparison, may_be_empty=True
        )
        return stage

    @cached_property
    def pm(self) -> Stage:
        """A preference model, trained on AI harmlessness labels mixed with helpfulness comparisons."""
        inputs: dict[str, Stage | str] = {
            "comparisons": self.comparisons,
            "helpfulness": self.helpfulness,
            "prompts": self.prompts,
            **self.actors.fingerprints("base"),
        }
        stage = self._stage("models/pm", ("preference",), inputs)
        if not stage.done:
            train_pm(stage, self.actors, self.prompts_by_id(), self.all_comparisons(), self.reporter)
        return stage

    def all_comparisons(self) -> list[Comparison]:
        """AI harmlessness labels, rated helpfulness pairs, and helpfulness comparisons that the user gave."""
        return [
            *self.comparisons.read_records("rows", Comparison),
            *self.helpfulness.read_records("rows", Comparison),
            *self.prompts.read_records("comparisons", Comparison),
        ]

    @cached_property
    def rl(self) -> Stage:
        """SL-CAI, trained by RL against the preference model: RL-CAI. Its rollouts are a stage of their own."""
        inputs = {"sl": self.sl, "pm": self.pm, "prompts": self.prompts}
        stage = self._stage("models/rl", ("rl", "sampling"), inputs)
        if not stage.done:
            prompts = (*self.sets.red_team, *self.sets.helpful)
            sl, pm = self.sl.path("model"), self.pm.path("model")
            train_rl(stage, self.rollouts, self.actors, prompts, sl, pm, self.reporter)
        if not self.rollouts.done:
            kept = len(self.rollouts.read_records("rows", Rollout))
            self.rollouts.count("in", kept)
            self.rollouts.count("out", kept)
            self.rollouts.finish()
        return stage

    @cached_property
    def rollouts(self) -> Stage:
        """What the policy sampled and earned, one shard per step; sealed once the training is."""
        inputs = {"sl": self.sl, "pm": self.pm, "prompts": self.prompts}
        return self._stage("rollouts", ("rl", "sampling"), inputs)

    @cached_property
    def evals(self) -> Stage:
        """Base, SL-CAI and RL-CAI answer prompts that no training saw; whoever knows the truth grades them."""
        return evaluate(self)

    def write_summary(self) -> None:
        """`summary.json` and `report.html`."""
        write_answer(self)

    def _formats(self) -> dict[str, JsonValue]:
        """How each role is written to; departures from a tokenizer's own template are told."""
        system = any(turn.role == "system" for prompt in self.prompts_by_id().values() for turn in prompt.turns)
        formats = self.actors.formats(system=system)
        for note in dict.fromkeys(note for format in formats.values() for note in format.notes):
            self.reporter.note(note)
        return {role: format.model_dump(mode="json") for role, format in formats.items()}

    # How stages are made.

    def _stage(self, name: str, sections: Sequence[str], inputs: Mapping[str, Stage | str], **more: object) -> Stage:
        config = {section: getattr(self.config, section) for section in sections} | more
        return self.run.stage(name, config={**config, "models": self.config.models}, inputs=inputs)

    def _words(self) -> dict[str, str]:
        """What a model is told: the constitution and the few-shot examples, by hash."""
        return {
            "constitution_text": self.constitution.sha256,
            "few_shots": sha256_bytes(self.few_shots.model_dump_json().encode()),
        }

    def _rows(
        self,
        stage: Stage,
        items: Sequence[T],
        work: Callable[[Sequence[T]], Made[R]],
        record: type[R],
        check: Callable[[Sequence[R]], None] | None = None,
        may_be_empty: bool = False,
    ) -> None:
        """Does a stage shard by shard and seals it, unless it is done already."""
        if stage.done:
            return

        def shard(part: Sequence[T]) -> Sequence[R]:
            made = work(part)
            for reason, count in made.dropped.items():
                stage.drop(reason, count)
            for what, count in made.noted.items():
                stage.count(what, count)
            stage.add_tokens(made.tokens)
            self.reporter.advance(len(part), 0)
            return made.records

        self.reporter.stage(stage.name, len(items))
        size, recovered = self.config.sampling.shard_rows, self.reporter.recovered
        rows = stage.rows(items, shard_rows=size, work=shard, record=record, recovered=recovered)
        if items and not rows:
            what = f"stage {stage.name} kept none of its {len(items)} rows"
            if not may_be_empty:
                raise RunError(what, hint=_NOTHING_KEPT)
            self.reporter.note(f"{what}; its manifest says why")
        if check is not None:
            check(rows)
        stage.finish()

    def _tokens(self, _rows: int, tokens: int) -> None:
        self.reporter.advance(0, tokens)

    def _policy(self) -> Policy:
        """A new one for each stage, so that its weights are released when the stage is done."""
        return Policy(self.actors, self.sl.path("model"), self.source, self._tokens)


_NOTHING_KEPT = (
    "rows are dropped where prompt and answer do not fit the model's context: lower sampling.max_new_tokens, "
    "or give shorter prompts"
)


STAGES: tuple[str, ...] = (
    "prompts",
    "revisions",
    "helpful",
    "sl",
    "pairs",
    "comparisons",
    "helpfulness",
    "pm",
    "rl",
    "evals",
)
"""Names of the stages in order; each is an attribute of `Pipeline`."""


def run_pipeline(run: RunFolder, reporter: Reporter, *, until: str | None = None) -> None:
    """Runs every stage in order, or up to one of them; the whole run ends with summary and report."""
    pipeline = Pipeline(run, reporter)
    for name in STAGES:
        getattr(pipeline, name)
        if name == until:
            return
    pipeline.write_summary()
