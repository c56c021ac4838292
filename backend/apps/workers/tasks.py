"""Celery's tasks. Each reads the clock, calls one service and decides nothing: a task may run 0, 1 or 2 times."""

from uuid import UUID

from celery import shared_task

from apps.accounts.services.purging import purge_identities
from apps.billing import stripe_gateway
from apps.billing.services.api_calls import flush_calls
from apps.billing.services.payments.inbox import purge_events, work_events
from apps.billing.services.payments.looking import look_at_due
from apps.billing.services.payments.reconciling import reconcile
from apps.billing.services.payments.refunds import look_at_due_refunds
from apps.billing.services.watching import check_reserves
from apps.common import clock
from apps.common.purging import purge_plugged
from apps.common.tenancy import SystemScope, TenantId, system_scope
from apps.mail.delivery import deliver_due
from apps.mail.services import erase_old
from apps.orchestration.erasure.runner import erase_due_accounts
from apps.orchestration.services.exports import expire_exports, purge_files, sweep_orphans
from apps.orchestration.services.metering import meter_storage
from apps.orchestration.services.proving import prove_money
from apps.orchestration.services.scheduling import run_once_per_period
from apps.orchestration.services.steps import execute_run
from apps.orchestration.services.sweeping import sweep
from apps.workers import heartbeats
from apps.workers.sender import take_stripe_hint

heartbeats.connect()


@shared_task(name="run_step")
def run_step(tenant: str, run_id: str) -> bool:
    """Runs one attempt of one step, if it is still to be run."""
    return execute_run(tenant=TenantId(UUID(tenant)), run_id=UUID(run_id), clock=clock.now)


@shared_task(name="sweep")
def run_sweep() -> int:
    """One round of the sweeper; returns how many things it had to mend."""
    result = sweep(now=clock.now())
    return result.expired_runs + result.expired_holds


@shared_task(name="prove_ledger")
def run_ledger_proof() -> bool:
    """The nightly proof of all the money. Alarms are raised by the proof itself."""
    now = clock.now()
    return run_once_per_period(
        name="prove_ledger", period=now.date().isoformat(), duty=lambda: prove_money(now=now), clock=clock.now
    )


@shared_task(name="meter_api_calls")
def run_call_metering() -> int:
    """Meters the calls of every hour that is over; returns how many counts were taken."""
    return flush_calls(now=clock.now())


@shared_task(name="meter_storage")
def run_storage_metering() -> bool:
    """Meters a day of what is stored. False when somebody else has this day."""
    now = clock.now()
    return run_once_per_period(
        name="meter_storage", period=now.date().isoformat(), duty=lambda: meter_storage(now=now), clock=clock.now
    )


@shared_task(name="check_reserves")
def run_reserve_checks() -> int:
    """One round over reserves that run low; returns how many cards it charged and notices it sent."""
    return check_reserves(clock=clock.now)


@shared_task(name="look_at_refunds")
def run_refund_looks() -> int:
    """Asks Stripe about refunds of ours whose answer is missing; returns how many."""
    return look_at_due_refunds(clock=clock.now)


@shared_task(name="send_mails")
@system_scope(SystemScope.MAIL)
def run_mail_delivery() -> int:
    """One round of delivery; returns how many mails went out."""
    return deliver_due(clock=clock.now).sent


@shared_task(name="erase_old_mails")
@system_scope(SystemScope.MAIL)
def run_mail_erasure() -> int:
    """Empties mails that ended long ago; returns how many."""
    return erase_old(now=clock.now())


@shared_task(name="purge_expired")
@system_scope(SystemScope.RETENTION)
def run_purge() -> int:
    """Deletes expired tokens and answers that nobody will ask for again; returns how many rows."""
    now = clock.now()
    return purge_identities(now=now) + purge_events(now=now) + sum(purge_plugged(now=now).values())


@shared_task(name="erase_due_accounts")
@system_scope(SystemScope.ERASURE)
def run_account_erasure() -> int:
    """Takes every due erasure as far as it comes; returns how many came to their end."""
    return erase_due_accounts(clock=clock.now)


@shared_task(name="purge_exports")
@system_scope(SystemScope.RETENTION)
def run_export_purge() -> int:
    """Closes the links of exports whose time is over and removes their files; returns how many files."""
    now = clock.now()
    expire_exports(now=now)
    return purge_files(now=now)


@shared_task(name="sweep_export_files")
@system_scope(SystemScope.RETENTION)
def run_export_sweep() -> int:
    """Removes files of exports that no row claims; returns how many."""
    return sweep_orphans(now=clock.now())


@shared_task(name="work_stripe_events")
def run_stripe_inbox() -> int:
    """Works on the messages of Stripe that are due; returns how many."""
    take_stripe_hint()
    return work_events(clock=clock.now)


@shared_task(name="look_at_payments")
def run_payment_looks() -> int:
    """Asks Stripe about the payments whose time has come; returns how many."""
    return look_at_due(clock=clock.now)


@shared_task(name="reconcile_payments")
def run_reconciliation() -> str:
    """The reconciliation of the day, if it has not been done yet. Alarms are raised by the reconciliation itself."""
    if not stripe_gateway.is_set_up():
        return "payments are not set up"
    period = clock.now().date().isoformat()
    has_run = run_once_per_period(
        name="reconcile_payments", period=period, duty=lambda: reconcile(clock=clock.now), clock=clock.now
    )
    return "done" if has_run else "done before"
