"""Balance, ledger, usage and the status bar over HTTP."""

from datetime import timedelta
from typing import Any

import pytest

from apps.billing.models import ReserveAccount
from apps.billing.types import TokenUsage
from apps.common import clock
from apps.tenants.types import Actor
from tests.api_client import Client, anonymous, client_for
from tests.factories.accounts import make_actor
from tests.factories.billing import fund, make_hold, publish_prices, settle

pytestmark = pytest.mark.django_db

BAR = "/api/status/bar/"
BALANCE = "/api/billing/reserve/balance/"
LEDGER = "/api/billing/reserve/ledger/"
USAGE = "/api/billing/usage/"
PROFILE = "/api/billing/profile/"


@pytest.fixture
def actor() -> Actor:
    return make_actor()


@pytest.fixture
def client(actor: Actor) -> Client:
    """A client whose token was touched a moment ago, as in any series of requests."""
    client = client_for(actor)
    client.get(BALANCE)
    return client


@pytest.fixture
def spent(actor: Actor) -> Actor:
    """The actor after a promotion of $4.20 and one call of 370 tokens, with another under way."""
    publish_prices()
    fund(actor.tenant, 4_200_000)
    settle(make_hold(actor.tenant, 1000), TokenUsage(input=300, cached_input=40, output=30), now=clock.now())
    make_hold(actor.tenant, 630)
    return actor


@pytest.mark.parametrize("address", [BAR, BALANCE, LEDGER, USAGE, PROFILE])
def test_nobody_reads_money_without_a_token(address: str) -> None:
    assert anonymous().get(address).status_code == 401


def test_the_status_bar(spent: Actor, client: Client) -> None:
    answer = client.get(BAR).json()
    assert answer.pop("updated_at").endswith("Z")
    assert answer == {
        "reserve_balance_cents": 419,
        "reserve_balance_dollars": "4.19",
        "reserve_balance_micros": 4_199_630,
        "available_micros": 4_199_000,
        "is_low_balance": False,
        "level": "green",
        "is_stopped": False,
        "notice": "",
        "tokens_in": 340,
        "tokens_out": 30,
        "jobs_running": 0,
    }


def test_the_status_bar_takes_three_queries_beside_the_token(
    spent: Actor, client: Client, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(4):
        client.get(BAR)


def test_the_status_bar_counts_this_month_only(actor: Actor, client: Client) -> None:
    publish_prices()
    fund(actor.tenant, 1_000)
    before = clock.month_start_in("UTC", now=clock.now()) - timedelta(seconds=1)
    settle(make_hold(actor.tenant, 100), 10, now=before)
    assert client.get(BAR).json()["tokens_in"] == 0


def test_a_debt_is_rounded_down_to_cents(actor: Actor, client: Client) -> None:
    publish_prices()
    ReserveAccount.objects.filter(tenant_id=actor.tenant).update(floor_micros=-1_000_000)
    settle(make_hold(actor.tenant, 100), 1)
    answer = client.get(BALANCE).json()
    assert (answer["balance_micros"], answer["balance_cents"], answer["balance_dollars"]) == (-1, -1, "-0.01")


def test_the_balance(spent: Actor, client: Client) -> None:
    assert client.get(BALANCE).json() == {
        "balance_cents": 419,
        "balance_dollars": "4.19",
        "balance_micros": 4_199_630,
        "available_micros": 4_199_000,
        "held_micros": 630,
        "currency": "USD",
        "is_low_balance": False,
        "low_balance_threshold_micros": 1_000_000,
        "level": "green",
        "policy": "warn",
    }


def test_the_ledger_explains_each_debit(spent: Actor, client: Client) -> None:
    debit, credit = client.get(LEDGER).json()["results"]
    assert debit["lines"] == [
        {
            "text": "300 input tokens x $1.00/1M + 40 cached input x $1.00/1M + 30 output x $1.00/1M = $0.00037",
            "model": "plain-model",
            "rate_card": "Free v1",
        }
    ]
    assert (debit["kind"], debit["amount_micros"], debit["amount_dollars"]) == ("usage", -370, "-0.00037")
    assert (debit["balance_after_micros"], debit["job_id"] is not None) == (4_199_630, True)
    assert (credit["kind_label"], credit["amount_dollars"], credit["job_id"]) == ("Promotional credit", "4.20", None)
    assert (credit["seq"], credit["lines"], credit["description"]) == (1, [], "Welcome")


def test_a_page_of_the_ledger_takes_two_queries_beside_the_token(
    spent: Actor, client: Client, django_assert_num_queries: Any
) -> None:
    for _ in range(5):
        settle(make_hold(spent.tenant, 100), 1)
    with django_assert_num_queries(3):
        client.get(LEDGER)


def test_the_ledger_pages_by_cursor(spent: Actor, client: Client) -> None:
    first = client.get(LEDGER, {"page_size": 1}).json()
    second = client.get(first["next"]).json()
    assert [row["seq"] for row in first["results"] + second["results"]] == [2, 1]
    assert second["next"] is None


def test_the_ledger_filters_by_kind(spent: Actor, client: Client) -> None:
    results = client.get(LEDGER, {"kind": "promo_credit"}).json()["results"]
    assert [row["kind"] for row in results] == ["promo_credit"]


@pytest.mark.parametrize(
    ("time_zone", "day", "day_before"),
    [
        ("UTC", "2026-03-14", "2026-03-13"),
        ("Pacific/Kiritimati", "2026-03-14", "2026-03-13"),
        ("Pacific/Honolulu", "2026-03-13", "2026-03-12"),
    ],
)
def test_the_ledger_filters_by_inclusive_days_of_the_person(time_zone: str, day: str, day_before: str) -> None:
    actor = make_actor(time_zone=time_zone)
    fund(actor.tenant, 10)  # at 09:26 UTC on 14 March 2026
    client = client_for(actor)
    assert len(client.get(LEDGER, {"from": day, "to": day}).json()["results"]) == 1
    assert client.get(LEDGER, {"to": day_before}).json()["results"] == []


@pytest.mark.parametrize("query", [{"kind": "gift"}, {"from": "yesterday"}, {"to": "2026-02-30"}])
def test_a_filter_that_makes_no_sense_is_refused(client: Client, query: dict[str, str]) -> None:
    answer = client.get(LEDGER, query)
    assert (answer.status_code, answer.json()["code"], list(answer.json()["fields"])) == (400, "invalid", list(query))


def test_the_last_day_of_the_calendar_is_a_day(spent: Actor, client: Client) -> None:
    assert len(client.get(LEDGER, {"to": "9999-12-31"}).json()["results"]) == 2


def test_the_usage_says_what_each_call_cost_and_why(spent: Actor, client: Client) -> None:
    [event] = client.get(USAGE).json()["results"]
    assert event["tokens"] == {"input": 300, "cached_input": 40, "cache_write": 0, "output": 30, "reasoning": 0}
    assert (event["cost_micros"], event["rate_card"], event["meter"]) == (370, "Free v1", "llm.tokens")
    assert event["explanation"].endswith("= $0.00037")
    assert {"id", "occurred_at", "model", "quantity", "job_id", "call_id"} <= set(event)


def test_a_page_of_usage_takes_one_query_beside_the_token(
    spent: Actor, client: Client, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(2):
        client.get(USAGE)


@pytest.mark.parametrize("address", [LEDGER, USAGE])
def test_another_tenants_rows_are_not_shown(spent: Actor, address: str) -> None:
    assert client_for(make_actor()).get(address).json()["results"] == []


def test_the_profile(spent: Actor, client: Client) -> None:
    assert client.get(PROFILE).json() == {
        "plan": "free",
        "low_balance_threshold_micros": 1_000_000,
        "policy": "warn",
        "is_policy_fixed": False,
        "floor_micros": -5_000_000,
        "billing_email": "",
        "billing_name": "",
        "billing_address": "",
        "tax_id": "",
        "stripe_customer_id": None,
        "rate_card": "Free v1",
        "subscription": None,
        "payments": {"is_set_up": False, "min_cents": 500, "max_cents": 50_000},
        "saved_card": None,
        "auto_topup": {
            "is_on": False,
            "threshold_micros": 5_000_000,
            "amount_micros": 20_000_000,
            "monthly_cap_micros": 100_000_000,
            "spent_this_month_micros": 0,
            "state": "idle",
            "last_decline_code": "",
            "cooling_until": None,
        },
        "runway": {"days": 340_510, "daily_micros": 12},
        "debt_micros": 0,
        "is_stopped": False,
    }
