"""Reports on their way, and a worker that runs what is due in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.test import override_settings

from apps.billing.models import ReserveAccount
from apps.billing.selectors import get_balance
from apps.billing.services.credits import adjust_reserve, grant_promo_credit
from apps.billing.services.seed import publish_example_rate_cards
from apps.common import clock
from apps.common.ids import uuid7
from apps.common.tenancy import TenantId
from apps.orchestration.flows.report import start_report
from apps.orchestration.models import Job, JobRun
from apps.orchestration.services.steps import execute_run
from apps.orchestration.types import ReportRequest, RunState
from apps.tenants.types import Actor
from apps.worklog.services import create_entry
from apps.worklog.types import EntryDraft as WorklogDraft
from devstack.standins.llm.knobs import Fault
from devstack.standins.llm.server import ModelServer
from devstack.standins.web import serving
from tests.factories.accounts import make_actor, make_staff
from tests.factories.billing import claw_back as take_back

FIRST_DAY, LAST_DAY = date(2026, 10, 1), date(2026, 12, 31)
TITLES = ("Cut invoice run from 40 to 6 min", "Moved 14 services to Kubernetes", "Mentored two juniors")


def make_writer(*, credit_micros: int = 5_000_000, entries: int = 3) -> Actor:
    """A person with money in the reserve and some entries in the last quarter of 2026."""
    actor = make_actor()
    publish_example_rate_cards(now=clock.now())
    if credit_micros:
        grant_promo_credit(
            tenant=actor.tenant, amount_micros=credit_micros, source=uuid7(), description="Welcome", now=clock.now()
        )
    write_entries(actor, entries)
    return actor


def write_entries(actor: Actor, count: int) -> None:
    """So many entries of the actor in the last quarter of 2026."""
    for number in range(count):
        title = TITLES[number % len(TITLES)] if number < len(TITLES) else f"Delivered change {number}"
        draft = WorklogDraft(title=title, occurred_on=FIRST_DAY + timedelta(days=number % 80), employer="Acme")
        create_entry(actor=actor, draft=draft, now=clock.now())


def set_policy(actor: Actor, policy: str) -> None:
    ReserveAccount.objects.filter(tenant_id=actor.tenant).update(policy=policy)


def drain_reserve(actor: Actor, *, leave_micros: int) -> None:
    """Takes money out by staff until this much is left, holds included."""
    surplus = get_balance(tenant=actor.tenant).balance_micros - leave_micros
    adjust_reserve(
        actor=make_staff(),
        tenant=actor.tenant,
        amount_micros=-surplus,
        reason="test",
        idempotency_key=str(uuid7()),
        now=clock.now(),
    )


def claw_back(actor: Actor) -> None:
    """A payment is taken back, to below zero: spending stops until somebody pays."""
    amount = get_balance(tenant=actor.tenant).balance_micros + 1
    take_back(actor.tenant, amount, now=clock.now())


def ask(**changes: Any) -> ReportRequest:
    fields: dict[str, Any] = {"kind": "brag_document", "period_from": FIRST_DAY, "period_to": LAST_DAY}
    return ReportRequest(**(fields | changes))


def begin_report(actor: Actor, *, key: str | None = None, now: datetime | None = None, **changes: Any) -> Job:
    """A report that has been asked for and waits for a worker."""
    request = ask(**changes)
    params = {"kind": request.kind, "title": request.title}
    _, job_id = start_report(actor=actor, request=request, params=params, idempotency_key=key, now=now or clock.now())
    return Job.objects.get(pk=job_id)


def run_of(job: Job, step: str = "write-1") -> JobRun:
    """The newest attempt of a step."""
    return job.runs.filter(step=step).order_by("-attempt")[0]


def call_of(run: JobRun) -> UUID:
    return UUID(run.payload["call_id"])


def work(job: Job) -> Job:
    """Does everything that is ready, one after the other, as a worker would; then the job as it is."""
    for _ in range(50):
        run = job.runs.filter(state=RunState.READY).order_by("position").first()
        if run is None:
            break
        execute_run(tenant=TenantId(job.tenant_id), run_id=run.pk, clock=clock.now)
    job.refresh_from_db()
    return job


def fault(kind: str, **fields: Any) -> Fault:
    """Something that goes wrong with the next call."""
    return Fault(kind=kind, **fields)


@contextmanager
def model_server(*, model: str = "gpt-4o-mini") -> Iterator[ModelServer]:
    """The product writes with a model behind HTTP for the length of the block: a stand-in with knobs and a journal."""
    server = ModelServer()
    with (
        serving(server) as address,
        override_settings(LLM_BASE_URL=f"{address}/v1", LLM_API_KEY="key", LLM_MODEL=model),
    ):
        yield server
