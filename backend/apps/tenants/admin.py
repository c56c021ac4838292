"""Customers and the people in them, for staff to read."""

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.tenants.models import Profile, Tenant


@admin.register(Tenant)
class TenantAdmin(ReadOnlyAdmin):
    list_display = ("name", "id", "created_at")
    search_fields = ("name", "id")
    ordering = ("-id",)


@admin.register(Profile)
class ProfileAdmin(ReadOnlyAdmin):
    list_display = ("user", "tenant", "role", "time_zone", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "tenant")
    search_fields = ("user__username", "user__email", "tenant__name")
    ordering = ("-id",)
