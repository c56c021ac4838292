"""Forms of the tenant's pages."""

from datetime import datetime, timedelta
from typing import Any, Final

from django import forms

ROLES: Final = (("member", "Member"), ("owner", "Owner"))
VALIDITIES: Final = ((1, "one day"), (7, "a week"), (30, "30 days"), (0, "until it is revoked"))
MINUTES: Final = ((30, "30 minutes"), (60, "one hour"), (240, "four hours"), (1440, "one day"))
SCOPES: Final = ("worklog", "reports", "billing")


class TenantNameForm(forms.Form):
    name = forms.CharField(max_length=150, help_text="Everybody in the tenant sees it.")


class RoleForm(forms.Form):
    """The role stands in the form, so that a page that was open for long changes nothing else than it said."""

    role = forms.ChoiceField(choices=ROLES, widget=forms.HiddenInput)


class InviteForm(forms.Form):
    role = forms.ChoiceField(
        choices=ROLES, initial="member", help_text="Owners run the tenant: people, money, settings. Members work in it."
    )
    note = forms.CharField(
        label="Who is it for?", max_length=200, required=False, help_text="To tell one invitation from another."
    )
    bound_email = forms.EmailField(
        label="Only for this e-mail address",
        max_length=254,
        required=False,
        help_text="Then nobody can use the key with another address.",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    days = forms.TypedChoiceField(label="Valid for", choices=VALIDITIES, coerce=int, initial=7)

    def expires_at(self, *, now: datetime) -> datetime | None:
        """When the key ends; None for one that has no end."""
        days: int = self.cleaned_data["days"]
        return now + timedelta(days=days) if days else None


class GrantForm(forms.Form):
    reason = forms.CharField(
        label="What should they look at?",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="A sentence or two: it is what support starts from.",
    )
    worklog = forms.BooleanField(label="Worklog: the entries that you see", required=False)
    reports = forms.BooleanField(label="Reports and jobs", required=False)
    billing = forms.BooleanField(label="Billing: reserve, ledger, usage", required=False)
    minutes = forms.TypedChoiceField(label="For how long", choices=MINUTES, coerce=int, initial=60)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not any(cleaned.get(scope) for scope in SCOPES):
            self.add_error("billing", "Choose at least one area.")
        return cleaned

    @property
    def scopes(self) -> tuple[str, ...]:
        return tuple(scope for scope in SCOPES if self.cleaned_data[scope])


class DeleteForm(forms.Form):
    confirm = forms.CharField(
        label="Your username",
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    reason = forms.CharField(
        label="Why do you leave?",
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="It is erased with the account.",
    )
    accept_balance_loss = forms.BooleanField(label="I accept that the rest of my reserve is lost", required=False)

    def __init__(self, *args: Any, has_balance: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_balance:
            del self.fields["accept_balance_loss"]
