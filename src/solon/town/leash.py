"""`python -m solon.town.leash ...`: a command of Solon that ends when whoever began it is gone, however they went.

A town that is killed outright cannot end its site and its runs; they would stay, and hold their port and folders.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

LAUNCH = (sys.executable, "-m", "solon.town.leash")
"""What the arguments of a command are put behind."""
_LOOK_SECONDS = 0.5


def _end_with(parent: int) -> None:
    """A process whose parent is gone has another one."""
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    runpy.run_module("solon", run_name="__main__", alter_sys=True)
