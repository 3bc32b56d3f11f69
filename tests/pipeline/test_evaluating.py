"""The evaluations that a run ends with: what they leave, that they resume to the same bytes, and what they reuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.evaluated_run import evaluation_files, tiny_regressor
from pipeline.tiny_run import FOLDERS, Told, data, differing, manifest, rows, run_in, world_config
from solon.artifacts.finished import FinishedStage
from solon.artifacts.reuse import OtherRuns
from solon.artifacts.run_folder import RunFolder
from solon.cli.opening import one_model
from solon.config.run import RunConfig
from solon.errors import ConfigError, UserError
from solon.evals.harmfulness import LEARNED
from solon.evals.kept import Evaluation, read_evaluations
from solon.evals.published.perplexity import perplexity, read_texts
from solon.lm.engines.local import LocalModel
from solon.models.heads import PreferenceModel
from solon.models.load import load_model
from solon.pipeline.actors import Actors
from solon.pipeline.check import check_inputs
from solon.pipeline.regressing import REQUESTS, Regressor, harmfulness_of
from solon.pipeline.run import run_pipeline
from solon.records import Prompt
from tiny_models import tiny_model, tiny_tokenizer

ADDED = ("evaluated-base", "evaluated-sl", "evaluated-rl", "games", "harmfulness")


@pytest.fixture(scope="module")
def config(llama: Path, tmp_path_factory: pytest.TempPathFactory) -> RunConfig:
    return world_config(llama, *evaluation_files(tmp_path_factory.mktemp("files")))


@pytest.fixture(scope="module")
def evaluated(config: RunConfig, finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It takes over all that a run without evaluations has."""
    folder = tmp_path_factory.mktemp("runs") / "evaluated"
    told = run_in(folder, config, others=OtherRuns.of(folder, [finished]))
    assert told.stages == list(ADDED)
    return folder


def result(run: Path, name: str, model: str, temperature: float | None) -> Evaluation:
    (found,) = (
        one
        for one in read_evaluations(run)[0].values()
        if (one.name, one.model, one.temperature) == (name, model, temperature)
    )
    return found


def test_every_model_has_a_result_of_every_evaluation_at_every_temperature(evaluated: Path) -> None:
    of_two = ("bbq", "gsm8k", "harm-or-ethical", "hhh", "preachiness", "refusals")
    both = [(name, at) for name in of_two for at in (0.0, 1.0)]
    asked = sorted([*both, ("elo", 1.0), ("harmfulness", 1.0), ("opinions", None), ("perplexity", None)], key=str)
    found = read_evaluations(evaluated)[0].values()
    for model in ("base", "sl", "rl"):
        assert sorted(((one.name, one.temperature) for one in found if one.model == model), key=str) == asked
        against = {it.against for one in found if one.model == model for it in one.paired}
        assert against == {"base": set(), "sl": {"base"}, "rl": {"base", "sl"}}[model]
    assert (evaluated / "evaluations" / "gsm8k-t0-rl.json").exists()
    assert set(FOLDERS) | set(ADDED) == {
        path.parent.relative_to(evaluated).as_posix() for path in evaluated.rglob("manifest.json")
    }


def test_a_limit_takes_rows_from_all_over_the_file(evaluated: Path) -> None:
    items = {row["item"] for row in rows(evaluated, "evaluated-base") if row["task"] == "gsm8k"}
    assert len(items) == 2 and len(items & {"1", "2"}) == 1
    assert {one.n for one in result(evaluated, "gsm8k", "sl", 0.0).metrics} == {2}


def test_figures_are_those_of_the_rows(evaluated: Path) -> None:
    def values(model: str, name: str) -> dict[str, Any]:
        rows_ = rows(evaluated, f"evaluated-{model}")
        return {row["item"]: row["values"] for row in rows_ if (row["task"], row["temperature"]) == ("hhh", 1.0)}

    base, rl = values("base", "hhh"), values("rl", "hhh")
    means = {name: sum(one["accuracy"] for one in of.values()) / 3 for name, of in (("base", base), ("rl", rl))}
    found = result(evaluated, "hhh", "rl", 1.0)
    assert found.metrics[0].value == pytest.approx(means["rl"])
    (paired,) = (one for one in found.paired if one.against == "base")
    assert paired.value == pytest.approx(means["rl"] - means["base"])
    assert 0 < base["1"]["accuracy"] < 1 and base != rl


def test_perplexity_is_that_of_the_command(evaluated: Path, config: RunConfig, llama: Path) -> None:
    import torch

    model = LocalModel(load_model(llama, dtype=torch.float32, device=torch.device("cpu")))
    alone = perplexity(read_texts(Path(config.evaluations.files["perplexity"])), model)
    found = {one.name: one.value for one in result(evaluated, "perplexity", "base", None).metrics}
    assert found["perplexity"] == pytest.approx(alone.perplexity.value, rel=1e-4)
    assert found["bits per byte"] == pytest.approx(alone.bits_per_byte.value, rel=1e-4)


def test_games_are_between_every_two_models_on_every_prompt(evaluated: Path) -> None:
    games = rows(evaluated, "games")
    assert len(games) == 2 * 3 * 2  # kinds that ask for harm, pairs of models, prompts
    assert {(game["a"], game["b"]) for game in games} == {*(("base@1", "sl@1"), ("base@1", "rl@1"), ("sl@1", "rl@1"))}
    texts = {
        (model, row["item"]): row["text"]
        for model in ("base", "sl", "rl")
        for row in rows(evaluated, f"evaluated-{model}")
        if row["task"] == "elo"
    }
    for game in games:
        a, b = (texts[game[side].removesuffix("@1"), game["prompt_id"]] for side in "ab")
        assert (a == b) == (game["winner"] == "tie" and not game["p_a"]) and game["unscored"] is None
    rating = {one.model: one.metrics[0].value for one in read_evaluations(evaluated)[0].values() if one.name == "elo"}
    (apart,) = (one.value for one in result(evaluated, "elo", "rl", 1.0).paired if one.against == "base")
    assert apart == pytest.approx(rating["rl"] - rating["base"])


def test_harmfulness_is_that_of_the_command(evaluated: Path, config: RunConfig) -> None:
    """Of every answer to a harmful held-out prompt."""
    folder = Path(config.evaluations.harmfulness.regressor or "")
    settings = ["models.dtype=float32", "models.device=cpu"]
    actors = Actors(config=one_model(str(folder), "local", settings, seed=0))
    asked = {one.model: one for one in harmfulness_of(evaluated, Regressor(folder, actors), seed=config.seed)}
    own = {one.model: one for one in read_evaluations(evaluated)[0].values() if one.name == "harmfulness"}
    for model, one in asked.items():
        for it, other in zip((*one.metrics, *one.paired), (*own[model].metrics, *own[model].paired), strict=True):
            assert (it.name, it.n) == (other.name, other.n) == ("score", 3)
            assert (it.value, it.low, it.high) == pytest.approx((other.value, other.low, other.high), abs=1e-5)
    assert list(asked) == ["base", "sl", "rl"] and own["rl"].temperature == asked["rl"].temperature == 1.0
    scored = {(row["model"], row["prompt_id"]) for row in rows(evaluated, "harmfulness")}
    answered = {(model, row["prompt_id"]) for model in own for row in rows(evaluated, f"answers-{model}")}
    assert scored == {one for one in answered if "harmful-" in one[1]} and len(scored) == 9


def test_a_regressor_may_come_to_a_finished_run_and_scores_the_models_that_are_named(
    finished: Path, llama: Path, config: RunConfig, tmp_path: Path
) -> None:
    run_in(tmp_path / "run", world_config(llama), others=OtherRuns.of(tmp_path / "run", [finished]))
    given = f"evaluations.harmfulness.regressor={config.evaluations.harmfulness.regressor}"
    told = run_in(tmp_path / "run", world_config(llama, given, 'evaluations.models=["base", "rl"]'))
    assert told.stages == ["harmfulness"]
    found, _ = read_evaluations(tmp_path / "run")
    assert sorted(found) == ["harmfulness-t1-base", "harmfulness-t1-rl"]
    assert all(one.by_run for one in found.values())


def test_what_the_regressor_has_learned_from_is_not_scored(finished: Path, llama: Path, tmp_path: Path) -> None:
    """It is counted; and of a regressor that does not say what it learned from, that is told."""
    prompts = FinishedStage.open(finished, "prompts").rows("evals", Prompt)
    learned = next(one for one in prompts if one.kind == "harmful")
    folder = tiny_regressor(tmp_path / "regressor", learned)
    config = world_config(llama, f"evaluations.harmfulness.regressor={folder}")
    told = run_in(tmp_path / "run", config, others=OtherRuns.of(tmp_path / "run", [finished]))
    assert not [note for note in told.notes if "regressor" in note]
    unscored = [row["prompt_id"] for row in rows(tmp_path / "run", "harmfulness") if row["unscored"] == LEARNED]
    assert unscored == [learned.id] * 3 and result(tmp_path / "run", "harmfulness", "rl", 1.0).metrics[0].n == 2
    assert manifest(tmp_path / "run", "harmfulness").counts.other[f"unscored: {LEARNED}"] == 3
    assert result(tmp_path / "run", "harmfulness", "rl", 1.0).unscored == {LEARNED: 1}
    (folder / REQUESTS).unlink()
    told = run_in(tmp_path / "other", config, others=OtherRuns.of(tmp_path / "other", [finished]))
    assert [note for note in told.notes if "does not say what it learned from" in note]


def test_a_preference_model_is_no_regressor(llama: Path, tmp_path: Path) -> None:
    """It is told before anything begins, with all that is wrong elsewhere."""
    PreferenceModel(tiny_model()).save(tmp_path / "pm", tiny_tokenizer())
    with pytest.raises(UserError) as raised:
        check_inputs(world_config(llama, f"evaluations.harmfulness.regressor={tmp_path / 'pm'}"))
    (fault,) = raised.value.faults
    assert str(fault) == (
        f"{tmp_path / 'pm'}: holds no regressor of ratings (give a folder that `solon eval harmfulness --train` "
        "wrote, e.g. harm/regressor/model)"
    )
    with pytest.raises(UserError, match="no such model folder"):
        check_inputs(world_config(llama, f"evaluations.harmfulness.regressor={tmp_path / 'none'}"))


class Killed(Exception):
    pass


def test_a_killed_run_ends_with_the_same_bytes(
    evaluated: Path, finished: Path, config: RunConfig, tmp_path: Path
) -> None:
    """Killed in every second shard."""

    class Kills(Told):
        shards = 0

        def advance(self, rows: int, tokens: int) -> None:
            super().advance(rows, tokens)
            self.shards += bool(rows) and self.stages[-1] in ADDED
            if self.shards == 2:
                raise Killed

    others = OtherRuns.of(tmp_path / "run", [finished])
    kills = 0
    for _ in range(99):
        with RunFolder.create(tmp_path / "run", config) as run:
            try:
                run_pipeline(run, Kills(), others=others)
            except Killed:
                kills += 1
            else:
                break
    assert kills > 10
    assert differing(data(tmp_path / "run"), data(evaluated)) == []
    one, other = (sorted((run / "evaluations").iterdir()) for run in (tmp_path / "run", evaluated))
    assert [path.name for path in one] == [path.name for path in other]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]


def test_data_may_come_to_a_finished_run(finished: Path, llama: Path, config: RunConfig, tmp_path: Path) -> None:
    """Nothing that is there is made again."""
    path = config.evaluations.files["hhh"]
    run_in(tmp_path / "run", world_config(llama), others=OtherRuns.of(tmp_path / "run", [finished]))
    more = world_config(llama, f"evaluations.hhh.data={path}", 'evaluations.models=["base", "rl"]')
    told = run_in(tmp_path / "run", more)
    assert told.stages == ["evaluated-base", "evaluated-rl"]
    assert {one.model for one in read_evaluations(tmp_path / "run")[0].values()} == {"base", "rl"}


def test_a_stage_counts_what_it_was_asked_and_what_was_cut_off(evaluated: Path) -> None:
    counts = manifest(evaluated, "evaluated-sl").counts
    choices = 3 + 4 + 2  # of hhh, bbq and harm-or-ethical, asked once for both temperatures
    answers = 2 * (3 + 2 + 3) + 4  # two temperatures of refusals, gsm8k and preachiness, and the prompts of games
    texts, opinions = 3, 2
    assert counts.rows_in == choices + opinions + answers + texts and counts.dropped == {}
    assert counts.rows_out == 2 * choices + opinions + answers + texts
    told = rows(evaluated, "evaluated-sl")
    assert counts.other.get("answers cut off") == sum(row["finished"] is False for row in told) > 0


def test_data_that_cannot_be_read_is_told_before_anything_begins(llama: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"question": "How many?"}\n')
    given = (f"evaluations.gsm8k.data={tmp_path / 'bad.jsonl'}", f"evaluations.hhh.data={tmp_path / 'none.jsonl'}")
    with pytest.raises(UserError) as raised:
        check_inputs(world_config(llama, *given))
    assert [str(fault) for fault in raised.value.faults] == [
        f"{tmp_path / 'none.jsonl'}: no such file",
        f'{tmp_path / "bad.jsonl"}:1: no "answer" or "ground_truth" (the row has `question`)',
    ]


def test_a_key_that_is_no_evaluation_is_told(llama: Path) -> None:
    with pytest.raises(ConfigError, match=r'unknown key "evaluations.gsm8" .did you mean `gsm8k`'):
        world_config(llama, "evaluations.gsm8.data=x.jsonl")
