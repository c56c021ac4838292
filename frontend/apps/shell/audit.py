"""The audit's filters, which owners and staff share."""

from typing import Final

from django import forms

from apps.backend.audit import AuditFilters
from apps.shell.days import DaySpanForm

ORIGINS: Final = (
    ("", "Anywhere"),
    ("api", "Interface and API"),
    ("admin", "Django admin"),
    ("task", "Background work"),
    ("command", "Command line"),
)


class AuditFilterForm(DaySpanForm):
    q = forms.CharField(label="Words", max_length=100, required=False)
    actor = forms.CharField(label="Who", max_length=150, required=False)
    action = forms.CharField(label="Action", max_length=80, required=False)
    target_kind = forms.CharField(label="Kind of thing", max_length=40, required=False)
    origin = forms.ChoiceField(label="From where", choices=ORIGINS, required=False)

    @property
    def filters(self) -> AuditFilters:
        """What could be understood; a field that could not is left out and shows its error."""
        values = self.understood

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
