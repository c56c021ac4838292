"""What comes with a request beside its content: nothing of it breaks an answer, and every refusal is JSON."""

import json
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from apps.accounts.services.tokens import issue_token
from apps.common import clock
from tests.factories.accounts import make_actor

pytestmark = [pytest.mark.django_db, pytest.mark.failure("D15")]

HEADERS: Final = (
    *("Authorization", "Idempotency-Key", "X-Request-ID", "X-Forwarded-For", "X-Support-Grant", "Accept", "User-Agent"),
    *(
        "X-Client-Address",
        "X-Client-User-Agent",
        "X-Client-Signature",
        "X-Forwarded-Proto",
        "Accept-Language",
        "Cookie",
    ),
    *("Origin", "Referer", "X-CSRFToken", "Range", "If-None-Match", "Content-Encoding", "X-HTTP-Method-Override"),
)
# WSGI hands over the bytes of a header as Latin-1; a server lets no line end through.
LATIN: Final = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\x00"), max_size=300)
TEMPTING: Final = st.sampled_from(
    (
        *("Token", "Token ", "Token  x", "token é", "Bearer x", "Basic ÿ", "Token " + "x" * 250),
        *("::1", "::ffff:1.2.3.4", "fe80::1%eth0", "1.2.3.4, ", "300.1.1.1", ",,,", "2001:db8::/32", "0", "\x85"),
        *("*/*;q=x", "text/html", "application/json;", ";;", "a/b/c", "application/json; indent=99999999999"),
        *("9" * 30 + ".x", "0.", "-1." + "f" * 64, "²." + "f" * 64, "019ab0ef-0000-7000-8000-000000000000"),
        *("gzip", "bytes=0-", "DELETE", "csrftoken=x; ar_backend_session=y", "sessionid=\xff"),
    )
)
SENT: Final = st.dictionaries(st.sampled_from(HEADERS), LATIN | TEMPTING, max_size=5)
TYPES: Final = st.sampled_from(
    (
        *(
            "application/json",
            "application/json; charset=utf-16",
            "application/json; charset=nonsense",
            "",
            ";",
            "a/b/c",
        ),
        *("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=é", "text/plain"),
        *("application/x-www-form-urlencoded", "application/json; charset=\xff", "application/merge-patch+json", "/"),
    )
)
BODIES: Final = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        (b"[" * 100_000, b'{"title":' * 50_000, b"\xef\xbb\xbf{}", b'{"title":"\\ud800"}', b"NaN", b"1" * 5_000)
    ),
    st.sampled_from((b'{"title":1e999}', b'{"title":"x","title":"y"}', b"null", b"[]", b'"x"', b"-0", b"{}}")),
)
bounded = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture(autouse=True)
def _behind_a_proxy(settings: Any) -> None:
    """So that the headers of proxies and of the frontend are read at all."""
    settings.INTERNAL_API_SECRET, settings.TRUSTED_PROXY_COUNT = "s" * 40, 1


@pytest.fixture
def key() -> str:
    return issue_token(user_id=make_actor().user_id, name="test", now=clock.now()).key


def check(answer: Any) -> None:
    assert answer.status_code < 500
    assert len(answer["X-Request-ID"]) <= 64
    if answer.status_code >= 400:
        assert set(json.loads(answer.content)) >= {"error", "code", "fields", "request_id"}


@pytest.mark.parametrize(
    ("method", "path"), [("get", "/api/worklogs/"), ("post", "/api/tags/"), ("get", "/api/healthz/")]
)
@bounded
@given(headers=SENT)
@example(headers={"X-Forwarded-For": "1.2.3.4%é", "X-Client-Address": "x", "X-Client-Signature": "²." + "f" * 64})
def test_no_header_breaks_an_answer(key: str, method: str, path: str, headers: dict[str, str]) -> None:
    sent = {"Authorization": f"Token {key}", **headers}
    check(getattr(APIClient(), method)(path, {"name": "tests"} if method == "post" else None, headers=sent))


@pytest.mark.parametrize("path", ["/api/tags/", "/api/auth/token/", "/api/worklogs/"])
@bounded
@given(body=BODIES, kind=TYPES)
@example(body=b"[" * 100_000, kind="application/json")
def test_no_body_breaks_an_answer(key: str, path: str, body: bytes, kind: str) -> None:
    client = APIClient(headers={"Authorization": f"Token {key}"})
    sent: Any = body
    check(client.generic("POST", path, sent, content_type=kind))


@bounded
@given(
    zone=st.text(max_size=70)
    | st.sampled_from(("../etc/passwd", "/Europe/Zurich", "Europe", "localtime", "UTC\x00", "."))
)
def test_a_time_zone_is_one_or_is_refused(key: str, zone: str) -> None:
    body = json.dumps({"time_zone": zone})
    client = APIClient(headers={"Authorization": f"Token {key}"})
    answer = client.generic("PATCH", "/api/me/", body, content_type="application/json")
    assert answer.status_code in {200, 400}
    assert client.get("/api/status/bar/").status_code == 200


@pytest.mark.parametrize("path", ["/api/worklogs/", "/api/tenant/audit/", "/api/billing/reserve/ledger/", "/api/jobs/"])
@bounded
@given(cursor=st.text(max_size=80) | st.binary(max_size=60).map(lambda raw: raw.hex()))
@example(cursor="W10:x")
def test_no_cursor_but_our_own_is_taken(key: str, path: str, cursor: str) -> None:
    client = APIClient(headers={"Authorization": f"Token {key}"})
    sendable = cursor.encode(errors="replace").decode()
    answer = client.get(path, {"cursor": sendable})
    assert answer.status_code == (400 if sendable else 200)
