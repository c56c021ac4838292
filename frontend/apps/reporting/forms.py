"""Forms of reporting."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms

from apps.reporting.periods import CHOICES, CUSTOM, Period, named_period


class PeriodForm(forms.Form):
    """Which days. The two day fields count only for "Other days"; for the rest they show what was chosen."""

    period = forms.ChoiceField(label="Period", choices=CHOICES)

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        # `from` is a word of Python, so these two cannot be declared above.
        for name, label in (("from", "From"), ("to", "To")):
            widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
            self.fields[name] = forms.DateField(label=label, required=False, widget=widget, input_formats=["%Y-%m-%d"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("period") != CUSTOM:
            return cleaned
        for name in ("from", "to"):
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, "Choose a day.")
        first, last = cleaned.get("from"), cleaned.get("to")
        if first and last and last < first:
            self.add_error("to", "The last day lies before the first.")
        return cleaned

    def chosen(self, *, today: date) -> Period | None:
        """The days meant; None when they are not clear, which the form's errors then explain."""
        name = self.cleaned_data.get("period", "") if self.is_valid() or self.is_bound else ""
        if name != CUSTOM:
            return named_period(name, today=today)
        if self.errors:
            return None
        return Period(first=self.cleaned_data["from"], last=self.cleaned_data["to"])


def period_form(data: Mapping[str, Any], *, today: date) -> tuple[PeriodForm, Period | None]:
    """The form for `data`, this quarter to begin with; its day fields show the days of a named period."""
    sent = {name: data.get(name, "") for name in ("period", "from", "to")}
    form = PeriodForm(sent if sent["period"] else {"period": CHOICES[0][0]})
    period = form.chosen(today=today)
    if period is None:
        return form, None
    days = {"from": period.first.isoformat(), "to": period.last.isoformat()}
    return PeriodForm({**form.data, **days}), period


class RenameForm(forms.Form):
    title = forms.CharField(label="Title", max_length=200)
