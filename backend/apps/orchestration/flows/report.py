"""Reports: frozen entries -> prompts -> paid calls side by side -> one document.

Everything that can be known beforehand is decided and reserved in one commit when the person asks, so that a report
either starts with its money held or is refused at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import stamina
from django.db import IntegrityError, OperationalError, transaction

from apps.billing import selectors as billing_selectors
from apps.billing.services import metering
from apps.billing.types import Meter, ReserveBusy
from apps.common.clock import Clock
from apps.common.ids import uuid7
from apps.common.tenancy import TenantId
from apps.llm import selectors as llm_selectors
from apps.llm import services as llm
from apps.llm.text import clean_line
from apps.llm.types import Completion, ModelRefused, ModelUnavailable
from apps.orchestration.models import Job
from apps.orchestration.registry import Flow, register_flow
from apps.orchestration.selectors import list_steps
from apps.orchestration.services import calls, jobs, steps
from apps.orchestration.types import Estimate, JobKind, JobState, NothingToReport, ReportRequest, RunView, StepPlan
from apps.reporting import services as reporting
from apps.reporting.services.prompts import plan_prompts
from apps.reporting.types import AnswerMalformed, PromptPlan, Section
from apps.tenants.services.members import hold_membership
from apps.tenants.types import Actor
from apps.worklog import selectors as worklog
from apps.worklog.types import FrozenEntry

ASSEMBLE: Final = "assemble"
REPORT_TITLES: Final[Mapping[str, str]] = {"brag_document": "Brag document"}


@dataclass(frozen=True, slots=True)
class ReportPlan:
    """A report that could be made: its material, its prompts and their price."""

    title: str
    entries: Sequence[FrozenEntry]
    calls: Sequence[calls.CallPlan]
    # What the document itself costs beside its calls.
    document_micros: int

    @property
    def at_most_micros(self) -> int:
        return self.document_micros + sum(call.quote.at_most_micros for call in self.calls)


def plan_report(*, actor: Actor, request: ReportRequest, now: datetime) -> ReportPlan:
    """Freezes the material and prices the prompts; saves nothing. Raises NothingToReport, Invalid, NoPrice."""
    entries = worklog.freeze_entries(
        actor=actor, period_from=request.period_from, period_to=request.period_to, entry_ids=request.entry_ids
    )
    if not entries:
        raise NothingToReport(fields={"entry_ids": ["There is no entry in this period. Choose at least one."]})
    title = clean_line(request.title) or REPORT_TITLES[request.kind]
    prompts = plan_prompts(
        kind=request.kind, title=title, period_from=request.period_from, period_to=request.period_to, entries=entries
    )
    priced = [calls.quote_prompt(tenant=actor.tenant, prompt=prompt, now=now) for prompt in prompts]
    document_micros = metering.quote_use(tenant=actor.tenant, meter=Meter.DOCUMENTS, quantity=1, at=now)
    return ReportPlan(title=title, entries=entries, calls=priced, document_micros=document_micros)


def estimate_report(*, actor: Actor, request: ReportRequest, now: datetime) -> Estimate:
    """What the report costs at most, and whether the reserve covers it."""
    plan = plan_report(actor=actor, request=request, now=now)
    balance = billing_selectors.get_balance(tenant=actor.tenant)
    is_essential = all(call.quote.is_essential for call in plan.calls)
    spendable = billing_selectors.get_spendable(tenant=actor.tenant, is_essential=is_essential)
    is_affordable = plan.at_most_micros <= spendable
    return Estimate(
        at_most_micros=plan.at_most_micros,
        calls=len(plan.calls),
        input_tokens=sum(call.ceiling.input for call in plan.calls),
        max_output_tokens=sum(call.ceiling.output for call in plan.calls),
        entries=len(plan.entries),
        writer=llm.get_writer(),
        rate_card=plan.calls[0].quote.rate_card_label,
        available_micros=balance.available_micros,
        is_affordable=is_affordable,
        reason="" if is_affordable else "Your reserve does not cover this report. Top it up or choose fewer entries.",
    )


def start_report(
    *, actor: Actor, request: ReportRequest, params: Mapping[str, Any], idempotency_key: str | None, now: datetime
) -> tuple[UUID, UUID]:
    """Starts a report: (report id, job id). `params` is the request as JSON, which a replay is compared with.

    Raises InsufficientReserve with nothing kept, NoPrice, NothingToReport, JobKeyReused.
    """
    replayed = jobs.find_replayed_job(actor=actor, kind=JobKind.REPORT, params=params, key=idempotency_key)
    if replayed is not None:
        return replayed.subject_id, replayed.pk
    plan = plan_report(actor=actor, request=request, now=now)
    try:
        with transaction.atomic():
            hold_membership(actor=actor)
            return _start_planned(
                actor=actor, request=request, params=params, plan=plan, idempotency_key=idempotency_key, now=now
            )
    except IntegrityError:
        # The same key at the same moment: the unique key let one through, and this caller gets that one.
        replayed = jobs.find_replayed_job(actor=actor, kind=JobKind.REPORT, params=params, key=idempotency_key)
        if replayed is None:
            raise
        return replayed.subject_id, replayed.pk


def _start_planned(
    *,
    actor: Actor,
    request: ReportRequest,
    params: Mapping[str, Any],
    plan: ReportPlan,
    idempotency_key: str | None,
    now: datetime,
) -> tuple[UUID, UUID]:
    job_id, writer = uuid7(), llm.get_writer()
    report = reporting.create_report(
        actor=actor,
        kind=request.kind,
        title=plan.title,
        period_from=request.period_from,
        period_to=request.period_to,
        entries=plan.entries,
        writer_provider=writer.provider,
        writer_model=writer.model,
        writer_label=writer.label,
        prompt_version=plan.calls[0].prompt.prompt_version,
        rate_card=plan.calls[0].quote.rate_card_label,
        job_id=job_id,
        now=now,
    )
    jobs.create_job(
        actor=actor,
        job_id=job_id,
        kind=JobKind.REPORT,
        title=plan.title,
        params=params,
        subject_id=report.id,
        idempotency_key=idempotency_key,
        estimate_micros=plan.at_most_micros,
        steps=_plan_steps(tenant=actor.tenant, job_id=job_id, plan=plan, now=now),
        now=now,
    )
    return report.id, job_id


def _plan_steps(*, tenant: TenantId, job_id: UUID, plan: ReportPlan, now: datetime) -> list[StepPlan]:
    """A step a prompt, side by side, each with its call reserved; then the one that puts the document together."""
    total = len(plan.calls)
    writes = []
    for number, call in enumerate(plan.calls, start=1):
        name = f"write-{number}"
        call_id = calls.reserve_call(
            tenant=tenant, job_id=job_id, operation_key=f"{job_id}:{name}:1", plan=call, now=now
        )
        label = "Write the bullets" if total == 1 else f"Write the bullets ({number} of {total})"
        writes.append(StepPlan(name=name, label=label, payload={"call_id": str(call_id)}))
    needs = tuple(step.name for step in writes)
    return [*writes, StepPlan(name=ASSEMBLE, label="Put the document together", needs=needs)]


def run_step(run: RunView, clock: Clock) -> None:
    if run.step == ASSEMBLE:
        # A reserve that is busy for a moment must not cost the document an attempt.
        for attempt in stamina.retry_context(on=(OperationalError, ReserveBusy), attempts=5, timeout=30):
            with attempt:
                assemble(run, clock)
    else:
        write(run, clock)


def write(run: RunView, clock: Clock) -> None:
    """Sends the step's call and settles it."""
    call_id = UUID(run.payload["call_id"])
    sent_at = clock()
    if not begin_call(run, call_id=call_id, now=sent_at):
        return
    try:
        completion = calls.send_call(tenant=run.tenant, call_id=call_id)
    except (ModelUnavailable, ModelRefused) as error:
        record = partial(record_failed_call, error=error)
    else:
        record = partial(record_answer, completion=completion, occurred_at=sent_at)
    # The outcome of a paid call is worth waiting for: a busy row or a restart of the database must not make it a loss.
    # (As a decorator, the same would write the answer into the log.)
    for attempt in stamina.retry_context(on=(OperationalError, ReserveBusy), attempts=5, timeout=30):
        with attempt:
            record(run, call_id=call_id, now=clock())


@transaction.atomic
def begin_call(run: RunView, *, call_id: UUID, now: datetime) -> bool:
    """Commits that the call goes out. False when it must not: its job has ended meanwhile, or its hold has."""
    locked = steps.lock_wanted(run, now=now)
    if locked is None:
        return False
    if calls.claim_call(tenant=run.tenant, call_id=call_id, now=now):
        return True
    # The next attempt makes a fresh reservation.
    steps.give_up_run(run=run, code="hold_expired", message="The reservation had run out.", now=now)
    return False


@transaction.atomic
def record_failed_call(run: RunView, *, call_id: UUID, error: ModelUnavailable | ModelRefused, now: datetime) -> None:
    """The call brought nothing: its money is let go or booked as a loss, and the step fails or tries again."""
    locked = steps.lock_running(run)
    if locked is None:
        return
    calls.close_failed_call(
        tenant=run.tenant, call_id=call_id, error_code=error.code, was_served=error.was_served, now=now
    )
    job, row = locked
    is_retryable = isinstance(error, ModelUnavailable)
    steps.fail_run(job, row, code=error.code, message=error.text, is_retryable=is_retryable, now=now)


@transaction.atomic
def record_answer(run: RunView, *, call_id: UUID, completion: Completion, occurred_at: datetime, now: datetime) -> None:
    """T2, one commit: answer, usage, ledger entry, hold closed, step ended. An unusable answer is paid all the same."""
    locked = steps.lock_running(run)
    if locked is None:
        return
    job, row = locked
    calls.settle_call(tenant=run.tenant, call_id=call_id, completion=completion, occurred_at=occurred_at, now=now)
    try:
        llm.check_completion(completion=completion)
        entry_ids = llm_selectors.list_entry_ids(tenant=run.tenant, call_id=call_id)
        sections = reporting.parse_answer(content=completion.content, entry_ids=entry_ids)
    except (ModelRefused, AnswerMalformed) as error:
        is_retryable = isinstance(error, AnswerMalformed)
        steps.fail_run(job, row, code=error.code, message=error.text, is_retryable=is_retryable, now=now)
        return
    steps.complete_run(job, row, output={"sections": [section.to_json() for section in sections]}, now=now)


@transaction.atomic
def assemble(run: RunView, clock: Clock) -> None:
    """Merges the parts into the document, and meters that there is one more."""
    now = clock()
    locked = steps.lock_wanted(run, now=now)
    if locked is None:
        return
    job, row = locked
    outputs: list[Any] = [step.output for step in list_steps(job) if step.step != ASSEMBLE]
    parts = [[Section.from_json(item) for item in output["sections"]] for output in outputs]
    if reporting.finish_report(tenant=run.tenant, report_id=job.subject_id, parts=parts, now=now):
        metering.record_use(
            tenant=run.tenant,
            meter=Meter.DOCUMENTS,
            quantity=1,
            occurred_at=now,
            key=str(job.subject_id),
            job_id=job.pk,
            at_most_micros=job.estimate_micros - compute_cost(job),
            now=now,
        )
    steps.complete_run(job, row, output={}, now=now)


def prepare_attempt(run: RunView, now: datetime, budget_micros: int | None) -> Mapping[str, Any]:
    """A further attempt sends the same prompt as a new call with a new hold, at the prices of now."""
    if run.step == ASSEMBLE:
        return {}
    previous = llm_selectors.get_call(tenant=run.tenant, call_id=UUID(run.payload["call_id"]))
    prompt = PromptPlan(
        operation_suffix=run.step,
        messages=previous.messages,
        response_schema=previous.response_schema,
        max_output_tokens=previous.max_output_tokens,
        prompt_version=previous.prompt_version,
    )
    plan = calls.quote_prompt(tenant=run.tenant, prompt=prompt, now=now)
    call_id = calls.reserve_call(
        tenant=run.tenant,
        job_id=run.job_id,
        operation_key=f"{run.job_id}:{run.step}:{run.attempt}",
        plan=plan,
        now=now,
        budget_micros=budget_micros,
    )
    return {"call_id": str(call_id)}


def abandon_attempt(run: RunView, now: datetime) -> None:
    if run.step != ASSEMBLE:
        calls.abandon_call(tenant=run.tenant, call_id=UUID(run.payload["call_id"]), now=now)


def compute_cost(job: Job) -> int:
    return billing_selectors.get_job_cost(tenant=TenantId(job.tenant_id), job_id=job.pk)


def on_failed(job: Job, now: datetime) -> None:
    """A blocked job waits for money, and so does its report."""
    if job.state == JobState.FAILED:
        reporting.fail_report(tenant=TenantId(job.tenant_id), report_id=job.subject_id, now=now)


def on_cancelled(job: Job, now: datetime) -> None:
    reporting.cancel_report(tenant=TenantId(job.tenant_id), report_id=job.subject_id, now=now)


def on_reopened(job: Job, now: datetime) -> None:
    reporting.reopen_report(tenant=TenantId(job.tenant_id), report_id=job.subject_id, now=now)


REPORT_FLOW: Final = Flow(
    kind=JobKind.REPORT,
    run_step=run_step,
    prepare_attempt=prepare_attempt,
    abandon_attempt=abandon_attempt,
    compute_cost=compute_cost,
    on_failed=on_failed,
    on_cancelled=on_cancelled,
    on_reopened=on_reopened,
)
register_flow(REPORT_FLOW)
