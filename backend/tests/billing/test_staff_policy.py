"""Staff set how far a reserve may be spent, and whether the customer may choose."""

from typing import Any

import pytest

from apps.billing.models import BillingAuditLog
from apps.billing.services.policies import PolicyChanges, PolicyView, set_policy
from apps.billing.services.profiles import BillingChanges, edit_billing
from apps.billing.types import NoReserve, Policy, PolicyFixed
from apps.common.errors import Forbidden, Invalid
from apps.common.ids import uuid7
from apps.common.tenancy import TenantId
from apps.tenants.types import Actor
from tests.factories.accounts import make_actor, make_staff
from tests.factories.billing import NOW, get_account

pytestmark = pytest.mark.django_db


def decide(tenant: TenantId, *, reason: str = "Agreed by mail", staff: Actor | None = None, **wish: Any) -> PolicyView:
    changes = PolicyChanges(**wish)
    return set_policy(actor=staff or make_staff(), tenant=tenant, changes=changes, reason=reason, now=NOW)


def choose(owner: Actor, policy: Policy, **more: Any) -> None:
    edit_billing(actor=owner, changes=BillingChanges(policy=policy, **more), now=NOW)


def test_staff_set_policy_floor_and_whether_it_is_fixed() -> None:
    tenant = make_actor().tenant
    view = decide(tenant, policy=Policy.BLOCK, floor_micros=-7, is_policy_fixed=True)
    assert view == PolicyView(policy=Policy.BLOCK, floor_micros=-7, is_policy_fixed=True)
    account = get_account(tenant)
    assert (account.policy, account.floor_micros, account.is_policy_fixed) == ("block", -7, True)


def test_the_change_is_on_record_with_its_reason() -> None:
    decide(make_actor().tenant, policy=Policy.BLOCK)
    row = BillingAuditLog.objects.get(action="reserve.policy_set")
    assert (row.before, row.after, row.reason) == ({"policy": "warn"}, {"policy": "block"}, "Agreed by mail")


def test_what_changes_nothing_leaves_no_record() -> None:
    decide(make_actor().tenant, policy=Policy.WARN)
    assert not BillingAuditLog.objects.exists()


def test_a_fixed_policy_is_not_the_owners_to_change() -> None:
    owner = make_actor()
    decide(owner.tenant, is_policy_fixed=True)
    with pytest.raises(PolicyFixed):
        choose(owner, Policy.BLOCK)
    assert get_account(owner.tenant).policy == Policy.WARN


def test_beside_a_fixed_policy_the_owner_changes_the_rest() -> None:
    owner = make_actor()
    decide(owner.tenant, is_policy_fixed=True)
    choose(owner, Policy.WARN, low_balance_threshold_micros=5)
    assert get_account(owner.tenant).low_balance_threshold_micros == 5


def test_a_policy_set_free_again_is_the_owners() -> None:
    owner = make_actor()
    decide(owner.tenant, is_policy_fixed=True)
    decide(owner.tenant, is_policy_fixed=False)
    choose(owner, Policy.BLOCK)
    assert get_account(owner.tenant).policy == Policy.BLOCK


def test_only_staff_may() -> None:
    owner = make_actor()
    with pytest.raises(Forbidden):
        decide(owner.tenant, staff=owner, policy=Policy.BLOCK)


def test_a_reason_is_needed() -> None:
    with pytest.raises(Invalid):
        decide(make_actor().tenant, reason=" ", policy=Policy.BLOCK)


@pytest.mark.parametrize("floor", [1, -(10**15) - 1])
def test_a_floor_is_no_more_than_zero_and_within_bounds(floor: int) -> None:
    with pytest.raises(Invalid):
        decide(make_actor().tenant, floor_micros=floor)


def test_a_tenant_without_a_reserve_is_unknown() -> None:
    with pytest.raises(NoReserve):
        decide(TenantId(uuid7()), policy=Policy.BLOCK)
