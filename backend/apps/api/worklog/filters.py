"""What the timeline can be narrowed by, and its orders."""

from collections import OrderedDict
from typing import Any

from django import forms
from django.db.models import F, QuerySet
from django_filters import rest_framework as filters

from apps.worklog import selectors, types
from apps.worklog.models import WorkLog
from apps.worklog.types import EntryStatus, Ordering, fold_name

Entries = QuerySet[WorkLog]


class NameFilter(filters.CharFilter):
    """The name of an employer, a project or a tag, in whatever spelling."""

    def filter(self, qs: Entries, value: str) -> Entries:
        if not value:
            return qs
        # Saying the tenant again lets PostgreSQL find the name by the index that makes it unique.
        return qs.filter(
            **{f"{self.field_name}__name_key": fold_name(value), f"{self.field_name}__tenant": F("tenant")}
        )


class FlagField(forms.CharField):
    """`true` or `false`. Django's own field takes any other word for no answer, and the list would not be narrowed."""

    def to_python(self, value: Any) -> Any:
        word = (super().to_python(value) or "").lower()
        if word not in ("", "true", "false"):
            raise forms.ValidationError("Use true or false.", code="invalid")
        return word == "true" if word else None


class FlagFilter(filters.BooleanFilter):
    field_class = FlagField  # type: ignore[assignment]  # drf-spectacular takes the kind of a filter for its type

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.TextInput, **kwargs)


class EntryFilter(filters.FilterSet):
    q = filters.CharFilter(method="search", max_length=types.SEARCH_MAX, help_text="Words that the entry holds.")
    first_day = filters.DateFilter(field_name="occurred_on", lookup_expr="gte")
    last_day = filters.DateFilter(field_name="occurred_on", lookup_expr="lte")
    employer = NameFilter(max_length=types.NAME_MAX)
    project = NameFilter(max_length=types.NAME_MAX)
    tag = NameFilter(field_name="tags", max_length=types.NAME_MAX)
    lacks_impact = FlagFilter(method="narrow_by_impact")
    status = filters.ChoiceFilter(choices=EntryStatus.choices)
    ordering = filters.ChoiceFilter(choices=Ordering.choices, method="reorder")

    class Meta:
        model = WorkLog
        fields: list[str] = []

    @classmethod
    def get_filters(cls) -> OrderedDict[str, filters.Filter]:
        """With the API's own words for the days, which Python keeps for itself. Both days are included."""
        words = {"first_day": "from", "last_day": "to"}
        return OrderedDict((words.get(name, name), narrowing) for name, narrowing in super().get_filters().items())

    def search(self, queryset: Entries, name: str, value: str) -> Entries:
        return queryset.filter(selectors.matches_words(value))

    def narrow_by_impact(self, queryset: Entries, name: str, value: bool) -> Entries:  # noqa: FBT001 - called by django-filter
        condition = selectors.lacks_impact()
        return queryset.filter(condition) if value else queryset.exclude(condition)

    def reorder(self, queryset: Entries, name: str, value: str) -> Entries:
        return queryset.order_by(*Ordering(value).keys)
