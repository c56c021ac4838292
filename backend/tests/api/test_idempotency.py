"""Idempotency keys, on a real call: making an invite passkey."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, transaction
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from apps.api.idempotency import _wait_for_turn, idempotent
from apps.api.models import StoredAnswer
from apps.common.scopes import SystemScope, bind_system, bind_tenant, edge
from apps.invitations.models import InvitePasskey
from apps.tenants.models import Profile, Tenant
from tests.api_client import Client, client_for, with_key
from tests.factories.accounts import make_actor, make_staff

LIST = "/api/admin/passkeys/"


def call(client: Client, key: str, **body: Any) -> Any:
    return client.post(LIST, body, **with_key(key))


@pytest.mark.django_db
def test_a_replay_returns_the_first_answer_and_has_no_effect() -> None:
    client = client_for(make_staff())
    first, replay = call(client, "k", note="a"), call(client, "k", note="a")
    assert "Idempotent-Replayed" not in first
    assert (replay.status_code, replay["Idempotent-Replayed"]) == (201, "true")
    assert replay.json()["id"] == first.json()["id"]
    assert InvitePasskey.objects.count() == 1


@pytest.mark.django_db
def test_the_order_of_the_bodys_members_makes_no_other_request() -> None:
    client = client_for(make_staff())
    call(client, "k", note="a", promo_credit_cents=1)
    assert call(client, "k", promo_credit_cents=1, note="a").status_code == 201


@pytest.mark.django_db
def test_the_same_key_with_another_body_or_address_is_a_conflict() -> None:
    client = client_for(make_staff())
    made = call(client, "k", note="a").json()
    other_body = call(client, "k", note="b")
    other_address = client.post(f"{LIST}{made['id']}/revoke/", **with_key("k"))
    for response in (other_body, other_address):
        assert (response.status_code, response.json()["code"]) == (409, "idempotency_mismatch")


@pytest.mark.django_db
def test_the_key_of_one_person_says_nothing_to_another() -> None:
    first, second = call(client_for(make_staff()), "k"), call(client_for(make_staff()), "k")
    assert first.json()["id"] != second.json()["id"]


@pytest.mark.django_db
def test_a_refused_call_leaves_the_key_free() -> None:
    client = client_for(make_staff())
    assert call(client, "k", promo_credit_cents=-1).status_code == 400
    assert call(client, "k", promo_credit_cents=1).status_code == 201


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["x" * 201, "tab\tkey"])
def test_a_key_of_another_form_is_refused(key: str) -> None:
    response = call(client_for(make_staff()), key)
    assert (response.status_code, list(response.json()["fields"])) == (400, ["Idempotency-Key"])


@pytest.mark.django_db
def test_without_a_key_every_call_counts() -> None:
    client = client_for(make_staff())
    for _ in range(2):
        client.post(LIST, {"note": "a"})
    assert InvitePasskey.objects.count() == 2


@pytest.mark.django_db
def test_a_key_costs_three_queries_more(django_assert_max_num_queries: Any) -> None:
    client = client_for(make_staff())
    with django_assert_max_num_queries(20) as without:
        client.post(LIST, {"note": "a"})
    with django_assert_max_num_queries(20) as with_one:
        call(client, "k", note="b")
    # Turn, look-up and stored answer; and a transaction of its own around them, which a test case makes a savepoint.
    assert len(with_one) - len(without) == 5


class Odd(APIView):
    """Answers as asked, after an effect in the database."""

    @idempotent(is_required=True)
    def post(self, request: Request) -> Response | HttpResponse:
        body: Any = request.data
        Tenant.objects.create(name="effect", created_at="2026-01-01T00:00:00Z")
        if body["kind"] == "refusal":
            return Response({"code": "no"}, status=409)
        return Response(status=204) if body["kind"] == "empty" else HttpResponse("plain")


def ask_odd(kind: str, **headers: str) -> Any:
    actor = make_actor()
    request = APIRequestFactory().post("/api/odd/", {"kind": kind}, headers=headers)
    request.session = SessionStore()
    force_authenticate(request, user=Profile.objects.select_related("user").get(user_id=actor.user_id).user)
    with edge():
        # As authentication and the permission for staff would.
        bind_tenant(actor.tenant)
        bind_system(SystemScope.STAFF)
        return Odd.as_view()(request)


@pytest.mark.django_db
def test_a_call_that_needs_a_key_is_refused_without_one() -> None:
    response = ask_odd("empty")
    assert (response.status_code, list(response.data["fields"])) == (400, ["Idempotency-Key"])


@pytest.mark.django_db
def test_a_refusal_that_was_returned_is_undone_as_well() -> None:
    assert ask_odd("refusal", **{"Idempotency-Key": "k"}).status_code == 409
    assert not Tenant.objects.filter(name="effect").exists()
    assert not StoredAnswer.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "status"), [("empty", 204), ("plain", 200)])
def test_an_answer_without_content_is_stored_as_such(kind: str, status: int) -> None:
    ask_odd(kind, **{"Idempotency-Key": "k"})
    stored = StoredAnswer.objects.get()
    assert (stored.status, stored.body, str(stored)) == (status, "", f"{status} for k")


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_eight_calls_at_once_one_takes_effect_and_all_get_its_answer() -> None:
    staff, barrier = make_staff(), Barrier(8)
    clients = [client_for(staff) for _ in range(8)]

    def contend(client: Client) -> tuple[int, str]:
        try:
            barrier.wait(timeout=20)
            response = call(client, "k", note="race")
            return response.status_code, response.json()["id"]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(contend, clients))
    assert len(answers) == 1
    assert InvitePasskey.objects.count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_repeat_that_waits_too_long_is_told_to_come_again() -> None:
    staff = make_staff()
    client = client_for(staff)

    def repeat() -> Any:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '200ms'")
            return call(client, "k")
        finally:
            connection.close()

    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        # The first call, which is still at work in its transaction.
        _wait_for_turn(staff, "k")
        response = pool.submit(repeat).result(timeout=20)
    assert response.status_code == 503
    assert response.json()["code"] == "unavailable"
