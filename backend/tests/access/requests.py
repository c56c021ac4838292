"""A valid request of the author for every operation: what the address names, the body, the query."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.urls import get_resolver, reverse

from tests.access.world import MARKER, World
from tests.factories.accounts import PASSWORD

REPORT: Final = {"kind": "brag_document", "period_from": "2026-10-01", "period_to": "2026-12-31"}


@dataclass(frozen=True)
class Request:
    """How to ask. `rename` gives the address another thing than its argument's own name."""

    body: Callable[[World], Mapping[str, Any]] = lambda _: {}
    rename: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def sends(**body: Any) -> Request:
    return Request(body=lambda _: body)


def sends_about(make: Callable[[World], Mapping[str, Any]]) -> Request:
    return Request(body=make)


REQUESTS: Final[Mapping[str, Request]] = {
    "POST auth-token": sends(username="author", password=PASSWORD),
    "POST auth-token-factor": sends(challenge="unknown", code="000000"),
    "POST auth-login": sends(username="author", password=PASSWORD),
    "POST auth-signup": sends(username="newcomer", email="new@example.org", password=PASSWORD, passkey="unknown"),
    "POST password-reset": sends(email="author@example.org"),
    "POST password-reset-confirm": sends(uid="x", token="y", password=PASSWORD + " new"),
    "POST password-change": sends(current_password=PASSWORD, new_password=PASSWORD + " new"),
    "POST reauthenticate": sends(password=PASSWORD),
    "POST email-verify": sends(key="unknown"),
    "POST email-change": sends(email="moved@example.org"),
    "POST totp-confirm": sends(code="000000"),
    "POST keys": sends(challenge="unknown", name="Key", credential={"id": "x"}),
    "PATCH key": sends(name="Blue key"),
    "POST tokens": sends(name="curl", scopes=["read"]),
    "PATCH me": sends(display_name="Somebody"),
    "POST me-delete": sends_about(lambda _: {"confirm": "author", "accept_balance_loss": True}),
    "PATCH tenant": sends(name="Renamed"),
    "PATCH tenant-member": sends(role="owner"),
    "POST tenant-transfer": sends_about(lambda world: {"member": str(world.people.member.user_id)}),
    "POST tenant-passkeys": sends(note="For a colleague"),
    "POST tenant-support-grants": sends(reason="Please look", scopes=["worklog"], minutes=30),
    "POST worklog-list": sends(title="Wrote a test"),
    "PATCH worklog-detail": sends(title="Wrote a better test"),
    "POST worklog-restore": Request(rename={"entry_id": "gone_entry_id"}),
    "POST worklog-parse": sends(line="Wrote a test @acme"),
    "POST employer-list": sends(name="Acme"),
    "POST project-list": sends(name="Billing"),
    "POST tag-list": sends(name="tests"),
    "POST job-estimate": sends(kind="report", params=REPORT),
    "POST job-cancel": Request(rename={"job_id": "waiting_job_id"}),
    "POST report-list": sends(**REPORT),
    "PATCH report-detail": sends(title="Renamed"),
    "GET report-export": Request(query="?format=md"),
    "PATCH billing-profile": sends(billing_email="bills@example.org"),
    "POST billing-admin-reserve-adjust": Request(
        body=lambda world: {"tenant": str(world.people.author.tenant), "amount_cents": 100, "reason": "Goodwill"},
        headers={"Idempotency-Key": "access"},
    ),
    "POST billing-topup-session": sends(amount_cents=2500),
    "POST billing-topup-confirm": sends_about(lambda world: {"session_id": world.ids["checkout_session_id"]}),
    "POST billing-subscription-session": sends(plan="starter"),
    "PATCH billing-admin-reserve-policy": sends(policy="block", reason="Owes us"),
    "POST billing-admin-refunds": Request(
        body=lambda world: {"payment": str(world.ids["paid_payment_id"]), "reason": "Paid by mistake"},
        headers={"Idempotency-Key": "access"},
    ),
    "POST admin-passkeys": sends(note="For a customer"),
    "PATCH admin-user": sends(is_active=False, reason="Asked for"),
    "POST admin-user-second-factor-reset": sends(reason="Lost phone"),
}
ANY: Final = Request()


def build_address(name: str, world: World, request: Request = ANY) -> str:
    """The address of a route with the author's things in it."""
    arguments = get_resolver().reverse_dict.getlist(name)[0][0][0][1]
    things = {argument: world.ids[request.rename.get(argument, argument)] for argument in arguments}
    return reverse(name, kwargs=things) + request.query


def send(client: Any, method: str, name: str, world: World) -> Any:
    """The operation as the given client, valid in every respect but who asks."""
    request = REQUESTS.get(f"{method} {name}", ANY)
    address = build_address(name, world, request)
    body = {} if method == "GET" else request.body(world)
    return getattr(client, method.lower())(address, body or None, headers=dict(request.headers))


__all__ = ["MARKER", "REQUESTS", "build_address", "send"]
