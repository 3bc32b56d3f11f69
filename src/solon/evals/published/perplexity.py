"""How surprising a held-out text is to a model: per token, and per byte, which compares models with any tokenizer.

A text is cut at white space into windows of at most `WINDOW` tokens, or as many as the model reads at once. Each is
scored behind its own first word, which is not scored; a window of one word is left out, and so is a text of such
windows alone (one without white space, say). With s the sum of the log-probabilities, in nats:

    perplexity = exp(-s / tokens)        bits per byte = -s / (ln 2 bytes)

Intervals are of a bootstrap over windows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from math import exp, log
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from solon.data.rows import has_known_ending
from solon.errors import PromptError, Where
from solon.evals.published.rows import read_each, text
from solon.evals.statistics import Floats, Interval
from solon.lm.batcher import run, together
from solon.prompting.context import Context
from solon.records import Record

if TYPE_CHECKING:
    from solon.lm.engines.local import LocalModel

WINDOW = 512
RESAMPLES = 1000
_WORD = re.compile(r"\s*\S+")
_TEXTS = ("text", "content", "chosen")


class Perplexity(Record):
    """Of all texts together."""

    perplexity: Interval
    bits_per_byte: Interval
    texts: int
    """Of which anything is scored."""
    left_out: int
    """Texts of which nothing is: no window of them has a second word."""
    windows: int
    tokens: int
    """Scored."""
    bytes: int
    """Scored, in UTF-8."""
    unscored_bytes: int
    """Of the first words of windows, which may be all of a window."""
    seed: int


def read_texts(path: Path) -> list[str]:
    """A plain text, or rows with `text`, `content` or, of comparisons, `chosen`.

    Raises `PromptError` if none has two words.
    """
    if has_known_ending(path):
        texts = read_each(path, _TEXTS, lambda fields: text(fields, *_TEXTS))
    else:
        texts = [_plain(path)]
    if not any(len(one.split()) > 1 for one in texts):
        raise PromptError("no text of two words or more", where=Where(path))
    return texts


def perplexity(texts: Sequence[str], model: LocalModel, *, window: int = WINDOW, seed: int = 0) -> Perplexity:
    """Scores every window. window: tokens at most. Raises `PromptError` if none has a second word."""
    most = min(window, model.max_context)
    by_text = [[parted(part) for part in windows(one, model.count_tokens, most)] for one in texts]
    every = [part for own in by_text for part in own]
    parts = [(first, rest) for first, rest in every if rest]
    if not parts:
        hint = "the first word of a window is not scored, and a text is cut at white space"
        raise PromptError(f"no window of {most} tokens has a second word", hint=hint)
    scorable = sum(any(rest for _, rest in own) for own in by_text)
    scored = run(together(model.score(Context(prefill=first), [rest]) for first, rest in parts))
    nats_W = -np.array([one.logprobs[0] for one in scored])
    tokens_W = np.array([model.count_tokens(rest, after=first) for first, rest in parts], dtype=np.float64)
    bytes_W = np.array([len(rest.encode()) for _, rest in parts], dtype=np.float64)
    drawn_RW = np.random.default_rng(seed).multinomial(len(parts), np.full(len(parts), 1 / len(parts)), RESAMPLES)

    def interval(per_W: Floats, shown: Callable[[float], float]) -> Interval:
        """Of nats per token or per byte, as they are shown."""
        low, high = np.quantile((drawn_RW @ nats_W) / (drawn_RW @ per_W), [0.025, 0.975])
        return Interval(value=shown(float(nats_W.sum() / per_W.sum())), low=shown(float(low)), high=shown(float(high)))

    return Perplexity(
        perplexity=interval(tokens_W, exp),
        bits_per_byte=interval(bytes_W, lambda nats: nats / log(2)),
        texts=scorable,
        left_out=len(texts) - scorable,
        windows=len(parts),
        tokens=int(tokens_W.sum()),
        bytes=int(bytes_W.sum()),
        unscored_bytes=sum(len(first.encode()) for first, _ in every),
        seed=seed,
    )


def windows(text: str, count_tokens: Callable[[str], int], most: int) -> Iterator[str]:
    """Parts of a text of at most so many tokens, cut before white space; a longer word is a part by itself."""
    part, size = "", 0
    for found in _WORD.finditer(text.rstrip()):
        more = count_tokens(found[0]) + 1  # a word may take one token more where it stands
        if part and size + more > most:
            yield part
            part, size = "", 0
        part, size = part + found[0], size + more
    if part:
        yield part


def parted(part: str) -> tuple[str, str]:
    """The first word of a window and the rest."""
    first = _WORD.match(part)
    end = first.end() if first else len(part)
    return part[:end], part[end:]


def _plain(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise PromptError("not UTF-8", where=Where(path), hint="save the file as UTF-8") from error
    except OSError as error:
        raise PromptError(f"cannot be read: {error.strerror}", where=Where(path)) from error
