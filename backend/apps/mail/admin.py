"""The outbox for staff: what goes out, to whom only in part, and a failed mail once more."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.common import clock
from apps.common.admin import ReadOnlyAdmin
from apps.mail.models import OutgoingMail
from apps.mail.selectors import mask_address
from apps.mail.services import retry_mail


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ReadOnlyAdmin):
    """The context stays out of sight: it is the person's."""

    actions = ("retry",)
    list_display = ("created_at", "kind", "address", "state", "attempts", "due_at", "sent_at", "last_error")
    list_filter = ("state", "kind")
    search_fields = ("=id", "=user_id", "=key")
    ordering = ("-id",)
    fields = readonly_fields = (
        *("id", "kind", "user_id", "address", "key", "state", "attempts", "last_error"),
        *("created_at", "due_at", "lease_until", "sent_at", "ended_at"),
    )

    @admin.display(description="to")
    def address(self, mail: OutgoingMail) -> str:
        return mask_address(mail.to) or "(forgotten)"

    @admin.action(description="Send failed mails again")
    def retry(self, request: HttpRequest, queryset: QuerySet[OutgoingMail]) -> None:
        actor = UUID(str(request.user.pk))
        retried = [retry_mail(actor=actor, mail_id=mail_id, now=clock.now()) for mail_id in _list_ids(queryset)]
        count = sum(retried)
        self.message_user(request, f"{count} queued again.", level=messages.SUCCESS if count else messages.WARNING)
        if count < len(retried):
            self.message_user(
                request, f"{len(retried) - count} had not failed or are forgotten.", level=messages.WARNING
            )


def _list_ids(queryset: QuerySet[OutgoingMail]) -> list[Any]:
    return list(queryset.order_by("id").values_list("pk", flat=True))
