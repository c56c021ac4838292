"""Shapes of reports on the wire."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from rest_framework import serializers

from apps.api.jobs.serializers import JobSerializer, WriterSerializer
from apps.orchestration.types import JobCost
from apps.reporting.types import TITLE_MAX, ReportKind, ReportState, ReportSummary


class BulletSerializer(serializers.Serializer[Any]):
    """One statement and the entries that it rests on."""

    id = serializers.CharField()
    text = serializers.CharField()
    entry_ids = serializers.ListField(child=serializers.UUIDField())


class SectionSerializer(serializers.Serializer[Any]):
    heading = serializers.CharField()
    bullets = BulletSerializer(many=True)


class DocumentSerializer(serializers.Serializer[Any]):
    title = serializers.CharField()
    subtitle = serializers.CharField()
    sections = SectionSerializer(many=True)


class FrozenEntrySerializer(serializers.Serializer[Any]):
    """An entry as it was when the report was asked for."""

    id = serializers.UUIDField()
    version = serializers.IntegerField()
    occurred_on = serializers.DateField()
    title = serializers.CharField()
    body = serializers.CharField()
    employer = serializers.CharField()
    project = serializers.CharField()
    role = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    impact = serializers.CharField()
    hours = serializers.CharField(allow_null=True)


class ReportSummarySerializer(serializers.Serializer[Any]):
    """A report in a list."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=ReportKind.choices)
    title = serializers.CharField()
    state = serializers.ChoiceField(choices=ReportState.choices)
    period_from = serializers.DateField()
    period_to = serializers.DateField()
    created_at = serializers.DateTimeField()
    job_id = serializers.UUIDField()
    writer = WriterSerializer()
    prompt_version = serializers.CharField()
    rate_card = serializers.CharField()
    estimate_micros = serializers.SerializerMethodField()
    cost_micros = serializers.SerializerMethodField()
    entry_count = serializers.IntegerField()
    bullet_count = serializers.IntegerField()
    can_delete = serializers.BooleanField()

    def get_estimate_micros(self, report: ReportSummary) -> int:
        return self._cost(report).estimate_micros

    def get_cost_micros(self, report: ReportSummary) -> int | None:
        """Null until the job has ended: a part is not a cost."""
        return self._cost(report).cost_micros

    def _cost(self, report: ReportSummary) -> JobCost:
        costs: Mapping[UUID, JobCost] = self.context["costs"]
        return costs[report.job_id]


class ReportSerializer(ReportSummarySerializer):
    """A report with its document and the material that it rests on."""

    document = DocumentSerializer(allow_null=True)
    entries = FrozenEntrySerializer(many=True)


class StartedReportSerializer(serializers.Serializer[Any]):
    report = ReportSerializer()
    job = JobSerializer()


class RenameReportSerializer(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=TITLE_MAX)


class ExportFormatSerializer(serializers.Serializer[Any]):
    format = serializers.ChoiceField(choices=["pdf", "md", "json"])
