"""Bad input: one clear line per fault, exit code 2, and nothing begun."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from cli.command import done, solon, tiny_settings
from cli.conftest import PRINCIPLE
from solon.artifacts.run_folder import RunFolder
from solon.cli.faults import say_error
from solon.config.load import load_run_config

OWN = ("--model", "model", "--constitution", "mine.toml", "--prompts", "red.jsonl", "--helpful", "good.jsonl")
"""A run on sound files."""


def refused(*arguments: str) -> list[str]:
    """The lines on standard error of a command that must be refused, without the folder in front of file names."""
    result = solon(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    return [line.removeprefix("error: ").replace(f"{Path.cwd()}/", "") for line in result.stderr.splitlines()]


def refused_run(*arguments: str) -> list[str]:
    """As `refused`, for a run that must not even make its folder."""
    lines = refused("run", *arguments)
    assert not Path("runs").exists()
    return lines


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            'name = "empty"\n',
            "mine.toml: has no principles (write one [[principle]] table per principle, with an id and a critique "
            "pair, a comparison question, or both)",
        ),
        (
            '[[principle]]\nid = "half"\ncritique_request = "What is wrong?"\n',
            "mine.toml:3: principle `half` has half a pair: `revision_request` is missing (add critique_request and "
            "revision_request (both), or comparison_question, or all three)",
        ),
        (
            '[[principle]]\nid = "only"\ncomparison_question = "Which is better?"\n',
            "constitution `mine` has no critique pair (give at least one principle a critique_request and "
            "revision_request)",
        ),
        (
            PRINCIPLE + "wieght = 2\n",
            "mine.toml:6: principle `theft`: unknown key `wieght` (did you mean `weight`?)",
        ),
        (
            PRINCIPLE + "weight = = 2\n",
            "mine.toml:6: is not TOML: invalid value (look at this line and the one before it: a missing quote, "
            "bracket, comma or `=`, or a key given twice)",
        ),
    ],
)
def test_constitutions(files: Path, text: str, line: str) -> None:
    (files / "mine.toml").write_text(text)
    assert refused_run(*OWN) == [line]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ["red.jsonl: no prompts: the file is empty"]),
        (
            '{"prompt": "How do I steal?"}\n{"prompt": \n',
            [
                "red.jsonl:2: broken JSON: Expecting value: line 1 column 12 (char 11) "
                "(each line must be one JSON object)"
            ],
        ),
        (
            '{"prompt": 3}\n{"question": "How?"}\n',
            [
                'red.jsonl:1: "prompt" must be text or a list of turns',
                "red.jsonl:2: no prompt (if question is the prompt: --column prompt=question; columns: question)",
            ],
        ),
        (
            '{"prompt": "How?"}\n{"prompt": "how?"}\n',
            [
                "red.jsonl: all prompts (2) open in the same way, so none can be held out for evaluation "
                "(give prompts from at least two conversations)"
            ],
        ),
        (
            "".join(f'{{"prompt": "How do I prune rose {number}?", "kind": "benign"}}\n' for number in range(9)),
            [
                "red.jsonl: no red-team prompts to train with: all but those held out are benign "
                "(give more prompts of kind harmful or mixed)"
            ],
        ),
    ],
)
def test_prompts(files: Path, text: str, lines: list[str]) -> None:
    (files / "red.jsonl").write_text(text)
    assert refused_run(*OWN) == lines


def test_helpfulness_data(files: Path) -> None:
    (files / "good.jsonl").write_text('{"prompt": "How?", "chosen": "So."}\n')
    assert refused_run(*OWN) == [
        'good.jsonl:1: neither a comparison nor an answer (give "chosen" and "rejected", or "response"; '
        'a prompt alone says "kind": "benign"; columns: prompt, chosen)'
    ]
    (files / "good.jsonl").write_text('{"prompt": "How?", "a": "So.", "b": "Or so.", "p_a_preferred": 1.5}\n')
    assert refused_run(*OWN) == ['good.jsonl:1: "p_a_preferred" is 1.5 (a probability between 0 and 1)']
    assert refused_run(*OWN[:6]) == [
        "command line: prompts of your own need helpfulness data too, or the model learns to refuse everything "
        "(give --helpful FILE (prompts.helpful); to go without, set prompts.benign=0)"
    ]


@pytest.mark.parametrize(
    ("keep", "more", "line"),
    [
        ("*.json", "", "model: no *.safetensors weights in the folder (give a Hugging Face model folder)"),
        (
            "*.json",
            "pytorch_model.bin",
            "model: weights only as pickles (pytorch_model.bin) (a pickle can run any code when opened; convert it "
            "where you trust it: AutoModelForCausalLM.from_pretrained(old).save_pretrained(new))",
        ),
        (
            "[cgm]*",
            "",
            "model: no tokenizer in the model folder (copy tokenizer.json and tokenizer_config.json from where the "
            "model came from)",
        ),
    ],
)
def test_model_folders(files: Path, tiny: Path, keep: str, more: str, line: str) -> None:
    (files / "model").unlink()
    (files / "model").mkdir()
    for path in tiny.glob(keep):
        shutil.copy(path, files / "model")
    if more:
        (files / "model" / more).touch()
    assert refused_run(*OWN) == [line]


@pytest.mark.parametrize("key", ["sampling.max_new_tokens", "evaluation.max_new_tokens"])
def test_a_context_without_room(files: Path, key: str) -> None:
    room = (f"{key}=2048", "sft.micro_batch_tokens=4096", "rl.micro_batch_tokens=4096")
    assert refused_run(*OWN, *(part for setting in room for part in ("--set", setting))) == [
        f"model: {key} is 2048, but this model reads 2048 tokens at once, prompt included (lower it to a half or less)"
    ]


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("rl.stps=3", '--set rl.stps=3: unknown key "rl.stps" (did you mean `steps`?)'),
        ("rl.steps=many", '--set rl.steps=many: rl.steps is "many"; expected a whole number'),
        ("rl.steps", "--set rl.steps: expected key=value (e.g. --set rl.steps=10)"),
        ("models.device=abacus", 'models.device is "abacus", which is no device (e.g. "auto", "cpu", "cuda")'),
        ('name="a\\u0000b"', "no folder can be called 'a\\x00b' (choose a folder with -o, or another name)"),
        ("name=../up", "no folder can be called '../up' (choose a folder with -o, or another name)"),
        ('name="a\\u0000b"', "no folder can be called 'a\\x00b' (choose a folder with -o, or another name)"),
        (
            "models.dialogue=chat-template",
            "models.dialogue asks for a chat template, but the tokenizer has none "
            '(set models.dialogue = "human-assistant")',
        ),
        (
            "constitution.critique=['thft']",
            "constitution `mine` has no principle or tag `thft` (did you mean `theft`?; known are `theft`)",
        ),
    ],
)
def test_settings(files: Path, setting: str, line: str) -> None:
    assert refused_run(*OWN, "--set", setting) == [line]


def test_run_files(files: Path) -> None:
    (files / "run.toml").write_text('extends = "world"\n[rl]\nsteps = "3"\nstep = 3\n[judg]\nmethod = "cot"\n')
    assert refused_run("run.toml") == [
        'run.toml:3: rl.steps is "3"; expected a whole number',
        'run.toml:4: unknown key "rl.step" (did you mean `steps`?)',
        'run.toml:5: unknown key "judg" (did you mean `judge`?)',
    ]
    (files / "run.toml").write_text("seed = 1\n[rl\nsteps = 3\n")
    assert refused_run("run.toml") == ["run.toml:2: broken TOML: Expected ']' at the end of a table declaration"]
    assert refused_run("wrld") == ["wrld: cannot read the run file: No such file or directory (did you mean `world`?)"]


def test_faults_of_all_inputs_are_told_at_once(files: Path) -> None:
    none = ("--model", "none", "--constitution", "none.md", "--prompts", "none.jsonl", "--helpful", "no.jsonl")
    lines = refused_run(*none)
    assert [line.split(" (")[0] for line in lines] == [
        "none.md: there is no such constitution",
        "none.jsonl: no such file",
        "no.jsonl: no such file",
        "none: no such model folder",
    ]


def test_output_folders(files: Path) -> None:
    (files / "full").mkdir()
    (files / "full" / "letter.txt").touch()
    assert refused("run", *OWN, "-o", "full") == [
        "full is not empty and holds no run (letter.txt) (choose a new folder with -o)"
    ]
    assert os.listdir(files / "full") == ["letter.txt"]
    world = load_run_config(None, [f"models.assistant={files / 'model'}"])
    in_use = f"mine is in use by process {os.getpid()} (wait until it ends, or use another run folder)"
    with RunFolder.create(files / "mine", world):
        assert refused("run", "--model", "model", "-o", "mine") == [in_use]
        assert refused("resume", "mine") == [in_use]
        assert refused("stage", "sl", "mine") == [in_use]
    assert refused("run", "--model", "model", "-o", "mine", "--seed", "3") == [
        "mine holds another run: seed was 0, now 3 "
        "(choose another folder with -o, or go on with that run: `solon resume mine`)"
    ]
    assert refused("stage", "sl", "mine", "--seed", "3") == [
        "mine is a run with its own settings (leave out options that change settings)"
    ]
    assert refused("report", "mine") == [
        "mine/summary.json: there is no summary here (the run has not finished: continue it with `solon resume`)"
    ]
    assert refused("run", *OWN, "-o", "--quiet") == [
        "-o expects a folder, got --quiet (for a folder of that name: -o ./--quiet)"
    ]
    assert refused("run", *OWN, "-o", "red.jsonl") == [
        "cannot use red.jsonl as a run folder: red.jsonl: File exists (choose another folder with -o)"
    ]


@pytest.mark.parametrize("command", ["resume", "report"])
def test_a_folder_without_a_run(files: Path, command: str) -> None:
    assert refused(command, "nothing") == ["nothing holds no run (begin one with `solon run -o nothing`)"]


def test_no_space_left_keeps_what_there_was(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk fills up while the first shard of answers and revisions is written."""
    replace = os.replace

    def full(source: Path, target: Path) -> None:
        if "revisions" in str(target) and "rows" in str(target):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        result = solon("run", *OWN, *tiny_settings("prompts.mixed=0"), "-o", "mine", "--quiet")
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: cannot write mine/revisions/") and line.endswith(
        ": No space left on device; all that was committed before is kept (free some space, then `solon resume mine`)"
    )
    assert not list((files / "mine").rglob(".*.tmp"))
    assert (files / "mine" / "prompts" / "manifest.json").exists()
    assert "revisions: " in done("stage", "revisions", "mine")


def test_memory_that_runs_out_names_the_setting_to_lower_and_keeps_what_there_was(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While texts are written; `tests/train/test_faults.py` has it in training."""
    from solon.lm.engines.local import LocalModel

    async def full(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(LocalModel, "complete", full)
        result = solon("run", *OWN, *tiny_settings("prompts.mixed=0"), "-o", "mine", "--quiet")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[0] == (
        "error: memory ran out; all that was committed before is kept "
        "(lower sampling.batch_size: give the same command with --set sampling.batch_size=N)"
    )
    assert (files / "mine" / "prompts" / "manifest.json").exists()
    assert "revisions: " in done("stage", "revisions", "mine")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("~nobodyx/y", "Could not determine home directory."),
        ("r\udcff.jsonl", "it is not UTF-8 text"),
        ("p" * 5000, "File name too long"),
    ],
)
def test_values_that_can_be_no_path(files: Path, value: str, said: str) -> None:
    for given in (("--prompts", value), ("--set", f"prompts.source={value}")):
        (line,) = refused_run("--model", "model", *given)
        assert "prompts.source is " in line and line.endswith(f", which cannot be used: {said}")
        assert len(line) < 400


def test_faults_do_not_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A server's words stand in them, and names of files."""
    say_error("http://h/v1 has no m: \x1b[2Jgone\nerror: another")
    assert capsys.readouterr().err == "error: http://h/v1 has no m: \\x1b[2Jgone error: another\n"
