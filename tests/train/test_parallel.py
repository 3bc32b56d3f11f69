"""How work is shared out among processes. That two of them train like one is tested with the pipeline."""

from __future__ import annotations

import pytest
import torch
import torch.distributed as dist

from solon.errors import ConfigError
from solon.train import parallel
from solon.train.parallel import ALONE, Group, is_lost, joined

ROWS = {0: (5, 6, 7, 8), 1: (1, 2, 3, 4), 2: (5, 6, 9, 9), 3: (1,), 4: (1, 2)}


def _rows(index: int) -> list[tuple[int, ...]]:
    return [ROWS[index]]


def test_shares_have_about_as_many_tokens_and_what_begins_alike_stays_together() -> None:
    assert Group(0, 2).shares([0, 1, 2, 3, 4], _rows) == [[3, 4, 1], [0, 2]]  # 1 + 2 + 4 and 4 + 4 tokens
    assert Group(0, 2).shares([0, 1, 2], _rows) == [[1], [0, 2]]  # three rows of 4
    assert Group(0, 3).shares([3], _rows) == [[], [3], []]
    assert Group(0, 2).shares([], _rows) == [[], []]


def test_every_index_has_one_share_whatever_the_number_of_processes() -> None:
    rows = [[(step % 7, *range(step % 11 + 1))] for step in range(40)]
    for size in range(1, 9):
        shares = Group(0, size).shares(range(40), rows.__getitem__)
        assert sorted(index for share in shares for index in share) == list(range(40))
        tokens = [sum(len(rows[index][0]) for index in share) for share in shares]
        assert max(tokens) - min(tokens) <= 2 * 12  # of the longest row


def test_one_process_does_everything_in_the_order_in_which_it_comes() -> None:
    assert ALONE.shares([4, 0, 2], _rows) == [[4, 0, 2]]
    assert ALONE.spread([3, 1, 2], lambda some: [2 * one for one in some]) == [6, 2, 4]
    assert (ALONE.gather("own"), ALONE.merge({1: "one"}), ALONE.total(0.1)) == (["own"], {1: "one"}, 0.1)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_stretches_of_all_processes_are_the_whole(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    stretches: list[str] = []
    monkeypatch.setattr(Group, "gather", lambda _self, own: stretches.append("".join(own)) or [])
    for rank in range(size):
        Group(rank, size).spread("abcdefg", lambda some: list(some))
    assert "".join(stretches) == "abcdefg"
    assert max(map(len, stretches)) - min(map(len, stretches)) <= 1


def test_buckets_are_small_and_hold_every_parameter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_BUCKET", 5)
    parameters = [torch.zeros(count) for count in (2, 3, 1, 9, 4, 1)]
    sizes = [[one.numel() for one in bucket] for bucket in parallel._buckets(parameters)]
    assert sizes == [[2, 3], [1], [9], [4, 1]]


@pytest.mark.parametrize(
    ("device", "message"),
    [
        (
            "auto",
            'process 3 of this machine finds no GPU: there are 2 (start 2 processes, or set models.device to "cpu")',
        ),
        ("cuda:1", 'models.device is "cuda:1", but each process takes a GPU of its own (use "auto")'),
    ],
)
def test_each_process_takes_a_gpu_of_its_own(device: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RANK": "2", "WORLD_SIZE": "4", "LOCAL_RANK": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ConfigError) as caught, joined(device):
        pass
    assert str(caught.value) == message


def test_only_errors_of_the_connection_say_that_a_process_has_gone() -> None:
    gone = "[third_party/gloo/gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:24816"
    assert is_lost(RuntimeError(gone)) and is_lost(dist.DistNetworkError("no answer"))
    assert not is_lost(RuntimeError("Cannot use ReduceOp.PREMUL_SUM with Gloo"))
