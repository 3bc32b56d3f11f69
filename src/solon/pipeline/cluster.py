"""Many machines: the shards of a stage are made by the workers of a Ray cluster, as the rows of a Ray data set.

A worker is a process that holds the engines of the stage. It gets the function that makes rows and the items of one
shard at a time, and gives back what the same function makes in this process, which alone writes into the run's folder.
The machines need no file system in common: a model that one of them lacks is copied to it from here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from types import ModuleType
from typing import Any
from warnings import catch_warnings

from solon.artifacts.manifest import installed, versions
from solon.config.run import ClusterSection
from solon.errors import ProcessError, RunError, SolonError
from solon.lm.protocols import Progress
from solon.pipeline.copies import Read, here
from solon.pipeline.joining import join
from solon.pipeline.shard import Maker, Shard, Workers, one_by_one

TRIES = 4
"""Workers that a shard may cost before the run ends: more than machines that go, fewer than it takes to see that the
shard itself is the reason. Assumption."""
_PIECE_BYTES = 1 << 25


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """`Workers` of the Ray cluster at an address (see `join`)."""

    address: str
    section: ClusterSection
    progress: Progress
    """Called with the tokens of each shard."""

    def __call__(self, maker: Maker[Any, Any], parts: Mapping[int, Sequence[Any]]) -> Iterator[tuple[int, Shard[Any]]]:
        """Shards as they are done. A worker that dies is replaced, and what it had is made again.

        Raises what a worker raised, `ProcessError` if a shard has cost too many of them, and `RunError` if the cluster
        has room for none.
        """
        if not parts:
            return
        ray = join(self.address)
        workers, share = room(self.section, ray.nodes())
        dataset = _dataset(ray, maker, parts, min(workers, len(parts)), share)
        for number, made in _results(ray, dataset):
            if isinstance(made, SolonError):
                raise made
            self.progress(0, made.rows.tokens)
            yield number, made


def workers_at(address: str | None, section: ClusterSection, progress: Progress) -> Workers:
    """Those of a cluster, or this process if there is no address."""
    return Cluster(address=address, section=section, progress=progress) if address else one_by_one


Share = dict[str, Any]
"""What a worker takes of a machine: `num_cpus` and `num_gpus`."""


def room(section: ClusterSection, nodes: Sequence[Mapping[str, Any]]) -> tuple[int, Share]:
    """How many workers the machines have room for, and what each takes. `nodes`: as Ray lists them.

    Example: of machines with 8 and 16 processors and no GPU, a worker takes 8, so that there are 3. Raises `RunError`
    if there is room for none.
    """
    has = [node["Resources"] for node in nodes if node["Alive"]]
    gpus = [resources.get("GPU", 0.0) for resources in has]
    cpus = [resources.get("CPU", 0.0) for resources in has]
    gpu = (1.0 if any(gpus) else 0.0) if section.gpus is None else section.gpus
    cpu = section.cpus or (1.0 if gpu else min(filter(None, cpus), default=1.0))
    fit = sum(int(min(c // cpu, g // gpu if gpu else math.inf)) for c, g in zip(cpus, gpus, strict=True))
    if not (fit or section.workers):
        what = f"no machine of the cluster has {cpu:g} processors and {gpu:g} GPUs, which a worker takes"
        raise RunError(what, hint="lower cluster.cpus or cluster.gpus")
    return section.workers or fit, {"num_cpus": cpu, "num_gpus": gpu}


def _dataset(
    ray: ModuleType, maker: Maker[Any, Any], parts: Mapping[int, Sequence[Any]], workers: int, share: Share
) -> Any:
    """Rows with a shard's number and, packed, what was made of its items."""
    from ray import data

    pack = ray.cloudpickle.dumps
    rows = [{"number": number, "packed": pack(tuple(items))} for number, items in parts.items()]
    files = {name: actor.files for name, actor in maker.actors.items()}
    worker: Any = _Worker  # Ray's own types know of functions alone
    with catch_warnings(category=ray.util.annotations.RayDeprecationWarning, action="ignore"):  # until 2.64
        return data.from_items(rows, override_num_blocks=len(rows)).map(
            worker,
            fn_constructor_args=(pack(maker), files, _reader(ray), versions()),
            compute=data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=2),
            max_task_retries=TRIES - 1,
            **share,
        )


def _results(ray: ModuleType, dataset: Any) -> Iterator[tuple[int, Any]]:
    try:
        for row in dataset.iter_rows():
            yield row["number"], ray.cloudpickle.loads(row["packed"])
    except ray.exceptions.RayTaskError:  # a bug, with the worker's traceback
        raise
    except ray.exceptions.RayError as error:
        said = str(error).strip().partition("\n")[0]
        what = f"the cluster lost {TRIES} workers at one shard, or itself; what was done is kept ({said})"
        raise ProcessError(what) from error


class _Worker:
    """A process of the cluster. Models are loaded at the first shard, and stay."""

    def __init__(
        self, packed: bytes, files: Mapping[str, Mapping[str, str]], read: Read, versions: Mapping[str, str]
    ) -> None:
        self._packed, self._files, self._read, self._versions = packed, files, read, versions

    def __call__(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row with a shard's number and its items to one with what was made of them, or an error."""
        from ray import cloudpickle

        try:
            made: Shard[Any] | SolonError = self._maker(cloudpickle.loads(row["packed"]))
        except SolonError as error:
            made = error
        return {"number": row["number"], "packed": cloudpickle.dumps(made)}

    @cached_property
    def _maker(self) -> Maker[Any, Any]:
        from ray import cloudpickle

        _require_same(self._versions)
        maker: Maker[Any, Any] = cloudpickle.loads(self._packed)
        for name, actor in maker.actors.items():
            models, code = actor.actors, actor.actors.config.models.trust_remote_code
            models.copies[actor.folder] = here(actor.folder, self._files[name], self._read, code=code)
        return maker


def _require_same(there: Mapping[str, str]) -> None:
    """Rows of one stage are made under the same versions, whoever makes them."""
    if differing := {name: version for name, version in installed(there).items() if version != there[name]}:
        told = "; ".join(f"{name} {version}, not {there[name]}" for name, version in differing.items())
        what = f"a machine of the cluster has other versions than the one that asks: {told}"
        raise RunError(what, hint="install the same on all")


def _reader(ray: ModuleType) -> Read:
    """Reads files of this machine, on whichever it is called."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    this = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return partial(_pieces, ray.remote(_piece).options(num_cpus=0, scheduling_strategy=this))


def _pieces(remote: Any, path: Path) -> Iterator[bytes]:
    import ray

    first = 0
    while piece := ray.get(remote.remote(path, first)):
        yield piece
        first += len(piece)


def _piece(path: Path, first: int) -> bytes:
    with open(path, "rb") as file:
        file.seek(first)
        return file.read(_PIECE_BYTES)
