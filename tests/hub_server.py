"""A small server that speaks as much of the Hugging Face Hub's API as it takes to find and fetch a model."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import huggingface_hub.constants
import pytest


@dataclass(kw_only=True)
class Hub:
    """What the server holds, and what it was asked."""

    url: str = ""
    repos: dict[str, dict[str, dict[str, bytes]]] = field(default_factory=dict)
    """Files by repository and commit."""
    refs: dict[tuple[str, str], str] = field(default_factory=dict)
    """Commits by repository and branch or tag."""
    gated: set[str] = field(default_factory=set)
    token: str | None = None
    """The only one that the server takes; None: any or none."""
    stalled: threading.Event | None = None
    """Weights are sent when it is set; None: at once."""
    asked: list[str] = field(default_factory=list)
    """Each request, e.g. `GET /api/models/org/tiny` or `GET /org/tiny/resolve/1f.../config.json bytes=10-`."""
    status: int | None = None
    """What every request is answered with, if anything."""

    def push(self, repo: str, files: dict[str, bytes], *names: str) -> str:
        """A new commit, which the names (and `main`) lead to from now on."""
        commit = hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()
        self.repos.setdefault(repo, {})[commit] = files
        for name in names or ("main",):
            self.refs[repo, name] = commit
        return commit

    def files(self, repo: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        commit = self.refs.get((repo, revision), revision)
        found = self.repos.get(repo, {}).get(commit)
        return None if found is None else (commit, found)

    def fetched(self) -> list[str]:
        """Names of the files whose bytes were asked for."""
        return [one.split()[1].rpartition("/")[2] for one in self.asked if one.startswith("GET") and "/resolve/" in one]


def folder_files(folder: Path, **more: bytes) -> dict[str, bytes]:
    """Every file of a folder, and more."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return files | more


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if "/org/" in path:
            self.hub.asked.append(f"{self.command} {path} {self.headers.get('Range', '')}".strip())
        if self.hub.status is not None:
            self.say(self.hub.status)
        elif self.hub.token and self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            self.say(401, {"X-Error-Message": "Invalid credentials in Authorization header"})
        elif path == "/api/agent-harnesses":
            self.say(404)
        elif path.startswith("/api/models/"):
            self.describe(path.removeprefix("/api/models/").split("/"))
        else:
            owner, name, _, revision, *file = path.removeprefix("/").split("/")
            self.send_file(f"{owner}/{name}", revision, "/".join(file))

    def describe(self, parts: list[str]) -> None:
        repo, revision = "/".join(parts[:2]), parts[3] if len(parts) > 3 else "main"
        if repo not in self.hub.repos:
            return self.say(404, {"X-Error-Code": "RepoNotFound"})
        if (found := self.hub.files(repo, revision)) is None:
            return self.say(404, {"X-Error-Code": "RevisionNotFound"})
        commit, files = found
        if parts[2:3] == ["tree"]:
            listed: object = [
                {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                for name, data in files.items()
            ]
        else:
            listed = {"id": repo, "sha": commit, "siblings": [{"rfilename": name} for name in files]}
        return self.say(200, {"Content-Type": "application/json"}, json.dumps(listed).encode())

    def send_file(self, repo: str, revision: str, name: str) -> None:
        if repo in self.hub.gated:
            return self.say(403, {"X-Error-Code": "GatedRepo"})
        found = self.hub.files(repo, revision)
        if found is None or name not in found[1]:
            return self.say(404, {"X-Error-Code": "EntryNotFound"})
        data = found[1][name]
        if self.hub.stalled is not None and self.command == "GET" and name.endswith(".safetensors"):
            self.hub.stalled.wait()
        headers = {"X-Repo-Commit": found[0], "ETag": f'"{hashlib.sha1(data).hexdigest()}"', "Accept-Ranges": "bytes"}
        first = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        if first:
            headers["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
        return self.say(206 if first else 200, headers, data[first:])

    def say(self, status: int, headers: dict[str, str] | None = None, data: bytes = b"") -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "GET":
            with suppress(ConnectionError):  # the client may be gone
                self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def hub_server(cache: Path) -> Iterator[Hub]:
    """While open, huggingface_hub asks this server, and keeps what it gets in `cache`."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(huggingface_hub.constants, "ENDPOINT", hub.url)
        patch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
        patch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
        patch.setattr(
            huggingface_hub.constants,
            "HUGGINGFACE_CO_URL_TEMPLATE",
            hub.url + "/{repo_id}/resolve/{revision}/{filename}",
        )
        patch.delenv("HF_TOKEN", raising=False)
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
