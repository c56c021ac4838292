"""Every address of the API: closed unless it is on the list, never cached, and safe to repeat."""

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from rest_framework.views import APIView

from tests.api_client import anonymous, client_for
from tests.factories.accounts import make_actor

pytestmark = pytest.mark.django_db

SOME_ID: Final = UUID("019ab0ef-0000-7000-8000-000000000000")
METHODS: Final = ("get", "post", "put", "patch", "delete")
OPEN: Final = {
    ("get", "healthz"),
    ("get", "readyz"),
    ("get", "dutyz"),
    ("get", "schema"),
    ("get", "docs"),
    ("get", "erasure-certificate"),
    ("post", "auth-token"),
    ("post", "auth-token-factor"),
    ("post", "auth-signup"),
    ("post", "auth-login"),
    ("post", "password-reset"),
    ("post", "password-reset-confirm"),
    ("post", "email-verify"),
}
# Not a view of REST framework, whose parsers would change the bytes that are signed; its own tests say who gets in.
PLAIN: Final = {"billing-webhook"}
# Unsafe calls that take no idempotency key: repeating them does no more than the first did, or saves nothing.
REPEATABLE: Final = {
    ("post", "auth-token"),
    # Each use of a challenge is an attempt, which must be kept when the call is refused.
    ("post", "auth-token-factor"),
    ("post", "keys"),
    ("post", "key-options"),
    ("patch", "key"),
    ("delete", "key"),
    ("post", "totp"),
    ("delete", "totp"),
    ("post", "totp-confirm"),
    ("post", "recovery-codes"),
    ("post", "auth-signup"),
    ("post", "auth-login"),
    ("post", "auth-logout"),
    ("post", "auth-logout-all"),
    ("post", "password-change"),
    ("post", "password-reset"),
    ("post", "password-reset-confirm"),
    ("post", "reauthenticate"),
    ("post", "email-verify"),
    ("post", "email-verify-resend"),
    ("post", "email-change"),
    ("delete", "email-change"),
    ("delete", "session"),
    ("delete", "token"),
    ("patch", "me"),
    ("post", "job-estimate"),
    # Each asks how things stand.
    ("post", "billing-topup-confirm"),
    ("post", "worklog-parse"),
}


def list_patterns() -> Iterator[URLPattern]:
    stack: list[Any] = [
        pattern
        for pattern in get_resolver().url_patterns
        if isinstance(pattern, URLResolver) and str(pattern.pattern) == "api/"
    ]
    while stack:
        pattern = stack.pop()
        if isinstance(pattern, URLResolver):
            stack.extend(pattern.url_patterns)
        elif pattern.name not in PLAIN:
            yield pattern


def list_endpoints() -> list[tuple[str, str]]:
    """(method, name of the address) of everything that the API answers to."""
    return sorted(
        (method, str(pattern.name))
        for pattern in list_patterns()
        for method in METHODS
        if hasattr(get_view(pattern), method)
    )


def get_view(pattern: URLPattern) -> type[APIView]:
    # REST framework's as_view() leaves the class on the function.
    callback: Any = pattern.callback
    view: type[APIView] = callback.cls
    return view


def build_address(name: str) -> str:
    pattern = next(pattern for pattern in list_patterns() if pattern.name == name)
    return reverse(name, kwargs=dict.fromkeys(pattern.pattern.converters, SOME_ID))


def test_every_address_has_a_name_of_its_own() -> None:
    names = [pattern.name for pattern in list_patterns()]
    assert None not in names
    assert len(set(names)) == len(names)
    assert len(names) > 20


@pytest.mark.parametrize(("method", "name"), [pair for pair in list_endpoints() if pair not in OPEN])
def test_what_is_not_on_the_list_is_closed_to_strangers(method: str, name: str) -> None:
    response = getattr(anonymous(), method)(build_address(name))
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


def test_the_list_of_open_addresses_names_nothing_that_is_gone() -> None:
    assert set(list_endpoints()) >= OPEN | REPEATABLE


@pytest.mark.parametrize("name", sorted({name for _, name in list_endpoints()} - {"readyz"}))
def test_no_answer_may_be_kept_by_anybody(name: str) -> None:
    response = client_for(make_actor()).get(build_address(name))
    assert response["Cache-Control"] == "private, no-store"
    assert len(response["X-Request-ID"]) == 36
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
    assert "camera=()" in response["Permissions-Policy"]
    assert response["Referrer-Policy"] == "same-origin"


def takes_key(method: str, name: str) -> bool:
    view = next(get_view(pattern) for pattern in list_patterns() if pattern.name == name)
    return getattr(getattr(view, method), "is_idempotent", False)


def test_every_unsafe_call_takes_an_idempotency_key_or_is_on_the_list() -> None:
    without = {(method, name) for method, name in list_endpoints() if method != "get" and not takes_key(method, name)}
    assert without - REPEATABLE == set()


@pytest.mark.parametrize("name", sorted({name for _, name in list_endpoints() if "-" in name or name == "me"}))
def test_a_method_that_an_address_does_not_know_is_refused(name: str) -> None:
    response = client_for(make_actor()).put(build_address(name), {})
    assert (response.status_code, response.json()["code"]) in {(405, "method_not_allowed"), (403, "forbidden")}
