"""Shapes of jobs on the wire."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from apps.common.money import format_dollars
from apps.observability.models import EventRecord
from apps.orchestration import selectors
from apps.orchestration.models import Job, JobRun
from apps.orchestration.types import Estimate, JobKind, JobState, RunState
from apps.reporting.types import ENTRIES_MAX, TITLE_MAX, ReportKind


class ReportParamsSerializer(serializers.Serializer[Any]):
    """What a report is asked to be about. Days are inclusive."""

    kind = serializers.ChoiceField(choices=[ReportKind.BRAG_DOCUMENT.value])
    period_from = serializers.DateField()
    period_to = serializers.DateField()
    entry_ids = serializers.ListField(
        child=serializers.UUIDField(), required=False, allow_null=True, min_length=1, max_length=ENTRIES_MAX
    )
    title = serializers.CharField(required=False, allow_blank=True, max_length=TITLE_MAX, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["period_to"] < attrs["period_from"]:
            raise serializers.ValidationError({"period_to": ["The last day lies before the first."]})
        return attrs


class EstimateRequestSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=[JobKind.REPORT.value])
    params = ReportParamsSerializer()


class WriterSerializer(serializers.Serializer[Any]):
    """Who writes: the built-in writer, or a model at an endpoint."""

    provider = serializers.CharField()
    model = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a serializer's own label is a text


class EstimateSerializer(serializers.Serializer[Estimate]):
    at_most_micros = serializers.IntegerField()
    at_most_dollars = serializers.SerializerMethodField()
    calls = serializers.IntegerField()
    input_tokens = serializers.IntegerField()
    max_output_tokens = serializers.IntegerField()
    entries = serializers.IntegerField()
    writer = WriterSerializer()
    rate_card = serializers.CharField()
    available_micros = serializers.IntegerField()
    is_affordable = serializers.BooleanField()
    reason = serializers.CharField()

    def get_at_most_dollars(self, estimate: Estimate) -> str:
        return format_dollars(estimate.at_most_micros, min_digits=4)


class StepSerializer(serializers.ModelSerializer[JobRun]):
    name = serializers.CharField(source="step")
    state = serializers.ChoiceField(choices=RunState.choices)

    class Meta:
        model = JobRun
        fields = ["name", "label", "state", "attempt", "started_at", "finished_at", "error"]


class JobSerializer(serializers.ModelSerializer[Job]):
    state = serializers.ChoiceField(choices=JobState.choices)
    progress = serializers.SerializerMethodField()
    steps = serializers.SerializerMethodField()
    report_id = serializers.SerializerMethodField()
    cost_micros = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()
    error_code = serializers.SerializerMethodField()
    can_cancel = serializers.SerializerMethodField()
    can_retry = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = [
            "id", "kind", "title", "state", "progress", "steps", "estimate_micros", "cost_micros", "report_id", "error",
            "error_code", "created_at", "started_at", "finished_at", "can_cancel", "can_retry",
        ]  # fmt: skip

    def get_progress(self, job: Job) -> int:
        return selectors.compute_progress(job)

    def get_steps(self, job: Job) -> list[dict[str, Any]]:
        return list(StepSerializer(selectors.list_steps(job), many=True).data)

    def get_report_id(self, job: Job) -> UUID | None:
        """Null for a job that makes no report."""
        return job.subject_id if job.kind == JobKind.REPORT else None

    def get_cost_micros(self, job: Job) -> int | None:
        """Null until the job has ended: a part is not a cost."""
        return job.cost_micros if job.finished_at else None

    def get_error(self, job: Job) -> str | None:
        return job.error or None

    def get_error_code(self, job: Job) -> str | None:
        return job.error_code or None

    def get_can_cancel(self, job: Job) -> bool:
        return selectors.can_cancel(job)

    def get_can_retry(self, job: Job) -> bool:
        return selectors.can_retry(job)


class JobEventSerializer(serializers.ModelSerializer[EventRecord]):
    """One thing that happened to a job, in words for its owner."""

    class Meta:
        model = EventRecord
        fields = ["at", "name", "message", "data"]
