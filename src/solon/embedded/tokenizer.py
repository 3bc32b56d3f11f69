"""The embedded model's tokenizer: byte-level BPE learned from its corpus, so that any text can be written in it."""

from __future__ import annotations

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from solon.embedded.corpus import END, documents
from solon.prompting.comparison import OPTIONS
from solon.prompting.dialogue import DELIMITERS

VOCABULARY = 2560
"""Every word of the world that occurs at all often is one token; measured: see docs/log.md."""
PAD = "<|pad|>"


def train_tokenizer(seed: int, sample: int = 30_000) -> PreTrainedTokenizerFast:
    """Delimiters and options are single tokens: one stop token ends an answer, one forward pass scores a verdict."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    units = [AddedToken(text, normalized=False, special=False) for text in (*DELIMITERS, *OPTIONS)]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(units),
        special_tokens=[END, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = ("".join(segment.text for segment in doc).replace(END, "") for doc in documents(seed, 0, sample))
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens(units)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END, pad_token=PAD)
