"""Forms of the money pages. Amounts are typed in dollars."""

from decimal import Decimal
from typing import Any, Final

from django import forms

from apps.backend.billing import BillingProfile, LedgerFilters, PaymentTerms
from apps.backend.usage import UsageFilters
from apps.shell.days import DaySpanForm
from apps.shell.formatting import MICROS_PER_DOLLAR, format_money

KINDS: Final = (
    ("", "All kinds"),
    ("topup", "Top-up"),
    ("auto_topup", "Automatic top-up"),
    ("promo_credit", "Promotional credit"),
    ("usage", "Usage"),
    ("adjustment", "Adjustment"),
    ("refund", "Refund"),
    ("refund_reversed", "Refund that failed"),
    ("dispute_withdrawn", "Dispute: withdrawn"),
    ("dispute_reinstated", "Dispute: reinstated"),
    ("credit_expiry", "Expired credit"),
)
METERS: Final = (
    ("", "Everything"),
    ("llm.tokens", "Language model tokens"),
    ("documents", "Documents"),
    ("exports", "Exports of my data"),
    ("api.calls", "API calls"),
    ("storage.gb_month", "Stored files"),
)
POLICIES: Final = (
    ("block", "Stop at zero", "Work that the available balance does not cover is refused."),
    ("warn", "Warn and go on", "Work goes on a little below zero, down to the floor of your plan, with a warning."),
    (
        "limited",
        "Stop at zero, but for the essential",
        "Work that the available balance does not cover is refused; only essential work goes on to the floor.",
    ),
)
OWN_AMOUNT: Final = "own"
_PRESETS: Final = (10, 25, 50, 100)
_USUAL_PRESET: Final = 25
_CENTS: Final = 100


def dollars_field(label: str, *, help_text: str = "", required: bool = True) -> forms.DecimalField:
    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    return forms.DecimalField(
        label=label,
        help_text=help_text,
        required=required,
        min_value=0,
        max_value=1_000_000,
        decimal_places=2,
        widget=widget,
    )


def dollars_of(micros: int) -> Decimal:
    """For a field. An amount finer than a cent (set through the API) is shown as it is, never rounded behind the
    owner's back."""
    dollars = Decimal(micros) / MICROS_PER_DOLLAR
    cents = dollars.quantize(Decimal("0.01"))
    return cents if cents == dollars else dollars


def micros_of(dollars: Decimal) -> int:
    return int(dollars * MICROS_PER_DOLLAR)


class ReserveForm(forms.Form):
    """When to call the reserve low, what a spend meets at zero, and where mails about money go."""

    threshold = dollars_field("Call the balance low below, in dollars")
    policy = forms.ChoiceField(
        label="When it is used up",
        choices=[(value, label) for value, label, _ in POLICIES],
        required=False,
        widget=forms.RadioSelect,
    )
    billing_email = forms.EmailField(
        label="Billing e-mail", required=False, max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )

    @property
    def changes(self) -> dict[str, Any]:
        """A policy that staff have fixed is not sent by the browser, and not sent on."""
        values = self.cleaned_data
        policy = {"policy": values["policy"]} if values["policy"] else {}
        return {
            "low_balance_threshold_micros": micros_of(values["threshold"]),
            "billing_email": values["billing_email"],
            **policy,
        }


def reserve_values(profile: BillingProfile) -> dict[str, Any]:
    """What the form begins with."""
    return {
        "threshold": dollars_of(profile.low_balance_threshold_micros),
        "policy": profile.policy,
        "billing_email": profile.billing_email,
    }


class AutoTopupForm(forms.Form):
    """How the reserve fills itself up from the saved card."""

    is_on = forms.BooleanField(label="Fill it up by itself", required=False)
    threshold = dollars_field("When available falls below, in dollars")
    amount = dollars_field("Charge, in dollars")
    monthly_cap = dollars_field("At most in a month, in dollars", help_text="Nothing is charged beyond it.")

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        # It shares its page with other forms of money.
        super().__init__(data, auto_id="auto_%s", **kwargs)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        amount, cap = cleaned.get("amount"), cleaned.get("monthly_cap")
        if amount is not None and amount == 0:
            self.add_error("amount", "Say how much.")
        if amount is not None and cap is not None and cap < amount:
            self.add_error("monthly_cap", "This is less than one charge.")
        return cleaned

    @property
    def changes(self) -> dict[str, Any]:
        values = self.cleaned_data
        names = ("threshold", "amount", "monthly_cap")
        amounts = {f"{name}_micros": micros_of(values[name]) for name in names}
        return {"auto_topup": {"is_on": values["is_on"], **amounts}}


def auto_topup_values(profile: BillingProfile) -> dict[str, Any]:
    """What the form begins with."""
    auto = profile.auto_topup
    return {
        "is_on": auto.is_on,
        "threshold": dollars_of(auto.threshold_micros),
        "amount": dollars_of(auto.amount_micros),
        "monthly_cap": dollars_of(auto.monthly_cap_micros),
    }


class DetailsForm(forms.Form):
    """What stands on receipts and invoices from now on; those that there are stay as they are."""

    billing_name = forms.CharField(
        label="Name", max_length=200, required=False, widget=forms.TextInput(attrs={"autocomplete": "organization"})
    )
    billing_address = forms.CharField(
        label="Address",
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "street-address"}),
    )
    tax_id = forms.CharField(
        label="Tax id", max_length=64, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    @property
    def changes(self) -> dict[str, Any]:
        values = self.cleaned_data
        # Browsers send line ends as two characters.
        return {**values, "billing_address": values["billing_address"].replace("\r\n", "\n")}


def details_values(profile: BillingProfile) -> dict[str, Any]:
    """What the form begins with."""
    return {name: getattr(profile, name) for name in ("billing_name", "billing_address", "tax_id")}


class TopupForm(forms.Form):
    """How much to pay: one of some round amounts, or one's own. Without `terms` the bounds are the backend's secret."""

    amount = forms.ChoiceField(label="How much?", widget=forms.RadioSelect)
    own = dollars_field("Your amount, in dollars", required=False)
    saves_card = forms.BooleanField(
        label="Keep this card",
        help_text="Later top-ups are quicker, and the reserve can fill itself up if you switch that on.",
        required=False,
    )

    def __init__(self, data: Any = None, *, terms: PaymentTerms | None = None, **kwargs: Any) -> None:
        super().__init__(data, initial={"amount": str(_USUAL_PRESET)}, **kwargs)
        choices = [(str(amount), f"${amount}") for amount in _PRESETS if _is_payable(amount, terms)]
        self.fields["amount"] = forms.ChoiceField(
            label="How much?", choices=[*choices, (OWN_AMOUNT, "Other")], widget=forms.RadioSelect
        )
        if terms is not None:
            bounds = [
                format_money(cents * (MICROS_PER_DOLLAR // _CENTS)) for cents in (terms.min_cents, terms.max_cents)
            ]
            self.fields["own"].help_text = f"Between {bounds[0]} and {bounds[1]}."

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("amount") == OWN_AMOUNT and not cleaned.get("own") and "own" not in self.errors:
            self.add_error("own", "Say how much.")
        if cleaned.get("amount") != OWN_AMOUNT:
            # Not in sight, so it can be nobody's mistake.
            self.errors.pop("own", None)
        return cleaned

    @property
    def amount_field(self) -> str:
        """Which of the two fields says the amount."""
        return "own" if self.cleaned_data.get("amount") == OWN_AMOUNT else "amount"

    @property
    def amount_cents(self) -> int:
        return int(Decimal(self.cleaned_data[self.amount_field]) * _CENTS)


def _is_payable(dollars: int, terms: PaymentTerms | None) -> bool:
    return terms is None or terms.min_cents <= dollars * _CENTS <= terms.max_cents


class LedgerFilterForm(DaySpanForm):
    kind = forms.ChoiceField(label="Kind", choices=KINDS, required=False)

    @property
    def filters(self) -> LedgerFilters:
        """What could be understood; a field that could not is left out and shows its error."""
        values = self.understood
        return LedgerFilters(kind=values.get("kind", ""), from_day=values.get("from"), to_day=values.get("to"))


class UsageFilterForm(DaySpanForm):
    """`model` and `job` come from links; the page says that they narrow and how to be rid of them."""

    meter = forms.ChoiceField(label="What", choices=METERS, required=False)
    model = forms.CharField(max_length=120, required=False, widget=forms.HiddenInput)
    job = forms.UUIDField(required=False, widget=forms.HiddenInput)

    @property
    def filters(self) -> UsageFilters:
        """What could be understood; a field that could not is left out and shows its error."""
        values = self.understood
        return UsageFilters(
            from_day=values.get("from"),
            to_day=values.get("to"),
            model=values.get("model", ""),
            meter=values.get("meter", ""),
            job=values.get("job"),
        )
