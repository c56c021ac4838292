"""Pages by keyset: forwards and back, complete, without repeats, whatever the order."""

from typing import Any

import pytest
from django.core.signing import Signer
from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from apps.api.pagination import Cursor, CursorPagination, encode_cursor, paginate
from apps.common.errors import Invalid
from apps.tenants.models import Profile, Tenant

pytestmark = pytest.mark.django_db

ORDERS = [("name", "id"), ("-name", "id"), ("name", "-id"), ("-created_at", "-name", "-id"), ("-id",)]


class NameSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()


def make_rows(count: int) -> None:
    for number in range(count):
        # Names and times repeat, so that a page ends in the middle of equal ones.
        Tenant.objects.create(name=f"n{number % 3}", created_at=f"2026-01-0{number % 2 + 1}T10:00:00.123456Z")


def page_of(queryset: QuerySet[Tenant], address: str) -> tuple[list[Tenant], dict[str, Any]]:
    paginator = CursorPagination()
    rows = paginator.paginate_queryset(queryset, Request(APIRequestFactory().get(address)))
    return rows, paginator.get_paginated_response([]).data


def walk(queryset: QuerySet[Tenant], address: str, link: str) -> list[list[Tenant]]:
    pages = []
    while address:
        rows, links = page_of(queryset, address)
        pages.append(rows)
        address = links[link] or ""
    return pages


@pytest.mark.parametrize("order", ORDERS)
def test_walking_forwards_sees_every_row_once_and_in_order(order: tuple[str, ...]) -> None:
    make_rows(11)
    queryset = Tenant.objects.order_by(*order)
    pages = walk(queryset, "/api/x/?page_size=2", "next")
    assert [row for page in pages for row in page] == list(queryset)
    assert [len(page) for page in pages] == [2, 2, 2, 2, 2, 1]


@pytest.mark.parametrize("order", ORDERS)
def test_walking_back_gives_the_same_pages(order: tuple[str, ...]) -> None:
    make_rows(8)
    queryset = Tenant.objects.order_by(*order)
    _, links = page_of(queryset, "/api/x/?page_size=6")
    last, links = page_of(queryset, links["next"].replace("page_size=6", "page_size=2"))
    assert (last, links["next"]) == (list(queryset[6:8]), None)
    back = walk(queryset, links["previous"], "previous")
    assert [row for page in reversed(back) for row in page] == list(queryset[:6])


def test_a_row_that_comes_in_between_shifts_nothing() -> None:
    make_rows(4)
    queryset = Tenant.objects.order_by("name", "id")
    first, links = page_of(queryset, "/api/x/?page_size=2")
    Tenant.objects.create(name="a comes first", created_at="2026-01-01T00:00:00Z")
    second, _ = page_of(queryset, links["next"])
    assert {row.id for row in first}.isdisjoint(row.id for row in second)
    assert len(second) == 2


def test_links_keep_the_filters_of_the_request() -> None:
    make_rows(3)
    _, links = page_of(Tenant.objects.order_by("id"), "/api/x/?q=a&page_size=1")
    assert "q=a" in links["next"]
    assert links["next"].startswith("http://testserver/api/x/")


def test_an_empty_list_has_no_links() -> None:
    assert page_of(Tenant.objects.order_by("id"), "/api/x/") == ([], {"next": None, "previous": None, "results": []})


@pytest.mark.parametrize(("asked", "given"), [("1", 1), ("100", 100), ("999", 100), ("", 25)])
def test_a_page_has_at_most_a_hundred_rows(asked: str, given: int) -> None:
    make_rows(101)
    assert len(page_of(Tenant.objects.order_by("id"), f"/api/x/?page_size={asked}")[0]) == given


@pytest.mark.parametrize("size", ["0", "-1", "x", "1.5", "²", "9" * 30])
def test_a_page_size_that_is_no_count_is_refused(size: str) -> None:
    with pytest.raises(Invalid) as caught:
        page_of(Tenant.objects.order_by("id"), f"/api/x/?page_size={size}")
    assert list(caught.value.fields) == ["page_size"]


def own_cursor(model: type[Model], *order: str) -> str:
    """A cursor that we did give out, for the list of this table in this order."""
    return encode_cursor(Cursor(values=("a",) * len(order), is_backwards=False), model=model, order=order)


def forge(*values: str) -> str:
    """What somebody would write who knows the form of a cursor but not the key."""
    return Signer(key="another").sign_object([values, False])


@pytest.mark.parametrize(
    "cursor",
    ["x", "é", "x:y", "x" * 5000, forge("\x00"), forge("\ud800"), forge("9" * 400)],
)
def test_a_cursor_that_we_did_not_give_out_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid) as caught:
        page_of(Tenant.objects.order_by("id"), f"/api/x/?cursor={cursor}")
    assert list(caught.value.fields) == ["cursor"]


def test_a_cursor_belongs_to_one_list_in_one_order() -> None:
    for cursor in (own_cursor(Tenant, "name"), own_cursor(Tenant, "-id"), own_cursor(Profile, "id")):
        with pytest.raises(Invalid):
            page_of(Tenant.objects.order_by("id"), f"/api/x/?cursor={cursor}")


def test_a_list_is_answered_in_one_call() -> None:
    make_rows(1)
    request = Request(APIRequestFactory().get("/api/x/"))
    response = paginate(request=request, queryset=Tenant.objects.order_by("id"), serializer_class=NameSerializer)
    assert response.data == {"next": None, "previous": None, "results": [{"name": "n0"}]}
