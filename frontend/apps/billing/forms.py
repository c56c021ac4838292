"""Forms of the money pages."""

from decimal import Decimal
from typing import Any, Final

from django import forms

from apps.backend.billing import BillingProfile, LedgerFilters
from apps.shell.days import DaySpanForm
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


class LedgerFilterForm(DaySpanForm):
    kind = forms.ChoiceField(label="Kind", choices=KINDS, required=False)

    @property
    def filters(self) -> LedgerFilters:
        """What could be understood; a field that could not is left out and shows its error."""
        values = self.understood
        return LedgerFilters(kind=values.get("kind", ""), from_day=values.get("from"), to_day=values.get("to"))
