"""The fake keeps the contract: each of its answers against the exported OpenAPI document."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.fakes import shapes
from tests.fakes.accounts import GOOD_KEY
from tests.fakes.backend import FakeBackend, seed
from tests.fakes.identity import GOOD_CODE
from tests.fakes.tenancy import CERTIFICATE

CONTRACT = Path(__file__).resolve().parents[3] / "contracts" / "openapi.yaml"
READS = [
    "/api/me/",
    "/api/auth/second-factor/",
    "/api/auth/sessions/",
    "/api/auth/tokens/",
    "/api/status/bar/",
    "/api/worklogs/",
    "/api/worklogs/{entry_id}/",
    "/api/worklogs/defaults/",
    "/api/employers/",
    "/api/projects/",
    "/api/tags/",
    "/api/reports/",
    "/api/reports/{report_id}/",
    "/api/jobs/",
    "/api/jobs/{job_id}/",
    "/api/jobs/{job_id}/events/",
    "/api/billing/reserve/balance/",
    "/api/billing/reserve/ledger/",
    "/api/billing/usage/",
    "/api/billing/usage/{event_id}/",
    "/api/billing/profile/",
    "/api/billing/plans/",
    "/api/billing/payments/",
    "/api/billing/payments/{payment_id}/",
    "/api/billing/invoices/",
    "/api/tenant/",
    "/api/tenant/members/",
    "/api/tenant/members/{user_id}/",
    "/api/tenant/passkeys/",
    "/api/tenant/audit/",
    "/api/tenant/support-grants/",
    "/api/tenant/support-grants/{grant_id}/accesses/",
    "/api/me/exports/",
    "/api/me/delete/",
    "/api/admin/users/",
    "/api/admin/users/{user_id}/",
    "/api/admin/tenants/",
    "/api/admin/tenants/{tenant_id}/",
    "/api/admin/audit/",
    "/api/admin/passkeys/",
    "/api/admin/passkeys/{passkey_id}/",
    "/api/admin/support-grants/",
    "/api/billing/admin/reserve/summary/",
    "/api/billing/admin/usage/costs/",
    "/api/billing/admin/payments/",
    "/api/billing/admin/payments/{payment_id}/",
    "/api/billing/admin/stripe-events/",
    "/api/billing/admin/disputes/",
]
PERIOD = {"kind": "brag_document", "period_from": "2026-09-01", "period_to": "2026-11-30"}
WRITES = [
    ("/api/auth/token/", {"username": "ada", "password": "correct horse"}, 200),
    (
        "/api/auth/signup/",
        {"username": "bea", "email": "b@example.com", "password": "x", "passkey": "good-passkey-0001"},
        201,
    ),
    ("/api/auth/reauthenticate/", {"password": "correct horse"}, 200),
    ("/api/auth/password/reset/", {"email": "ada@example.com"}, 202),
    ("/api/auth/email/verify/", {"key": GOOD_KEY}, 200),
    ("/api/auth/email/verify/resend/", {}, 202),
    ("/api/auth/email/change/", {"email": "new@example.com"}, 202),
    ("/api/auth/second-factor/totp/", {}, 200),
    ("/api/auth/second-factor/totp/confirm/", {"code": GOOD_CODE}, 200),
    ("/api/auth/second-factor/recovery-codes/", {}, 200),
    ("/api/auth/second-factor/keys/options/", {}, 200),
    ("/api/auth/second-factor/keys/", {"challenge": "key-challenge", "name": "Desk", "credential": {}}, 201),
    ("/api/auth/tokens/", {"name": "Nightly", "scopes": ["read"], "expires_in_days": 30}, 201),
    ("/api/worklogs/", {"title": "Shipped"}, 201),
    ("/api/worklogs/parse/", {"line": "Shipped @acme !2h"}, 200),
    ("/api/jobs/estimate/", {"kind": "report", "params": PERIOD}, 200),
    ("/api/reports/", PERIOD, 202),
    ("/api/billing/topup/session/", {"amount_cents": 2500, "save_card": True}, 201),
    ("/api/billing/topup/confirm/", {"session_id": "cs_test_of_the_seed"}, 200),
    ("/api/billing/auto-topup/resume/", {}, 200),
    ("/api/billing/portal/session/", {}, 201),
    ("/api/billing/subscription/session/", {"plan": "professional"}, 201),
    ("/api/tenant/passkeys/", {"role": "member", "bound_email": "", "note": "Cleo", "expires_at": None}, 201),
    ("/api/tenant/support-grants/", {"reason": "Look", "scopes": ["worklog"], "minutes": 60}, 201),
    ("/api/me/export/", {}, 202),
    ("/api/me/delete/", {"confirm": "ada", "reason": "", "accept_balance_loss": False}, 202),
    ("/api/admin/passkeys/", {"note": "Cleo", "promo_credit_cents": 500, "tenant": None, "role": None}, 201),
]
# On the last of the list that the address begins with.
ACTS = [
    ("patch", "/api/tenant/members/{user_id}/", {"role": "owner"}, 200),
    ("post", "/api/tenant/passkeys/{passkey_id}/revoke/", {}, 200),
    ("post", "/api/tenant/support-grants/{grant_id}/revoke/", {}, 200),
    ("patch", "/api/admin/users/{user_id}/", {"is_active": False, "reason": "Abuse"}, 200),
    ("post", "/api/admin/users/{user_id}/password-reset/", {"reason": "Asked"}, 202),
    ("post", "/api/admin/users/{user_id}/revoke-tokens/", {"reason": "Asked"}, 200),
    ("post", "/api/admin/users/{user_id}/second-factor/reset/", {"reason": "Asked"}, 200),
    ("post", "/api/admin/passkeys/{passkey_id}/revoke/", {}, 200),
    ("post", "/api/billing/admin/stripe-events/{message_id}/retry/", {}, 200),
]


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(CONTRACT.read_text())
    return loaded


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    fake = FakeBackend()
    fake.start()
    seed(fake)
    fake.factors["ada"]["security_keys"].append(shapes.security_key())
    fake.reports.append(shapes.report(fake.entries[:2], state="pending", document=None))
    with httpx.Client(base_url=fake.url, headers={"Authorization": f"Token {fake.issue_token()}"}) as client:
        yield client
    fake.stop()


def problems(contract: dict[str, Any], *, path: str, method: str, status: int, answer: Any) -> list[str]:
    described = contract["paths"][path][method]["responses"][str(status)]
    schema = described["content"]["application/json"]["schema"]
    validator = Draft202012Validator({**schema, "components": contract["components"]})
    return [f"{error.json_path}: {error.message[:120]}" for error in validator.iter_errors(answer)]


@pytest.mark.parametrize("path", READS)
def test_what_the_fake_says_is_in_the_contract(path: str, contract: dict[str, Any], browser: httpx.Client) -> None:
    address = path
    if "{" in path:
        listed = browser.get(path.split("{", maxsplit=1)[0]).json()["results"]
        address = f"{path.split('{', maxsplit=1)[0]}{listed[0]['id']}{path.split('}')[1]}"
    answer = browser.get(address)
    assert answer.status_code == 200
    assert problems(contract, path=path, method="get", status=200, answer=answer.json()) == []


@pytest.mark.parametrize(("path", "body", "status"), WRITES)
def test_what_the_fake_makes_is_in_the_contract(
    path: str, body: dict[str, Any], status: int, contract: dict[str, Any], browser: httpx.Client
) -> None:
    answer = browser.post(path, json=body)
    assert answer.status_code == status
    assert problems(contract, path=path, method="post", status=status, answer=answer.json()) == []


@pytest.mark.parametrize(("method", "path", "body", "status"), ACTS)
def test_what_the_fake_changes_is_in_the_contract(
    method: str, path: str, body: dict[str, Any], status: int, contract: dict[str, Any], browser: httpx.Client
) -> None:
    beginning, end = path.split("{", maxsplit=1)[0], path.split("}")[1]
    found = browser.get(beginning).json()["results"][-1]["id"]
    answer = browser.request(method.upper(), f"{beginning}{found}{end}", json=body)
    assert answer.status_code == status
    assert problems(contract, path=path, method=method, status=status, answer=answer.json()) == []


def test_handing_over_and_renaming_are_in_the_contract(contract: dict[str, Any], browser: httpx.Client) -> None:
    heir = browser.get("/api/tenant/members/").json()["results"][-1]["id"]
    renamed = browser.patch("/api/tenant/", json={"name": "Acme"}).json()
    transferred = browser.post("/api/tenant/transfer/", json={"member": heir}).json()
    assert problems(contract, path="/api/tenant/", method="patch", status=200, answer=renamed) == []
    assert problems(contract, path="/api/tenant/transfer/", method="post", status=200, answer=transferred) == []


def test_a_certificate_is_in_the_contract(contract: dict[str, Any], browser: httpx.Client) -> None:
    answer = browser.get(f"/api/erasure-certificates/{CERTIFICATE}/").json()
    assert problems(contract, path="/api/erasure-certificates/{token}/", method="get", status=200, answer=answer) == []


def test_the_second_step_of_a_sign_in_is_in_the_contract(contract: dict[str, Any]) -> None:
    fake = FakeBackend()
    fake.start()
    fake.add_user()
    fake.set_totp()
    refused = httpx.post(f"{fake.url}/api/auth/token/", json={"username": "ada", "password": "correct horse"})
    challenge = refused.json()["challenge"]["id"]
    granted = httpx.post(
        f"{fake.url}/api/auth/token/second-factor/", json={"challenge": challenge, "code": GOOD_CODE, "name": "x"}
    )
    fake.stop()
    paths = ("/api/auth/token/", 403, refused), ("/api/auth/token/second-factor/", 200, granted)
    for path, status, answer in paths:
        assert answer.status_code == status
        assert problems(contract, path=path, method="post", status=status, answer=answer.json()) == []


@pytest.mark.parametrize("by", ["day", "model", "meter", "job", "worklog"])
def test_sums_of_usage_are_in_the_contract(by: str, contract: dict[str, Any], browser: httpx.Client) -> None:
    answer = browser.get("/api/billing/usage/", params={"group_by": by})
    assert problems(contract, path="/api/billing/usage/", method="get", status=200, answer=answer.json()) == []


def test_a_payment_that_is_given_up_is_in_the_contract(contract: dict[str, Any], browser: httpx.Client) -> None:
    started = browser.post("/api/billing/topup/session/", json={"amount_cents": 2500}).json()
    answer = browser.post(f"/api/billing/payments/{started['payment_id']}/cancel/").json()
    path = "/api/billing/payments/{payment_id}/cancel/"
    assert problems(contract, path=path, method="post", status=200, answer=answer) == []


def test_changed_settings_of_the_reserve_are_in_the_contract(contract: dict[str, Any], browser: httpx.Client) -> None:
    answer = browser.patch("/api/billing/profile/", json={"auto_topup": {"is_on": True}}).json()
    assert problems(contract, path="/api/billing/profile/", method="patch", status=200, answer=answer) == []


def test_what_staff_do_with_money_is_in_the_contract(contract: dict[str, Any], browser: httpx.Client) -> None:
    base = "/api/billing/admin"
    tenant = browser.get("/api/admin/tenants/").json()["results"][0]["id"]
    payment = browser.get(f"{base}/payments/").json()["results"][0]["id"]
    wish = {"tenant": tenant, "amount_micros": 5, "reason": "Goodwill"}
    adjusted = browser.post(f"{base}/reserve/adjust/", json=wish).json()
    policy = browser.patch(f"{base}/reserve/{tenant}/policy/", json={"policy": "block", "reason": "Asked"}).json()
    refund = browser.post(f"{base}/refunds/", json={"payment": payment, "reason": "Asked"}).json()
    for path, method, status, answer in (
        ("/reserve/adjust/", "post", 201, adjusted),
        ("/reserve/{tenant_id}/policy/", "patch", 200, policy),
        ("/refunds/", "post", 201, refund),
    ):
        assert problems(contract, path=f"{base}{path}", method=method, status=status, answer=answer) == []
