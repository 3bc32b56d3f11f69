"""What all tests share: their order, no network, and what becomes of tests that lack what they need."""

from __future__ import annotations

import gc
import os
import socket
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from needs import NEEDS, REFERENCE_DATA
from order import longest_first

if TYPE_CHECKING:
    from report.browser import Browser

# Read by huggingface_hub at import, hence before any test module; subprocesses inherit it.
os.environ["HF_HUB_OFFLINE"] = "1"
# Processes of tests keep what they compile of the package: else each of them compiles it anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported stays: else the collector of garbage looks at it again and again, half a second each time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Three for two cores: a quarter of the tests' time waits for other processes, for pages and for the disk."""
    return max(1, (os.cpu_count() or 1) * 3 // 2)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first."""
    items[:] = longest_first(items)


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of published files (CAI, CCAI, hh-rlhf, ...); the test is skipped where there is none."""
    if REFERENCE_DATA.place is None:
        pytest.skip(REFERENCE_DATA.reason)
    return REFERENCE_DATA.place


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Of which each test or module takes the browser of somebody else (`Browser.anew`)."""
    from report.browser import Browser

    with Browser(tmp_path_factory.mktemp("profile")) as chromium:
        yield chromium


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that is skipped for lack of something fails where that must be there."""
    report = yield
    for need in NEEDS:
        if report.skipped and need.must_be and f"no {need.name}" in str(report.longrepr):
            report.outcome = "failed"
            where = "it is required" if need.place is None else f"it exists at {need.place}"
            report.longrepr = f"{item.nodeid}: skipped for lack of {need.name}, but {where}"
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)  # around all others, hence last
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None, None, None]:
    """Say at the end what was not tested, and how to have it."""
    yield
    skipped = Counter(report.longrepr[2] for report in terminalreporter.getreports("skipped"))
    for reason, tests in skipped.items():
        terminalreporter.write_line(f"{tests} not tested: {reason.removeprefix('Skipped: ')}", yellow=True)


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests keep their results to themselves; subprocesses inherit it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True, scope="session")
def no_waiting_for_the_disk() -> Iterator[None]:
    """Files are not forced to the disk, for which a tiny run would wait as long as it computes: tests cut no power, and
    what a killed process has written stays. Programs that tests start do force them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Tests run offline: connecting to another machine is an error."""
    connect = socket.socket.connect

    def local_only(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", local_only)
        yield
