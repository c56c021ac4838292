"""Forms of reporting."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms

from apps.reporting.periods import CHOICES, CUSTOM, Period, named_period
from apps.shell.days import DaySpanForm


class PeriodForm(DaySpanForm):
    """Which days. The two day fields count only for "Other days"; for the rest they show what was chosen."""

    period = forms.ChoiceField(label="Period", choices=CHOICES)

    def check_days(self, cleaned: Mapping[str, Any]) -> None:
        if cleaned.get("period") != CUSTOM:
            return
        for name in ("from", "to"):
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, "Choose a day.")
        super().check_days(cleaned)

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
