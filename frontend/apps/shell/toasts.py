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
    link_url: str = "",
    link_label: str = "Open",
) -> HttpResponse:
    """Let the page show `message`; `undo_url` gives it a button that POSTs there by HTMX, `link_url` a link."""
    detail = {
        "message": message,
        "level": level,
        "undo_url": undo_url,
        "undo_label": undo_label,
        "link_url": link_url,
        "link_label": link_label,
    }
    trigger_client_event(response, "toast", detail)
    return response
