from __future__ import annotations

from tokenizers.processors import TemplateProcessing

from solon.models.tokens import encode_continuation, encode_prompt, end_id, end_ids
from tiny_models import END, tiny_model, tiny_tokenizer


def test_without_a_beginning_mark_nothing_is_added() -> None:
    tokenizer = tiny_tokenizer()
    assert encode_prompt(tokenizer, "hello") == tokenizer.encode("hello") == encode_continuation(tokenizer, "hello")


def test_a_beginning_mark_leads_a_prompt_once_and_a_continuation_never() -> None:
    tokenizer = tiny_tokenizer()
    bos = tokenizer.eos_token_id
    tokenizer.bos_token = END
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"{END} $A {END}", special_tokens=[(END, bos)]
    )
    plain = tokenizer.encode("hello", add_special_tokens=False)
    assert encode_prompt(tokenizer, "hello") == [bos, *plain]
    assert encode_prompt(tokenizer, f"{END}hello") == [bos, *plain]
    assert encode_continuation(tokenizer, "hello") == plain


def test_end_tokens_come_from_tokenizer_and_generation_settings() -> None:
    model, tokenizer = tiny_model(), tiny_tokenizer()
    assert end_ids(model, tokenizer) == {tokenizer.eos_token_id}
    assert end_id(tokenizer) == tokenizer.eos_token_id
    model.generation_config.eos_token_id = [7, 8]
    assert end_ids(model, tokenizer) == {7, 8, tokenizer.eos_token_id}
