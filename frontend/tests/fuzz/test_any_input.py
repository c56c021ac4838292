"""Every address of the frontend with any query and any form: no page breaks, and nothing typed comes back as markup."""

import os
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote_from_bytes

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tests.fakes.backend import FakeBackend, seed

pytestmark = [pytest.mark.django_db, pytest.mark.failure("D15")]

EXAMPLES: Final = int(os.environ.get("FUZZ_EXAMPLES", "2"))
# Breaks out of a text, of an attribute in either quote, and of a script.
MARKUP: Final = "\"'><zq onload=zq></script><zq>"
# What forms and lists of ours are named, so that the input gets past the first look.
NAMES: Final = (
    *("q", "cursor", "page", "from", "to", "employer", "project", "tag", "tags", "status", "state", "kind", "ordering"),
    *(
        "next",
        "action",
        "actor",
        "origin",
        "target_kind",
        "format",
        "ids",
        "entry_ids",
        "line",
        "title",
        "body",
        "hours",
    ),
    *("impact", "occurred_on", "visibility", "version", "period", "period_from", "period_to", "login", "password"),
    *("username", "email", "passkey", "code", "credential", "challenge", "current_password", "new_password", "name"),
    *("scopes", "expires_in_days", "reason", "minutes", "role", "note", "bound_email", "expires_at", "confirm"),
    *("time_zone", "display_name", "policy", "low_balance_threshold", "billing_email", "promo_credit", "key"),
)
# On the wire there are bytes: among them some that are no text, NUL, control characters, and more than any field takes.
VALUES: Final = st.one_of(
    st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.binary(max_size=20),
    st.sampled_from((b"\x00", b"\xed\xa0\x80", b"\x1b[2J", b"9" * 400, b"x" * 30_000, b"-1", b"2026-02-30", b"null")),
    st.sampled_from(("https://evil.example/", "//evil.example", "javascript:zq()", "/worklog/?q=")).map(str.encode),
    st.just(MARKUP.encode()),
)
FIELDS: Final = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=12)
IDS: Final = {"uuid": "019ab0ef-0000-7000-8000-000000000000", "slug": "a-slug", "str": "some%22%3E%3Czq%3E", "int": "1"}
# A query of ours is short; servers refuse longer ones before Django sees them.
MAX_QUERY: Final = 4000


def list_addresses(patterns: Any = None, prefix: str = "/") -> Iterator[str]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + re.sub(r"<(\w+):\w+>", lambda match: IDS[match[1]], str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from list_addresses(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield path


# Lead to the backend's address and to the payment provider's, which the settings name.
LEADS_OUT: Final = ("/django-admin/", "/billing/portal/", "/billing/plan/")
ADDRESSES: Final = tuple(list_addresses())


def encode(fields: list[tuple[str, bytes]]) -> str:
    return "&".join(f"{name}={quote_from_bytes(value)}" for name, value in fields)


class Visitor:
    """Somebody of staff, who signs in again whenever a form has signed them out."""

    def __init__(self, client: Client, fake: FakeBackend) -> None:
        self.client, self.fake = client, fake
        seed(fake)
        fake.add_user("sam", "correct horse", is_staff=True)

    def is_inside(self) -> bool:
        return self.client.session.get("backend_token") is not None and bool(self.fake.tokens)

    def ensure_inside(self) -> None:
        if not self.is_inside():
            self.fake.passwords["sam"] = "correct horse"
            self.client.post("/accounts/login/", {"login": "sam", "password": "correct horse"})

    def get(self, address: str, query: str) -> Any:
        self.ensure_inside()
        return self.client.get(f"{address}?{query[:MAX_QUERY]}")

    def post(self, address: str, body: str, *, is_partial: bool) -> Any:
        self.ensure_inside()
        headers = {"HX-Request": "true"} if is_partial else {}
        form = "application/x-www-form-urlencoded"
        return self.client.post(address, body, content_type=form, headers=headers)


@pytest.fixture
def visitor(client: Client, fake_backend: FakeBackend) -> Visitor:
    return Visitor(client, fake_backend)


def check(address: str, answer: Any) -> None:
    assert answer.status_code < 500 or answer.status_code == 503, f"{address}: {answer.status_code}"
    if answer.headers.get("Content-Type", "").startswith("text/html") and not answer.streaming:
        assert "<zq" not in answer.content.decode(), address
    if address in LEADS_OUT:
        return
    target = answer.headers.get("Location", "") + answer.headers.get("HX-Redirect", "")
    assert not re.match(r"\s*(//|[a-z]+:)", target, re.IGNORECASE), f"{address} leads to {target}"


bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    # One example is hundreds of requests: to look for a smaller one would take minutes.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@given(fields=FIELDS)
@example(fields=[(name, MARKUP.encode()) for name in NAMES])
@example(fields=[(name, b"\x00\xed\xa0\x80") for name in NAMES])
@bounded
def test_no_query_breaks_a_page(visitor: Visitor, fields: list[tuple[str, bytes]]) -> None:
    for address in ADDRESSES:
        check(address, visitor.get(address, encode(fields)))


@given(fields=FIELDS, is_partial=st.booleans())
@example(fields=[(name, MARKUP.encode()) for name in NAMES], is_partial=False)
@example(fields=[(name, b"\x00\xed\xa0\x80") for name in NAMES], is_partial=False)
@bounded
def test_no_form_breaks_a_page(visitor: Visitor, fields: list[tuple[str, bytes]], is_partial: bool) -> None:
    for address in ADDRESSES:
        check(address, visitor.post(address, encode(fields), is_partial=is_partial))


def test_the_visitor_is_inside_and_the_addresses_are_all_there(visitor: Visitor) -> None:
    assert len(ADDRESSES) > 80
    assert visitor.get("/worklog/", "").status_code == 200
    assert visitor.get("/admin-panel/users/", "").status_code == 200
