"""What all tests share: no network, and the reference data that some compare with."""

from __future__ import annotations

import os
import socket
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
REFERENCE_DATA = ROOT / os.environ.get("SOLON_REFERENCE_DATA", "../shared/data")
NO_REFERENCE_DATA = f"no reference data at {REFERENCE_DATA} (set SOLON_REFERENCE_DATA)"

# Read by huggingface_hub at import, hence before any test module; subprocesses inherit it.
os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of published files (CAI, CCAI, hh-rlhf, ...); the test is skipped where there is none."""
    if not REFERENCE_DATA.is_dir():
        pytest.skip(NO_REFERENCE_DATA)
    return REFERENCE_DATA


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where the reference data exists, a test that skips for lack of it has lost its way to it: it fails."""
    report = yield
    if report.skipped and REFERENCE_DATA.is_dir() and "reference data" in str(report.longrepr).lower():
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: skipped for lack of reference data, which exists at {REFERENCE_DATA}"
    return report


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
