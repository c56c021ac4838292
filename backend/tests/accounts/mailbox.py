"""What people find in their mail: queued rows, with the links that are made only when one is sent."""

from typing import Any

from apps.mail.models import OutgoingMail
from apps.mail.registry import get_kind


def list_kinds(to: str | None = None) -> list[str]:
    """The kinds of mail on their way, oldest first: to one address, or all."""
    rows = OutgoingMail.objects.exclude(to="") if to is None else OutgoingMail.objects.filter(to=to)
    return list(rows.order_by("id").values_list("kind", flat=True))


def open_mail(kind: str) -> dict[str, Any]:
    """The newest mail of the kind as its template gets it; raises Obsolete when it would be dropped."""
    row = OutgoingMail.objects.filter(kind=kind).latest("id")
    enrich = get_kind(kind).enrich
    return {**row.context, **(enrich(row.context) if enrich else {})}


def follow_link(kind: str) -> list[str]:
    """The parts of the path behind the newest mail's link, secrets last."""
    link: str = open_mail(kind)["link"]
    return link.rstrip("/").split("/")[3:]


def read_reset_link() -> dict[str, str]:
    """What the page behind the newest reset link sends."""
    *_, uid, token = follow_link("password_reset")
    return {"uid": uid, "token": token}
