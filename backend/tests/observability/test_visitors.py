"""The address that limits, audit rows and tokens know a person by."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from apps.common import clock
from apps.observability.context import current_address, current_user_agent
from apps.observability.middleware import RequestIdMiddleware
from apps.observability.visitors import read_address, sign

SECRET = "only-for-tests-shared-by-both-services-0123456789"
PROXY = "10.0.0.9"
REQUEST_ID = "request-0001"


def seen(headers: Mapping[str, str], *, peer: str = PROXY) -> tuple[str | None, str]:
    """What a view would see of a request with these headers."""
    found: list[tuple[str | None, str]] = []

    def view(request: object) -> dict[str, str]:
        found.append((current_address(), current_user_agent()))
        return {}

    request = RequestFactory().get("/", headers={"X-Request-ID": REQUEST_ID, **headers}, REMOTE_ADDR=peer)
    RequestIdMiddleware(view)(request)  # type: ignore[arg-type]
    return found[0]


def vouch(address: str = "198.51.100.7", user_agent: str = "Firefox", **over: object) -> dict[str, str]:
    terms = {"secret": SECRET, "minute": int(clock.now().timestamp()) // 60, "request_id": REQUEST_ID} | over
    signature = sign(address=address, user_agent=user_agent, **terms)  # type: ignore[arg-type]
    return {
        "X-Client-Address": address,
        "X-Client-User-Agent": user_agent,
        "X-Client-Signature": signature,
        "User-Agent": "python-httpx",
    }


@pytest.fixture(autouse=True)
def _secret(settings: Settings) -> None:
    settings.INTERNAL_API_SECRET = SECRET


@pytest.mark.failure("A03")
def test_without_a_proxy_of_ours_nobody_says_where_they_come_from() -> None:
    assert seen({"X-Forwarded-For": "198.51.100.7"})[0] == PROXY


@pytest.mark.failure("A03")
@pytest.mark.parametrize(
    ("count", "header", "address"),
    [
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "203.0.113.66, 198.51.100.7", "198.51.100.7"),
        (1, "203.0.113.66,198.51.100.7 ", "198.51.100.7"),
        (2, "203.0.113.66, 198.51.100.7, 10.0.0.1", "198.51.100.7"),
        (1, "2001:DB8::0:7", "2001:db8::7"),
        (1, "::ffff:198.51.100.7", "198.51.100.7"),
    ],
)
def test_behind_proxies_the_entry_of_the_outermost_counts(
    count: int, header: str, address: str, settings: Settings
) -> None:
    settings.TRUSTED_PROXY_COUNT = count
    assert seen({"X-Forwarded-For": header})[0] == address


@pytest.mark.failure("A03")
@pytest.mark.parametrize(
    ("count", "header"),
    [
        (1, ""),
        (1, "nonsense"),
        (1, "198.51.100.7,"),
        (2, "198.51.100.7"),
        (1, "198.51.100.7:80"),
        (1, "fe80::1%eth0"),
        (1, "'; DROP TABLE--"),
        (1, "1" * 5000),
    ],
)
def test_a_header_that_makes_no_sense_leaves_the_connections_own_address(
    count: int, header: str, settings: Settings
) -> None:
    settings.TRUSTED_PROXY_COUNT = count
    assert seen({"X-Forwarded-For": header})[0] == PROXY


def test_a_connection_without_an_address_has_none() -> None:
    assert seen({}, peer="")[0] is None


@pytest.mark.failure("A04")
def test_the_frontend_names_the_person_it_calls_for() -> None:
    assert seen(vouch()) == ("198.51.100.7", "Firefox")


@pytest.mark.failure("A03")
@pytest.mark.parametrize(
    "headers",
    [
        {"X-Client-Address": "198.51.100.7"},
        vouch() | {"X-Client-Address": "198.51.100.8"},
        vouch() | {"X-Client-User-Agent": "Chrome"},
        vouch() | {"X-Request-ID": "request-0002"},
        vouch() | {"X-Client-Signature": "1.1"},
        vouch() | {"X-Client-Signature": "x"},
        vouch() | {"X-Client-Signature": "²." + "0" * 64},
        vouch(secret="another-secret-of-somebody-else-9876543210"),
        vouch(address="nowhere"),
    ],
)
def test_a_claim_without_a_good_signature_is_not_believed(
    headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    assert seen(headers)[0] == PROXY
    assert "client_address_not_believed" in caplog.text


@pytest.mark.failure("A03")
@pytest.mark.parametrize("minutes", [-3, 3])
def test_an_old_or_a_future_signature_is_not_believed(minutes: int) -> None:
    minute = int((clock.now() + timedelta(minutes=minutes)).timestamp()) // 60
    assert seen(vouch(minute=minute))[0] == PROXY


def test_the_signature_is_the_one_that_the_frontend_makes() -> None:
    # The frontend's tests hold the same example.
    message = b"29000000\nrequest-0001\n203.0.113.5\nFirefox"
    terms = {"request_id": "request-0001", "address": "203.0.113.5", "user_agent": "Firefox"}
    expected = "29000000." + hmac.new(SECRET.encode(), message, hashlib.sha256).hexdigest()
    assert sign(secret=SECRET, minute=29_000_000, **terms) == expected


def test_without_a_secret_nobody_is_believed(settings: Settings) -> None:
    settings.INTERNAL_API_SECRET = ""
    assert seen(vouch(secret=""))[0] == PROXY


def test_what_is_no_address_is_none() -> None:
    assert [read_address(text) for text in (None, "", " ", "300.1.1.1", "unix:")] == [None] * 5
