"""Reports and the entries that they rest on, frozen."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.common.db import append_only
from apps.common.ids import uuid7
from apps.common.tenancy import TenantOwned
from apps.reporting.types import TITLE_MAX, TRANSITIONS, ReportKind, ReportState


class Report(TenantOwned):
    """One report of one author. What it was asked for never changes; its state changes only as the table says.

    The author's name is the one at the time of asking: a re-rendered file equals the first one.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    author_name = models.CharField(max_length=200)
    kind = models.CharField(max_length=32, choices=ReportKind.choices)
    title = models.CharField(max_length=TITLE_MAX)
    period_from = models.DateField()
    period_to = models.DateField()
    state = models.CharField(max_length=16, choices=ReportState.choices, default=ReportState.PENDING)
    writer_provider = models.CharField(max_length=16)
    writer_model = models.CharField(max_length=200)
    writer_label = models.CharField(max_length=300)
    prompt_version = models.CharField(max_length=40)
    rate_card = models.CharField(max_length=120)
    job_id = models.UUIDField()
    document = models.JSONField(null=True)
    entry_count = models.PositiveIntegerField()
    bullet_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "author", "-id"], condition=Q(deleted_at=None), name="reporting_of_author")
        ]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "job_id"], name="reporting_report_job"),
            models.CheckConstraint(condition=Q(state__in=ReportState.values), name="reporting_report_state"),
            models.CheckConstraint(condition=Q(kind__in=ReportKind.values), name="reporting_report_kind"),
            models.CheckConstraint(condition=Q(period_from__lte=F("period_to")), name="reporting_report_period"),
            models.CheckConstraint(
                condition=~Q(state=ReportState.READY) | Q(document__isnull=False, finished_at__isnull=False),
                name="reporting_report_ready",
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="transitions",
                field="state",
                transitions=sorted((old.value, new.value) for old, targets in TRANSITIONS.items() for new in targets),
            ),
            pgtrigger.ReadOnly(
                name="wish_is_frozen",
                fields=["tenant", "author", "author_name", "kind", "period_from", "period_to", "job_id", "entry_count"],
            ),
        ]

    def __str__(self) -> str:
        return self.title


class ReportEntry(TenantOwned):
    """One entry of a report in the version that it had. `worklog_id` outlives the entry itself. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    report = models.ForeignKey("reporting.Report", on_delete=models.PROTECT, related_name="entries")
    worklog_id = models.UUIDField()
    version = models.PositiveIntegerField()
    position = models.PositiveIntegerField()
    snapshot = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["report", "position"], name="reporting_entry_position"),
            models.UniqueConstraint(fields=["report", "worklog_id"], name="reporting_entry_once"),
        ]
        triggers = append_only(erasable=True)

    def __str__(self) -> str:
        return f"{self.worklog_id} version {self.version} in {self.report_id}"
