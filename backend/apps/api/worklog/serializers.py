"""Shapes of the worklog on the wire."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from apps.tenants.types import Actor
from apps.worklog import selectors, types
from apps.worklog.models import WorkLog
from apps.worklog.types import EntryChanges, EntryDraft, EntryStatus, Visibility, format_figure


class AuthorSerializer(serializers.Serializer[Any]):
    """Somebody in the tenant."""

    id = serializers.UUIDField()
    username = serializers.CharField()


class FigureField(serializers.DecimalField):
    """A decimal as a string without trailing zeros."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=types.FIGURE_DIGITS, decimal_places=types.FIGURE_PLACES, **kwargs)

    def to_representation(self, value: Decimal) -> str:
        return format_figure(value)


class HoursField(serializers.DecimalField):
    """Hours as a string with two decimals."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=types.HOURS_DIGITS, decimal_places=types.HOURS_PLACES, **kwargs)


class EntrySerializer(serializers.Serializer[WorkLog]):
    """An entry as the caller sees it. Needs the caller in `context["actor"]`."""

    id = serializers.UUIDField()
    occurred_on = serializers.DateField()
    title = serializers.CharField()
    body = serializers.CharField(help_text="Markdown.")
    employer = serializers.SerializerMethodField(help_text="Empty when there is none.")
    project = serializers.SerializerMethodField(help_text="Empty when there is none.")
    role = serializers.CharField()
    tags = serializers.SerializerMethodField()
    impact = serializers.CharField()
    impact_metric = serializers.CharField()
    impact_before = FigureField(allow_null=True)
    impact_after = FigureField(allow_null=True)
    impact_unit = serializers.CharField()
    hours = HoursField(allow_null=True)
    visibility = serializers.ChoiceField(choices=Visibility.choices)
    status = serializers.ChoiceField(choices=EntryStatus.choices)
    version = serializers.IntegerField()
    author = AuthorSerializer()
    is_deleted = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    can_edit = serializers.SerializerMethodField()
    can_delete = serializers.SerializerMethodField()

    def get_employer(self, entry: WorkLog) -> str:
        return entry.employer.name if entry.employer else ""

    def get_project(self, entry: WorkLog) -> str:
        return entry.project.name if entry.project else ""

    def get_tags(self, entry: WorkLog) -> list[str]:
        return [tag.name for tag in entry.tags.all()]

    def get_is_deleted(self, entry: WorkLog) -> bool:
        return entry.deleted_at is not None

    def get_can_edit(self, entry: WorkLog) -> bool:
        actor: Actor = self.context["actor"]
        return selectors.can_change_entry(actor=actor, entry=entry)

    def get_can_delete(self, entry: WorkLog) -> bool:
        return self.get_can_edit(entry)


class WriteEntrySerializer(serializers.Serializer[Any]):
    """What a person may set. Names of employers, projects and tags are made when they are new."""

    title = serializers.CharField(max_length=types.TITLE_MAX)
    occurred_on = serializers.DateField(required=False, help_text="Today in the person's time zone unless given.")
    body = serializers.CharField(required=False, allow_blank=True, max_length=types.BODY_MAX)
    employer = serializers.CharField(required=False, allow_blank=True, max_length=types.NAME_MAX)
    project = serializers.CharField(required=False, allow_blank=True, max_length=types.NAME_MAX)
    role = serializers.CharField(required=False, allow_blank=True, max_length=types.ROLE_MAX)
    tags = serializers.ListField(
        child=serializers.CharField(max_length=types.NAME_MAX), required=False, max_length=types.TAGS_MAX
    )
    impact = serializers.CharField(required=False, allow_blank=True, max_length=types.IMPACT_MAX)
    impact_metric = serializers.CharField(required=False, allow_blank=True, max_length=types.METRIC_MAX)
    impact_before = FigureField(required=False, allow_null=True)
    impact_after = FigureField(required=False, allow_null=True)
    impact_unit = serializers.CharField(required=False, allow_blank=True, max_length=types.UNIT_MAX)
    hours = HoursField(required=False, allow_null=True, min_value=Decimal(0), max_value=types.HOURS_MAX)
    visibility = serializers.ChoiceField(required=False, choices=Visibility.choices)
    status = serializers.ChoiceField(required=False, choices=EntryStatus.choices)

    def read_draft(self) -> EntryDraft:
        """The validated input as what the service takes."""
        return EntryDraft(**self.read_changes())

    def read_changes(self) -> EntryChanges:
        """The fields that the input names."""
        fields = {name: value for name, value in self.validated_data.items() if name in EntryChanges.__annotations__}
        if "tags" in fields:
            fields["tags"] = tuple(fields["tags"])
        changes: EntryChanges = fields  # type: ignore[assignment]  # the serializer's fields are the TypedDict's
        return changes


class EditEntrySerializer(WriteEntrySerializer):
    """Fields that are left out stay as they are."""

    title = serializers.CharField(required=False, max_length=types.TITLE_MAX)
    version = serializers.IntegerField(
        required=False, min_value=1, help_text="Given, the edit is refused when the entry has another version by now."
    )


class EntryVersionSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField()
    edited_at = serializers.DateTimeField()
    editor = AuthorSerializer()
    snapshot = serializers.DictField(help_text="The content at that time by field name.")


class LineSerializer(serializers.Serializer[Any]):
    line = serializers.CharField(
        max_length=types.LINE_MAX, help_text="Such as `Cut the run from 40 to 6 min @acme /atlas #billing +python !2h`."
    )


class QuickLineSerializer(serializers.Serializer[Any]):
    """What a line says; nothing is saved."""

    title = serializers.CharField()
    occurred_on = serializers.DateField()
    employer = serializers.CharField()
    project = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    skills = serializers.ListField(child=serializers.CharField())
    hours = HoursField(allow_null=True)
    impact = serializers.CharField()


class DefaultsSerializer(serializers.Serializer[Any]):
    employer = serializers.CharField()
    project = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())


class NameSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(max_length=types.NAME_MAX)
