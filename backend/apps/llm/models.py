"""Calls to a writer: one row each, written before anything is sent."""

import pgtrigger
from django.db import models
from django.db.models import Q

from apps.common.db import unless_blanked_by_erasure
from apps.common.ids import uuid7
from apps.common.tenancy import TenantOwned
from apps.llm.types import TRANSITIONS, CallState, WriterKind


class LLMCall(TenantOwned):
    """One call: what was asked of whom, and what came back.

    The question never changes (an erasure blanks it); the state changes only as the table says.

    `request_hash` is SHA-256 over the question, so that an operation key cannot be used for another one.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job_id = models.UUIDField()
    operation_key = models.CharField(max_length=200)
    request_hash = models.CharField(max_length=64)
    purpose = models.CharField(max_length=40)
    prompt_version = models.CharField(max_length=40)
    provider = models.CharField(max_length=16, choices=WriterKind.choices)
    model = models.CharField(max_length=200)
    writer_label = models.CharField(max_length=300)
    messages = models.JSONField()
    response_schema = models.JSONField()
    max_output_tokens = models.PositiveIntegerField()

    state = models.CharField(max_length=16, choices=CallState.choices, default=CallState.PLANNED)
    content = models.TextField(null=True)  # noqa: DJ001 - an empty answer is not the absence of one
    finish_reason = models.CharField(max_length=40, blank=True)
    error_code = models.CharField(max_length=80, blank=True)
    provider_request_id = models.CharField(max_length=200, blank=True)
    input_tokens = models.PositiveIntegerField(null=True)
    cached_input_tokens = models.PositiveIntegerField(null=True)
    cache_write_tokens = models.PositiveIntegerField(null=True)
    output_tokens = models.PositiveIntegerField(null=True)
    reasoning_tokens = models.PositiveIntegerField(null=True)
    usage_flag = models.CharField(max_length=16, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    has_unclear_attempt = models.BooleanField(default=False)
    duration_ms = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "job_id", "id"])]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "operation_key"], name="llm_call_operation"),
            models.CheckConstraint(condition=Q(state__in=CallState.values), name="llm_call_state"),
            models.CheckConstraint(
                condition=Q(state__in=[CallState.PLANNED, CallState.FAILED]) | Q(sent_at__isnull=False),
                name="llm_call_sent_at",
            ),
            models.CheckConstraint(
                condition=~Q(state=CallState.ANSWERED) | Q(answered_at__isnull=False, content__isnull=False),
                name="llm_call_answered",
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="transitions",
                field="state",
                transitions=sorted((old.value, new.value) for old, targets in TRANSITIONS.items() for new in targets),
            ),
            pgtrigger.ReadOnly(
                name="question_is_frozen",
                fields=[
                    "tenant",
                    "job_id",
                    "operation_key",
                    "request_hash",
                    "prompt_version",
                    "provider",
                    "model",
                    "response_schema",
                    "max_output_tokens",
                ],
            ),
            pgtrigger.Protect(
                name="wording_is_frozen",
                operation=pgtrigger.Update,
                condition=unless_blanked_by_erasure(
                    "messages", "content", old="OLD.messages IS DISTINCT FROM NEW.messages"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.state} {self.operation_key}"
