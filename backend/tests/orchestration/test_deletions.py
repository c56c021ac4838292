"""Asking for the deletion of an account, and changing one's mind."""

from datetime import timedelta

import pytest
from django.db import IntegrityError

from apps.accounts.models import ApiToken
from apps.accounts.services.tokens import issue_token
from apps.accounts.services.users import set_active
from apps.accounts.types import TokenKind
from apps.common import clock
from apps.common.errors import Invalid
from apps.common.ids import TenantId
from apps.mail.models import OutgoingMail
from apps.observability.models import AuditEvent
from apps.orchestration.members import remove_member
from apps.orchestration.models import AccountDeletion
from apps.orchestration.personal_types import (
    BalanceLoss,
    DeletionNotScheduled,
    DeletionScheduled,
    LastOwner,
    StaffAccount,
)
from apps.orchestration.services.deletions import preview_deletion, schedule_deletion, undo_deletion
from apps.orchestration.services.jobs import cancel_job, retry_job
from apps.orchestration.types import JobState
from apps.tenants.selectors import find_member
from apps.tenants.types import Actor, Role
from tests.factories.accounts import make_actor, make_staff
from tests.factories.mydata import begin_export, erase_now, schedule
from tests.factories.orchestration import begin_report, make_writer

pytestmark = pytest.mark.django_db


def codes(actor: Actor) -> list[str]:
    return [blocker.code for blocker in preview_deletion(actor=actor, now=clock.now()).blockers]


def make_pair() -> tuple[Actor, Actor]:
    owner = make_actor()
    return owner, make_actor(tenant=owner.tenant, role=Role.MEMBER)


def test_the_day_of_the_erasure_comes_after_the_grace() -> None:
    actor, now = make_actor(), clock.now()
    assert preview_deletion(actor=actor, now=now).scheduled_for is None
    deletion = schedule(actor, now=now, reason="I am going home")
    assert deletion.due_at == now + timedelta(days=14)
    assert preview_deletion(actor=actor, now=now).scheduled_for == deletion.due_at
    assert (deletion.state, deletion.scope, deletion.reason) == ("scheduled", "tenant", "I am going home")


def test_asking_twice_changes_nothing() -> None:
    actor = make_actor()
    first = schedule(actor)
    assert schedule(actor, now=clock.now() + timedelta(days=1)).pk == first.pk
    assert AccountDeletion.objects.count() == 1


def test_the_person_is_told_by_mail_without_anything_that_undoes_it_by_itself() -> None:
    actor = make_actor()
    deletion = schedule(actor)
    [mail] = OutgoingMail.objects.filter(kind="deletion_scheduled")
    assert mail.user_id == actor.user_id
    assert mail.context == {"username": actor.username, "due_on": str(deletion.due_at.date()), "grace_days": 14}


def test_personal_tokens_end_and_sessions_stay() -> None:
    actor = make_actor()
    for kind in TokenKind:
        issue_token(user_id=actor.user_id, name=kind.value, kind=kind, now=clock.now())
    schedule(actor)
    assert [token.kind for token in ApiToken.objects.filter(user_id=actor.user_id)] == ["session"]


def test_it_is_audited_by_ids_alone() -> None:
    actor = make_actor()
    schedule(actor, reason="Because of Grace")
    row = AuditEvent.objects.get(action="deletion.scheduled")
    assert (row.actor_id, row.target_id, row.reason) == (actor.user_id, str(actor.user_id), "")
    assert row.after is not None
    assert set(row.after) == {"due_at", "tokens"}


@pytest.mark.parametrize("confirm", ["", "somebody", "Person"])
def test_only_one_s_own_name_confirms(confirm: str) -> None:
    with pytest.raises(Invalid) as refusal:
        schedule(make_actor(username="person"), confirm=confirm)
    assert "confirm" in refusal.value.fields


def test_the_last_owner_of_others_must_hand_over_first() -> None:
    owner, member = make_pair()
    assert codes(owner) == ["last_owner"]
    with pytest.raises(LastOwner):
        schedule(owner)
    assert codes(member) == []


def test_an_owner_beside_another_one_may_go_but_not_both_while_others_remain() -> None:
    owner, _ = make_pair()
    second = make_actor(tenant=owner.tenant, role=Role.OWNER)
    assert schedule(owner).scope == "member"
    with pytest.raises(LastOwner):
        schedule(second)


def test_money_in_the_reserve_must_be_given_up_knowingly() -> None:
    actor = make_writer(credit_micros=4_200_000)
    [blocker] = preview_deletion(actor=actor, now=clock.now()).blockers
    assert (blocker.code, "$4.20" in blocker.message) == ("balance_loss", True)
    with pytest.raises(BalanceLoss):
        schedule(actor, accepts_balance_loss=False)
    assert schedule(actor, accepts_balance_loss=True).state == "scheduled"


def test_a_member_gives_up_no_money() -> None:
    owner = make_writer()
    assert codes(make_actor(tenant=owner.tenant, role=Role.MEMBER)) == []


def test_staff_do_not_leave_by_this_door() -> None:
    assert codes(make_staff()) == ["staff_account"]
    with pytest.raises(StaffAccount):
        schedule(make_staff())


def test_a_member_does_not_take_along_what_a_closed_owner_has_left() -> None:
    owner, member = make_pair()
    set_active(actor=owner.user_id, user_id=owner.user_id, is_active=False, reason="", now=clock.now())
    assert schedule(member).scope == "member"


def test_nothing_new_is_started_but_an_export_and_the_undoing() -> None:
    actor = make_writer()
    job = begin_report(actor)
    schedule(actor)
    with pytest.raises(DeletionScheduled):
        begin_report(actor)
    cancel_job(actor=actor, job_id=job.pk, now=clock.now())
    assert begin_export(actor).state == JobState.QUEUED
    undo_deletion(actor=actor, now=clock.now())
    assert begin_report(actor).state == JobState.QUEUED


def test_the_wish_goes_with_somebody_who_is_taken_out_of_the_tenant() -> None:
    owner, member = make_pair()
    deletion = schedule(member)
    remove_member(actor=owner, user_id=member.user_id, now=clock.now())
    deletion.refresh_from_db()
    assert deletion.tenant_id == get_tenant(member) != owner.tenant
    assert erase_now(deletion).scope == "tenant"


def get_tenant(actor: Actor) -> TenantId:
    member = find_member(user_id=actor.user_id)
    assert member is not None
    return member.tenant


def test_nothing_is_retried_either() -> None:
    actor = make_writer()
    job = begin_report(actor)
    type(job).objects.filter(pk=job.pk).update(state=JobState.FAILED)
    schedule(actor)
    with pytest.raises(DeletionScheduled):
        retry_job(actor=actor, job_id=job.pk, now=clock.now())


def test_the_wish_can_be_taken_back_until_the_day_comes() -> None:
    actor = make_actor()
    deletion = schedule(actor, reason="Because")
    undo_deletion(actor=actor, now=deletion.due_at - timedelta(seconds=1))
    deletion.refresh_from_db()
    assert (deletion.state, deletion.reason) == ("undone", "")
    assert erase_now(deletion).state == "undone"
    assert OutgoingMail.objects.filter(kind="deletion_undone", user_id=actor.user_id).count() == 1
    with pytest.raises(DeletionNotScheduled):
        undo_deletion(actor=actor, now=clock.now())


def test_somebody_who_stayed_may_ask_again() -> None:
    actor = make_actor()
    schedule(actor)
    undo_deletion(actor=actor, now=clock.now())
    assert schedule(actor).state == "scheduled"


def test_what_goes_and_what_stays_is_said_beforehand() -> None:
    _, member = make_pair()
    alone = preview_deletion(actor=make_actor(), now=clock.now())
    beside = preview_deletion(actor=member, now=clock.now())
    assert len(alone.erased) > len(beside.erased)
    assert {kept.what for kept in alone.kept} != {kept.what for kept in beside.kept}
    assert all(kept.why for kept in (*alone.kept, *beside.kept))
    until = alone.kept[0].until
    assert until is not None
    assert until.year >= clock.now().year + 10


def test_the_same_wish_at_the_same_moment_is_scheduled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    actor = make_actor()
    first = schedule(actor)
    # The other hand's row is not seen at the first look, but meets us at the unique key.
    looks = iter([None, first, first])
    monkeypatch.setattr("apps.orchestration.services.deletions.find_open_deletion", lambda **_: next(looks))
    preview = schedule_deletion(
        actor=actor, confirm=actor.username, reason="", accepts_balance_loss=True, now=clock.now()
    )
    assert preview.scheduled_for == first.due_at
    assert AccountDeletion.objects.count() == 1


def test_a_broken_rule_is_not_taken_for_the_same_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    actor = make_actor()
    monkeypatch.setattr("apps.orchestration.services.deletions.find_open_deletion", lambda **_: None)
    schedule(actor)
    with pytest.raises(IntegrityError):
        schedule_deletion(actor=actor, confirm=actor.username, reason="", accepts_balance_loss=True, now=clock.now())
