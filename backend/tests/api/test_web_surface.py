"""What browsers, caches and hostile addresses are told, over every address of the service."""

import re
import time
from typing import Any, Final

import pytest
import yaml
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from apps.api.middleware import MAX_QUERY_LENGTH
from apps.api.pagination import MAX_PAGE_SIZE
from tests.admin_client import admin_session
from tests.api_client import anonymous, client_for
from tests.architecture.test_addresses import METHODS, OPEN, build_address, list_endpoints
from tests.factories.accounts import PASSWORD, make_actor
from tests.factories.mfa import make_protected
from tests.factories.worklog import make_entry

pytestmark = pytest.mark.django_db

UNSAFE: Final = tuple(method for method in METHODS if method != "get")
ELSEWHERE: Final = (
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "http:evil.example",
    "https://testserver@evil.example/",
    "https://testserver.evil.example/",
    "javascript:alert(1)",
    "\tjavascript:alert(1)",
    "/\t/evil.example",
    "\x00//evil.example",
    "data:text/html,x",
)
PAGES: Final = (
    "/admin/",
    "/api/docs/",
    "/api/docs/?script=",
    "/api/schema/",
    "/api/nowhere/",
    "/nowhere/",
    "/static/no",
)


def staff_session() -> Client:
    return admin_session(make_actor(is_staff=True, is_superuser=True))


@pytest.mark.failure("A24")
def test_a_session_cookie_changes_nothing_without_the_csrf_token() -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = staff_session().cookies
    closed = [pair for pair in list_endpoints() if pair[0] in UNSAFE and pair not in OPEN]
    answers = {
        (method, name): getattr(strict, method)(build_address(name), "{}", content_type="application/json").status_code
        for method, name in closed
    }
    assert len(answers) > 20
    assert {pair: status for pair, status in answers.items() if status != 403} == {}


@pytest.mark.failure("A24")
@pytest.mark.parametrize(("method", "name"), [pair for pair in OPEN if pair[0] in UNSAFE])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"])
def test_no_other_sites_form_can_post_where_no_session_is_asked_for(method: str, name: str, kind: str) -> None:
    answer = getattr(Client(), method)(build_address(name), b"username=ada&password=x", content_type=kind)
    assert answer.status_code == 415


@pytest.mark.failure("A24")
def test_the_door_of_the_administration_asks_for_the_csrf_token() -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/admin/login/", {"username": "ada", "password": PASSWORD}).status_code == 403


@pytest.mark.failure("D06")
@pytest.mark.parametrize("target", ELSEWHERE)
def test_a_sign_in_leads_to_no_other_site(target: str) -> None:
    _, app = make_protected(username="boss", is_staff=True)
    body = {"username": "boss", "password": PASSWORD, "code": app.code(), "next": target}
    answer = Client().post("/admin/login/", body)
    assert answer.status_code == 302
    assert re.fullmatch(r"/admin/[\w/]*", answer["Location"])


@pytest.mark.failure("D06")
@pytest.mark.parametrize(
    "path", ["//evil.example", "//evil.example/..", "/\\evil.example", "/%5cevil.example", "/api//evil.example"]
)
def test_the_missing_slash_leads_to_no_other_site(path: str) -> None:
    answer = Client().get(path)
    assert not re.match(r"(?:[a-z]+:)?[/\\]{2}", answer.headers.get("Location", ""))


@pytest.mark.failure("D11")
@pytest.mark.parametrize("method", ["get", "options"])
def test_no_other_origin_may_read_an_answer(method: str) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "PATCH"}
    answer = getattr(client_for(make_actor()), method)("/api/me/", headers=headers)
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


@pytest.mark.failure("D03")
@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "testserver@evil.example", "testserver:x"])
@pytest.mark.parametrize("path", ["/api/me/", "/admin/login/"])
def test_a_host_that_is_not_ours_is_refused(host: str, path: str) -> None:
    answer = anonymous().get(path, headers={"Host": host})
    assert answer.status_code == 400
    assert "evil" not in answer.content.decode()


@pytest.mark.failure("D09")
@pytest.mark.parametrize("path", PAGES)
def test_every_answer_carries_the_headers(path: str) -> None:
    headers = staff_session().get(path).headers
    expected = {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    assert {name: headers.get(name) for name in expected} == expected
    assert "payment=()" in headers["Permissions-Policy"]
    for directive in ("default-src 'none'", "object-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert directive in headers["Content-Security-Policy"]


@pytest.mark.failure("D09")
def test_a_refused_host_and_a_redirect_to_tls_carry_them_as_well(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    answers = [Client().get("/admin/", headers={"Host": "evil.example"}), Client().get("/admin/")]
    assert [answer.status_code for answer in answers] == [400, 301]
    assert all("Content-Security-Policy" in answer.headers for answer in answers)


@pytest.mark.failure("D09")
def test_cookies_of_a_session_are_closed_to_scripts_and_other_sites() -> None:
    _, app = make_protected(username="boss", is_staff=True)
    client = Client()
    client.post("/admin/login/", {"username": "boss", "password": PASSWORD, "code": app.code()})
    session = client.cookies["ar_backend_session"]
    assert (session["httponly"], session["samesite"], session["domain"], session["path"]) == (True, "Lax", "", "/")
    assert client.cookies["ar_backend_csrf"]["samesite"] == "Lax"
    assert 0 < int(session["max-age"]) <= 12 * 3600


@pytest.mark.failure("D07")
def test_no_page_of_the_administration_holds_a_script_or_a_handler() -> None:
    client = staff_session()
    create = [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") for model in admin.site._registry
    ]
    for path in ["/admin/", "/admin/accounts/user/add/", *create]:
        answer = client.get(path)
        assert "script-src 'self' 'unsafe-eval';" in answer["Content-Security-Policy"]
        html = answer.content.decode()
        inline = [
            code for tag, code in re.findall(r"<script([^>]*)>(.*?)</script>", html, re.DOTALL) if "src=" not in tag
        ]
        assert [code for code in inline if code.strip()] == [], path
        assert re.findall(r"<[^>]*\s(on[a-z]+)=", html) == [], path
        assert "javascript:" not in html, path


@pytest.mark.failure("D16")
@pytest.mark.parametrize("path", ["/api/worklogs/", "/admin/login/"])
def test_an_address_that_is_too_long_is_refused(path: str) -> None:
    assert Client().get(f"{path}?q={'x' * MAX_QUERY_LENGTH}").status_code == 414


def read_filters() -> list[tuple[str, str]]:
    """(name of the address, parameter) of every filter of every list, from the API's own description."""
    document: Any = yaml.safe_load(anonymous().get("/api/schema/").content)
    return [
        (path, parameter["name"])
        for path, operations in document["paths"].items()
        for parameter in operations.get("get", {}).get("parameters", ())
        if parameter["in"] == "query" and "{" not in path
    ]


@pytest.mark.failure("D16")
@pytest.mark.parametrize(
    "value", ["x" * 3000, "a\x00b", "(a+)+$" * 50, "\ufdfa" * 900, " ".join("ab" for _ in range(900))]
)
def test_no_filter_chokes_on_what_nobody_means(value: str) -> None:
    person, staff = client_for(make_actor()), client_for(make_actor(is_staff=True))
    for path, name in read_filters():
        client = staff if "/admin/" in path or "/system/" in path else person
        started = time.monotonic()
        status = client.get(path, {name: value[:3000]}).status_code
        assert status in {200, 400, 403, 414}, (path, name)
        assert time.monotonic() - started < 2, (path, name)


@pytest.mark.failure("D16")
@pytest.mark.parametrize("size", ["101", "100000", "999999999"])
def test_no_page_is_longer_than_the_longest(size: str) -> None:
    actor = make_actor()
    for _ in range(MAX_PAGE_SIZE + 1):
        make_entry(actor=actor)
    assert len(client_for(actor).get("/api/worklogs/", {"page_size": size}).json()["results"]) == MAX_PAGE_SIZE


@pytest.mark.failure("D16")
def test_a_deep_page_is_read_from_its_place_and_not_from_the_start() -> None:
    actor = make_actor()
    for _ in range(3):
        make_entry(actor=actor)
    client = client_for(actor)
    following = client.get("/api/worklogs/", {"page_size": 1}).json()["next"]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert len(client.get(following).json()["results"]) == 1
    assert not [query for query in queries if "OFFSET" in query["sql"]]


class SharedCache:
    """A cache between people and the service that keeps what it may (RFC 9111), by address."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def get(self, client: Any, path: str) -> Any:
        if path in self.kept:
            return self.kept[path]
        answer = client.get(path)
        rules = answer.headers.get("Cache-Control", "")
        if not re.search(r"no-store|private|no-cache", rules):
            self.kept[path] = answer
        return answer


@pytest.mark.failure("T10")
def test_nothing_that_one_person_read_is_shown_to_another() -> None:
    cache, first, second = SharedCache(), client_for(make_actor()), client_for(make_actor(is_staff=True))
    for name in sorted({name for method, name in list_endpoints() if method == "get"} - {"readyz"}):
        for client in (first, second):
            cache.get(client, build_address(name))
    assert list(cache.kept) == []


@pytest.mark.failure("D13")
def test_the_probes_tell_strangers_no_more_than_names() -> None:
    for path in ("/api/healthz/", "/api/dutyz/"):
        text = anonymous().get(path).content.decode()
        assert not re.search(r"redis|postgres|127\.0\.0\.1|Traceback|version", text), path
