"""What people did, in whose service, under which names, and how each entry read at every save."""

from collections.abc import Mapping
from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.common.db import append_only
from apps.common.ids import uuid7
from apps.common.tenancy import TenantOwned
from apps.worklog import types
from apps.worklog.types import EntryStatus, NameKind, Visibility

_ALIVE = Q(deleted_at=None)


class NamedThing(TenantOwned):
    """A name that entries of one tenant share. The first spelling wins; `name_key` is what makes it unique.

    The key is folded here and not by PostgreSQL's lower(), whose reach depends on the database's locale.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=types.NAME_MAX)
    name_key = models.CharField(max_length=types.NAME_KEY_MAX)

    objects = models.Manager()

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name_key"], name="%(app_label)s_%(class)s_name_key"),
            models.CheckConstraint(
                condition=~Q(name="") & ~Q(name_key=""), name="%(app_label)s_%(class)s_name_not_blank"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Employer(NamedThing):
    """Whom the work was done for."""


class Project(NamedThing):
    """What the work was part of."""


class Tag(NamedThing):
    """A word to find work by."""


MODEL_OF_KIND: Final[Mapping[NameKind, type[NamedThing]]] = {
    NameKind.EMPLOYER: Employer,
    NameKind.PROJECT: Project,
    NameKind.TAG: Tag,
}


class WorkLog(TenantOwned):
    """An entry: one thing that its author did on one day."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    occurred_on = models.DateField()
    title = models.CharField(max_length=types.TITLE_MAX)
    body = models.CharField(max_length=types.BODY_MAX, blank=True)
    employer = models.ForeignKey(Employer, on_delete=models.PROTECT, related_name="+", null=True)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+", null=True)
    role = models.CharField(max_length=types.ROLE_MAX, blank=True)
    tags = models.ManyToManyField(Tag, through="WorkLogTag", related_name="+")
    impact = models.CharField(max_length=types.IMPACT_MAX, blank=True)
    impact_metric = models.CharField(max_length=types.METRIC_MAX, blank=True)
    impact_before = models.DecimalField(max_digits=types.FIGURE_DIGITS, decimal_places=types.FIGURE_PLACES, null=True)
    impact_after = models.DecimalField(max_digits=types.FIGURE_DIGITS, decimal_places=types.FIGURE_PLACES, null=True)
    impact_unit = models.CharField(max_length=types.UNIT_MAX, blank=True)
    hours = models.DecimalField(max_digits=types.HOURS_DIGITS, decimal_places=types.HOURS_PLACES, null=True)
    visibility = models.CharField(max_length=16, choices=Visibility.choices)
    status = models.CharField(max_length=16, choices=EntryStatus.choices)
    version = models.PositiveIntegerField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        # The timeline of the tenant in each of its orders, and one person's own entries of a period for a report.
        indexes = [
            models.Index(
                fields=["tenant", "author", "-occurred_on", "-id"], name="worklog_by_author_day", condition=_ALIVE
            ),
            models.Index(fields=["tenant", "-occurred_on", "-id"], name="worklog_by_tenant_day", condition=_ALIVE),
            models.Index(fields=["tenant", "-created_at", "-id"], name="worklog_by_tenant_written", condition=_ALIVE),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(title__regex=r"\S"), name="worklog_title_not_blank"),
            models.CheckConstraint(condition=Q(version__gte=1), name="worklog_version_from_one"),
            models.CheckConstraint(
                condition=Q(hours=None) | Q(hours__gte=0, hours__lte=types.HOURS_MAX), name="worklog_hours_range"
            ),
            models.CheckConstraint(
                condition=Q(occurred_on__gte=types.FIRST_DAY, occurred_on__lte=types.LAST_DAY),
                name="worklog_day_range",
            ),
            models.CheckConstraint(condition=Q(visibility__in=Visibility.values), name="worklog_visibility"),
            models.CheckConstraint(condition=Q(status__in=EntryStatus.values), name="worklog_status"),
        ]

    def __str__(self) -> str:
        return f"{self.occurred_on} {self.title}"


class WorkLogTag(TenantOwned):
    """An entry carries a tag."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    worklog = models.ForeignKey(WorkLog, on_delete=models.PROTECT, related_name="+")
    tag = models.ForeignKey(Tag, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["worklog", "tag"], name="worklog_tag_once")]

    def __str__(self) -> str:
        return f"{self.tag_id} on {self.worklog_id}"


class WorkLogVersion(TenantOwned):
    """How an entry read after one save. Append-only; erased with its author's data."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    worklog = models.ForeignKey(WorkLog, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    editor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    edited_at = models.DateTimeField()
    snapshot = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["worklog", "version"], name="worklog_version_once"),
            models.CheckConstraint(condition=Q(version__gte=1), name="worklog_version_number"),
        ]
        triggers = append_only(erasable=True)

    def __str__(self) -> str:
        return f"{self.worklog_id} version {self.version}"
