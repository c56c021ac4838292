"""Writing to the people who answer for a customer's money: its owners."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from apps.common.money import format_dollars
from apps.common.tenancy import TenantId
from apps.mail.services import queue_mail
from apps.tenants.selectors import find_member
from apps.tenants.selectors.members import list_owner_ids
from apps.tenants.types import Member


def tell_owners(
    *,
    tenant: TenantId,
    kind: str,
    context: Mapping[str, str | int | bool],
    now: datetime,
    key: str,
    choice: str = "",
) -> None:
    """One mail to each owner, once for each `key` and person, in the caller's transaction.

    `choice` names the notification that a person can switch off; without one the mail comes in any case.
    """
    for member in _list_owners(tenant):
        if choice and not member.notifications[choice]:
            continue
        queue_mail(
            kind=kind,
            user_id=member.user_id,
            to=member.email,
            context={"username": member.username, "tenant": member.tenant_name, **context},
            now=now,
            key=f"{kind}:{key}:{member.user_id}",
        )


def _list_owners(tenant: TenantId) -> list[Member]:
    members = [find_member(user_id=user_id) for user_id in sorted(list_owner_ids(tenant=tenant), key=UUID.__str__)]
    return [member for member in members if member is not None and member.tenant == tenant]


def name_amount(micros: int) -> str:
    """An amount as people read it, exact: `$20.00`, `-$0.000372`."""
    return f"{'-' if micros < 0 else ''}${format_dollars(abs(micros))}"


def name_moment(moment: datetime) -> str:
    """A moment as mails write it: `23 November 2026, 09:00 UTC`."""
    return f"{moment.astimezone(UTC):%-d %B %Y, %H:%M} UTC"
