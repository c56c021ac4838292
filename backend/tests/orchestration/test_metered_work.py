"""Documents, exports and stored files are metered with the work itself."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import stamina
from django.db import OperationalError

from apps.billing import selectors
from apps.billing.models import LossEntry, RateCardVersion, RateLineItem, UsageEvent
from apps.billing.services import metering as billing_metering
from apps.billing.services.metering import record_use
from apps.billing.services.rate_cards import clone_version, publish_version
from apps.billing.types import Meter, ReserveBusy
from apps.common import clock
from apps.common.tenancy import TenantId, edge
from apps.orchestration.flows import export as export_flow
from apps.orchestration.flows.report import estimate_report
from apps.orchestration.models import DataExport, Job
from apps.orchestration.services import metering
from apps.orchestration.services.metering import count_storage, meter_storage
from apps.orchestration.types import JobState
from apps.workers.tasks import run_storage_metering
from tests.factories.accounts import make_actor
from tests.factories.billing import get_account, make_quantity_line, publish_prices
from tests.factories.mydata import make_export
from tests.factories.orchestration import ask, begin_report, fault, make_writer, model_server, work

pytestmark = pytest.mark.django_db


def charge_for(meter: Meter, *, price: int) -> None:
    """New prices of the free plan, with the meter no longer free."""
    draft = clone_version(version_id=RateCardVersion.objects.get(card__plan="free").id, now=clock.now())
    RateLineItem.objects.filter(version=draft, meter=meter).update(price_micros=price, is_free=False)
    publish_version(actor=None, version_id=draft.id, now=clock.now())


def events(meter: Meter) -> list[UsageEvent]:
    return list(UsageEvent.objects.filter(meter=meter).order_by("id"))


def test_a_document_is_counted_once_and_free_by_the_example_prices() -> None:
    actor = make_writer()
    job = work(begin_report(actor))
    [event] = events(Meter.DOCUMENTS)
    assert (event.tenant_id, event.job_id, event.cost_micros) == (actor.tenant, job.pk, 0)
    assert selectors.explain_event(event) == "1 document x $0.00 each = $0.00"


def test_a_document_with_a_price_is_in_the_estimate_and_in_the_cost() -> None:
    actor = make_writer()
    free = estimate_report(actor=actor, request=ask(), now=clock.now()).at_most_micros
    charge_for(Meter.DOCUMENTS, price=20_000)
    assert estimate_report(actor=actor, request=ask(), now=clock.now()).at_most_micros == free + 20_000
    job = work(begin_report(actor))
    assert events(Meter.DOCUMENTS)[0].cost_micros == 20_000
    assert 20_000 < job.cost_micros <= job.estimate_micros


def test_a_document_never_takes_a_job_beyond_what_was_promised() -> None:
    actor = make_writer()
    charge_for(Meter.DOCUMENTS, price=20_000)
    job = begin_report(actor)
    Job.objects.filter(pk=job.pk).update(estimate_micros=15_000)
    job.refresh_from_db()
    assert work(job).cost_micros == 15_000
    assert sum(loss.unbilled_micros for loss in LossEntry.objects.all()) > 0


def test_a_report_that_fails_is_no_document() -> None:
    actor = make_writer()
    with model_server() as server:
        server.knobs.add(fault("status", status=401))
        assert work(begin_report(actor)).state == JobState.FAILED
    assert events(Meter.DOCUMENTS) == []


def test_an_export_is_counted_with_its_job() -> None:
    actor = make_writer()
    export = make_export(actor)
    [event] = events(Meter.EXPORTS)
    assert (event.job_id, event.quantity, event.cost_micros) == (export.job_id, 1, 0)


def test_an_export_with_a_price_says_so_beforehand() -> None:
    actor = make_writer()
    charge_for(Meter.EXPORTS, price=10_000)
    job = Job.objects.get(pk=make_export(actor).job_id)
    assert (job.estimate_micros, job.cost_micros, events(Meter.EXPORTS)[0].cost_micros) == (10_000, 10_000, 10_000)


def busy_twice(monkeypatch: pytest.MonkeyPatch, module: object) -> None:
    refusals = [ReserveBusy(), OperationalError("the database restarts")]

    def record(**rest: Any) -> object:
        if refusals:
            raise refusals.pop()
        return record_use(**rest)

    monkeypatch.setattr(module, "record_use", record)


def test_a_document_and_an_export_wait_for_a_busy_reserve(monkeypatch: pytest.MonkeyPatch) -> None:
    actor = make_writer()
    busy_twice(monkeypatch, billing_metering)
    busy_twice(monkeypatch, export_flow)
    with stamina.set_testing(True, attempts=3):
        job = work(begin_report(actor))
        make_export(actor)
    assert [run.attempt for run in job.runs.filter(step="assemble")] == [1]
    assert [len(events(meter)) for meter in (Meter.DOCUMENTS, Meter.EXPORTS)] == [1, 1]


@pytest.mark.parametrize(
    ("size", "day", "quantity"),
    [
        # A gigabyte for a whole month is a million parts.
        (31 * 10**9, date(2026, 3, 14), 10**6),
        (30 * 10**9, date(2026, 4, 14), 10**6),
        (28 * 10**9, date(2026, 2, 14), 10**6),
        (10**6, date(2026, 3, 14), 32),
        (1, date(2026, 3, 14), 0),
        (10**18, date(2026, 3, 14), 10**9),
    ],
)
def test_a_day_of_storage_is_a_part_of_a_gigabyte_month(size: int, day: date, quantity: int) -> None:
    assert count_storage(size_bytes=size, day=day) == quantity


def store(size: int) -> TenantId:
    """A tenant with so many bytes in the storage, at two cents a GB-month."""
    actor = make_actor()
    DataExport.objects.filter(pk=make_export(actor).pk).update(size_bytes=size)
    return actor.tenant


DAY = datetime(2026, 4, 14, 2, tzinfo=UTC)


def test_what_is_stored_is_metered_once_a_day() -> None:
    publish_prices(make_quantity_line(Meter.STORAGE, price=20_000, unit_size=1_000_000))
    tenant = store(30 * 10**9)
    assert [meter_storage(now=DAY) for _ in range(2)] == [1, 1]
    meter_storage(now=DAY + timedelta(days=1))
    assert [(event.quantity, event.tenant_id) for event in events(Meter.STORAGE)] == [(10**6, tenant)] * 2
    assert sum(event.cost_micros + event.excess_micros for event in events(Meter.STORAGE)) == 40_000


def test_the_first_count_of_a_day_stands() -> None:
    publish_prices(make_quantity_line(Meter.STORAGE, price=20_000, unit_size=1_000_000))
    store(30 * 10**9)
    meter_storage(now=DAY)
    DataExport.objects.update(size_bytes=60 * 10**9)
    meter_storage(now=DAY)
    assert [event.quantity for event in events(Meter.STORAGE)] == [10**6]


def test_too_little_to_count_and_files_that_are_gone_are_not_metered() -> None:
    publish_prices(make_quantity_line(Meter.STORAGE, price=20_000, unit_size=1_000_000))
    store(1)
    gone = store(30 * 10**9)
    DataExport.objects.filter(tenant_id=gone).update(purged_at=DAY)
    meter_storage(now=DAY)
    assert events(Meter.STORAGE) == []


def test_a_busy_reserve_keeps_its_day_for_the_next_round(monkeypatch: pytest.MonkeyPatch) -> None:
    publish_prices(make_quantity_line(Meter.STORAGE, price=20_000, unit_size=1_000_000))
    busy, other = store(30 * 10**9), store(30 * 10**9)

    def record(*, tenant: TenantId, **rest: object) -> object:
        if tenant == busy:
            raise ReserveBusy
        return record_use(tenant=tenant, **rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(metering, "record_use", record)
        with pytest.raises(ReserveBusy):
            meter_storage(now=DAY)
    assert [event.tenant_id for event in events(Meter.STORAGE)] == [other]
    meter_storage(now=DAY)
    assert len(events(Meter.STORAGE)) == 2
    assert get_account(busy).last_seq == 1


def test_the_duty_takes_each_day_once() -> None:
    publish_prices(make_quantity_line(Meter.STORAGE, price=20_000, unit_size=1_000_000))
    store(30 * 10**9)
    with edge():
        assert (run_storage_metering(), run_storage_metering()) == (True, False)
    assert len(events(Meter.STORAGE)) == 1
