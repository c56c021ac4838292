"""Questions, entries and calls for the tests of the writers."""

import json
from typing import Any
from uuid import UUID

from apps.common import clock
from apps.common.ids import uuid7
from apps.llm.providers.base import ModelRequest
from apps.llm.services import estimate_ceiling, mark_sent, plan_call
from apps.llm.types import CallView, ChatMessage, Completion
from apps.reporting.services.prompts import RESPONSE_SCHEMA
from apps.tenants.types import Actor

SYSTEM = ChatMessage("system", "Answer with JSON.")


def entry(title: str = "Cut the invoice run", **fields: Any) -> dict[str, Any]:
    """An entry as a question holds it."""
    blank: dict[str, Any] = {
        "body": "",
        "employer": "",
        "project": "",
        "role": "",
        "tags": [],
        "impact": "",
        "hours": None,
    }
    return {"id": str(uuid7()), "occurred_on": "2026-11-20", "title": title, **blank, **fields}


def question(*entries: dict[str, Any], task: str = "brag_document") -> tuple[ChatMessage, ...]:
    period = {"from": "2026-10-01", "to": "2026-12-31"}
    value = {"task": task, "title": "Brag document", "period": period, "entries": list(entries)}
    return (SYSTEM, ChatMessage("user", json.dumps(value, ensure_ascii=False)))


def make_request(
    *entries: dict[str, Any],
    messages: tuple[ChatMessage, ...] | None = None,
    max_output_tokens: int = 4_000,
    deadline_seconds: float = 5,
) -> ModelRequest:
    asked = messages or question(*(entries or [entry()]))
    return ModelRequest(
        call_id=uuid7(),
        model="test-model",
        messages=asked,
        purpose="report",
        response_schema=RESPONSE_SCHEMA,
        max_output_tokens=max_output_tokens,
        ceiling=estimate_ceiling(messages=asked, max_output_tokens=max_output_tokens),
        deadline_seconds=deadline_seconds,
    )


def make_call(actor: Actor, *, key: str = "job:write-1:1", job_id: UUID | None = None, **changes: Any) -> CallView:
    fields: dict[str, Any] = {
        "purpose": "report",
        "prompt_version": "brag_document/1",
        "messages": question(entry(id="01900000-0000-7000-8000-000000000001")),
        "response_schema": RESPONSE_SCHEMA,
        "max_output_tokens": 4_000,
    }
    return plan_call(
        tenant=actor.tenant, job_id=job_id or uuid7(), operation_key=key, now=clock.now(), **(fields | changes)
    )


def make_sent_call(actor: Actor, **changes: Any) -> CallView:
    call = make_call(actor, **changes)
    assert mark_sent(tenant=actor.tenant, call_id=call.id, now=clock.now())
    return call


def make_completion(content: str = '{"sections": []}', **changes: Any) -> Completion:
    fields: dict[str, Any] = {"usage": None, "provider_request_id": "r-1", "finish_reason": "stop", "duration_ms": 12}
    return Completion(content=content, **(fields | changes))
