"""Several processes that train one model together, on torch.distributed.

All of them take the same steps on the same rows and keep the same numbers. What models compute is shared out and its
results are gathered; everything else each process does for itself, as a process alone would. Sums over micro-batches
are divided by the weight of the whole batch, all processes' shares together: the curve is that of one process, but for
rounding.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from itertools import count
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn

from solon.artifacts.tensors import in_shards
from solon.errors import ConfigError
from solon.train.batches import Rows

if TYPE_CHECKING:
    from solon.train.forward import Reader

T = TypeVar("T")
R = TypeVar("R")
K = TypeVar("K", bound=Hashable)
P = ParamSpec("P")

PATIENCE = timedelta(hours=2)
"""How long a process waits for the others, e.g. for their share of the sampling. One that ends is noticed at once."""
_BUCKET = 1 << 26
"""Numbers that are added up at once."""


@dataclass(frozen=True)
class Group:
    """The processes that train together, as one of them sees it."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes and reports."""
        return self.rank == 0

    def gather(self, own: T) -> list[T]:
        """What all processes have, by rank. It is on the processor."""
        if self.size == 1:
            return [own]
        found: list[Any] = [None] * self.size
        dist.all_gather_object(found, own)
        return found

    def merge(self, own: Mapping[K, T]) -> dict[K, T]:
        """What all processes have, by key; of one key all have the same."""
        return {key: value for some in self.gather(own) for key, value in some.items()}

    def by_first(self, make: Callable[[], Callable[P, T]]) -> Callable[P, T]:
        """A function that the first process makes and calls for all of them, e.g. a judge: the others neither open it
        nor ask it. All processes must call what is returned."""
        made = make() if self.first else None

        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            return cast(T, self.gather(None if made is None else made(*args, **kwargs))[0])

        return call

    def total(self, own: float) -> float:
        """The sum over all processes."""
        return sum(self.gather(own))

    def spread(self, items: Sequence[T], work: Callable[[Sequence[T]], Sequence[R]]) -> list[R]:
        """What `work` makes of items, each process of a stretch of them, in their order."""
        first, last = (len(items) * (self.rank + more) // self.size for more in (0, 1))
        own = list(work(items[first:last])) if first < last else []
        return [one for some in self.gather(own) for one in some]

    def shares(self, indices: Sequence[int], rows_of: Rows) -> list[list[int]]:
        """`indices` cut into one list for each process, of about as many tokens; some may be empty. Indices whose rows
        begin alike come together.

        Example: three rows of 4 tokens and two processes: one row for the first, two for the second.
        """
        if self.size == 1:
            return [list(indices)]
        ordered = sorted(indices, key=lambda index: tuple(rows_of(index)[0]))
        tokens = [sum(map(len, rows_of(index))) for index in ordered]
        out: list[list[int]] = [[] for _ in range(self.size)]
        before = 0
        for index, own in zip(ordered, tokens, strict=True):
            out[(2 * before + own) * self.size // (2 * sum(tokens))].append(index)  # by where its middle is
            before += own
        return out

    def turns(
        self, reader: Reader, indices: Sequence[int], rows_of: Rows, limit: int
    ) -> tuple[list[list[int]], list[list[int]]]:
        """What this process reads of `indices`, within `limit` tokens at once, and what it reads beside that and must
        not count.

        Processes that hold shards of a model read equally often: one with less to do reads again what others read.
        """
        shares = self.shares(indices, rows_of)
        own = reader.parts(shares[self.rank], rows_of, limit)
        if not in_shards(reader.model):
            return own, []
        longest = max((reader.parts(share, rows_of, limit) for share in shares), key=len)
        return own, longest[len(own) :]

    @torch.no_grad()
    def sum_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Gives every parameter the sum of all processes' gradients; shards have it already. One for which no process
        has a gradient keeps none."""
        whole = [one for one in parameters if not in_shards(one)]
        if self.size == 1 or not whole:
            return
        found = torch.tensor([one.grad is not None for one in whole], dtype=torch.uint8, device=whole[0].device)
        dist.all_reduce(found, dist.ReduceOp.MAX)
        used = [one for one, is_used in zip(whole, found.tolist(), strict=True) if is_used]
        for bucket in _buckets(used):
            sums_N = torch.cat([_gradient(one).flatten().float() for one in bucket])
            dist.all_reduce(sums_N)
            for one, sum_N in zip(bucket, sums_N.split([one.numel() for one in bucket]), strict=True):
                one.grad = sum_N.view_as(one).to(one.dtype)


ALONE = Group()
"""One process, which does everything."""


def running(model: Any, part: nn.Module) -> Callable[..., Any]:
    """`part` of a model, to be called; of a model in shards that brings the weights which are not its layers'."""
    return partial(model.through, part) if in_shards(model) and part is not model else part


def reshard(module: nn.Module) -> None:
    """Lets go of what the last forward pass gathered: only then are a module's parameters its shards."""
    for part in module.modules():
        if in_shards(part):
            cast(Any, part).reshard()


def _gradient(parameter: Tensor) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


def _buckets(parameters: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Of so many numbers that adding them up takes little memory."""
    bucket: list[Tensor] = []
    for one in parameters:
        if bucket and sum(other.numel() for other in bucket) + one.numel() > _BUCKET:
            yield bucket
            bucket = []
        bucket.append(one)
    if bucket:
        yield bucket


# How processes find each other: by the variables that torchrun sets.


def launched() -> tuple[int, int]:
    """(rank, processes) of the group that this process was started into; (0, 1): of none."""
    return int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))


_c10d: Any = dist
"""With what its stubs leave out."""
_MEETINGS = count()


@cache
def meeting_point() -> Any:
    """The store that all processes of the group can read and write."""
    return next(iter(_c10d.rendezvous("env://")))[0]


@contextmanager
def joined(device: str) -> Iterator[Group]:
    """The group that this process was started into, while the block lasts; all of them must enter it.

    `device`: as `models.device`. Each process takes a GPU of its own. Raises `ConfigError` if there are too few.
    """
    rank, size = launched()
    if size == 1:
        yield ALONE
        return
    backend = "cpu:gloo,cuda:nccl" if _takes_gpu(device) else "gloo"
    store = _c10d.PrefixStore(f"solon-{next(_MEETINGS)}", meeting_point())
    dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=PATIENCE)
    yield Group(rank, size)
    dist.destroy_process_group()  # not after an error: others may be waiting for this process


def _takes_gpu(device: str) -> bool:
    """Whether models are on GPUs; this process's is the current one then."""
    if device == "cpu" or not torch.cuda.is_available():
        return False
    if device not in ("auto", "cuda"):
        raise ConfigError(f'models.device is "{device}", but each process takes a GPU of its own', hint='use "auto"')
    local, gpus = int(os.environ.get("LOCAL_RANK", 0)), torch.cuda.device_count()
    if local >= gpus:
        what = f"process {local + 1} of this machine finds no GPU: there are {gpus}"
        raise ConfigError(what, hint=f'start {gpus} processes, or set models.device to "cpu"')
    torch.cuda.set_device(local)
    return True


def host() -> tuple[int, Any]:
    """The port of a meeting point on this machine, and what hosts it as long as it is kept."""
    store = _c10d.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    return store.port, store


def is_lost(error: BaseException) -> bool:
    """Whether it says that another process of the group has gone."""
    return isinstance(error, dist.DistError) or "gloo/transport" in str(error)
