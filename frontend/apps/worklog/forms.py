"""Forms of the worklog. The backend decides what is acceptable; these read what was typed."""

from collections.abc import Mapping
from typing import Any

from django import forms

from apps.backend.worklogs import EntryDraft, EntryFilters
from apps.shell.days import DaySpanForm, day_field
from apps.worklog.fields import (
    QUICK_LISTS,
    STATUSES,
    VISIBILITIES,
    TagsField,
    figure_field,
    hours_field,
    long_field,
    name_field,
    text_field,
)


class QuickAddForm(forms.Form):
    """The shortest way to an entry. `title` may be a whole line with marks unless `is_verbatim`."""

    title = forms.CharField(
        label="What you did",
        max_length=1000,
        help_text="One line is enough; all else is optional.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "placeholder": "Cut invoice run from 40 to 6 min @acme #billing !2h"}
        ),
    )
    occurred_on = day_field("Day")
    hours = hours_field()
    employer = name_field("Employer", kind="employers", lists=QUICK_LISTS)
    project = name_field("Project", kind="projects", lists=QUICK_LISTS)
    tags = TagsField(label="Tags", help_text="Separated by commas.")
    impact = long_field("Impact", max_length=1000, rows=2, help_text="What changed because of it?")
    is_verbatim = forms.BooleanField(label="Save the line exactly as I typed it", required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        # It opens over pages with forms of their own: its ids must not be theirs.
        super().__init__(data, auto_id="quick_%s", **kwargs)

    def draft(self) -> EntryDraft:
        """The entry as the fields say it; only for a valid form."""
        values = {name: value for name, value in self.cleaned_data.items() if name != "is_verbatim"}
        return EntryDraft(**values)


class EntryForm(forms.Form):
    """Everything that an entry can say."""

    title = forms.CharField(label="What you did", max_length=200)
    occurred_on = day_field("Day", required=True)
    hours = hours_field()
    employer = name_field("Employer", kind="employers")
    project = name_field("Project", kind="projects")
    role = text_field("Role", max_length=120)
    tags = TagsField(label="Tags", help_text="Separated by commas.")
    body = long_field("Notes", max_length=20_000, rows=10, help_text="Markdown: **bold**, lists, links, `code`.")
    impact = long_field("Impact", max_length=1000, rows=3, help_text="What changed because of it?")
    impact_metric = text_field("Measure", max_length=80)
    impact_before = figure_field("Before")
    impact_after = figure_field("After")
    impact_unit = text_field("Unit", max_length=40)
    visibility = forms.ChoiceField(label="Who sees it", choices=VISIBILITIES)
    status = forms.ChoiceField(label="Status", choices=STATUSES)

    def draft(self) -> EntryDraft:
        """The entry as the fields say it; only for a valid form."""
        return EntryDraft(**self.cleaned_data)


class FilterForm(DaySpanForm):
    """What the timeline can be narrowed by; the parameters are the API's."""

    q = forms.CharField(
        label="Text",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Search titles, notes, impact"}),
    )
    employer = name_field("Employer", kind="employers")
    project = name_field("Project", kind="projects")
    tag = name_field("Tag", kind="tags")
    lacks_impact = forms.BooleanField(label="Lacks impact", required=False)

    @property
    def filters(self) -> EntryFilters:
        """What could be understood; a field that could not is left out and shows its error."""
        values = self.understood
        return EntryFilters(
            q=values.get("q", ""),
            from_day=values.get("from"),
            to_day=values.get("to"),
            employer=values.get("employer", ""),
            project=values.get("project", ""),
            tag=values.get("tag", ""),
            lacks_impact=True if values.get("lacks_impact") else None,
        )

    @property
    def query(self) -> dict[str, str]:
        """The parameters in use, for the page's address."""
        return {name: str(self.data[name]) for name in self.fields if self.data.get(name)}
