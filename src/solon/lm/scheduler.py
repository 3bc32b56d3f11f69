"""Which tokens are computed together: one step reads the next tokens of every row that is going.

Rows enter as far as there is room and leave as soon as they end. What a step holds follows from the requests, the
places of their rows and the budget alone, never from the clock.

B rows that draw a token   V vocabulary
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from solon.errors import NoNumbersError, TooLongError
from solon.lm.attention import Piece
from solon.lm.cache import Sequence as Tokens
from solon.lm.jobs import Job, Reply, Score
from solon.lm.protocols import Progress
from solon.lm.reader import Reader
from solon.lm.sampling import Draws, double_device, no_numbers
from solon.lm.stops import TextOf

PIECE_TOKENS = 2048
"""New tokens of a step: longer prompts are read in pieces. Assumption: enough for full speed."""
GPU_PIECE_TOKENS = 8192


@dataclass(kw_only=True)
class Counts:
    """What was computed."""

    read: int = 0
    """Tokens that went through the network."""
    reused: int = 0
    """Tokens of requests that did not, since they had before."""
    drawn: int = 0
    """Tokens that were drawn."""
    steps: int = 0


class Scheduler:
    """Answers jobs."""

    def __init__(
        self,
        reader: Reader,
        *,
        text_of: TextOf,
        end_ids: frozenset[int],
        rows: int,
        device: torch.device,
        counts: Counts,
        progress: Progress | None = None,
    ):
        self.counts, self._progress = counts, progress
        self._reader, self._text_of, self._end_ids, self._rows = reader, text_of, end_ids, rows
        self._waiting: list[Job] = []
        self._going: dict[Job, Tokens] = {}
        self._beginnings: list[Tokens] = []
        self._piece_tokens = GPU_PIECE_TOKENS if device.type == "cuda" else PIECE_TOKENS
        self._draws: tuple[list[Reply], Draws] | None = None
        self._numbers = False

    def __bool__(self) -> bool:
        return bool(self._waiting or self._going)

    def close(self) -> None:
        """No job will be answered any more; memory is given back."""
        self._reader.close()

    def add(self, jobs: Sequence[Job]) -> None:
        """Jobs to answer, those of earlier rows first."""
        self._waiting = sorted([*self._waiting, *jobs], key=lambda job: job.place)
        self._reader.expect(jobs)

    def drop(self, job: Job) -> None:
        """Nobody waits for this one any more."""
        if job in self._going:
            self._reader.end(self._going.pop(job))
        elif job in self._waiting:
            self._leave(job)

    def step(self) -> list[Job]:
        """Reads once; returns the jobs that ended."""
        failed = self._admit()
        pieces = self._pieces()
        if not pieces:
            if not failed:
                raise RuntimeError(f"none of {len(self._waiting)} requests can go on")
            return failed
        logits_MV = self._reader.read([piece for _, piece in pieces])
        self.counts.steps += 1
        self.counts.read += sum(piece.count for _, piece in pieces)
        self.counts.reused = self._reader.reused
        for sequence in [one for one in self._beginnings if one.known == len(one.ids)]:
            self._beginnings.remove(sequence)
            self._reader.end(sequence)
        self._answer(pieces, logits_MV)
        return failed + self._ended()

    def _admit(self) -> list[Job]:
        """Lets jobs in, in the order of their rows; returns one that can never be."""
        for job in list(self._waiting):
            if len(self._going) >= self._rows:
                break
            found = self._reader.begin(job)
            self._beginnings += self._reader.beginnings()
            if isinstance(found, Tokens):
                self._going[job] = found
                self._leave(job)
            elif found == "full":
                if self._going or self._beginnings:
                    break
                job.error = TooLongError(f"{job.most} tokens with the reply, more than there is memory for")
                self._leave(job)
                return [job]
        self._reader.rest()
        return []

    def _leave(self, job: Job) -> None:
        self._waiting.remove(job)
        self._reader.forget(job)

    def _pieces(self) -> list[tuple[Job | None, Piece]]:
        """What is read next: of every row that draws its token, and of the others as much as there is room for."""
        going: list[tuple[Job | None, Tokens, int]] = [(None, one, 0) for one in self._beginnings]
        going += [(job, sequence, job.last) for job, sequence in self._going.items()]
        singles = sum(len(sequence.ids) - sequence.known == 1 for _, sequence, _ in going)
        room = max(self._piece_tokens - singles, self._piece_tokens // 2)
        pieces: list[tuple[Job | None, Piece]] = []
        for job, sequence, last in going:
            left = len(sequence.ids) - sequence.known
            count = left if left == 1 or not self._reader.pieces else min(left, max(room, 0))
            if left > 1:
                if count < left:
                    count = max(0, min(count, left - last))  # what logits are wanted of is read at once
                room -= count
            if count:
                pieces.append((job, Piece(sequence=sequence, count=count, last=last if count == left else 0)))
        return pieces

    def _answer(self, pieces: Sequence[tuple[Job | None, Piece]], logits_MV: Tensor) -> None:
        at, replies, places = 0, [], []
        for job, piece in pieces:
            if isinstance(job, Score) and piece.last:
                job.take(logits_MV[at : at + piece.last])
                self._check(job, sum(job.result))
            elif isinstance(job, Reply) and piece.last:
                replies.append(job)
                places.append(at)
            at += piece.last
        if replies:
            self._draw(replies, logits_MV if len(places) == len(logits_MV) else logits_MV[places])

    def _draw(self, replies: list[Reply], logits_BV: Tensor) -> None:
        device = double_device(logits_BV.device)
        draws = self._draws_of(replies, device)
        step_B = torch.tensor([len(job.answer_ids) for job in replies], device=device)
        token_B, logprob_B = draws.draw(logits_BV.to(device), step_B)
        for job, token, logprob in zip(replies, token_B.tolist(), logprob_B.tolist(), strict=True):
            self._check(job, logprob)
            if job.error is None:
                self.counts.drawn += 1
                job.take(token, logprob, self._text_of, self._end_ids)

    def _draws_of(self, replies: list[Reply], device: torch.device) -> Draws:
        """How these rows draw, in their order; most of them did at the last step."""
        before, draws = self._draws or ([], None)
        if before != replies:
            place = {id(job): row for row, job in enumerate(before)}
            new = [job for job in replies if id(job) not in place]
            if new:
                fresh = Draws.of([replace(job.request, max_new_tokens=job.limit) for job in new], device)
                draws = draws.join(fresh) if draws else fresh
                place |= {id(job): len(before) + row for row, job in enumerate(new)}
            assert draws
            draws = draws.keep([place[id(job)] for job in replies])
        assert draws
        self._draws = replies, draws
        return draws

    def _check(self, job: Job, logprob: float) -> None:
        """A row whose logits are not numbers fails alone; a model that never gave any is at fault itself."""
        if logprob == logprob:
            self._numbers = True
        elif not self._numbers:
            raise no_numbers()
        else:
            job.result, job.error = None, NoNumbersError("the model returned logits that are not numbers")

    def _ended(self) -> list[Job]:
        ended = [job for job in self._going if job.ended]
        for job in ended:
            self._reader.end(self._going.pop(job), clean=job.error is not None)
        replies = [job for job in ended if isinstance(job, Reply)]
        if replies and self._progress:
            self._progress(len(replies), sum(len(job.answer_ids) for job in replies))
        return ended
