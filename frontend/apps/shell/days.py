"""Days as forms ask for them, and the span of days that a list is narrowed by."""

from collections.abc import Mapping
from typing import Any

from django import forms


def day_field(label: str, *, required: bool = False) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=required, widget=widget, input_formats=["%Y-%m-%d"])


class DaySpanForm(forms.Form):
    """`from` and `to`, both inclusive and optional, after the fields of the subclass."""

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        # `from` is a word of Python, so these two cannot be declared above.
        self.fields["from"] = day_field("From")
        self.fields["to"] = day_field("To")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self.check_days(cleaned)
        return cleaned

    def check_days(self, cleaned: Mapping[str, Any]) -> None:
        first, last = cleaned.get("from"), cleaned.get("to")
        if first and last and last < first:
            self.add_error("to", "The last day lies before the first.")

    @property
    def understood(self) -> dict[str, Any]:
        """What could be understood; a field that could not is left out and shows its error."""
        self.full_clean()
        return {name: value for name, value in self.cleaned_data.items() if name not in self.errors}

    @property
    def is_narrowing(self) -> bool:
        return any(self.data.get(name) for name in self.fields)
