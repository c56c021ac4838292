"""Failures as answers: one shape, the right status, and nothing logged as a crash that was expected."""

import logging
from typing import Any

import psycopg
import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.test import Client, RequestFactory
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from apps.api.errors import describe, flatten_fields, server_error
from apps.common import errors
from apps.observability.context import bind_request, clear_request
from tests.api_client import anonymous, client_for
from tests.factories.accounts import make_actor


class OutOfCoffee(errors.Conflict):
    code = "out_of_coffee"
    message = "There is no coffee."


def answer_to(error: Exception) -> Response:
    class Failing(APIView):
        authentication_classes = ()
        permission_classes = ()

        def get(self, request: Request) -> Response:
            raise error

    response = Failing.as_view()(APIRequestFactory().get("/api/x/"))
    assert isinstance(response, Response)
    return response


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.Invalid(), 400, "invalid"),
        (errors.PaymentRequired(), 402, "payment_required"),
        (errors.Forbidden(), 403, "forbidden"),
        (errors.NotFound(), 404, "not_found"),
        (OutOfCoffee(), 409, "out_of_coffee"),
        (errors.RateLimited(retry_after=7), 429, "rate_limited"),
        (errors.Unavailable(), 503, "unavailable"),
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.PermissionDenied(), 403, "forbidden"),
        (PermissionDenied(), 403, "forbidden"),
        (exceptions.NotFound(), 404, "not_found"),
        (Http404(), 404, "not_found"),
        (exceptions.MethodNotAllowed("GET"), 405, "method_not_allowed"),
        (exceptions.NotAcceptable(), 406, "not_acceptable"),
        (RequestDataTooBig(), 413, "too_large"),
        (exceptions.UnsupportedMediaType("text/csv"), 415, "unsupported_media_type"),
        (exceptions.ParseError(), 400, "invalid"),
        (exceptions.Throttled(wait=3), 429, "rate_limited"),
        (OperationalError("canceling statement due to lock timeout"), 503, "unavailable"),
        (InterfaceError("connection already closed"), 503, "unavailable"),
    ],
)
def test_every_expected_failure_has_its_status_and_code(error: Exception, status: int, code: str) -> None:
    response = answer_to(error)
    assert (response.status_code, response.data["code"]) == (status, code)
    assert set(response.data) == {"error", "code", "fields", "request_id"}
    assert response.data["error"]


@pytest.mark.parametrize("error", [errors.RateLimited(retry_after=7), exceptions.Throttled(wait=7)])
def test_who_comes_too_often_is_told_when_to_come_back(error: Exception) -> None:
    assert answer_to(error)["Retry-After"] == "7"


def test_a_failure_carries_the_request_id() -> None:
    bind_request(request_id="trace-123", address=None)
    try:
        assert answer_to(errors.NotFound()).data["request_id"] == "trace-123"
    finally:
        clear_request()


def test_a_domain_error_speaks_in_its_own_words_and_fields() -> None:
    problem = describe(errors.Invalid("No.", fields={"day": ["Too early."]}))
    assert problem is not None
    assert (problem.error, problem.fields) == ("No.", {"day": ["Too early."]})


def test_messages_of_a_serializer_become_dotted_names() -> None:
    class Line(serializers.Serializer[Any]):
        price = serializers.IntegerField()
        tags = serializers.ListField(child=serializers.CharField(max_length=2))

    class Order(serializers.Serializer[Any]):
        lines = Line(many=True)

    order = Order(data={"lines": [{"price": 1, "tags": []}, {"price": "x", "tags": ["ok", "long"]}]})
    assert not order.is_valid()
    assert set(flatten_fields(order.errors)) == {"lines.1.price", "lines.1.tags.1"}


@pytest.mark.parametrize(
    "detail", [["Both or neither."], {"non_field_errors": ["Both or neither."]}, "Both or neither."]
)
def test_what_concerns_no_field_is_the_sentence_itself(detail: Any) -> None:
    response = answer_to(exceptions.ValidationError(detail))
    assert (response.data["error"], response.data["fields"]) == ("Both or neither.", {})


def test_messages_of_a_list_carry_their_place() -> None:
    assert flatten_fields([{}, {"day": ["Too early."]}]) == {"1.day": ["Too early."]}


def test_a_crash_outside_the_api_is_a_page() -> None:
    response = server_error(RequestFactory().get("/admin/"))
    assert (response.status_code, response["Content-Type"].split(";")[0]) == (500, "text/html")


def test_an_unexpected_failure_is_left_to_django() -> None:
    with pytest.raises(psycopg.DataError):
        answer_to(psycopg.DataError())


@pytest.mark.parametrize("error", [errors.Invalid(), errors.Unavailable(), OperationalError("lost")])
@pytest.mark.django_db
def test_an_expected_failure_is_not_logged_as_an_error(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_for(make_actor())
    fail(monkeypatch, error)
    with caplog.at_level("DEBUG"):
        client.get("/api/me/")
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.django_db
def test_a_crash_is_logged_once_and_answered_with_its_request_id(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_for(make_actor())
    client.raise_request_exception = False
    fail(monkeypatch, RuntimeError("secret of the house"))
    response = client.get("/api/me/", headers={"X-Request-ID": "trace-123"})
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert (response.json()["request_id"], response["X-Request-ID"]) == ("trace-123", "trace-123")
    assert b"secret" not in response.content
    crashes = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(crashes) == 1
    assert "secret of the house" in crashes[0].getMessage() + str(crashes[0].exc_info)


def fail(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def failing(**_: Any) -> None:
        raise error

    monkeypatch.setattr("apps.api.accounts.views.billing.get_billing_profile", failing)


def test_an_address_that_leads_nowhere_answers_in_json_under_api_alone() -> None:
    assert anonymous().get("/api/nowhere/").json()["code"] == "not_found"
    assert anonymous().get("/nowhere/")["Content-Type"].startswith("text/html")


def test_a_call_without_the_last_slash_is_refused_rather_than_led_on_without_its_body() -> None:
    response = anonymous().post("/api/auth/token", {})
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert "end with a slash" in response.json()["error"]


@pytest.mark.parametrize("address", ["/api/healthz", "/admin"])
def test_a_look_without_the_last_slash_is_led_on(address: str) -> None:
    assert anonymous().get(address)["Location"] == f"{address}/"


@pytest.mark.parametrize(("address", "kind"), [("/api/auth/token", "application/json"), ("/nowhere", "text/html")])
def test_an_unknown_host_is_refused_in_json_under_api_alone(address: str, kind: str) -> None:
    response = anonymous().get(address, headers={"Host": "evil.example"})
    assert (response.status_code, response["Content-Type"].split(";")[0]) == (400, kind)


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"username": NaN}', b"[" * 100_000 + b"]" * 100_000])
def test_a_body_that_is_no_json_is_refused(body: bytes) -> None:
    response = Client().post("/api/auth/token/", body, content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (400, "invalid")


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"7"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    response = Client().post("/api/auth/token/", body, content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (400, "invalid")


@pytest.mark.failure("D16")
def test_a_body_above_the_limit_is_too_large() -> None:
    body = b'{"username": "' + b"x" * (1024 * 1024) + b'"}'
    response = Client().post("/api/auth/token/", body, content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (413, "too_large")
