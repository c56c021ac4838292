"""What happened, for staff to read."""

from django.contrib import admin

from apps.common import clock
from apps.common.admin import ReadOnlyAdmin
from apps.observability.heartbeats import is_late
from apps.observability.models import AuditEvent, EventRecord, Heartbeat


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "action", "target_kind", "target_id", "actor_id", "tenant_id", "reason")
    list_filter = ("action", "target_kind")
    search_fields = ("target_id", "actor_id", "tenant_id", "request_id")
    ordering = ("-id",)


@admin.register(EventRecord)
class EventRecordAdmin(ReadOnlyAdmin):
    list_display = ("at", "name", "subject_kind", "subject_id", "message")
    list_filter = ("name",)
    search_fields = ("subject_id", "tenant_id", "request_id")
    ordering = ("-id",)


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    list_display = ("title", "at", "allowed_seconds", "in_time")
    ordering = ("title",)

    @admin.display(boolean=True, description="in time")
    def in_time(self, beat: Heartbeat) -> bool:
        return not is_late(beat, now=clock.now())
