"""A paid call to a language model: reserve, send, settle. The order is that of the money rules:

T1, one commit: hold and call row. Then the call, outside any transaction. T2, one commit: answer, usage, ledger entry,
hold closed. Whatever happens in between, the sweeper ends it as exactly one of usage and loss.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.billing import selectors as billing_selectors
from apps.billing.services import holds, pricing, settlement
from apps.billing.types import HoldNotOpen, HoldState, HoldView, LossReason, Quote, TokenUsage
from apps.common.failpoints import failpoint
from apps.common.tenancy import TenantId
from apps.llm import selectors as llm_selectors
from apps.llm import services as llm
from apps.llm.types import CallState, CallUsage, Completion
from apps.orchestration.services.steps import lease_length
from apps.reporting.types import PromptPlan


@dataclass(frozen=True, slots=True)
class CallPlan:
    """A call that could be made, with its ceiling and the price of that ceiling."""

    prompt: PromptPlan
    ceiling: CallUsage
    quote: Quote


def as_token_usage(usage: CallUsage) -> TokenUsage:
    """The model's classes of tokens as the meter that billing prices: the one place where the two meet."""
    return TokenUsage(
        input=usage.input,
        cached_input=usage.cached_input,
        cache_write=usage.cache_write,
        output=usage.output,
        reasoning=usage.reasoning,
    )


def quote_prompt(*, tenant: TenantId, prompt: PromptPlan, now: datetime) -> CallPlan:
    """What this prompt costs at most with the writer in use. Raises NoPrice."""
    ceiling = llm.estimate_ceiling(messages=prompt.messages, max_output_tokens=prompt.max_output_tokens)
    quote = pricing.quote_call(tenant=tenant, model=llm.get_writer().model, at_most=as_token_usage(ceiling), at=now)
    return CallPlan(prompt=prompt, ceiling=ceiling, quote=quote)


def reserve_call(
    *,
    tenant: TenantId,
    job_id: UUID,
    operation_key: str,
    plan: CallPlan,
    now: datetime,
    budget_micros: int | None = None,
) -> UUID:
    """T1: writes the call and its hold in the caller's transaction; the call's id. Raises InsufficientReserve.

    With a budget no more than that is held, and so paid: what the call costs beyond it is a loss of the house.
    """
    at_most = plan.quote.at_most_micros
    held = at_most if budget_micros is None else min(at_most, max(0, budget_micros))
    call = llm.plan_call(
        tenant=tenant,
        job_id=job_id,
        operation_key=operation_key,
        purpose="report",
        prompt_version=plan.prompt.prompt_version,
        messages=plan.prompt.messages,
        response_schema=plan.prompt.response_schema,
        max_output_tokens=plan.prompt.max_output_tokens,
        now=now,
    )
    holds.place_hold(
        tenant=tenant,
        operation_key=operation_key,
        quote=replace(plan.quote, at_most_micros=held),
        job_id=job_id,
        call_id=call.id,
        now=now,
        lease=lease_length(),
    )
    return call.id


@transaction.atomic
def claim_call(*, tenant: TenantId, call_id: UUID, now: datetime) -> bool:
    """Marks the call as sent, with a fresh lease on its hold, before a byte leaves. False when it is not to be sent."""
    hold = find_open_hold(tenant=tenant, call_id=call_id)
    if hold is None or not llm.mark_sent(tenant=tenant, call_id=call_id, now=now):
        return False
    holds.renew_hold(tenant=tenant, hold_id=hold.id, now=now, lease=lease_length())
    return True


def send_call(*, tenant: TenantId, call_id: UUID) -> Completion:
    """Asks the model. Raises ModelUnavailable or ModelRefused, both of which say whether the model had worked."""
    failpoint("before_llm_send")
    completion = llm.perform_call(tenant=tenant, call_id=call_id, deadline_seconds=settings.LLM_TOTAL_DEADLINE_SECONDS)
    failpoint("after_llm_response")
    return completion


def settle_call(
    *, tenant: TenantId, call_id: UUID, completion: Completion, occurred_at: datetime, now: datetime
) -> None:
    """T2's money part: the answer is kept and paid for, in the caller's transaction.

    An answer whose usage cannot be known is not charged: the house bears it, and the loss says so. Raises HoldNotOpen
    when the call has already ended another way; the caller's transaction must then be given up.
    """
    hold = find_open_hold(tenant=tenant, call_id=call_id)
    if hold is None or not llm.store_answer(tenant=tenant, call_id=call_id, completion=completion, now=now):
        raise HoldNotOpen
    if completion.usage is None:
        holds.expire_hold(tenant=tenant, hold_id=hold.id, reason=LossReason.USAGE_UNKNOWN, now=now)
        return
    settlement.settle_hold(
        tenant=tenant,
        hold_id=hold.id,
        usage=as_token_usage(completion.usage),
        occurred_at=occurred_at,
        provider_request_id=completion.provider_request_id,
        duration_ms=completion.duration_ms,
        now=now,
    )


def close_failed_call(
    *, tenant: TenantId, call_id: UUID, error_code: str, was_served: bool | None, now: datetime
) -> None:
    """Ends a call that brought no answer. Only a certain "nothing was produced" lets the hold go without a loss."""
    llm.store_failure(tenant=tenant, call_id=call_id, error_code=error_code, now=now)
    _end_hold(tenant=tenant, call_id=call_id, was_served=was_served, now=now)


def abandon_call(*, tenant: TenantId, call_id: UUID, now: datetime) -> None:
    """Ends a call that nobody will wait for any more, by what is known of it: never sent, or sent and lost."""
    call = llm_selectors.get_call(tenant=tenant, call_id=call_id)
    if call.state == CallState.PLANNED:
        close_failed_call(tenant=tenant, call_id=call_id, error_code="not_sent", was_served=False, now=now)
    elif call.state == CallState.SENT:
        llm.mark_lost(tenant=tenant, call_id=call_id, now=now)
        _end_hold(tenant=tenant, call_id=call_id, was_served=None, now=now)


def find_open_hold(*, tenant: TenantId, call_id: UUID) -> HoldView | None:
    """The money that is set aside for the call, while it is."""
    hold = billing_selectors.find_hold_for_call(tenant=tenant, call_id=call_id)
    return hold if hold is not None and hold.state == HoldState.OPEN else None


def _end_hold(*, tenant: TenantId, call_id: UUID, was_served: bool | None, now: datetime) -> None:
    hold = find_open_hold(tenant=tenant, call_id=call_id)
    if hold is None:
        return
    if was_served is False:
        holds.release_hold(tenant=tenant, hold_id=hold.id, now=now)
    else:
        holds.expire_hold(tenant=tenant, hold_id=hold.id, reason=LossReason.OUTCOME_UNKNOWN, now=now)
