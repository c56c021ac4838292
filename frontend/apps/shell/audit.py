"""The audit's filters, which owners and staff share."""

from collections.abc import Mapping
from typing import Any, Final

from django import forms

from apps.backend.audit import AuditFilters

ORIGINS: Final = (
    ("", "Anywhere"),
    ("api", "Interface and API"),
    ("admin", "Django admin"),
    ("task", "Background work"),
    ("command", "Command line"),
)


class AuditFilterForm(forms.Form):
    q = forms.CharField(label="Words", max_length=100, required=False)
    actor = forms.CharField(label="Who", max_length=150, required=False)
    action = forms.CharField(label="Action", max_length=80, required=False)
    target_kind = forms.CharField(label="Kind of thing", max_length=40, required=False)
    origin = forms.ChoiceField(label="From where", choices=ORIGINS, required=False)

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
    def filters(self) -> AuditFilters:
        """What could be understood; a field that could not is left out and shows its error."""
        self.full_clean()
        values = {name: value for name, value in self.cleaned_data.items() if name not in self.errors}

        def text(name: str) -> str:
            return str(values.get(name) or "")

        return AuditFilters(
            action=text("action"),
            actor=text("actor"),
            target_kind=text("target_kind"),
            target_id=text("target_id"),
            origin=text("origin"),
            q=text("q"),
            tenant=text("tenant"),
            from_day=values.get("from"),
            to_day=values.get("to"),
        )

    @property
    def is_narrowing(self) -> bool:
        return any(self.data.get(name) for name in self.fields)
