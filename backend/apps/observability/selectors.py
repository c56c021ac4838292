"""Reading what happened. Whoever calls decides who may read it."""

from uuid import UUID

from django.db.models import Q, QuerySet

from apps.observability.models import AuditEvent, EventRecord
from apps.observability.types import AuditFilters


def list_events(*, tenant: UUID, subject_id: UUID) -> QuerySet[EventRecord]:
    """What happened to one subject of the tenant, oldest first."""
    return EventRecord.objects.filter(tenant_id=tenant, subject_id=subject_id).order_by("id")


def list_audit(*, tenant: UUID | None, filters: AuditFilters) -> QuerySet[AuditEvent]:
    """The audit of one tenant, or with None of the whole house, newest first."""
    wanted = Q() if tenant is None else Q(tenant_id=tenant)
    exact = {
        "action": filters.action,
        "actor_id": filters.actor_id,
        "target_kind": filters.target_kind,
        "target_id": filters.target_id,
        "origin": filters.origin,
        "at__gte": filters.since,
        "at__lt": filters.before,
    }
    for name, value in exact.items():
        if value:
            wanted &= Q(**{name: value})
    for word in filters.words.split():
        wanted &= Q(action__icontains=word) | Q(reason__icontains=word) | Q(target_kind__icontains=word)
    return AuditEvent.objects.filter(wanted).order_by("-at", "-id")
