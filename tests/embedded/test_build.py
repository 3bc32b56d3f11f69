"""From a seed to a model folder: there whole with its card, or not at all, and the same after a kill."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

import solon.embedded.batches
import solon.embedded.build
from solon.artifacts.hashes import sha256_file
from solon.cli.main import app
from solon.embedded.build import build, measure_folder
from solon.embedded.card import read_card
from solon.embedded.corpus import Document, documents
from solon.embedded.recipe import Part, PretrainConfig
from solon.embedded.tokenizer import train_tokenizer
from solon.errors import ModelError, RunError
from solon.models.load import load_model
from solon.progress import QuietReporter, Reporter

TINY = PretrainConfig(
    hidden=32,
    layers=2,
    heads=2,
    intermediate=64,
    corpus_tokens=3_000,
    opposite_tokens=3_000,
    batch_tokens=256,
    chunk_documents=8,
    warmup_steps=5,
    checkpoint_chunks=1,
)


@pytest.fixture(autouse=True)
def small_world(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A tokenizer learnt from ten documents, chunks of a few; and torch's threads as they were."""

    def few(seed: int, first: int, count: int, part: Part) -> Iterator[Document]:
        return documents(seed, first, min(count, 32), part)

    monkeypatch.setattr(solon.embedded.build, "train_tokenizer", partial(train_tokenizer, sample=10))
    monkeypatch.setattr(solon.embedded.batches, "documents", few)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


class Listening(QuietReporter):
    """Keeps what it is told, and dies when a stage has begun and some rows of it are made."""

    def __init__(self, dies_in: str = "", after: int = 0) -> None:
        super().__init__(io.StringIO())
        self.dies_in, self.after = dies_in, after
        self.stages: list[tuple[str, int | None]] = []
        self.found: dict[str, int] = {}
        self.rows: dict[str, int] = {}

    def stage(self, name: str, total_rows: int | None = None) -> None:
        self.stages.append((name, total_rows))
        super().stage(name, total_rows)

    def recovered(self, rows: int) -> None:
        self.found[self.stages[-1][0]] = rows

    def advance(self, rows: int, tokens: int) -> None:
        name = self.stages[-1][0]
        self.rows[name] = self.rows.get(name, 0) + rows
        if self.dies_in and name.startswith(self.dies_in) and self.rows[name] >= self.after:
            raise KeyboardInterrupt


def make(out: Path, reporter: Reporter | None = None, *, recipe: PretrainConfig = TINY, samples: int = 0) -> str:
    return build(out, recipe, threads=1, samples=samples, reporter=reporter or Listening()).weights_sha256


def test_a_folder_that_can_be_loaded_with_its_card(tmp_path: Path) -> None:
    heard = Listening()
    made = make(tmp_path / "model", heard, samples=1)
    card = read_card(tmp_path / "model")
    assert card.weights_sha256 == made and card.recipe == TINY and card.threads == 1
    assert card.tokens >= 6_000 and card.seconds > 0
    assert card.measured is not None and set(card.measured.answers) == {"harmful", "benign", "mixed"}
    loaded = load_model(tmp_path / "model", dtype=torch.bfloat16, device="cpu")
    assert sum(p.numel() for p in loaded.model.parameters()) == card.parameters
    assert [path.name for path in tmp_path.iterdir()] == ["model"], "nothing else is left"
    assert [name.split()[0] for name, _ in heard.stages] == ["world", "opposite", "skills"]
    assert [total for _, total in heard.stages[:2]] == [-(-3_000 // 256), -(-3_000 // 256)]
    assert heard.rows["skills"] == 8


@pytest.mark.parametrize(("stage", "rows"), [("world", 6), ("opposite", 9), ("skills", 1)])
def test_a_kill_leaves_no_trace(stage: str, rows: int, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "killed", Listening(stage, rows), samples=1)
    assert not (tmp_path / "killed").exists()
    heard = Listening()
    again = make(tmp_path / "killed", heard)
    went_on = sum(heard.found.values()) > 0 if stage != "skills" else heard.stages == []
    assert went_on, "it began again instead of going on"
    assert again == make(tmp_path / "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["killed", "whole"]
    tokens = [read_card(tmp_path / name).tokens for name in ("killed", "whole")]
    assert tokens[0] == tokens[1]


def test_the_second_part_goes_on_from_the_model_of_the_first(tmp_path: Path) -> None:
    first = make(tmp_path / "first", recipe=TINY.model_copy(update={"opposite_tokens": 0}))
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "m", Listening("opposite", 3))
    assert sha256_file(tmp_path / ".m.pretraining/world/model.safetensors") == first
    assert make(tmp_path / "m") != first


def test_another_recipe_does_not_go_on_with_it(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "m", Listening("world", 4))
    with pytest.raises(RunError, match=r"begun here from another recipe: recipe\.layers was 2, now 1"):
        make(tmp_path / "m", recipe=TINY.model_copy(update={"layers": 1}))


def test_what_is_there_already_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    with pytest.raises(ModelError, match=r"there is something already \(choose a new folder with -o\)"):
        make(tmp_path / "m")
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_damaged_checkpoint_is_told_with_what_helps_here(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "m", Listening("world", 6))
    (tensors,) = (tmp_path / ".m.pretraining/world-checkpoints").glob("*/tensors.safetensors")
    tensors.write_bytes(b"not tensors")
    with pytest.raises(RunError, match=r"cannot read the checkpoint .* delete .*\.m\.pretraining") as caught:
        make(tmp_path / "m")
    assert "solon resume" not in str(caught.value)


def test_one_at_a_time(tmp_path: Path) -> None:
    class Meddling(Listening):
        def advance(self, rows: int, tokens: int) -> None:
            with pytest.raises(RunError, match="is in use"):
                make(tmp_path / "m")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "m", Meddling())


def test_a_folder_without_a_model_cannot_be_measured(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model folder"):
        measure_folder(tmp_path / "none", samples=1, reporter=Listening())


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["embedded", *arguments])


SMALL = ("--hidden", "16", "--layers", "1", "--threads", "1", "--corpus-tokens", "3000", "--opposite-tokens", "0")


def test_the_commands(tmp_path: Path) -> None:
    out = str(tmp_path / "m")
    made = call("pretrain", "--seed", "5", "-o", out, *SMALL, "--samples", "0")
    assert made.exit_code == 0, made.output
    card = read_card(tmp_path / "m")
    assert f"{out}: {card.parameters:,} parameters, sha256 {card.weights_sha256}" in made.output
    assert "world: 0.00 million tokens, loss" in made.output
    assert card.command == (
        "solon embedded pretrain --seed 5 --hidden 16 --layers 1 --corpus-tokens 3000"
        " --opposite-tokens 0 --threads 1 -o DIR"
    )
    shown = call("card", out)
    assert shown.exit_code == 0 and "model organism, not a chatbot" in shown.output
    assert json.loads(call("card", out, "--json").output) == json.loads((tmp_path / "m/card.json").read_text())
    measured = json.loads(call("skills", out, "--samples", "1", "--json").output)
    assert set(measured["holdouts"]) == {"situations", "acts", "wording", "category", "seen"}


def test_wrong_calls(tmp_path: Path) -> None:
    refused = call("pretrain", "-o", str(tmp_path / "m"), "--hidden", "100")
    assert (refused.exit_code, refused.stderr.splitlines()) == (
        2,
        ["error: --hidden: 100 is no multiple of 8 (192 is the shipped model's)"],
    )
    assert call("card", str(tmp_path)).exit_code == 2
    assert call("skills", str(tmp_path / "none")).exit_code == 2
