"""What a person has in this app: read for their export, deleted at their erasure."""

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.common.db import erasing
from apps.common.tenancy import TenantId
from apps.worklog.models import MODEL_OF_KIND, NamedThing, Tag, WorkLog, WorkLogTag, WorkLogVersion
from apps.worklog.types import PLAIN_FIELDS, EntryDraft, NameKind, Visibility

# Rows in memory at once: an entry may be 20,000 characters long.
_CHUNK: Final = 100


def count_entries(*, tenant: TenantId, author: UUID) -> int:
    """How many entries the person has written and not had purged."""
    return _own(tenant, author).count()


def iter_entries(*, tenant: TenantId, author: UUID) -> Iterator[dict[str, Any]]:
    """All entries of the person, deleted ones too, in the order of writing."""
    # As a column: rows with prefetched relations are circles, which stay in memory until they are collected.
    links = WorkLogTag.objects.filter(tag_id=OuterRef("pk"), worklog_id=OuterRef(OuterRef("pk")))
    names = ArraySubquery(Tag.objects.filter(Exists(links)).order_by("name_key").values("name"))
    rows = _own(tenant, author).select_related("employer", "project").annotate(tag_names=names).order_by("id")
    for entry in rows.iterator(chunk_size=_CHUNK):
        draft = EntryDraft(
            employer=entry.employer.name if entry.employer else "",
            project=entry.project.name if entry.project else "",
            tags=tuple(entry.tag_names),
            **{name: getattr(entry, name) for name in PLAIN_FIELDS},
        )
        yield {
            "id": entry.id,
            "version": entry.version,
            **draft.to_snapshot(occurred_on=entry.occurred_on),
            "created_at": entry.created_at,
            "updated_at": entry.updated_at,
            "deleted_at": entry.deleted_at,
        }


def iter_versions(*, tenant: TenantId, author: UUID) -> Iterator[dict[str, Any]]:
    """How each entry of the person read after each save."""
    rows = WorkLogVersion.objects.filter(tenant_id=tenant, worklog__author_id=author).order_by("worklog_id", "version")
    for row in rows.iterator(chunk_size=_CHUNK):
        yield {
            "entry_id": row.worklog_id,
            "version": row.version,
            "edited_at": row.edited_at,
            "content": row.snapshot,
        }


def iter_names(*, tenant: TenantId, author: UUID, kind: NameKind) -> Iterator[dict[str, Any]]:
    """The employers, projects or tags that the person's entries carry."""
    used = Exists(_uses(kind, tenant=tenant).filter(author_id=author))
    rows: QuerySet[Any] = MODEL_OF_KIND[kind].objects.filter(used, tenant_id=tenant)
    for row in rows.order_by("name_key").iterator(chunk_size=500):
        yield {"id": row.id, "name": row.name}


def _own(tenant: TenantId, author: UUID) -> QuerySet[WorkLog]:
    return WorkLog.objects.filter(tenant_id=tenant, author_id=author)


def _uses(kind: NameKind, *, tenant: TenantId) -> QuerySet[WorkLog]:
    """The entries of the tenant that carry the name of the outer query."""
    entries = WorkLog.objects.filter(tenant_id=tenant)
    if kind is NameKind.TAG:
        links = WorkLogTag.objects.filter(tag_id=OuterRef(OuterRef("pk")), worklog_id=OuterRef("pk"))
        return entries.filter(Exists(links))
    return entries.filter(**{kind.value: OuterRef("pk")})


def list_tenants_of(*, author: UUID) -> list[TenantId]:
    """Every tenant in which the person has written anything. Crosses tenants: for an erasure alone."""
    return [
        TenantId(row) for row in WorkLog.objects.filter(author_id=author).values_list("tenant_id", flat=True).distinct()
    ]


@transaction.atomic
def erase_entries(*, tenant: TenantId, author: UUID | None, is_private_only: bool, limit: int) -> list[UUID]:
    """Deletes so many of the person's entries, or of everybody's, with their history, and says which.

    Empty: all are gone. An employer, project or tag that no other entry carries goes with them.
    """
    wanted = WorkLog.objects.filter(tenant_id=tenant)
    if author is not None:
        wanted = wanted.filter(author_id=author)
    if is_private_only:
        wanted = wanted.filter(visibility=Visibility.PRIVATE)
    entries = list(wanted.order_by("id")[:limit])
    if not entries:
        return []
    names = _names_of(entries)
    with erasing():
        WorkLogVersion.objects.filter(tenant_id=tenant, worklog__in=entries).delete()
    WorkLogTag.objects.filter(tenant_id=tenant, worklog__in=entries).delete()
    WorkLog.objects.filter(tenant_id=tenant, pk__in=[entry.pk for entry in entries]).delete()
    for kind, ids in names.items():
        _unused(kind, tenant=tenant).filter(pk__in=ids).delete()
    return [entry.pk for entry in entries]


def _names_of(entries: list[WorkLog]) -> dict[NameKind, set[UUID]]:
    tags = WorkLogTag.objects.filter(worklog__in=entries).values_list("tag_id", flat=True)
    return {
        NameKind.EMPLOYER: {entry.employer_id for entry in entries if entry.employer_id},
        NameKind.PROJECT: {entry.project_id for entry in entries if entry.project_id},
        NameKind.TAG: set(tags),
    }


def _unused(kind: NameKind, *, tenant: TenantId) -> QuerySet[NamedThing]:
    return MODEL_OF_KIND[kind].objects.filter(~Exists(_uses(kind, tenant=tenant)), Q(tenant_id=tenant))


@transaction.atomic
def erase_names(*, tenant: TenantId) -> int:
    """Deletes the employers, projects and tags of a tenant that no entry carries; how many there were."""
    return sum(_unused(kind, tenant=tenant).delete()[0] for kind in NameKind)
