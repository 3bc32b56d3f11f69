"""What stages declare is all that they depend on. Reuse stands on this: what is not declared may differ unseen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.evaluated_run import tiny_regressor
from pipeline.tiny_run import Told, rows, run_in, world_config
from solon.artifacts.finished import FinishedStage
from solon.artifacts.reuse import OtherRuns
from solon.artifacts.run_folder import RunFolder
from solon.config.load import load_run_config
from solon.config.models import ModelSection
from solon.config.prompts import PromptsSection
from solon.config.rewards import RewardsSection
from solon.config.run import RunConfig
from solon.config.sampling import SamplingOverrides
from solon.config.section import MECHANICAL, Section, marks, subsection
from solon.config.training import RLSection
from solon.pipeline.inputs import RunInputs
from solon.pipeline.run import Pipeline
from solon.pipeline.settle import KEYS, settle
from solon.pipeline.sources import HELPFUL
from solon.pipeline.stage import Stage, stage_of
from solon.pipeline.stages import STAGES, stages_of


def sections(section: type[Section], prefix: str = "") -> Iterator[tuple[type[Section], str]]:
    """Every section of a run file that is of a type of its own, and its key."""
    for name, field in section.model_fields.items():
        if inner := subsection(field):
            yield inner, prefix + name
            yield from sections(inner, f"{prefix}{name}.")


SECTIONS: dict[type[Section], list[str]] = {}
"""Names by kind: some kinds of section stand in several others."""
for kind, called in sections(RunConfig):
    if kind not in (ModelSection, SamplingOverrides):
        SECTIONS.setdefault(kind, []).append(called)
COMPARISON = {"constitution", "constitution.comparison", "constitution.whole", "constitution.whole_tokens"}
TEXTS = {
    "critique_texts": {"critique_principles", "few_shots", "constitution", "constitution.critique"},
    "comparison_texts": {"comparison_principles", "few_shots", *COMPARISON},
    "article_texts": {"articles", "world_scenarios", "constitution", "prompts.source"},
    "gate_texts": {
        *("critique_principles", "comparison_principles", "few_shots"),
        *("constitution.critique", *COMPARISON),
    },
    "reward_texts": {"comparison_principles", "few_shots", *COMPARISON},
    "monitor_texts": {
        *("monitor_principle", "comparison_principles", "few_shots", "truth", "prompts.source"),
        *COMPARISON,
    },
    "grader": {"truth"},
    "measures": {"graders", "truth"},
    "evaluation_files": set(),
    "regressor_files": set(),
    "prompt_files": set(),
}
"""What each hash stands for."""
INSIDE = ("lora", "early_stopping", "monitor", "hhh", "bbq", "refusals", "gsm8k", "perplexity", "elo")
"""Sections inside others whose settings come along."""


def test_a_stage_reads_only_stages_before_it() -> None:
    before: set[str] = set()
    for stage in STAGES:
        assert {stage_of(name) for name in stage.reads} <= before, stage.name
        before.add(stage.name)
    assert len(before) == len(STAGES) == len({stage.folder for stage in STAGES})


def test_a_run_has_the_stages_of_its_alignment_and_they_read_no_others() -> None:
    rl, dpo = (
        {stage.name: stage for stage in stages_of(RunConfig(alignment=alignment))} for alignment in ("rl", "dpo")
    )
    assert rl.keys() - dpo.keys() == {"pm", "rl", "answers-rl"}
    assert dpo.keys() - rl.keys() == {"dpo", "answers-dpo"}
    made = {stage.name: stage for stage in stages_of(load_run_config(None, ["scenarios.per_article=1"]))}
    assert made.keys() - rl.keys() == {"scenarios", "dialogues", "rankings"}
    rewards = RewardsSection(preference=0, judge=1)
    judged = {stage.name: stage for stage in stages_of(RunConfig(rl=RLSection(rewards=rewards)))}
    assert rl.keys() - judged.keys() == {"pm"} and judged.keys() < rl.keys()
    both = {stage.name: stage for stage in stages_of(load_run_config(None, ["pairs.helpful_per_prompt=1"]))}
    more = {name: {*stage.reads} - {*rl[name].reads} for name, stage in both.items()}
    assert {name for name, reads in more.items() if reads == {HELPFUL}} == {"pairs", "comparisons", "scores"}
    for own in (rl, dpo, judged, both):
        assert {stage_of(name) for stage in own.values() for name in stage.reads} < own.keys()
    assert {name for name in rl["scores"].reads if name not in dpo["scores"].reads} == {"answers-rl", "pm"}
    assert {name for name in dpo["scores"].reads if name not in rl["scores"].reads} == {"answers-dpo"}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every key of a run file that is read, e.g. `rl.steps`, and every text, e.g. `few_shots`."""
    found: set[str] = set()
    plain, given = Section.__getattribute__, RunInputs.__getattribute__

    def of_section(self: Section, name: str) -> Any:
        if name in type(self).__pydantic_fields__ and type(self) in SECTIONS:
            found.add(" or ".join(f"{one}.{name}" for one in SECTIONS[type(self)]))
        return plain(self, name)

    def of_given(self: RunInputs, name: str) -> Any:
        if name in set().union(*TEXTS.values()):
            found.add(name)
        return given(self, name)

    monkeypatch.setattr(Section, "__getattribute__", of_section)
    monkeypatch.setattr(RunInputs, "__getattribute__", of_given)
    return found


def declared(stage: Stage, config: RunConfig) -> Iterator[str]:
    """All that the body of a stage may read."""
    for name, section in ((name, field.annotation) for name, field in RunConfig.model_fields.items()):
        fields: dict[str, Any] = getattr(section, "model_fields", {})
        for key, field in fields.items():
            mechanical = MECHANICAL in marks(field)
            comes_along = name in stage.settings and (not subsection(field) or key in INSIDE)
            if f"{name}.{key}" in stage.settings or mechanical or comes_along:
                yield f"{name}.{key}"
                inner = subsection(field)
                yield from (f"{name}.{key}.{one}" for one in (inner.model_fields if inner else ()))
    if stage.roles:
        yield from (f"models.{key}" for key in ("dtype", "dialogue", "date", "system"))
    yield from (f"models.{role}" for role in (*stage.played(config), *stage.weights, "assistant"))
    for hashes in stage.hashes:
        yield from TEXTS[hashes.__name__]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every file of prompts that is read, e.g. `prompts/evals`."""
    found: set[str] = set()
    real = FinishedStage.rows

    def rows(self: FinishedStage, file: str, record: type[Any]) -> Iterator[Any]:
        if self.manifest.stage == "prompts":
            found.add(f"prompts/{file}")
        return real(self, file, record)

    monkeypatch.setattr(FinishedStage, "rows", rows)
    return found


@pytest.mark.parametrize(
    "setting",
    [
        *("rl.algorithm=grpo", "rl.algorithm=ppo", "rl.rewards.judge=1", "rl.rewards.openings=1", "alignment=dpo"),
        *("rl.monitor.gold=judge", "rl.monitor.every=1", "evaluations.elo.prompts=1", "scenarios.per_article=1"),
        *("evaluations.harmfulness.regressor=REGRESSOR", "pairs.helpful_per_prompt=2"),
    ],
)
def test_a_body_reads_nothing_that_its_stage_does_not_declare(
    llama: Path, tmp_path: Path, read: set[str], opened: set[str], setting: str
) -> None:
    """Nor does it declare more files of prompts than it reads."""
    setting = setting.replace("REGRESSOR", str(tiny_regressor(tmp_path / "regressor")))
    config = world_config(llama, f"models.base={llama}", f"models.judge={llama}", setting)
    with RunFolder.create(tmp_path / "run", config) as run:
        pipeline = Pipeline(run, Told(), OtherRuns())
        for stage in stages_of(config):

            def body(work: Any, stage: Stage = stage) -> Any:
                read.clear()
                opened.clear()
                facts = stage.body(work)
                assert not [keys for keys in read if not set(keys.split(" or ")) & set(declared(stage, config))], (
                    stage.name
                )
                assert read
                assert opened == {name for name in stage.reads if name.startswith("prompts/")}, stage.name
                return facts

            pipeline.do(replace(stage, body=body))


def test_the_judge_compares_as_many_pairs_of_harmless_requests_as_it_is_asked_to(llama: Path, tmp_path: Path) -> None:
    run_in(tmp_path, world_config(llama, "pairs.per_prompt=1", "pairs.helpful_per_prompt=2"), until="comparisons")
    ids = {
        name: [row["id"] for row in rows(tmp_path, "prompts", f"prompts-{name}")] for name in ("red-team", "helpful")
    }
    judged = [row["prompt_id"] for row in rows(tmp_path, "comparisons")]
    assert judged == [row["prompt_id"] for row in rows(tmp_path, "pairs")]
    assert {name: max(map(judged.count, ids[name])) for name in ids} == {"red-team": 1, "helpful": 2}


def test_devices_batches_and_paths_are_no_part_of_a_stage(tmp_path: Path) -> None:
    other = load_run_config(
        None,
        [
            *("models.device=cuda", "models.trust_remote_code=true", "name=other"),
            *("sampling.batch_size=3", "sampling.shard_rows=5", "sft.micro_batch_tokens=700", "rl.checkpoint_steps=9"),
            'tracking.to=["tensorboard"]',
            *("judge.max_unscored=0.5", "quality.max_noise=1", "quality.max_echoes=1", "quality.max_unchanged=1"),
            *(f"constitution.path={tmp_path}", f"models.assistant={tmp_path}", f"models.judge={tmp_path}"),
        ],
    )
    for stage in STAGES:
        assert stage.config(other) == stage.config(load_run_config()), stage.name
    assert PromptsSection(max_faults=0.5).result_settings() == PromptsSection().result_settings()


def test_of_vllm_in_rl_only_what_changes_a_result_is_part_of_the_stage() -> None:
    def settings(*more: str) -> Any:
        return load_run_config(None, ["rl.sampler=vllm", *more]).rl.result_settings()

    assert settings()["vllm"] == {"max_model_len": None}
    assert settings("rl.vllm.gpu_memory_utilization=0.5", "rl.vllm.enforce_eager=true") == settings()
    assert settings("rl.vllm.max_model_len=999") != settings()
    assert {"sampler", "vllm"}.isdisjoint(load_run_config().rl.result_settings()), "as before there was a choice"


def test_what_changes_a_result_is_part_of_the_stages_that_it_changes() -> None:
    assert differing("rl.kl_coefficient=0.2") == ["rl"]
    assert differing("sft.schedule=cosine") == ["sl"]
    assert differing("rl.kl_coefficient=0.2") == differing("rl.prompt_weights.benign=2") == ["rl"]
    assert differing("rl.rewards.openings=2") == differing("rl.rewards.judge=0.5") == ["rl"]
    assert differing("judge.orders=both", "rl.rewards.judge=1") == ["comparisons", "rl"]
    assert differing("models.judge.system=Be fair.", "rl.rewards.judge=1") == ["comparisons", "rl"]
    assert differing("preference.objective_weights.harmlessness=0.5") == ["pm"]
    assert differing("dpo.beta=0.2", "alignment=dpo") == ["dpo"]
    assert differing("rl.kl_coefficient=0.2", "alignment=dpo") == []
    assert differing("rl.monitor.every=5") == differing("rl.monitor.gold=judge") == ["rl"]
    assert differing("rl.sampler=vllm") == differing("rl.vllm.max_model_len=999", "rl.sampler=vllm") == ["rl"]
    assert differing("sft.early_stopping.every=5") == ["sl"]
    assert differing("pairs.per_prompt=3") == differing("pairs.helpful_per_prompt=1") == ["pairs"]
    assert differing("supervised.ask=one-turn") == differing("supervised.gate=true") == ["revisions"]
    assert differing("pairs.temperature=0.5") == ["pairs", "helpfulness"]
    assert differing("sft.helpful_per_prompt=1") == ["helpful", "sl"]
    assert differing("models.judge.system=Be fair.") == ["comparisons"]
    assert differing("models.assistant.dialogue=human-assistant", "models.base.dialogue=auto") == [
        *("revisions", "helpful", "comparisons")
    ]
    assert differing("sampling.revisions.temperature=0.5") == ["revisions"]
    assert differing("sampling.reasoning.max_new_tokens=200") == []
    assert differing("evaluation.temperature=0") == ["answers-base", "answers-sl", "answers-rl"]
    assert differing("models.dtype=float32") == [
        stage.name for stage in stages_of(RunConfig()) if stage.name != "prompts"
    ]
    assert differing("prompts.harmful=3") == ["prompts"]
    playing, evaluated = "evaluations.elo.prompts=1", ["evaluated-base", "evaluated-sl", "evaluated-rl"]
    assert differing("evaluations.elo.temperatures=[0.5]", playing) == evaluated
    assert differing("evaluations.hhh.limit=3", playing) == differing("evaluations.elo.max_new_tokens=9") == []
    answers = ["answers-base", "answers-sl", "answers-rl"]
    assert differing("evaluation.top_k=3", playing) == [*answers, *evaluated]
    assert differing("models.judge.system=Be fair.", playing) == ["comparisons", "games"]
    scoring = "evaluations.harmfulness.regressor=any"
    assert differing("evaluations.harmfulness.regressor=other", scoring) == []  # its files count, by their hashes
    assert differing("models.dtype=float32", scoring)[-2:] == ["harmfulness", "scores"]


def differing(setting: str, *before: str, preferred: Mapping[str, SamplingOverrides] | None = None) -> list[str]:
    """Stages of the world run that change with a setting, where the models ask for no sampling of their own but the
    `preferred`."""
    asks = preferred or {}
    one, other = (
        settle(load_run_config(None, given), lambda role: asks.get(role, SamplingOverrides()))
        for given in (before, [*before, setting])
    )
    return [stage.name for stage in stages_of(one) if stage.config(one) != stage.config(other)]


def test_a_stage_depends_on_what_holds_not_on_what_was_typed() -> None:

    answers, pairs = ["answers-base", "answers-sl", "answers-rl"], ["pairs", "helpfulness"]
    assert differing("evaluation.temperature=1.0") == []
    assert differing("sampling.temperature=0.7") == ["revisions", "helpful", *pairs, *answers]
    assert differing("sampling.temperature=0.7", "evaluation.temperature=1.0") == ["revisions", "helpful", *pairs]
    assert differing("sampling.answers.min_p=0.1") == ["revisions", "helpful"]
    assert differing("sampling.revisions.top_k=0") == differing("sampling.top_p=1", "pairs.per_prompt=1") == []
    longer = ["revisions", "helpful", *pairs, "rl", *answers]
    assert differing("sampling.max_new_tokens=99") == longer
    reasoned = ["revisions", "helpful", "pairs", "comparisons", "helpfulness", *answers]
    assert differing("sampling.temperature=0.7", "judge.method=cot") == reasoned
    assert differing("sampling.reasoning.max_new_tokens=200", "judge.method=cot") == ["comparisons"]
    gated = ["revisions", "comparisons"]
    assert differing("sampling.reasoning.max_new_tokens=200", "judge.method=cot", "supervised.gate=true") == gated
    assert differing("models.judge.system=Be fair.", "supervised.gate=true") == gated
    named = [f"models.{role}.path=any" for role in ("assistant", "base", "judge")]
    for role, asked in [("assistant", ["revisions", "helpful"]), ("base", answers[:1]), ("judge", ["comparisons"])]:
        assert differing(f"models.{role}.engine=faulty", *named) == asked


def test_a_model_that_asks_to_be_sampled_in_its_own_way_is_where_the_run_file_says_nothing() -> None:
    asks = {"assistant": SamplingOverrides(temperature=0.6, top_p=0.9), "judge": SamplingOverrides(top_k=20)}
    config = load_run_config(None, ["sampling.top_p=0.8", "sampling.revisions.temperature=0.2", "pairs.min_p=0.1"])
    settled = settle(config, lambda role: asks.get(role, SamplingOverrides()))
    told = {name: getattr(settled.sampling, name) for name in ("answers", "revisions", "reasoning")}
    told |= {"pairs": settled.pairs, "evaluation": settled.evaluation}
    assert {name: tuple(getattr(one, key) for key in KEYS) for name, one in told.items()} == {
        "answers": (0.6, 0.8, 0, 0.0, 96),
        "revisions": (0.2, 0.8, 0, 0.0, 96),
        "reasoning": (1.0, 0.8, 20, 0.0, 96),
        "pairs": (1.0, 0.8, 0, 0.1, 96),
        "evaluation": (1.0, 0.8, 0, 0.0, 96),
    }
    assert settle(settled, lambda role: SamplingOverrides(temperature=2.0)) == settled
    assert differing("sampling.temperature=0.6", preferred=asks) == [
        *("pairs", "helpfulness", "answers-base", "answers-sl", "answers-rl")
    ]


def test_a_changed_principle_of_the_judge_leaves_the_revisions_alone(llama: Path, tmp_path: Path) -> None:
    text = '[[principle]]\nid = "theft"\ncritique_request = "Does it steal?"\nrevision_request = "Take that out."\n'
    (tmp_path / "one.toml").write_text(text + 'comparison_question = "Which steals less?"\n')
    (tmp_path / "two.toml").write_text(text + 'comparison_question = "Which is kinder?"\n')
    hashes = [RunInputs(world_config(llama, f"constitution.path={tmp_path / name}.toml")) for name in ("one", "two")]
    assert hashes[0].critique_texts() == hashes[1].critique_texts()
    assert hashes[0].comparison_texts() != hashes[1].comparison_texts()
