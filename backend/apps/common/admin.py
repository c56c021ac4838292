"""What the pages of Django admin have in common: staff see them, and nothing is changed but by a service."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin


def is_staff(request: HttpRequest) -> bool:
    """Whether the request comes from a member of staff whose account is open."""
    return bool(request.user.is_active and request.user.is_staff)


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Rows that staff look at. Subclasses open what may be done, each act through a service of its app."""

    list_per_page = 50
    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_staff(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_staff(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
