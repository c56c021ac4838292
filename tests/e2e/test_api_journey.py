"""The same journey by the API alone."""

import time
from collections.abc import Iterator

import pytest

from devstack.stack import Stack
from tests.api_journey import Traveller

DAY = "2026-11-20"


@pytest.fixture
def person(stack: Stack) -> Iterator[Traveller]:
    traveller = Traveller(stack.urls.backend)
    yield traveller
    traveller.close()


def test_a_newcomer_gets_a_document_and_its_cost_is_in_the_ledger(stack: Stack, person: Traveller) -> None:
    person.sign_up(name=f"curl{time.monotonic_ns()}", passkey=stack.create_passkey(promo_credit="5.00"))
    for title in ("Cut invoice run from 40 to 6 min", "Moved 14 services to Kubernetes", "Mentored two juniors"):
        person.write_entry(title, occurred_on=DAY, employer="Acme", tags=["billing"])
    params = {"kind": "brag_document", "period_from": DAY, "period_to": DAY}
    estimate = person.call("POST", "/api/jobs/estimate/", expect=200, kind="report", params=params)
    report_id, job_id = person.ask_for_report(day=DAY, key="first")
    assert person.ask_for_report(day=DAY, key="first") == (report_id, job_id)
    job = person.wait_for_job(job_id)

    assert job["state"] == "succeeded", job
    assert 0 < job["cost_micros"] <= estimate["at_most_micros"]
    report = person.call("GET", f"/api/reports/{report_id}/", expect=200)
    bullets = [bullet for section in report["document"]["sections"] for bullet in section["bullets"]]
    assert {entry for bullet in bullets for entry in bullet["entry_ids"]} == {
        entry["id"] for entry in report["entries"]
    }
    pdf = person.http.get(f"/api/reports/{report_id}/export/", params={"format": "pdf"})
    assert (pdf.headers["content-type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    newest, oldest = person.read_ledger()
    assert (newest["kind"], newest["amount_micros"]) == ("usage", -job["cost_micros"])
    assert (oldest["kind"], oldest["amount_micros"]) == ("promo_credit", 5_000_000)
    assert person.read_balance() == newest["balance_after_micros"]
    assert person.call("GET", "/api/status/bar/", expect=200)["tokens_out"] > 0
