from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from solon.errors import PromptError
from solon.evals.published.perplexity import perplexity, read_texts, windows
from solon.lm.engines.local import LocalModel
from solon.models.load import LoadedModel
from solon.models.tokens import encode_prompt
from tiny_models import tiny_model, tiny_tokenizer

TEXT = "The baker rose before the town. She lit the oven, and the smell of bread woke the street."


@pytest.fixture(scope="module")
def model() -> LocalModel:
    return LocalModel(LoadedModel(model=tiny_model("llama"), tokenizer=tiny_tokenizer(), path=Path("tiny")))


def test_it_is_the_mean_surprise_of_every_token_behind_the_first_word(model: LocalModel) -> None:
    """Beside one forward pass of the model itself."""
    found = perplexity([TEXT], model)
    ids = encode_prompt(model.loaded.tokenizer, TEXT)
    skipped = len(encode_prompt(model.loaded.tokenizer, "The"))
    with torch.no_grad():
        logp = model.loaded.model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
    nats = -sum(float(logp[place - 1, ids[place]]) for place in range(skipped, len(ids)))
    assert (found.tokens, found.windows, found.unscored_bytes) == (len(ids) - skipped, 1, 3)
    assert found.perplexity.value == pytest.approx(math.exp(nats / found.tokens), rel=1e-4)
    assert found.bits_per_byte.value == pytest.approx(nats / math.log(2) / (len(TEXT) - 3), rel=1e-4)
    assert found.perplexity.low == pytest.approx(found.perplexity.high)  # of one window there is nothing to draw anew


def test_long_texts_are_cut_at_white_space(model: LocalModel) -> None:
    parts = list(windows(TEXT, model.count_tokens, 24))
    assert "".join(parts) == TEXT and len(parts) > 2
    assert all(model.count_tokens(part) <= 24 for part in parts)
    assert all(part[:1].isspace() for part in parts[1:])
    found = perplexity([TEXT, TEXT], model, window=24)
    assert (found.texts, found.windows) == (2, 2 * sum(len(part.split()) > 1 for part in parts))
    assert found.bytes + found.unscored_bytes == 2 * len(TEXT)
    assert found.perplexity.low < found.perplexity.value < found.perplexity.high


def test_texts_without_a_second_word(model: LocalModel) -> None:
    found = perplexity(["One", TEXT, ""], model)
    assert (found.texts, found.left_out, found.windows) == (1, 2, 1)
    with pytest.raises(PromptError) as told:
        perplexity(["\u9762\u5305" * 40, "x" * 40 + " " + "y" * 40], model, window=8)
    assert str(told.value) == (
        "no window of 8 tokens has a second word (the first word of a window is not scored, and a text is cut at white "
        "space)"
    )


def test_files(tmp_path: Path) -> None:
    (tmp_path / "plain.md").write_text(f"\ufeff{TEXT}\n", encoding="utf-8")
    assert read_texts(tmp_path / "plain.md") == [f"{TEXT}\n"]
    (tmp_path / "rows.jsonl").write_text('{"text": "One two."}\n{"content": "Three four."}\n{"text": "One"}\n')
    assert read_texts(tmp_path / "rows.jsonl") == ["One two.", "Three four.", "One"]
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(PromptError, match=r"empty.txt: no text of two words or more"):
        read_texts(tmp_path / "empty.txt")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9 noir")
    with pytest.raises(PromptError, match=r"latin.txt: not UTF-8 \(save the file as UTF-8\)"):
        read_texts(tmp_path / "latin.txt")
