"""Planning, sending and recording calls to the writer.

The order is the caller's: `plan_call` and `mark_sent` are committed, then `perform_call` runs outside any transaction,
then the outcome is recorded. Every record is a compare-and-set: of two who record, the first wins, the other is told.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from apps.common.db import forbid_transaction
from apps.common.states import WrongState
from apps.common.tenancy import TenantId
from apps.llm.models import LLMCall
from apps.llm.providers.base import ModelRequest, Provider
from apps.llm.selectors import get_call, view_call
from apps.llm.text import make_storable
from apps.llm.tokens import REQUEST_OVERHEAD, count_message_tokens
from apps.llm.types import (
    CALL_STATES,
    CallMismatch,
    CallState,
    CallUsage,
    CallView,
    ChatMessage,
    Completion,
    ModelRefused,
    Writer,
    WriterKind,
)
from apps.observability.services import record_event

logger = structlog.get_logger(__name__)

BUILTIN_MODEL: Final = "builtin-writer-1"

# By path, because the SDK behind one of them costs 40 MB that a process without a model need not hold.
_PROVIDERS: Final[Mapping[str, str]] = {
    WriterKind.BUILTIN: "apps.llm.providers.builtin.provider.make_provider",
    WriterKind.OPENAI: "apps.llm.providers.openai_compatible.make_provider",
}

_REFUSALS: Final[Mapping[str, str]] = {
    "length": "The writer stopped at its length limit. Choose fewer entries and try again.",
    "content_filter": "The model's content filter stopped the answer.",
    "refusal": "The model declined to write this.",
    "empty": "The writer gave an empty answer.",
}


def get_writer() -> Writer:
    """The writer in use: a model when an endpoint and a model are configured, else the built-in one."""
    if settings.LLM_MODEL and settings.LLM_BASE_URL:
        host = urlsplit(settings.LLM_BASE_URL).hostname or settings.LLM_BASE_URL
        return Writer(
            provider=WriterKind.OPENAI.value, model=settings.LLM_MODEL, label=f"{settings.LLM_MODEL} at {host}"
        )
    return Writer(provider=WriterKind.BUILTIN.value, model=BUILTIN_MODEL, label=WriterKind.BUILTIN.label)


def estimate_ceiling(*, messages: Sequence[ChatMessage], max_output_tokens: int) -> CallUsage:
    """The most that a call can use, whatever tokenizer the model has: the messages' bytes and the output limit."""
    return CallUsage(input=count_message_tokens(messages) + REQUEST_OVERHEAD, output=max_output_tokens)


def plan_call(
    *,
    tenant: TenantId,
    job_id: UUID,
    operation_key: str,
    purpose: str,
    prompt_version: str,
    messages: Sequence[ChatMessage],
    response_schema: Mapping[str, Any],
    max_output_tokens: int,
    now: datetime,
) -> CallView:
    """Writes down a call for the writer in use. The same operation key again returns the stored call.

    Raises CallMismatch when the key belongs to another question. May run inside the caller's transaction.
    """
    question = {
        "purpose": purpose,
        "prompt_version": prompt_version,
        "messages": [message.to_json() for message in messages],
        "response_schema": dict(response_schema),
        "max_output_tokens": max_output_tokens,
    }
    request_hash = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
    writer = get_writer()
    row = LLMCall(
        tenant_id=tenant,
        job_id=job_id,
        operation_key=operation_key,
        request_hash=request_hash,
        provider=writer.provider,
        model=writer.model,
        writer_label=writer.label,
        created_at=now,
        **question,
    )
    LLMCall.objects.bulk_create([row], ignore_conflicts=True)
    stored = LLMCall.objects.get(tenant_id=tenant, operation_key=operation_key)
    if stored.request_hash != request_hash:
        raise CallMismatch
    return view_call(stored)


def perform_call(*, tenant: TenantId, call_id: UUID, deadline_seconds: float) -> Completion:
    """Asks the writer and waits at most `deadline_seconds`, retries included. Stores nothing.

    Must run outside any transaction, on a call that is marked as sent (else WrongState). Raises ModelUnavailable or
    ModelRefused when there is no answer; an answer that cannot be used is returned, because it may have cost money.
    """
    forbid_transaction()
    call = get_call(tenant=tenant, call_id=call_id)
    if call.state != CallState.SENT:
        raise WrongState(f"A call that is {call.state.value} cannot be performed.")
    request = ModelRequest(
        call_id=call.id,
        model=call.writer.model,
        messages=call.messages,
        purpose=call.purpose,
        response_schema=call.response_schema,
        max_output_tokens=call.max_output_tokens,
        ceiling=estimate_ceiling(messages=call.messages, max_output_tokens=call.max_output_tokens),
        deadline_seconds=deadline_seconds,
    )
    make_provider = import_string(_PROVIDERS[call.writer.provider])
    provider: Provider = make_provider()
    completion = provider.complete(request)
    logger.info(
        "llm.answered",
        call_id=str(call_id),
        model=call.writer.model,
        finish_reason=completion.finish_reason,
        usage_flag=completion.usage_flag,
        attempts=completion.attempts,
        duration_ms=completion.duration_ms,
    )
    return completion


def check_completion(*, completion: Completion) -> None:
    """Raises ModelRefused when the answer is none: cut at the length limit, filtered, declined or empty.

    Call it after the answer is stored and paid for.
    """
    reason = completion.finish_reason
    if reason not in _REFUSALS:
        reason = "" if completion.content.strip() else "empty"
    if reason:
        raise ModelRefused(reason, was_served=True, message=_REFUSALS[reason])


def mark_sent(*, tenant: TenantId, call_id: UUID, now: datetime) -> bool:
    """Claims the call for sending. False when somebody else did, or when it has ended."""
    return _move(tenant=tenant, call_id=call_id, to=CallState.SENT, now=now, sent_at=now)


def store_answer(*, tenant: TenantId, call_id: UUID, completion: Completion, now: datetime) -> bool:
    """Keeps the answer and its usage. False when the call had already ended another way."""
    usage = completion.usage
    return _move(
        tenant=tenant,
        call_id=call_id,
        to=CallState.ANSWERED,
        now=now,
        answered_at=now,
        ended_at=now,
        content=make_storable(completion.content),
        finish_reason=make_storable(completion.finish_reason)[:40],
        provider_request_id=make_storable(completion.provider_request_id)[:200],
        duration_ms=completion.duration_ms,
        usage_flag=completion.usage_flag,
        attempts=completion.attempts,
        has_unclear_attempt=completion.has_unclear_attempt,
        input_tokens=None if usage is None else usage.input,
        cached_input_tokens=None if usage is None else usage.cached_input,
        cache_write_tokens=None if usage is None else usage.cache_write,
        output_tokens=None if usage is None else usage.output,
        reasoning_tokens=None if usage is None else usage.reasoning,
    )


def store_failure(*, tenant: TenantId, call_id: UUID, error_code: str, now: datetime) -> bool:
    """Ends a call that brought no answer, sent or not. False when it had already ended."""
    return _move(tenant=tenant, call_id=call_id, to=CallState.FAILED, now=now, ended_at=now, error_code=error_code[:80])


def mark_lost(*, tenant: TenantId, call_id: UUID, now: datetime) -> bool:
    """Ends a sent call whose outcome nobody will ever know. False when it was not under way."""
    return _move(tenant=tenant, call_id=call_id, to=CallState.LOST, now=now, ended_at=now, error_code="lost")


@transaction.atomic
def _move(*, tenant: TenantId, call_id: UUID, to: CallState, now: datetime, **changes: Any) -> bool:
    """The one place where a call changes its state: compare-and-set on the states that may lead to `to`."""
    sources = CALL_STATES.sources_of(to)
    moved = LLMCall.objects.filter(tenant_id=tenant, id=call_id, state__in=sources).update(state=to, **changes)
    if not moved:
        return False
    record_event(
        tenant=tenant,
        subject_kind="llm_call",
        subject_id=call_id,
        name=f"llm_call.{to.value}",
        message=f"The call to the writer is {to.label.lower()}.",
        data={"error_code": changes.get("error_code", "")},
        now=now,
    )
    return True
