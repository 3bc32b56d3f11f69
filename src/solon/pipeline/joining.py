"""How this process joins a Ray cluster, or what is in the way of it, as one line."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from solon.errors import UserError

AUTO = "auto"
"""The cluster that this machine belongs to."""
_PATIENCE_SECONDS = 5.0
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
"""What a client says first in HTTP/2, which Ray speaks; the answer of a server has the same type in its fourth byte."""


def join(address: str) -> ModuleType:
    """Ray, connected to the cluster at `HOST:PORT` or `auto`, of which this machine must be one. A second call does
    nothing. Raises `UserError` if Ray is not installed or the cluster cannot be joined."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # Ray tells its makers nothing
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise UserError("--cluster needs Ray Data", hint="pip install 'solon[ray]'") from error
    if not ray.is_initialized():
        if address != AUTO:
            _require_answer(address)
        with _own_signals():
            try:
                ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
            except (OSError, ValueError, RuntimeError) as error:
                said = " ".join(str(error).split())
                hint = "`ray start` on this machine too; RAY_AUTH_MODE=token if it has a token; see docs/cluster.md"
                raise UserError(f"cannot join the Ray cluster at {address}: {said}", hint=hint) from error
        ray.data.DataContext.get_current().enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # it raises what it logs
    return ray


def _require_answer(address: str) -> None:
    """Raises `UserError` unless a cluster seems to be there. Ray would wait for a minute and then end the process."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise UserError(f"--cluster expects auto or HOST:PORT, got {address}")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE_SECONDS) as there:
            there.sendall(_GREETING)
            answer = there.recv(9)
    except OSError as error:
        what = f"no Ray cluster answers at {address}: {error.strerror or error}"
        raise UserError(what, hint="begin one with `ray start --head`, see docs/cluster.md") from error
    if answer[3:4] != b"\4":
        raise UserError(f"what answers at {address} is no Ray cluster", hint="`ray status` says where yours is")


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray answers SIGTERM in its own way; this program has one too."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)
