"""A `solon` whose commands are forks of one process that has imported what they need: torch alone takes seconds.

`with forked_solon() as folder:` puts such a program into a folder, for `PATH`.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BENCH = Path(__file__).resolve().parents[1] / "bench"
PROGRAM = """#!{python} -IS
import os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [b"\\0".join(map(os.fsencode, [os.getcwd(), *sys.argv[1:]]))], [0, 1, 2])
    server.shutdown(socket.SHUT_WR)
    code = int(server.recv(16) or 1)
sys.exit(code if code >= 0 else 128 - code)
"""


@contextmanager
def forked_solon() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        address, program = f"{folder}/socket", Path(folder, "solon")
        program.write_text(PROGRAM.format(python=sys.executable, address=address))
        program.chmod(0o755)
        path = os.pathsep.join(part for part in (str(BENCH), os.environ.get("PYTHONPATH")) if part)
        command, env = [sys.executable, __file__, address], {**os.environ, "PYTHONPATH": path}
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None and server.stdout.readline() == "ready\n"
                yield Path(folder)
            finally:
                server.kill()


def main(address: str) -> None:
    """Runs commands in forks, each told by where it is run, its arguments and its three streams."""
    import solon.pipeline.run
    import solon.report.html  # noqa: F401

    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait for commands
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        print("ready", flush=True)
        while True:
            client, _ = listening.accept()
            if os.fork() == 0:
                _serve(client)
            client.close()


def _serve(client: socket.socket) -> None:
    """Runs one command, tells its exit code, and never returns."""
    from kill_and_resume import become

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    said, streams, *_ = socket.recv_fds(client, 1 << 16, 3)
    said += client.makefile("rb").read()
    place, *arguments = map(os.fsdecode, said.split(b"\0"))
    if (command := os.fork()) == 0:
        os.chdir(place)
        os.dup2(streams[0], 0)
        become(arguments, *streams[1:])
    client.send(str(os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])).encode())
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
