"""Forms of the money pages."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from django import forms

from apps.backend.billing import BillingProfile, LedgerFilters
from apps.shell.formatting import MICROS_PER_DOLLAR

# The kinds of entry that can exist so far.
KINDS: Final = (
    ("", "All kinds"),
    ("usage", "Usage"),
    ("promo_credit", "Promotional credit"),
    ("adjustment", "Adjustment"),
)


class ReserveForm(forms.Form):
    """When to call the reserve low, and where mails about money go. The threshold is in dollars here."""

    threshold = forms.DecimalField(
        label="Call the balance low below, in dollars",
        min_value=0,
        max_value=1_000_000,
        decimal_places=2,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    billing_email = forms.EmailField(
        label="Billing e-mail", required=False, max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )

    @property
    def threshold_micros(self) -> int:
        dollars: Decimal = self.cleaned_data["threshold"]
        return int(dollars * MICROS_PER_DOLLAR)


def reserve_values(profile: BillingProfile) -> dict[str, Any]:
    """What the form begins with."""
    dollars = Decimal(profile.low_balance_threshold_micros) / MICROS_PER_DOLLAR
    cents = dollars.quantize(Decimal("0.01"))
    # A threshold finer than a cent (set through the API) is shown as it is, never rounded behind the owner's back.
    return {"threshold": cents if cents == dollars else dollars, "billing_email": profile.billing_email}


class LedgerFilterForm(forms.Form):
    kind = forms.ChoiceField(label="Kind", choices=KINDS, required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        # `from` is a word of Python, so these two cannot be declared above.
        for name, label in (("from", "From"), ("to", "To")):
            widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
            self.fields[name] = forms.DateField(label=label, required=False, widget=widget, input_formats=["%Y-%m-%d"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        first, last = cleaned.get("from"), cleaned.get("to")
        if first and last and last < first:
            self.add_error("to", "The last day lies before the first.")
        return cleaned

    @property
    def filters(self) -> LedgerFilters:
        """What could be understood; a field that could not is left out and shows its error."""
        self.full_clean()
        values = {name: value for name, value in self.cleaned_data.items() if name not in self.errors}
        return LedgerFilters(kind=values.get("kind", ""), from_day=values.get("from"), to_day=values.get("to"))

    @property
    def is_narrowing(self) -> bool:
        return any(self.data.get(name) for name in self.fields)
