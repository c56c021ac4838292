"""Export of my data: what lies in the ZIP, and what never does."""

import hashlib
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from apps.accounts.models import SeenDevice
from apps.accounts.services.tokens import issue_token
from apps.billing.models import PaymentAttempt
from apps.billing.render import render_pdf
from apps.common import clock
from apps.common.ids import uuid7
from apps.common.money import round_half_up
from apps.mfa.models import SecurityKey, TotpDevice
from apps.orchestration.models import DataExport, Job
from apps.orchestration.types import JobState
from apps.reporting import render
from apps.reporting.selectors import get_report
from apps.tenants.models import SupportAccess, SupportGrant
from apps.tenants.types import Actor, Role
from apps.worklog.services import delete_entry, edit_entry
from tests.factories.accounts import make_actor, make_staff
from tests.factories.billing import make_refund
from tests.factories.mydata import balance_of, begin_export, export_of, load, make_export, read_export
from tests.factories.orchestration import begin_report, make_writer, work
from tests.factories.payments import make_receipt
from tests.factories.worklog import make_entry

pytestmark = pytest.mark.django_db


def make_author() -> tuple[Actor, Job]:
    """A person with money, entries and a finished report."""
    actor = make_writer()
    return actor, work(begin_report(actor))


def test_an_export_costs_nothing_and_ends_with_a_link_for_a_week() -> None:
    job = work(begin_export(make_actor()))
    export = export_of(job)
    assert (job.state, job.estimate_micros, job.cost_micros, job.error) == (JobState.SUCCEEDED, 0, 0, "")
    assert export.state == "ready"
    assert export.ready_at is not None
    assert export.expires_at is not None
    assert (export.expires_at - export.ready_at).days == 7


def test_the_digests_and_lengths_are_those_of_the_files() -> None:
    actor, _ = make_author()
    members = read_export(make_export(actor))
    listed = {file["name"]: file for file in load(members, "manifest.json")["files"]}
    assert listed.keys() == members.keys() - {"manifest.json"}
    for name, file in listed.items():
        assert file["sha256"] == hashlib.sha256(members[name]).hexdigest()
        assert file["size_bytes"] == len(members[name])


def test_every_json_file_is_an_object_that_names_its_format() -> None:
    actor, _ = make_author()
    members = read_export(make_export(actor))
    names = [name for name in members if name.endswith(".json")]
    assert len(names) == 10
    assert all(load(members, name)["format"].startswith("afterresume.") for name in names)


def test_all_entries_are_there_with_their_history_deleted_ones_too() -> None:
    actor = make_actor()
    kept = make_entry(actor, "First title", employer="Acme", project="Atlas", tags=("billing",))
    edit_entry(actor=actor, entry_id=kept.id, changes={"title": "Second title"}, expected_version=1, now=clock.now())
    gone = make_entry(actor, "Thrown away")
    delete_entry(actor=actor, entry_id=gone.id, now=clock.now())
    worklog = load(read_export(make_export(actor)), "worklog.json")
    assert [(entry["title"], entry["deleted_at"] is not None) for entry in worklog["entries"]] == [
        ("Second title", False),
        ("Thrown away", True),
    ]
    assert [version["content"]["title"] for version in worklog["versions"]] == [
        "First title",
        "Second title",
        "Thrown away",
    ]
    names = [[row["name"] for row in worklog[kind]] for kind in ("employers", "projects", "tags")]
    assert names == [["Acme"], ["Atlas"], ["billing"]]


def test_a_report_in_the_export_is_the_product_s_own_export_byte_for_byte() -> None:
    actor, job = make_author()
    members = read_export(make_export(actor))
    report = get_report(actor=actor, report_id=job.subject_id)
    assert members[f"reports/{report.id}.json"] == render.json(report)
    assert members[f"reports/{report.id}.md"].decode() == render.markdown(report)
    assert members[f"reports/{report.id}.pdf"] == render.pdf(report)
    [row] = load(members, "reports/index.json")["reports"]
    assert (row["id"], row["state"]) == (str(report.id), "ready")


def test_jobs_come_with_their_steps_their_history_and_what_the_model_was_asked() -> None:
    actor, job = make_author()
    jobs = load(read_export(make_export(actor)), "jobs.json")
    assert [row["kind"] for row in jobs["jobs"]] == ["report", "export"]
    assert [step["step"] for step in jobs["jobs"][0]["steps"]] == ["write-1", "assemble"]
    assert {event["subject_id"] for event in jobs["events"]} >= {str(job.pk)}
    [call] = jobs["calls"]
    assert call["messages"][-1]["role"] == "user"
    assert call["answer"]


def test_the_ledger_adds_up_to_the_balance() -> None:
    actor, _ = make_author()
    ledger = load(read_export(make_export(actor)), "ledger.json")
    assert sum(entry["amount_micros"] for entry in ledger["entries"]) == ledger["balance_micros"] == balance_of(actor)
    assert [entry["seq"] for entry in ledger["entries"]] == list(range(1, ledger["last_seq"] + 1))


def test_each_charge_can_be_recomputed_from_the_rate_cards_in_the_export() -> None:
    actor, _ = make_author()
    ledger = load(read_export(make_export(actor)), "ledger.json")
    lines = {line["id"]: line for card in ledger["rate_cards"] for line in card["lines"]}
    debits = {entry["id"]: -entry["amount_micros"] for entry in ledger["entries"] if entry["kind"] == "usage"}
    assert ledger["usage_events"]
    for event in ledger["usage_events"]:
        assert price(event, lines) == event["cost_micros"] + event["not_charged_micros"]
        # What is free is counted without an entry.
        assert debits.get(event["ledger_entry_id"], 0) == event["cost_micros"]
    assert {event["ledger_entry_id"] for event in ledger["usage_events"]} >= debits.keys()
    assert debits


def price(event: dict[str, Any], lines: dict[str, Any]) -> int:
    total = Fraction(0)
    for charge in event["charges"]:
        line = lines[charge["rate_line_id"]]
        assert (line["price_micros"], line["unit_size"]) == (charge["price_micros"], charge["unit_size"])
        total += Fraction(charge["quantity"] * line["price_micros"], line["unit_size"])
    return round_half_up(total)


def test_what_the_house_pays_its_provider_is_not_in_the_export() -> None:
    actor, _ = make_author()
    assert not [name for name, data in read_export(make_export(actor)).items() if b"provider_cost" in data]


def test_the_ledger_as_a_table_has_one_line_a_movement() -> None:
    actor, _ = make_author()
    members = read_export(make_export(actor))
    lines = members["ledger.csv"].decode("utf-8-sig").splitlines()
    assert lines[0].startswith("seq,created_at,kind,")
    assert len(lines) == 1 + len(load(members, "ledger.json")["entries"])


def test_the_audit_tells_what_the_person_did() -> None:
    actor, _ = make_author()
    audit = load(read_export(make_export(actor)), "audit.json")["audit"]
    assert ("export.requested", "you") in {(row["action"], row["by"]) for row in audit}


def test_who_looked_by_a_support_grant_is_told_with_the_grant() -> None:
    actor, staff, now = make_actor(), make_staff(), clock.now()
    grant = SupportGrant.objects.create(
        tenant_id=actor.tenant, granted_by_id=actor.user_id, reason="It does not finish", scopes=["reports"],
        created_at=now, expires_at=now + timedelta(hours=1),
    )  # fmt: skip
    SupportAccess.objects.create(
        tenant_id=actor.tenant, grant=grant, staff_id=staff.user_id, method="GET", path="/api/reports/", at=now
    )
    [told] = load(read_export(make_export(actor)), "audit.json")["support_grants"]
    assert (told["reason"], told["accesses"][0]["path"]) == ("It does not finish", "/api/reports/")
    assert staff.username not in str(told)


def test_second_factors_and_devices_are_named_without_their_secrets() -> None:
    actor, now = make_actor(), clock.now()
    TotpDevice.objects.create(user_id=actor.user_id, secret="sealed-secret", confirmed_at=now)
    SecurityKey.objects.create(
        user_id=actor.user_id, name="Blue key", credential_id=b"1", public_key=b"1", sign_count=0, aaguid=uuid7(),
        created_at=now,
    )  # fmt: skip
    SeenDevice.objects.create(user_id=actor.user_id, device="Firefox on Linux", first_seen_at=now, last_seen_at=now)
    members = read_export(make_export(actor))
    assert [factor["kind"] for factor in load(members, "profile.json")["second_factors"]] == [
        "authenticator_app",
        "security_key",
    ]
    assert load(members, "tokens.json")["devices"][0]["device"] == "Firefox on Linux"
    assert b"sealed-secret" not in b"".join(members.values())


def test_an_owner_gets_payments_and_the_documents_about_them() -> None:
    actor = make_actor()
    receipt = make_receipt(actor.tenant)
    payment = PaymentAttempt.objects.get(tenant_id=actor.tenant)
    refund = make_refund(payment, 1_000_000)
    members = read_export(make_export(actor))
    paid = load(members, "payments.json")
    assert [row["payment_intent_id"] for row in paid["payments"]] == [payment.stripe_payment_intent_id]
    assert [(row["refund_id"], row["amount_micros"]) for row in paid["refunds"]] == [
        (refund.stripe_refund_id, 1_000_000)
    ]
    assert (paid["disputes"], paid["documents"][0]["number"]) == ([], "R-000001")
    assert members["documents/R-000001.pdf"] == render_pdf(document=receipt)
    billing = load(members, "profile.json")["billing"]
    assert {"billing_name", "billing_address", "tax_id", "saved_card", "automatic_topup"} <= set(billing)


@pytest.mark.failure("T16")
def test_no_token_and_no_password_is_in_the_export() -> None:
    actor = make_actor()
    token = issue_token(user_id=actor.user_id, name="curl", now=clock.now())
    members = read_export(make_export(actor))
    assert [row["name"] for row in load(members, "tokens.json")["tokens"]] == ["curl"]
    everything = b"".join(members.values())
    for secret in (token.key, token.key[3:20], "md5$", 'digest":'):
        assert secret.encode() not in everything.replace(b'"digest": "SHA-256"', b"")


def test_a_member_gets_their_own_things_and_is_told_that_the_ledger_is_not_theirs() -> None:
    owner = make_writer()
    member = make_actor(tenant=owner.tenant, role=Role.MEMBER)
    make_entry(member, "Mine alone")
    members = read_export(make_export(member))
    assert [entry["title"] for entry in load(members, "worklog.json")["entries"]] == ["Mine alone"]
    assert not [name for name in members if name.startswith("ledger")]
    assert "billing" not in load(members, "profile.json")
    assert b"the ledger belongs to its owners" in members["README.txt"]
    assert b"ledger.csv" not in members["README.txt"]
    assert not [name for name in members if name.startswith(("payments", "documents"))]


@pytest.mark.failure("T04", "T16")
def test_nothing_of_another_tenant_or_of_a_colleague_is_in_the_export() -> None:
    actor, _ = make_author()
    stranger, _ = make_author()
    make_entry(stranger, "MARKER of a stranger", employer="MARKER Ltd", tags=("marker",))
    work(begin_report(stranger, title="MARKER report"))
    colleague = make_actor(tenant=actor.tenant, role=Role.MEMBER)
    make_entry(colleague, "MARKER of a colleague", visibility="private")
    everything = b"".join(read_export(make_export(actor)).values())
    assert b"marker" not in everything.lower()
    assert str(stranger.tenant).encode() not in everything
    assert stranger.username.encode() not in everything


def test_who_asks_again_while_one_is_written_gets_that_one() -> None:
    actor = make_actor()
    assert begin_export(actor).pk == begin_export(actor).pk
    assert DataExport.objects.count() == 1


def test_two_wishes_at_the_same_moment_start_one_export(monkeypatch: pytest.MonkeyPatch) -> None:
    actor = make_actor()
    first = begin_export(actor)
    # The other hand's job is not seen at the first look, but meets us at the unique key.
    looks = iter([None, first.pk])
    monkeypatch.setattr("apps.orchestration.flows.export.find_running_export", lambda **_: next(looks))
    assert begin_export(actor).pk == first.pk
    assert DataExport.objects.count() == 1


def test_each_person_and_each_time_gets_an_export_of_its_own() -> None:
    actor = make_actor()
    first, second = make_export(actor), make_export(actor)
    assert first.pk != second.pk
    assert begin_export(make_actor(tenant=actor.tenant, role=Role.MEMBER)).pk not in {first.job_id, second.job_id}
