"""Each resource module against the contract's shapes: what is sent, and what comes back as a value."""

from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from apps.backend.billing import LedgerFilters
from apps.backend.client import BackendClient
from apps.backend.errors import BackendUnavailable, Conflict, Invalid, NotAuthenticated, NotFound
from apps.backend.reports import ReportRequest
from apps.backend.transport import Transport
from apps.backend.usage import ChargeOfUsage, UsageFilters
from apps.backend.worklogs import EntryDraft, EntryFilters
from tests.fakes import money_shapes as money
from tests.fakes import shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.server import Reply

PERIOD = ReportRequest(period_from=date(2026, 9, 1), period_to=date(2026, 11, 30))


def test_a_token_comes_with_its_end_and_its_owner(client: BackendClient) -> None:
    issued = client.auth.obtain_token(username="ada@example.com", password="correct horse", name="Web session")
    assert (issued.user.username, issued.user.tenant.name) == ("ada", "Ada's worklog")
    assert issued.expires_at.tzinfo is not None


def test_a_wrong_password_is_invalid(client: BackendClient) -> None:
    with pytest.raises(Invalid) as caught:
        client.auth.obtain_token(username="ada", password="guess", name="Web session")
    assert caught.value.code == "bad_credentials"


def test_signing_up_spends_the_passkey(client: BackendClient, fake: FakeBackend) -> None:
    values = {"email": "b@example.com", "password": "long enough", "passkey": "good-passkey-0001"}
    account = client.auth.sign_up(username="bea", **values, idempotency_key="k")
    assert (account.username, fake.passkeys["good-passkey-0001"]) == ("bea", "used")


def test_logging_out_ends_the_token(client: BackendClient) -> None:
    client.auth.log_out()
    with pytest.raises(NotAuthenticated):
        client.me.get()


def test_logging_out_everywhere_is_one_call(client: BackendClient, fake: FakeBackend) -> None:
    fake.answer_with("POST", "/api/auth/logout-all/", Reply(status=204))
    client.auth.log_out_everywhere()
    assert len(fake.received) == 1


def test_the_profile_can_be_read_and_changed(client: BackendClient) -> None:
    assert client.me.get().profile.time_zone == "Europe/Berlin"
    assert client.me.update(display_name="Ada L.", time_zone="UTC").profile.display_name == "Ada L."


def test_the_status_bar(client: BackendClient) -> None:
    assert client.status.bar().reserve_balance_dollars == "4.20"


def test_entries_are_filtered_and_paged(client: BackendClient, fake: FakeBackend) -> None:
    fake.entries.extend(shapes.entry(f"Entry {n}", occurred_on=f"2026-11-0{n}") for n in range(1, 6))
    filters = EntryFilters(from_day=date(2026, 11, 2), to_day=date(2026, 11, 5), lacks_impact=False)
    first = client.worklogs.list(filters=filters, page_size=3)
    rest = client.worklogs.list(filters=filters, page_size=3, cursor=first.next_cursor)
    assert [entry.title for entry in first] == ["Entry 5", "Entry 4", "Entry 3"]
    assert ([entry.title for entry in rest], rest.next_cursor, len(rest)) == (["Entry 2"], None, 1)
    assert rest.previous_cursor == "0"


def test_a_new_entry_leaves_the_day_to_the_backend(client: BackendClient, fake: FakeBackend) -> None:
    draft = EntryDraft(title="Shipped", tags=("python",), hours=Decimal("1.50"))
    entry = client.worklogs.create(draft=draft, idempotency_key="k")
    sent = fake.received[-1].body
    assert ("occurred_on" in sent, sent["tags"], sent["hours"], sent["impact_before"]) == (
        False,
        ["python"],
        "1.50",
        None,
    )
    assert (entry.title, entry.hours) == ("Shipped", Decimal("1.50"))


def test_an_edit_names_the_version_it_began_with(client: BackendClient, fake: FakeBackend) -> None:
    fake.entries.append(shapes.entry(version=4))
    entry_id = UUID(fake.entries[0]["id"])
    draft = EntryDraft(title="Better", occurred_on=date(2026, 11, 1))
    assert client.worklogs.update(entry_id=entry_id, draft=draft, version=4, idempotency_key="k").version == 5
    with pytest.raises(Conflict) as caught:
        client.worklogs.update(entry_id=entry_id, draft=draft, version=4, idempotency_key="k2")
    assert caught.value.code == "version_conflict"


def test_a_deleted_entry_can_come_back(client: BackendClient, fake: FakeBackend) -> None:
    fake.entries.append(shapes.entry())
    entry_id = UUID(fake.entries[0]["id"])
    client.worklogs.delete(entry_id=entry_id)
    assert client.worklogs.get(entry_id=entry_id).is_deleted
    assert not client.worklogs.restore(entry_id=entry_id).is_deleted


def test_the_history_of_an_entry(client: BackendClient, fake: FakeBackend) -> None:
    entry_id = uuid4()
    version = {"version": 1, "edited_at": shapes.instant(), "editor": None, "snapshot": {"title": "Old"}}
    listed = {"next": None, "previous": None, "results": [version]}
    fake.answer_with("GET", f"/api/worklogs/{entry_id}/versions/", Reply(body=listed))
    assert next(iter(client.worklogs.versions(entry_id=entry_id))).snapshot == {"title": "Old"}


def test_the_quick_line_and_the_defaults(client: BackendClient) -> None:
    parsed = client.worklogs.parse(line="Cut the run @acme #billing +python !2h")
    assert (parsed.title, parsed.employer, parsed.tags, parsed.hours) == (
        "Cut the run",
        "acme",
        ("billing",),
        Decimal("2.00"),
    )
    assert client.worklogs.defaults().employer == "Acme"


def test_the_names_in_use(client: BackendClient) -> None:
    worklogs = client.worklogs
    names = [next(iter(page)).name for page in (worklogs.employers(), worklogs.projects(), worklogs.tags())]
    assert names == ["Employers", "Projects", "Tags"]


def test_an_estimate_is_asked_for_the_chosen_entries(client: BackendClient, fake: FakeBackend) -> None:
    chosen = ReportRequest(
        period_from=PERIOD.period_from, period_to=PERIOD.period_to, entry_ids=(uuid4(),), title="Mine"
    )
    assert client.reports.estimate(request=chosen).at_most_micros == 40_000
    assert fake.received[-1].body["params"]["entry_ids"] == [str(chosen.entry_ids[0])]


def test_a_report_starts_as_a_job(client: BackendClient, fake: FakeBackend) -> None:
    fake.entries.append(shapes.entry())
    started = client.reports.create(request=PERIOD, idempotency_key="k")
    assert (started.report.state, started.job.is_open, started.job.report_id) == ("pending", True, started.report.id)


def test_a_ready_report_has_bullets_that_rest_on_entries(client: BackendClient, fake: FakeBackend) -> None:
    fake.reports.append(shapes.report([shapes.entry()]))
    report = client.reports.get(report_id=UUID(fake.reports[0]["id"]))
    assert report.document is not None
    bullet = report.document.sections[0].bullets[0]
    assert report.entries_by_id[bullet.entry_ids[0]].title == bullet.text


def test_reports_are_listed_renamed_deleted_and_fetched(client: BackendClient, fake: FakeBackend) -> None:
    fake.reports.append(shapes.report([shapes.entry()]))
    listed = next(iter(client.reports.list()))
    assert listed.bullet_count == 3
    assert client.reports.rename(report_id=listed.id, title="New").title == "New"
    assert client.reports.export(report_id=listed.id, file_format="md").filename == "brag.md"
    client.reports.delete(report_id=listed.id)


def test_jobs_are_listed_followed_cancelled_and_retried(client: BackendClient, fake: FakeBackend) -> None:
    fake.jobs.extend([shapes.job("running"), shapes.job("succeeded")])
    running = next(iter(client.jobs.list(state="running")))
    assert client.jobs.get(job_id=running.id).steps[1].label == "Write"
    assert next(iter(client.jobs.events(job_id=running.id))).name == "job.started"
    assert client.jobs.cancel(job_id=running.id).state == "cancelled"
    assert client.jobs.retry(job_id=running.id, idempotency_key="k").is_open


def test_the_reserve_and_its_ledger(client: BackendClient, fake: FakeBackend) -> None:
    fake.ledger.append(shapes.ledger_entry())
    assert client.billing.balance().held_micros == 40_000
    filters = LedgerFilters(kind="usage", from_day=date(2026, 11, 1), to_day=date(2026, 11, 30))
    assert next(iter(client.billing.ledger(filters=filters))).lines[0].rate_card == "Starter v1"
    assert fake.received[-1].query["from"] == "2026-11-01"
    assert len(client.billing.ledger()) == 1


def test_the_billing_profile(client: BackendClient) -> None:
    assert client.billing.profile().plan == "starter"
    changed = client.billing.update_profile({"low_balance_threshold_micros": 5, "auto_topup": {"amount_micros": 9}})
    assert (changed.low_balance_threshold_micros, changed.auto_topup.amount_micros) == (5, 9)
    assert changed.billing_email == "ada@example.com"


def test_usage_by_event_in_sums_and_explained(client: BackendClient, fake: FakeBackend) -> None:
    fake.usage.append(shapes.usage_event())
    filters = UsageFilters(from_day=date(2026, 11, 1), model="builtin-1", meter="llm.tokens", job=uuid4())
    event = next(iter(client.usage.list(filters=filters)))
    assert (event.tokens.output, fake.received[-1].query["job"]) == (310, str(filters.job))
    assert client.usage.group(by="model", filters=filters).total.cost_micros == 372
    assert [charge.exact_micros for charge in client.usage.get(event.id).why.charges] == [186, 186]


def test_a_charge_that_is_no_fraction_is_a_missing_backend() -> None:
    charge = ChargeOfUsage(token_class="", quantity=1, unit_size=1, price_micros=1, exact="1/0")
    with pytest.raises(BackendUnavailable):
        _ = charge.exact_micros


def test_a_topup_is_started_looked_at_and_canceled(client: BackendClient) -> None:
    started = client.payments.start_topup(amount_cents=2500, saves_card=True, idempotency_key="k")
    assert client.payments.confirm_topup(session_id=started.session_id).checkout_url == started.checkout_url
    assert client.payments.cancel(started.payment_id, idempotency_key="k2").look == "canceled"
    assert [payment.is_open for payment in client.payments.list()] == [False]


def test_the_ways_to_the_payment_provider(client: BackendClient) -> None:
    assert client.payments.open_portal(idempotency_key="k") == money.PORTAL
    assert client.payments.start_subscription(plan="professional", idempotency_key="k").session_id == "cs_test_plan"


def test_documents_are_listed_and_fetched(client: BackendClient, fake: FakeBackend) -> None:
    fake.documents.append(money.document())
    listed = next(iter(client.payments.documents()))
    assert (listed.number, client.payments.document_pdf(listed.id).filename) == ("R-000001", "R-000001.pdf")


def test_what_is_not_there_is_not_found(client: BackendClient) -> None:
    with pytest.raises(NotFound):
        client.jobs.get(job_id=uuid4())


@pytest.mark.parametrize("body", [{"next": None}, {"next": None, "previous": None, "results": "none"}, []])
def test_a_list_of_another_shape_is_a_missing_backend(body: object, client: BackendClient, fake: FakeBackend) -> None:
    fake.answer_with("GET", "/api/jobs/", Reply(body=body))
    with pytest.raises(BackendUnavailable) as caught:
        client.jobs.list()
    assert caught.value.code == "unexpected_answer"


def test_a_client_without_a_token_is_refused(fake: FakeBackend, transport: Transport) -> None:
    with pytest.raises(NotAuthenticated):
        BackendClient(transport=transport).me.get()
