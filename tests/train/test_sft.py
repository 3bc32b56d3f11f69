"""Finetuning learns the answers and only the answers, and resumes to the same bytes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel

from solon.config.training import SFTSection
from solon.train.batches import TokenExample
from solon.train.forward import Reader
from solon.train.sft import finetune
from tiny_models import FAMILIES, Family, tiny_model
from train.keeping import Killed, MemoryCheckpoints, killer, same_bytes, train_context


def _examples(count: int = 16) -> list[TokenExample]:
    rows = []
    for n in range(count):
        prompt, answer = (100 + n, 120, 121 + n % 5), (200 + n, 230 + n % 3, 0)[: 2 + n % 2]
        mask = (False,) * len(prompt) + (True,) * len(answer)
        rows.append(TokenExample(id=f"row-{n}", input_ids=prompt + answer, loss_mask=mask))
    return rows


def _section(**changes: object) -> SFTSection:
    settings = {"epochs": 3, "batch_size": 5, "learning_rate": 5e-3, "warmup_steps": 2, "checkpoint_steps": 4}
    return SFTSection.model_validate(settings | changes)


def _right(model: PreTrainedModel, examples: list[TokenExample]) -> Tensor:
    """Of each token that counts, whether it is the likeliest."""
    reader = Reader(model, pad_id=1, dtype=torch.float32)
    batch = reader.collate_examples(examples)
    return reader.logits(batch).argmax(-1) == batch.target_ids_N


@pytest.mark.parametrize("family", FAMILIES)
def test_it_learns_sixteen_answers_by_heart(family: Family) -> None:
    model, examples = tiny_model(family), _examples()
    steps = finetune(model, examples, _section(epochs=40, batch_size=16, learning_rate=1e-2), train_context(pad_id=1))
    assert _right(model, examples).all()
    assert steps[-1].loss < 0.1 < 3 < steps[0].loss


def test_prompts_are_not_learnt() -> None:
    model, examples = tiny_model(), _examples()
    finetune(model, examples, _section(epochs=40, batch_size=16, learning_rate=1e-2), train_context(pad_id=1))
    whole = [TokenExample(id=row.id, input_ids=row.input_ids[:3], loss_mask=(True,) * 3) for row in examples]
    assert _right(model, whole).float().mean() < 0.2


def test_the_size_of_micro_batches_and_the_padding_token_change_nothing_but_rounding() -> None:
    one, other = tiny_model(), tiny_model()
    finetune(one, _examples(), _section(micro_batch_tokens=4096), train_context(pad_id=1))
    finetune(other, _examples(), _section(micro_batch_tokens=11), train_context(pad_id=300))
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=2e-4, rtol=2e-3)


def test_every_epoch_sees_every_example_and_progress_hears_of_it() -> None:
    heard: list[tuple[int, int]] = []
    steps = finetune(
        tiny_model(),
        _examples(),
        _section(),
        train_context(pad_id=1, progress=lambda rows, tokens: heard.append((rows, tokens))),
    )
    assert [rows for rows, _ in heard] == [5, 5, 5, 1] * 3
    assert sum(tokens for _, tokens in heard) == 3 * sum(map(len, _examples())) == sum(step.tokens for step in steps)
    assert [step.step for step in steps] == list(range(1, 13))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("at", [3, 4, 5, 11])
def test_killed_and_resumed_ends_with_the_bytes_of_an_undisturbed_run(dtype: torch.dtype, at: int) -> None:
    undisturbed, checkpoints = tiny_model(), MemoryCheckpoints()
    want = finetune(undisturbed, _examples(), _section(), train_context(pad_id=1, dtype=dtype))
    first, second = tiny_model(), tiny_model()
    with pytest.raises(Killed):
        finetune(
            first,
            _examples(),
            _section(),
            train_context(pad_id=1, dtype=dtype, checkpoints=checkpoints, progress=killer(at)),
        )
    got = finetune(second, _examples(), _section(), train_context(pad_id=1, dtype=dtype, checkpoints=checkpoints))
    assert same_bytes(second, undisturbed) and got == want
    assert checkpoints.steps == sorted(set(checkpoints.steps)), "no step is saved twice"
    assert not same_bytes(first, undisturbed)


def test_an_example_of_which_nothing_counts_is_refused() -> None:
    masks = {"said": (False, False, True), "silent": (True, False, False)}  # the first token is never predicted
    empty = [TokenExample(id=name, input_ids=(1, 2, 3), loss_mask=mask) for name, mask in masks.items()]
    with pytest.raises(ValueError) as raised:
        finetune(tiny_model(), empty, SFTSection(), train_context(pad_id=0))
    assert str(raised.value) == "silent: an empty mask: of none of its tokens the prediction counts"


def test_another_seed_takes_another_order() -> None:
    one, other = tiny_model(), tiny_model()
    finetune(one, _examples(), _section(), train_context(pad_id=1))
    finetune(other, _examples(), _section(), train_context(seed=1, pad_id=1))
    assert not same_bytes(one, other)


def test_the_recorded_loss_is_the_mean_over_counted_tokens() -> None:
    model, examples = tiny_model(), _examples()
    with torch.no_grad():
        costs = [
            -model(torch.tensor([row.input_ids])).logits[0, place - 1].log_softmax(-1)[token]
            for row in examples
            for place, (token, counts) in enumerate(zip(row.input_ids, row.loss_mask, strict=True))
            if counts
        ]
    steps = finetune(model, examples, _section(batch_size=16), train_context(pad_id=1))
    assert steps[0].loss == pytest.approx(float(torch.stack(costs).mean()), rel=1e-5)


def test_every_epoch_has_an_order_of_its_own() -> None:
    steps = finetune(tiny_model(), _examples(), _section(epochs=2, batch_size=1), train_context(pad_id=1))
    first, second = [step.tokens for step in steps[:16]], [step.tokens for step in steps[16:]]
    assert sorted(first) == sorted(second) and first != second


def test_the_examples_of_a_prompt_come_together_if_that_is_wanted() -> None:
    """Two of each prompt, as long as those of no other: a step of two shows whether they are of one."""
    examples = [
        TokenExample(
            id=f"{n}-{k}", input_ids=(*range(10, 13 + n), 50 + k), loss_mask=(False,) * (3 + n) + (True,), prompt=f"{n}"
        )
        for k in range(2)
        for n in range(8)
    ]
    pairs = {2 * (4 + n) for n in range(8)}
    for order, together in (("prompts", True), ("rows", False)):
        steps = finetune(tiny_model(), examples, _section(epochs=1, batch_size=2, order=order), train_context(pad_id=1))
        assert (sorted(step.tokens for step in steps) == sorted(pairs)) == together
