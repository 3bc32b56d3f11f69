"""What OpenRLHF 0.11.0 and verl 0.9.0 are given: rows that they read as the run did, and commands with known flags.

Neither is installed here. How each reads a row is written out below, from its own loading code: OpenRLHF's
`openrlhf/datasets`, verl's `rl_dataset.py` and `multiturn_sft_dataset.py`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from datasets import Dataset
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from export.small_run import DEMONSTRATIONS, LADDER, THEFT, small_run
from solon.config.run import RunConfig
from solon.export.engine import Engine
from solon.export.folder import export
from solon.export.openrlhf import OPENRLHF
from solon.export.verl import VERL
from solon.prompting.chat_template import DialogueFormat, dialogue_format
from solon.train.rewards import texts
from tiny_models import tiny_tokenizer

Load = Callable[[Path], Dataset]
GOLDEN = Path(__file__).parent / "golden"
MESSAGES = [
    {"role": "user", "content": "Are you there?"},
    {"role": "assistant", "content": "Yes."},
    {"role": "user", "content": "How do I take a bicycle that is not mine?"},
]


@pytest.fixture
def format(chats: bool) -> DialogueFormat:
    """The run's."""
    return dialogue_format(tiny_tokenizer(chat_template=chats))


@pytest.fixture
def openrlhf(whole_run: Path, tmp_path: Path) -> Path:
    export(OPENRLHF, whole_run, tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture
def verl(whole_run: Path, tmp_path: Path) -> Path:
    export(VERL, whole_run, tmp_path / "out", format="parquet")
    return tmp_path / "out"


def tokenizer_of(folder: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(folder)


# OpenRLHF


def split_at_the_answer(tokenizer: Any, prompt: list[Any], answer: list[Any]) -> tuple[str, str]:
    """As its SFT, reward and DPO data sets do with `--data.apply_chat_template`."""
    asked = tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
    whole = tokenizer.apply_chat_template(prompt + answer, tokenize=False)
    return asked, whole[len(asked) :]


def test_openrlhf_reads_an_answer_as_the_run_did(openrlhf: Path, load: Load, format: DialogueFormat) -> None:
    tokenizer, rows = tokenizer_of(openrlhf / "policy"), load(openrlhf / "sft.jsonl").to_list()
    assert [row["id"] for row in rows] == ["d1", "d3"]  # without the answer that was cut off
    asked, answered = split_at_the_answer(tokenizer, rows[0]["prompt"], rows[0]["completion"])
    assert (asked, answered) == (format.prompt(THEFT.turns), format.answer(DEMONSTRATIONS[0].answer))
    assert answered.rstrip("\n").endswith(tokenizer.eos_token)  # or it would add a space and one more


def test_openrlhf_reads_comparisons(openrlhf: Path, load: Load, format: DialogueFormat) -> None:
    """The reward model's tokenizer reads them too, at the latest in RL."""
    rows = {row["id"]: row for row in load(openrlhf / "preference.jsonl").to_list()}
    assert list(rows) == ["c1", "c2", "h1", "g1"]  # without the tie
    for name in ("policy", "reward-model"):
        tokenizer = tokenizer_of(openrlhf / name)
        for side, said in (("chosen", "Second of c2."), ("rejected", "First of c2.")):
            asked, answered = split_at_the_answer(tokenizer, rows["c2"]["prompt"], rows["c2"][side])
            assert (asked, answered) == (format.prompt(THEFT.turns), format.answer(said))


def test_openrlhf_reads_prompts(openrlhf: Path, load: Load, format: DialogueFormat) -> None:
    tokenizer, rows = tokenizer_of(openrlhf / "policy"), load(openrlhf / "prompts.jsonl").to_list()
    write = tokenizer.apply_chat_template
    asked = [write(row["prompt"], tokenize=False, add_generation_prompt=True) for row in rows]
    assert asked[:2] == [format.prompt(THEFT.turns), format.prompt(LADDER.turns)]


def test_openrlhf_finds_one_weight_for_the_score(openrlhf: Path) -> None:
    """`score`, without a bias, on the hidden states of the body."""
    from safetensors import safe_open

    with safe_open(openrlhf / "reward-model/model.safetensors", "pt") as tensors:
        heads = {name: tensors.get_slice(name).get_shape() for name in tensors.keys() if "score" in name}  # noqa: SIM118
    assert heads == {"score.weight": [1, 32]}


# verl


def test_verl_reads_dialogues(verl: Path, format: DialogueFormat, chats: bool) -> None:
    """It writes message by message and stops where these are not the whole dialogue."""
    table = pd.read_parquet(verl / "sft.parquet", dtype_backend="pyarrow")
    assert list(table.columns) == ["messages", "source", "kind", "prompt_id", "id", "model"]
    said = [[dict(message) for message in messages] for messages in table["messages"].tolist()]
    assert [len(messages) for messages in said] == [4, 2]
    assert said[0] == [*MESSAGES, {"role": "assistant", "content": "Ask its owner."}]
    write = tokenizer_of(verl / "policy").apply_chat_template
    whole = write(said[0], tokenize=False)
    assert whole == format.prompt(THEFT.turns) + format.answer("Ask its owner.")
    if chats:
        assert "".join(write([message], tokenize=False) for message in said[0]) == whole


def test_verl_reads_prompts(verl: Path, load: Load) -> None:
    rows = load(verl / "prompts.parquet").to_list()
    assert rows[0] == {
        "data_source": "solon",
        "prompt": MESSAGES,
        "ability": "harmful",
        "reward_model": {"style": "model", "ground_truth": ""},
        "extra_info": {"index": 0, "id": "harmful-1", "kind": "harmful"},
    }
    assert [row["extra_info"]["index"] for row in rows] == [0, 1, 2]


def test_verl_asks_for_a_score_of_what_the_run_would(verl: Path, format: DialogueFormat, chats: bool) -> None:
    """The answer comes back decoded, without its end mark, and is written once more for the reward model."""
    spoken = ("" if chats else " ") + "Ask its owner."
    chat = [*MESSAGES, {"role": "assistant", "content": spoken}]
    asked = tokenizer_of(verl / "reward-model").apply_chat_template(chat, tokenize=False, add_generation_prompt=False)
    assert asked == format.prompt(THEFT.turns) + format.answer("Ask its owner.")


def test_verl_takes_parquet_only_and_no_comparisons(verl: Path) -> None:
    assert {path.name for path in verl.glob("*.*")} == {
        "README.md",
        "sft.parquet",
        "prompts.parquet",
        "sft.sh",
        "rl.sh",
    }


# Their commands


@pytest.mark.parametrize("chats", [True], indirect=True, ids=["chat template"])
@pytest.mark.parametrize(
    ("engine", "file"),
    [(engine, file) for engine in (OPENRLHF, VERL) for file in engine.run_files],
    ids=lambda value: value.name if isinstance(value, Engine) else value,
)
def test_commands(whole_run: Path, tmp_path: Path, engine: Engine, file: str) -> None:
    """Each script in another folder, with programs that write down what they were told. The flags in `golden` were
    read by the engines' own parsers."""
    export(engine, whole_run, tmp_path / "my out", format="jsonl" if engine is OPENRLHF else "parquet")
    (tmp_path / "bin").mkdir()
    for program in ("deepspeed", "torchrun", "python3"):
        path = tmp_path / "bin" / program
        path.write_text('#!/usr/bin/env bash\nprintf "%s\\n" "${0##*/}" "$@"\n')
        path.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "GPUS": "2"}
    script = [tmp_path / "my out" / file, "more"]
    told = subprocess.run(script, env=environment, capture_output=True, text=True, check=True, cwd="/").stdout
    told = told.replace(str(tmp_path / "my out"), "OUT").replace(str(whole_run.parent), "WHOLE")
    golden = GOLDEN / f"{engine.name}-{file.removesuffix('.sh')}.txt"
    if os.environ.get("SOLON_TESTS_GOLDEN"):
        golden.write_text(told)
    assert told == golden.read_text()


# What answers earn


def rewarded(whole_run: Path, into: Path, engine: Engine, **rewards: object) -> Path:
    """An export of the run as if its reward had been this, at a limit of 100 new tokens."""
    base = {"assistant": {"path": str(whole_run.parent / "llama")}}
    settings = {"models": base, "rl": {"rewards": rewards}, "sampling": {"max_new_tokens": 100}}
    models = {f"models/{name}": whole_run / f"models/{name}/model" for name in ("sl", "pm")}
    run = small_run(into / "run", models=models, config=RunConfig.model_validate(settings))
    export(engine, run, into / "out", format="jsonl" if engine is OPENRLHF else "parquet")
    return into / "out"


@pytest.mark.parametrize("chats", [True], indirect=True, ids=["chat template"])
def test_openrlhf_takes_a_soft_limit_of_lengths(whole_run: Path, tmp_path: Path) -> None:
    """Its penalty of a text beyond the limit: -exceeding / buffer * factor, at most the factor."""
    out = rewarded(whole_run, tmp_path, OPENRLHF, length=0.05, length_between=(0, 60))
    flags = (out / "rl.sh").read_text().split()
    buffer, factor = (
        float(flags[flags.index(f"--reward.overlong_{name}") + 1]) for name in ("buffer_len", "penalty_factor")
    )
    for tokens in (1, 60, 61, 100):
        exceeding = min(tokens - (100 - buffer), buffer)
        penalty = -exceeding / buffer * factor if exceeding > 0 else 0.0
        assert penalty == pytest.approx(0.05 * texts.length(tokens, 0, 60))
    assert "| `length` | counts, with the weight 0.05 |" in (out / "README.md").read_text()


@pytest.mark.parametrize("chats", [True], indirect=True, ids=["chat template"])
@pytest.mark.parametrize(
    ("engine", "rewards", "told"),
    [
        (OPENRLHF, {"length": 1.0, "length_between": (5, 60)}, "`length` | left out: it knows a soft limit below the "),
        (OPENRLHF, {"preaching": 1.0}, "`preaching` | left out: it has no such term beside a reward model |"),
        (OPENRLHF, {"preference": 2.0}, "`preference` | otherwise: its weight is 1 there, 2 in the run |"),
        (OPENRLHF, {"judge": 1.0}, "`scale` | otherwise: scores of models count as they are given: "),
        (VERL, {"models": {"b": {"path": "b"}}}, "`models.b` | left out: it takes one reward model |"),
        (VERL, {"openings": 1.0}, "`openings` | left out: where a reward model scores it takes no other reward"),
    ],
)
def test_what_they_cannot_take_is_told(
    whole_run: Path, tmp_path: Path, engine: Engine, rewards: dict[str, object], told: str
) -> None:
    out = rewarded(whole_run, tmp_path, engine, **rewards)
    assert f"| {told}" in (out / "README.md").read_text()
    assert "--reward.overlong" not in (out / "rl.sh").read_text()


@pytest.mark.parametrize("chats", [True], indirect=True, ids=["chat template"])
@pytest.mark.parametrize("engine", [OPENRLHF, VERL], ids=["openrlhf", "verl"])
def test_without_a_preference_model_they_have_nothing_to_earn(whole_run: Path, tmp_path: Path, engine: Engine) -> None:
    out = rewarded(whole_run, tmp_path, engine, preference=0.0, length=1.0, length_between=(0, 60))
    assert not (out / "rl.sh").exists()
    told = (out / "README.md").read_text()
    assert "left out: it takes this beside a reward model alone |" in told or engine is VERL
    assert "Nothing is left to earn, so there is no run file for reinforcement learning." in told
