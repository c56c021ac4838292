"""Another person's pages by a support grant: read only, framed, and over when the grant is."""

import pytest
from django.test import Client

from tests.fakes import house_shapes as shapes
from tests.fakes import shapes as plain
from tests.fakes.backend import FakeBackend
from tests.fakes.identity import refuse
from tests.fakes.shapes import Json

PAGE = "/admin-panel/support/"
AREAS = ["worklog", "reports", "billing"]


@pytest.fixture
def grant(fake_backend: FakeBackend) -> Json:
    made = shapes.staff_grant(scopes=AREAS, granted_by=shapes.person("bea"))
    fake_backend.open_grants.append(made)
    return made


def test_open_grants_are_listed_with_what_they_open(staff: Client, grant: Json) -> None:
    shown = staff.get(PAGE).content.decode()
    for told in ("My report misses two entries", "Worklog of bea", "Reports of bea", "Billing of bea"):
        assert told in shown


def test_further_grants_are_a_page_away(staff: Client, fake_backend: FakeBackend) -> None:
    fake_backend.open_grants.extend(shapes.staff_grant() for _ in range(51))
    assert f"{PAGE}?cursor=50" in staff.get(PAGE).content.decode()


@pytest.mark.parametrize("area", AREAS)
def test_each_area_is_framed_and_asked_for_by_the_grant(
    staff: Client, fake_backend: FakeBackend, grant: Json, area: str
) -> None:
    shown = staff.get(f"{PAGE}{grant['id']}/{area}/").content.decode()
    assert f"You look at the {area} of <strong>bea</strong>" in shown
    assert "Read only" in shown
    looks = [call for call in fake_backend.received if call.headers.get("x-support-grant") == grant["id"]]
    assert looks
    assert {call.method for call in looks} == {"GET"}
    assert not any(call.path.startswith(("/api/admin/", "/api/status/")) for call in looks)


def test_an_entry_is_read(staff: Client, fake_backend: FakeBackend, grant: Json) -> None:
    fake_backend.entries.extend([plain.entry("Cut the run"), *(plain.entry() for _ in range(25))])
    entry = fake_backend.entries[0]
    assert "?cursor=25" in staff.get(f"{PAGE}{grant['id']}/worklog/").content.decode()
    shown = staff.get(f"{PAGE}{grant['id']}/worklog/{entry['id']}/").content.decode()
    assert "<h1>Cut the run</h1>" in shown
    assert "<form" not in shown.split('id="borrowed"')[1].split("</main>")[0]


def test_a_report_is_read(staff: Client, fake_backend: FakeBackend, grant: Json) -> None:
    fake_backend.entries.append(plain.entry("Cut the run"))
    fake_backend.jobs.append(plain.job("failed", error="The writer gave up.", error_code="writer_failed"))
    fake_backend.reports.extend([plain.report(fake_backend.entries), plain.report([], document=None, state="pending")])
    listed = staff.get(f"{PAGE}{grant['id']}/reports/").content.decode()
    assert "writer_failed" in listed
    ready, pending = (f"{PAGE}{grant['id']}/reports/{one['id']}/" for one in fake_backend.reports)
    assert "Cut the run" in staff.get(ready).content.decode()
    assert "There is no document." in staff.get(pending).content.decode()


def test_the_reserve_is_read(staff: Client, fake_backend: FakeBackend, grant: Json) -> None:
    fake_backend.ledger.extend(plain.ledger_entry() for _ in range(26))
    shown = staff.get(f"{PAGE}{grant['id']}/billing/").content.decode()
    assert "$4.20" in shown
    assert "?cursor=25" in shown


def test_a_grant_that_is_over_leads_back(staff: Client, fake_backend: FakeBackend, grant: Json) -> None:
    fake_backend.open_grants.clear()
    shown = staff.get(f"{PAGE}{grant['id']}/worklog/", follow=True)
    assert shown.redirect_chain == [(PAGE, 302)]
    assert "This access is over" in shown.content.decode()


def test_an_area_that_is_not_covered_leads_back(staff: Client, fake_backend: FakeBackend, grant: Json) -> None:
    refused = refuse(403, "support_grant_invalid", "This support grant does not allow that.")
    fake_backend.answer_with("GET", "/api/worklogs/", refused)
    assert staff.get(f"{PAGE}{grant['id']}/worklog/")["Location"] == PAGE


def test_another_refusal_is_not_taken_for_that(staff: Client, fake_backend: FakeBackend, grant: Json) -> None:
    fake_backend.answer_with("GET", "/api/worklogs/", refuse(403, "forbidden", "No."))
    assert staff.get(f"{PAGE}{grant['id']}/worklog/").status_code == 403
