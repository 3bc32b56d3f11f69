from __future__ import annotations

import pytest

from chat_shapes import SHAPES, shaped
from solon.models.tokens import add_end, encode_continuation, encode_prompt, end_ids
from tiny_models import END, PAD, tiny_model, tiny_tokenizer


def test_a_text_is_literal() -> None:
    tokenizer = shaped("Llama 2")  # it puts <s> before a text by itself
    ids = tokenizer.encode("hello")
    assert ids[0] == tokenizer.bos_token_id
    assert encode_prompt(tokenizer, "hello") == ids[1:]
    assert encode_prompt(tokenizer, "<s>hello") == ids


def test_a_continuation_is_cut_as_where_it_stands() -> None:
    tokenizer = shaped("Llama 2")
    whole = encode_prompt(tokenizer, "The answer is: (A)")
    head = encode_prompt(tokenizer, "The answer is:")
    assert encode_continuation(tokenizer, "The answer is:", " (A)") == whole[len(head) :]
    assert encode_continuation(tokenizer, "The answer is:", " (A)") != encode_prompt(tokenizer, " (A)")


def test_where_a_token_would_reach_across_the_border() -> None:
    """`▁(A)` is one token, but its space stands in the prompt: the option is cut as behind a colon, without another."""
    tokenizer = shaped("Llama 2")
    assert tokenizer.convert_ids_to_tokens(encode_prompt(tokenizer, "the fence (A)"))[-1] == "▁(A)"
    tokens = tokenizer.convert_ids_to_tokens(encode_continuation(tokenizer, "the fence ", "(A)"))
    assert "".join(tokens) == "(A)"


@pytest.mark.parametrize("name", SHAPES)
def test_no_prompt_is_no_obstacle(name: str) -> None:
    tokenizer = shaped(name)
    assert tokenizer.decode(encode_continuation(tokenizer, "", "by the fence")).strip() == "by the fence"


def test_end_tokens_come_from_tokenizer_and_generation_settings() -> None:
    model, tokenizer = tiny_model(), tiny_tokenizer()
    assert end_ids(model, tokenizer) == {tokenizer.eos_token_id}
    model.generation_config.eos_token_id = [7, 8]
    assert end_ids(model, tokenizer) == {7, 8, tokenizer.eos_token_id}


def test_servers_are_told_the_end_mark() -> None:
    model, tokenizer = tiny_model(), tiny_tokenizer()
    before = model.generation_config.eos_token_id
    add_end(model, tokenizer, END)
    add_end(model, tokenizer, " [of several tokens]")
    add_end(model, tokenizer, "")
    assert model.generation_config.eos_token_id == before
    add_end(model, tokenizer, PAD)
    assert model.generation_config.eos_token_id == sorted({tokenizer.eos_token_id, tokenizer.pad_token_id})
