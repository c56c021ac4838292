"""People in Django admin. It lives at this edge because making one touches tenants and money as well."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminPasswordWidget

from apps.accounts.services import users
from apps.common import clock
from apps.common.admin import ReadOnlyAdmin, is_staff
from apps.common.errors import Invalid
from apps.invitations.admin import read_actor
from apps.orchestration.signup import create_person
from apps.tenants.services import staff

User = get_user_model()


class NewPersonForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A person with a tenant of their own, without an invite passkey."""

    password = forms.CharField(widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}), strip=False)

    class Meta:
        model = User
        fields = ("username", "email", "password", "is_staff")

    def clean(self) -> dict[str, Any]:
        super().clean()
        values = {name: self.cleaned_data.get(name, "") for name in ("username", "email", "password")}
        try:
            users.check_new_user(**values)
        except Invalid as error:
            for name, texts in error.fields.items():
                if name not in self.errors:
                    self.add_error(name, texts)
        return self.cleaned_data


def is_out_of_reach(request: HttpRequest, person: Any) -> bool:
    """Whether the person is a superuser, to whom other staff can do nothing."""
    return bool(person.is_superuser and not request.user.is_superuser)


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    actions = ("activate", "deactivate")
    list_display = ("username", "email", "display_name", "is_active", "is_staff", "date_joined", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("username", "email", "display_name", "id")
    ordering = ("-id",)
    # Neither the password's hash nor the address, which only its owner can prove.
    fields = ("id", "username", "email", "display_name", "is_active", "is_staff", "date_joined", "last_login")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_staff(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_staff(request) and not (obj is not None and is_out_of_reach(request, obj))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        return super().get_form(request, obj, change, **kwargs, **({} if obj else {"form": NewPersonForm}))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else ("username", "email", "password", "is_staff")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        open_fields = {"display_name"} | ({"is_staff"} if request.user.is_superuser else set())
        if obj is None:
            return () if request.user.is_superuser else ("is_staff",)
        return tuple(name for name in self.fields if name not in open_fields)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        actor, now, values = read_actor(request), clock.now(), form.cleaned_data
        if not change:
            wanted = {name: values[name] for name in ("username", "email", "password")}
            is_new_staff = bool(values.get("is_staff"))
            obj.pk = create_person(actor=actor, **wanted, is_staff=is_new_staff, now=now).user_id
            return
        if "display_name" in form.changed_data:
            staff.rename_person(actor=actor, user_id=obj.pk, display_name=values["display_name"], now=now)
        if "is_staff" in form.changed_data:
            users.set_staff(actor=actor.user_id, user_id=obj.pk, is_staff=values["is_staff"], now=now)

    @admin.action(description="Activate the selected people")
    def activate(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._switch(request, queryset, is_active=True)

    @admin.action(description="Deactivate the selected people (ends their tokens)")
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._switch(request, queryset, is_active=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Any], *, is_active: bool) -> None:
        me = UUID(str(request.user.pk))
        if not is_active and queryset.filter(pk=me).exists():
            self.message_user(request, "You cannot deactivate yourself.", level=messages.ERROR)
            return
        if any(is_out_of_reach(request, person) for person in queryset):
            self.message_user(request, "Only a superuser can do this to a superuser.", level=messages.ERROR)
            return
        for person in queryset:
            users.set_active(actor=me, user_id=person.pk, is_active=is_active, reason="Django admin", now=clock.now())
        self.message_user(request, f"{queryset.count()} people are now {'active' if is_active else 'inactive'}.")
