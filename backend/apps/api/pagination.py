"""Keyset pagination: a page starts after the last row of the one before, however deep, and never skips or repeats."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.core.signing import BadSignature, Signer
from django.db.models import Model, Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

from apps.common.errors import Invalid

DEFAULT_PAGE_SIZE: Final = 25
MAX_PAGE_SIZE: Final = 100
# More than a page holds is taken as a whole page; more than this is no size.
LARGEST_WISH: Final = 999_999_999


@dataclass(frozen=True, slots=True)
class Cursor:
    """The row that a page starts after (or, backwards, ends before), by its values of the order's fields."""

    values: tuple[str, ...]
    is_backwards: bool


def _signer(model: type[Model], order: Sequence[str]) -> Signer:
    return Signer(salt=f"api.cursor {model._meta.label} {' '.join(order)}")


def encode_cursor(cursor: Cursor, *, model: type[Model], order: Sequence[str]) -> str:
    """The cursor as text, signed: its values go into a query, so only what we wrote ourselves may come back."""
    return _signer(model, order).sign_object([cursor.values, cursor.is_backwards])


def decode_cursor(text: str, *, model: type[Model], order: Sequence[str]) -> Cursor:
    """The cursor of a link that we gave out; raises Invalid for anything else or a link of another list or order."""
    try:
        values, is_backwards = _signer(model, order).unsign_object(text)
    except BadSignature as error:
        raise Invalid(fields={"cursor": ["This cursor does not belong to this list."]}) from error
    return Cursor(values=tuple(values), is_backwards=is_backwards)


def _beyond(*, model: type[Model], order: Sequence[str], values: Sequence[str]) -> Q:
    """Rows strictly after `values`: with (a, b) these are a > x or (a = x and b > y), and a >= x for the index."""
    condition, ties = Q(), Q()
    for name, text in zip(order, values, strict=True):
        column, is_descending = name.removeprefix("-"), name.startswith("-")
        field: Any = model._meta.get_field(column)
        value = field.to_python(text)
        condition |= ties & Q(**{f"{column}__{'lt' if is_descending else 'gt'}": value})
        if not ties:
            bound = Q(**{f"{column}__{'lte' if is_descending else 'gte'}": value})
        ties &= Q(**{column: value})
    return bound & condition


def _flip(order: Sequence[str]) -> list[str]:
    return [name[1:] if name.startswith("-") else f"-{name}" for name in order]


class CursorPagination(BasePagination):
    """Pages of a queryset by its own order, whose fields must be concrete, never null, and unique together."""

    page_size_query_param = "page_size"
    cursor_query_param = "cursor"

    def paginate_queryset(  # type: ignore[override]  # a list has no order of its own to page by
        self, queryset: QuerySet[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        self.request, self.model = request, queryset.model
        self.order = tuple(str(name) for name in queryset.query.order_by)
        size = self._read_size()
        text = request.query_params.get(self.cursor_query_param)
        cursor = decode_cursor(text, model=self.model, order=self.order) if text else None
        if cursor is not None:
            order = _flip(self.order) if cursor.is_backwards else self.order
            queryset = queryset.filter(_beyond(model=self.model, order=order, values=cursor.values))
            queryset = queryset.order_by(*order)
        rows = list(queryset[: size + 1])
        has_more, page = len(rows) > size, rows[:size]
        if cursor is not None and cursor.is_backwards:
            page.reverse()
            self._set_links(page, has_next=True, has_previous=has_more)
        else:
            self._set_links(page, has_next=has_more, has_previous=cursor is not None)
        return page

    def _read_size(self) -> int:
        text = self.request.query_params.get(self.page_size_query_param) or str(DEFAULT_PAGE_SIZE)
        if not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) == 0:
            raise Invalid(fields={"page_size": [f"Use a whole number from 1 to {MAX_PAGE_SIZE}."]})
        return min(int(text), MAX_PAGE_SIZE)

    def _set_links(self, page: Sequence[Any], *, has_next: bool, has_previous: bool) -> None:
        self.next = self._link(page[-1], is_backwards=False) if page and has_next else None
        self.previous = self._link(page[0], is_backwards=True) if page and has_previous else None

    def _link(self, row: Any, *, is_backwards: bool) -> str:
        fields = [row._meta.get_field(name.removeprefix("-")) for name in self.order]
        values = tuple(str(field.value_to_string(row)) for field in fields)
        cursor = Cursor(values=values, is_backwards=is_backwards)
        url = remove_query_param(self.request.build_absolute_uri(), self.cursor_query_param)
        return replace_query_param(
            url, self.cursor_query_param, encode_cursor(cursor, model=self.model, order=self.order)
        )

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.next, "previous": self.previous, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        properties = {"next": link, "previous": link, "results": schema}
        return {"type": "object", "required": list(properties), "properties": properties}

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        size = {"type": "integer", "minimum": 1, "default": DEFAULT_PAGE_SIZE, "maximum": LARGEST_WISH}
        return [
            {
                "name": self.cursor_query_param,
                "in": "query",
                "description": "Opaque; from `next` or `previous` of a page.",
                "schema": {"type": "string"},
            },
            {
                "name": self.page_size_query_param,
                "in": "query",
                "description": f"Rows a page, {MAX_PAGE_SIZE} at most.",
                "schema": size,
            },
        ]


def paginate(*, request: Request, queryset: QuerySet[Any], serializer_class: type[BaseSerializer[Any]]) -> Response:
    """One page of the queryset as the API shows lists."""
    paginator = CursorPagination()
    page = paginator.paginate_queryset(queryset, request)
    return paginator.get_paginated_response(serializer_class(page, many=True, context={"request": request}).data)
