"""What a person has in this app: read for their export, blanked at their erasure."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.common.db import erasing
from apps.common.tenancy import TenantId
from apps.llm.models import LLMCall


def iter_calls(*, tenant: TenantId, job_ids: Sequence[UUID]) -> Iterator[dict[str, Any]]:
    """The calls of some jobs with what was asked and what was answered, in the order of planning."""
    rows = LLMCall.objects.filter(tenant_id=tenant, job_id__in=job_ids).order_by("id")
    for row in rows.iterator(chunk_size=20):
        yield {
            "id": row.id,
            "job_id": row.job_id,
            "purpose": row.purpose,
            "writer": row.writer_label,
            "model": row.model,
            "prompt_version": row.prompt_version,
            "state": row.state,
            "messages": row.messages,
            "answer": row.content,
            "error_code": row.error_code or None,
            "input_tokens": row.input_tokens,
            "output_tokens": row.output_tokens,
            "created_at": row.created_at,
            "ended_at": row.ended_at,
        }


@transaction.atomic
def blank_calls(*, tenant: TenantId, job_ids: Sequence[UUID]) -> int:
    """Takes question and answer of every call of some jobs; how many had any. The rows stay beside their usage."""
    calls = LLMCall.objects.filter(tenant_id=tenant, job_id__in=job_ids).exclude(messages=[])
    with erasing():
        calls.exclude(content=None).update(content="")
        return calls.update(messages=[])
