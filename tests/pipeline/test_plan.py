"""`solon plan`: the counts are those of a real run with texts of the greatest length, and scale as rows do."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.evaluated_run import evaluation_files
from pipeline.tiny_run import FOLDERS, TINY, WORLD, Told
from solon.cli.main import app
from solon.config.load import load_run_config
from solon.config.run import RunConfig
from solon.models.machine import Machine
from solon.pipeline.memory import training_memory, with_budgets
from solon.pipeline.plan import Asked, Plan, StagePlan, make_plan
from solon.progress import Reporter
from tiny_models import tiny_model_folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model_folder(tmp_path_factory.mktemp("plan") / "model", max_position_embeddings=4096)


def config_of(model: Path, *settings: str) -> RunConfig:
    return load_run_config("world", [*TINY, *WORLD, *settings], {"models.assistant": model})


def plan_of(model: Path, *settings: str, trial: bool = False) -> Plan:
    return make_plan(config_of(model, *settings), Reporter(io.StringIO()), trial=trial)


def asked(plan: Plan, stage: str) -> Asked:
    (found,) = next(one.asked for one in plan.stages if one.stage == stage)
    return found


JUDGE = ("models.judge.engine=endpoint", "models.judge.path=http://127.0.0.1:9/v1#m")
"""Nothing listens there."""


def test_calls_and_tokens_are_those_of_the_method(model: Path) -> None:
    """9 red-team prompts, 6 benign ones, 3 held out of each of 3 kinds; 2 rounds; 10 new tokens."""
    plan = plan_of(model)
    assert [stage.stage for stage in plan.stages] == list(FOLDERS)
    calls = {stage.stage: one.calls for stage in plan.stages for one in stage.asked}
    assert calls == {
        "revisions": 9 * (1 + 2 * 2),
        "helpful": 6,
        "pairs": 9 * 2,
        "comparisons": 9,
        "helpfulness": 6 * 4,
        "models/rl": 2 * 2 * 2,
        "answers-base": 9,
        "answers-sl": 9,
        "answers-rl": 9,
    }
    assert asked(plan, "revisions").tokens_written == 45 * 10
    assert asked(plan, "comparisons").tokens_written == 9
    assert asked(plan, "comparisons").role == "judge"
    assert (plan.seconds, plan.peak_bytes) == (None, None)


def test_micro_batches_are_as_large_as_the_arithmetic_has_room_for(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """0.8 of this machine's memory are what finetuning takes with 1,024 tokens at once. The preference model takes
    less; and twice as much room is no more than the default on a processor."""
    sections = ("sft", "preference", "rl")
    taken = training_memory(config_of(model, "sft.micro_batch_tokens=1024"))["sl"].total
    config = config_of(model, "models.device=cpu", *(f"{name}.micro_batch_tokens=auto" for name in sections))

    def chosen(memory: float) -> tuple[list[int | str], list[str]]:
        here = Machine(memory=int(memory), device="cpu", device_memory=int(memory))
        monkeypatch.setattr(Machine, "here", lambda device: here)
        found, said = with_budgets(config)
        return [getattr(found, name).micro_batch_tokens for name in sections], said

    (sl, pm, _), said = chosen((taken + 1) / 0.8)
    assert sl == 1024 < pm and said[0].startswith("sft.micro_batch_tokens is 1024, by what 0.")
    assert chosen((taken - 1) / 0.8)[0][0] == 512 == chosen(1)[0][0], "the least, where nothing fits"
    assert chosen(1 << 40)[0] == [4096] * 3
    told = Told()
    make_plan(config, told, trial=False)
    assert told.notes == [f"{name}.micro_batch_tokens is 4096, by what 1024.0 GiB of memory hold" for name in sections]
    assert with_budgets(config_of(model)) == (config_of(model), [])


def test_dpo_asks_nothing_and_needs_no_preference_model(model: Path) -> None:
    plan = plan_of(model, "alignment=dpo")
    folders = [stage.stage for stage in plan.stages]
    assert folders[-5:] == ["models/dpo", "answers-base", "answers-sl", "answers-dpo", "scores"]
    assert not {"models/pm", "models/rl"} & {*folders}
    assert [stage.asked for stage in plan.stages if stage.stage == "models/dpo"] == [()]
    assert asked(plan, "answers-dpo").calls == 9


def test_a_judge_that_is_the_reward_is_asked_in_every_step_and_needs_no_preference_model(model: Path) -> None:
    """2 steps of 2 prompts, of whose 4 answers every two are compared, or each and the next one; 9 pairs before."""
    rewarded = ("rl.rewards.preference=0", "rl.rewards.judge=1", "rl.samples_per_prompt=4", "rl.batch_size=8")
    for more, met in ((), 6), (("rl.rewards.judge_pairs=1",), 4):
        plan = plan_of(model, *rewarded, *more)
        stages = {stage.stage: stage for stage in plan.stages}
        assert "models/pm" not in stages
        base, judge = stages["models/rl"].asked
        assert (base.role, base.calls, judge.role, judge.calls) == ("base", 2 * 2 * 4, "judge", 2 * 2 * met)
        read = asked(plan, "comparisons").tokens_read / 9
        assert judge.tokens_read == pytest.approx(judge.calls * read, abs=1)
    prices = ("models.judge.endpoint.input_price=1", "models.judge.endpoint.samples=1")
    plan = plan_of(model, *JUDGE, *prices, *rewarded)
    cost = {stage.stage: sum(one.cost for one in stage.asked) for stage in plan.stages}
    assert cost["models/rl"] == pytest.approx(24 / 9 * cost["comparisons"], rel=1e-2) and cost["models/rl"] > 0


def test_every_model_that_rewards_takes_memory(model: Path) -> None:
    rewarded = ("rl.rewards.preference=0", "rl.rewards.judge=1", f"rl.rewards.models.other.path={model}")
    plain, other = training_memory(config_of(model)), training_memory(config_of(model, *rewarded))
    assert plain.keys() - other.keys() == {"pm"}
    held = other["rl"].held
    assert held.keys() ^ plain["rl"].held.keys() == {"preference model", "preference model other", "judge"}
    file = (model / "model.safetensors").stat().st_size
    assert held["judge"] == held["preference model other"] == file
    on_server = training_memory(config_of(model, *JUDGE, *rewarded))
    assert "judge" not in on_server["rl"].held


WATCHED = ("rl.steps=5", "rl.monitor.every=2", "rl.monitor.samples_per_prompt=3", "preference.holdout=0.4")
"""Looks before the first step, after the second and the fourth, and after the last."""


@pytest.mark.parametrize("orders", ["random", "both"])
def test_the_monitor_and_its_judge_are_asked_at_every_look(model: Path, orders: str) -> None:
    """From the second look on the judge compares every answer, in both orders; it reads all questions at once."""
    prices = ("models.judge.endpoint.input_price=1", "models.judge.endpoint.samples=1")
    settings = (*JUDGE, *prices, *WATCHED, "rl.monitor.gold=judge", f"judge.orders={orders}")
    plan = plan_of(model, *settings)
    base, judge = next(one.asked for one in plan.stages if one.stage == "models/rl")
    watched = (base.calls - 5 * 2 * 2) // 4
    assert base.calls == 5 * 2 * 2 + 4 * watched and watched % 3 == 0 and watched >= 6
    assert (judge.role, judge.calls, judge.tokens_written) == ("judge", 3 * watched * 2, 3 * watched * 2 * 4)
    compared = asked(plan, "comparisons")
    assert judge.tokens_read / judge.calls > compared.tokens_read / compared.calls
    assert plan.cost == pytest.approx(judge.cost + compared.cost) and judge.cost > 0
    few = plan_of(model, *settings, "rl.monitor.prompts=2")
    assert next(one.asked for one in few.stages if one.stage == "models/rl")[0].calls == 5 * 2 * 2 + 4 * 2 * 3


def test_who_the_monitor_goes_by_takes_memory(model: Path) -> None:
    def held(*settings: str) -> dict[str, int]:
        return training_memory(config_of(model, *WATCHED, *settings))["rl"].held

    plain, file = held(), (model / "model.safetensors").stat().st_size
    assert held("rl.monitor.gold=judge") == {**plain, "judge": file}
    assert held("rl.monitor.gold=judge", *JUDGE) == plain
    by_model = held("rl.monitor.gold=model", f"rl.monitor.model={model}")
    assert by_model == {**plain, "monitor's preference model": file}


def test_a_sample_too_small_for_the_monitor_is_tried_without_it(model: Path) -> None:
    """Of the sample's six prompts one would be watched."""
    more = ("prompts.harmful=12", "prompts.benign=12", "sampling.batch_size=3", "preference.holdout=0.2")
    plan = plan_of(model, *more, "rl.monitor.every=1", trial=True)
    assert plan.sample < plan.prompts and plan.seconds is not None


def test_evaluations_are_counted_and_do_not_grow_with_the_prompts(model: Path, tmp_path: Path) -> None:
    """Of four problems two are asked, at two temperatures, and so on; two prompts of each of three kinds are played
    on, by every two of three models, in both orders."""
    plan = plan_of(model, *evaluation_files(tmp_path))
    calls = {stage.stage: one.calls for stage in plan.stages for one in stage.asked}
    own = 2 * (3 + 2 + 3) + 4 + 2 * (3 + 2 + 2) + 4 * 4 + 3  # answers, games, choices in their orders, texts
    assert [calls[f"evaluated-{name}"] for name in ("base", "sl", "rl")] == [pytest.approx(own, rel=0.3)] * 3
    assert calls["games"] == 3 * 4 * 2
    assert not next(stage for stage in plan.stages if stage.stage == "harmfulness").asked  # a regressor is no role
    more = {stage.stage: stage for stage in plan.scaled(90).stages}
    for stage in plan.stages:
        if stage.stage.startswith("evaluated") or stage.stage == "games":
            assert more[stage.stage] == stage
    assert more["revisions"].asked[0].calls == 10 * calls["revisions"]


def test_both_orders_and_reasoning_cost_more_calls(model: Path) -> None:
    assert asked(plan_of(model, "judge.orders=both"), "comparisons").calls == 18
    reasoning = asked(plan_of(model, "judge.method=cot", "sampling.reasoning.max_new_tokens=7"), "comparisons")
    assert (reasoning.calls, reasoning.tokens_written) == (18, 9 * (7 + 1))


def test_a_sample_stands_for_the_whole(model: Path) -> None:
    """Three times as many prompts, of which no more are walked through."""
    more = ("prompts.harmful=18", "prompts.mixed=9", "prompts.benign=18", "prompts.evaluation=9")
    small, large = plan_of(model), plan_of(model, *more, "sampling.batch_size=9")
    assert (large.prompts, large.sample) == (27, 9)
    for stage in ("revisions", "helpful", "pairs", "comparisons", "helpfulness", "answers-rl"):
        assert asked(large, stage).calls == 3 * asked(small, stage).calls
    assert asked(large, "models/rl").calls == asked(small, "models/rl").calls


def test_the_gate_s_judge_costs_what_its_server_asks(model: Path) -> None:
    """Two revisions of 9 prompts, each in both orders; a million tokens read or written cost 1."""
    prices = ("models.judge.endpoint.input_price=1", "models.judge.endpoint.output_price=1")
    plan = plan_of(model, *JUDGE, *prices, "models.judge.endpoint.samples=1", "supervised.gate=true")
    stages = {stage.stage: stage for stage in plan.stages}
    judge = next(one for one in stages["revisions"].asked if one.role == "judge")
    assert judge.calls == 9 * 2 * 2
    assert judge.cost == pytest.approx((judge.tokens_read + judge.tokens_written) / 1e6)
    assert plan.cost == pytest.approx(judge.cost + asked(plan, "comparisons").cost)


def test_a_verdict_of_a_server_counts_as_the_most_that_it_may_take(model: Path) -> None:
    """The server is not asked: it may give no log-probabilities, and then takes samples of 4 tokens."""
    one, three = (
        asked(plan_of(model, *JUDGE, f"models.judge.endpoint.samples={samples}"), "comparisons") for samples in (1, 3)
    )
    assert (one.calls, one.tokens_written) == (9, 9 * 4)
    assert (three.calls, three.tokens_written, three.tokens_read) == (3 * 9, 3 * 9 * 4, 3 * one.tokens_read)


def test_the_memory_of_training_follows_from_the_run_file(model: Path) -> None:
    def memory(*settings: str) -> dict[str, int]:
        planned = plan_of(model, *settings).stages
        return {stage.stage: stage.memory_bytes for stage in planned if stage.memory_bytes is not None}

    plain, ppo = memory(), memory("rl.algorithm=ppo")
    assert plain.keys() == {"models/sl", "models/pm", "models/rl"}
    assert ppo["models/rl"] > plain["models/rl"] and ppo["models/sl"] == plain["models/sl"]
    adapters = memory("sft.lora.rank=4", "rl.lora.rank=4", "preference.gradient_checkpointing=true")
    assert all(adapters[stage] < plain[stage] for stage in plain)
    two = "preference.lora.rank=4", "rl.lora.rank=4"
    apart, shared, ppo = memory(*two), memory(*two, "preference.start=sl"), memory(*two, "rl.algorithm=ppo")
    assert shared["models/rl"] < apart["models/rl"]
    assert memory(*two, "preference.start=sl", "rl.algorithm=ppo") == ppo, "a value model needs the preference model"


def test_a_trial_measures_and_leaves_nothing(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    plan = plan_of(model, trial=True)
    assert list(tmp_path.iterdir()) == []
    assert plan.seconds is not None and plan.startup is not None and plan.startup > 0
    assert plan.seconds == pytest.approx(plan.startup + sum(stage.seconds or 0 for stage in plan.stages))
    written = {stage.stage: stage.tokens for stage in plan.stages}
    assert 0 < (written["revisions"] or 0) <= asked(plan, "revisions").tokens_written
    assert plan.peak_bytes is None or plan.peak_bytes > 1 << 26


def test_workers_share_the_data_stages_alone() -> None:
    data = StagePlan(stage="revisions", trains=False, asked=(), tokens=100, seconds=64.0)
    training = StagePlan(stage="models/sl", trains=True, asked=(), tokens=100, seconds=10.0)
    rl = StagePlan(stage="models/rl", trains=True, asked=(), tokens=5, seconds=3.0)
    plan = Plan(prompts=50, sample=5, stages=(data, training, rl), startup=1.0)
    assert plan.seconds == 1 + 64 + 10 + 3
    assert plan.scaled(100, workers=4).seconds == 1 + 2 * 64 / 4 + 2 * 10 + 3


def test_the_command_prints_a_plan_and_reads_it_again(model: Path, tmp_path: Path) -> None:
    settings = [part for one in (*TINY, *WORLD) for part in ("--set", one)]
    command = ["plan", "world", "--model", str(model), "--no-trial", *settings]
    printed = CliRunner().invoke(app, [*command, "--json"])
    assert printed.exit_code == 0, printed.output
    (tmp_path / "plan.json").write_text(printed.output)
    again = CliRunner().invoke(app, ["plan", "--from", str(tmp_path / "plan.json"), "--rows", "9000", "--json"])
    assert json.loads(again.output)["stages"][1]["asked"][0]["calls"] == 45_000
    table = CliRunner().invoke(app, ["plan", "--from", str(tmp_path / "plan.json"), "--workers", "2"])
    assert "9 red-team prompts, 2 workers" in table.output and "--trial" in table.output
    memory = ", ".join(rf"models/{stage} 0\.\d GiB" for stage in ("sl", "pm", "rl"))
    assert re.search(f"\nmemory of training, by arithmetic: {memory}\n", table.output)


def test_what_is_no_plan_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text("{}")
    for name in ("plan.json", "missing.json"):
        refused = CliRunner().invoke(app, ["plan", "--from", str(tmp_path / name)])
        assert refused.exit_code == 2
        (line,) = refused.stderr.strip().splitlines()
        assert name in line


def test_a_server_is_not_asked_before_anything_is_spent(model: Path) -> None:
    settings = [part for one in (*TINY, *WORLD, *JUDGE) for part in ("--set", one)]
    planned = CliRunner().invoke(app, ["plan", "world", "--model", str(model), *settings])
    assert planned.exit_code == 0, planned.output
    assert "comparisons" in planned.output
    assert CliRunner().invoke(app, ["plan", "world", "--model", str(model), "--trial", *settings]).exit_code == 2
