from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from solon.models.heads import PreferenceModel, ValueModel
from tiny_models import FAMILIES, Family, tiny_model, tiny_tokenizer

LENGTHS = (9, 4, 6)


def sequences() -> list[torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    return [torch.randint(2, 300, (length,), generator=rng) for length in LENGTHS]


def padded(side: str, extra: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(LENGTHS) + extra
    ids, mask = torch.zeros(3, width, dtype=torch.long), torch.zeros(3, width, dtype=torch.bool)
    for row, sequence in enumerate(sequences()):
        place = slice(0, len(sequence)) if side == "right" else slice(width - len(sequence), width)
        ids[row, place], mask[row, place] = sequence, True
    return ids, mask


@pytest.mark.parametrize("family", FAMILIES)
def test_the_score_is_the_head_of_the_last_real_tokens_state(family: Family) -> None:
    model = PreferenceModel(tiny_model(family)).eval()
    ids, mask = padded("right")
    with torch.no_grad():
        scores = model(ids, mask)
        for row, sequence in enumerate(sequences()):
            # hidden_states[-1] of the whole causal LM, read by hand
            out = tiny_model(family)(sequence[None], output_hidden_states=True)
            expected = out.hidden_states[-1][0, -1] @ model.head.weight[0]
            torch.testing.assert_close(scores[row], expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_side_and_amount_of_padding_do_not_matter(family: Family) -> None:
    preference, value = PreferenceModel(tiny_model(family)).eval(), ValueModel(tiny_model(family)).eval()
    torch.nn.init.normal_(value.head.weight, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = preference(*padded("right"))
        for side, extra in (("right", 5), ("left", 0), ("left", 3)):
            ids, mask = padded(side, extra)
            torch.testing.assert_close(preference(ids, mask), expected, atol=1e-4, rtol=1e-4)
            right_ids, right_mask = padded("right")
            torch.testing.assert_close(
                value(ids, mask)[mask], value(right_ids, right_mask)[right_mask], atol=1e-4, rtol=1e-4
            )


def test_padding_does_not_shift_learnt_positions() -> None:
    """GPT-2 looks its positions up; rotary families cannot tell a shift."""
    shape = {"n_positions": 16, "n_embd": 16, "n_layer": 1, "n_head": 2, "vocab_size": 384, "initializer_range": 0.2}
    model = PreferenceModel(GPT2LMHeadModel(GPT2Config(**shape))).eval()
    with torch.no_grad():
        torch.testing.assert_close(model(*padded("left", 3)), model(*padded("right")), atol=1e-4, rtol=1e-4)


def test_first_values_are_zero_and_first_scores_are_drawn_from_the_seed() -> None:
    ids, mask = padded("right")
    with torch.no_grad():
        assert not ValueModel(tiny_model()).eval()(ids, mask).any()
        scores = [PreferenceModel(tiny_model(), seed=seed).eval()(ids, mask) for seed in (0, 0, 1)]
    assert torch.equal(scores[0], scores[1]) and not torch.equal(scores[0], scores[2])


def test_scores_stay_float32_under_autocast() -> None:
    model = PreferenceModel(tiny_model())
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        scores = model(*padded("right"))
    assert scores.dtype == torch.float32
    assert not torch.equal(scores, scores.bfloat16().float())


def test_gradients_reach_head_and_backbone() -> None:
    model = PreferenceModel(tiny_model("gpt_neox"))
    model(*padded("right")).sum().backward()
    assert model.head.weight.grad is not None and model.head.weight.grad.abs().sum() > 0
    assert model.backbone.get_input_embeddings().weight.grad.abs().sum() > 0


@pytest.mark.parametrize("family", FAMILIES)
def test_saved_and_loaded_it_scores_the_same(tmp_path: Path, family: Family) -> None:
    model = PreferenceModel(tiny_model(family), seed=4).eval()
    model.save(tmp_path / "pm", tiny_tokenizer())
    loaded = PreferenceModel.load(tmp_path / "pm", dtype=torch.float32, device="cpu")
    assert not loaded.training
    with torch.no_grad():
        assert torch.equal(loaded(*padded("left")), model(*padded("left")))
    loaded.save(tmp_path / "again", tiny_tokenizer())
    for file in (tmp_path / "pm").iterdir():
        assert file.read_bytes() == (tmp_path / "again" / file.name).read_bytes(), file.name
