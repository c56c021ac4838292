"""Reading money, and what a customer may set."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from apps.billing import selectors
from apps.billing.models import BillingAuditLog, BillingProfile, ReserveAccount
from apps.billing.services.accounts import open_account
from apps.billing.services.profiles import BillingChanges, edit_billing
from apps.billing.types import EntryKind, Level, NoReserve, PlanTier, Policy, TokenUsage
from apps.common.errors import Forbidden, Invalid
from apps.common.ids import uuid7
from apps.common.tenancy import TenantId
from apps.tenants.types import Role
from tests.billing.raw import run
from tests.factories.accounts import make_actor
from tests.factories.billing import LEASE, NOW, fund, make_hold, make_reserve, publish_prices, settle

pytestmark = pytest.mark.django_db


def test_a_new_reserve_is_empty_and_has_the_configured_policy(settings: Any) -> None:
    settings.RESERVE_DEFAULT_POLICY, settings.RESERVE_DEFAULT_FLOOR_MICROS = "limited", -7
    tenant = make_actor().tenant
    balance = selectors.get_balance(tenant=tenant)
    assert (balance.balance_micros, balance.policy, balance.currency) == (0, Policy.LIMITED, "USD")
    assert ReserveAccount.objects.get(tenant_id=tenant).floor_micros == -7
    assert selectors.get_billing_profile(tenant=tenant).plan == PlanTier.FREE


def test_an_account_is_opened_once() -> None:
    tenant = make_reserve(funds=5)
    open_account(tenant=tenant, now=NOW)
    assert selectors.get_balance(tenant=tenant).balance_micros == 5
    assert BillingProfile.objects.filter(tenant_id=tenant).count() == 1


@pytest.mark.parametrize(
    ("funds", "level", "is_low"),
    [(0, Level.RED, True), (1, Level.YELLOW, True), (99, Level.YELLOW, True), (100, Level.GREEN, False)],
)
def test_the_level_follows_what_is_available(funds: int, level: Level, is_low: bool) -> None:
    tenant = make_reserve(funds=funds)
    ReserveAccount.objects.filter(tenant_id=tenant).update(low_balance_threshold_micros=100)
    balance = selectors.get_balance(tenant=tenant)
    assert (balance.level, balance.is_low) == (level, is_low)


def test_held_money_counts_as_gone_for_the_level() -> None:
    publish_prices()
    tenant = make_reserve(funds=100)
    make_hold(tenant, 100)
    assert selectors.get_balance(tenant=tenant).level == Level.RED


@pytest.mark.parametrize("read", [selectors.get_balance, selectors.get_spendable, selectors.get_billing_profile])
def test_a_tenant_without_a_reserve_is_told_so(read: Callable[..., Any]) -> None:
    with pytest.raises(NoReserve):
        read(tenant=TenantId(uuid7()))


def test_tokens_are_summed_since_an_instant_for_one_tenant() -> None:
    publish_prices()
    tenant, stranger = make_reserve(funds=10_000), make_reserve(funds=10_000)
    settle(make_hold(tenant, 500), TokenUsage(1, 2, 4, 8, 16), now=NOW)
    settle(make_hold(tenant, 500), TokenUsage(input=100), now=NOW - timedelta(seconds=1))
    settle(make_hold(stranger, 500), TokenUsage(input=100), now=NOW)
    assert selectors.sum_tokens(tenant=tenant, since=NOW) == (7, 24)
    assert selectors.sum_tokens(tenant=tenant, since=NOW + timedelta(seconds=1)) == (0, 0)


def test_a_job_costs_the_sum_of_its_calls() -> None:
    publish_prices()
    tenant, job = make_reserve(funds=1000), uuid7()
    for tokens in (10, 20):
        settle(make_hold(tenant, 100, job_id=job), tokens)
    settle(make_hold(tenant, 100), 40)
    assert selectors.get_job_cost(tenant=tenant, job_id=job) == 30
    assert selectors.get_job_cost(tenant=tenant, job_id=uuid7()) == 0


def test_a_calls_hold_is_found_by_its_tenant_only() -> None:
    publish_prices()
    hold = make_hold(make_reserve(funds=100), 10)
    assert selectors.find_hold_for_call(tenant=hold.tenant, call_id=hold.call_id) == hold
    assert selectors.find_hold_for_call(tenant=make_reserve(), call_id=hold.call_id) is None


def test_overdue_holds_are_the_open_ones_past_their_lease() -> None:
    publish_prices()
    tenant = make_reserve(funds=1000)
    first = make_hold(tenant, 10, now=NOW - timedelta(seconds=2))
    second = make_hold(tenant, 10, now=NOW - timedelta(seconds=1))
    settle(make_hold(tenant, 10, now=NOW - timedelta(hours=1)), 5)
    make_hold(tenant, 10, now=NOW + timedelta(seconds=1))
    assert selectors.list_overdue_holds(now=NOW + LEASE, limit=10) == [first, second]
    assert selectors.list_overdue_holds(now=NOW + LEASE, limit=1) == [first]


def test_the_ledger_reads_newest_first_and_narrows() -> None:
    publish_prices()
    tenant = make_reserve(funds=100)
    fund(tenant, 50)
    settle(make_hold(tenant, 10), 5)
    fund(make_reserve(), 1)
    assert [entry.seq for entry in selectors.list_ledger(tenant=tenant)] == [3, 2, 1]
    assert [entry.seq for entry in selectors.list_ledger(tenant=tenant, kind=EntryKind.PROMO_CREDIT)] == [2, 1]
    assert not selectors.list_ledger(tenant=tenant, since=NOW + timedelta(seconds=1)).exists()
    assert not selectors.list_ledger(tenant=tenant, before=NOW).exists()


def test_an_owner_changes_settings_with_an_audit_row() -> None:
    actor = make_actor()
    changes = BillingChanges(low_balance_threshold_micros=7, policy=Policy.BLOCK, billing_email="a@example.org")
    edit_billing(actor=actor, changes=changes, now=NOW)
    balance = selectors.get_balance(tenant=actor.tenant)
    assert (balance.low_balance_threshold_micros, balance.policy) == (7, Policy.BLOCK)
    assert selectors.get_billing_profile(tenant=actor.tenant).billing_email == "a@example.org"
    audit = BillingAuditLog.objects.get(tenant_id=actor.tenant)
    assert audit.before == {"low_balance_threshold_micros": 1_000_000, "policy": "warn", "billing_email": ""}
    assert audit.after == {"low_balance_threshold_micros": 7, "policy": "block", "billing_email": "a@example.org"}


def test_changing_nothing_leaves_no_audit_row() -> None:
    actor = make_actor()
    edit_billing(actor=actor, changes=BillingChanges(policy=Policy.WARN), now=NOW)
    assert not BillingAuditLog.objects.exists()


def test_a_member_cannot_change_billing() -> None:
    owner = make_actor()
    member = make_actor(tenant=owner.tenant, role=Role.MEMBER)
    with pytest.raises(Forbidden):
        edit_billing(actor=member, changes=BillingChanges(policy=Policy.BLOCK), now=NOW)


def test_a_threshold_below_zero_is_invalid() -> None:
    with pytest.raises(Invalid):
        edit_billing(actor=make_actor(), changes=BillingChanges(low_balance_threshold_micros=-1), now=NOW)


def test_the_tokens_of_a_month_are_read_from_the_index_alone(django_assert_num_queries: Any) -> None:
    tenant = make_reserve()
    connection.check_constraints()
    with django_assert_num_queries(1) as queries:
        selectors.sum_tokens(tenant=tenant, since=NOW)
    # On an empty table every index looks alike to the planner, so the others step aside.
    run("SET LOCAL enable_seqscan = off")
    run("SET LOCAL enable_bitmapscan = off")
    run("ALTER TABLE billing_usageevent DROP CONSTRAINT billing_event_key, DROP CONSTRAINT billing_event_call")
    run("DROP INDEX billing_event_job")
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {queries[0]['sql']}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Index Only Scan using billing_event_month" in plan
