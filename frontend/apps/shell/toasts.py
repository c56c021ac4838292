"""Short messages at the edge of the page, sent with an HTMX answer. Plain pages use django.contrib.messages."""

from typing import Literal

from django.http import HttpResponse
from django_htmx.http import trigger_client_event

ToastLevel = Literal["success", "info", "warning", "danger"]


def add_toast(
    response: HttpResponse,
    message: str,
    *,
    level: ToastLevel = "success",
    undo_url: str = "",
    undo_label: str = "Undo",
) -> HttpResponse:
    """Let the page show `message`; with `undo_url` the toast has a button that POSTs there by HTMX."""
    detail = {"message": message, "level": level, "undo_url": undo_url, "undo_label": undo_label}
    trigger_client_event(response, "toast", detail)
    return response
