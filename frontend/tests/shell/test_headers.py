"""What every answer of the pages' service carries, and what is refused before anybody reads it."""

import pytest
from django.test import Client
from pytest_django import Settings

from apps.shell.headers import MAX_QUERY_LENGTH
from tests.fakes.backend import FakeBackend

EXPECTED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.mark.failure("D09")
@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/health/", "/nowhere/", "/static/app/mark.svg"])
def test_every_answer_carries_the_headers(path: str, signed_in: Client) -> None:
    headers = signed_in.get(path).headers
    assert {name: headers.get(name) for name in EXPECTED} == EXPECTED
    assert "payment=()" in headers["Permissions-Policy"]
    assert "publickey-credentials" not in headers["Permissions-Policy"]


@pytest.mark.parametrize(
    "path", ["/", "/health/", "/nowhere/", "/static/app/mark.svg", f"/?q={'x' * MAX_QUERY_LENGTH}"]
)
def test_every_answer_has_a_policy_that_shuts_out_plug_ins_and_frames(path: str, signed_in: Client) -> None:
    headers = signed_in.get(path).headers
    for directive in ("object-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert directive in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.failure("D09")
@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/health/", "/nowhere/"])
def test_no_page_can_be_framed_or_kept(path: str, signed_in: Client) -> None:
    headers = signed_in.get(path).headers
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert {"private", "no-store"} <= set(headers["Cache-Control"].split(", "))


@pytest.mark.failure("D09")
def test_a_redirect_to_tls_carries_them_as_well(client: Client, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    answer = client.get("/")
    assert answer.status_code == 301
    assert "payment=()" in answer.headers["Permissions-Policy"]


@pytest.mark.failure("D09")
def test_cookies_of_a_session_are_closed_to_scripts_and_other_sites(fake_backend: FakeBackend, db: None) -> None:
    client = Client()
    client.get("/accounts/login/")
    client.post("/accounts/login/", {"login": "ada", "password": "correct horse"})
    for name in ("ar_session", "ar_csrf"):
        cookie = client.cookies[name]
        assert (cookie["httponly"], cookie["samesite"], cookie["domain"], cookie["path"]) == (True, "Lax", "", "/")


@pytest.mark.failure("D11")
@pytest.mark.parametrize("method", ["get", "options"])
def test_no_other_origin_may_read_a_page(method: str, signed_in: Client) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = getattr(signed_in, method)("/profile/", headers=headers)
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


@pytest.mark.failure("D03")
@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "testserver@evil.example"])
def test_a_host_that_is_not_ours_is_refused(host: str, client: Client) -> None:
    answer = client.get("/accounts/login/", headers={"Host": host})
    assert answer.status_code == 400
    assert "evil" not in answer.content.decode()


@pytest.mark.failure("D16")
def test_an_address_that_is_too_long_is_refused(client: Client) -> None:
    answer = client.get("/accounts/login/", {"next": "x" * MAX_QUERY_LENGTH})
    assert answer.status_code == 414
    assert "payment=()" in answer.headers["Permissions-Policy"]
