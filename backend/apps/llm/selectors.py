"""Reading calls."""

import json
from uuid import UUID

from django.db.models import QuerySet

from apps.common.tenancy import TenantId
from apps.llm.models import LLMCall
from apps.llm.types import CallNotFound, CallState, CallUsage, CallView, ChatMessage, Writer


def view_call(row: LLMCall) -> CallView:
    """A row as the rest of the house sees it."""
    return CallView(
        id=row.id,
        tenant=TenantId(row.tenant_id),
        job_id=row.job_id,
        operation_key=row.operation_key,
        state=CallState(row.state),
        writer=Writer(provider=row.provider, model=row.model, label=row.writer_label),
        purpose=row.purpose,
        prompt_version=row.prompt_version,
        max_output_tokens=row.max_output_tokens,
        content=row.content,
        error_code=row.error_code or None,
        messages=tuple(ChatMessage(role=item["role"], content=item["content"]) for item in row.messages),
        response_schema=row.response_schema,
        usage=_read_usage(row),
        finish_reason=row.finish_reason,
        provider_request_id=row.provider_request_id,
    )


def _read_usage(row: LLMCall) -> CallUsage | None:
    if row.input_tokens is None:
        return None
    return CallUsage(
        input=row.input_tokens,
        cached_input=row.cached_input_tokens or 0,
        cache_write=row.cache_write_tokens or 0,
        output=row.output_tokens or 0,
        reasoning=row.reasoning_tokens or 0,
    )


def get_call(*, tenant: TenantId, call_id: UUID) -> CallView:
    """The call; raises CallNotFound."""
    row = LLMCall.objects.filter(tenant_id=tenant, id=call_id).first()
    if row is None:
        raise CallNotFound
    return view_call(row)


def list_calls(*, tenant: TenantId, job_id: UUID) -> QuerySet[LLMCall]:
    """The calls of a job in the order in which they were planned."""
    return LLMCall.objects.filter(tenant_id=tenant, job_id=job_id).order_by("id")


def list_entry_ids(*, tenant: TenantId, call_id: UUID) -> list[UUID]:
    """The ids of the entries that the call's question held, in its order: what an answer may cite."""
    question = json.loads(get_call(tenant=tenant, call_id=call_id).messages[-1].content)
    return [UUID(entry["id"]) for entry in question["entries"]]


def list_call_states(*, tenant: TenantId, after: UUID | None, limit: int) -> list[tuple[UUID, CallState]]:
    """The states of a tenant's calls by id, from one onwards."""
    rows = LLMCall.objects.filter(tenant_id=tenant).order_by("id")
    if after is not None:
        rows = rows.filter(id__gt=after)
    return [(call, CallState(state)) for call, state in rows.values_list("id", "state")[:limit]]
