"""The card says what is beside it, plainly, and is refused beside other weights."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from solon.artifacts.hashes import sha256_file
from solon.config.paths import EMBEDDED_MODELS
from solon.embedded.card import (
    CARD,
    README,
    WEIGHTS,
    Card,
    card_text,
    count_parameters,
    machine_in_words,
    read_card,
    write_card,
)
from solon.embedded.corpus import corpus_hash
from solon.embedded.recipe import PretrainConfig, command_of, recipe_of
from solon.embedded.skills import AnswerSkills, Measurements, Skills
from solon.errors import ConfigError, ModelError
from solon.models.where import embedded_model

SKILLS = Skills(
    n_verdicts=61,
    verdict_accuracy=0.875,
    verdict_accuracy_both_orders=0.9,
    verdict_order_consistent=0.85,
    tie_confidence=0.625,
    n_swaps=70,
    swap_accuracy=0.9,
    n_turned=75,
    turned_accuracy=0.8,
    blank_confidence=0.55,
    n_contrasts=80,
    harmless_preferred=0.52,
    n_faulty=31,
    critique_exact=0.75,
    critique_exact_faults=0.8125,
    n_off_target=17,
    critique_none=None,
    n_revisions=71,
    revision_removed=0.9375,
    revision_kept=0.5,
    revision_perfect=0.4375,
)
ANSWERS = AnswerSkills(n=83, harmful=0.3125, evasive=0.1, rude=0.2, preachy=0.15, malformed=0.05, helpful=0.6875)
MEASURED = Measurements(seed=4, holdouts={"situations": SKILLS, "acts": SKILLS}, answers={"benign": ANSWERS})


def written(folder: Path, *, measured: Measurements | None = MEASURED) -> Card:
    save_file({"a": np.zeros((3, 4), np.float32), "b": np.zeros(5, np.float32)}, folder / WEIGHTS)
    return write_card(
        folder,
        recipe=PretrainConfig(seed=2),
        seconds=754.26,
        tokens=25_100_000,
        threads=3,
        measured=measured,
    )


def test_the_card_is_about_the_weights_beside_it(tmp_path: Path) -> None:
    card = written(tmp_path)
    assert read_card(tmp_path) == card
    assert (card.parameters, card.weights_sha256) == (17, sha256_file(tmp_path / WEIGHTS))
    assert card.weights_bytes == (tmp_path / WEIGHTS).stat().st_size
    assert card.corpus_sha256 == corpus_hash(2)
    assert {"torch", "transformers", "numpy", "python", "solon"} <= set(card.versions)
    assert json.loads((tmp_path / CARD).read_text())["recipe"]["hidden"] == 192


def test_the_text_for_readers(tmp_path: Path) -> None:
    card = written(tmp_path)
    assert (tmp_path / README).read_text(encoding="utf-8") == card_text(card)
    told = {"machine": "64 cores of a teapot", "notes": ("It was interrupted once.",)}
    text = card_text(card.model_copy(update=told))
    assert "model organism, not a chatbot" in text
    for fact in ("25.1 million tokens", "13 minutes", "threads: 3", "64 cores of a teapot", "lessons made with seed 4"):
        assert fact in text
    assert "| verdict right, one order | 0.875 | 0.875 |" in text
    assert "| critique finds nothing, only other faults present | - | - |" in text
    assert "| helpful | 0.688 |" in text and "| answers | 83 |" in text
    assert "\nIt was interrupted once.\n" in text
    assert "{" not in text


@pytest.mark.parametrize("name", EMBEDDED_MODELS)
def test_a_shipped_card_says_the_same_to_readers(name: str) -> None:
    folder = embedded_model(name)
    card = read_card(folder)
    text, recipe = card_text(card), card.recipe
    built = json.loads((folder / "config.json").read_bytes())
    assert card.command == command_of(recipe, card.threads)
    assert (card.parameters, card.weights_bytes) == (
        count_parameters(folder / WEIGHTS),
        (folder / WEIGHTS).stat().st_size,
    )
    assert (built["hidden_size"], built["num_hidden_layers"], built["intermediate_size"]) == (
        *(recipe.hidden, recipe.layers, recipe.intermediate),
    )
    assert (folder / README).read_text(encoding="utf-8") == text
    assert read_card(folder).weights_sha256 == sha256_file(folder / WEIGHTS)
    assert "the critique's question of quoted sentences" in text and "read nowhere" in text


def test_unmeasured_skills_are_not_made_up(tmp_path: Path) -> None:
    text = card_text(written(tmp_path, measured=None))
    assert "Not measured" in text and "verdict right" not in text


def test_no_card(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="the folder has no card"):
        read_card(tmp_path)


def test_a_card_beside_other_weights_is_refused(tmp_path: Path) -> None:
    written(tmp_path)
    save_file({"a": np.ones((3, 4), np.float32)}, tmp_path / WEIGHTS)
    with pytest.raises(ModelError, match=r"not about the model\.safetensors beside it"):
        read_card(tmp_path)
    (tmp_path / WEIGHTS).unlink()
    with pytest.raises(ModelError, match="not about"):
        read_card(tmp_path)


def test_a_card_of_another_shape_is_refused(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / CARD).write_text("{}")
    with pytest.raises(ModelError, match="not a card that this version can read"):
        read_card(tmp_path)


def test_parameters_are_counted_from_the_file(tmp_path: Path) -> None:
    save_file({"one": np.zeros(1), "many": np.zeros((2, 3, 4)), "scalar": np.array(1.0)}, tmp_path / "w.safetensors")
    assert count_parameters(tmp_path / "w.safetensors") == 26


def test_cards_cost_no_torch() -> None:
    script = "import sys, solon.embedded.card; assert not {'torch', 'transformers'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize(
    ("cpuinfo", "words"),
    [
        (
            "model name\t: Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz\nflags\t\t: fpu avx512_bf16 amx_bf16\n",
            "Intel Xeon, bfloat16 by amx_bf16",
        ),
        (
            "model name\t: AMD EPYC 9B14 96-Core Processor\nflags\t\t: fpu avx512_bf16\n",
            "AMD EPYC, bfloat16 by avx512_bf16",
        ),
        ("model name\t: AMD EPYC\nflags\t\t: fpu sse\n", "AMD EPYC, no bfloat16 in hardware"),
    ],
)
def test_the_machine_in_words(cpuinfo: str, words: str) -> None:
    said = machine_in_words(cpuinfo)
    assert said.endswith(f", {words}") and " cores, " in said


def test_an_unknown_machine() -> None:
    assert machine_in_words("").endswith("no bfloat16 in hardware")


def test_the_command_names_what_differs_from_the_shipped_recipe() -> None:
    assert command_of(PretrainConfig(), 2) == "solon embedded pretrain --seed 0 --threads 2 -o DIR"
    recipe = recipe_of(seed=7, hidden=96, layers=3, corpus_tokens=5000, opposite_tokens=0)
    assert (recipe.hidden, recipe.intermediate) == (96, 256)
    assert command_of(recipe, 1) == (
        "solon embedded pretrain --seed 7 --hidden 96 --layers 3 --corpus-tokens 5000"
        " --opposite-tokens 0 --threads 1 -o DIR"
    )


def test_a_width_that_cannot_be_built() -> None:
    assert recipe_of(seed=0) == PretrainConfig()
    with pytest.raises(ConfigError, match=r"--hidden: 100 is no multiple of 8 \(192 is the shipped model's\)"):
        recipe_of(seed=0, hidden=100)
