import time

import pytest

from apps.backend import transport as transport_module
from apps.backend.errors import (
    BackendError,
    BackendUnavailable,
    Conflict,
    Forbidden,
    Invalid,
    NotAuthenticated,
    NotFound,
    PaymentRequired,
    RateLimited,
)
from apps.backend.transport import Call, Caller, Transport
from tests.fakes import shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.server import Reply

PATH = "/api/thing/"
CUT = Reply(cut=True)


def get(transport: Transport, **over: object) -> object:
    return transport.send(Call(**{"method": "GET", "path": PATH, **over}), headers={})  # type: ignore[arg-type]


def test_sends_token_request_id_and_idempotency_key(fake: FakeBackend, transport: Transport) -> None:
    fake.answer_with("POST", PATH, Reply(body={"ok": 1}))
    caller = Caller(transport=transport, token="ar_secret", request_id="request-0001")
    caller.send(Call(method="POST", path=PATH, payload={"a": 1}, idempotency_key="key-1"))
    sent = fake.received[0]
    assert sent.headers["authorization"] == "Token ar_secret"
    assert (sent.headers["x-request-id"], sent.headers["idempotency-key"]) == ("request-0001", "key-1")
    assert sent.body == {"a": 1}


def test_without_a_token_says_nothing_about_one(fake: FakeBackend, transport: Transport) -> None:
    fake.answer_with("GET", PATH, Reply(body={}))
    Caller(transport=transport).send(Call(method="GET", path=PATH))
    assert {"authorization", "x-request-id"}.isdisjoint(fake.received[0].headers)


def test_query_leaves_out_what_is_not_asked_for(fake: FakeBackend, transport: Transport) -> None:
    fake.answer_with("GET", PATH, Reply(body={}))
    get(transport, query={"q": "", "cursor": None, "lacks": True, "final": False, "size": 5})
    assert fake.received[0].query == {"lacks": "true", "final": "false", "size": "5"}


def test_an_answer_without_a_body_is_none(fake: FakeBackend, transport: Transport) -> None:
    fake.answer_with("GET", PATH, Reply(status=204))
    assert get(transport) is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Invalid),
        (401, NotAuthenticated),
        (402, PaymentRequired),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (413, Invalid),
        (429, RateLimited),
        (503, BackendUnavailable),
    ],
)
def test_a_refusal_is_its_own_kind_of_error(
    status: int, kind: type[BackendError], fake: FakeBackend, transport: Transport
) -> None:
    fake.answer_with("GET", PATH, Reply(status=status, body=shapes.error("some_code", "A sentence.")))
    with pytest.raises(kind) as caught:
        get(transport)
    error = caught.value
    assert (error.message, error.code, error.request_id) == ("A sentence.", "some_code", "req-of-the-fake")


def test_invalid_input_names_its_fields(fake: FakeBackend, transport: Transport) -> None:
    body = shapes.error("invalid", "Please check.", {"title": ["Too long.", "Too loud."], "day": "Never was."})
    fake.answer_with("GET", PATH, Reply(status=400, body=body))
    with pytest.raises(Invalid) as caught:
        get(transport)
    assert caught.value.fields == {"title": ("Too long.", "Too loud."), "day": ("Never was.",)}


@pytest.mark.parametrize(("header", "seconds"), [({"Retry-After": "7"}, 7), ({}, 30), ({"Retry-After": "soon"}, 30)])
def test_a_rate_limit_says_how_long(
    header: dict[str, str], seconds: int, fake: FakeBackend, transport: Transport
) -> None:
    fake.answer_with("GET", PATH, Reply(status=429, headers=header))
    with pytest.raises(RateLimited) as caught:
        get(transport)
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("status", [404, 502])
def test_an_error_page_of_something_else_is_a_missing_backend(
    status: int, fake: FakeBackend, transport: Transport
) -> None:
    fake.answer_with("GET", PATH, Reply(status=status, body=b"<h1>nginx</h1>"))
    with pytest.raises(BackendUnavailable):
        get(transport)


def test_fields_of_another_shape_are_no_fields(fake: FakeBackend, transport: Transport) -> None:
    fake.answer_with("GET", PATH, Reply(status=400, body={"error": "No.", "code": "invalid", "fields": ["title"]}))
    with pytest.raises(Invalid) as caught:
        get(transport)
    assert caught.value.fields == {}


def test_an_answer_that_is_no_json_is_a_missing_backend(fake: FakeBackend, transport: Transport) -> None:
    fake.answer_with("GET", PATH, Reply(body=b"{"))
    with pytest.raises(BackendUnavailable) as caught:
        get(transport)
    assert caught.value.code == "no_json"


def test_a_redirect_is_not_followed_with_the_token(fake: FakeBackend, transport: Transport) -> None:
    fake.answer_with("GET", PATH, Reply(status=302, headers={"Location": "/api/elsewhere/"}))
    with pytest.raises(BackendUnavailable):
        get(transport)
    assert len(fake.received) == 1


def test_nobody_listening_is_a_missing_backend(fake: FakeBackend, transport: Transport) -> None:
    fake.stop()
    with pytest.raises(BackendUnavailable) as caught:
        get(transport)
    assert caught.value.code == "unreachable"


def test_a_lost_connection_is_tried_again_when_nothing_can_happen_twice(
    fake: FakeBackend, transport: Transport
) -> None:
    fake.answer_with("GET", PATH, CUT, times=2)
    fake.answer_with("GET", PATH, Reply(body={"ok": True}))
    assert get(transport) == {"ok": True}
    assert len(fake.received) == 3


def test_a_keyed_write_is_tried_again_with_the_same_key(fake: FakeBackend, transport: Transport) -> None:
    fake.answer_with("POST", PATH, CUT, times=1)
    fake.answer_with("POST", PATH, Reply(status=201, body={"id": 1}))
    assert get(transport, method="POST", idempotency_key="once") == {"id": 1}
    assert [call.headers["idempotency-key"] for call in fake.received] == ["once", "once"]


def test_a_write_without_a_key_is_never_sent_twice(fake: FakeBackend, transport: Transport) -> None:
    fake.answer_with("POST", PATH, CUT, times=1)
    with pytest.raises(BackendUnavailable):
        get(transport, method="POST")
    assert len(fake.received) == 1


def test_an_error_of_the_backend_is_not_tried_again(fake: FakeBackend, transport: Transport) -> None:
    fake.answer_with("GET", PATH, Reply(status=503, body=shapes.error("unavailable", "Later.")))
    with pytest.raises(BackendUnavailable):
        get(transport)
    assert len(fake.received) == 1


def test_a_silent_backend_ends_at_the_deadline(fake: FakeBackend, transport: Transport) -> None:
    fake.answer_with("GET", PATH, Reply(body={}, delay=6))
    began = time.monotonic()
    with pytest.raises(BackendUnavailable) as caught:
        get(transport, deadline=0.2)
    assert time.monotonic() - began < 4
    assert caught.value.code == "deadline"


def test_a_dripping_answer_ends_at_the_deadline(fake: FakeBackend, transport: Transport) -> None:
    fake.answer_with("GET", PATH, Reply(body={"long": "x" * 80}, drip=0.1))
    began = time.monotonic()
    with pytest.raises(BackendUnavailable):
        get(transport, deadline=0.3)
    assert time.monotonic() - began < 4


def test_an_answer_too_large_is_not_swallowed(
    fake: FakeBackend, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport_module, "MAX_ANSWER_BYTES", 10)
    fake.answer_with("GET", PATH, Reply(body={"long": "x" * 40}))
    with pytest.raises(BackendUnavailable) as caught:
        get(transport)
    assert caught.value.code == "answer_too_large"


def test_one_connection_serves_calls_in_a_row(fake: FakeBackend, transport: Transport) -> None:
    fake.answer_with("GET", PATH, Reply(body={}))
    get(transport)
    get(transport)
    assert len(transport._client._transport._pool.connections) == 1  # type: ignore[attr-defined]
