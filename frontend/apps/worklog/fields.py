"""The fields that quick add and the edit form share: how they are asked for and how an entry's values fill them."""

from decimal import Decimal
from typing import Any, Final

from django import forms

from apps.backend.worklogs import Entry

# Ids of the lists of known names (partials/suggestions.html). Quick add opens over pages that have such lists too, so
# it has its own.
PAGE_LISTS: Final = "known"
QUICK_LISTS: Final = "quick"

VISIBILITIES: Final = (("private", "Only me"), ("team", "Everyone in my tenant"))
STATUSES: Final = (("final", "Final"), ("draft", "Draft"))


class TagsField(forms.CharField):
    """Words separated by commas, with or without #; the value is a tuple without repetitions."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False,
            max_length=2000,
            widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "billing, python"}),
            **kwargs,
        )

    def to_python(self, value: Any) -> Any:
        return tuple(read_tags(super().to_python(value) or ""))

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, tuple | list) else value

    def run_validators(self, value: Any) -> None:
        super().run_validators(", ".join(value))


def read_tags(text: str) -> list[str]:
    """The tags in `text`, first spelling first."""
    found: dict[str, str] = {}
    for part in text.split(","):
        tag = " ".join(part.split()).lstrip("#").strip()
        if tag:
            found.setdefault(tag.casefold(), tag)
    return list(found.values())


def name_field(label: str, *, kind: str, lists: str = PAGE_LISTS) -> forms.CharField:
    """A name that is made when it is new. The datalist `<lists>-<kind>` on the page suggests known ones."""
    widget = forms.TextInput(attrs={"list": f"{lists}-{kind}", "autocomplete": "off"})
    return forms.CharField(label=label, required=False, max_length=80, widget=widget)


def hours_field() -> forms.DecimalField:
    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    return forms.DecimalField(
        label="Hours", required=False, min_value=0, max_value=1000, max_digits=6, decimal_places=2, widget=widget
    )


def figure_field(label: str) -> forms.DecimalField:
    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    return forms.DecimalField(label=label, required=False, max_digits=20, decimal_places=6, widget=widget)


def text_field(label: str, *, max_length: int) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=max_length)


def long_field(label: str, *, max_length: int, rows: int, help_text: str = "") -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, required=False, max_length=max_length, widget=widget, help_text=help_text)


def shown_decimal(value: Decimal | None) -> str:
    """Without the zeros that the database pads with: 2.00 -> 2, 1200 -> 1200."""
    if value is None:
        return ""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def values_of(entry: Entry) -> dict[str, Any]:
    """An entry's values as the edit form begins with them."""
    return {
        "title": entry.title,
        "occurred_on": entry.occurred_on,
        "body": entry.body,
        "employer": entry.employer,
        "project": entry.project,
        "role": entry.role,
        "tags": entry.tags,
        "impact": entry.impact,
        "impact_metric": entry.impact_metric,
        "impact_before": shown_decimal(entry.impact_before),
        "impact_after": shown_decimal(entry.impact_after),
        "impact_unit": entry.impact_unit,
        "hours": shown_decimal(entry.hours),
        "visibility": entry.visibility,
        "status": entry.status,
    }
