"""JSON of the API in the shapes of its contract, with sensible values that a test overrides by name."""

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

Json = dict[str, Any]
# An id that nothing has. Constant, because it names tests, and parallel runs must agree on their names.
ABSENT_ID = "0192f3a4-0000-7000-8000-0000000000ff"


def new_id() -> str:
    return str(uuid.uuid4())


def instant(moment: datetime | None = None) -> str:
    return (moment or datetime.now(UTC)).isoformat().replace("+00:00", "Z")


def user(username: str = "ada", **over: Any) -> Json:
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, username)),
        "username": username,
        "email": f"{username}@example.com",
        "is_staff": False,
        "tenant": {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, username)), "name": f"{username.capitalize()}'s worklog"},
        "role": "owner",
    } | over


def me(account: Json, **over: Any) -> Json:
    return (
        account
        | {
            "profile": {
                "time_zone": "Europe/Berlin",
                "display_name": account["username"].capitalize(),
                "settings": {},
                "notifications": {
                    "weekly_nudge": True,
                    "low_balance": True,
                    "report_ready": True,
                    "product_news": False,
                },
            },
            "plan": "starter",
            "stripe_customer_id": "",
            "created_at": "2026-03-02T09:00:00Z",
            "is_email_verified": True,
            "pending_email": "",
            "second_factor": {"is_on": False, "is_required": account["is_staff"]},
            "deletion": None,
        }
        | over
    )


def factors(**over: Any) -> Json:
    return {
        "is_on": False,
        "is_required": False,
        "totp": {"is_on": False, "confirmed_at": None},
        "recovery_codes_left": 0,
        "security_keys": [],
    } | over


def security_key(name: str = "Desk key", **over: Any) -> Json:
    return {"id": new_id(), "name": name, "created_at": instant(), "last_used_at": None} | over


def challenge(challenge_id: str, *, has_keys: bool = False) -> Json:
    options = {
        "challenge": "c29tZS1ieXRlcw",
        "rpId": "localhost",
        "allowCredentials": [{"type": "public-key", "id": "a2V5LW9uZQ"}],
        "userVerification": "preferred",
    }
    methods = ["totp", "recovery", *(["webauthn"] if has_keys else [])]
    return {"id": challenge_id, "methods": methods, "webauthn": options if has_keys else None}


def creation_options() -> Json:
    return {
        "rp": {"id": "localhost", "name": "AfterResume"},
        "user": {"id": "YWRh", "name": "ada", "displayName": "Ada"},
        "challenge": "c29tZS1ieXRlcw",
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
        "excludeCredentials": [],
    }


def session(**over: Any) -> Json:
    return {
        "id": new_id(),
        "name": "Web session",
        "created_at": "2026-11-20T08:00:00Z",
        "last_used_at": instant(),
        "expires_at": instant(datetime.now(UTC) + timedelta(days=14)),
        "address": "203.0.113.7",
        "device": "Firefox on Linux",
        "is_current": True,
        "has_second_factor": False,
    } | over


def personal_token(**over: Any) -> Json:
    return {
        "id": new_id(),
        "name": "Nightly export",
        "prefix": "arp_8f3k",
        "scopes": ["read"],
        "created_at": instant(),
        "expires_at": instant(datetime.now(UTC) + timedelta(days=90)),
        "last_used_at": None,
    } | over


def status(**over: Any) -> Json:
    return {
        "reserve_balance_cents": 420,
        "reserve_balance_dollars": "4.20",
        "reserve_balance_micros": 4_200_000,
        "available_micros": 4_200_000,
        "is_low_balance": False,
        "level": "green",
        "tokens_in": 12_400,
        "tokens_out": 3_100,
        "jobs_running": 0,
        "updated_at": instant(),
        "is_stopped": False,
        "notice": "",
    } | over


def entry(title: str = "Cut the invoice run to six minutes", **over: Any) -> Json:
    return {
        "id": new_id(),
        "occurred_on": date.today().isoformat(),  # noqa: DTZ011 - a fake's idea of today
        "title": title,
        "body": "Batched the *queries*.",
        "employer": "Acme",
        "project": "Billing",
        "role": "Engineer",
        "tags": ["python", "performance"],
        "impact": "Invoices leave before nine",
        "impact_metric": "Run time",
        "impact_before": "40",
        "impact_after": "6",
        "impact_unit": "min",
        "hours": "2.00",
        "visibility": "private",
        "status": "final",
        "version": 1,
        "author": {"id": str(uuid.uuid5(uuid.NAMESPACE_DNS, "ada")), "username": "ada"},
        "is_deleted": False,
        "created_at": instant(),
        "updated_at": instant(),
        "can_edit": True,
        "can_delete": True,
    } | over


def version(number: int, snapshot: Json, **over: Any) -> Json:
    editor = {"id": str(uuid.uuid5(uuid.NAMESPACE_DNS, "ada")), "username": "ada"}
    return {"version": number, "edited_at": instant(), "editor": editor, "snapshot": snapshot} | over


def writer() -> Json:
    return {"provider": "builtin", "model": "builtin-1", "label": "Built-in writer"}


def step(name: str, state: str, label: str = "") -> Json:
    moment = None if state == "waiting" else instant()
    return {
        "name": name,
        "label": label or name.capitalize(),
        "state": state,
        "attempt": 1,
        "started_at": moment,
        "finished_at": moment if state == "succeeded" else None,
        "error": None,
    }


def job(state: str = "running", **over: Any) -> Json:
    is_done = state in {"succeeded", "failed", "cancelled"}
    return {
        "id": new_id(),
        "kind": "report",
        "state": state,
        "progress": 100 if state == "succeeded" else 40,
        "steps": [step("collect", "succeeded", "Collect entries"), step("write", "running", "Write")],
        "estimate_micros": 40_000,
        "cost_micros": 372 if state == "succeeded" else None,
        "report_id": new_id(),
        "title": "Brag document, autumn",
        "error": None,
        "error_code": None,
        "created_at": instant(datetime.now(UTC) - timedelta(minutes=3)),
        "started_at": instant(datetime.now(UTC) - timedelta(minutes=3)),
        "finished_at": instant() if is_done else None,
        "can_cancel": not is_done,
        "can_retry": state in {"failed", "cancelled", "blocked"},
    } | over


def report_summary(**over: Any) -> Json:
    return {
        "id": new_id(),
        "kind": "brag_document",
        "title": "Brag document, autumn",
        "state": "ready",
        "period_from": "2026-09-01",
        "period_to": "2026-11-30",
        "created_at": instant(),
        "job_id": new_id(),
        "writer": writer(),
        "prompt_version": "brag-1",
        "rate_card": "Starter v1",
        "cost_micros": 372,
        "estimate_micros": 40_000,
        "can_delete": True,
        "entry_count": 3,
        "bullet_count": 3,
    } | over


def frozen(source: Json) -> Json:
    names = ("id", "version", "occurred_on", "title", "body", "employer", "project", "role", "tags", "impact", "hours")
    return {name: source[name] for name in names}


def report(entries: list[Json], **over: Any) -> Json:
    base = report_summary()
    bullets = [{"id": f"b{n}", "text": item["title"], "entry_ids": [item["id"]]} for n, item in enumerate(entries, 1)]
    return (
        base
        | {
            "document": {"title": base["title"], "subtitle": "", "sections": [{"heading": "Acme", "bullets": bullets}]},
            "entries": [frozen(item) for item in entries],
        }
        | over
    )


def balance(**over: Any) -> Json:
    return {
        "balance_cents": 420,
        "balance_dollars": "4.20",
        "balance_micros": 4_200_000,
        "available_micros": 4_160_000,
        "held_micros": 40_000,
        "currency": "USD",
        "is_low_balance": False,
        "policy": "warn",
        "low_balance_threshold_micros": 1_000_000,
        "level": "green",
    } | over


def ledger_entry(**over: Any) -> Json:
    return {
        "id": new_id(),
        "seq": 2,
        "kind": "usage",
        "kind_label": "Usage",
        "amount_micros": -372,
        "amount_dollars": "-0.000372",
        "balance_after_micros": 4_199_628,
        "description": "Brag document, autumn",
        "created_at": instant(),
        "job_id": new_id(),
        "lines": [{"text": "1,240 input tokens x $0.15/1M", "model": "builtin-1", "rate_card": "Starter v1"}],
    } | over


def usage_event(**over: Any) -> Json:
    return {
        "id": new_id(),
        "occurred_at": instant(),
        "meter": "llm.tokens",
        "model": "builtin-1",
        "tokens": {"input": 1240, "cached_input": 0, "cache_write": 0, "output": 310, "reasoning": 0},
        "quantity": 1550,
        "cost_micros": 372,
        "explanation": "1,240 input tokens x $0.15/1M + 310 output x $0.60/1M = $0.000372",
        "rate_card": "Starter v1",
        "job_id": new_id(),
        "call_id": new_id(),
    } | over


def estimate(**over: Any) -> Json:
    return {
        "at_most_micros": 40_000,
        "at_most_dollars": "0.0400",
        "calls": 1,
        "input_tokens": 1_240,
        "max_output_tokens": 900,
        "entries": 3,
        "writer": writer(),
        "rate_card": "Starter v1",
        "available_micros": 4_160_000,
        "is_affordable": True,
        "reason": "",
    } | over


def error(code: str, message: str, fields: Json | None = None) -> Json:
    return {"error": message, "code": code, "fields": fields or {}, "request_id": "req-of-the-fake"}
