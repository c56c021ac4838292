"""Forms of staff's money pages. Amounts are typed in dollars."""

from decimal import Decimal
from typing import Any, Final

from django import forms

from apps.backend.staff_billing import StaffPayment
from apps.shell.acts import ReasonForm
from apps.shell.days import DaySpanForm
from apps.shell.formatting import MICROS_PER_DOLLAR, format_money

PAYMENT_STATES: Final = (
    ("", "All"),
    ("succeeded", "Paid"),
    ("open", "Not paid yet"),
    ("ambiguous", "Being looked up"),
    ("needs_customer", "Waits for the customer"),
    ("failed", "Declined"),
    ("canceled", "Canceled"),
    ("created", "Created"),
)
EVENT_STATES: Final = (
    ("", "All"),
    ("parked", "Parked"),
    ("failed", "Failed for now"),
    ("received", "Received"),
    ("done", "Done"),
    ("ignored", "Of no interest"),
)
POLICIES: Final = (
    ("", "Leave it as it is"),
    ("block", "Stop at zero"),
    ("warn", "Warn and go on, down to the floor"),
    ("limited", "Stop at zero, but for the essential"),
)
FIXED: Final = (("", "Leave it as it is"), ("true", "Only staff"), ("false", "The owner"))
_MICROS_PER_CENT: Final = MICROS_PER_DOLLAR // 100
_MAX_DOLLARS: Final = 100_000


def _dollars(label: str, **options: Any) -> forms.DecimalField:
    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    return forms.DecimalField(label=label, widget=widget, **options)


class PaymentFilterForm(forms.Form):
    state = forms.ChoiceField(label="State", choices=PAYMENT_STATES, required=False)
    tenant = forms.UUIDField(label="Tenant (id)", required=False)

    @property
    def filters(self) -> dict[str, Any]:
        """What could be understood; a field that could not is left out and shows its error."""
        self.full_clean()
        return {"state": self.cleaned_data.get("state") or "", "tenant": self.cleaned_data.get("tenant")}


class EventFilterForm(forms.Form):
    state = forms.ChoiceField(label="State", choices=EVENT_STATES, required=False)
    type = forms.CharField(label="Type, in full", max_length=100, required=False)

    @property
    def filters(self) -> dict[str, str]:
        self.full_clean()
        return {"state": self.cleaned_data.get("state") or "", "kind": self.cleaned_data.get("type") or ""}


class LedgerExportForm(DaySpanForm):
    tenant = forms.UUIDField(label="Tenant (id)", required=False)

    @property
    def filters(self) -> dict[str, Any]:
        values = self.understood
        return {"tenant": values.get("tenant"), "from_day": values.get("from"), "to_day": values.get("to")}


class RefundForm(ReasonForm):
    """How much of a payment to give back. The client's own check: the backend decides under its lock."""

    amount = _dollars("Amount, in dollars", min_value=Decimal("0.01"), decimal_places=2, required=False)
    field_order = ("amount", "reason")

    def __init__(self, *args: Any, payment: StaffPayment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._left = payment.left_micros
        self.fields["amount"].help_text = f"Empty: all that is left, {format_money(self._left)}."

    def clean_amount(self) -> Decimal | None:
        amount: Decimal | None = self.cleaned_data["amount"]
        if amount is not None and amount * MICROS_PER_DOLLAR > self._left:
            raise forms.ValidationError(f"Only {format_money(self._left)} are left of this payment.")
        return amount

    @property
    def amount_cents(self) -> int | None:
        amount: Decimal | None = self.cleaned_data["amount"]
        return None if amount is None else int(amount * 100)


class AdjustForm(ReasonForm):
    """A signed amount. `confirmed` is the amount that was read back and said yes to; another one is read back again."""

    amount = _dollars(
        "Amount, in dollars",
        min_value=-_MAX_DOLLARS,
        max_value=_MAX_DOLLARS,
        decimal_places=6,
        help_text="With a minus it is taken from the reserve.",
    )
    confirmed = forms.CharField(required=False, widget=forms.HiddenInput)
    field_order = ("amount", "reason", "confirmed")

    def clean_amount(self) -> Decimal:
        amount: Decimal = self.cleaned_data["amount"]
        if amount == 0:
            raise forms.ValidationError("Zero changes nothing.")
        return amount

    @property
    def amount_micros(self) -> int:
        return int(self.cleaned_data["amount"] * MICROS_PER_DOLLAR)

    @property
    def is_confirmed(self) -> bool:
        return bool(self.cleaned_data["confirmed"] == str(self.amount_micros))


class ConfirmAdjustForm(forms.Form):
    """What was typed, carried along while it is read back."""

    amount = forms.CharField(widget=forms.HiddenInput)
    reason = forms.CharField(widget=forms.HiddenInput)
    confirmed = forms.CharField(widget=forms.HiddenInput)


class PolicyForm(ReasonForm):
    policy = forms.ChoiceField(label="When the reserve is used up", choices=POLICIES, required=False)
    floor = _dollars(
        "Floor, in dollars",
        min_value=-_MAX_DOLLARS,
        max_value=0,
        decimal_places=2,
        required=False,
        help_text="How far below zero work may go, as -5. Empty: as it is.",
    )
    fixed = forms.ChoiceField(label="Who may change the policy", choices=FIXED, required=False)
    field_order = ("policy", "floor", "fixed", "reason")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not self._changes_of(cleaned):
            raise forms.ValidationError("Nothing would change.")
        return cleaned

    @property
    def changes(self) -> dict[str, Any]:
        return self._changes_of(self.cleaned_data)

    def _changes_of(self, values: dict[str, Any]) -> dict[str, Any]:
        changes: dict[str, Any] = {"policy": values["policy"]} if values.get("policy") else {}
        if values.get("floor") is not None:
            changes["floor_micros"] = int(values["floor"] * MICROS_PER_DOLLAR)
        if values.get("fixed"):
            changes["is_policy_fixed"] = values["fixed"] == "true"
        return changes
