"""Tokenizers with the marks, the end tokens and the borders of chat models that people have, made small by hand.

What a shape stands for is how its template places marks and how its tokenizer cuts text; the vocabulary is tiny.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

from tiny_models import TEXT

_TURNS = "{% for m in messages %}"
_END = "{% endfor %}"
_REFUSES_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system turn') }}{% endif %}"
_CHATML = (
    _TURNS + "{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}" + _END
) + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
_CHATML_TOLD = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a small helper.<|im_end|>\n' }}{% endif %}"
    + _CHATML
)
_LLAMA_2 = (
    "{% set told = messages[0]['content'] if messages[0]['role'] == 'system' else '' %}"
    "{% set said = messages[1:] if told else messages %}"
    "{% for m in said %}{% if m['role'] == 'user' %}"
    "{{ bos_token + '[INST] ' + ('<<SYS>>\n' + told + '\n<</SYS>>\n\n' if told and loop.first else '') "
    "+ m['content'].strip() + ' [/INST]' }}"
    "{% else %}{{ ' ' + m['content'].strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
)
_LLAMA_3 = (
    "{{ bos_token }}{% if strftime_now is defined %}{% set today = strftime_now('%d %b %Y') %}"
    "{% else %}{% set today = 'unknown' %}{% endif %}"
    "{% set told = messages[0]['content'] if messages[0]['role'] == 'system' else '' %}"
    "{{ '<|start_header_id|>system<|end_header_id|>\n\nToday is ' + today + '.\n\n' + told + '<|eot_id|>' }}"
    "{% for m in messages %}{% if m['role'] != 'system' %}"
    "{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\n\n' + m['content'] | trim + '<|eot_id|>' }}"
    "{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
_GEMMA = (
    "{{ bos_token }}" + _REFUSES_SYSTEM + _TURNS + "{% set role = 'model' if m['role'] == 'assistant' else 'user' %}"
    "{{ '<start_of_turn>' + role + '\n' + m['content'] | trim + '<end_of_turn>\n' }}" + _END
) + "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
_PHI_3 = (
    _TURNS + "{{ '<|' + m['role'] + '|>\n' + m['content'] + '<|end|>\n' }}" + _END
) + "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}"
_MISTRAL = (
    "{{ bos_token }}"
    + _REFUSES_SYSTEM
    + _TURNS
    + "{% if m['role'] == 'user' %}{{ '[INST] ' + m['content'] + ' [/INST]' }}"
    "{% else %}{{ ' ' + m['content'] + eos_token }}{% endif %}" + _END
)
_ZEPHYR = (
    _TURNS + "{{ '<|' + m['role'] + '|>\n' + m['content'] + eos_token + '\n' }}" + _END
) + "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
_VICUNA = (
    _TURNS + "{% if m['role'] == 'system' %}{{ m['content'] + ' ' }}{% elif m['role'] == 'user' %}"
    "{{ 'USER: ' + m['content'] }}{% else %}{{ ' ASSISTANT: ' + m['content'] + eos_token }}{% endif %}" + _END
) + "{% if add_generation_prompt %}{{ ' ASSISTANT:' }}{% endif %}"
_QWEN_3 = (
    _TURNS + "{{ '<|im_start|>' + m['role'] + '\n' }}"
    "{% if loop.last and m['role'] == 'assistant' %}{{ '<think>\n\n</think>\n\n' }}{% endif %}"
    "{{ m['content'] + '<|im_end|>\n' }}" + _END + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
    "{% if enable_thinking is defined and not enable_thinking %}{{ '<think>\n\n</think>\n\n' }}{% endif %}{% endif %}"
)
_R1 = (
    "{{ bos_token }}" + _TURNS + "{% if m['role'] == 'assistant' %}{{ '<|Assistant|>' + m['content'] + eos_token }}"
    "{% elif m['role'] == 'user' %}{{ '<|User|>' + m['content'] }}{% else %}{{ m['content'] }}{% endif %}" + _END
) + "{% if add_generation_prompt %}{{ '<|Assistant|><think>\n' }}{% endif %}"

_GPT_OSS = (
    "{{ '<|start|>system<|message|>You write for everybody.\nKnowledge cutoff: 2024-06\nCurrent date: '"
    " + strftime_now('%Y-%m-%d') + '\n\nReasoning: medium<|end|>' }}" + _TURNS + "{% if m['role'] == 'system' %}"
    "{{ '<|start|>developer<|message|># Instructions\n\n' + m['content'] + '<|end|>' }}"
    "{% elif m['role'] == 'user' %}{{ '<|start|>user<|message|>' + m['content'] + '<|end|>' }}"
    "{% else %}{{ '<|start|>assistant<|channel|>final<|message|>' + m['content'] }}"
    "{{ '<|return|>' if loop.last else '<|end|>' }}{% endif %}"
    + _END
    + "{% if add_generation_prompt %}{{ '<|start|>assistant' }}{% endif %}"
)
_NEMOTRON = (
    _TURNS + "{% set said = m['content'].replace('/think', '') %}"
    "{% if m['role'] == 'assistant' %}{{ '<SPECIAL_11>Assistant\n' + said.split('</think>')[-1] + '\n<SPECIAL_12>\n' }}"
    "{% else %}{{ '<SPECIAL_10>' + m['role'] | capitalize + '\n' + said + '\n' }}{% endif %}"
    + _END
    + "{% if add_generation_prompt %}{{ '<SPECIAL_11>Assistant\n' }}"
    "{% if '/no_think' in messages[-1]['content'] %}{{ '<think></think>' }}{% else %}{{ '<think>\n' }}{% endif %}"
    "{% endif %}"
)
_FALCON = (
    _TURNS + "{{ m['role'] | capitalize + ': ' + m['content'].replace('\n\n', '\n') }}"
    "{% if not loop.last %}{{ '\n' }}{% elif m['role'] == 'assistant' %}{{ eos_token }}{% endif %}"
    + _END
    + "{% if add_generation_prompt %}{{ '\nAssistant:' }}{% endif %}"
)
_COHERE = (
    "{{ bos_token }}" + _TURNS + "{% if m['role'] == 'system' %}"
    "{{ '<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|># System Preamble\nBe safe.\n' + m['content'] }}"
    "{{ '<|END_OF_TURN_TOKEN|>' }}"
    "{% elif m['role'] == 'user' %}"
    "{{ '<|START_OF_TURN_TOKEN|><|USER_TOKEN|>' + m['content'] + '<|END_OF_TURN_TOKEN|>' }}"
    "{% else %}{{ '<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|><|START_RESPONSE|>' + m['content'] "
    "+ '<|END_RESPONSE|><|END_OF_TURN_TOKEN|>' }}{% endif %}"
    + _END
    + "{% if add_generation_prompt %}{{ '<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>' }}{% endif %}"
)
_MISTRAL_7 = (
    "{{ bos_token }}{% set told = messages[0]['content'] if messages[0]['role'] == 'system' else '' %}"
    "{% set said = messages[1:] if told else messages %}"
    "{% for m in said %}{% if m['role'] == 'user' %}"
    "{{ '[INST] ' + (told + '\n\n' if told and loop.last else '') + m['content'] + '[/INST]' }}"
    "{% else %}{{ ' ' + m['content'] + eos_token }}{% endif %}{% endfor %}"
)
_PARTS = (
    _TURNS + "{{ '<|im_start|>' + m['role'] + ':' }}{% for part in m['content'] %}{% if part['type'] == 'text' %}"
    "{{ part['text'] }}{% endif %}{% endfor %}{{ '<|im_end|>\n' }}" + _END
) + "{% if add_generation_prompt %}{{ '<|im_start|>assistant:' }}{% endif %}"

Cut = Literal["byte-level", "sentencepiece", "sentencepiece without prefix"]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A tokenizer and its template."""

    template: str
    cut: Cut = "byte-level"
    special: Sequence[str] = ()
    """Control tokens that are special, but have no name such as `eos_token`."""
    added: Sequence[str] = ()
    """Added tokens that are not special."""
    bos: str | None = None
    eos: str = "<|endoftext|>"
    adds_bos: bool = False
    """Whether the tokenizer puts the beginning mark before a text by itself."""
    end: str = field(default="<|im_end|>")
    """The mark that ends an answer."""


_IM = ("<|im_start|>", "<|im_end|>")
_HEADERS = ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
SHAPES: dict[str, Shape] = {
    "Llama 2": Shape(template=_LLAMA_2, cut="sentencepiece", bos="<s>", eos="</s>", adds_bos=True, end="</s>"),
    "Llama 3": Shape(
        template=_LLAMA_3, special=_HEADERS, bos="<|begin_of_text|>", eos="<|eot_id|>", adds_bos=True, end="<|eot_id|>"
    ),
    "Llama 3 base": Shape(
        template=_LLAMA_3, special=_HEADERS, bos="<|begin_of_text|>", eos="<|end_of_text|>", end="<|eot_id|>"
    ),
    "Gemma": Shape(
        template=_GEMMA,
        cut="sentencepiece without prefix",
        special=("<start_of_turn>", "<end_of_turn>"),
        added=("\n\n", "<table>"),
        bos="<bos>",
        eos="<eos>",
        adds_bos=True,
        end="<end_of_turn>",
    ),
    "Qwen 2.5 base": Shape(template=_CHATML_TOLD, special=_IM, added=("<tool_call>", "<|fim_prefix|>")),
    "Qwen 2.5 instruct": Shape(template=_CHATML_TOLD, special=_IM, added=("<tool_call>",), eos="<|im_end|>"),
    "Phi-3": Shape(
        template=_PHI_3,
        cut="sentencepiece",
        special=("<|user|>", "<|assistant|>", "<|system|>", "<|end|>"),
        bos="<s>",
        end="<|end|>",
    ),
    "Mistral": Shape(template=_MISTRAL, cut="sentencepiece", bos="<s>", eos="</s>", adds_bos=True, end="</s>"),
    "Mistral with control tokens": Shape(
        template=_MISTRAL,
        cut="sentencepiece",
        special=("[INST]", "[/INST]"),
        bos="<s>",
        eos="</s>",
        adds_bos=True,
        end="</s>",
    ),
    "ChatML": Shape(template=_CHATML, special=_IM, eos="<|im_end|>"),
    "SmolLM2": Shape(template=_CHATML_TOLD, special=_IM, bos="<|im_start|>", eos="<|im_end|>"),
    "Zephyr": Shape(template=_ZEPHYR, cut="sentencepiece", bos="<s>", eos="</s>", adds_bos=True, end="</s>"),
    "Vicuna": Shape(template=_VICUNA, cut="sentencepiece", bos="<s>", eos="</s>", adds_bos=True, end="</s>"),
    "Qwen 3": Shape(template=_QWEN_3, special=_IM, added=("<think>", "</think>"), eos="<|im_end|>"),
    "R1": Shape(
        template=_R1,
        special=("<|User|>", "<|Assistant|>"),
        added=("<think>", "</think>"),
        bos="<|begin|>",
        eos="<|end|>",
        adds_bos=True,
        end="<|end|>",
    ),
    "GPT-OSS": Shape(
        template=_GPT_OSS,
        special=("<|start|>", "<|channel|>", "<|message|>", "<|end|>"),
        eos="<|return|>",
        end="<|return|>",
    ),
    "Nemotron": Shape(
        template=_NEMOTRON,
        special=("<SPECIAL_10>", "<SPECIAL_11>"),
        added=("<think>", "</think>"),
        eos="<SPECIAL_12>",
        end="<SPECIAL_12>",
    ),
    "Falcon": Shape(template=_FALCON, end="<|endoftext|>"),
    "Cohere": Shape(
        template=_COHERE,
        special=(
            *("<|START_OF_TURN_TOKEN|>", "<|SYSTEM_TOKEN|>", "<|USER_TOKEN|>", "<|CHATBOT_TOKEN|>"),
            *("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
        ),
        bos="<BOS_TOKEN>",
        eos="<|END_OF_TURN_TOKEN|>",
        adds_bos=True,
        end="<|END_OF_TURN_TOKEN|>",
    ),
    "Mistral 7": Shape(
        template=_MISTRAL_7,
        cut="sentencepiece",
        special=("[INST]", "[/INST]"),
        bos="<s>",
        eos="</s>",
        adds_bos=True,
        end="</s>",
    ),
    "content in parts": Shape(template=_PARTS, special=_IM),
}
"""By the family they are shaped like."""


def _with_bytes(tokenizer: Tokenizer) -> models.BPE:
    """The trained model with a token for every byte, which stands in for a character that it does not know."""
    model = json.loads(tokenizer.to_str())["model"]
    vocabulary = model["vocab"]
    for byte in range(256):
        vocabulary.setdefault(f"<0x{byte:02X}>", len(vocabulary))
    merges = [tuple(pair) for pair in model["merges"]]
    return models.BPE(vocab=vocabulary, merges=merges, byte_fallback=True, unk_token="<unk>", fuse_unk=True)


def _without_pre_tokenizer(tokenizer: Tokenizer) -> Tokenizer:
    return Tokenizer.from_str(json.dumps(json.loads(tokenizer.to_str()) | {"pre_tokenizer": None}))


@cache
def _backend(name: str) -> str:
    shape = SHAPES[name]
    pieces = shape.cut != "byte-level"
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>") if pieces else models.BPE())
    if pieces:
        steps: list[normalizers.Normalizer] = [normalizers.Replace(" ", "▁")]
        strip = [decoders.Strip(" ", 1, 0)] if shape.cut == "sentencepiece" else []
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.Prepend("▁"), *steps] if shape.cut == "sentencepiece" else steps
        )
        tokenizer.decoder = decoders.Sequence(
            [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *strip]
        )
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
    special = [token for token in ("<unk>" if pieces else None, shape.bos, shape.eos, *shape.special) if token]
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=list(dict.fromkeys(special)),
        initial_alphabet=["▁", "\n"] if pieces else pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
        max_token_length=8,
    )
    if (
        pieces
    ):  # while it learns, no token may reach beyond a space; afterwards nothing cuts a text before the merges do
        tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    tokenizer.train_from_iterator(TEXT, trainer)
    if pieces:
        tokenizer.model = _with_bytes(tokenizer)
        tokenizer = _without_pre_tokenizer(tokenizer)
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in shape.added])
    return str(tokenizer.to_str())


def shaped(name: str) -> PreTrainedTokenizerFast:
    """A tokenizer of one of the `SHAPES`."""
    shape, backend = SHAPES[name], Tokenizer.from_str(_backend(name))
    if shape.adds_bos and shape.bos:
        backend.post_processor = TemplateProcessing(
            single=f"{shape.bos} $A", special_tokens=[(shape.bos, backend.token_to_id(shape.bos))]
        )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token=shape.bos, eos_token=shape.eos, clean_up_tokenization_spaces=False
    )
    tokenizer.chat_template = shape.template
    return tokenizer
