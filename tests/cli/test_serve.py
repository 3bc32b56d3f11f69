"""`solon serve`: a site with nothing to configure."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from solon.cli.main import app


def test_it_starts_says_where_it_is_and_ends(tmp_path: Path) -> None:
    """The second start finds what the first left."""
    for _ in range(2):
        command = [sys.executable, "-m", "solon", "collect", "serve", "--port", "0"]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(
            command,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background ignores it
        ) as process:
            assert process.stdout is not None
            at = process.stdout.readline().removeprefix("Solon is at ").strip()
            link = process.stdout.readline().rpartition(" ")[2].strip()
            assert at.startswith("http://127.0.0.1:") and link.startswith(f"{at}/enter/")
            with urllib.request.urlopen(link) as answer:
                assert b"Sign in as Owner" in answer.read()
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 130
    assert {one.name for one in (tmp_path / "solon-site").iterdir()} >= {"secret", "site.sqlite"}


def test_several_workers_answer_as_one_site(tmp_path: Path) -> None:
    """They share the port, the secret and the database, and end together."""
    command = [sys.executable, "-m", "solon", "serve", "--port", "0", "--workers", "2"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        at = process.stdout.readline().removeprefix("Solon is at ").strip()
        link = process.stdout.readline().rpartition(" ")[2].strip()
        family = psutil.Process(process.pid)
        answers = []
        for _ in range(8):
            with urllib.request.urlopen(link, timeout=60) as answer:
                answers.append(b"Sign in as Owner" in answer.read())
        with urllib.request.urlopen(f"{at}/health") as answer:
            assert answer.read() == b"ok\n"
        workers = [one for one in family.children() if "spawn_main" in " ".join(one.cmdline())]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert answers == [True] * 8 and len(workers) == 2
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = CliRunner().invoke(app, ["serve", "--folder", str(tmp_path), "--port", str(port)])
    assert done.exit_code == 2
    assert f"cannot listen on 127.0.0.1, port {port}: Address already in use" in done.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--url", "voices.example.org"], "--url voices.example.org is no address"),
        (["--database", "mysql://x/y"], "mysql is no database for a site"),
    ],
)
def test_what_cannot_be(tmp_path: Path, options: list[str], message: str) -> None:
    done = CliRunner().invoke(app, ["serve", "--folder", str(tmp_path), "--port", "0", *options])
    assert done.exit_code == 2 and message in done.output


def test_a_short_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLON_SECRET", "short")
    done = CliRunner().invoke(app, ["serve", "--folder", str(tmp_path), "--port", "0"])
    assert done.exit_code == 2 and "SOLON_SECRET: the secret is too short" in done.output
