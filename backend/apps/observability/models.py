"""What happened: events for the people concerned, audit rows for whoever must answer later."""

from django.db import models

from apps.common.db import append_only
from apps.common.ids import uuid7
from apps.observability.types import Origin


class EventRecord(models.Model):
    """One thing that happened to a subject (a job, say), in words that its owner may read. Append-only;
    erased with its owner's data.

    Lies below tenants, so the tenant and the subject are plain identifiers.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant_id = models.UUIDField(null=True)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.UUIDField()
    name = models.CharField(max_length=80)
    message = models.CharField(max_length=500)
    data = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["subject_id", "id"]), models.Index(fields=["tenant_id", "-id"])]
        triggers = append_only(erasable=True)

    def __str__(self) -> str:
        return f"{self.name} {self.subject_kind} {self.subject_id}"


class AuditEvent(models.Model):
    """Who changed what, for whom, before and after, why and from where. Append-only in the database.

    Lies below tenants and accounts, so all that it names are plain identifiers; names are looked up when it is read.
    `origin` is empty in rows older than the column.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant_id = models.UUIDField(null=True)
    actor_id = models.UUIDField(null=True)
    # Whose view the actor had borrowed: support acts on behalf of the person who let them.
    on_behalf_of_id = models.UUIDField(null=True)
    origin = models.CharField(max_length=16, choices=Origin.choices, blank=True, default="")
    action = models.CharField(max_length=80)
    target_kind = models.CharField(max_length=40)
    target_id = models.CharField(max_length=64)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    address = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()

    class Meta:
        # One index for each way of narrowing the list, each in the list's order; the tenant's own for owners.
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_newest"),
            models.Index(fields=["tenant_id", "-at", "-id"], name="audit_of_tenant"),
            models.Index(fields=["actor_id", "-at", "-id"], name="audit_by_actor"),
            models.Index(fields=["action", "-at", "-id"], name="audit_of_action"),
            models.Index(fields=["target_id", "-at", "-id"], name="audit_of_target"),
        ]
        # When a person goes, who did what to which id stays; the words and the network address do not.
        triggers = append_only(blankable=("before", "after", "reason", "address"))

    def __str__(self) -> str:
        return f"{self.action} {self.target_kind} {self.target_id}"


class Heartbeat(models.Model):
    """When a periodic duty was last done, and how long it may stay undone before somebody must look."""

    # The task's name.
    name = models.CharField(max_length=60, primary_key=True)
    title = models.CharField(max_length=120)
    at = models.DateTimeField()
    allowed_seconds = models.PositiveIntegerField()

    def __str__(self) -> str:
        return self.title
