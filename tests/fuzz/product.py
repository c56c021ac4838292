"""A running backend with two tenants that have one of everything, and a member of staff."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from devstack.stack import Stack
from tests.api_journey import PASSWORD, Traveller

# The mark of everything that tenant B wrote.
MARKER: Final = "zanzibarmarker"
DAY: Final = "2026-11-20"
# The worker only makes the reports and the exports in the beginning.
WANTED: Final = ("postgres", "valkey", "standin-stripe", "backend", "worker")
# Thousands of calls come from one address.
NAMES_OF_LIMITS: Final = (
    *("login_account", "login_address", "second_factor_account", "reauthentication_account", "sign_up_address"),
    *("passkey_address", "password_reset_address", "password_reset_email", "link_address", "email_account"),
    *("export_account", "jobs_tenant", "api_token", "api_address"),
    *("topup_tenant", "payment_check_tenant", "payment_page_tenant", "refund_account"),
)
LIMITS: Final = ",".join(f"{name}=1000000/60" for name in NAMES_OF_LIMITS)
ENVIRONMENT: Final = {"RATE_LIMITS": LIMITS, "REAUTHENTICATION_MINUTES": "1440", "LOG_LEVEL": "ERROR"}


@dataclass(frozen=True)
class Tenant:
    """The owner of a tenant, and the ids of what it has by the names of the addresses' parameters."""

    owner: Traveller
    name: str
    ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Product:
    """What the tests talk to."""

    stack: Stack
    a: Tenant
    b: Tenant
    staff: Traveller
    # Two people whom nothing else needs: one may lose their tokens, the other their account.
    leaver: Tenant
    risky: Tenant

    @property
    def url(self) -> str:
        return self.stack.urls.backend


def token_of(person: Traveller) -> str:
    return person.http.headers["Authorization"].partition(" ")[2]


@contextmanager
def run_product() -> Iterator[Product]:
    """Start, fill, and stop the worker: what the tests begin stays as they left it."""
    with Stack(env=ENVIRONMENT, wanted=WANTED) as stack:
        a, b = make_tenant(stack, "anna", mark="annasmarker"), make_tenant(stack, "berta", mark=MARKER)
        staff = sign_in_staff(stack)
        stack.stop_program("worker")
        leaver, risky = make_person(stack, "leaver"), make_person(stack, "risky")
        yield Product(stack=stack, a=a, b=b, staff=staff, leaver=leaver, risky=risky)
        for person in (a.owner, b.owner, staff, leaver.owner, risky.owner):
            person.close()


def make_person(stack: Stack, name: str) -> Tenant:
    person = Traveller(stack.urls.backend)
    person.sign_up(name=name, passkey=stack.create_passkey())
    return Tenant(owner=person, name=name, ids={"user_id": person.call("GET", "/api/me/", expect=200)["id"]})


def sign_in_staff(stack: Stack) -> Traveller:
    staff = Traveller(stack.urls.backend)
    fields = {"username": stack.admin_username, "password": stack.admin_password}
    refused = staff.call("POST", "/api/auth/token/", expect=403, **fields)
    answer = {"challenge": refused["challenge"]["id"], "code": stack.admin_code}
    token = staff.call("POST", "/api/auth/token/second-factor/", expect=200, **answer)["token"]
    staff.http.headers["Authorization"] = f"Token {token}"
    return staff


def make_tenant(stack: Stack, name: str, *, mark: str) -> Tenant:
    owner = Traveller(stack.urls.backend)
    owner.sign_up(name=name, passkey=stack.create_passkey())
    owner.call("PATCH", "/api/tenant/", expect=200, name=f"Tenant {mark}")
    owner.call("PATCH", "/api/me/", expect=200, display_name=f"Person {mark}")
    return Tenant(
        owner=owner,
        name=name,
        ids={**_make_work(owner, mark), **_make_people(stack, owner, mark), **_make_money(stack, owner, mark)},
    )


def _make_work(owner: Traveller, mark: str) -> dict[str, str]:
    fields = {"employer": f"Employer {mark}", "project": f"Project {mark}", "tags": [f"tag{mark}"], "body": mark}
    entries = [owner.write_entry(f"Wrote {mark} {number}", occurred_on=DAY, **fields) for number in range(3)]
    report_id, job_id = owner.ask_for_report(day=DAY, key=f"report {mark}")
    export_job = owner.call("POST", "/api/me/export/", expect=202, key=f"export {mark}")
    for job in (job_id, export_job["id"]):
        assert owner.wait_for_job(job)["state"] == "succeeded"
    export = owner.call("GET", "/api/me/exports/", expect=200)["results"][0]
    return {"entry_id": entries[0]["id"], "report_id": report_id, "job_id": job_id, "export_id": export["id"]}


def _make_money(stack: Stack, owner: Traveller, mark: str) -> dict[str, str]:
    """A receipt for a payment, another payment that nobody has made yet, and a metered use."""
    owner.call("PATCH", "/api/billing/profile/", expect=200, billing_name=f"Company {mark}")
    paid, opened = (
        owner.call("POST", "/api/billing/topup/session/", expect=201, amount_cents=cents) for cents in (2500, 1000)
    )
    answer = httpx.post(f"{stack.urls.stripe}/_checkout/{paid['session_id']}/pay", json={"card": "pm_card_visa"})
    assert answer.status_code == 200, answer.text
    owner.call("POST", "/api/billing/topup/confirm/", expect=200, session_id=paid["session_id"])
    return {
        "payment_id": opened["payment_id"],
        "document_id": owner.call("GET", "/api/billing/invoices/", expect=200)["results"][0]["id"],
        "event_id": owner.call("GET", "/api/billing/usage/", expect=200)["results"][0]["id"],
    }


def _make_people(stack: Stack, owner: Traveller, mark: str) -> dict[str, str]:
    passkey = owner.call("POST", "/api/tenant/passkeys/", expect=201, note=f"Invitation {mark}")
    member = Traveller(stack.urls.backend)
    member.sign_up(name=f"member of {mark}".replace(" ", "."), passkey=passkey["passkey"])
    member_id = member.call("GET", "/api/me/", expect=200)["id"]
    member.close()
    grant: dict[str, Any] = {"reason": f"Look {mark}", "scopes": ["worklog", "reports", "billing"], "minutes": 1440}
    opened = owner.call("POST", "/api/tenant/support-grants/", expect=201, **grant)
    token = owner.call("POST", "/api/auth/tokens/", expect=201, name=f"Token {mark}", scopes=["read"])
    passkey = owner.call("POST", "/api/tenant/passkeys/", expect=201, note=f"Invitation {mark}")
    me = owner.call("GET", "/api/me/", expect=200)
    sessions: list[dict[str, Any]] = owner.call("GET", "/api/auth/sessions/", expect=200)
    return {
        "user_id": member_id,
        "owner_id": me["id"],
        "tenant_id": owner.call("GET", "/api/tenant/", expect=200)["id"],
        "passkey_id": passkey["id"],
        "grant_id": opened["id"],
        "token_id": token["id"],
        "session_id": sessions[0]["id"],
    }


__all__ = ["MARKER", "PASSWORD", "Product", "Tenant", "run_product", "token_of"]
