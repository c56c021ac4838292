"""`X-Support-Grant`: a member of staff reads what a person has let support see, exactly as that person would."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from rest_framework.request import Request

from apps.accounts.types import TokenKind
from apps.tenants.services.support import use_grant
from apps.tenants.types import Bearer, GrantScope, SupportGrantInvalid

HEADER: Final = "X-Support-Grant"

# What each area opens, by the beginning of the address. A test lists every address that this comes to.
AREAS: Final[Mapping[GrantScope, tuple[str, ...]]] = {
    GrantScope.WORKLOG: (
        "/api/worklogs/",
        "/api/skills/",
        "/api/employers/",
        "/api/projects/",
        "/api/tags/",
    ),
    GrantScope.REPORTS: ("/api/reports/", "/api/jobs/"),
    GrantScope.BILLING: ("/api/billing/",),
}
CLOSED: Final = ("/api/billing/admin/",)


def find_scope(path: str) -> GrantScope | None:
    """The area that an address belongs to, or None for what no grant opens."""
    if path.startswith(CLOSED):
        return None
    return next((scope for scope, beginnings in AREAS.items() if path.startswith(beginnings)), None)


def is_asked_for(request: Request) -> bool:
    """Whether the caller wants to see what somebody else sees."""
    return HEADER in request.headers


def borrow_view(*, request: Request, bearer: Bearer, now: datetime) -> Bearer:
    """The bearer with the grantor in their own place, and this access on record. Raises SupportGrantInvalid.

    Only for staff in a session with a second factor, and only for reading.
    """
    scope = find_scope(request.path)
    is_proved = bearer.kind == TokenKind.SESSION and bearer.second_factor_at is not None
    if scope is None or not is_proved or request.method != "GET":
        raise SupportGrantInvalid
    try:
        grant_id = UUID(request.headers[HEADER].strip())
    except ValueError as error:
        raise SupportGrantInvalid from error
    grantor = use_grant(
        staff=bearer.member, grant_id=grant_id, scope=scope, method=request.method, path=request.path, now=now
    )
    return replace(bearer, member=replace(grantor, is_staff=False), grant_id=grant_id)
