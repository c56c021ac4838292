"""The tenant's audit: filtered, legible, continued and taken along."""

from django.test import Client

from apps.backend.audit import AuditEvent
from apps.backend.pages import read
from tests.fakes import house_shapes as shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.browsing import HTMX
from tests.fakes.identity import refuse
from tests.fakes.server import Reply

PAGE = "/profile/audit/"


def test_the_signed_out_are_sent_to_sign_in(client: Client, db: None) -> None:
    assert client.get(PAGE)["Location"].startswith("/accounts/login/")
    assert client.get(f"{PAGE}export.csv")["Location"].startswith("/accounts/login/")


def test_an_event_tells_who_what_and_how_it_changed(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.events.append(shapes.audit(reason="Asked by phone", on_behalf_of=shapes.person("bea")))
    shown = signed_in.get(PAGE).content.decode()
    for told in ("Member: role changed", "by ada for bea", "“Asked by phone”", "203.0.113.7", "before: </span>member"):
        assert told in shown
    assert "seats" not in shown


def test_values_are_told_as_text() -> None:
    values = {"scopes": ["read", "write"], "is_on": True, "none": None, "rows": [1, {"a": 2}]}
    event = read(AuditEvent, shapes.audit(before=None, after=values))
    told = {change.label: change.after for change in event.changes}
    assert told == {"scopes": "read, write", "is on": "yes", "rows": '[1, {"a": 2}]'}
    assert {change.before for change in event.changes} == {None}


def test_amounts_and_instants_are_legible(signed_in: Client, fake_backend: FakeBackend) -> None:
    after = {
        "credit_micros": 5_000_000,
        "due_at": "2026-12-07 08:35:10.411163+00:00",
        "day": "2026-12-07",
        "x": "y" * 11,
    }
    fake_backend.events.append(shapes.audit(action="passkey.created", before=None, after=after))
    shown = signed_in.get(PAGE).content.decode()
    for told in ("Invite passkey: created", "$5.00", "7 Dec 2026, 09:35", "2026-12-07</ins>", "y" * 11):
        assert told in shown


def test_somebody_gone_and_the_system_have_words(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.events.extend([shapes.audit(actor=shapes.person("")), shapes.audit(actor=None, origin="task")])
    shown = signed_in.get(PAGE).content.decode()
    assert "by somebody who is gone" in shown
    assert "by the system" in shown


def test_filters_reach_the_backend_and_narrow_in_place(signed_in: Client, fake_backend: FakeBackend) -> None:
    query = "?actor=bea&origin=admin&from=2026-11-01&to=2026-11-02&q=role"
    response = signed_in.get(PAGE + query, headers=HTMX)
    assert "<html" not in response.content.decode()
    assert "Nothing matches" in response.content.decode()
    asked = fake_backend.calls_of("GET", "/api/tenant/audit/")[0].query
    assert asked == {"actor": "bea", "origin": "admin", "from": "2026-11-01", "to": "2026-11-02", "q": "role"}


def test_days_in_the_wrong_order_are_said_and_left_out(signed_in: Client, fake_backend: FakeBackend) -> None:
    shown = signed_in.get(f"{PAGE}?from=2026-11-02&to=2026-11-01").content.decode()
    assert "The last day lies before the first." in shown
    assert "to" not in fake_backend.calls_of("GET", "/api/tenant/audit/")[0].query


def test_an_empty_audit_says_what_will_stand_there(signed_in: Client) -> None:
    assert "Nothing has happened yet" in signed_in.get(PAGE).content.decode()


def test_further_events_follow_in_place(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.events.extend(shapes.audit() for _ in range(26))
    assert 'hx-get="/profile/audit/?cursor=25"' in signed_in.get(PAGE).content.decode()
    more = signed_in.get(f"{PAGE}?cursor=25", headers=HTMX)
    assert next(template.name for template in more.templates) == "shell/audit_rows.html"
    assert more.content.decode().count("data-action") == 1


def test_the_csv_is_passed_on_with_the_filters(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.events.append(shapes.audit())
    assert "/profile/audit/export.csv?actor=bea" in signed_in.get(f"{PAGE}?actor=bea").content.decode()
    response = signed_in.get(f"{PAGE}export.csv?actor=bea")
    assert b"".join(response.streaming_content) == b"id,at\r\n"  # type: ignore[attr-defined]
    assert response["Content-Disposition"] == 'attachment; filename="audit.csv"'
    assert fake_backend.calls_of("GET", "/api/tenant/audit/export.csv")[0].query == {"actor": "bea"}


def test_members_are_told_that_owners_see_it(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.is_owner = False
    response = signed_in.get(PAGE)
    assert response.status_code == 403
    assert "Owners see this" in response.content.decode()


def test_another_refusal_is_not_taken_for_that(signed_in: Client, fake_backend: FakeBackend) -> None:
    refused: Reply = refuse(403, "second_factor_required", "No.")
    fake_backend.answer_with("GET", "/api/tenant/audit/", refused)
    assert "Owners see this" not in signed_in.get(PAGE).content.decode()
