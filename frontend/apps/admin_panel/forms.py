"""Forms of the staff pages."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django import forms

from apps.backend.staff import PasskeyTerms
from apps.shell.acts import ReasonForm
from apps.shell.audit import AuditFilterForm

YES_NO: Final = (("", "Either"), ("true", "Yes"), ("false", "No"))
STATES: Final = (
    ("", "All"),
    ("active", "Active"),
    ("used", "Used"),
    ("expired", "Expired"),
    ("revoked", "Revoked"),
)
VALIDITIES: Final = ((7, "a week"), (30, "30 days"), (90, "90 days"), (0, "until it is revoked"))
_CENTS: Final = 100
MAX_CREDIT_DOLLARS: Final = 10_000


class UserFilterForm(forms.Form):
    q = forms.CharField(label="Name or e-mail", max_length=254, required=False)
    is_active = forms.ChoiceField(label="Active", choices=YES_NO, required=False)
    is_staff = forms.ChoiceField(label="Staff", choices=YES_NO, required=False)

    def flag(self, name: str) -> bool | None:
        """True, False, or None for either."""
        return {"true": True, "false": False}.get(self._value(name))

    @property
    def words(self) -> str:
        return self._value("q")

    def _value(self, name: str) -> str:
        self.full_clean()
        return str(self.cleaned_data.get(name) or "")


class TenantFilterForm(forms.Form):
    q = forms.CharField(label="Name or id", max_length=150, required=False)


class PasskeyFilterForm(forms.Form):
    state = forms.ChoiceField(label="State", choices=STATES, required=False)

    @property
    def chosen(self) -> str:
        self.full_clean()
        return str(self.cleaned_data.get("state") or "")


class StaffAuditFilterForm(AuditFilterForm):
    tenant = forms.UUIDField(label="Tenant (id)", required=False)


class UserChangeForm(ReasonForm):
    """What is to be stands in the form, so that a page that was open for long changes nothing else than it said."""

    value = forms.TypedChoiceField(
        choices=(("on", "on"), ("off", "off")), coerce=lambda text: text == "on", widget=forms.HiddenInput
    )


class PasskeyForm(forms.Form):
    note = forms.CharField(label="Note", max_length=200, required=False, help_text="Who it is for, or why.")
    bound_email = forms.EmailField(
        label="Only for this e-mail address",
        max_length=254,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    days = forms.TypedChoiceField(label="Valid for", choices=VALIDITIES, coerce=int, initial=30)
    credit = forms.DecimalField(
        label="Credit, in dollars",
        min_value=0,
        max_value=MAX_CREDIT_DOLLARS,
        decimal_places=2,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    tenant = forms.UUIDField(
        label="Into the tenant (id)", required=False, help_text="Empty: the key opens a tenant of its own."
    )
    role = forms.ChoiceField(
        label="As", choices=(("", "owner of a new tenant"), ("member", "member"), ("owner", "owner")), required=False
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "tenant" in self.errors:
            return cleaned
        if cleaned.get("tenant") and not cleaned.get("role"):
            self.add_error("role", "Choose the role in that tenant.")
        if cleaned.get("role") and not cleaned.get("tenant"):
            self.add_error("tenant", "Name the tenant that the role is in.")
        return cleaned

    def terms(self, *, now: datetime) -> PasskeyTerms:
        """What the key gives."""
        values = self.cleaned_data
        credit: Decimal = values["credit"] or Decimal(0)
        days: int = values["days"]
        return PasskeyTerms(
            note=values["note"],
            bound_email=values["bound_email"],
            expires_at=now + timedelta(days=days) if days else None,
            promo_credit_cents=int(credit * _CENTS),
            tenant=values["tenant"],
            role=values["role"] or None,
        )
