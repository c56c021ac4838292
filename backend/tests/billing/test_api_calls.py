"""Calls with personal tokens: counted in Valkey, metered by the hour, neither lost nor doubled."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from redis.exceptions import RedisError

from apps.accounts.types import TokenKind
from apps.billing.models import UsageEvent
from apps.billing.services import api_calls
from apps.billing.services.api_calls import count_call, flush_calls
from apps.billing.types import Meter, ReserveBusy
from apps.common import clock
from apps.common.rate_limits import outage
from apps.common.tenancy import TenantId, edge
from apps.workers.tasks import run_call_metering
from tests.api_client import client_for
from tests.factories.accounts import make_actor
from tests.factories.billing import NOW, get_account, make_quantity_line, make_reserve, publish_prices

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def _prices() -> Iterator[None]:
    """A thousand calls cost ten cents. No count outlives its test."""
    publish_prices(make_quantity_line(Meter.API_CALLS, price=100_000, unit_size=1000))
    yield
    outage.forget()
    valkey = api_calls._connect(settings.REDIS_URL)
    for name in valkey.scan_iter(match=f"{settings.USAGE_COUNT_PREFIX}:*"):
        valkey.delete(name)


def call(tenant: TenantId, times: int = 1) -> None:
    for _ in range(times):
        count_call(tenant=tenant, now=NOW)


def metered() -> dict[TenantId, int]:
    rows = UsageEvent.objects.filter(meter=Meter.API_CALLS).values_list("tenant_id", "quantity")
    return {TenantId(tenant): quantity for tenant, quantity in rows}


def test_the_calls_of_an_hour_become_one_event_for_each_tenant() -> None:
    one, other = make_reserve(funds=1000), make_reserve(funds=1000)
    call(one, 3)
    call(other)
    assert flush_calls(now=LATER) == 2
    assert metered() == {one: 3, other: 1}
    assert get_account(one).balance_micros == 700
    event = UsageEvent.objects.get(tenant_id=one)
    assert (event.idempotency_key, event.occurred_at) == (
        "api.calls:2026-03-14T09",
        NOW.replace(minute=0, second=0, microsecond=0),
    )


def test_an_hour_that_is_not_over_waits() -> None:
    tenant = make_reserve()
    call(tenant)
    assert flush_calls(now=NOW.replace(minute=59)) == 0
    assert flush_calls(now=LATER.replace(minute=4, second=59)) == 0
    assert flush_calls(now=LATER.replace(minute=5)) == 1


@pytest.mark.failure("M36")
def test_a_flush_that_is_repeated_neither_loses_nor_doubles() -> None:
    tenant = make_reserve(funds=1000)
    call(tenant, 3)
    assert [flush_calls(now=LATER) for _ in range(2)] == [1, 0]
    assert metered() == {tenant: 3}


@pytest.mark.failure("M36")
def test_a_flush_that_died_before_it_forgot_the_count_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = make_reserve(funds=1000)
    call(tenant, 3)

    def die(*_: object) -> None:
        raise RedisError

    with monkeypatch.context() as patch:
        patch.setattr(type(api_calls._connect(settings.REDIS_URL)), "hdel", die)
        with pytest.raises(RedisError):
            flush_calls(now=LATER)
    assert flush_calls(now=LATER) == 1
    assert metered() == {tenant: 3}
    assert get_account(tenant).balance_micros == 700


def test_calls_of_an_hour_that_was_metered_are_not_metered_again() -> None:
    tenant = make_reserve(funds=1000)
    call(tenant)
    flush_calls(now=LATER)
    call(tenant, 2)
    assert flush_calls(now=LATER) == 1
    assert metered() == {tenant: 1}


def test_a_busy_reserve_keeps_its_count(monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = make_reserve(funds=1000)
    call(tenant)

    def refuse(**_: object) -> None:
        raise ReserveBusy

    with monkeypatch.context() as patch:
        patch.setattr(api_calls, "record_use", refuse)
        assert flush_calls(now=LATER) == 0
    assert flush_calls(now=LATER) == 1
    assert metered() == {tenant: 1}


def test_a_valkey_that_is_away_costs_nobody_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = make_reserve()
    asked = []

    def fail(*_: object, **__: object) -> None:
        asked.append(1)
        raise RedisError

    with monkeypatch.context() as patch:
        patch.setattr(type(api_calls._connect(settings.REDIS_URL)), "pipeline", fail)
        call(tenant, 3)
    assert asked == [1]
    outage.forget()
    assert flush_calls(now=LATER) == 0


def counts() -> int:
    valkey = api_calls._connect(settings.REDIS_URL)
    names = list(valkey.scan_iter(match=f"{settings.USAGE_COUNT_PREFIX}:calls:*"))
    return sum(int(count) for name in names for count in valkey.hvals(name))


@pytest.mark.parametrize(("kind", "counted"), [(TokenKind.PERSONAL, 1), (TokenKind.SESSION, 0)])
def test_a_call_with_a_personal_token_counts_and_one_of_a_session_does_not(kind: TokenKind, counted: int) -> None:
    assert client_for(make_actor(), kind=kind).get("/api/status/bar/").status_code == 200
    assert counts() == counted


def test_a_call_that_is_not_let_in_does_not_count() -> None:
    assert client_for(make_actor(), kind=TokenKind.PERSONAL).get("/api/billing/admin/usage/costs/").status_code == 403
    assert counts() == 0


def test_the_duty_reads_the_clock() -> None:
    tenant = make_reserve()
    count_call(tenant=tenant, now=clock.now() - timedelta(hours=3))
    with edge():
        assert (run_call_metering(), run_call_metering()) == (1, 0)
    assert metered() == {tenant: 1}
