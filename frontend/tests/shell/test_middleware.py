import re

import pytest
from django.db import OperationalError
from django.test import Client

from apps.backend.errors import BackendUnavailable
from apps.shell import views
from tests.fakes import shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.server import Reply

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/worklog/?q=x"}


def test_health_needs_neither_login_nor_database_nor_backend(client: Client) -> None:
    response = client.get("/health/")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/", "/profile/", "/api-proxy/status-bar/", "/ui/", "/django-admin/"])
def test_everything_else_asks_for_a_sign_in_and_leads_back(path: str, client: Client) -> None:
    response = client.get(path)
    assert (response.status_code, response["Location"]) == (302, f"/accounts/login/?next={path}")


def test_an_htmx_call_is_sent_to_sign_in_as_a_whole_page(client: Client) -> None:
    response = client.get("/api-proxy/status-bar/", headers=HTMX)
    assert response["HX-Redirect"] == "/accounts/login/?next=/worklog/%3Fq%3Dx"


def test_an_htmx_call_from_a_foreign_page_leads_home(client: Client) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "https://evil.example/phish"}
    assert client.get("/profile/", headers=headers)["HX-Redirect"] == "/accounts/login/?next=/"


def test_a_dead_token_ends_the_session_with_one_redirect(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.tokens.clear()
    first = signed_in.get("/profile/")
    assert (first.status_code, first["Location"]) == (302, "/accounts/login/?next=/profile/")
    assert signed_in.get(first["Location"]).status_code == 200


def test_a_dead_token_sends_an_htmx_call_to_sign_in(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.tokens.clear()
    response = signed_in.get("/api-proxy/status-bar/", headers=HTMX)
    assert response["HX-Redirect"].startswith("/accounts/login/?next=")


def test_a_session_that_lost_its_token_is_a_dead_one(signed_in: Client) -> None:
    session = signed_in.session
    del session["backend_token"]
    session.save()
    assert signed_in.get("/profile/").status_code == 302


def test_a_form_sent_with_a_dead_token_leads_home_after_sign_in(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.tokens.clear()
    assert signed_in.post("/profile/", {})["Location"] == "/accounts/login/?next=/"


def test_a_missing_backend_is_a_calm_page_in_the_shell(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.stop()
    response = signed_in.get("/")
    assert (response.status_code, response["Retry-After"]) == (503, "10")
    page = response.content.decode()
    assert "The backend is taking a break" in page
    assert 'hx-get="/api-proxy/reachable/" hx-trigger="every 10s"' in page
    assert 'id="sidebar"' in page


def test_a_form_that_met_a_missing_backend_does_not_send_itself_again(
    signed_in: Client, fake_backend: FakeBackend
) -> None:
    fake_backend.stop()
    assert b"reachable" not in signed_in.post("/profile/", {"time_zone": "UTC"}).content


def test_for_htmx_a_failure_is_a_toast_and_the_page_stays(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.stop()
    response = signed_in.get("/profile/", headers=HTMX)
    assert (response.status_code, response["HX-Reswap"]) == (503, "none")
    assert "does not answer" in response["HX-Trigger"]


@pytest.mark.parametrize(
    ("status", "title"),
    [
        (400, "That cannot be done"),
        (402, "The reserve does not cover this"),
        (403, "This is not open to you"),
        (404, "There is nothing here"),
        (409, "That no longer fits"),
        (429, "One moment, please"),
    ],
)
def test_each_refusal_has_its_page(status: int, title: str, signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.answer_with("GET", "/api/me/", Reply(status=status, body=shapes.error("code", "Because.")))
    response = signed_in.get("/profile/")
    assert response.status_code == status
    assert title in response.content.decode()


def test_a_refusal_without_a_form_says_what_was_refused(signed_in: Client, fake_backend: FakeBackend) -> None:
    refused = shapes.error("invalid", "Please correct the marked fields.", {"cursor": ["This is not of this list."]})
    fake_backend.answer_with("GET", "/api/me/", Reply(status=400, body=refused))
    assert b"This is not of this list." in signed_in.get("/profile/").content
    assert "This is not of this list." in signed_in.get("/profile/", headers=HTMX)["HX-Trigger"]


def test_a_form_beyond_the_limit_is_refused_in_words_inside_the_shell(signed_in: Client) -> None:
    response = signed_in.post("/worklog/quick-add/", {"title": "x" * 2_000_000})
    assert response.status_code == 413
    page = response.content.decode()
    assert "This is too much at once" in page
    assert 'id="sidebar"' in page


def test_a_request_for_an_unknown_host_is_refused_in_words(client: Client) -> None:
    response = client.get("/", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert b"This request cannot be understood." in response.content


def test_a_rate_limit_is_passed_on(signed_in: Client, fake_backend: FakeBackend) -> None:
    limited = Reply(status=429, body=shapes.error("rate_limited", "Slow down."), headers={"Retry-After": "17"})
    fake_backend.answer_with("GET", "/api/me/", limited)
    response = signed_in.get("/profile/")
    assert response["Retry-After"] == "17"
    assert b"Slow down." in response.content


def test_the_request_id_goes_through_both_services(signed_in: Client, fake_backend: FakeBackend) -> None:
    response = signed_in.get("/profile/", headers={"X-Request-ID": "trace-me-0001"})
    assert response["X-Request-ID"] == "trace-me-0001"
    assert fake_backend.received[0].headers["x-request-id"] == "trace-me-0001"


@pytest.mark.parametrize("offered", ["short", "x" * 65, "with space", "new\tline-0001"])
def test_a_request_id_that_is_none_is_replaced(offered: str, client: Client) -> None:
    minted = client.get("/health/", headers={"X-Request-ID": offered})["X-Request-ID"]
    assert re.fullmatch(r"[0-9a-f-]{36}", minted)


def test_pages_are_private_and_strict(signed_in: Client) -> None:
    response = signed_in.get("/profile/")
    assert response["Cache-Control"] == "private, no-store"
    assert "HX-Request" in response["Vary"]
    policy = dict(part.split(" ", 1) for part in response["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in response["Content-Security-Policy"]
    assert re.fullmatch(r"'self' 'nonce-[^']+'", policy["script-src"])


def test_an_address_that_does_not_exist_is_a_page_in_style(signed_in: Client) -> None:
    response = signed_in.get("/nowhere/")
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_a_stranger_sees_the_bare_page_of_a_wrong_address(client: Client) -> None:
    response = client.get("/nowhere/")
    assert response.status_code == 404
    assert b'class="bare"' in response.content


def test_a_crash_is_a_page_that_needs_nothing(
    signed_in: Client, fake_backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("apps.accounts.views.profile.get_backend_client", crash)
    signed_in.raise_request_exception = False
    response = signed_in.get("/profile/")
    assert response.status_code == 500
    assert "Something broke on our side" in response.content.decode()


def test_a_missing_database_is_the_same_page(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise OperationalError("the connection is closed")

    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", fail)
    signed_in.raise_request_exception = False
    response = signed_in.get("/profile/")
    assert response.status_code == 500
    assert "Something broke on our side" in response.content.decode()


def test_an_expired_form_says_so(fake_backend: FakeBackend, db: None) -> None:
    strict = Client(enforce_csrf_checks=True)
    response = strict.post("/accounts/login/", {"login": "ada", "password": "x"})
    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()


def test_the_admin_link_leads_to_the_backend(signed_in: Client, fake_backend: FakeBackend) -> None:
    location = signed_in.get("/django-admin/")["Location"]
    assert location.endswith("/admin/")


@pytest.mark.parametrize(
    ("view", "status"), [(views.forbidden, 403), (views.too_many_requests, 429), (views.not_found, 404)]
)
def test_error_views_have_their_status(view: object, status: int, rf: object) -> None:
    assert view(rf.get("/")).status_code == status  # type: ignore[operator, attr-defined]


def test_errors_keep_their_sentence() -> None:
    assert str(BackendUnavailable("Gone.", code="x")) == "Gone."
