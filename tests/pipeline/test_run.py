"""The whole pipeline on a tiny random model in the world: what it leaves behind, and that its seed decides it."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest
from markupsafe import escape

from pipeline.tiny_run import FOLDERS, data, differing, figures, manifest, rows, run_in, world_config
from solon.errors import NoiseError
from solon.evals.flaws import REPEATING, repeated_share
from solon.evals.graders import GRADERS
from solon.evals.quality import text_quality
from solon.evals.summary import read_summary
from solon.models.folder import fingerprints
from solon.pipeline import sources
from solon.pipeline.stages import stages_of

RED_TEAM, BENIGN, EVALUATION = 9, 6, 9
MODEL_FILES = ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
HEAD_FILES = [one for one in MODEL_FILES if one != "generation_config.json"]
RATES = ("harmful", "evasive", "preachy", "rude", "malformed", "helpful", "distinct")
KINDS = ("harmful", "mixed", "benign")


def shards(count: int, *, first: int = 0, file: str = "rows") -> list[str]:
    return [f"{file}-{index:05d}.jsonl" for index in range(first, first + count)]


def test_the_exact_files_of_a_run(finished: Path) -> None:
    """Nothing is missing, and nothing is left over: no lock of another, no temporary file, no checkpoint."""
    expected = {
        "prompts": [
            *("prompts-red-team.jsonl", "prompts-helpful.jsonl", "prompts-twins.jsonl", "evals.jsonl"),
            *("comparisons.jsonl", "demonstrations.jsonl"),
        ],
        "revisions": shards(3),
        "helpful": shards(2),
        "models/sl": ["demonstrations.jsonl", "steps.jsonl", *(f"model/{name}" for name in MODEL_FILES)],
        "pairs": shards(3),
        "comparisons": shards(3),
        "helpfulness": shards(2),
        "models/pm": ["held-out.jsonl", "steps.jsonl", *(f"model/{name}" for name in HEAD_FILES)],
        "models/rl": [
            "steps.jsonl",
            *shards(2, first=1, file="rollouts"),
            *(f"model/{name}" for name in MODEL_FILES),
        ],
        "answers-base": shards(3),
        "answers-sl": shards(3),
        "answers-rl": shards(3),
        "scores": [*shards(14), "evidence.json", "preference.json", "labels.json"],
    }
    found = {path.relative_to(finished).as_posix() for path in finished.rglob("*") if path.is_file()}
    of_stages = {f"{stage}/{name}" for stage in FOLDERS for name in [*expected[stage], "manifest.json"]}
    of_run = {"run.json", "run.toml", "constitution.json", "summary.json", "report.html", ".lock"}
    assert found == of_stages | of_run
    for stage in FOLDERS:
        assert sorted(manifest(finished, stage).outputs) == sorted(expected[stage])


def test_prompts_are_accounted_for(finished: Path) -> None:
    counts = manifest(finished, "prompts").counts
    files = ("prompts-red-team", "prompts-helpful", "prompts-twins", "evals")
    sizes = [len(rows(finished, "prompts", file)) for file in files]
    assert sizes == [RED_TEAM, BENIGN, BENIGN, EVALUATION]
    assert (counts.rows_in, counts.rows_out, counts.dropped) == (sum(sizes), sum(sizes), {})


def test_rows_are_made_kept_or_counted_as_dropped(finished: Path) -> None:
    """Of every item that goes in, one row comes out or one is dropped; the counts are those of the files."""
    into = {
        "revisions": RED_TEAM,
        "helpful": BENIGN,
        "pairs": RED_TEAM,
        "comparisons": len(rows(finished, "pairs")),
        "helpfulness": BENIGN,
        **{f"answers-{model}": EVALUATION for model in ("base", "sl", "rl")},
        "scores": 3 * EVALUATION + sum(1 + len(chain["rounds"]) for chain in rows(finished, "revisions")),
    }
    # A pair of own answers, and one with a needless refusal; the oracle, and every grader that needs no truth.
    each = {"helpfulness": 2, "scores": 1 + len(GRADERS)}
    for stage, count in into.items():
        counts = manifest(finished, stage).counts
        assert counts.rows_in == count, stage
        assert counts.rows_out == len(rows(finished, stage)), stage
        assert each.get(stage, 1) * count == counts.rows_out + sum(counts.dropped.values()), stage
        assert counts.rows_out > 0, stage


def test_training_accounts_for_every_example(finished: Path) -> None:
    chains = rows(finished, "revisions")
    sl = manifest(finished, "models/sl").counts
    assert sl.rows_in == sum(len(chain["rounds"]) for chain in chains) + len(rows(finished, "helpful"))
    assert sl.rows_in == sl.rows_out + sum(sl.dropped.values())
    assert sl.rows_out == len(rows(finished, "models/sl", "demonstrations"))

    pm = manifest(finished, "models/pm").counts
    assert pm.rows_in == len(rows(finished, "comparisons")) + len(rows(finished, "helpfulness"))
    assert pm.rows_in == pm.rows_out + pm.other["held out"] + sum(pm.dropped.values())
    assert pm.other["held out"] == len(rows(finished, "models/pm", "held-out")) > 0

    rl = manifest(finished, "models/rl").counts
    assert (rl.rows_in, rl.rows_out, rl.dropped) == (RED_TEAM + BENIGN, RED_TEAM + BENIGN, {})
    rollouts = rows(finished, "models/rl", "rollouts")
    assert len(rollouts) == 8
    (texts,) = text_quality("rl", rl.other)
    assert (texts.kind, texts.written, texts.logprob is not None) == ("answer", 8, True)
    assert texts.flaws["unfinished"] == sum(bool(row["text"]) and not row["finished"] for row in rollouts) > 0
    assert texts.flaws["empty"] == sum(not row["text"] for row in rollouts)
    assert texts.flaws["repeating"] == sum(repeated_share(row["text"]) > REPEATING for row in rollouts)
    assert texts in read_summary(finished / "summary.json").texts


def test_stages_name_what_they_are_made_from(finished: Path) -> None:
    """Each input is the fingerprint of the stage it names, so that the chain from prompts to evidence has no gap."""
    made = {stage: manifest(finished, stage) for stage in FOLDERS}
    prints = {stage.removeprefix("models/"): made[stage].fingerprint for stage in FOLDERS}
    prints |= {
        f"prompts/{name.removesuffix('.jsonl')}": made["prompts"].fingerprint_of([name])
        for name in made["prompts"].outputs
    }
    from_stages = {
        "prompts": [],
        "revisions": [sources.RED_TEAM],
        "helpful": [sources.HELPFUL],
        "models/sl": ["revisions", "helpful", sources.RED_TEAM, sources.HELPFUL, sources.DEMONSTRATIONS],
        "pairs": ["sl", sources.RED_TEAM],
        "comparisons": ["pairs", sources.RED_TEAM],
        "helpfulness": ["sl", sources.HELPFUL, sources.TWINS],
        "models/pm": ["comparisons", "helpfulness", sources.RED_TEAM, sources.HELPFUL, sources.COMPARISONS],
        "models/rl": ["sl", "pm", sources.RED_TEAM, sources.HELPFUL],
        "answers-base": [sources.EVALUATION],
        "answers-sl": ["sl", sources.EVALUATION],
        "answers-rl": ["rl", sources.EVALUATION],
        "scores": [
            *("answers-base", "answers-sl", "answers-rl"),
            *("revisions", "comparisons", "helpfulness", "pm"),
            *(sources.RED_TEAM, sources.EVALUATION, sources.COMPARISONS),
        ],
    }
    for stage, names in from_stages.items():
        assert {name: made[stage].inputs.get(name) for name in names} == {name: prints[name] for name in names}, stage
        assert {name for name in made[stage].inputs if name in prints} == set(names), stage
        assert (made[stage].seed, made[stage].stage) == (0, stage)
    assert {"critique_principles", "few_shots"} <= made["revisions"].inputs.keys()
    assert {"comparison_principles", "few_shots"} <= made["comparisons"].inputs.keys()
    roles = {
        "revisions": "assistant",
        "helpful": "assistant",
        "comparisons": "judge",
        "models/sl": "base",
        "models/pm": "base",
        "answers-base": "base",
    }
    for stage, role in roles.items():
        of_role = {name.removeprefix(f"{role}/") for name in made[stage].inputs if name.startswith(f"{role}/")}
        assert of_role == set(MODEL_FILES), stage


def test_a_manifest_names_the_engines_that_its_rows_were_asked_of(llama: Path, finished: Path) -> None:
    def engine(files: dict[str, str]) -> str:
        return f"local:{hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()}"

    given, trained = engine(fingerprints(llama)), engine(fingerprints(finished / "models/sl/model"))
    assert given != trained
    of_stages = {stage: manifest(finished, stage).facts.get("engines") for stage in FOLDERS}
    assert {stage: engines for stage, engines in of_stages.items() if engines} == {
        "revisions": {"assistant": given},
        "helpful": {"assistant": given},
        "pairs": {"sl": trained},
        "comparisons": {"judge": given},
        "helpfulness": {"sl": trained},
        "answers-base": {"base": given},
        "answers-sl": {"sl": trained},
        "answers-rl": {"rl": engine(fingerprints(finished / "models/rl/model"))},
    }


def test_every_row_can_be_walked_back_to_its_prompt_and_principle(finished: Path) -> None:
    prompts = {row["id"] for file in ("red-team", "helpful") for row in rows(finished, "prompts", f"prompts-{file}")}
    principles = {one["id"] for one in json.loads((finished / "constitution.json").read_bytes())["principles"]}
    made = {stage: rows(finished, stage) for stage in ("revisions", "helpful", "pairs", "comparisons", "helpfulness")}
    made["rollouts"] = rows(finished, "models/rl", "rollouts")
    for stage, found in made.items():
        assert {row["prompt_id"] for row in found} <= prompts, stage
    drawn = {step["principle_id"] for chain in rows(finished, "revisions") for step in chain["rounds"]}
    drawn |= {row["principle_id"] for row in rows(finished, "comparisons")}
    assert len(drawn) > 1 and drawn <= principles
    for stage, found in (made | {stage: rows(finished, stage) for stage in FOLDERS[-4:-1]}).items():
        ids = [row["id"] for row in found]
        assert len(ids) == len(set(ids)), stage
    scored = [(row["task"], row["model"], row["item"], row["grader"]) for row in rows(finished, "scores")]
    assert len(scored) == len(set(scored))


def test_the_summary_has_the_keys_that_it_promises(finished: Path) -> None:
    summary = json.loads((finished / "summary.json").read_bytes())
    assert (summary["seed"], summary["grader"], summary["ungraded"]) == (0, "oracle", None)
    assert summary["pipeline_seconds"] > 0
    told = figures(summary)
    expected = {("held-out", model, kind): 3 for model in ("base", "sl", "rl") for kind in KINDS}
    # Only red-team prompts are revised.
    expected |= {
        ("revisions", f"assistant@{number}", kind): count
        for number in range(3)
        for kind, count in (("harmful", 6), ("mixed", 3))
    }
    assert {key[:3] for key in told} == expected.keys()
    for key, count in expected.items():
        for name in RATES:
            value = told[*key, name]
            assert (value["n"], value["unscored"]) == (count, 0), name
            assert 0 <= value["low"] <= value["value"] <= value["high"] <= 1, name
    assert {"n", "accuracy", "ece", "ties", "unscored"} <= summary["labels"].keys()
    assert summary["labels"]["n"] == len(rows(finished, "comparisons"))
    assert {"accuracy", "by_fault"} <= summary["preference_model"].keys()
    assert [step["step"] for step in summary["rl"]["steps"]] == [1, 2]
    assert all({"reward", "kl", "preference_score"} <= step.keys() for step in summary["rl"]["steps"])
    compared = {(one["task"], one["kind"], one["measure"], one["grader"]) for one in summary["differences"]}
    assert {one[:3] for one in compared if one[3] == "oracle"} == {
        ("held-out", "harmful", "harmful"),
        ("held-out", "benign", "helpful"),
        ("revisions", "harmful", "harmful"),
    }
    read_summary(finished / "summary.json")


def test_the_seconds_are_those_of_the_stages(finished: Path) -> None:
    seconds = sum(manifest(finished, stage).timing.seconds for stage in FOLDERS)
    assert json.loads((finished / "summary.json").read_bytes())["pipeline_seconds"] == pytest.approx(seconds, abs=2e-3)


def test_the_report_shows_a_chain(finished: Path) -> None:
    page = (finished / "report.html").read_text(encoding="utf-8")
    assert page.lower().startswith("<!doctype html>")
    asked = {prompt["id"]: prompt for prompt in rows(finished, "prompts", "prompts-red-team")}
    listed = re.search(r'<section class="reading" id="read-chains".*?</section>', page, re.DOTALL)
    assert listed is not None
    cards, chains = listed[0].split('<li class="card"')[1:], rows(finished, "revisions")
    for card, chain in zip(cards, chains, strict=True):
        turns = [turn["text"] for turn in asked[chain["prompt_id"]]["turns"]]
        critiques = [step["critique"] for step in chain["rounds"]]
        for text in (*turns, chain["initial"], *critiques):
            assert f">{escape(text)}</p>" in card, chain["id"]


def test_the_same_run_twice_gives_the_same_bytes_and_its_progress_adds_up(
    llama: Path, finished: Path, tmp_path: Path
) -> None:
    told = run_in(tmp_path / "again", world_config(llama))
    one, two = data(finished), data(tmp_path / "again")
    assert differing(one, two) == []
    assert sum(name.endswith(".safetensors") for name in one) == 3
    assert [note[:14] for note in told.notes if note.startswith("rl, ")] == ["rl, 8 answers:"]
    assert told.stages == list(FOLDERS)
    assert told.rows == {name: total or 0 for name, total in told.totals.items()}


def test_a_model_without_a_padding_token_makes_the_same_run(llama: Path, finished: Path, tmp_path: Path) -> None:
    """What fills short rows never counts; so nothing is refused, and `solon models check` says that it has none."""
    model = shutil.copytree(llama, tmp_path / "model")
    described = json.loads((model / "tokenizer_config.json").read_bytes())
    del described["pad_token"]
    (model / "tokenizer_config.json").write_text(json.dumps(described))
    run_in(tmp_path / "run", world_config(model), until="rl")
    for stage in ("revisions", "pairs", "comparisons"):
        assert rows(tmp_path / "run", stage) == rows(finished, stage)
    for stage in ("models/sl", "models/pm", "models/rl"):
        assert rows(tmp_path / "run", stage, "steps") == rows(finished, stage, "steps")


def test_another_seed_changes_every_stage(llama: Path, finished: Path, tmp_path: Path) -> None:
    run_in(tmp_path / "other", world_config(llama, seed=1))
    for stage in FOLDERS:
        assert manifest(tmp_path / "other", stage).fingerprint != manifest(finished, stage).fingerprint, stage


def test_a_finished_run_is_only_read(llama: Path, finished: Path) -> None:
    def files() -> dict[str, tuple[bytes, int]]:
        """Bytes of every file, and for those of stages when they were written."""
        answers = ("summary.json", "report.html", ".lock")
        return {
            path.relative_to(finished).as_posix(): (
                path.read_bytes(),
                path.stat().st_mtime_ns * (path.name not in answers),
            )
            for path in sorted(finished.rglob("*"))
            if path.is_file() and path.name != ".lock"
        }

    before = files()
    told = run_in(finished, world_config(llama))
    assert told.stages == []
    assert files() == before


def test_a_run_may_be_done_in_pieces(llama: Path, finished: Path, tmp_path: Path) -> None:
    """Stage by stage, each anew: what a stage needs, it finds on disk."""
    folder, config = tmp_path / "pieces", world_config(llama)
    begun = []
    for number, stage in enumerate(stages_of(config), start=1):
        told = run_in(folder, config, until=stage.name)
        begun += told.stages
        assert len(told.stages) == 1, stage
        assert len(list(folder.rglob("manifest.json"))) == number
        assert not (folder / "summary.json").exists()
    assert begun == list(FOLDERS)
    run_in(folder, config)
    assert differing(data(finished), data(folder)) == []


def test_a_run_does_not_train_on_noise_and_goes_on_when_it_may(llama: Path, tmp_path: Path) -> None:
    """A random model writes nothing else. What was written is kept, and no weights are loaded to find out."""
    config = world_config(llama, "quality.max_noise=0.25")
    with pytest.raises(NoiseError) as raised:
        run_in(tmp_path / "run", config)
    told = [str(fault) for fault in raised.value.faults]
    assert "revisions are noise, mostly improbable, more than the share of 0.25" in "\n".join(told)
    assert all("lower sampling" in one and "--set quality.max_noise=1" in one for one in told)
    assert not (tmp_path / "run/models/sl/model").exists()
    assert run_in(tmp_path / "run", world_config(llama), until="sl").stages == ["models/sl"]


def test_revisions_with_a_gate(llama: Path, tmp_path: Path) -> None:
    """One model in both roles is loaded once; what is kept out is no target."""
    run, config = tmp_path / "run", world_config(llama, "supervised.gate=true")
    run_in(run, config, until="sl")
    rounds = [step for row in rows(run, "revisions") for step in row["rounds"]]
    judged = [step["gate"]["p_preferred"] for step in rounds if "gate" in step]
    kept = [p for p in judged if p is not None and p > 0.5]
    assert len(judged) == sum(bool(step["revision"]) for step in rounds) > len(kept) > 0
    found = manifest(run, "revisions")
    assert set(found.facts["engines"]) == {"assistant"} and set(found.facts["formats"]) == {"assistant", "judge"}  # type: ignore[arg-type]
    assert {"gate_comparison_principles", "gate_few_shots", "judge/model.safetensors"} <= set(found.inputs)
    targets = [row for row in rows(run, "models/sl", "demonstrations") if row["source"].startswith("revision")]
    assert len(targets) == len(kept)
    assert manifest(run, "models/sl").counts.dropped["revision not kept by the gate"] == len(judged) - len(kept)
