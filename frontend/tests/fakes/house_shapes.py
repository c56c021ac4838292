"""JSON of tenants, audit, support, exports and deletions in the shapes of the contract."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.shapes import Json, instant, new_id


def later(**delta: float) -> str:
    return instant(datetime.now(UTC) + timedelta(**delta))


def person(username: str = "ada") -> Json:
    return {"id": new_id(), "username": username}


def tenant(**over: Any) -> Json:
    return {"id": new_id(), "name": "Ada's worklog", "created_at": "2026-03-02T09:00:00Z", "member_count": 1} | over


def member(username: str = "bea", **over: Any) -> Json:
    return {
        "id": new_id(),
        "username": username,
        "display_name": username.capitalize(),
        "email": f"{username}@example.com",
        "role": "member",
        "joined_at": "2026-04-01T09:00:00Z",
        "last_active_at": instant(),
        "is_you": False,
        "has_second_factor": True,
        "can_change_role": True,
        "can_remove": True,
    } | over


def passkey(**over: Any) -> Json:
    return {
        "id": new_id(),
        "prefix": "inv_8f3k2p",
        "state": "active",
        "note": "",
        "bound_email": "",
        "promo_credit_cents": 0,
        "tenant": {"id": new_id(), "name": "Ada's worklog"},
        "role": "member",
        "created_by": person(),
        "created_at": instant(),
        "expires_at": later(days=7),
        "used_by": None,
        "used_at": None,
    } | over


def audit(**over: Any) -> Json:
    return {
        "id": new_id(),
        "at": instant(),
        "action": "member.role_changed",
        "actor": person(),
        "on_behalf_of": None,
        "origin": "api",
        "target_kind": "user",
        "target_id": new_id(),
        "before": {"role": "member", "seats": 2},
        "after": {"role": "owner", "seats": 2, "scopes": ["read", "write"], "is_new": True},
        "reason": "",
        "address": "203.0.113.7",
        "request_id": "request-0001",
        "tenant": {"id": new_id(), "name": "Ada's worklog"},
    } | over


def grant(**over: Any) -> Json:
    return {
        "id": new_id(),
        "reason": "My report misses two entries",
        "scopes": ["worklog"],
        "granted_by": person(),
        "created_at": instant(),
        "expires_at": later(minutes=60),
        "revoked_at": None,
        "state": "open",
        "access_count": 0,
    } | over


def staff_grant(**over: Any) -> Json:
    return grant(tenant={"id": new_id(), "name": "Ada's worklog"}) | over


def access(**over: Any) -> Json:
    return {"at": instant(), "staff": person("sam"), "method": "GET", "path": "/api/worklogs/"} | over


def data_export(**over: Any) -> Json:
    return {
        "id": new_id(),
        "job_id": new_id(),
        "state": "ready",
        "size_bytes": 48_213,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "created_at": instant(),
        "expires_at": later(days=7),
    } | over


def deletion(**over: Any) -> Json:
    return {
        "scheduled_for": None,
        "grace_days": 30,
        "erased": [{"what": "Worklog", "detail": "All your entries, every version of them."}],
        "kept": [
            {"what": "Ledger", "why": "Books must be kept by law.", "until": "2036-12-31T23:59:59Z"},
            {"what": "Backups", "why": "They are overwritten.", "until": None},
        ],
        "blockers": [],
    } | over


def certificate(**over: Any) -> Json:
    content = {
        "format": "afterresume.erasure-certificate/1",
        "id": new_id(),
        "scope": "tenant",
        "requested_at": "2026-10-01T09:00:00+00:00",
        "erased_at": "2026-10-31T09:00:00+00:00",
        "erased": [{"what": "Worklog entries with all their versions", "count": 212}],
        "kept": [
            {"what": "Ledger", "why": "Books must be kept by law.", "until": "2036-12-31"},
            {"what": "Backups", "why": "They are overwritten.", "until": None},
        ],
    }
    return {"content": content | over, "sha256": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"}


def user_row(username: str = "bea", **over: Any) -> Json:
    return {
        "id": new_id(),
        "username": username,
        "email": f"{username}@example.com",
        "display_name": username.capitalize(),
        "is_active": True,
        "is_staff": False,
        "is_email_verified": True,
        "has_second_factor": False,
        "tenant": {"id": new_id(), "name": f"{username.capitalize()}'s worklog"},
        "role": "owner",
        "created_at": "2026-04-01T09:00:00Z",
        "last_active_at": instant(),
        "session_count": 2,
        "token_count": 1,
        "can_change_active": True,
        "can_change_staff": True,
        "can_help": True,
    } | over


def tenant_row(**over: Any) -> Json:
    return tenant(owner=person(), plan="starter", balance_micros=4_200_000) | over
