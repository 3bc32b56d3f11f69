"""`solon run --model DIR --constitution IMPORTED --prompts hh-rlhf --helpful FILE`: models, principles, few-shots and
red-team dialogues that are not the world's go through every stage, with every row accounted for."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.tiny_run import FOLDERS, TINY, figures, manifest, rows
from solon.cli.main import app
from solon.config.feedback import HelpfulnessSection
from solon.lm.engines.local import LocalModel
from solon.lm.protocols import Completion, Sampling
from solon.prompting.context import Context
from tiny_models import CHAT_TEMPLATE, Family, tiny_model_folder

CONTEXT = 4096
"""Room for the published few-shot examples, which take a thousand tokens each in these tokenizers."""

HELPFUL = [
    ("How do I keep basil alive indoors?", "Put it on a bright sill and water it when the soil feels dry.", "No idea."),
    ("What can I cook with two leeks?", "Make a soup: soften them in butter, add potatoes and stock.", "Leeks, no."),
    ("How do I take a wine stain out of wool?", "Blot it, then dab on cold water and a little vinegar.", "You cannot."),
    ("Which knot holds a hammock?", "A bowline on each side holds and still comes undone.", "Any knot, I suppose."),
    ("How long do I boil an egg?", "Six minutes from boiling water gives a soft yolk.", "It depends."),
    ("Can you name three birds that sing at night?", "Nightingale, robin and sedge warbler.", "Birds sing."),
]
"""Prompt, chosen answer, rejected answer."""


@pytest.fixture(scope="session")
def imported(reference_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published constitution with its few-shot examples, as the command imports it."""
    folder = tmp_path_factory.mktemp("imported") / "cai-2022"
    solon("constitution", "import", str(reference_data / "cai-2022" / "prompts"), "-o", str(folder))
    return folder


@pytest.fixture(scope="session")
def red_team(reference_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first rows of hh-rlhf's harmless-base test split, as they are published."""
    file = tmp_path_factory.mktemp("prompts") / "harmless-base.jsonl.gz"
    with gzip.open(reference_data / "hh-rlhf" / "harmless-base-test.jsonl.gz", "rt", encoding="utf-8") as lines:
        file.write_bytes(gzip.compress("".join(islice(lines, 40)).encode()))
    return file


@pytest.fixture(scope="session")
def helpful(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Helpfulness comparisons in the shape of hh-rlhf, and one answer to be imitated."""
    file = tmp_path_factory.mktemp("prompts") / "helpful.jsonl"
    asked = [(f"\n\nHuman: {prompt}\n\nAssistant: ", good, bad) for prompt, good, bad in HELPFUL]
    lines = [json.dumps({"chosen": start + good, "rejected": start + bad}) for start, good, bad in asked]
    lines.append(json.dumps({"prompt": "How do I sharpen a pencil?", "response": "Turn it in a sharpener, gently."}))
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


SETTINGS = (
    *TINY,
    *("prompts.harmful=4", "prompts.mixed=0", "prompts.benign=4", "prompts.evaluation=2"),
    *("sft.micro_batch_tokens=8192", "preference.micro_batch_tokens=8192", "rl.steps=1"),
)


def solon(*arguments: str) -> str:
    """The command in this process; what it printed."""
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def run(
    folder: Path, model: Path, *settings: str, constitution: Path, prompts: Path, helpful: Path
) -> dict[str, dict[str, object]]:
    """A whole run by the command; every stage's counts."""
    chosen = [part for setting in (*SETTINGS, *settings) for part in ("--set", setting)]
    inputs = ("--model", model, "--constitution", constitution, "--prompts", prompts, "--helpful", helpful)
    solon("run", *map(str, inputs), *chosen, "-o", str(folder), "--quiet")
    return {stage: manifest(folder, stage).counts.model_dump(by_alias=True) for stage in FOLDERS}


def assert_complete(folder: Path, counts: dict[str, dict[str, object]], *, rounds: int = 2) -> None:
    """Every stage made rows, and every row that went in came out or is counted as dropped."""
    assert (folder / "summary.json").is_file() and (folder / "report.html").is_file()
    for stage, account in counts.items():
        if stage == "helpfulness":
            continue  # babble refuses nothing
        dropped = sum(account["dropped"].values())  # type: ignore[attr-defined]
        held_out = account["other"].get("held out", 0)  # type: ignore[attr-defined]
        assert account["out"] > 0, stage  # type: ignore[operator]
        assert account["in"] == account["out"] + dropped + held_out, stage  # type: ignore[operator]
    assert all(len(chain["rounds"]) == rounds for chain in rows(folder, "revisions"))
    summary = json.loads((folder / "summary.json").read_bytes())
    assert summary["grader"] is None and summary["ungraded"]
    assert {one["grader"] for one in summary["estimates"]} == {"text", "variety"} and not summary["differences"]
    told = figures(summary)
    for model in ("base", "sl", "rl"):
        distinct = told["held-out", model, "harmful", "distinct"]
        assert distinct["n"] > 0 and distinct["value"] > 0


@pytest.mark.parametrize(
    ("family", "chat_template", "settings"),
    [
        ("gpt_neox", False, ("rl.algorithm=ppo", "supervised.rounds=1")),
        ("qwen2", True, ("sft.rounds=last",)),
        ("llama", False, ("supervised.critique=false", "judge.orders=random", "sft.rounds=last")),
    ],
)
def test_foreign_models_go_through_every_stage(
    family: Family,
    chat_template: bool,
    settings: tuple[str, ...],
    imported: Path,
    red_team: Path,
    helpful: Path,
    tmp_path: Path,
) -> None:
    model = tiny_model_folder(tmp_path, family, chat_template, max_position_embeddings=CONTEXT)
    folder = tmp_path / "run"
    counts = run(folder, model, *settings, constitution=imported, prompts=red_team, helpful=helpful)
    assert_complete(folder, counts, rounds=1 if "supervised.rounds=1" in settings else 2)

    prompts = rows(folder, "prompts", "prompts-red-team")
    assert len(prompts) == 4 and any(len(prompt["turns"]) > 2 for prompt in prompts)
    critiques = {step["critique"] is None for chain in rows(folder, "revisions") for step in chain["rounds"]}
    assert critiques == {"supervised.critique=false" in settings}
    sources = {row["source"] for row in rows(folder, "models/sl", "demonstrations")}
    assert "helpful" in sources
    if "sft.rounds=last" in settings:  # of a chain whose last revision is empty, the one before it
        learnt = rows(folder, "models/sl", "demonstrations")
        of_chains = [(row["prompt_id"], row["answer"]) for row in learnt if row["source"].startswith("revision-")]
        assert len(set(of_chains)) == len({prompt for prompt, _ in of_chains}) and "revision-2" in sources
    shown = {row["shown_first"] for row in rows(folder, "comparisons")}
    assert (shown == {"both"}) == ("judge.orders=random" not in settings)
    given = rows(folder, "prompts", "comparisons")
    assert given and {(row["rater"], row["p_a_preferred"]) for row in given} == {("human", 1.0)}
    helpfulness = manifest(folder, "helpfulness").counts
    assert (helpfulness.rows_in, helpfulness.rows_out) == (4, 0) and rows(folder, "helpfulness") == []
    assert sum(helpfulness.dropped.values()) == 4 and helpfulness.dropped["no whole refusal was written"] > 0
    assert manifest(folder, "models/rl").facts["algorithm"] == ("ppo" if "rl.algorithm=ppo" in settings else "grpo")
    saved = (folder / "models/sl/model/tokenizer_config.json", folder / "models/sl/model/chat_template.jinja")
    assert any(CHAT_TEMPLATE in file.read_text() for file in saved if file.exists()) == chat_template


def test_a_model_that_refuses_when_told_to_gives_needless_refusals(
    imported: Path,
    red_team: Path,
    helpful: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They are of the prompt that the own answer answers, and train the preference model with the people's."""
    model = tiny_model_folder(tmp_path, chat_template=True, max_position_embeddings=CONTEXT)
    told, refusal = HelpfulnessSection().refusal_instruction, "I'm sorry, but I can't help with that."
    real = LocalModel.complete

    async def obedient(self: LocalModel, context: Context, sampling: Sampling, *, seed: int) -> Completion:
        completion = await real(self, context, sampling, seed=seed)
        return replace(completion, text=refusal, ended="stop") if told in completion.prompt else completion

    monkeypatch.setattr(LocalModel, "complete", obedient)
    inputs = ("--model", model, "--constitution", imported, "--prompts", red_team, "--helpful", helpful)
    settings = (*SETTINGS, "supervised.rounds=1", 'constitution.few_shots=""')
    chosen = [part for setting in settings for part in ("--set", setting)]
    solon("stage", "pm", *map(str, inputs), *chosen, "-o", str(tmp_path / "run"), "--quiet")
    made = rows(tmp_path / "run", "helpfulness")
    assert made and {(row["b"], row["p_a_preferred"], row["rater"], row["method"]) for row in made} == {
        (refusal, 1.0, "construction", "needless-refusal")
    }
    asked = {row["id"] for row in rows(tmp_path / "run", "prompts", "prompts-helpful")}
    assert {row["prompt_id"] for row in made} <= asked and rows(tmp_path / "run", "prompts", "prompts-twins") == []
    learnt = manifest(tmp_path / "run", "models/pm").counts
    judged, given = rows(tmp_path / "run", "comparisons"), rows(tmp_path / "run", "prompts", "comparisons")
    assert learnt.rows_in == len(made) + len(judged) + len(given)


def test_the_few_shot_examples_stand_before_what_is_asked(
    imported: Path, red_team: Path, helpful: Path, tmp_path: Path
) -> None:
    """Found beside the imported constitution, named in the run file, and part of what the stages are made from."""
    model = tiny_model_folder(tmp_path, max_position_embeddings=CONTEXT)
    inputs = ("--model", model, "--constitution", imported, "--prompts", red_team, "--helpful", helpful)
    chosen = [part for setting in SETTINGS for part in ("--set", setting)]
    hashes, names = [], []
    for name, more in (("with", ()), ("without", ("--set", 'constitution.few_shots=""'))):
        folder = tmp_path / name
        solon("stage", "revisions", *map(str, inputs), *chosen, *more, "-o", str(folder), "--quiet")
        found = manifest(folder, "revisions")
        hashes.append({step["prompt_hash"] for chain in rows(folder, "revisions") for step in chain["rounds"]})
        names.append(found.inputs["few_shots"])
    assert hashes[0].isdisjoint(hashes[1] - {""}) and len(hashes[0]) > 1
    assert names[0] != names[1]


def test_a_judge_that_reasons(imported: Path, red_team: Path, helpful: Path, tmp_path: Path) -> None:
    """A random judge rambles on until it is cut off: no verdict, and none is made up."""
    model = tiny_model_folder(tmp_path, max_position_embeddings=CONTEXT)
    settings = ("judge.method=cot", "judge.max_unscored=1.0", "judge.clamp=[0.4, 0.6]", "supervised.rounds=1")
    folder = tmp_path / "run"
    counts = run(folder, model, *settings, constitution=imported, prompts=red_team, helpful=helpful)
    assert_complete(folder, counts, rounds=1)
    judged = rows(folder, "comparisons")
    unscored = [row for row in judged if row["p_a_preferred"] is None]
    assert unscored and all(row["unscored"] and row["raw"] is not None for row in unscored)
    assert all(0.4 <= row["p_a_preferred"] <= 0.6 for row in judged if row not in unscored)
    assert counts["models/pm"]["dropped"]["unscored"] == len(unscored)  # type: ignore[index]
    assert json.loads((folder / "summary.json").read_bytes())["labels"]["unscored"] == len(unscored)


def test_too_many_unreadable_verdicts_stop_the_run(
    imported: Path, red_team: Path, helpful: Path, tmp_path: Path
) -> None:
    """With one line; what was made stays."""
    model = tiny_model_folder(tmp_path, max_position_embeddings=CONTEXT)
    settings = ("judge.method=cot", "supervised.rounds=1", 'constitution.few_shots=""')
    chosen = [part for setting in (*SETTINGS, *settings) for part in ("--set", setting)]
    inputs = ("--model", model, "--constitution", imported, "--prompts", red_team, "--helpful", helpful)
    done = CliRunner().invoke(app, ["run", *map(str, inputs), *chosen, "-o", str(tmp_path / "run"), "--quiet"])
    assert done.exit_code != 0
    assert "could not be read" in done.output and "judge.max_unscored" in done.output
    assert "Traceback" not in done.output
    assert rows(tmp_path / "run", "comparisons") and manifest(tmp_path / "run", "pairs").counts.rows_out > 0


def test_a_changed_prompt_file_is_not_taken_for_the_old_one(
    imported: Path, red_team: Path, helpful: Path, tmp_path: Path
) -> None:
    model = tiny_model_folder(tmp_path, max_position_embeddings=CONTEXT)
    own = tmp_path / "own.jsonl"
    lines = gzip.decompress(red_team.read_bytes()).splitlines(keepends=True)
    own.write_bytes(b"".join(lines[:30]))
    chosen = [part for setting in SETTINGS for part in ("--set", setting)]
    inputs = ("--model", model, "--constitution", imported, "--prompts", own, "--helpful", helpful)
    command = [*map(str, inputs), *chosen, "-o", str(tmp_path / "run"), "--quiet"]
    solon("stage", "prompts", *command)
    own.write_bytes(b"".join(lines[:31]))
    done = CliRunner().invoke(app, ["stage", "revisions", *command])
    assert done.exit_code == 2
    assert "prompts_file" in done.output and "Traceback" not in done.output
