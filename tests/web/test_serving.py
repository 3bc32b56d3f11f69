"""Cookies and addresses, as the server that is started hands requests on: over HTTP, behind a proxy, around it."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from solon.web import serve as serving
from solon.web.settings import PLAIN, Settings

PROXY, STRANGER = "127.0.0.1", "203.0.113.9"
TOLD = {"x-forwarded-proto": "https", "x-forwarded-for": "198.51.100.7"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of one site, which is started in many ways."""
    return tmp_path_factory.mktemp("site")


def visit(folder: Path, at: str, client: str, headers: dict[str, str] | None = None, **options: object) -> TestClient:
    """Somebody who has opened the first page, of a site as `solon serve` runs it. `client`: who speaks to its port."""
    settings = Settings.model_validate({"folder": folder, **options})
    config = serving.configured(settings, serving.create_app(settings))
    config.load()
    there = TestClient(config.loaded_app, base_url=at, client=(client, 5), headers=headers or {})
    there.page = there.get("/")  # type: ignore[attr-defined]
    assert there.page.status_code == 200  # type: ignore[attr-defined]
    return there


def cookie_of(there: TestClient) -> str:
    return str(there.page.headers["set-cookie"])  # type: ignore[attr-defined]


class TestCookies:
    @pytest.mark.parametrize("headers", [{}, TOLD], ids=["", "though somebody says so"])
    def test_on_this_machine_they_are_not_for_https(self, folder: Path, headers: dict[str, str]) -> None:
        there = visit(folder, "http://127.0.0.1:8000", PROXY, headers)
        assert cookie_of(there).startswith("solon-session=") and "Secure" not in cookie_of(there)
        assert "HttpOnly" in cookie_of(there) and "SameSite=lax" in cookie_of(there)
        assert "strict-transport-security" not in there.page.headers  # type: ignore[attr-defined]

    def test_behind_a_proxy_that_speaks_https_they_are_for_https_and_this_host_alone(self, folder: Path) -> None:
        there = visit(folder, "http://voices.example.org", PROXY, TOLD, url="https://voices.example.org")
        assert cookie_of(there).startswith("__Host-solon-session=")
        assert all(part in cookie_of(there) for part in ("; Secure", "; HttpOnly", "; Path=/", "; SameSite=lax"))
        assert "domain" not in cookie_of(there).lower()
        assert there.page.headers["strict-transport-security"]  # type: ignore[attr-defined]

    @pytest.mark.parametrize(
        ("client", "proxies", "believed"),
        [
            (STRANGER, PROXY, False),
            (PROXY, "10.88.0.1", False),
            ("10.88.0.1", "10.88.0.1", True),
        ],
    )
    def test_only_the_proxy_is_believed(self, folder: Path, client: str, proxies: str, believed: bool) -> None:
        there = visit(
            folder, "http://voices.example.org", client, TOLD, url="https://voices.example.org", proxies=proxies
        )
        assert cookie_of(there).startswith("__Host-") == ("Secure" in cookie_of(there)) == believed

    def test_on_every_address_without_https_they_are_not_for_https(self, folder: Path) -> None:
        there = visit(folder, "http://192.0.2.1:8000", STRANGER, TOLD, host="0.0.0.0")
        assert cookie_of(there).startswith("solon-session=") and "Secure" not in cookie_of(there)


@pytest.mark.parametrize(
    ("options", "warned"),
    [
        ({}, False),
        ({"host": "::1"}, False),
        ({"host": "0.0.0.0"}, True),
        ({"host": "::"}, True),
        ({"host": "192.0.2.1"}, True),
        ({"url": "http://voices.example.org"}, True),
        ({"url": "https://voices.example.org"}, False),
        ({"host": "0.0.0.0", "url": "https://voices.example.org"}, False),
        ({"url": "http://localhost:9000"}, False),
    ],
)
def test_whoever_starts_it_is_told_that_others_reach_it_over_http(
    options: dict[str, str], warned: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(serving, "listening_socket", lambda settings: Listening())
    monkeypatch.setattr(serving.uvicorn.Server, "run", lambda *_: None)
    serving.serve(Settings.model_validate({"folder": folder, **options}), told.append)
    assert (PLAIN in told) == warned and len(told) == 2 + warned


class Listening:
    """A socket that listens on nothing."""

    def getsockname(self) -> tuple[str, int]:
        return "", 8000

    def close(self) -> None:
        pass
