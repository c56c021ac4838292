"""Work that takes time: a job, and one row for each attempt of each of its steps.

These rows are the truth about what is to be done; the broker only carries hints (see docs/decisions/0001).
"""

from uuid import UUID

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.common.db import append_only, micros_range
from apps.common.ids import uuid7
from apps.common.tenancy import TenantOwned
from apps.orchestration.personal_types import (
    DELETION_STATES,
    EXPORT_STATES,
    OPEN_DELETIONS,
    DeletionScope,
    DeletionState,
    ExportState,
)
from apps.orchestration.types import ACTIVE_JOB_STATES, JobKind, JobState, RunState


class Job(TenantOwned):
    """A piece of work that a person asked for, with what it may cost and what it did cost."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=32, choices=JobKind.choices)
    title = models.CharField(max_length=200)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=16, choices=JobState.choices, default=JobState.QUEUED)
    params = models.JSONField(default=dict)
    # What the work is about (a report, say). The subject's table lies on a lower floor and differs by kind.
    subject_id = models.UUIDField()
    # Null, not empty, without a key: the unique key must not see those rows.
    idempotency_key = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001
    request_hash = models.CharField(max_length=64)
    request_id = models.CharField(max_length=64, blank=True)
    estimate_micros = models.BigIntegerField()
    cost_micros = models.BigIntegerField(default=0)
    retries = models.PositiveSmallIntegerField(default=0)
    error_code = models.CharField(max_length=60, blank=True)
    error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "author", "idempotency_key"], name="orchestration_job_key"),
            models.CheckConstraint(condition=models.Q(state__in=JobState.values), name="orchestration_job_state"),
            micros_range("estimate_micros", name="orchestration_job_estimate", minimum=0),
            micros_range("cost_micros", name="orchestration_job_cost", minimum=0),
        ]
        indexes = [
            models.Index(fields=["tenant", "author", "-id"], name="orchestration_job_of_author"),
            models.Index(
                fields=["tenant", "author"],
                condition=models.Q(state__in=ACTIVE_JOB_STATES),
                name="orchestration_job_active",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id} ({self.state})"


class JobRun(TenantOwned):
    """One attempt of one step. The next attempt is a new row, so that the history stays."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="runs")
    step = models.CharField(max_length=40)
    label = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField()
    attempt = models.PositiveSmallIntegerField(default=1)
    needs = ArrayField(models.CharField(max_length=40), default=list)
    state = models.CharField(max_length=16, choices=RunState.choices, default=RunState.WAITING)
    payload = models.JSONField(default=dict)
    output = models.JSONField(null=True)
    # When the sweeper may send the hint (again); moved on at each dispatch.
    next_dispatch_at = models.DateTimeField(null=True)
    # Until when the worker that claimed this attempt is believed to live.
    lease_until = models.DateTimeField(null=True)
    error_code = models.CharField(max_length=60, blank=True)
    error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "step", "attempt"], name="orchestration_jobrun_attempt"),
            # At most one attempt of a step can be alive, whatever the code believes.
            models.UniqueConstraint(
                fields=["job", "step"],
                condition=models.Q(state__in=[RunState.WAITING, RunState.READY, RunState.RUNNING]),
                name="orchestration_jobrun_one_alive",
            ),
            models.CheckConstraint(condition=models.Q(state__in=RunState.values), name="orchestration_jobrun_state"),
            models.CheckConstraint(
                condition=~models.Q(state=RunState.RUNNING) | models.Q(lease_until__isnull=False),
                name="orchestration_jobrun_running_has_lease",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_dispatch_at"],
                condition=models.Q(state=RunState.READY),
                name="orchestration_jobrun_due",
            ),
            models.Index(
                fields=["lease_until"],
                condition=models.Q(state=RunState.RUNNING),
                name="orchestration_jobrun_leases",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.step} #{self.attempt} of {self.job_id} ({self.state})"


class ScheduledPeriod(models.Model):
    """That a periodic duty was taken up for a period: its key makes two schedulers do it once."""

    name = models.CharField(max_length=60)
    period = models.CharField(max_length=40)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "period"], name="orchestration_scheduled_once")]

    def __str__(self) -> str:
        return f"{self.name} for {self.period}"


class DataExport(TenantOwned):
    """A ZIP of everything that a person has here. The row is written before the file, and outlives it.

    `key` is where the present attempt puts its file; `purged_at` says that nothing lies there (any more).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    user_id: UUID
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="+")
    job_id: UUID
    state = models.CharField(max_length=16, choices=ExportState.choices, default=ExportState.PENDING)
    key = models.CharField(max_length=200, blank=True)
    size_bytes = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    purged_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ExportState.values), name="orchestration_export_state"),
            models.UniqueConstraint(
                fields=["tenant", "user"],
                condition=Q(state=ExportState.PENDING),
                name="orchestration_export_one_pending",
            ),
            models.CheckConstraint(
                condition=~Q(state=ExportState.READY)
                | (
                    Q(size_bytes__isnull=False, ready_at__isnull=False, expires_at__isnull=False)
                    & ~Q(key="", sha256="")
                ),
                name="orchestration_export_ready",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "user", "-id"], name="orchestration_export_of_user"),
            models.Index(fields=["expires_at"], condition=Q(state=ExportState.READY), name="orchestration_export_due"),
            models.Index(
                fields=["id"],
                condition=Q(state__in=[ExportState.EXPIRED, ExportState.FAILED], purged_at=None) & ~Q(key=""),
                name="orchestration_export_unpurged",
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="transitions",
                field="state",
                transitions=sorted(
                    (old.value, new.value) for old, targets in EXPORT_STATES.moves.items() for new in targets
                ),
            )
        ]

    def __str__(self) -> str:
        return f"export {self.id} ({self.state})"


class AccountDeletion(TenantOwned):
    """That a person wants their account deleted, and how far that has come.

    `done` names the steps of the erasure that have been committed, `counts` what they removed.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    user_id: UUID
    state = models.CharField(max_length=16, choices=DeletionState.choices, default=DeletionState.SCHEDULED)
    scope = models.CharField(max_length=16, choices=DeletionScope.choices)
    reason = models.CharField(max_length=500, blank=True)
    requested_at = models.DateTimeField()
    due_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    done = ArrayField(models.CharField(max_length=40), default=list)
    counts = models.JSONField(default=dict)
    # Until when the worker that erases is believed to live.
    lease_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=DeletionState.values), name="orchestration_deletion_state"),
            models.CheckConstraint(condition=Q(scope__in=DeletionScope.values), name="orchestration_deletion_scope"),
            models.UniqueConstraint(
                fields=["user"], condition=Q(state__in=OPEN_DELETIONS), name="orchestration_deletion_one_open"
            ),
            models.CheckConstraint(
                condition=~Q(state=DeletionState.ERASED) | Q(ended_at__isnull=False, reason=""),
                name="orchestration_deletion_erased",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state__in=OPEN_DELETIONS), name="orchestration_deletion_due")
        ]
        triggers = [
            pgtrigger.FSM(
                name="transitions",
                field="state",
                transitions=sorted(
                    (old.value, new.value) for old, targets in DELETION_STATES.moves.items() for new in targets
                ),
            )
        ]

    def __str__(self) -> str:
        return f"deletion {self.id} ({self.state})"


class ErasureCertificate(TenantOwned):
    """What was erased, what is kept, why and until when, without a word about whose it was. Append-only.

    Found by the digest of the token in its link; `sha256` is over the content's canonical JSON.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    deletion = models.OneToOneField(AccountDeletion, on_delete=models.PROTECT, related_name="certificate")
    deletion_id: UUID
    token_digest = models.CharField(max_length=64, unique=True)
    content = models.JSONField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        triggers = append_only()

    def __str__(self) -> str:
        return f"certificate {self.id}"
