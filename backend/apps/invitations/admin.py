"""Invite passkeys in Django admin: make one, see its raw text once, withdraw what nobody has used."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from apps.common import clock
from apps.common.admin import ReadOnlyAdmin, is_staff
from apps.common.errors import Conflict, Invalid
from apps.common.ids import TenantId
from apps.common.money import MICROS_PER_DOLLAR, format_dollars
from apps.invitations import services
from apps.invitations.models import InvitePasskey
from apps.invitations.selectors import get_state, match_state
from apps.invitations.types import PasskeyState
from apps.tenants.selectors import find_member
from apps.tenants.types import Actor, Role

# Where the domain names a value as the API does, and the form has it under another name.
_FORM_FIELDS = {"promo_credit_cents": "promo_credit"}


class PasskeyForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """The terms of a new key."""

    promo_credit = forms.DecimalField(
        label="Promo credit ($)",
        min_value=0,
        max_digits=11,
        decimal_places=2,
        initial=0,
        widget=UnfoldAdminDecimalFieldWidget,
    )

    class Meta:
        model = InvitePasskey
        fields = ("note", "expires_at", "bound_email", "tenant", "role")

    def clean(self) -> dict[str, Any]:
        super().clean()
        try:
            services.check_terms(**self.read_terms(), now=clock.now())
        except Invalid as error:
            for name, texts in error.fields.items():
                self.add_error(_FORM_FIELDS.get(name, name), texts)
        return self.cleaned_data

    def read_terms(self) -> dict[str, Any]:
        """The form's values as the service takes them."""
        values = self.cleaned_data
        tenant = values.get("tenant")
        return {
            "expires_at": values.get("expires_at"),
            "bound_email": values.get("bound_email") or "",
            "promo_credit_micros": int((values.get("promo_credit") or 0) * MICROS_PER_DOLLAR),
            "tenant": TenantId(tenant.id) if tenant else None,
            "role": Role(values["role"]) if values.get("role") else None,
        }


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state.value, str(state.label)) for state in PasskeyState]

    def queryset(self, request: HttpRequest, queryset: QuerySet[InvitePasskey]) -> QuerySet[InvitePasskey]:
        chosen = self.value()
        if chosen not in PasskeyState.values:
            return queryset
        return queryset.filter(match_state(state=PasskeyState(chosen), now=clock.now()))


def read_actor(request: HttpRequest) -> Actor:
    """The member of staff at the page."""
    member = find_member(user_id=UUID(str(request.user.pk)))
    if member is None:
        raise Conflict("This account belongs to no tenant.")
    return member.as_actor()


@admin.register(InvitePasskey)
class InvitePasskeyAdmin(ReadOnlyAdmin):
    form = PasskeyForm
    actions = ("revoke",)
    list_display = (
        "prefix",
        "state",
        "note",
        "credit",
        "bound_email",
        "expires_at",
        "used_by",
        "used_at",
        "created_at",
    )
    list_filter = (StateFilter,)
    list_select_related = ("used_by",)
    search_fields = ("prefix", "note", "bound_email", "used_by__username")
    ordering = ("-id",)
    # Everything but the digest, which nobody needs to see.
    fields = (
        *("prefix", "state", "note", "credit", "bound_email", "tenant", "role"),
        *("created_by", "created_at", "expires_at", "used_by", "used_at", "revoked_at"),
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_staff(request)

    def get_fields(self, request: HttpRequest, obj: InvitePasskey | None = None) -> Any:
        return self.fields if obj else ("note", "promo_credit", "expires_at", "bound_email", "tenant", "role")

    def get_readonly_fields(self, request: HttpRequest, obj: InvitePasskey | None = None) -> Any:
        return self.fields if obj else ()

    @admin.display(description="state")
    def state(self, passkey: InvitePasskey) -> str:
        return str(get_state(passkey=passkey, now=clock.now()).label)

    @admin.display(description="credit")
    def credit(self, passkey: InvitePasskey) -> str:
        return f"${format_dollars(passkey.promo_credit_micros)}"

    def save_model(self, request: HttpRequest, obj: InvitePasskey, form: PasskeyForm, change: bool) -> None:  # noqa: FBT001 - Django's signature
        view, raw = services.create_passkey(
            actor=read_actor(request), note=form.cleaned_data["note"], **form.read_terms(), now=clock.now()
        )
        obj.pk, obj.prefix = view.id, view.prefix
        self.message_user(
            request, f"Invite passkey: {raw} (copy it now, it is not shown again)", level=messages.WARNING
        )

    @admin.action(description="Revoke the selected invite passkeys")
    def revoke(self, request: HttpRequest, queryset: QuerySet[InvitePasskey]) -> None:
        actor, now, revoked = read_actor(request), clock.now(), 0
        for passkey in queryset:
            try:
                services.revoke_passkey(actor=actor, passkey_id=passkey.id, now=now)
                revoked += 1
            except services.PasskeySpent as error:
                self.message_user(request, f"{passkey.prefix}: {error}", level=messages.ERROR)
        if revoked:
            self.message_user(request, f"Revoked {revoked} invite passkeys.")
