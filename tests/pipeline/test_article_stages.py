"""Runs whose data are made from the articles of a document: by a scripted model on prompts of one's own, and in the
world."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.test_whole_document import document
from pipeline.tiny_run import TINY, Told, data, differing, manifest, rows, run_in, world_config
from solon.artifacts.run_folder import RunFolder
from solon.config.engines import EndpointSection
from solon.config.load import load_run_config
from solon.config.run import RunConfig
from solon.errors import EngineUnavailableError, NoiseError, RunError, TimedOutError, UnscoredError
from solon.evals.preference import ScoredPair
from solon.evals.quality import text_quality
from solon.feedback.dialogues import WHY
from solon.lm.engines import ModelSpec, scripted
from solon.lm.engines.scripted import ScriptedModel
from solon.lm.protocols import SampleRequest, ScoreRequest
from solon.pipeline.actors import Actors, FormatFacts
from solon.pipeline.grading import held_out_pairs
from solon.pipeline.plan import make_plan
from solon.pipeline.run import run_pipeline
from solon.progress import Reporter
from solon.records import Dialogue, Prompt, Ranking
from solon.report.lineage.lineage import lineage
from solon.train.preference import holdout_draw

SCENARIOS = ("scenarios.per_article=2", "scenarios.tries=2")


def reply(request: SampleRequest) -> str:
    """A list of prompts, an explanation, or an answer."""
    if "Write 5 messages" in request.prompt:
        article = re.search(r"one of its articles\.\s+(\w+)", request.prompt)
        assert article is not None
        words = [f"{request.seed % 997} {word}" for word in ("apples", "birds", "carts", "doors", "eggs")]
        return "\n".join(f"{n}. May I take the {word} for {article[1]}?" for n, word in enumerate(words, start=1))
    if request.prompt.rstrip().endswith(f"{WHY}\n\nAssistant:"):
        return "I went by Harm."
    kind = "GOOD" if "You follow a constitution." in request.prompt else "Plain"
    return f"{kind} answer {request.seed % 1000}."


def prefers_good(request: ScoreRequest) -> tuple[float, float]:
    first = request.prompt.find("(A) GOOD") >= 0
    return (math.log(0.8), math.log(0.2)) if first else (math.log(0.2), math.log(0.8))


@pytest.fixture
def own(llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunConfig:
    """Prompts of one's own, a scripted assistant who judges too, and a random model to train."""

    def open_engine(spec: ModelSpec) -> ScriptedModel:
        return ScriptedModel(reply, prefers_good, format=spec.format)

    monkeypatch.setattr(scripted, "open_engine", open_engine)
    red, good = tmp_path / "red.jsonl", tmp_path / "good.jsonl"
    red.write_text("".join(json.dumps({"prompt": f"How do I steal ladder number {n}?"}) + "\n" for n in range(8)))
    good.write_text(
        "".join(json.dumps({"prompt": f"How do I prune rose {n}?", "kind": "benign"}) + "\n" for n in range(8))
    )
    settings = [
        *TINY,
        *SCENARIOS,
        *("prompts.harmful=4", "prompts.benign=3", "prompts.evaluation=2", "alignment=dpo", "dpo.batch_size=4"),
        *(f"prompts.source={red}", f"prompts.helpful={good}", f"constitution.path={document(tmp_path)}"),
        *("models.assistant.path=x", "models.assistant.engine=scripted", f"models.base.path={llama}"),
        *("dpo.epochs=1", "dpo.holdout=0", "models.base.engine=local", "sampling.answers.max_new_tokens=120"),
    ]
    return load_run_config(None, settings, {})


def test_a_run_makes_its_data_from_articles_and_its_trace_leads_back_to_them(own: RunConfig, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run_in(folder, own)
    scenarios = [Prompt.model_validate(row) for row in rows(folder, "scenarios", "prompts")]
    assert [one.principle_id for one in scenarios] == ["harm", "harm", "use", "use"]
    made = manifest(folder, "scenarios")
    assert made.facts["by_article"] == {"harm": 2, "use": 2}
    other = made.counts.other
    left_out = sum(count for name, count in other.items() if name.startswith("line left out"))
    assert other["lines of replies"] == other["scenarios"] + left_out

    dialogues = [Dialogue.model_validate(row) for row in rows(folder, "dialogues")]
    counts = manifest(folder, "dialogues").counts
    assert counts.rows_in == len(scenarios) == len(dialogues) + sum(counts.dropped.values())
    assert [one.principle_id for one in dialogues] == ["harm", "harm"], "the script names no other"
    assert counts.dropped == {"the explanation names another article alone": 2}
    sources = [row["source"] for row in rows(folder, "models/sl", "demonstrations")]
    assert sources.count("dialogue") == sources.count("explanation") == len(dialogues) > 0

    rankings = [Ranking.model_validate(row) for row in rows(folder, "rankings")]
    assert {one.prompt_id for one in rankings} == {one.id for one in scenarios}
    compared = sum(len(one.comparisons) for one in rankings)
    assert manifest(folder, "models/dpo").counts.rows_in == compared + len(rows(folder, "comparisons")) + len(
        rows(folder, "helpfulness")
    )
    assert {row["prompt_id"] for row in rows(folder, "revisions")} >= {one.id for one in scenarios}
    assert not {row["prompt_id"] for row in rows(folder, "pairs")} & {one.id for one in scenarios}

    example = next(row for row in rows(folder, "models/sl", "demonstrations") if row["source"] == "explanation")
    for name in (scenarios[0].id, example["id"], rankings[0].id, rankings[0].comparisons[0].id):
        told = lineage(folder, name, most=3).model_dump_json()
        assert "constitution/harm" in told, name
    forward = {step.says: step.total for step in lineage(folder, "harm", most=3).forward}
    assert forward["prompts written from it"] == 2
    assert forward["dialogues that explain themselves by it"] == len(dialogues)
    assert forward["rankings of answers to what was written from it"] == 2


class Killed(Exception):
    pass


class Kills(Told):
    """In the second shard of these stages that it sees."""

    shards = 0

    def advance(self, rows: int, tokens: int) -> None:
        super().advance(rows, tokens)
        self.shards += bool(rows) and self.stages[-1] in ("scenarios", "dialogues", "rankings")
        if self.shards == 2:
            raise Killed


def test_a_killed_run_ends_with_the_same_bytes(own: RunConfig, tmp_path: Path) -> None:
    """Of shards of one row: two requests, four scenarios in each of two stages."""
    config = own.model_copy(update={"sampling": own.sampling.model_copy(update={"shard_rows": 1})})
    run_in(tmp_path / "whole", config)
    kills = 0
    for _ in range(99):
        with RunFolder.create(tmp_path / "killed", config) as run:
            try:
                run_pipeline(run, Kills())
            except Killed:
                kills += 1
            else:
                break
    assert kills == 2 + 4 + 4 - 1, "each but the last kept one shard"
    assert differing(data(tmp_path / "whole"), data(tmp_path / "killed")) == []


def test_dialogues_that_an_outage_of_the_judge_lost_are_asked_for_again(
    own: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The two that name their article come to the judge."""

    def out(request: ScoreRequest) -> tuple[float, float]:
        raise TimedOutError("no answer")

    def unread(request: ScoreRequest) -> tuple[float, float]:
        return (math.nan, math.nan)

    def judged(score: Callable[[ScoreRequest], tuple[float, float]]) -> None:
        monkeypatch.setattr(scripted, "open_engine", lambda spec: ScriptedModel(reply, score, format=spec.format))

    run_in(tmp_path / "well", own, until="dialogues")
    run_in(tmp_path / "run", own, until="helpful")
    judged(out)
    with pytest.raises(EngineUnavailableError, match=r"dialogues lost 2 of 2 verdicts .*timed out: 2"):
        run_in(tmp_path / "run", own, until="dialogues")
    judged(prefers_good)
    run_in(tmp_path / "run", own, until="dialogues")
    assert rows(tmp_path / "run", "dialogues") == rows(tmp_path / "well", "dialogues") != []
    judged(unread)
    with pytest.raises(UnscoredError, match=r"2 of 2 comparisons could not be read \(no probabilities: 2\)"):
        run_in(tmp_path / "unread", own, until="dialogues")


def test_a_run_goes_on_without_dialogues_whatever_was_written(
    own: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every explanation is noise; it counts for nothing, as nothing learns from it."""

    def noise(request: SampleRequest) -> str:
        return "no no " * 40 if request.prompt.rstrip().endswith(f"{WHY}\n\nAssistant:") else reply(request)

    monkeypatch.setattr(scripted, "open_engine", lambda spec: ScriptedModel(noise, prefers_good, format=spec.format))
    run_in(tmp_path / "run", own, until="dialogues")
    kept = manifest(tmp_path / "run", "dialogues").counts
    assert kept.rows_out == 0 and not text_quality("dialogues", kept.other)


def test_dialogues_are_written_with_system_turns_of_their_own(
    own: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, real = [], Actors.format_facts

    def facts(self: Actors, role: Any, *, system: bool) -> FormatFacts:
        told.append(system)
        return real(self, role, system=system)

    monkeypatch.setattr(Actors, "format_facts", facts)
    run_in(tmp_path / "run", own, until="helpful")
    assert told and not any(told)
    run_in(tmp_path / "run", own, until="dialogues")
    assert told[-2:] == [True, True], "the assistant and the judge"


def test_the_world_makes_its_own_and_a_random_model_explains_nothing(llama: Path, tmp_path: Path) -> None:
    config = world_config(llama, *SCENARIOS, "constitution.path=harmless-first", "rl.steps=1")
    told = run_in(tmp_path / "run", config)
    scenarios = [Prompt.model_validate(row) for row in rows(tmp_path / "run", "scenarios", "prompts")]
    assert [one.principle_id for one in scenarios] == [n for n in ("harmless", "frank") for _ in range(2)]
    assert {one.kind for one in scenarios} == {"harmful"} and len({one.id for one in scenarios}) == 4
    assert any("asks no model" in note for note in told.notes)
    assert any("dialogues kept none of its 4 rows" in note for note in told.notes)
    assert rows(tmp_path / "run", "dialogues") == []


def test_which_ranked_answer_is_truly_better_is_known_in_the_world(
    llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs: list[ScoredPair] = []

    def keep(margins: Any, compared: Any, known: Any) -> list[ScoredPair]:
        pairs.extend(found := held_out_pairs(margins, compared, known))
        return found

    monkeypatch.setattr("solon.pipeline.preference_evidence.held_out_pairs", keep)
    config = world_config(llama, *SCENARIOS, "constitution.path=harmless-first", "rl.steps=1", "preference.holdout=0.5")
    run_in(tmp_path / "run", config)
    ranked = [pair for pair in pairs if (pair.prompt or "").startswith("scenario-")]
    assert ranked and all(pair.better is not None for pair in ranked)


def test_a_model_that_writes_no_prompt_ends_the_run_with_what_to_do(
    own: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(spec: ModelSpec) -> Any:
        return ScriptedModel(lambda request: "No.", prefers_good, format=spec.format)

    monkeypatch.setattr(scripted, "open_engine", silent)
    with pytest.raises(RunError, match=r"the model wrote no scenario from any of 2 articles \(.*: 2\)"):
        run_in(tmp_path / "run", own, until="scenarios")


def test_nothing_learns_from_ranked_answers_that_are_noise(own: RunConfig, tmp_path: Path) -> None:
    """A random model writes them."""
    run_in(tmp_path / "run", own, until="helpfulness")
    strict = own.model_copy(update={"quality": own.quality.model_copy(update={"max_unfinished": 0.0})})
    with pytest.raises(NoiseError, match=r"stage rankings: \d+ of 12 answers are cut off.*raise pairs\.max_new_tokens"):
        run_in(tmp_path / "run", strict, until="dpo")


def test_a_plan_counts_what_is_asked(own: RunConfig) -> None:
    samples = EndpointSection().samples  # that a verdict may take of a model without files
    planned = {
        one.stage: {each.role: each.calls for each in one.asked}
        for one in make_plan(own, Reporter(sys.stderr), trial=False).stages
    }
    assert planned["scenarios"] == {"assistant": 2}
    assert planned["dialogues"] == {"assistant": 4 * 3, "judge": 4 * 2 * samples}
    assert planned["rankings"] == {"base": 4 * 3, "judge": 4 * 3 * 2 * 2 * samples}


def test_a_plan_from_a_sample_knows_that_requests_ask_for_several(own: RunConfig) -> None:
    """12 prompts of each of 2 articles are 5 requests each; of the sample's 6, and of fewer, 3."""
    many = own.model_copy(
        update={
            "scenarios": own.scenarios.model_copy(update={"per_article": 12}),
            "sampling": own.sampling.model_copy(update={"batch_size": 2}),
        }
    )
    found = make_plan(many, Reporter(sys.stderr), trial=False)
    assert found.sample < found.prompts
    planned = {one.stage: {each.role: each.calls for each in one.asked} for one in found.stages}
    assert planned["scenarios"] == {"assistant": 2 * 5}
    assert planned["dialogues"]["assistant"] == 2 * 12 * 3


def test_a_plan_knows_that_the_monitor_asks_scenarios_too(llama: Path) -> None:
    def watched(*settings: str) -> int:
        monitor = ("rl.monitor.every=1", "rl.monitor.samples_per_prompt=1", "preference.holdout=0.4", "rl.steps=1")
        config = world_config(llama, "constitution.path=harmless-first", *monitor, *settings)
        stages = make_plan(config, Reporter(sys.stderr), trial=False).stages
        return next(one.asked[0].calls for one in stages if one.stage == "models/rl")

    drawn = [f"scenario-{name}-{n:03d}" for name in ("harmless", "frank") for n in range(20)]
    own = sum(holdout_draw(name, seed=0) < 0.4 for name in drawn)
    assert watched("scenarios.per_article=20") == watched() + 2 * own > watched(), "before the step and after it"
