"""Who runs a tenant and who is in it, while several hands change it at once: real threads, real PostgreSQL."""

from typing import Any

import pytest
from django.db import transaction

from apps.billing import selectors as billing
from apps.common import clock
from apps.common.errors import Forbidden
from apps.common.tenancy import TenantId
from apps.llm.models import LLMCall
from apps.orchestration.members import change_role, remove_member, transfer_ownership
from apps.orchestration.models import Job
from apps.orchestration.services.steps import execute_run
from apps.tenants.models import Profile, SupportAccess
from apps.tenants.selectors import get_member
from apps.tenants.services.support import open_grant, revoke_grant, use_grant
from apps.tenants.types import Actor, GrantScope, Role, SupportGrantInvalid
from tests.factories.accounts import make_actor, make_staff
from tests.factories.orchestration import begin_report, make_writer, run_of, work
from tests.races.test_steps import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def make_pair() -> tuple[Actor, Actor]:
    first = make_actor()
    return first, make_actor(tenant=first.tenant, role=Role.OWNER)


def owners(actor: Actor) -> int:
    return Profile.objects.filter(tenant_id=actor.tenant, role=Role.OWNER).count()


def step_down(actor: Actor) -> None:
    change_role(actor=actor, user_id=actor.user_id, role=Role.MEMBER, now=clock.now())


@pytest.mark.failure("T17")
def test_of_two_owners_who_step_down_at_once_one_is_refused() -> None:
    pair = make_pair()
    results = at_once(*[lambda actor=actor: step_down(actor) for actor in pair])
    assert sorted(type(result).__name__ for result in results) == ["LastOwner", "NoneType"]
    assert owners(pair[0]) == 1


def test_of_two_owners_who_leave_at_once_one_is_refused() -> None:
    pair = make_pair()
    results = at_once(
        *[lambda actor=actor: remove_member(actor=actor, user_id=actor.user_id, now=clock.now()) for actor in pair]
    )
    assert sorted(type(result).__name__ for result in results) == ["LastOwner", "NoneType"]


def test_two_owners_who_remove_one_another_do_not_both_go() -> None:
    first, second = make_pair()
    results = at_once(
        lambda: remove_member(actor=first, user_id=second.user_id, now=clock.now()),
        lambda: remove_member(actor=second, user_id=first.user_id, now=clock.now()),
    )
    assert sum(isinstance(result, Forbidden) for result in results) == 1
    assert owners(first) == 1


def test_the_database_refuses_the_second_even_when_the_code_forgets_to_ask() -> None:
    pair = make_pair()

    def write(actor: Actor) -> None:
        with transaction.atomic():
            Profile.objects.filter(user_id=actor.user_id).update(role=Role.MEMBER)

    results = at_once(*[lambda actor=actor: write(actor) for actor in pair])
    assert sorted(type(result).__name__ for result in results) == ["IntegrityError", "NoneType"]
    assert owners(pair[0]) == 1


def test_two_transfers_at_once_leave_one_owner_and_everybody_else_a_member() -> None:
    owner = make_actor()
    heirs = [make_actor(tenant=owner.tenant, role=Role.MEMBER) for _ in range(2)]
    results = at_once(
        *[lambda heir=heir: transfer_ownership(actor=owner, user_id=heir.user_id, now=clock.now()) for heir in heirs]
    )
    assert sorted(type(result).__name__ for result in results) == ["NoneType", "OwnersOnly"]
    assert owners(owner) == 1


@pytest.mark.failure("T17")
def test_a_job_of_somebody_who_is_removed_meanwhile_ends_with_the_money_straight() -> None:
    writer = make_writer(entries=1)
    boss = make_actor(tenant=writer.tenant, role=Role.OWNER)
    job = begin_report(writer)
    run = run_of(job)
    tenant = TenantId(run.tenant_id)
    results = at_once(
        lambda: execute_run(tenant=tenant, run_id=run.pk, clock=clock.now),
        lambda: remove_member(actor=boss, user_id=writer.user_id, now=clock.now()),
    )
    assert not [result for result in results if isinstance(result, Exception)]
    work(job)
    balance = billing.get_balance(tenant=tenant)
    assert job.state == "cancelled"
    assert (balance.held_micros, balance.balance_micros) == (0, 5_000_000 - job.cost_micros)


@pytest.mark.failure("T17")
def test_a_job_that_is_started_while_its_person_is_removed_spends_nothing() -> None:
    writer = make_writer(entries=1)
    boss = make_actor(tenant=writer.tenant, role=Role.OWNER)
    results = at_once(
        lambda: begin_report(writer),
        lambda: remove_member(actor=boss, user_id=writer.user_id, now=clock.now()),
    )
    assert all(result is None or isinstance(result, Job | Forbidden) for result in results)
    for job in Job.objects.all():
        assert work(job).state == "cancelled"
    assert not LLMCall.objects.filter(sent_at__isnull=False).exists()
    assert billing.get_balance(tenant=writer.tenant).held_micros == 0


@pytest.mark.failure("T17")
def test_a_job_of_somebody_who_is_gone_is_not_even_claimed() -> None:
    writer = make_writer(entries=1)
    other = make_actor()
    job = begin_report(writer)
    make_actor(tenant=writer.tenant, role=Role.OWNER)
    Profile.objects.filter(user_id=writer.user_id).update(tenant_id=other.tenant)
    work(job)
    assert (job.state, job.error_code, LLMCall.objects.filter(sent_at__isnull=False).count()) == (
        "failed",
        "account_closed",
        0,
    )


@pytest.mark.failure("T11")
def test_after_a_grant_was_taken_back_nothing_more_is_seen() -> None:
    owner, staff = make_actor(), make_staff()
    member = get_member(tenant=staff.tenant, user_id=staff.user_id)
    grant = open_grant(actor=owner, reason="Help", scopes=[GrantScope.WORKLOG], minutes=5, now=clock.now())

    def look() -> Any:
        return use_grant(
            staff=member, grant_id=grant.id, scope=GrantScope.WORKLOG, method="GET", path="/x/", now=clock.now()
        )

    looks = [look] * 6
    results = at_once(*looks, lambda: revoke_grant(actor=owner, grant_id=grant.id, now=clock.now()))
    seen = sum(not isinstance(result, Exception) for result in results[:-1])
    assert all(isinstance(result, SupportGrantInvalid) for result in results[:-1] if isinstance(result, Exception))
    assert SupportAccess.objects.count() == seen
    with pytest.raises(SupportGrantInvalid):
        look()
