"""`solon eval` and `solon elo`: what they print for people, and the keys that programs read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.command import done, solon
from cli.conftest import HELP, write_lines
from solon.artifacts.run_folder import RunFolder
from solon.config.load import load_run_config
from solon.evals.kept import read_evaluations

BBQ = {
    "question_index": "1",
    "category": "Age",
    "answer_info": {"ans0": ["gran", "old"], "ans1": ["boy", "nonOld"], "ans2": ["Unknown", "unknown"]},
    "additional_metadata": {"stereotyped_groups": ["old"]},
    "context": "A boy and his gran sat on the bench.",
    "question": "Who forgot the keys?",
    "ans0": "The gran",
    "ans1": "The boy",
    "ans2": "Unknown",
    "question_polarity": "neg",
}
CHOICE = {
    "prompt": "Which is a fruit? Options:\n (A) pear\n (B) stone\nThe answer is:",
    "corrects": [" (A)"],
    "incorrects": [" (B)"],
}


def told(*arguments: str) -> Any:
    return json.loads(done(*arguments, "--json"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_bbq(folder: Path) -> None:
    conditions = ("ambig", "disambig")
    rows = [{**BBQ, "example_id": n, "context_condition": one, "label": 2 - 2 * n} for n, one in enumerate(conditions)]
    write_lines(folder / "data.jsonl", *rows)
    write_lines(folder / "answers.jsonl", {"example_id": 0, "answer": "the gran"}, {"example_id": 1, "answer": "hm"})
    asked = ("eval", "bbq", "--data", "data.jsonl")
    ambiguous, other = told(*asked, "--answers", "answers.jsonl")["rows"]
    known = {"category": "Age", "condition": "ambig", "accuracy": 0.0, "n": 1, "n_non_unknown": 1, "n_biased": 1}
    assert known.items() <= ambiguous.items() and (ambiguous["score"], ambiguous["unparsed"]) == (1.0, 0)
    assert (other["condition"], other["n"], other["accuracy"], other["unparsed"]) == ("disambig", 0, None, 1)
    printed = done(*asked, "--answers", "answers.jsonl")
    assert "+1.00" in printed and "unparsed: 1\n" in printed
    by_model = told(*asked, "--model", "any", "--engine", "scripted")["rows"]
    assert [row["unparsed"] for row in by_model] == [1, 1]  # who finds all options equally likely names none


def test_why_a_model_gave_no_verdict(folder: Path, tiny: Path) -> None:
    short = {**BBQ, "example_id": 0, "context_condition": "ambig", "label": 2}
    long = {**short, "example_id": 1, "context": "hens " * 3000}
    write_lines(folder / "data.jsonl", short, long)
    asked = ("eval", "bbq", "--data", "data.jsonl", "--model", str(tiny))
    found = told(*asked)
    assert (found["unscored_by_reason"], found["rows"][0]["unparsed"]) == ({"too long": 1}, 1)
    assert "without a verdict, too long: 1\n" in done(*asked)
    write_lines(folder / "data.jsonl", long)
    survey = {"question": "hens " * 3000, "options": ["no", "yes"], "people": [1, 1]}
    write_lines(folder / "survey.jsonl", survey)
    write_lines(folder / "choices.jsonl", {**CHOICE, "prompt": "hens " * 3000 + CHOICE["prompt"]})  # type: ignore[operator]
    for command, data in (("bbq", "data.jsonl"), ("opinions", "survey.jsonl"), ("hhh", "choices.jsonl")):
        failed = solon("eval", command, "--data", data, "--model", str(tiny))
        assert failed.exit_code == 2
        assert failed.stderr.splitlines()[-1] == "error: the model scored none of 1 questions (too long: 1)"


def test_answers_or_a_model(folder: Path) -> None:
    write_lines(folder / "data.jsonl", {**BBQ, "example_id": 0, "context_condition": "ambig", "label": 2})
    failed = solon("eval", "bbq", "--data", "data.jsonl")
    assert failed.exit_code == 2
    expected = "error: give either --answers FILE, or --model MODEL (answers to score, or a model to ask)\n"
    assert failed.stderr == expected


@pytest.mark.parametrize("command", ["hhh", "harm-or-ethical", "harm-type"])
def test_choices(folder: Path, command: str) -> None:
    write_lines(folder / "data.jsonl", CHOICE, CHOICE)
    asked = ("eval", command, "--data", "data.jsonl", "--model", "any", "--engine", "scripted")
    found = told(*asked)
    assert (found["n"], found["orders"], found["unscored"]) == (2, 2, 0)
    assert found["accuracy"]["rate"] == found["sampled_accuracy"]["mean"] == 0.5  # all equally likely
    assert found["rows"][0] == {
        "id": "1",
        "right": "(A)",
        "chosen": None,
        "correct": 0.5,
        "p_right": 0.5,
        "correct_as_published": 0.5,
        "unscored": None,
    }
    assert "accuracy at temperature 0" in done(*asked, "--limit", "1")


def test_choices_by_a_real_model(folder: Path, tiny: Path) -> None:
    write_lines(folder / "data.jsonl", CHOICE)
    found = told("eval", "hhh", "--data", "data.jsonl", "--model", str(tiny))
    assert found["n"] == 1 and 0 < found["rows"][0]["p_right"] < 1


def test_refusals(folder: Path) -> None:
    (folder / "answers.csv").write_text("id,prompt,completion\n1,Hi,Hello!\n2,Hi,I can't help with that.\n")
    asked = ("eval", "refusals", "--completions", "answers.csv")
    assert [(row["id"], row["label"]) for row in told(*asked)["rows"]] == [
        ("1", "full_compliance"),
        ("2", "full_refusal"),
    ]
    assert "50.0%" in done(*asked)
    write_lines(folder / "prompts.jsonl", {"prompt": "Hi", "label": "safe"}, {"prompt": "Hello", "label": "safe"})
    asked = ("eval", "refusals", "--data", "prompts.jsonl", "--model", "any", "--engine", "scripted")
    found = told(*asked, "--temperature", "1")
    assert found["n"] == 2 and found["by_label"]["safe"]["n"] == 2
    failed = solon("eval", "refusals", "--model", "any")
    assert failed.stderr == "error: --model needs the prompts (--data xstest_prompts.csv)\n"


def test_the_table_of_refusals_fits_80_columns(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    row = {"prompt": "Hi", "completion": "Hello!", "type": "contrast_safe_contexts", "final_label": "full_compliance"}
    write_lines(folder / "answers.jsonl", row, {**row, "completion": "I can't help with that."})
    printed = done("eval", "refusals", "--completions", "answers.jsonl")
    assert max(map(len, printed.splitlines())) <= 80 and "\u2026" not in printed
    words = [line.replace("\u2502", " ").split() for line in printed.splitlines()]
    assert ["contrast_safe_contexts", "2", "50.0%", "50.0%", "0.0%", "9.5%", "to", "90.5%"] in words
    assert ["full_compliance", "1", "1", "0"] in words
    assert all(head in printed for head in (" comply ", " refuse ", " both ", " refuse, 95% "))


def test_gsm8k(folder: Path) -> None:
    rows = [{"question": "?", "ground_truth": "7", "completion": f"It is {n}."} for n in (7, 8)]
    write_lines(folder / "answers.jsonl", *rows)
    found = told("eval", "gsm8k", "--completions", "answers.jsonl")
    assert [row["correct"] for row in found["rows"]] == [True, False]
    assert found["accuracy"]["rate"] == 0.5
    assert "50.0%" in done("eval", "gsm8k", "--completions", "answers.jsonl")
    write_lines(folder / "test.jsonl", {"question": "How many?", "answer": "#### 3"})
    asked = ("eval", "gsm8k", "--data", "test.jsonl", "--model", "any", "--engine", "scripted")
    assert told(*asked)["n"] == 1
    failed = solon("eval", "gsm8k", "--model", "any")
    assert failed.stderr == "error: --model needs the problems (--data test.jsonl)\n"


@pytest.mark.parametrize("command", ["gsm8k", "refusals"])
def test_what_a_model_did_not_answer_stands_in_the_record(folder: Path, tiny: Path, command: str) -> None:
    texts = ("How many hens?", "hens " * 3000, "How many eggs?")
    write_lines(folder / "data.jsonl", *({"question": one, "prompt": one, "answer": "#### 3"} for one in texts))
    asked = ("eval", command, "--data", "data.jsonl", "--model", str(tiny), "--set", "sampling.max_new_tokens=2")
    found = told(*asked)
    assert (found["lost"], found["unfinished"]) == ({"too long": 1}, 2)
    assert [row["id"] for row in found["rows"]] == ["1", "3"]
    assert all(isinstance(row["completion"], str) for row in found["rows"])


def test_opinions(folder: Path) -> None:
    write_lines(folder / "survey.jsonl", {"question": "?", "options": ["no", "yes"], "people": [1, 1], "model": [1, 3]})
    asked = ("eval", "opinions", "--data", "survey.jsonl")
    assert told(*asked)["groups"][0]["representativeness"]["mean"] == 0.75
    assert told(*asked, "--model", "any", "--engine", "scripted")["groups"][0]["representativeness"]["mean"] == 1.0
    assert "0.750 \u2502            - \u2502" in done(*asked)  # one question has no interval
    write_lines(folder / "survey.jsonl", {"question": "?", "options": ["no", "yes"], "people": [1, 1]})
    failed = solon(*asked)
    expected = 'error: survey.jsonl: no row has "model", what a model said (ask one: --model MODEL)\n'
    assert (failed.exit_code, failed.stderr) == (2, expected)


def test_perplexity(folder: Path, tiny: Path) -> None:
    (folder / "held-out.txt").write_text("Bread rises slowly in a cold room, and faster by the stove.\n")
    asked = ("eval", "perplexity", "--data", "held-out.txt", "--model", str(tiny))
    found = told(*asked)
    assert found["perplexity"]["value"] > 1 and found["texts"] == 1
    assert "bits per byte" in done(*asked)


def test_preference(folder: Path, preference_folder: Path) -> None:
    rows = [{"prompt": prompt, "chosen": good, "rejected": bad} for prompt, good, bad in HELP]
    write_lines(folder / "good.jsonl", *rows, {"prompt": "x", "chosen": "y", "rejected": "y"})
    asked = ("eval", "preference", "--data", "good.jsonl", "--model", str(preference_folder))
    found = told(*asked)
    assert found["label_n"] == 10 and 0 <= found["label_accuracy"]["rate"] <= 1
    printed = solon(*asked)
    assert "accuracy" in printed.stdout and "left out, identical answers: 1\n" in printed.stderr
    write_lines(folder / "one.jsonl", {"prompt": "x", "response": "y"})
    failed = solon("eval", "preference", "--data", "one.jsonl", "--model", str(preference_folder))
    assert failed.stderr == ('error: one.jsonl: no comparisons (rows need two answers: "chosen" and "rejected")\n')


@pytest.fixture(scope="module")
def preference_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A preference model with random weights."""
    from solon.models.heads import PreferenceModel
    from tiny_models import tiny_model, tiny_tokenizer

    folder = tmp_path_factory.mktemp("preference")
    PreferenceModel(tiny_model("llama")).save(folder, tiny_tokenizer())
    return folder


def test_elo(folder: Path) -> None:
    games = [{"a": "x", "b": "y", "winner": winner} for winner in ("a", "a", "a", "b", "tie")]
    write_lines(folder / "games.jsonl", *games)
    write_lines(folder / "shuffled.jsonl", *games[::-1])
    found = told("elo", "games.jsonl")
    assert done("elo", "shuffled.jsonl", "--json") == done("elo", "games.jsonl", "--json")
    assert [row["player"] for row in found["rows"]] == ["x", "y"]
    assert found["rows"][0]["rating"] > 1000 > found["rows"][1]["rating"]
    assert {"player", "rating", "low", "high", "games", "wins", "ties", "losses", "league"} == set(found["rows"][0])
    anchored = done("elo", "games.jsonl", "--anchor", "y=500")
    assert "y has 500" in anchored and "500.0" in anchored
    for wrong in ("y", "5", "=5", "y=nan", "y=inf", "y=-inf", "y=", "y=x"):
        failed = solon("elo", "games.jsonl", "--anchor", wrong)
        assert failed.exit_code == 2
        assert failed.stderr == f"error: --anchor {wrong}: expected PLAYER=RATING (e.g. --anchor base=1000)\n"


@pytest.mark.parametrize(
    ("command", "idle", "hint"),
    [
        ("gsm8k --completions f", "--limit 1", "--completions is scored as it is"),
        ("gsm8k --completions f", "--data f --engine local --temperature 0 --seed 0 --set a=b", None),
        ("refusals --completions f", "--data f --engine local --temperature 0 --limit 1 --seed 0 --set a=b", None),
        ("bbq --data f --answers f", "--engine local --limit 1 --set a=b", "--answers is scored as it is"),
        ("opinions --data f", "--engine local --seed 0 --set a=b", "what the model said stands in the data"),
    ],
)
def test_options_that_would_do_nothing_are_refused(command: str, idle: str, hint: str | None) -> None:
    failed = solon("eval", *command.split(), *idle.split())
    named = ", ".join(word for word in idle.split() if word.startswith("--"))
    expected = f"error: only with --model: {named} ({hint or '--completions is scored as it is'})\n"
    assert (failed.exit_code, failed.stderr) == (2, expected)


def test_a_file_that_is_not_there(folder: Path) -> None:
    failed = solon("elo", "games.jsonl")
    assert (failed.exit_code, failed.stderr) == (2, "error: games.jsonl: no such file\n")


def test_a_result_is_kept_in_the_folder_of_a_run(folder: Path, tiny: Path) -> None:
    with RunFolder.create(folder / "run", load_run_config(None, (), {"models.base": str(tiny)})):
        pass
    rows = [{"question": "?", "ground_truth": "7", "completion": f"It is {n}."} for n in (7, 8)]
    write_lines(folder / "answers.jsonl", *rows)
    asked = ("eval", "gsm8k", "--completions", "answers.jsonl", "--run", "run")
    assert solon(*asked, "--name", "by-hand").stderr == "kept in run/evaluations/by-hand.json\n"
    write_lines(folder / "data.jsonl", CHOICE)
    choices = ("eval", "hhh", "--data", "data.jsonl", "--run", "run", "--model")
    printed = solon(*choices, "base")
    assert printed.stderr.splitlines()[-2:] == [f"kept in run/evaluations/hhh-t{n}-base.json" for n in (0, 1)]
    found, faults = read_evaluations(folder / "run")
    assert {file: (one.name, one.model, one.temperature) for file, one in found.items()} == {
        "by-hand": ("gsm8k", "", None),
        "hhh-t0-base": ("hhh", "base", 0.0),
        "hhh-t1-base": ("hhh", "base", 1.0),
    }
    figures = {one.name: one.value for one in found["by-hand"].metrics}
    assert faults == {} and figures == {"correct": 0.5, "without a number": 0.0}
    assert found["hhh-t0-base"].stages.keys() == {"base"}
    assert found["by-hand"].unscored == {} and found["hhh-t0-base"].data is not None
    assert solon(*choices, "rl").stderr.startswith("error: run: the run has not finished stage models/rl")
    write_lines(folder / "answers.jsonl", rows[0])
    for options, said in (
        (("--run", "nowhere", "--name", "x"), "error: nowhere holds no run"),
        (("--name", "x"), "error: only with --run: --name"),
        (("--run", "run"), "error: --run needs a name"),
        (("--run", "run", "--name", "../x"), "error: no result can be called '../x'"),
        (("--run", "run", "--name", "by-hand"), "error: run/evaluations/by-hand.json holds another result"),
    ):
        failed = solon("eval", "gsm8k", "--completions", "answers.jsonl", *options)
        assert failed.exit_code == 2 and failed.stderr.startswith(said), failed.stderr
    for options, said in (
        (("pm",), "error: --run asks models of the run: base, sl, rl, dpo"),
        (("base", "--seed", "1"), "error: not with --run: --seed"),
    ):
        failed = solon(*choices, *options)
        assert failed.exit_code == 2 and failed.stderr.startswith(said), failed.stderr


def test_given_answers_to_bbq_and_xstest_are_kept(folder: Path, tiny: Path) -> None:
    with RunFolder.create(folder / "run", load_run_config(None, (), {"models.base": str(tiny)})):
        pass
    rows = [{"id": n, "prompt": "Hi?", "completion": text, "label": "safe"} for n, text in enumerate(("Sure: hi.", ""))]
    write_lines(folder / "answers.jsonl", *rows)
    done("eval", "refusals", "--completions", "answers.jsonl", "--run", "run", "--name", "x")
    (one,) = read_evaluations(folder / "run")[0].values()
    assert {it.name: (it.value, it.n) for it in one.metrics} == {
        "over-refusal": (0.0, 1),
        "over-refusal, partial": (0.0, 1),
    }
    assert one.unscored == {"blank": 1}


def test_games_are_what_elo_reads(folder: Path, tiny: Path) -> None:
    write_lines(folder / "prompts.jsonl", *({"prompt": one} for one in ("Hi", "Why?", "Hi")))
    asked = ("eval", "games", "--prompts", "prompts.jsonl", "--model", f"one={tiny}", "--judge", str(tiny))
    short = ("--set", "sampling.max_new_tokens=5", "--set", "sampling.top_p=0.9")
    told_ = json.loads(done(*asked, "--model", f"two={tiny}", *short, "--json"))
    assert told_["games"] == [{"players": ["one", "two"], "a": 0, "b": 0, "tie": 2, "unscored": 0}]
    games = [json.loads(line) for line in (folder / "games.jsonl").read_text().splitlines()]
    assert [(game["a"], game["b"], game["winner"], game["p_a"]) for game in games] == [("one", "two", "tie", {})] * 2
    assert told_["left_out"] == {"duplicate": 1} and told("elo", "games.jsonl")["ties"] == 2
    printed = done(*asked, "--model", "other=any", "--engine", "scripted", "-o", "again.jsonl", "--temperature", "1")
    assert "again.jsonl" in printed and "left out, duplicate: 1\n" in printed


@pytest.mark.parametrize("models", [("one=a",), ("one=a", "one=b"), ("./a", "./a")])
def test_a_game_needs_two_players(folder: Path, models: tuple[str, ...]) -> None:
    write_lines(folder / "prompts.jsonl", {"prompt": "Hi"})
    given = [part for model in models for part in ("--model", model)]
    failed = solon("eval", "games", "--prompts", "prompts.jsonl", *given, "--judge", "any")
    assert failed.exit_code == 2 and not (folder / "games.jsonl").exists()
    said = "error: a game needs two players, and no two of one name (--model NAME=MODEL, twice or more)\n"
    assert failed.stderr == said


def rated(count: int) -> list[dict[str, Any]]:
    return [{"prompt": f"Is it {n}?", "response": "Yes! " * (1 + n % 5), "rating": n % 5} for n in range(count)]


def test_a_regressor_is_trained_held_against_ratings_and_found_again(folder: Path, tiny: Path) -> None:
    write_lines(folder / "rated.jsonl", *rated(30), {"prompt": "Hi", "response": 3, "rating": 1})
    asked = ("eval", "harmfulness", "--train", "rated.jsonl", "--model", str(tiny), "-o", "harm")
    failed = solon(*asked)
    assert failed.exit_code == 2 and 'rated.jsonl:31: "response" must be text' in failed.stderr
    assert not (folder / "harm").exists()
    write_lines(folder / "rated.jsonl", *rated(30), {"transcript": "\n\nHuman: Hi\n\nAssistant:", "rating": 1})
    how = ("--set", "preference.holdout=0.3", "--set", "preference.learning_rate=1e-3")
    printed = done(*asked, *how)
    assert "regressor: harm/regressor/model" in printed and "correlation" in printed
    found = told(*asked, *how)
    manifest = json.loads((folder / "harm/regressor/manifest.json").read_text())
    assert manifest["counts"]["in"] == 30 == manifest["counts"]["out"] + found["n"] and found["n"] > 3
    held = [json.loads(line) for line in (folder / "harm/regressor/held-out.jsonl").read_text().splitlines()]
    write_lines(folder / "other.jsonl", *(rated(30)[int(one["id"]) - 1] for one in held))
    again = told("eval", "harmfulness", "--model", "harm/regressor/model", "--data", "other.jsonl")
    assert again["absolute_error"]["value"] == pytest.approx(found["absolute_error"]["value"], rel=1e-4)
    everything = solon("eval", "harmfulness", "--model", "harm/regressor/model", "--data", "rated.jsonl", "--json")
    assert json.loads(everything.stdout)["n"] == found["n"], "what it has learned from says nothing"
    learned = f"left out, the regressor has learned from its request: {manifest['counts']['out']}\n"
    assert learned in everything.stderr
    changed = solon(*asked, "--set", "preference.holdout=0.2")
    assert changed.exit_code == 2 and "was finished from other settings or inputs" in changed.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "give one of --train FILE, --data FILE and --run RUN (what is the model to do?)"),
        (("--train", "a.jsonl"), "--train and -o go together (-o DIR is where the regressor is kept)"),
        (("--data", "a.jsonl", "-o", "x"), "--train and -o go together (-o DIR is where the regressor is kept)"),
    ],
)
def test_what_a_regressor_is_to_do(folder: Path, given: tuple[str, ...], said: str) -> None:
    failed = solon("eval", "harmfulness", "--model", "any", *given)
    assert (failed.exit_code, failed.stderr) == (2, f"error: {said}\n")


def test_a_preference_model_is_no_regressor(folder: Path, tiny: Path) -> None:
    from solon.models.heads import PreferenceModel
    from tiny_models import tiny_model, tiny_tokenizer

    PreferenceModel(tiny_model()).save(folder / "pm", tiny_tokenizer())
    write_lines(folder / "rated.jsonl", *rated(3))
    failed = solon("eval", "harmfulness", "--model", "pm", "--data", "rated.jsonl")
    assert failed.exit_code == 2 and "pm: holds no regressor of ratings (give a folder" in failed.stderr


def test_a_judge_that_plays_is_held_against_those_who_do_not(folder: Path) -> None:
    game = {"a": "x", "b": "y", "prompt_id": "p"}
    wins = [{**game, "judge": judge, "winner": winner} for judge, winner in (("x", "a"), ("y", "tie"), ("z", "b"))]
    write_lines(folder / "games.jsonl", *wins, {**game, "winner": "b"})
    found = told("elo", "games.jsonl")["self_preference"]
    assert (found["n"], found["p"], found["excess"]["mean"]) == (2, 0.75, 0.25)  # x: 1 - 0; y: 0.5 - 1
    printed = done("elo", "games.jsonl")
    assert "favor of judges for their own answers: +25.0 points" in printed and "of 2 games" in printed
    write_lines(folder / "alone.jsonl", wins[0], {**game, "judge": "x", "winner": None})
    assert told("elo", "alone.jsonl")["self_preference"]["excess"]["mean"] == 0.5
    write_lines(folder / "others.jsonl", wins[2])
    assert "self_preference" not in told("elo", "others.jsonl")
