"""Which address of a person the backend is told, and how."""

import hashlib
import hmac

import pytest
from django.test import Client, RequestFactory
from pytest_django import Settings

from apps.accounts.adapter import AccountAdapter
from apps.backend.visitor import Visitor
from apps.shell.visitors import client_address
from tests.fakes.backend import FakeBackend

SECRET = "only-for-tests-shared-by-both-services-0123456789"


@pytest.mark.failure("A03")
@pytest.mark.parametrize(
    ("count", "header", "address"),
    [
        (0, "203.0.113.5", "10.0.0.9"),
        (1, "203.0.113.5", "203.0.113.5"),
        (1, "198.51.100.1, 203.0.113.5", "203.0.113.5"),
        (2, "198.51.100.1, 203.0.113.5, 10.1.1.1", "203.0.113.5"),
        (1, "::ffff:203.0.113.5", "203.0.113.5"),
        (1, "2001:DB8::1", "2001:db8::1"),
        (2, "203.0.113.5", "10.0.0.9"),
        (1, "", "10.0.0.9"),
        (1, "nonsense", "10.0.0.9"),
        (1, "fe80::1%eth0", "10.0.0.9"),
    ],
)
def test_only_proxies_of_ours_are_believed(count: int, header: str, address: str, settings: Settings) -> None:
    settings.TRUSTED_PROXY_COUNT = count
    request = RequestFactory().get("/", headers={"X-Forwarded-For": header}, REMOTE_ADDR="10.0.0.9")
    assert client_address(request) == address
    assert AccountAdapter(request).get_client_ip(request) == address


def test_an_address_that_nobody_can_tell_is_no_crash() -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="")
    assert AccountAdapter(request).get_client_ip(request) == "unknown"


def test_the_signature_is_the_one_that_the_backend_expects() -> None:
    # The backend's tests hold the same example.
    visitor = Visitor(address="203.0.113.5", user_agent="Firefox", secret=SECRET)
    headers = visitor.headers(request_id="request-0001", minute=29_000_000)
    message = b"29000000\nrequest-0001\n203.0.113.5\nFirefox"
    assert headers == {
        "X-Client-Address": "203.0.113.5",
        "X-Client-User-Agent": "Firefox",
        "X-Client-Signature": "29000000." + hmac.new(SECRET.encode(), message, hashlib.sha256).hexdigest(),
    }


def test_a_browsers_name_for_itself_becomes_plain_and_short() -> None:
    visitor = Visitor(address="203.0.113.5", user_agent=" Fire\nfox \N{SNOWMAN}" + "x" * 500, secret=SECRET)
    told = visitor.headers(request_id="request-0001", minute=1)["X-Client-User-Agent"]
    assert told.startswith("Firefox x")
    assert len(told) < 401


@pytest.mark.parametrize(("secret", "address", "request_id"), [("", "1.1.1.1", "r"), ("s", "", "r"), ("s", "1", "")])
def test_what_nobody_would_believe_is_not_said(secret: str, address: str, request_id: str) -> None:
    assert Visitor(address=address, secret=secret).headers(request_id=request_id, minute=1) == {}


@pytest.mark.failure("A04")
def test_every_call_of_a_request_names_the_person(fake_backend: FakeBackend, db: None, settings: Settings) -> None:
    settings.INTERNAL_API_SECRET = SECRET
    settings.TRUSTED_PROXY_COUNT = 1
    headers = {"X-Forwarded-For": "203.0.113.5", "User-Agent": "Firefox"}
    Client(headers=headers).post("/accounts/login/", {"login": "ada", "password": "correct horse"})
    told = {
        (call.headers.get("x-client-address"), call.headers.get("x-client-user-agent"))
        for call in fake_backend.received
    }
    assert told == {("203.0.113.5", "Firefox")}
    assert all(call.headers["x-client-signature"] for call in fake_backend.received)


def test_the_secret_shows_in_no_description_of_the_visitor() -> None:
    assert SECRET not in repr(Visitor(address="203.0.113.5", secret=SECRET))
