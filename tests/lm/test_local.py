"""The whole engine on random models: what comes out must not depend on how it was computed."""

from __future__ import annotations

import dataclasses
import gc
import weakref
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from lm.scoring import score
from solon.errors import ModelError, PromptError, TooLongError
from solon.lm.engines.local import LocalModel
from solon.lm.protocols import Progress, SampleRequest, ScoreRequest
from solon.models.load import LoadedModel
from solon.models.tokens import encode_continuation, encode_prompt
from tiny_models import FAMILIES, Family, tiny_model, tiny_tokenizer

PROMPTS = [
    "\n\nHuman: How do I give the ladder back?\n\nAssistant:",
    "\n\nHuman: Hello?\n\nAssistant:",
    "Which answer is kinder?\n\nOptions:\n (A) Ring the bell.\n (B) Throw it.\n\nThe answer is:",
]
ENGINES = [(family, False) for family in FAMILIES] + [("llama", True), ("qwen2", True)]


def engine(
    family: Family = "llama",
    *,
    lean: bool | None = None,
    batch_size: int = 128,
    progress: Progress | None = None,
    **shape: int,
) -> LocalModel:
    model = tiny_model(family, **shape)
    loaded = LoadedModel(model=model, tokenizer=tiny_tokenizer(), path=Path("tiny"))
    return LocalModel(loaded, batch_size=batch_size, lean=lean, progress=progress)


def requests(count: int, **changes: object) -> list[SampleRequest]:
    plain = [
        SampleRequest(prompt=PROMPTS[i % 3] + " x" * (i % 5), seed=1000 + i, max_new_tokens=10 + i % 7)
        for i in range(count)
    ]
    return [dataclasses.replace(request, **changes) for request in plain]


def test_a_request_fits_if_and_only_if_it_can_be_scored() -> None:
    """An option is counted as it stands behind its prompt, where its first token may be cut otherwise."""
    tokenizer = Tokenizer(models.BPE({" ": 0, "(": 1, "A": 2, " (": 3}, [(" ", "(")]))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"(?<!:) \(|."), "isolated")
    loaded = LoadedModel(
        model=tiny_model(max_position_embeddings=4),
        tokenizer=PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="A"),
        path=Path("tiny"),
    )
    model, options, seen = LocalModel(loaded), (" (A", "A"), set()
    for prompt in ("A", "AA", "AAA", "AA:", "AAAA"):
        longest = max(len(encode_continuation(loaded.tokenizer, prompt, option)) for option in options)
        fits = len(encode_prompt(loaded.tokenizer, prompt)) + longest <= 4
        seen.add(fits)
        with nullcontext() if fits else pytest.raises(TooLongError):
            score(model, [ScoreRequest(prompt=prompt, options=options)])
    assert seen == {True, False}


def test_weights_go_with_the_last_name_for_them_and_wait_for_no_collection() -> None:
    gc.collect()
    gc.disable()
    try:
        model = engine()
        weights = weakref.ref(model.loaded.model)
        score(model, [ScoreRequest(prompt="A", options=("x", "y"))])
        del model
        assert weights() is None
    finally:
        gc.enable()


def naive(model: LocalModel, request: SampleRequest) -> list[int]:
    """The same law without cache, batch or padding: read everything again for every token."""
    network, tokenizer = model.loaded.model, model.loaded.tokenizer
    ids = encode_prompt(tokenizer, request.prompt)
    answer: list[int] = []
    stream = np.random.Generator(np.random.Philox(key=request.seed)).random(request.max_new_tokens)
    for uniform in stream:
        with torch.no_grad():
            probabilities = network(torch.tensor([ids + answer])).logits[0, -1].double().softmax(-1).cumsum(-1)
        answer.append(int((probabilities <= uniform).sum()))
        if answer[-1] == tokenizer.eos_token_id:
            break
    return answer


@pytest.mark.parametrize(("family", "lean"), ENGINES)
def test_tokens_are_those_of_a_naive_loop(family: Family, lean: bool) -> None:
    model = engine(family, lean=lean)
    asked = requests(6)
    for request, sampled in zip(asked, model.sample(asked), strict=True):
        assert list(sampled.answer_ids) == naive(model, request)
        assert list(sampled.prompt_ids) == encode_prompt(model.loaded.tokenizer, request.prompt)


@pytest.mark.parametrize(("family", "lean"), ENGINES)
def test_a_row_does_not_depend_on_its_batch(family: Family, lean: bool) -> None:
    asked = requests(16)
    texts = [engine(family, lean=lean, batch_size=size).sample(asked) for size in (1, 3, 16)]
    assert texts[0] == texts[1] == texts[2]
    assert engine(family, lean=lean).sample(asked[::-1]) == texts[0][::-1]
    assert len({written.text for written in texts[0]}) > 10


def test_rows_that_share_a_prompt_draw_apart_and_as_if_alone() -> None:
    asked = [SampleRequest(prompt=PROMPTS[0], seed=seed, max_new_tokens=12) for seed in range(8)]
    together = engine().sample(asked)
    assert together == [engine().sample([request])[0] for request in asked]
    assert len({written.text for written in together}) == 8


@pytest.mark.parametrize(("family", "lean"), ENGINES)
def test_a_long_common_beginning_changes_nothing(family: Family, lean: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    beginning = "\n\nHuman: Here is a long example that all prompts share.\n\nAssistant: Yes." * 3
    asked = [dataclasses.replace(request, prompt=beginning + request.prompt) for request in requests(5)]
    shared = engine(family, lean=lean).sample(asked)
    monkeypatch.setattr("solon.lm.prefixes.CHUNK", 10**6)
    apart = engine(family, lean=lean).sample(asked)
    assert [one.answer_ids for one in shared] == [one.answer_ids for one in apart]


@pytest.mark.parametrize("lean", [False, True])
def test_logprobs_are_the_models_own(lean: bool) -> None:
    model = engine("llama", lean=lean)
    for temperature in (1.0, 0.7):
        for sampled in model.sample(requests(4, temperature=temperature)):
            ids = torch.tensor([sampled.prompt_ids + sampled.answer_ids])
            with torch.no_grad():
                logits = model.loaded.model(ids).logits[0, len(sampled.prompt_ids) - 1 : -1]
            expected = (logits / temperature).log_softmax(-1).gather(1, torch.tensor([sampled.answer_ids]).T)[:, 0]
            torch.testing.assert_close(torch.tensor(sampled.logprobs), expected, atol=1e-4, rtol=1e-4)


def test_greedy_ignores_the_seed() -> None:
    model = engine()
    first = model.sample(requests(3, temperature=0.0))
    assert first == model.sample(requests(3, temperature=0.0, seed=5))


@pytest.mark.parametrize(("family", "lean"), [("gpt_neox", False), ("llama", True)])
def test_stop_strings_cut_where_the_text_first_holds_one(family: Family, lean: bool) -> None:
    model = engine(family, lean=lean)
    tokenizer = model.loaded.tokenizer
    asked = requests(12)
    free = model.sample(asked)
    whole = [tokenizer.decode(one.answer_ids) for one in free]
    stop = (whole[0][4:7], whole[1][6:7])
    hit = 0
    stopping = model.sample([dataclasses.replace(request, stop=stop) for request in asked])
    for text, one, stopped in zip(whole, free, stopping, strict=True):
        assert stopped.answer_ids == one.answer_ids[: len(stopped.answer_ids)]
        if not any(string in text for string in stop):
            assert (stopped.answer_ids, stopped.text, stopped.ended) == (one.answer_ids, one.text, one.ended)
            continue
        hit += 1
        assert stopped.ended == "stop"
        written, before = tokenizer.decode(stopped.answer_ids), tokenizer.decode(stopped.answer_ids[:-1])
        assert stopped.text == written[: min(written.find(s) for s in stop if s in written)].rstrip("\ufffd").strip()
        assert not any(string in before for string in stop)
    assert hit >= 2


def test_an_end_token_ends_and_is_counted_but_not_shown() -> None:
    model = engine(seed=3)
    network = model.loaded.model
    with torch.no_grad():  # make the end token likely everywhere
        network.get_output_embeddings().weight[model.loaded.tokenizer.eos_token_id] *= 6
    ended = [one for one in model.sample(requests(20)) if one.ended == "eos"]
    assert ended
    for one in ended:
        assert one.answer_ids[-1] == model.loaded.tokenizer.eos_token_id
        assert model.loaded.tokenizer.eos_token_id not in one.answer_ids[:-1]
        assert "<|end|>" not in one.text
        assert one.tokens == len(one.answer_ids)


def test_an_end_token_that_is_a_plain_word_is_not_shown_either() -> None:
    model = engine()
    plain = model.sample(requests(1))[0]
    words = [token for token in plain.answer_ids[2:] if model.loaded.tokenizer.decode([token]).strip().isalpha()]
    model.loaded.model.generation_config.eos_token_id = words[0]
    ended = LocalModel(model.loaded).sample(requests(1))[0]
    count = plain.answer_ids.index(words[0])
    assert ended.ended == "eos" and ended.answer_ids == plain.answer_ids[: count + 1]
    assert ended.text == model.loaded.tokenizer.decode(plain.answer_ids[:count]).rstrip("\ufffd").strip()


def test_length_is_counted_in_tokens_and_never_exceeded() -> None:
    for request, written in zip(requests(8), engine().sample(requests(8)), strict=True):
        assert written.tokens <= request.max_new_tokens
        assert written.ended == "eos" or written.tokens == request.max_new_tokens


@pytest.mark.parametrize("family", ["llama", "gpt_neox"])
def test_the_context_is_a_limit(family: Family) -> None:
    model = engine(family, max_position_embeddings=40)
    assert model.max_context == 40
    room = 40 - model.count_tokens(PROMPTS[1])
    written = model.sample([SampleRequest(prompt=PROMPTS[1], seed=0, max_new_tokens=100), *requests(2, prompt="a")])
    assert written[0].ended == "eos" or written[0].tokens == room


def test_a_finished_row_may_pass_the_last_learnt_position() -> None:
    """GPT-2 has a table of positions: a row that ended at its last one waits in the batch for longer rows."""
    shape = {"n_positions": 24, "n_embd": 16, "n_layer": 1, "n_head": 2, "vocab_size": 384, "initializer_range": 0.2}
    torch.manual_seed(0)
    network = GPT2LMHeadModel(GPT2Config(**shape, bos_token_id=None, eos_token_id=None)).eval()
    tokenizer = tiny_tokenizer()
    tokenizer.eos_token = None  # nobody ends early
    model = LocalModel(LoadedModel(model=network, tokenizer=tokenizer, path=Path("gpt2")))
    texts = ["x" * 20, *["y"] * 7]
    asked = [SampleRequest(prompt=text, seed=seed, max_new_tokens=20) for seed, text in enumerate(texts)]
    written = model.sample(asked)
    assert [one.tokens for one in written] == [24 - model.count_tokens(texts[0]), *[20] * 7]
    assert written == [model.sample([request])[0] for request in asked]


def test_prompts_that_do_not_fit_are_named_all_at_once() -> None:
    model = engine(max_position_embeddings=40)
    asked = [SampleRequest(prompt=text, seed=0, max_new_tokens=4) for text in ("fine", "too long " * 40, "")]
    with pytest.raises(PromptError) as raised:
        model.sample(asked)
    assert len(raised.value.faults) == 2
    assert "prompt 1 has" in str(raised.value) and "context 40" in str(raised.value)
    assert "prompt 2 is empty" in str(raised.value)
    with pytest.raises(PromptError, match="a prompt is empty"):
        score(model, [ScoreRequest(prompt="", options=(" (A)",))])


def test_progress_counts_every_row_and_token_once() -> None:
    seen: list[tuple[int, int]] = []
    model = engine(batch_size=5, progress=lambda rows, tokens: seen.append((rows, tokens)))
    written = model.sample(requests(12))
    assert sum(rows for rows, _ in seen) == 12
    assert sum(tokens for _, tokens in seen) == sum(one.tokens for one in written)


def naive_score(model: LocalModel, prompt: str, option: str) -> float:
    tokenizer = model.loaded.tokenizer
    first, second = encode_prompt(tokenizer, prompt), encode_continuation(tokenizer, prompt, option)
    with torch.no_grad():
        logp = model.loaded.model(torch.tensor([first + second])).logits[0].double().log_softmax(-1)
    return sum(float(logp[len(first) - 1 + place, token]) for place, token in enumerate(second))


@pytest.mark.parametrize(("family", "lean"), ENGINES)
@pytest.mark.parametrize(
    "options", [(" (A)", " (B)"), ("A", "B"), (" yes", " not at all", " n"), (" the", " the gardener"), ("one",)]
)
def test_option_scores_are_those_of_whole_sequences(family: Family, lean: bool, options: tuple[str, ...]) -> None:
    model = engine(family, lean=lean, batch_size=4)
    asked = [ScoreRequest(prompt=PROMPTS[i % 3] + " x" * i, options=options) for i in range(6)]
    asked.append(ScoreRequest(prompt=PROMPTS[0], options=(" quite", " different", " options here")))
    for request, scores in zip(asked, score(model, asked), strict=True):
        expected = [naive_score(model, request.prompt, option) for option in request.options]
        assert scores.logprobs == pytest.approx(expected, abs=1e-4)


def test_a_short_prompt_beside_options_with_much_in_common() -> None:
    model = engine(lean=True)
    asked = [
        ScoreRequest(prompt=PROMPTS[0], options=(" the ladder by the fence (A)", " the ladder by the fence (B) now")),
        ScoreRequest(prompt="a", options=("b", "c")),
    ]
    for request, scores in zip(asked, score(model, asked), strict=True):
        expected = [naive_score(model, request.prompt, option) for option in request.options]
        assert scores.logprobs == pytest.approx(expected, abs=1e-4)


def test_a_model_that_is_trained_between_calls_is_read_anew() -> None:
    model = engine(lean=True)
    before = model.sample(requests(3))
    with torch.no_grad():
        model.loaded.model.get_input_embeddings().weight.mul_(-1.0)
    assert model.sample(requests(3)) != before


def test_training_mode_is_left_as_it_was() -> None:
    model = engine(lean=False)
    model.loaded.model.train()
    model.sample(requests(1))
    assert model.loaded.model.training


@pytest.mark.parametrize("lean", [False, True])
def test_a_diverged_model_is_an_error(lean: bool) -> None:
    model = engine(lean=lean)
    with torch.no_grad():
        model.loaded.model.get_input_embeddings().weight.fill_(float("nan"))
    with pytest.raises(ModelError, match="not numbers"):
        model.sample(requests(1))
    with pytest.raises(ModelError, match="not numbers"):
        score(model, [ScoreRequest(prompt="a", options=(" (A)", " (B)"))])


def test_bad_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="max_new_tokens"):
        engine().sample([SampleRequest(prompt="a", seed=0, max_new_tokens=0)])
    for options in ((), ("",)):
        with pytest.raises(ValueError, match="option"):
            score(engine(), [ScoreRequest(prompt="a", options=options)])
    assert engine().sample([]) == [] and score(engine(), []) == []
