"""Random-weight models of three families with a small byte-level BPE tokenizer of their own, made in milliseconds.

They babble, but every part of the machine can be driven with them. The weights are a function of (family, seed).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
)

Family = Literal["llama", "qwen2", "gpt_neox"]
FAMILIES: tuple[Family, ...] = ("llama", "qwen2", "gpt_neox")
END = "<|end|>"
PAD = "<|pad|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}" + END + "{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
TEXT = [
    "\n\nHuman: The gardener left a ladder by the fence. How can I give it back?\n\nAssistant: Ring the bell first.",
    "\n\nCritiqueRequest: Say what is rude here.\n\nCritique: The answer mocks the gardener, which is rude.",
    "\n\nRevisionRequest: Take out what is rude.\n\nRevision: Ask the gardener when it suits best, then carry it over.",
    "Which answer is kinder?\n\nOptions:\n (A) Ring the bell first.\n (B) Throw it over the fence.\n\nAnswer: (A)",
]


@cache
def _tokenizer_json() -> str:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=384,
        special_tokens=[END, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    return tokenizer.to_str()


def tiny_tokenizer(*, chat_template: bool = False) -> PreTrainedTokenizerFast:
    """About 384 byte-level tokens; any text survives encoding and decoding. No token is added to a text."""
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(_tokenizer_json()),
        eos_token=END,
        pad_token=PAD,
        clean_up_tokenization_spaces=False,
    )
    if chat_template:
        tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def tiny_model(
    family: Family = "llama", *, seed: int = 0, max_position_embeddings: int = 1024, heads: int = 4
) -> PreTrainedModel:
    """Two layers, width 32, float32, eval mode. Weights are wide enough that logits differ clearly between tokens."""
    tokenizer = tiny_tokenizer()
    shape = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": heads,
        "max_position_embeddings": max_position_embeddings,
        "initializer_range": 0.2,
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    try:
        if family == "llama":
            model: PreTrainedModel = LlamaForCausalLM(LlamaConfig(**shape, tie_word_embeddings=True))
        elif family == "qwen2":
            shape["vocab_size"] += 8  # real ones are padded beyond the tokenizer too
            model = Qwen2ForCausalLM(Qwen2Config(**shape, num_key_value_heads=2, tie_word_embeddings=False))
        else:
            model = GPTNeoXForCausalLM(GPTNeoXConfig(**shape))
        for name, parameter in model.named_parameters():  # transformers starts biases at zero, where no test sees them
            if name.endswith("bias"):
                torch.nn.init.normal_(parameter, std=0.2)
    finally:
        torch.random.set_rng_state(state)
    return model.eval()


def tiny_model_folder(
    folder: Path,
    family: Family = "llama",
    chat_template: bool = False,
    *,
    seed: int = 0,
    max_position_embeddings: int = 1024,
    heads: int = 4,
) -> Path:
    """Writes model and tokenizer in Hugging Face layout to `folder/<family>` and returns that path."""
    path = Path(folder) / family
    model = tiny_model(family, seed=seed, max_position_embeddings=max_position_embeddings, heads=heads)
    model.save_pretrained(path)
    tiny_tokenizer(chat_template=chat_template).save_pretrained(path)
    return path
