"""The erasure of an account: nothing of the person is left but what the law keeps, wherever one looks."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import override_settings

from apps.accounts.models import SeenDevice, User
from apps.accounts.services.tokens import issue_token
from apps.api.models import StoredAnswer
from apps.billing.models import (
    BillingAuditLog,
    BillingDocument,
    BillingProfile,
    PaymentAttempt,
    PaymentRefund,
    ReserveLedgerEntry,
    UsageEvent,
)
from apps.billing.services.proof import prove_ledger
from apps.common import clock
from apps.common.failpoints import FailpointReached
from apps.common.ids import uuid7
from apps.invitations.models import InvitePasskey
from apps.mail.models import OutgoingMail
from apps.mfa.models import SecurityKey, TotpDevice
from apps.observability.models import AuditEvent
from apps.orchestration.erasure.runner import erase_account
from apps.orchestration.erasure.steps import STEPS
from apps.orchestration.models import AccountDeletion, DataExport, ErasureCertificate, Job, JobRun
from apps.orchestration.services.steps import claim_run
from apps.orchestration.services.sweeping import sweep
from apps.orchestration.types import JobState, RunState
from apps.reporting.models import Report
from apps.tenants.models import Profile, SupportGrant, Tenant
from apps.tenants.types import Actor, Role
from apps.worklog.models import Employer, Tag, WorkLog, WorkLogVersion
from apps.worklog.services import edit_entry
from tests.api_client import client_for, with_key
from tests.factories.accounts import make_actor
from tests.factories.billing import make_refund, turn_auto_topup_on
from tests.factories.mydata import erase_now, export_of, make_export, schedule
from tests.factories.orchestration import FIRST_DAY, begin_report, make_writer, run_of, work
from tests.factories.payments import make_receipt
from tests.factories.worklog import make_entry

pytestmark = pytest.mark.django_db

MARKER: Final = "zyxmarker"
_TEXTS: Final = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND data_type IN ('character varying', 'text', 'json', 'jsonb', 'ARRAY', 'inet')
    ORDER BY table_name, column_name
"""


def make_person(**fields: Any) -> Actor:
    """Somebody whose every word is marked."""
    actor = make_actor(username=f"{MARKER}-ada", email=f"{MARKER}@example.org", **fields)
    User.objects.filter(id=actor.user_id).update(display_name=f"Ada {MARKER}")
    return actor


def live_here(actor: Actor) -> Job:
    """Leaves traces of the person everywhere."""
    now = clock.now()
    entry = make_entry(
        actor, f"{MARKER} title", body=f"{MARKER} body", employer=f"{MARKER} Ltd", project=f"{MARKER}", tags=(MARKER,)
    )
    edit_entry(actor=actor, entry_id=entry.id, changes={"title": f"{MARKER} again"}, expected_version=1, now=now)
    make_entry(actor, f"{MARKER} in a report", occurred_on=FIRST_DAY)
    job = work(begin_report(actor, title=f"{MARKER} report", key=f"{MARKER}-key"))
    make_export(actor)
    issue_token(user_id=actor.user_id, name=f"{MARKER} laptop", now=now)
    client = client_for(actor)
    client.post("/api/worklogs/", {"title": f"{MARKER} by the API"}, **with_key(f"{MARKER}-key"))
    client.patch("/api/me/", {"display_name": f"Ada {MARKER} Byron"})
    return job


def make_settled_writer() -> Actor:
    """A person alone in a tenant with money, and with traces everywhere."""
    actor = make_writer(entries=0)
    User.objects.filter(id=actor.user_id).update(
        username=f"{MARKER}-ada", email=f"{MARKER}@example.org", display_name=f"Ada {MARKER}"
    )
    Tenant.objects.filter(id=actor.tenant).update(name=f"{MARKER} tenant")
    BillingProfile.objects.filter(tenant_id=actor.tenant).update(
        billing_email=f"{MARKER}@example.org", stripe_customer_id="cus_1"
    )
    actor = Actor(**{name: getattr(actor, name) for name in actor.__dataclass_fields__} | {"username": f"{MARKER}-ada"})
    live_here(actor)
    leave_traces_elsewhere(actor)
    return actor


def leave_traces_elsewhere(actor: Actor) -> None:
    """What comes into being at other doors: invitations, second factors, support, devices, Django admin, the books."""
    now, user = clock.now(), User.objects.get(id=actor.user_id)
    marked = {"note": f"{MARKER} note", "created_at": now}
    InvitePasskey.objects.create(digest="1", bound_email=f"{MARKER}@example.org", used_by=user, used_at=now, **marked)
    InvitePasskey.objects.create(
        digest="2", bound_email=f"{MARKER}@x.org", tenant_id=actor.tenant, role="member", **marked
    )
    InvitePasskey.objects.create(digest="3", created_by=user, **marked)
    SecurityKey.objects.create(
        user=user,
        name=f"{MARKER} key",
        credential_id=b"1",
        public_key=b"1",
        sign_count=0,
        aaguid=uuid7(),
        created_at=now,
    )
    TotpDevice.objects.create(user=user, secret=MARKER, confirmed_at=now)
    SupportGrant.objects.create(
        tenant_id=actor.tenant, granted_by=user, reason=f"{MARKER} reason", scopes=["reports"], created_at=now,
        expires_at=now + timedelta(days=90),
    )  # fmt: skip
    SeenDevice.objects.create(user=user, device=f"{MARKER} on Linux", first_seen_at=now, last_seen_at=now)
    LogEntry.objects.create(
        user=user, content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk), object_repr=MARKER,
        action_flag=2,
    )  # fmt: skip
    Session.objects.create(
        session_key=MARKER, expire_date=now,
        session_data=SessionStore().encode({"_auth_user_id": str(user.pk)}),
    )  # fmt: skip
    BillingProfile.objects.filter(tenant_id=actor.tenant).update(
        billing_name=f"{MARKER} Ltd", billing_address=f"1 {MARKER} Road", tax_id=f"GB-{MARKER}",
        card_fingerprint=f"{MARKER}-card",
    )  # fmt: skip
    make_receipt(actor.tenant)
    payment = PaymentAttempt.objects.get(tenant_id=actor.tenant)
    PaymentAttempt.objects.filter(pk=payment.pk).update(card_fingerprint=f"{MARKER}-card")
    make_refund(payment, 1_000_000)
    PaymentRefund.objects.filter(attempt=payment).update(reason=f"{MARKER} asked for it")
    turn_auto_topup_on(actor.tenant, failed_fingerprint=f"{MARKER}-card")
    BillingAuditLog.objects.create(
        tenant_id=actor.tenant, actor=user, action="profile.changed", target_kind="billing_profile", target_id=uuid7(),
        before={"billing_email": ""}, after={"billing_email": MARKER, "billing_name": MARKER, "policy": "warn"},
        address="192.0.2.7", at=now,
    )  # fmt: skip


def find_marked() -> Iterator[str]:
    """Every text column of the database that holds the marker."""
    with connection.cursor() as cursor:
        cursor.execute(_TEXTS)
        for table, column in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" WHERE "{column}"::text ILIKE %s', [f"%{MARKER}%"])  # noqa: S608 - names from the catalogue
            if cursor.fetchone()[0]:
                yield f"{table}.{column}"


def erase_fully(deletion: AccountDeletion) -> AccountDeletion:
    """The duty, the delivery of the last mail, and the duty again."""
    erase_now(deletion)
    end_mails()
    return erase_now(deletion, after=timedelta(hours=1))


def end_mails() -> None:
    """All mails have gone out."""
    now = clock.now()
    OutgoingMail.objects.filter(state="pending").update(state="sending", lease_until=now)
    OutgoingMail.objects.filter(state="sending").update(state="sent", sent_at=now, ended_at=now)


def test_before_the_erasure_the_marker_is_everywhere() -> None:
    make_settled_writer()
    marked = set(find_marked())
    assert marked >= {
        "accounts_user.email",
        "accounts_apitoken.name",
        "api_storedanswer.body",
        "accounts_seendevice.device",
        "billing_billingauditlog.after",
        "billing_billingprofile.billing_email",
        "billing_billingprofile.billing_address",
        "billing_billingdocument.content",
        "billing_paymentattempt.card_fingerprint",
        "billing_paymentrefund.reason",
        "billing_autotopup.failed_fingerprint",
        "django_admin_log.object_repr",
        "django_session.session_key",
        "invitations_invitepasskey.bound_email",
        "invitations_invitepasskey.note",
        "llm_llmcall.messages",
        "llm_llmcall.content",
        "mfa_securitykey.name",
        "mfa_totpdevice.secret",
        "orchestration_job.title",
        "orchestration_jobrun.output",
        "reporting_report.document",
        "reporting_reportentry.snapshot",
        "tenants_supportgrant.reason",
        "tenants_tenant.name",
        "worklog_employer.name",
        "worklog_tag.name",
        "worklog_worklog.title",
        "worklog_worklogversion.snapshot",
    }


@pytest.mark.failure("T16")
def test_after_the_erasure_no_column_of_the_database_holds_the_marker() -> None:
    actor = make_settled_writer()
    assert erase_fully(schedule(actor, reason=f"{MARKER} reason")).state == "erased"
    assert list(find_marked()) == []


@pytest.mark.failure("M45")
def test_the_rules_of_money_hold_after_the_erasure_and_no_movement_is_gone() -> None:
    actor = make_settled_writer()
    before = list(ReserveLedgerEntry.objects.order_by("id").values())
    events = list(UsageEvent.objects.order_by("id").values())
    erase_fully(schedule(actor))
    assert list(ReserveLedgerEntry.objects.order_by("id").values()) == before
    assert list(UsageEvent.objects.order_by("id").values()) == events
    assert prove_ledger(now=clock.now()).is_ok
    assert BillingProfile.objects.get(tenant_id=actor.tenant).stripe_customer_id == "cus_1"


def test_documents_keep_their_number_and_amount_and_say_no_longer_for_whom() -> None:
    actor = make_settled_writer()
    before = BillingDocument.objects.get(tenant_id=actor.tenant)
    erase_fully(schedule(actor))
    kept = BillingDocument.objects.get(tenant_id=actor.tenant)
    assert (str(kept), kept.amount_micros, kept.subject) == (str(before), before.amount_micros, before.subject)
    assert set(before.content) - set(kept.content) == {"customer", "method"}
    assert kept.content["lines"] == before.content["lines"]


def test_the_rows_that_are_kept_name_nobody() -> None:
    actor = make_settled_writer()
    erase_fully(schedule(actor))
    user = User.objects.get(id=actor.user_id)
    assert re.fullmatch(r"deleted-[0-9a-f]{12}", user.username)
    assert user.email == f"deleted-{actor.user_id.hex}@invalid"
    assert (user.display_name, user.is_active, user.has_usable_password()) == ("", False, False)
    assert Tenant.objects.get(id=actor.tenant).name.startswith("Deleted account ")
    assert Profile.objects.get(user_id=actor.user_id).settings == {}


def test_audit_rows_stay_with_ids_alone() -> None:
    actor = make_settled_writer()
    before = set(AuditEvent.objects.values_list("id", "action", "actor_id", "target_id", "at"))
    erase_fully(schedule(actor))
    assert set(AuditEvent.objects.values_list("id", "action", "actor_id", "target_id", "at")) >= before
    own = AuditEvent.objects.filter(actor_id=actor.user_id)
    assert set(own.values_list("address", flat=True)) == {None}


def test_the_books_keep_what_changed_but_no_address() -> None:
    erase_fully(schedule(make_settled_writer()))
    row = BillingAuditLog.objects.get(action="profile.changed")
    assert (row.before, row.after, row.address) == ({}, {"policy": "warn"}, None)


def test_an_unused_key_to_a_tenant_of_which_nobody_is_left_opens_nothing() -> None:
    erase_fully(schedule(make_settled_writer()))
    unused = InvitePasskey.objects.get(digest="2")
    assert unused.revoked_at is not None
    assert (unused.bound_email, unused.note) == ("", "")


def test_open_support_grants_end() -> None:
    erase_fully(schedule(make_settled_writer()))
    assert SupportGrant.objects.get().revoked_at is not None


def test_the_files_of_exports_are_gone_from_the_storage() -> None:
    actor = make_settled_writer()
    export = DataExport.objects.get(user_id=actor.user_id)
    from_storage = export.key
    erase_fully(schedule(actor))
    export.refresh_from_db()
    assert (export.state, export.purged_at is not None, export.key) == ("expired", True, from_storage)


def test_nobody_can_sign_in_after_the_day_even_while_the_last_mail_waits() -> None:
    actor = make_settled_writer()
    client = client_for(actor)
    deletion = erase_now(schedule(actor))
    assert deletion.state == "erasing"
    assert client.get("/api/me/").status_code == 401


def test_the_address_is_forgotten_only_when_the_last_mail_has_gone_out_or_a_day_has_passed() -> None:
    actor = make_person()
    deletion = erase_now(schedule(actor))
    assert "accounts_user.email" in find_marked()
    assert erase_now(deletion, after=timedelta(hours=23)).state == "erasing"
    assert erase_now(deletion, after=timedelta(hours=25)).state == "erased"
    assert list(find_marked()) == []


def test_a_member_takes_their_own_and_leaves_the_rest() -> None:
    owner = make_writer(entries=1)
    make_entry(owner, "Stays", employer="Acme", tags=("shared",))
    work(begin_report(owner))
    member = make_person(tenant=owner.tenant, role=Role.MEMBER)
    live_here(member)
    make_entry(member, "Under a shared name", employer="Acme", tags=("shared", MARKER))
    deletion = erase_fully(schedule(member))
    assert (deletion.state, deletion.scope) == ("erased", "member")
    assert list(find_marked()) == []
    assert set(WorkLog.objects.values_list("author_id", flat=True)) == {owner.user_id}
    assert set(Report.objects.values_list("author_id", flat=True)) == {owner.user_id}
    assert Employer.objects.filter(name="Acme").exists()
    assert list(Tag.objects.values_list("name", flat=True)) == ["shared"]
    assert Tenant.objects.get(id=owner.tenant).name.startswith("Tenant of")
    assert client_for(owner).get("/api/worklogs/").status_code == 200


def test_another_tenant_is_not_touched() -> None:
    other = make_writer()
    work(begin_report(other))
    before = (WorkLogVersion.objects.count(), Report.objects.count(), Job.objects.exclude(title="").count())
    erase_fully(schedule(make_settled_writer()))
    after = (WorkLogVersion.objects.count(), Report.objects.count(), Job.objects.exclude(title="").count())
    assert after == before
    assert Profile.objects.get(user_id=other.user_id).user.is_active


@pytest.mark.failure("M45")
def test_what_waits_is_cancelled_and_its_money_let_go() -> None:
    actor = make_writer()
    job = begin_report(actor)
    erase_fully(schedule(actor))
    job.refresh_from_db()
    assert (job.state, job.title, job.params) == (JobState.CANCELLED, "", {})
    assert prove_ledger(now=clock.now()).is_ok


@pytest.mark.failure("M45")
def test_the_erasure_waits_for_a_call_that_is_under_way() -> None:
    actor = make_writer()
    job = begin_report(actor)
    deletion = schedule(actor)
    claim_run(tenant=actor.tenant, run_id=run_of(job).pk, now=deletion.due_at)
    assert erase_now(deletion).done == ["close_accounts"]
    assert WorkLog.objects.exists()
    assert run_of(job).state == RunState.RUNNING
    sweep(now=deletion.due_at + timedelta(minutes=5))
    erase_now(deletion, after=timedelta(minutes=20))
    assert not WorkLog.objects.exists()


def test_an_erasure_waits_for_a_storage_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    actor = make_actor()
    export = make_export(actor)
    deletion = schedule(actor)

    def refuse(**_: object) -> None:
        raise OSError("away")

    with monkeypatch.context() as patch:
        patch.setattr("apps.artifacts.storage.delete_object", refuse)
        assert "remove_files" not in erase_now(deletion).done
    erase_now(deletion, after=timedelta(hours=1))
    export.refresh_from_db()
    assert export.purged_at is not None


@pytest.mark.failure("D20")
def test_a_second_run_does_nothing() -> None:
    deletion = erase_fully(schedule(make_settled_writer()))
    before = (AuditEvent.objects.count(), OutgoingMail.objects.count(), ErasureCertificate.objects.count())
    assert not erase_account(deletion_id=deletion.pk, clock=lambda: deletion.due_at + timedelta(days=1))
    assert (AuditEvent.objects.count(), OutgoingMail.objects.count(), ErasureCertificate.objects.count()) == before


def test_before_its_day_nothing_happens() -> None:
    deletion = schedule(make_actor())
    assert not erase_account(deletion_id=deletion.pk, clock=lambda: deletion.due_at - timedelta(seconds=1))
    assert erase_now(deletion, after=-timedelta(seconds=1)).state == "scheduled"


def test_two_workers_never_erase_the_same_account_at_once() -> None:
    deletion = schedule(make_actor())
    AccountDeletion.objects.filter(pk=deletion.pk).update(lease_until=deletion.due_at + timedelta(minutes=5))
    assert erase_now(deletion).state == "scheduled"
    assert erase_now(deletion, after=timedelta(minutes=6)).state == "erasing"


CRASHES: Final = [
    *(f"erasure_{when}_{name}" for name, _ in STEPS for when in ("before", "after")),
    "erasure_within_entries",
    "erasure_within_reports",
]


@pytest.mark.failure("U13")
@pytest.mark.parametrize("place", CRASHES)
def test_a_crash_anywhere_is_taken_up_where_it_happened(place: str) -> None:
    actor = make_settled_writer()
    deletion = schedule(actor)
    erase_now_but_crash(deletion, place)
    if deletion.state != "erased":
        erase_now(deletion, after=timedelta(minutes=11))
        end_mails()
        erase_now_but_crash(deletion, place, after=timedelta(minutes=30))
        erase_now(deletion, after=timedelta(minutes=60))
    assert deletion.state == "erased"
    assert list(find_marked()) == []
    assert ErasureCertificate.objects.get(deletion=deletion).content["erased"][0]["count"] == 3


def erase_now_but_crash(deletion: AccountDeletion, place: str, *, after: timedelta = timedelta()) -> None:
    """As if the worker had died at the place: nothing tidies up after it."""
    moment = deletion.due_at + after
    with override_settings(FAILPOINTS={place: "raise"}), suppress(FailpointReached):
        erase_account(deletion_id=deletion.pk, clock=lambda: moment)
    deletion.refresh_from_db()


def test_a_step_that_raises_is_an_alarm_and_the_next_round_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    deletion = schedule(make_actor())
    with override_settings(FAILPOINTS={"erasure_before_certify": "raise"}):
        assert erase_now(deletion).state == "erasing"
    assert deletion.lease_until is None
    assert "erasure.stuck" in caplog.text
    end_mails()
    erase_now(deletion, after=timedelta(minutes=1))
    assert "certify" in deletion.done


def test_the_tenant_of_a_last_owner_who_became_one_meanwhile_gets_another() -> None:
    owner = make_actor()
    second = make_actor(tenant=owner.tenant, role=Role.OWNER)
    member = make_actor(tenant=owner.tenant, role=Role.MEMBER)
    deletion = schedule(owner)
    Profile.objects.filter(user_id=second.user_id).update(role=Role.MEMBER)
    assert erase_fully(deletion).state == "erased"
    assert Profile.objects.get(user_id=second.user_id).role == Role.OWNER
    assert Profile.objects.get(user_id=member.user_id).role == Role.MEMBER
    assert AuditEvent.objects.filter(action="member.role_changed", target_id=str(second.user_id)).exists()


def test_somebody_who_came_in_meanwhile_keeps_the_tenant() -> None:
    actor = make_person()
    deletion = schedule(actor)
    assert deletion.scope == "tenant"
    late = make_actor(tenant=actor.tenant, role=Role.MEMBER)
    make_entry(late, "Stays")
    deletion = erase_fully(deletion)
    assert (deletion.state, deletion.scope) == ("erased", "member")
    assert WorkLog.objects.get().title == "Stays"
    assert Profile.objects.get(user_id=late.user_id).role == Role.OWNER


def test_private_things_in_a_tenant_that_was_left_go_and_shared_ones_stay_with_it() -> None:
    owner = make_actor()
    actor = make_person(tenant=owner.tenant, role=Role.MEMBER)
    make_entry(actor, f"{MARKER} private", visibility="private")
    make_entry(actor, "Shared", visibility="team")
    elsewhere = make_actor()
    Profile.objects.filter(user_id=actor.user_id).update(tenant_id=elsewhere.tenant)
    moved = Actor(**{name: getattr(actor, name) for name in actor.__dataclass_fields__} | {"tenant": elsewhere.tenant})
    assert erase_fully(schedule(moved)).state == "erased"
    assert list(WorkLog.objects.values_list("title", flat=True)) == ["Shared"]
    assert list(find_marked()) == []


def test_people_whose_accounts_were_closed_go_with_the_last_owner() -> None:
    owner = make_actor()
    closed = make_person(tenant=owner.tenant, role=Role.MEMBER)
    make_entry(closed, MARKER)
    User.objects.filter(id=closed.user_id).update(is_active=False)
    erase_fully(schedule(owner))
    assert list(find_marked()) == []
    assert User.objects.get(id=closed.user_id).username.startswith("deleted-")


@pytest.mark.failure("T16")
def test_neither_export_nor_erasure_writes_what_the_person_wrote_into_the_log(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    erase_fully(schedule(make_settled_writer(), reason=MARKER))
    logged = "\n".join(json.dumps(vars(record), default=str) for record in caplog.records) + capsys.readouterr().out
    assert MARKER not in logged.lower()


def test_an_export_that_is_still_written_is_not_finished_after_the_day() -> None:
    actor = make_actor()
    deletion = schedule(actor)
    job = Job.objects.get(pk=make_export(actor).job_id)
    assert export_of(job).state == "ready"
    erase_now(deletion)
    assert export_of(job).state == "expired"
    assert not JobRun.objects.filter(job=job, output__size_bytes__gt=0).exists()
    assert not StoredAnswer.objects.exists()
