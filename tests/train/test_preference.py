"""The preference model learns what it is told, also the reverse, and is measured on what it never saw."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import log

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from solon.config.training import PreferenceSection, RLSection
from solon.errors import OutOfMemoryError
from solon.lm.protocols import Completion
from solon.models.heads import PreferenceModel
from solon.train import preference
from solon.train.forward import Reader
from solon.train.preference import (
    PreferenceExample,
    PreferenceReward,
    margins,
    scored,
    scores,
    sequence_tokens,
    split_by_prompt,
    train_preference,
)
from solon.train.rollouts import PolicyPrompt
from tiny_models import END, FAMILIES, Family, tiny_model, tiny_tokenizer
from train.keeping import Killed, MemoryCheckpoints, killer, same_bytes, train_context

PAD = 1


def swap(row: PreferenceExample) -> PreferenceExample:
    """The same judgment with the answers and the label exchanged together."""
    return replace(row, a_ids=row.b_ids, b_ids=row.a_ids, p_a_preferred=1.0 - row.p_a_preferred)


def _pairs(count: int = 16) -> list[PreferenceExample]:
    """Every second pair prefers the second answer; labels between 0.8 and 1."""
    rows = []
    for n in range(count):
        prompt = (100 + n, 120)
        p = 0.8 + 0.2 * (n % 3) / 2
        row = PreferenceExample(
            id=f"c{n}",
            prompt_id=f"p{n}",
            a_ids=(*prompt, 200 + n, 0),
            b_ids=(*prompt, 230 + n, 240 + n % 4, 0),
            p_a_preferred=p,
        )
        rows.append(row if n % 2 else swap(row))
    return rows


def _section(**changes: object) -> PreferenceSection:
    settings = {"epochs": 4, "batch_size": 6, "learning_rate": 3e-3, "warmup_steps": 2, "checkpoint_steps": 4}
    return PreferenceSection.model_validate(settings | changes)


def _model(family: Family = "llama") -> PreferenceModel:
    return PreferenceModel(tiny_model(family))


@pytest.mark.parametrize("family", FAMILIES)
def test_it_learns_sixteen_pairs_by_heart_and_with_flipped_labels_the_reverse(family: Family) -> None:
    pairs = _pairs()
    flipped = [replace(row, p_a_preferred=1 - row.p_a_preferred) for row in pairs]
    for labels, accuracy in ((pairs, 1.0), (flipped, 0.0)):
        model = _model(family)
        steps = train_preference(model, labels, _section(epochs=30, batch_size=16), train_context(pad_id=PAD))
        right = [
            (margin > 0) == (row.p_a_preferred > 0.5)
            for row, margin in zip(pairs, margins(model, pairs, pad_id=PAD), strict=True)
        ]
        assert sum(right) / len(right) == accuracy
        assert steps[-1].loss < 0.7 * steps[0].loss


def test_margins_come_to_the_log_odds_of_their_soft_labels() -> None:
    pairs = [replace(row, p_a_preferred=0.8) for row in _pairs(2)]
    model = _model()
    train_preference(model, pairs, _section(epochs=150, batch_size=2), train_context(pad_id=PAD))
    assert margins(model, pairs, pad_id=PAD) == pytest.approx([log(4), log(4)], abs=0.15)


def test_margins_take_scores_further_apart_and_smoothing_holds_hard_labels_back() -> None:
    pairs, found = [replace(row, p_a_preferred=0.8) for row in _pairs(2)], []
    for settings in ({"margin": 1.0}, {"labels": "hard", "smoothing": 0.1}):
        model = _model()
        train_preference(model, pairs, _section(epochs=150, batch_size=2, **settings), train_context(pad_id=PAD))
        found.append(margins(model, pairs, pad_id=PAD)[0])
    assert found == pytest.approx([log(4) + 0.6, log(9)], abs=0.15)


@pytest.mark.parametrize("p", [-0.1, 1.5, float("nan")])
def test_a_label_that_is_no_probability_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match=rf"^c0: a label of {p}, expected a probability, 0 to 1$"):
        replace(_pairs(1)[0], p_a_preferred=p)
    with pytest.raises(ValueError, match=r"^c0: a weight of -1, expected 0 or more$"):
        replace(_pairs(1)[0], weight=-1)


def test_nothing_to_read_is_refused() -> None:
    for side in ("a", "b"):
        with pytest.raises(ValueError, match=rf"^c0: answer {side} has no tokens$"):
            replace(_pairs(1)[0], **{f"{side}_ids": ()})


def test_swapping_answers_and_label_trains_the_same_model_and_flips_its_margins() -> None:
    one, other = _model(), _model()
    want = train_preference(one, _pairs(), _section(), train_context(pad_id=PAD))
    got = train_preference(other, [swap(row) for row in _pairs()], _section(), train_context(pad_id=PAD))
    assert [step.loss for step in got] == pytest.approx([step.loss for step in want], rel=1e-4)
    swapped = margins(other, [swap(row) for row in _pairs()], pad_id=PAD)
    assert swapped == pytest.approx([-margin for margin in margins(one, _pairs(), pad_id=PAD)], abs=1e-3)


def test_the_size_of_micro_batches_changes_nothing_but_rounding() -> None:
    one, other = _model(), _model()
    want = train_preference(one, _pairs(), _section(), train_context(pad_id=PAD))
    got = train_preference(other, _pairs(), _section(micro_batch_tokens=10), train_context(pad_id=PAD))
    assert [step.loss for step in got] == pytest.approx([step.loss for step in want], rel=1e-4)


def test_a_row_of_no_weight_teaches_nothing_and_one_of_double_weight_as_much_as_two() -> None:
    pairs = _pairs(4)
    alone, among, twice, double = _model(), _model(), _model(), _model()
    section = _section(epochs=5, batch_size=4)
    train_preference(alone, pairs[:1], section, train_context(pad_id=PAD))
    train_preference(
        among, [pairs[0], *(replace(row, weight=0.0) for row in pairs[1:])], section, train_context(pad_id=PAD)
    )
    assert margins(alone, pairs, pad_id=PAD) == pytest.approx(margins(among, pairs, pad_id=PAD), abs=1e-3)
    train_preference(twice, [pairs[0], *pairs[:2]], section, train_context(pad_id=PAD))
    train_preference(double, [replace(pairs[0], weight=2.0), pairs[1]], section, train_context(pad_id=PAD))
    assert margins(twice, pairs, pad_id=PAD) == pytest.approx(margins(double, pairs, pad_id=PAD), abs=1e-3)


@pytest.mark.parametrize("at", [3, 4, 5, 11])
def test_killed_and_resumed_ends_with_the_bytes_of_an_undisturbed_run(at: int) -> None:
    undisturbed, resumed, checkpoints = _model(), _model(), MemoryCheckpoints()
    want = train_preference(undisturbed, _pairs(), _section(), train_context(pad_id=PAD))
    with pytest.raises(Killed):
        train_preference(
            _model(),
            _pairs(),
            _section(),
            train_context(pad_id=PAD, checkpoints=checkpoints, progress=killer(at)),
        )
    got = train_preference(resumed, _pairs(), _section(), train_context(pad_id=PAD, checkpoints=checkpoints))
    assert same_bytes(resumed, undisturbed) and got == want


def test_scores_are_those_of_each_text_alone() -> None:
    model, pairs = _model(), _pairs()
    texts = [ids for row in pairs for ids in (row.a_ids, row.b_ids)]
    together = scores(model, texts, section=_section(micro_batch_tokens=12), pad_id=PAD)
    with torch.no_grad():
        alone = [float(model(torch.tensor([ids]), torch.ones(1, len(ids)).bool())) for ids in texts]
    assert together == pytest.approx(alone, abs=1e-5)


def test_a_prompt_falls_whole_to_one_side_whatever_the_other_prompts() -> None:
    rows = [replace(row, id=f"{row.id}-{k}") for row in _pairs(200) for k in range(2)]
    training, held = split_by_prompt(rows, 0.1, seed=0)
    assert len(training) + len(held) == 400 and 10 <= len(held) <= 80
    assert not {row.prompt_id for row in training} & {row.prompt_id for row in held}
    assert split_by_prompt(rows[100:], 0.1, seed=0)[1] == [row for row in held if row in rows[100:]]
    assert split_by_prompt(rows, 0.0, seed=0)[1] == []


def _reward(
    model: PreferenceModel, *, max_tokens: int, counted: Counter[str] | None = None, **rl: object
) -> PreferenceReward:
    return PreferenceReward(
        model=model,
        tokenizer=tiny_tokenizer(),
        section=RLSection.model_validate(rl),
        answer_text=lambda text: f" {text}{END}",
        pad_id=PAD,
        max_tokens=max_tokens,
        count=lambda what: (Counter() if counted is None else counted).update([what]),
    )


def test_as_a_reward_it_reads_an_answer_as_it_was_trained_to() -> None:
    tokenizer, model = tiny_tokenizer(), _model()
    reward = _reward(model, max_tokens=1024)
    prompt, text = PolicyPrompt(id="p", text="\n\nHuman: Hello\n\nAssistant:"), "Ring the bell first."
    answers = [Completion(prompt="", text=text, tokens=1, ended=ended) for ended in ("eos", "length")]
    want = scores(model, [sequence_tokens(tokenizer, prompt.text, f" {text}{END}")], pad_id=PAD)[0]
    assert reward([prompt, prompt], answers) == pytest.approx([want, want])
    assert sequence_tokens(tokenizer, prompt.text, f" {text}{END}")[-1] == tokenizer.eos_token_id


def test_scores_read_within_the_budget_of_the_section_and_name_it_when_memory_runs_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pairs of 4 and 5 tokens that share 2: one pair within 10 tokens, and no second."""
    model, read = _model(), list[int]()

    def forward(whole: PreferenceModel, reader: Reader, some: list[tuple[int, ...]]) -> torch.Tensor:
        read.append(len(some))
        if len(some) == 8 or max(map(len, some)) > 20:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return scored(whole, reader, some)

    monkeypatch.setattr(preference, "scored", forward)
    with pytest.raises(OutOfMemoryError, match=r"lower preference\.micro_batch_tokens: .* --set preference\."):
        margins(model, _pairs(4), section=_section(), pad_id=PAD)
    margins(model, _pairs(4), section=_section(micro_batch_tokens=5), pad_id=PAD)
    assert read == [8, 2, 2, 2, 2]
    prompt, answer = PolicyPrompt(id="p", text="Hello"), Completion(prompt="", text="Ring. " * 9, tokens=1, ended="eos")
    with pytest.raises(OutOfMemoryError, match=r"lower rl\.micro_batch_tokens"):
        _reward(model, max_tokens=64)([prompt], [answer])


def test_as_a_reward_it_reads_no_more_than_its_context_holds_and_still_the_end_mark() -> None:
    shape = {"n_positions": 24, "n_embd": 16, "n_layer": 1, "n_head": 2, "vocab_size": len(tiny_tokenizer())}
    model, counted = PreferenceModel(GPT2LMHeadModel(GPT2Config(**shape)).eval()), Counter[str]()
    prompt, texts = PolicyPrompt(id="p", text="\n\nHuman: Hello\n\nAssistant:"), ("Ring.", "Ring the bell. " * 9)
    whole, long = (sequence_tokens(tiny_tokenizer(), prompt.text, f" {text}{END}") for text in texts)
    assert len(whole) <= 24 < len(long)
    answers = [Completion(prompt="", text=text, tokens=1, ended="length") for text in texts]
    got = _reward(model, max_tokens=24, counted=counted)([prompt, prompt], answers)
    assert got == pytest.approx(scores(model, [whole, (*long[:23], long[-1])], pad_id=PAD))
    assert counted == {"answers shortened to be scored": 1}
