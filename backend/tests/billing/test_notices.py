"""Owners are told once that their reserve runs out, and again only after it had recovered."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from threading import Barrier

import pytest
from django.db import connection, transaction

from apps.billing.models import ReserveAccount
from apps.billing.services.notices import _WATCHED, find_notice, list_to_tell, tell_notice
from apps.billing.types import Policy, ReserveNotice
from apps.common.tenancy import TenantId
from apps.mail.models import OutgoingMail
from apps.tenants.services.people import edit_profile
from apps.tenants.types import Actor
from tests.factories.accounts import make_actor
from tests.factories.billing import NOW, claw_back, fund, get_account, make_hold, publish_prices, settle

pytestmark = pytest.mark.django_db


def make_owner(*, policy: Policy = Policy.WARN) -> Actor:
    """The owner of a reserve of 10 dollars that is low below one and may go down to five below zero."""
    owner = make_actor()
    ReserveAccount.objects.filter(tenant_id=owner.tenant).update(policy=policy, low_balance_threshold_micros=1_000_000)
    publish_prices()
    fund(owner.tenant, 10_000_000)
    return owner


def spend_down_to(tenant: TenantId, micros: int) -> None:
    amount = get_account(tenant).balance_micros - micros
    settle(make_hold(tenant, amount), amount)


def watch(*tenants: TenantId) -> list[str]:
    """What a round of the watch tells, from mild to severe."""
    return [level.value for tenant in list_to_tell(limit=10) if (level := tell_notice(tenant=tenant, now=NOW))]


def list_mails() -> Sequence[str]:
    return [*OutgoingMail.objects.filter(kind__startswith="reserve_").order_by("id").values_list("kind", flat=True)]


def test_each_level_is_told_once_on_the_way_down() -> None:
    owner = make_owner()
    told = []
    for micros in (2_000_000, 900_000, 800_000, 0, -1_000_000, -5_000_000, -5_000_000):
        if get_account(owner.tenant).balance_micros != micros:
            spend_down_to(owner.tenant, micros)
        told += watch() + watch()
    assert told == ["low", "empty", "stopped"]
    assert list_mails() == ["reserve_low", "reserve_empty", "reserve_stopped"]


def test_a_reserve_that_recovered_is_told_about_anew() -> None:
    owner = make_owner()
    spend_down_to(owner.tenant, 500_000)
    assert watch() == ["low"]
    fund(owner.tenant, 10_000_000)
    assert watch() == []
    spend_down_to(owner.tenant, 500_000)
    assert watch() == ["low"]


def test_a_little_money_is_no_recovery() -> None:
    owner = make_owner()
    spend_down_to(owner.tenant, 0)
    assert watch() == ["empty"]
    fund(owner.tenant, 500_000)
    assert watch() == []
    spend_down_to(owner.tenant, 0)
    assert watch() == []


def test_a_clawback_is_told_as_what_it_is() -> None:
    owner = make_owner()
    claw_back(owner.tenant, 15_000_000)
    assert watch() == ["stopped"]
    mail = OutgoingMail.objects.get(kind="reserve_stopped")
    assert (mail.context["balance"], mail.context["is_clawback"]) == ("-$5.00", True)


def test_who_does_not_want_such_mails_is_told_only_that_work_has_stopped() -> None:
    owner = make_owner()
    edit_profile(actor=owner, notifications={"low_balance": False}, now=NOW)
    spend_down_to(owner.tenant, 500_000)
    spend_down_to(owner.tenant, 0)
    watch()
    assert list_mails() == []
    spend_down_to(owner.tenant, -5_000_000)
    assert watch() == ["stopped"]
    assert list_mails() == ["reserve_stopped"]


def test_a_reserve_that_never_held_anything_has_not_run_out() -> None:
    assert find_notice(account=get_account(make_actor().tenant)) is ReserveNotice.NONE
    assert watch() == []


def test_what_is_only_held_is_not_used_up() -> None:
    owner = make_owner(policy=Policy.BLOCK)
    make_hold(owner.tenant, 10_000_000)
    assert watch() == []


BALANCES = (-6_000_000, -5_000_000, -4_999_999, -1, 0, 1, 999_999, 1_000_000)


@pytest.mark.parametrize("policy", Policy)
def test_the_watch_finds_exactly_those_who_are_to_be_told(policy: Policy) -> None:
    owner = make_owner(policy=policy)
    for micros, told, is_stopped in product(BALANCES, ReserveNotice, [False, True]):
        account = ReserveAccount(
            balance_micros=micros,
            policy=policy,
            floor_micros=-5_000_000,
            last_seq=1,
            is_stopped=is_stopped and micros < 0,
        )
        account.low_balance_threshold_micros = 1_000_000
        level = find_notice(account=account)
        order = list(ReserveNotice)
        is_due = order.index(level) > order.index(told) or (level == "" and told != "")
        assert is_listed(owner.tenant, account, told) == is_due, (micros, told, is_stopped)


def is_listed(tenant: TenantId, account: ReserveAccount, told: ReserveNotice) -> bool:
    """Whether the watch would find the tenant's reserve if it stood like this."""
    with transaction.atomic():
        ReserveAccount.objects.filter(tenant_id=tenant).update(
            balance_micros=account.balance_micros, is_stopped=account.is_stopped, told_level=told
        )
        found = tenant in list_to_tell(limit=10)
        # The books would not let this stand until the end of a transaction.
        transaction.set_rollback(True)
    return found


def test_the_watch_reads_only_the_reserves_that_may_have_to_be_told() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    found = ReserveAccount.objects.filter(_WATCHED, last_seq__gt=0)
    assert "billing_account_watched" in found.explain()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_eight_watches_at_once_tell_once() -> None:
    owner = make_owner()
    spend_down_to(owner.tenant, 500_000)
    barrier = Barrier(8)

    def run(_: int) -> ReserveNotice | None:
        try:
            barrier.wait(timeout=20)
            return tell_notice(tenant=owner.tenant, now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(filter(None, pool.map(run, range(8)))) == ["low"]
    assert list_mails() == ["reserve_low"]
