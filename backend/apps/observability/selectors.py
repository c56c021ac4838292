"""Reading what happened."""

from uuid import UUID

from django.db.models import QuerySet

from apps.observability.models import EventRecord


def list_events(*, tenant: UUID, subject_id: UUID) -> QuerySet[EventRecord]:
    """What happened to one subject of the tenant, oldest first."""
    return EventRecord.objects.filter(tenant_id=tenant, subject_id=subject_id).order_by("id")
