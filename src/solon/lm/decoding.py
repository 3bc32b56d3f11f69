"""The sampling loop: batches by length, prompts read once, finished rows leave.

B rows   U distinct prompts   T tokens   V vocabulary
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from solon.lm.decoder import Decoder
from solon.lm.protocols import Progress
from solon.lm.requests import WriteRequest
from solon.lm.sampling import double_device, draw, no_numbers, uniforms
from solon.lm.stops import TextOf, first_stop

SHARED_PREFIX = 16
"""A common beginning shorter than this is not worth a pass of its own. Assumption."""
COMPACT_BELOW = 0.8
"""Finished rows are dropped from the batch once fewer than this share of it still writes; measured."""


@dataclass(frozen=True, kw_only=True)
class Sampled:
    """One sampled continuation, as tokens: what reinforcement learning trains on."""

    prompt_ids: tuple[int, ...]
    answer_ids: tuple[int, ...]
    """Every sampled token, the end token or stop string included: ending is the policy's act too."""
    logprobs: tuple[float, ...]
    """Log-probability of each answer token under the distribution it was drawn from, in nats."""
    text: str
    """The answer before its end, without surrounding white space."""
    ended: Literal["stop", "eos", "length"]


@dataclass(kw_only=True)
class _Row:
    """One request while it is being written."""

    index: int
    request: WriteRequest
    prompt_ids: list[int]
    limit: int
    uniform_T: np.ndarray
    answer_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    ended: Literal["stop", "eos", "length"] | None = None
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Engine:
    """What the loop needs to know of a model."""

    decoder: Callable[[], Decoder]
    """A decoder with an empty cache."""
    text_of: TextOf
    end_ids: frozenset[int]
    max_context: int
    max_columns: int
    """Columns that a batch may have, padding and all; no less than `max_context`."""
    device: torch.device


def sample_all(
    engine: Engine,
    requests: Sequence[WriteRequest],
    prompts: Sequence[list[int]],
    *,
    batch_size: int,
    progress: Progress | None = None,
) -> list[Sampled]:
    """Continue every prompt (as token ids, each shorter than `max_context`); results in the order of the requests."""
    room = [engine.max_context - len(prompt) for prompt in prompts]
    limits = [min(request.max_new_tokens, most) for request, most in zip(requests, room, strict=True)]
    results: list[Sampled | None] = [None] * len(requests)
    for batch in by_length(prompts, limits, batch_size=batch_size, max_columns=engine.max_columns):
        rows = [_row(index, requests[index], prompts[index], limits[index]) for index in batch]
        for row in _write_batch(engine, rows, progress):
            results[row.index] = _finished(row)
    return [result for result in results if result is not None]


def by_length(
    prompts: Sequence[Sequence[int]], ahead: Sequence[int], *, batch_size: int, max_columns: int
) -> Iterator[list[int]]:
    """Indices in batches of like length, longest first; equal prompts come to lie side by side.

    `ahead[i]` tokens may follow prompt i. Where the longest prompt of a batch and what may follow another do not fit
    side by side into `max_columns`, that other comes in a batch of its own.
    """
    order = sorted(range(len(prompts)), key=lambda index: (-len(prompts[index]), prompts[index], index))
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        while batch:
            room = max(max_columns - len(prompts[batch[0]]), ahead[batch[0]])
            yield [index for index in batch if ahead[index] <= room]
            batch = [index for index in batch if ahead[index] > room]


def read_prompts(
    decoder: Decoder, prompts: Sequence[Sequence[int]], device: torch.device, *, last: int = 1, ahead: int = 0
) -> Tensor:
    """Prefill: the decoder then knows every prompt, and the logits after its `last` final tokens come back,
    [B, last, V].

    Equal prompts are read once. So is a beginning common to all of them, if they and the `ahead` tokens that may follow
    stay within the decoder's window: the rest of a shorter prompt is padded in mid-row. No prompt may be empty.
    """
    distinct = list(dict.fromkeys(tuple(prompt) for prompt in prompts))
    columns = max(len(prompt) for prompt in distinct) + ahead
    shared = _shared_prefix(distinct, last) if columns <= decoder.window else 0
    if shared:
        ids, mask = padded([distinct[0][:shared]], device)
        decoder.extend(ids, mask)
        decoder.keep(torch.zeros(len(distinct), dtype=torch.long, device=device))
    ids, mask = padded([prompt[shared:] for prompt in distinct], device)
    logits_UNV = decoder.extend(ids, mask, last=last)
    if len(distinct) == len(prompts):
        return logits_UNV
    place = {prompt: row for row, prompt in enumerate(distinct)}
    rows = torch.tensor([place[tuple(prompt)] for prompt in prompts], device=device)
    decoder.keep(rows)
    return logits_UNV[rows]


def padded(
    sequences: Sequence[Sequence[int]], device: torch.device, *, side: Literal["left", "right"] = "left"
) -> tuple[Tensor, Tensor]:
    """Ids [B, T] and mask [B, T] (True: a real token), padded with token 0."""
    longest = max(len(sequence) for sequence in sequences)
    ids_BT = np.zeros((len(sequences), longest), dtype=np.int64)
    mask_BT = np.zeros((len(sequences), longest), dtype=bool)
    for row, sequence in enumerate(sequences):
        start = longest - len(sequence) if side == "left" else 0
        ids_BT[row, start : start + len(sequence)] = sequence
        mask_BT[row, start : start + len(sequence)] = True
    return torch.from_numpy(ids_BT).to(device), torch.from_numpy(mask_BT).to(device)


def _shared_prefix(distinct: Sequence[tuple[int, ...]], last: int) -> int:
    """Length of the beginning common to all, leaving each at least `last` tokens of its own; 0 if not worth it."""
    if len(distinct) < 2:
        return 0
    low, high = min(distinct), max(distinct)  # all others lie between these two, and share what these share
    common = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    common = min(common, min(len(prompt) for prompt in distinct) - last)
    return common if common >= SHARED_PREFIX else 0


def _row(index: int, request: WriteRequest, prompt_ids: list[int], limit: int) -> _Row:
    uniform_T = uniforms(request.seed, limit)
    return _Row(index=index, request=request, prompt_ids=prompt_ids, limit=limit, uniform_T=uniform_T)


def _write_batch(engine: Engine, rows: list[_Row], progress: Progress | None) -> list[_Row]:
    """Write every row to its end."""
    decoder = engine.decoder()
    ahead = max(row.limit for row in rows)
    logits_BV = read_prompts(decoder, [row.prompt_ids for row in rows], engine.device, ahead=ahead)[:, -1]
    batch = rows  # the rows in the decoder, finished ones among them until the next compaction
    state = _BatchState(batch, engine)
    for step in range(ahead):
        token_B, logprob_B = draw(logits_BV.to(state.device), state.temperature_B, state.uniform_BT[:, step])
        done = _take(engine, batch, token_B.tolist(), logprob_B.tolist())
        if done and progress:
            progress(len(done), sum(len(row.answer_ids) for row in done))
        going = [place for place, row in enumerate(batch) if row.ended is None]
        if not going:
            break
        if len(going) < COMPACT_BELOW * len(batch):
            batch = [batch[place] for place in going]
            decoder.keep(torch.tensor(going, device=engine.device))
            token_B = token_B[going]
            state = _BatchState(batch, engine)
        token_B = token_B.to(engine.device)
        logits_BV = decoder.extend(token_B[:, None], torch.ones_like(token_B, dtype=torch.bool)[:, None])[:, -1]
    return rows


class _BatchState:
    """Per-row constants of the rows now in the decoder."""

    def __init__(self, batch: Sequence[_Row], engine: Engine):
        self.device = double_device(engine.device)
        longest = max(row.limit for row in batch)
        uniform_BT = np.zeros((len(batch), longest))
        for place, row in enumerate(batch):
            uniform_BT[place, : row.limit] = row.uniform_T
        self.uniform_BT = torch.from_numpy(uniform_BT).to(self.device)
        temperatures = [row.request.temperature for row in batch]
        self.temperature_B = torch.tensor(temperatures, dtype=torch.float32, device=self.device)


def _take(engine: Engine, batch: Sequence[_Row], tokens: Sequence[int], logprobs: Sequence[float]) -> list[_Row]:
    """Append one token to every row that still writes; returns the rows that end with it."""
    done = []
    for row, token, logprob in zip(batch, tokens, logprobs, strict=True):
        if row.ended is not None:
            continue
        if logprob != logprob:
            raise no_numbers()
        row.answer_ids.append(token)
        row.logprobs.append(logprob)
        if token in engine.end_ids:
            row.ended = "eos"
            row.text = engine.text_of.decode(row.answer_ids[:-1])
        elif row.request.stop and engine.text_of.completing(row.request.stop)[token]:
            text = engine.text_of.decode(row.answer_ids)
            place = first_stop(text, row.request.stop)
            if place is not None:
                row.ended, row.text = "stop", text[:place]
        if row.ended is None and len(row.answer_ids) >= row.limit:
            row.ended, row.text = "length", engine.text_of.decode(row.answer_ids)
        if row.ended is not None:
            row.text = engine.text_of.clean(row.answer_ids, row.text)
            done.append(row)
    return done


def _finished(row: _Row) -> Sampled:
    assert row.ended is not None
    return Sampled(
        prompt_ids=tuple(row.prompt_ids),
        answer_ids=tuple(row.answer_ids),
        logprobs=tuple(row.logprobs),
        text=row.text,
        ended=row.ended,
    )
