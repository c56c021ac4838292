"""What the pages of money have in common: amounts as people read them, and pages of our own between those of Django."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold import decorators
from unfold.admin import ModelAdmin

from apps.common.errors import Conflict
from apps.common.money import format_dollars
from apps.tenants.selectors import find_member
from apps.tenants.types import Actor

F = TypeVar("F", bound=Callable[..., Any])

_TEMPLATE = "admin/billing/page.html"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a page of ours: cells are text."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]

    def for_component(self) -> dict[str, Any]:
        return {"headers": list(self.headers), "rows": [list(row) for row in self.rows]}


def show_dollars(micros: int) -> str:
    """An exact amount as people read it."""
    return f"-${format_dollars(-micros)}" if micros < 0 else f"${format_dollars(micros)}"


def money(field: str, *, label: str) -> Callable[[Any], str]:
    """A column that shows an amount in dollars and sorts by it."""

    @admin.display(description=label, ordering=field)
    def show(row: Any) -> str:
        return show_dollars(getattr(row, field))

    return show


def action(*, description: str, url_path: str) -> Callable[[F], F]:
    """A button that opens a page of its own; the page itself asks before it changes anything."""
    decorate: Callable[[F], F] = decorators.action(description=description, url_path=url_path)
    return decorate


def read_actor(request: HttpRequest) -> Actor:
    """The member of staff at the page. Raises Conflict."""
    member = find_member(user_id=UUID(str(request.user.pk)))
    if member is None:
        raise Conflict("This account belongs to no tenant.")
    return member.as_actor()


def lead_back(model_admin: ModelAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    """As Django answers for what is not there: a word, and the way to the start."""
    redirect = model_admin._get_obj_does_not_exist_redirect  # noqa: SLF001 - its only name
    answer: HttpResponse = redirect(request, model_admin.opts, object_id)
    return answer


def render_page(
    model_admin: ModelAdmin,
    request: HttpRequest,
    *,
    title: str,
    text: str = "",
    form: forms.Form | None = None,
    submit: str = "",
    is_read: bool = False,
    tables: Sequence[Table] = (),
    row: Model | None = None,
) -> TemplateResponse:
    """A page with a form above and tables below. `is_read`: the form asks for something to be shown."""
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "original": row,
        "title": title,
        "text": text,
        "form": form,
        "button": submit,
        "method": "get" if is_read else "post",
        "tables": [{"title": table.title, "data": table.for_component()} for table in tables],
    }
    return TemplateResponse(request, _TEMPLATE, context)
