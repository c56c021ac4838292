"""What must hold for every session and every address: generated from the URL configuration, so that a new page cannot
slip through."""

import logging
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

from apps.accounts.models import PendingRevocation, User
from apps.shell.middleware import SESSION_ENDED
from tests.fakes import shapes
from tests.fakes.backend import FakeBackend, seed
from tests.fakes.browsing import HTMX
from tests.fakes.server import Reply

GOOD = {"login": "ada", "password": "correct horse"}
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
SAMPLES = {"uuid": shapes.ABSENT_ID, "str": "sample", "slug": "sample", "int": "1", "path": "sample"}
EVIL = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "/\t/evil.example/",
    "/\n/evil.example/",
    "\x00//evil.example/",
    "http:evil.example",
    "https://testserver@evil.example/",
    "http://testserver/worklog/",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "@evil.example",
    "/%5Cevil.example/\\",
]


def patterns(resolver: URLResolver | None = None, prefix: str = "/") -> Iterator[tuple[str, URLPattern]]:
    """Every address of this service with samples in the place of what varies, and its pattern."""
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + re.sub(r"<(?:(\w+):)?\w+>", lambda found: SAMPLES[found[1] or "str"], str(entry.pattern))
        if isinstance(entry, URLResolver):
            yield from patterns(entry, path)
        else:
            yield path, entry


ADDRESSES = sorted({path for path, _ in patterns()})


@pytest.fixture
def staff(client: Client, fake_backend: FakeBackend, db: None) -> Client:
    """A browser in which staff with a few weeks of data have signed in; sees every page that there is."""
    seed(fake_backend)
    client.post("/accounts/login/", GOOD)
    return client


def real_pages(fake: FakeBackend) -> list[str]:
    """The addresses that a crawl visits: all of them, and those of things that exist."""
    leaves = [address for address in ADDRESSES if "logout" not in address]
    things = [f"/worklog/{fake.entries[0]['id']}/", f"/reporting/{fake.reports[0]['id']}/"]
    token = f"/profile/tokens/{fake.personal_tokens[0]['id']}/revoke/"
    return [*leaves, *things, f"/jobs/{fake.jobs[0]['id']}/", token]


def body_of(answer: Any) -> str:
    raw: bytes = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return raw.decode(errors="replace")


# --- Cross-site requests


@pytest.mark.failure("A24")
def test_no_address_takes_an_unsafe_call_without_the_token(signed_in: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = signed_in.cookies
    calls = [(address, method, headers) for address in ADDRESSES for method in UNSAFE for headers in ({}, HTMX)]
    taken = [call for call in calls if strict.generic(call[1], call[0], headers=call[2]).status_code != 403]
    assert (taken, len(ADDRESSES) > 40) == ([], True)


@pytest.mark.failure("A24")
@pytest.mark.parametrize("address", ["/accounts/login/", "/profile/signup-with-passkey/", "/accounts/password/reset/"])
def test_nobody_is_signed_in_by_another_site(address: str, fake_backend: FakeBackend, db: None) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(address, GOOD).status_code == 403
    assert fake_backend.received == []


@pytest.mark.failure("A24")
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver.evil.example"])
def test_the_right_token_from_a_wrong_origin_is_refused(origin: str, fake_backend: FakeBackend, db: None) -> None:
    strict = Client(enforce_csrf_checks=True)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', strict.get("/accounts/login/").content.decode())
    assert token
    form = GOOD | {"csrfmiddlewaretoken": token[1]}
    assert strict.post("/accounts/login/", form, headers={"Origin": origin}).status_code == 403
    assert strict.post("/accounts/login/", form, headers={"Origin": "http://testserver"}).status_code == 302


@pytest.mark.failure("A24")
def test_the_cookies_stay_with_this_site(client: Client, fake_backend: FakeBackend, db: None) -> None:
    client.get("/accounts/login/")
    client.post("/accounts/login/", GOOD)
    for name in (configured.SESSION_COOKIE_NAME, configured.CSRF_COOKIE_NAME):
        assert (client.cookies[name]["samesite"], client.cookies[name]["httponly"]) == ("Lax", True)


# --- Redirects


@pytest.mark.failure("D06")
@pytest.mark.parametrize("target", EVIL)
def test_signing_in_leads_nowhere_else(target: str, fake_backend: FakeBackend, db: None) -> None:
    assert Client().post("/accounts/login/", GOOD | {"next": target})["Location"] == "/"


@pytest.mark.failure("D06")
@pytest.mark.parametrize("target", EVIL)
def test_the_second_step_leads_nowhere_else(target: str, fake_backend: FakeBackend, db: None) -> None:
    fake_backend.set_totp()
    browser = Client()
    browser.post("/accounts/login/", GOOD | {"next": target})
    assert browser.post("/accounts/second-factor/", {"code": "123456"})["Location"] == "/"


@pytest.mark.failure("D06")
@pytest.mark.parametrize("target", EVIL)
def test_a_proof_of_identity_leads_nowhere_else(target: str, signed_in: Client) -> None:
    assert signed_in.get("/accounts/reauthenticate/", {"next": target}).context["target"] == "/"
    form = {"password": "correct horse", "next": target}
    assert signed_in.post("/accounts/reauthenticate/", form)["Location"] == "/"


@pytest.mark.failure("D06")
@pytest.mark.parametrize("target", EVIL)
def test_logging_out_leads_nowhere_else(target: str, signed_in: Client) -> None:
    assert signed_in.post("/accounts/logout/", {"next": target})["Location"] == "/accounts/login/"


@pytest.mark.failure("D06")
@pytest.mark.parametrize("target", [target for target in EVIL if target.isprintable()])
def test_neither_referer_nor_htmx_s_header_lead_elsewhere(
    target: str, signed_in: Client, fake_backend: FakeBackend
) -> None:
    expected = {"http://testserver/worklog/": "/worklog/"}.get(target, "/")
    assert signed_in.post("/accounts/email/resend/", headers={"Referer": target})["Location"] == expected
    fake_backend.is_stale = True
    headers = HTMX | {"HX-Current-URL": target}
    location = signed_in.post("/profile/security/totp/begin/", headers=headers)["HX-Redirect"]
    assert location.startswith(f"/accounts/reauthenticate/?next={expected.replace('/', '%2F')}&")


# --- The backend's token


@pytest.mark.failure("A17")
def test_the_token_never_leaves_the_server(
    staff: Client, fake_backend: FakeBackend, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    token = staff.session["backend_token"]
    caplog.set_level(logging.DEBUG)
    settings.LOG_LEVEL = "DEBUG"
    for address in real_pages(fake_backend):
        for headers in ({}, HTMX):
            answer = staff.get(address, headers=headers)
            assert token not in body_of(answer), address
            assert token not in f"{answer.headers}{answer.cookies}{staff.cookies}", address
    assert token not in caplog.text


@pytest.mark.failure("A17")
def test_the_session_lives_on_the_server() -> None:
    assert configured.SESSION_ENGINE == "django.contrib.sessions.backends.db"


@pytest.mark.failure("A12")
def test_the_session_ends_with_the_token_to_the_second(client: Client, fake_backend: FakeBackend, db: None) -> None:
    granted = {"token": fake_backend.issue_token(), "user": fake_backend.users["ada"]}
    ends = "2027-01-01T12:00:00Z"
    fake_backend.answer_with("POST", "/api/auth/token/", Reply(body=granted | {"expires_at": ends}))
    client.post("/accounts/login/", GOOD)
    assert client.session.get_expiry_date() == datetime.fromisoformat(ends)


@pytest.mark.failure("A10")
def test_a_log_out_without_the_backend_revokes_when_it_is_back(signed_in: Client, fake_backend: FakeBackend) -> None:
    token = signed_in.session["backend_token"]
    fake_backend.answer_with("POST", "/api/auth/logout/", Reply(status=503), times=2)
    assert signed_in.post("/accounts/logout/")["Location"] == "/accounts/login/"
    assert token in fake_backend.tokens
    assert token not in PendingRevocation.objects.get().sealed_token
    Client().post("/accounts/login/", GOOD)
    assert token not in fake_backend.tokens


# --- Sessions that end elsewhere


@pytest.mark.failure("A11")
@pytest.mark.parametrize("address", ["/", "/worklog/", "/profile/", "/profile/security/", "/profile/tokens/"])
def test_a_session_ended_elsewhere_is_over_with_one_redirect_and_a_sentence(
    address: str, signed_in: Client, fake_backend: FakeBackend
) -> None:
    fake_backend.tokens.clear()
    response = signed_in.get(address, follow=True)
    assert [hop[0].split("?")[0] for hop in response.redirect_chain] == ["/accounts/login/"]
    assert SESSION_ENDED.encode() in response.content
    assert "_auth_user_id" not in signed_in.session


@pytest.mark.failure("A11")
def test_htmx_is_led_to_the_sign_in_page_and_never_gets_it_as_a_part(
    signed_in: Client, fake_backend: FakeBackend
) -> None:
    fake_backend.tokens.clear()
    headers = HTMX | {"HX-Current-URL": "http://testserver/worklog/?q=x"}
    response = signed_in.post("/worklog/quick-add/", {"title": "Shipped"}, headers=headers)
    assert response["HX-Redirect"] == "/accounts/login/?next=/worklog/%3Fq%3Dx"
    assert response.content == b""


@pytest.mark.failure("A11")
def test_a_form_sent_with_a_dead_token_leads_back_to_its_page(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.tokens.clear()
    headers = {"Referer": "http://testserver/profile/"}
    response = signed_in.post("/profile/", {"time_zone": "UTC"}, headers=headers)
    assert response["Location"] == "/accounts/login/?next=/profile/"


@pytest.mark.failure("A11")
def test_pages_that_are_no_answer_to_a_form_say_so_to_the_drafts(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.stop()
    assert b"data-keeps-drafts" in signed_in.post("/profile/", {"time_zone": "UTC"}).content
    assert b"data-keeps-drafts" in signed_in.get("/accounts/reauthenticate/").content
    assert b"data-keeps-drafts" in Client().get("/accounts/login/").content
    user = User.objects.get()
    assert f'data-person="{user.pk}"' in signed_in.get("/accounts/password/change/").content.decode()


@pytest.mark.failure("A25")
def test_an_account_that_is_gone_in_the_backend_is_gone_here(signed_in: Client, fake_backend: FakeBackend) -> None:
    del fake_backend.users["ada"]
    fake_backend.tokens.clear()
    assert signed_in.get("/worklog/").status_code == 302
    page = signed_in.post("/accounts/login/", GOOD).content.decode()
    assert "The username or password is not right." in page
    assert "_auth_user_id" not in signed_in.session


# --- What browsers and caches keep


@pytest.mark.failure("T20", "A16")
def test_no_page_is_kept_by_the_browser_or_on_the_way(staff: Client, fake_backend: FakeBackend) -> None:
    for address in real_pages(fake_backend):
        answer = staff.get(address)
        page = body_of(answer)
        if "<body" in page:
            assert answer["Cache-Control"] in {
                "private, no-store",
                "max-age=0, no-cache, no-store, must-revalidate, private",
            }
            assert 'class="bare"' in page or 'hx-history="false"' in page, address
            assert '"historyCacheSize":0' in page
        assert not answer.cookies or "no-store" in answer["Cache-Control"], address


def test_a_dangerous_page_for_staff_without_a_factor_leads_to_setting_one_up(
    signed_in: Client, fake_backend: FakeBackend
) -> None:
    refused = Reply(status=403, body=shapes.error("second_factor_required", "Please confirm."))
    fake_backend.answer_with("GET", "/api/me/", refused)
    page = signed_in.get("/profile/")
    assert page.status_code == 403
    assert b"This asks for a second factor" in page.content
    assert b'href="/profile/security/"' in page.content
    assert '"link_url": "/profile/security/"' in signed_in.get("/profile/", headers=HTMX)["HX-Trigger"]
