"""The audit over HTTP: its shape, its filters and its file, for owners and staff alike."""

import json
from collections.abc import Iterable
from typing import Any, Final

from django.http import StreamingHttpResponse
from rest_framework import serializers
from rest_framework.fields import Field

from apps.api.days import begin_of, end_of
from apps.api.people import PersonSerializer, TenantNameSerializer
from apps.common.csv_cells import Cell, stream_csv
from apps.observability.types import AuditFilters, Origin
from apps.tenants.types import AuditRow

CSV_HEADER: Final = (
    "id",
    "at",
    "action",
    "actor_id",
    "actor",
    "on_behalf_of_id",
    "on_behalf_of",
    "origin",
    "target_kind",
    "target_id",
    "before",
    "after",
    "reason",
    "address",
    "request_id",
)


class AuditSerializer(serializers.Serializer[Any]):
    """Who changed what, for whom, before and after, why and from where."""

    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    action = serializers.CharField()
    actor = PersonSerializer(allow_null=True)
    on_behalf_of = PersonSerializer(allow_null=True)
    origin = serializers.ChoiceField(choices=Origin.choices, allow_blank=True)
    target_kind = serializers.CharField()
    target_id = serializers.CharField()
    before = serializers.DictField(allow_null=True)
    after = serializers.DictField(allow_null=True)
    reason = serializers.CharField()
    address = serializers.CharField(allow_null=True)
    request_id = serializers.CharField()
    tenant = TenantNameSerializer(allow_null=True)


class AuditQuerySerializer(serializers.Serializer[Any]):
    """What the audit can be narrowed by; both days are inclusive, in the caller's time zone."""

    action = serializers.CharField(max_length=80, required=False)
    actor = serializers.CharField(max_length=150, required=False, help_text="A user name or an id.")
    target_kind = serializers.CharField(max_length=40, required=False)
    target_id = serializers.CharField(max_length=64, required=False)
    origin = serializers.ChoiceField(choices=Origin.choices, required=False)
    q = serializers.CharField(max_length=100, required=False, help_text="Words of the action, its target or reason.")

    def get_fields(self) -> dict[str, Field[Any, Any, Any, Any]]:
        # `from` is a word of Python, so it cannot be an attribute.
        days = {name: serializers.DateField(required=False) for name in ("from", "to")}
        return {**super().get_fields(), **days}

    def read_filters(self, *, zone: str) -> dict[str, Any]:
        """The filters as the selectors take them."""
        self.is_valid(raise_exception=True)
        fields = self.validated_data
        origin = fields.get("origin")
        filters = AuditFilters(
            action=fields.get("action", ""),
            target_kind=fields.get("target_kind", ""),
            target_id=fields.get("target_id", ""),
            origin=Origin(origin) if origin else None,
            since=begin_of(fields.get("from"), zone=zone),
            before=end_of(fields.get("to"), zone=zone),
            words=fields.get("q", ""),
        )
        return {"filters": filters, "who": fields.get("actor", "")}


def answer_csv(*, rows: Iterable[AuditRow], name: str) -> StreamingHttpResponse:
    """The rows as a file, sent while they are read."""
    lines = stream_csv(header=CSV_HEADER, rows=(_as_cells(row) for row in rows))
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _as_cells(row: AuditRow) -> list[Cell]:
    return [
        row.id,
        row.at,
        row.action,
        row.actor.id if row.actor else None,
        row.actor.username if row.actor else None,
        row.on_behalf_of.id if row.on_behalf_of else None,
        row.on_behalf_of.username if row.on_behalf_of else None,
        row.origin,
        row.target_kind,
        row.target_id,
        json.dumps(row.before) if row.before else None,
        json.dumps(row.after) if row.after else None,
        row.reason,
        row.address,
        row.request_id,
    ]
