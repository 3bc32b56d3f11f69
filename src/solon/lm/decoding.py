"""The sampling loop: batches by length, prompts read once, finished rows leave.

B rows   U distinct prompts   T tokens   V vocabulary
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from os.path import commonprefix
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from solon.lm.decoder import Decoder
from solon.lm.protocols import Completion, Progress, SampleRequest
from solon.lm.sampling import Draws, double_device, no_numbers
from solon.lm.stops import TextOf, first_stop

SHARED_PREFIX = 16
"""A common beginning shorter than this is not worth a separate pass. Assumption."""
COMPACT_BELOW = 0.8
"""Finished rows are dropped from the batch once fewer than this share of it is going on; measured."""


@dataclass(frozen=True, kw_only=True)
class DecodingModel:
    """What the loop needs to know of a model."""

    decoder: Callable[[], Decoder]
    """A decoder with an empty cache."""
    text_of: TextOf
    end_ids: frozenset[int]
    max_context: int
    max_columns: int
    """Columns that a batch may have, padding and all; no less than `max_context`."""
    device: torch.device


@dataclass(kw_only=True)
class _Row:
    """One request and its completion so far."""

    request: SampleRequest
    prompt_ids: list[int]
    limit: int
    """Tokens that it may have; fewer than requested where the context ends first."""
    answer_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    ended: Literal["stop", "eos", "length"] | None = None
    text: str = ""

    def take(self, token: int, logprob: float, model: DecodingModel) -> None:
        """Appends a token, which may end the completion."""
        if logprob != logprob:
            raise no_numbers()
        self.answer_ids.append(token)
        self.logprobs.append(logprob)
        stop, text_of = self.request.stop, model.text_of
        if token in model.end_ids:
            self._end("eos", text_of.decode(self.answer_ids[:-1]), text_of)
            return
        if stop and text_of.completing(stop)[token]:
            text = text_of.decode(self.answer_ids)
            place = first_stop(text, stop)
            if place is not None:
                self._end("stop", text[:place], text_of)
                return
        if len(self.answer_ids) >= self.limit:
            self._end("length", text_of.decode(self.answer_ids), text_of)

    def _end(self, ended: Literal["stop", "eos", "length"], text: str, text_of: TextOf) -> None:
        self.ended, self.text = ended, text_of.clean(self.answer_ids, text)

    def completion(self) -> Completion:
        """Once it has ended."""
        assert self.ended is not None
        return Completion(
            prompt=self.request.prompt,
            text=self.text,
            tokens=len(self.answer_ids),
            ended=self.ended,
            prompt_ids=tuple(self.prompt_ids),
            answer_ids=tuple(self.answer_ids),
            logprobs=tuple(self.logprobs),
        )


def sample_all(
    model: DecodingModel,
    requests: Sequence[SampleRequest],
    prompts: Sequence[list[int]],
    *,
    batch_size: int,
    progress: Progress | None = None,
) -> list[Completion]:
    """Completes every prompt (as token ids, each shorter than `max_context`); results in the order of the requests."""
    room = [model.max_context - len(prompt) for prompt in prompts]
    limits = [min(request.max_new_tokens, most) for request, most in zip(requests, room, strict=True)]
    rows = [
        _Row(request=request, prompt_ids=prompt, limit=limit)
        for request, prompt, limit in zip(requests, prompts, limits, strict=True)
    ]
    for batch in by_length(prompts, limits, batch_size=batch_size, max_columns=model.max_columns):
        _sample_batch(model, [rows[index] for index in batch], progress)
    return [row.completion() for row in rows]


def by_length(
    prompts: Sequence[Sequence[int]], ahead: Sequence[int], *, batch_size: int, max_columns: int
) -> Iterator[list[int]]:
    """Indices in batches of like length, longest first; equal prompts come to lie side by side.

    `ahead[i]` tokens may follow prompt i. Where the longest prompt of a batch and what may follow another do not fit
    side by side into `max_columns`, the other gets a separate batch.
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
    common = common_length(distinct, last)
    return common if common >= SHARED_PREFIX and len(distinct) > 1 else 0


def common_length(sequences: Sequence[list[int]] | Sequence[tuple[int, ...]], own: int) -> int:
    """How many tokens all sequences begin with, leaving each at least `own`."""
    return min(len(commonprefix(sequences)), min(map(len, sequences)) - own)  # noqa: RUF071 - not of paths


def _sample_batch(model: DecodingModel, rows: list[_Row], progress: Progress | None) -> None:
    decoder, device = model.decoder(), double_device(model.device)
    ahead = max(row.limit for row in rows)
    logits_BV = read_prompts(decoder, [row.prompt_ids for row in rows], model.device, ahead=ahead)[:, -1]
    draws = Draws.of([replace(row.request, max_new_tokens=row.limit) for row in rows], device)
    batch = rows  # the rows in the decoder, finished ones among them until the next compaction
    for step in range(ahead):
        token_B, logprob_B = draws.draw(logits_BV.to(device), step)
        open_rows = [place for place, row in enumerate(batch) if row.ended is None]
        tokens, logprobs = token_B.tolist(), logprob_B.tolist()
        for place in open_rows:
            batch[place].take(tokens[place], logprobs[place], model)
        going = [place for place in open_rows if batch[place].ended is None]
        if progress and len(going) < len(open_rows):
            done = [batch[place] for place in open_rows if batch[place].ended is not None]
            progress(len(done), sum(len(row.answer_ids) for row in done))
        if not going:
            break
        if len(going) < COMPACT_BELOW * len(batch):
            batch, token_B, draws = [batch[place] for place in going], token_B[going], draws.keep(going)
            decoder.keep(torch.tensor(going, device=model.device))
        token_B = token_B.to(model.device)
        logits_BV = decoder.extend(token_B[:, None], torch.ones_like(token_B, dtype=torch.bool)[:, None])[:, -1]
