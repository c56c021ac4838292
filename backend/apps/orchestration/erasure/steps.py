"""The steps of an erasure, in their order. Each can be run again: what is gone already is not missed.

A step says False when it has to wait for something; the next round of the duty comes back to it.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from django.db import transaction

from apps.accounts import personal_data as accounts
from apps.accounts.services.tokens import revoke_all_tokens
from apps.accounts.services.users import set_active
from apps.billing import personal_data as billing
from apps.billing import selectors as billing_selectors
from apps.invitations import personal_data as invitations
from apps.llm import personal_data as llm
from apps.mail import personal_data as mails
from apps.mail import services as mail
from apps.mfa import personal_data as mfa
from apps.observability import personal_data as observability
from apps.observability.services import record_audit
from apps.orchestration.erasure.case import BATCH, Case, Place, add_count, erase_all, erase_once, lock_deletion
from apps.orchestration.erasure.certificates import create_certificate, find_certificate
from apps.orchestration.erasure.ports import list_erasers
from apps.orchestration.models import AccountDeletion, DataExport, ErasureCertificate, Job, JobRun
from apps.orchestration.personal_types import DeletionState, ExportState
from apps.orchestration.services import exports
from apps.orchestration.services.jobs import cancel_jobs_of
from apps.orchestration.types import RunState
from apps.reporting import personal_data as reporting
from apps.tenants import personal_data as tenants
from apps.worklog import personal_data as worklog

Step = Callable[[Case, datetime], bool]

REASON: Final = "The account is being erased"
# How long the forgetting of the address waits for the last mail to it.
MAIL_PATIENCE: Final = timedelta(hours=24)


def close_accounts(case: Case, now: datetime) -> bool:
    """Nobody can sign in any more, and no token opens anything."""
    for user_id in case.people:
        with transaction.atomic():
            # Before `set_active`, which ends them too and does not say how many there were.
            tokens = revoke_all_tokens(user_id=user_id, actor=None, reason=REASON, now=now)
            set_active(actor=case.user_id, user_id=user_id, is_active=False, reason=REASON, now=now)
            add_count(case, "tokens", tokens)
            add_count(case, "factors", mfa.forget_user(user_id=user_id))
            add_count(case, "devices", accounts.forget_devices(user_id=user_id))
    return True


def stop_jobs(case: Case, now: datetime) -> bool:
    """Cancels what waits and lets what runs come to its end: a late answer must not be written after us."""
    for place in case.places:
        authors = Job.objects.filter(**_jobs_in(place)).values_list("author_id", flat=True).distinct()
        for author in list(authors):
            cancel_jobs_of(
                tenant=place.tenant, author_id=author, actor=None, message="The account was deleted", now=now
            )
    return not any(_is_busy(case, place) for place in case.places)


def _is_busy(case: Case, place: Place) -> bool:
    jobs = Job.objects.filter(**_jobs_in(place)).values("pk")
    runs = JobRun.objects.filter(tenant_id=place.tenant, job__in=jobs, state=RunState.RUNNING)
    is_all_ours = case.is_whole_tenant and not place.is_former
    return runs.exists() or (is_all_ours and billing_selectors.get_balance(tenant=place.tenant).held_micros > 0)


def _jobs_in(place: Place) -> dict[str, UUID]:
    whose = {} if place.author is None else {"author_id": place.author}
    return {"tenant_id": place.tenant, **whose}


def remove_files(case: Case, now: datetime) -> bool:
    """The files of exports, ready or not. Waits for a storage that is away."""
    rows = DataExport.objects.filter(user_id__in=case.people)
    for row in list(rows.filter(state=ExportState.READY)):
        exports.expire_export(export=row, now=now)
    lying = rows.filter(purged_at=None).exclude(key="").order_by("id")
    purged = exports.purge_rows(rows=list(lying), now=now)
    erase_once(case, "files", lambda: purged)
    # Asked anew: the storage may have been away.
    return not lying.all().exists()


def erase_reports(case: Case, now: datetime) -> bool:  # noqa: ARG001 - a step's signature
    for place in case.places:
        erase_all(case, "reports", partial(_erase_reports, place))
    return True


def _erase_reports(place: Place) -> Sequence[UUID]:
    ids = reporting.erase_reports(tenant=place.tenant, author=place.author, limit=BATCH)
    observability.erase_events(tenant=place.tenant, subject_ids=ids)
    return ids


def erase_worklog(case: Case, now: datetime) -> bool:  # noqa: ARG001 - a step's signature
    for place in case.places:
        erase_all(case, "entries", partial(_erase_entries, place))
    if case.is_whole_tenant:
        worklog.erase_names(tenant=case.tenant)
    return True


def _erase_entries(place: Place) -> Sequence[UUID]:
    ids = worklog.erase_entries(tenant=place.tenant, author=place.author, is_private_only=place.is_former, limit=BATCH)
    observability.erase_events(tenant=place.tenant, subject_ids=ids)
    return ids


def blank_jobs(case: Case, now: datetime) -> bool:  # noqa: ARG001 - a step's signature
    """Titles, parameters, results and what was asked of models. The rows stay beside the books."""
    for place in case.places:
        job_ids = list(Job.objects.filter(**_jobs_in(place)).order_by("id").values_list("id", flat=True))
        for start in range(0, len(job_ids), BATCH):
            some = job_ids[start : start + BATCH]
            with transaction.atomic():
                add_count(case, "calls", llm.blank_calls(tenant=place.tenant, job_ids=some))
                add_count(case, "jobs", _blank_jobs(place, some))
                add_count(case, "events", observability.erase_events(tenant=place.tenant, subject_ids=some))
    return True


def _blank_jobs(place: Place, job_ids: Sequence[UUID]) -> int:
    runs = JobRun.objects.filter(tenant_id=place.tenant, job_id__in=job_ids)
    runs.exclude(output=None).update(output={})
    runs.exclude(error="").update(error="")
    # A payload names the call that the attempt made; whatever else a flow has put there goes.
    for run in runs.exclude(payload={}).iterator(chunk_size=BATCH):
        kept = {"call_id": run.payload["call_id"]} if "call_id" in run.payload else {}
        if kept != run.payload:
            JobRun.objects.filter(pk=run.pk).update(payload=kept)
    jobs = Job.objects.filter(tenant_id=place.tenant, pk__in=job_ids).exclude(title="")
    return jobs.update(title="", params={}, error="", idempotency_key=None, request_id="")


def erase_traces(case: Case, now: datetime) -> bool:
    """What apps above this one keep, events, and what is written on passkeys and grants."""
    for place in case.places:
        is_all = case.is_whole_tenant and not place.is_former
        people = case.people if is_all else (place.author or case.user_id,)
        for eraser in list_erasers():
            erase_once(case, eraser.counts_as, partial(eraser.erase, place.tenant, people, is_all))
        close = partial(tenants.close_grants, tenant=place.tenant, user_id=place.author, now=now)
        erase_once(case, "grants", close)
    _erase_events(case)
    _blank_notes(case, now)
    return True


def _erase_events(case: Case) -> None:
    for place in case.places:
        erase = partial(observability.erase_events, tenant=place.tenant, subject_ids=case.people)
        erase_once(case, "events", erase)
    if case.is_whole_tenant:
        erase_all(case, "events", lambda: observability.erase_tenant_events(tenant=case.tenant, limit=BATCH))


def _blank_notes(case: Case, now: datetime) -> None:
    with transaction.atomic():
        for user_id in case.people:
            add_count(case, "notes", invitations.blank_passkeys(user_id=user_id))
        if case.is_whole_tenant:
            add_count(case, "notes", invitations.close_tenant_keys(tenant=case.tenant, now=now))


def blank_audit(case: Case, now: datetime) -> bool:  # noqa: ARG001 - a step's signature
    """Leaves of audit rows who, what, when and which ids."""
    with transaction.atomic():
        for user_id in case.people:
            blanked = observability.blank_audit(user_id=user_id) + billing.blank_acts(user_id=user_id)
            add_count(case, "audit", blanked)
        if case.is_whole_tenant:
            add_count(case, "audit", observability.blank_tenant_audit(tenant=case.tenant))
            add_count(case, "audit", billing.blank_billing(tenant=case.tenant))
    return True


@transaction.atomic
def certify(case: Case, now: datetime) -> bool:
    """Writes the certificate and queues the last mail to whoever asked for the erasure."""
    if find_certificate(tenant=case.tenant, deletion_id=case.deletion_id) is not None:
        return True
    add_count(case, "people", len(case.people))
    certificate = create_certificate(deletion=lock_deletion(case), now=now)
    _queue_last_mail(case, certificate, now)
    return True


def _queue_last_mail(case: Case, certificate: ErasureCertificate, now: datetime) -> None:
    content = certificate.content
    mail.queue_mail(
        kind="erasure_certificate",
        user_id=case.user_id,
        to=accounts.get_address(user_id=case.user_id),
        context={
            "certificate_id": str(certificate.pk),
            "erased_on": str(now.date()),
            "erased": content["erased"],
            "kept": content["kept"],
            "sha256": certificate.sha256,
        },
        now=now,
        key=_mail_key(case),
    )


def _mail_key(case: Case) -> str:
    return f"erasure_certificate:{case.deletion_id}"


@transaction.atomic
def forget(case: Case, now: datetime) -> bool:
    """Name, address and password, once the last mail has gone out: nobody is left whom anything could be sent to."""
    if mails.is_under_way(key=_mail_key(case)) and now < case.started_at + MAIL_PATIENCE:
        return False
    for user_id in case.people:
        mail.forget_user(user_id=user_id, now=now)
        tenants.forget_membership(tenant=case.tenant, user_id=user_id)
        accounts.forget_person(user_id=user_id)
        # What the erasure itself has audited in the meantime.
        observability.blank_audit(user_id=user_id)
    if case.is_whole_tenant:
        tenants.forget_tenant(tenant=case.tenant)
    AccountDeletion.objects.filter(user_id__in=case.people).exclude(reason="").update(reason="")
    deletion = lock_deletion(case)
    deletion.state, deletion.ended_at, deletion.lease_until, deletion.reason = DeletionState.ERASED, now, None, ""
    deletion.save(update_fields=["state", "ended_at", "lease_until", "reason"])
    record_audit(
        tenant=case.tenant,
        actor=None,
        action="account.erased",
        target_kind="user",
        target_id=case.user_id,
        now=now,
        after={"scope": case.scope.value},
    )
    return True


STEPS: Final[tuple[tuple[str, Step], ...]] = (
    ("close_accounts", close_accounts),
    ("stop_jobs", stop_jobs),
    ("remove_files", remove_files),
    ("erase_reports", erase_reports),
    ("erase_worklog", erase_worklog),
    ("blank_jobs", blank_jobs),
    ("erase_traces", erase_traces),
    ("blank_audit", blank_audit),
    ("certify", certify),
    ("forget", forget),
)
