"""What every page of the site has in common, and what is tried against it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from solon.report.public.catalogue import language_of
from solon.web.access import Access
from solon.web.app import PAGES, create_app
from solon.web.db import members
from solon.web.forms import MOST_BYTES
from solon.web.headers import POLICY
from solon.web.language import PACKAGE, languages, preferred
from solon.web.limits import Limit, Limiter, network
from solon.web.serve import owner_link
from solon.web.settings import SECRET, Settings
from solon.web.signing import Signer
from solon.web.troubles import Trouble
from web.visitor import BASE, Visitor, conversation_in, member_of, owner_of, participant_in, site_in, the_site, token

PLACES = {"token": "x" * 43, "member": "1", "number": "0"}


def address(path: str, slug: str) -> str:
    """A path with its parts filled in."""
    for name, value in {**PLACES, "slug": slug}.items():
        path = path.replace(f"{{{name}:row}}", value).replace(f"{{{name}}}", value)
    return path


def test_every_page_forbids_what_it_does_not_need(stranger: Visitor) -> None:
    for path in (
        "/",
        "/nothing",
        "/team",
        "/c/%00",
        "/c/x%00y/vote",
        "/team/9999999999/link",
        f"/c/x/moderate/{'9' * 5000}",
    ):
        stranger.get(path)
        assert stranger.status != 500
        headers = stranger.response.headers
        assert headers["content-security-policy"] == POLICY
        assert "unsafe" not in POLICY and "script-src 'self'" in POLICY and "frame-ancestors 'none'" in POLICY
        assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin" and "strict-transport-security" not in headers
        assert not [one for one in stranger.page.all("style", "base", "iframe") if one]
        assert all("src" in one.attributes and not one.text for one in stranger.page.all("script"))
        assert "style=" not in stranger.response.text and " onclick" not in stranger.response.text


def test_cookies_are_out_of_reach_and_secure_behind_https(app: Starlette) -> None:
    here = Visitor(app).client.get("/").headers["set-cookie"]
    assert here.startswith("solon-session=") and "HttpOnly" in here and "SameSite=lax" in here and "Secure" not in here
    there = Visitor(app, "https://127.0.0.1").client.get("/")
    assert there.headers["set-cookie"].startswith("__Host-solon-session=") and "Secure" in there.headers["set-cookie"]
    link = owner_link(the_site(app)).removeprefix(BASE)
    member = Visitor(app)
    member.get(link)
    kept = member.client.post(link, data={"csrf": member.csrf}).headers["set-cookie"]
    assert kept.startswith("solon-member=") and "HttpOnly" in kept and "SameSite=strict" in kept
    assert there.headers["strict-transport-security"].startswith("max-age=")


class TestFromElsewhere:
    """By a link from mail or another site, with which browsers do not send a member's cookie."""

    def without(self, visitor: Visitor, path: str) -> None:
        """Look at a page as whoever comes from elsewhere."""
        kept = visitor.client.cookies["solon-member"]
        visitor.client.cookies.delete("solon-member")
        visitor.get(path)
        visitor.client.cookies.set("solon-member", kept, domain="127.0.0.1", path="/")

    def test_a_page_of_members_is_one_link_away(self, app: Starlette, owner: Visitor) -> None:
        self.without(owner, "/team?x=%22%3E&y=1")
        assert owner.status == 403 and owner.heading == "You are not signed in"
        again = next(one for one in owner.page.all("a") if one.text == "Open this page again")
        assert again.attributes["href"] == "/team?x=%22%3E&y=1"
        owner.get(str(again.attributes["href"]))
        assert owner.status == 200
        owner.get("/begin")
        self.without(owner, "/")
        owner.post("/team", {"csrf": the_site(app).signer.form_token(_session_id(owner)), "name": "Mallory"})
        assert owner.status == 403 and "Open this page again" not in owner.page.text, "only of what one looks at"

    def test_members_vote_and_use_another_link(self, app: Starlette, owner: Visitor) -> None:
        at = conversation_in(owner)
        self.without(owner, f"{at}/join")
        owner.send("/join", consent="yes")
        assert owner.at.endswith("/vote")
        self.without(owner, f"{at}/vote")
        owner.send("/vote", vote="agree")
        assert owner.status == 200 and "You agreed" in owner.page.text
        owner.get("/team")
        owner.send("/team/1/link")
        self.without(owner, next(one.text for one in owner.page.all("code")).removeprefix(BASE))
        owner.send("")
        assert owner.status == 200 and owner.get("/team") and owner.status == 200


def test_a_session_that_somebody_made_up_is_none(app: Starlette) -> None:
    visitor = Visitor(app)
    visitor.get("/")
    signed = visitor.client.cookies["solon-session"]
    for forged in (f"x{signed}", signed[:-1] + ("0" if signed[-1] != "0" else "1"), "a.20000", "a.20000.", ""):
        other = TestClient(app, base_url=BASE, cookies={"solon-session": forged})
        assert "solon-session" in other.get("/").headers["set-cookie"], "a new one is given"
    assert "set-cookie" not in visitor.client.get("/").headers, "ours stays"


def test_other_names_do_not_lead_here(app: Starlette) -> None:
    assert TestClient(app, base_url="http://evil.example").get("/").status_code == 400


class TestForms:
    def test_one_without_the_token_of_its_session_changes_nothing(self, app: Starlette, owner: Visitor) -> None:
        other = Visitor(app)
        other.get("/team")
        theirs = the_site(app).signer.form_token("another session")
        for forged in ("", "0" * 64, theirs):
            page = owner.post("/team", {"name": "Mallory the second", "csrf": forged})
            assert owner.status == 403 and owner.heading == "This form is too old"
            assert [one.text for one in page.all("textarea")] == ["Mallory the second"], "what was typed is kept"
        assert "Mallory" not in owner.get("/team").text

    def test_a_body_without_end_is_not_read(self, app: Starlette, owner: Visitor) -> None:
        owner.get("/team")
        big = {"csrf": owner.csrf, "name": "x" * MOST_BYTES}
        owner.post("/team", big)
        assert owner.status == 413 and "Nothing was saved" in owner.page.text

        read = 0

        def drops():  # type: ignore[no-untyped-def]
            nonlocal read
            for _ in range(1000):
                read += 1
                yield b"name=" + b"x" * 60_000 + b"&"

        kind = {"content-type": "application/x-www-form-urlencoded"}
        assert owner.client.post("/team", content=drops(), headers=kind).status_code == 413

    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            (b"name=%ff", "application/x-www-form-urlencoded"),
            (b"name=\xff", "application/x-www-form-urlencoded"),
            (b"a=1&" * 600, "application/x-www-form-urlencoded"),
            (b'{"name": "x"}', "application/json"),
            (b"--x\r\n", "multipart/form-data; boundary=x"),
        ],
    )
    def test_what_is_no_form_is_said_to_be_none(self, owner: Visitor, body: bytes, kind: str) -> None:
        answer = owner.client.post("/team", content=body, headers={"content-type": kind})
        assert answer.status_code == 400 and "could not be read" in answer.text

    def test_faults_stand_beside_their_field_and_what_was_typed_stays(self, owner: Visitor) -> None:
        owner.get("/team")
        owner.send("/team", name="N" * 81, owner="yes")
        field = next(one for one in owner.page.all("input") if one.attributes.get("name") == "name")
        assert owner.status == 422 and field.attributes["value"] == "N" * 81
        assert field.attributes["aria-invalid"] == "true"
        assert "name-fault" in str(field.attributes["aria-describedby"])
        assert any("checked" in one.attributes for one in owner.page.all("input"))


class TestRoles:
    def test_every_page_says_who_may_see_it_and_strangers_see_no_other(self, app: Starlette, owner: Visitor) -> None:
        slug = conversation_in(owner).rpartition("/")[2]
        held = {(one.path, one.method) for one in PAGES}
        served = {(one.path, method) for one in app.routes if isinstance(one, Route) for method in one.methods or ()}
        open_ = {("/assets/{file}", "GET"), ("/health", "GET")}
        assert {(path, method) for path, method in served if method != "HEAD"} == held | open_
        visitor = Visitor(app)
        visitor.get("/")
        for one in PAGES:
            if one.needs is not Access.ANYONE:
                if one.method == "GET":
                    visitor.get(address(one.path, slug))
                else:
                    visitor.post(address(one.path, slug), {"csrf": token(app, visitor)})
                assert visitor.status == 403, one.path

    def test_a_member_is_no_owner(self, app: Starlette, owner: Visitor) -> None:
        member = member_of(app, owner, "Ines")
        for path in ("/team", "/log"):
            assert member.get(path) and member.status == 403
        member.post("/team", {"csrf": token(app, member), "name": "Me", "owner": "yes"})
        assert member.status == 403
        owner.get("/team")
        assert "Me" not in [one.text for one in owner.page.all("th")]

    def test_whoever_is_removed_is_out_at_once(self, app: Starlette, owner: Visitor) -> None:
        member = member_of(app, owner, "Ines", second_owner=True)
        assert member.get("/team") and member.status == 200
        owner.get("/team")
        owner.send("/team/2/remove")
        assert member.get("/team") and member.status == 403
        owner.send("/sign-out")
        assert owner.get("/team") and owner.status == 403


class TestLinks:
    def test_one_works_once_and_looking_at_it_does_not_use_it(self, app: Starlette) -> None:
        link = owner_link(the_site(app)).removeprefix(BASE)
        first, second = Visitor(app), Visitor(app)
        for visitor in (first, second, first):
            assert "Sign in as Owner" in visitor.get(link).text
        first.send("")
        assert first.get("/team") and first.status == 200
        second.send("")
        assert second.status == 410 and second.get("/team") and second.status == 403

    def test_another_one_ends_what_a_lost_browser_may(self, app: Starlette, owner: Visitor) -> None:
        member = member_of(app, owner, "Ines", second_owner=True)
        assert member.get("/team") and member.status == 200
        owner.get("/team")
        owner.send("/team/2/link")
        assert member.get("/team") and member.status == 403
        owner.send("/team/1/link")
        assert owner.get("/team") and owner.status == 200, "the browser that asks for it stays"

    def test_guessing_ends_soon(self, stranger: Visitor) -> None:
        statuses = [stranger.client.get(f"/enter/{guess:043d}").status_code for guess in range(25)]
        assert statuses == [410] * 20 + [429] * 5

    def test_the_database_holds_no_token(self, app: Starlette, tmp_path: Path) -> None:
        link = owner_link(the_site(app))
        visitor = Visitor(app)
        visitor.get(link.removeprefix(BASE))
        visitor.send("")
        held = b"".join(one.read_bytes() for one in (tmp_path / "site").glob("site.sqlite*"))
        assert link.rpartition("/")[2].encode() not in held
        assert _session_id(visitor).encode() not in held
        assert the_site(app).signer.hashed(link.rpartition("/")[2]).encode() in held

    def test_a_lost_answer_does_not_use_it_up(self, app: Starlette) -> None:
        """The browser has the cookies of before still, and may use the link again; nobody else may."""
        link = owner_link(the_site(app)).removeprefix(BASE)
        visitor, other = Visitor(app), Visitor(app)
        for one in (visitor, other):
            one.get(link)
        before, fields = dict(visitor.client.cookies), {"csrf": visitor.csrf}
        visitor.send("")
        other.send("")
        assert other.status == 410
        visitor.client.cookies.clear()
        visitor.client.cookies.update(before)
        assert visitor.get("/team") and visitor.status == 403
        visitor.post(link, fields)
        assert visitor.status == 200 and visitor.get("/team") and visitor.status == 200

    def test_it_is_used_up_for_the_same_browser_too_after_a_while(
        self, app: Starlette, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(members, "AGAIN", -1)
        link = owner_link(the_site(app)).removeprefix(BASE)
        visitor = Visitor(app)
        visitor.get(link)
        visitor.send("")
        assert visitor.get(link) and visitor.status == 410

    def test_who_takes_part_does_so_after_signing_in(self, app: Starlette, owner: Visitor) -> None:
        at = conversation_in(owner)
        voter = participant_in(app, at)
        voter.get(owner_link(the_site(app)).removeprefix(BASE))
        voter.send("")
        assert voter.get(f"{at}/vote") and voter.status == 200

    def test_signing_in_takes_another_session(self, app: Starlette) -> None:
        """One that was planted in the browser before gives nothing, nor do the forms that it knows."""
        visitor = Visitor(app)
        visitor.get(owner_link(the_site(app)).removeprefix(BASE))
        before = visitor.client.cookies["solon-session"]
        visitor.send("")
        thief = TestClient(app, base_url=BASE, cookies={"solon-session": before})
        planted = the_site(app).signer.form_token(_session_id(visitor))
        assert visitor.post("/team", {"csrf": planted, "name": "Mallory"}) and visitor.status == 403
        assert visitor.get("/team") and visitor.status == 200 and thief.get("/team").status_code == 403


class TestLanguages:
    def test_as_the_browser_asks(self, app: Starlette) -> None:
        for tag in ("en", "de", "ar"):
            page = Visitor(app, language=f"{tag}-XX, en;q=0.5").get("/team")
            html = page.all("html")[0].attributes
            assert html["lang"] == tag and html["dir"] == ("rtl" if tag == "ar" else "ltr")

    def test_as_a_link_chose_from_then_on(self, stranger: Visitor) -> None:
        assert stranger.get("/?language=de").all("html")[0].attributes["lang"] == "de"
        assert stranger.get("/").all("html")[0].attributes["lang"] == "de"
        assert stranger.get("/?language=../../x").all("html")[0].attributes["lang"] == "de"

    @pytest.mark.parametrize(
        ("header", "tag"),
        [("de", "de"), ("nl, ar;q=0.3, de;q=0.9", "de"), ("", "en"), ("xx", "en"), ("de;q=0", "en"), ("*;q=", "en")],
    )
    def test_wishes(self, header: str, tag: str) -> None:
        assert preferred(header) == tag

    def test_none_lacks_a_text(self) -> None:
        assert {"en", "de", "ar"} <= set(languages())
        for tag in languages():
            assert language_of(tag, package=PACKAGE).missing == 0, f"solon collect catalog {tag} --site"


def test_pages_that_are_not_there_or_fail_are_pages(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = Visitor(app, language="de")
    visitor.get("/nothing")
    assert visitor.status == 404 and visitor.heading == "Diese Seite gibt es nicht"
    assert visitor.post("/") and visitor.status == 405

    monkeypatch.setattr("solon.web.visit.signed_in", lambda *_: 1 / 0)
    client = TestClient(app, base_url=BASE, raise_server_exceptions=False)
    broken = client.get("/team", headers={"cookie": "solon-member=one"})
    assert (
        broken.status_code == 500 and "Something went wrong here" in broken.text and "ZeroDivision" not in broken.text
    )


def test_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 2.0, 61.5])
    monkeypatch.setattr("solon.web.limits.monotonic", lambda: next(clock))
    limiter, limit = Limiter(), Limit("x", 2, 60)
    limiter.count(limit, "a")
    limiter.count(limit, "a")
    with pytest.raises(Trouble) as refused:
        limiter.count(limit, "a")
    assert refused.value.status == 429 and refused.value.values == {"minutes": 1}
    limiter.count(limit, "a")


def test_addresses_are_forgotten_when_they_do_not_count_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.0, 100.0, 3700.0])
    monkeypatch.setattr("solon.web.limits.monotonic", lambda: next(clock))
    limiter, short, long = Limiter(), Limit("x", 2, 60), Limit("y", 2, 3600)
    limiter.count(long, "a")
    limiter.count(short, "b")
    limiter.count(short, "c")
    assert {name: [*table] for name, table in limiter._seen.items()} == {"y": ["a"], "x": ["c"]}
    limiter.count(short, "d")
    assert {name: [*table] for name, table in limiter._seen.items()} == {"y": [], "x": ["d"]}


def test_nobody_makes_room_for_themselves_by_sending_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by what another limit counts, nor by more visitors than are remembered."""
    monkeypatch.setattr("solon.web.limits.MOST_KEYS", 10)
    limiter, one, other = Limiter(), Limit("x", 2, 60), Limit("y", 2, 60)
    for _ in range(2):
        limiter.count(one, "a")
    limiter.count(one, "open")
    for nth in range(30):
        limiter.count(one, f"b{nth}")
        limiter.count(other, f"c{nth}")
    assert [len(table) for table in limiter._seen.values()] == [10, 10]
    assert "a" in limiter._seen["x"] and "open" not in limiter._seen["x"], "who is refused is forgotten last"
    for ask in (limiter.count, limiter.require):
        with pytest.raises(Trouble):
            ask(one, "a")
    for nth in range(20, 30):
        limiter.require(one, f"d{nth}")
        with suppress(Trouble):
            limiter.count(one, f"d{nth}")
            limiter.count(one, f"d{nth}")
    assert len(limiter._seen["x"]) == 10, "bounded, even if all are refused"


def test_browsers_without_a_cookie_are_not_remembered(
    app: Starlette, owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request of theirs is another browser; the counts of addresses stay as they are."""
    at = conversation_in(owner)
    monkeypatch.setattr("solon.web.limits.MOST_KEYS", 5)
    assert [Visitor(app).client.get(f"/i/{nth:043d}").status_code for nth in range(21)] == [410] * 20 + [429]
    for _ in range(10):
        assert TestClient(app, base_url=BASE).post(f"{at}/vote").status_code == 403
    assert Visitor(app).client.get(f"/i/{0:043d}").status_code == 429
    assert [*the_site(app).limiter._seen] == ["enter", "invitation"], "of browsers nothing"


def test_limits_of_browsers_are_on_pages_that_know_them() -> None:
    limited = [one for one in PAGES if one.limit and one.limit.of_browser]
    assert limited and all(one.needs is not Access.ANYONE for one in limited)


def test_an_address_of_the_newer_kind_stands_for_its_network() -> None:
    assert [network(one) for one in ("192.0.2.7", "::ffff:192.0.2.7", "2001:db8:1:2:3::7", "testclient")] == [
        "192.0.2.7",
        "192.0.2.7",
        "2001:db8:1:2::/64",
        "testclient",
    ]


def test_purposes_have_keys_of_their_own() -> None:
    signer, other = Signer(b"k" * 32), Signer(b"l" * 32)
    signed = signer.sign("x")
    assert signer.signed(signed) == "x" and other.signed(signed) is None
    assert len({signed.partition(".")[2], signer.hashed("x"), signer.form_token("x")}) == 3


def test_the_secret_is_made_once_and_is_for_the_owner_of_the_files_alone(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    first = the_site(site_in(folder)).settings.secret
    assert the_site(site_in(folder)).settings.secret == first and len(first) >= 64
    assert (folder / "secret").stat().st_mode & 0o777 == 0o600


def test_nobody_else_reads_the_folder_or_the_database(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        owner_of(create_app(Settings(folder=tmp_path / "site")))
        modes = {one.name: one.stat().st_mode & 0o777 for one in (tmp_path / "site").iterdir()}
    finally:
        os.umask(before)
    assert (tmp_path / "site").stat().st_mode & 0o777 == 0o700
    assert modes.keys() >= {"site.sqlite", "site.sqlite-wal"} and set(modes.values()) == {0o600}


def test_a_secret_of_the_environment_needs_no_folder_made_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRET, "s" * 40)
    assert owner_of(create_app(Settings(folder=tmp_path / "new" / "site"))).status == 200
    assert not (tmp_path / "new" / "site" / "secret").exists()


def test_the_site_needs_no_torch() -> None:
    script = (
        "import solon.web.app, solon.web.serve, sys; assert not {'torch', 'transformers', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def _session_id(visitor: Visitor) -> str:
    return str(visitor.client.cookies["solon-session"]).partition(".")[0]


def test_owners_are_asked_for_again(app: Starlette) -> None:
    """A new link at each start, for the same owner, and the earlier one is worth nothing."""
    old = owner_link(the_site(app)).removeprefix(BASE)
    visitor = owner_of(app)
    assert visitor.get("/team").text.count("Owner") >= 1 and len(visitor.page.all("tr")) == 2
    assert Visitor(app).client.get(old).status_code == 410
