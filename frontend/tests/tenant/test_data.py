"""My data: exports that are written while one waits, and the deletion of the account."""

import pytest
from django.test import Client

from tests.fakes import house_shapes as shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.browsing import HTMX, triggers_of
from tests.fakes.shapes import ABSENT_ID

PAGE = "/profile/data/"
BALANCE = {"code": "balance_loss", "message": "Your reserve still holds $4.20, which is lost with the account."}


def page(client: Client, path: str = PAGE) -> str:
    return client.get(path).content.decode()


@pytest.mark.parametrize("path", ["", "exports/", "delete/", f"exports/{ABSENT_ID}/download/"])
def test_the_signed_out_are_sent_to_sign_in(client: Client, db: None, path: str) -> None:
    assert client.get(PAGE + path)["Location"].startswith("/accounts/login/")


# --- Exports


def test_an_export_is_started_and_followed(signed_in: Client, fake_backend: FakeBackend) -> None:
    shown = signed_in.post(f"{PAGE}export/", follow=True).content.decode()
    assert "Your export is being written." in shown
    assert 'hx-get="/profile/data/exports/"' in shown
    assert "Progress of Export of my data" in shown
    polled = signed_in.get(f"{PAGE}exports/", headers=HTMX)
    assert "data-poll" in polled.content.decode()
    assert triggers_of(polled) == {}


def test_the_end_of_an_export_ends_the_polling_and_is_told(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.exports.append(shapes.data_export())
    response = signed_in.get(f"{PAGE}exports/", headers=HTMX)
    assert "data-poll" not in response.content.decode()
    assert triggers_of(response)["toast"]["message"] == "Your export is ready."


def test_a_failed_export_ends_the_polling_quietly(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.exports.append(shapes.data_export(state="failed", size_bytes=None, sha256=None, expires_at=None))
    assert triggers_of(signed_in.get(f"{PAGE}exports/", headers=HTMX)) == {}


def test_an_export_whose_job_is_gone_is_still_awaited(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.exports.append(shapes.data_export(state="pending", size_bytes=None, sha256=None))
    assert "Your export is being written." in page(signed_in)


def test_a_poll_without_a_backend_changes_nothing(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.stop()
    assert signed_in.get(f"{PAGE}exports/", headers=HTMX).status_code == 204


def test_the_fragment_by_itself_leads_to_its_page(signed_in: Client) -> None:
    assert signed_in.get(f"{PAGE}exports/")["Location"] == PAGE


def test_exports_are_listed_with_size_sum_and_end_and_passed_on(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.exports.append(shapes.data_export())
    shown = page(signed_in)
    for told in ("47.1", "9f86d081", "kept until"):
        assert told in shown
    response = signed_in.get(f"{PAGE}exports/{fake_backend.exports[0]['id']}/download/")
    assert b"".join(response.streaming_content) == b"PK of the fake"  # type: ignore[attr-defined]
    assert response["Content-Disposition"] == 'attachment; filename="export.zip"'


def test_an_export_that_is_not_ready_leads_back(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.exports.append(shapes.data_export(state="expired"))
    address = f"{PAGE}exports/{fake_backend.exports[0]['id']}/download/"
    assert "This export is not ready." in signed_in.get(address, follow=True).content.decode()


def test_an_export_of_others_is_404(signed_in: Client) -> None:
    assert signed_in.get(f"{PAGE}exports/{ABSENT_ID}/download/").status_code == 404


def test_an_export_asks_for_a_fresh_proof_and_waits(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.is_stale = True
    assert signed_in.post(f"{PAGE}export/")["Location"].startswith("/accounts/reauthenticate/")
    assert signed_in.session["held_form"]["path"] == f"{PAGE}export/"


# --- Deletion


def test_the_terms_stand_before_the_confirmation(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.deletion["blockers"] = [BALANCE]
    shown = page(signed_in, f"{PAGE}delete/")
    for told in ("All your entries", "Books must be kept by law.", "until 31 December 2036", "which is lost", "ada"):
        assert told in shown


def test_a_deletion_is_scheduled_shown_everywhere_and_undone(signed_in: Client, fake_backend: FakeBackend) -> None:
    shown = signed_in.post(f"{PAGE}delete/", {"confirm": "ada"}, follow=True).content.decode()
    assert "is scheduled" in shown
    assert 'id="deletion-banner"' in page(signed_in, "/profile/tokens/")
    assert signed_in.get(f"{PAGE}delete/")["Location"] == PAGE
    assert "Your account stays." in signed_in.post(f"{PAGE}delete/undo/", follow=True).content.decode()
    assert "deletion-banner" not in page(signed_in, "/profile/tokens/")


def test_a_deletion_scheduled_elsewhere_shows_after_sign_in(
    signed_in: Client, client: Client, fake_backend: FakeBackend
) -> None:
    fake_backend.profiles["ada"]["deletion"] = {"scheduled_for": shapes.later(days=3)}
    signed_in.logout()
    client.post("/accounts/login/", {"login": "ada", "password": "correct horse"})
    assert 'id="deletion-banner"' in page(client, "/profile/tokens/")


def test_another_name_is_refused_beside_the_field(signed_in: Client, fake_backend: FakeBackend) -> None:
    response = signed_in.post(f"{PAGE}delete/", {"confirm": "bea", "reason": "Too much work"})
    assert response.context["form"].errors["confirm"] == ["Type your own user name."]
    assert "Too much work" in response.content.decode()
    assert fake_backend.deletion["scheduled_for"] is None


def test_a_balance_is_given_up_only_by_saying_so(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.deletion["blockers"] = [BALANCE]
    refused = signed_in.post(f"{PAGE}delete/", {"confirm": "ada"})
    assert refused.status_code == 409
    assert "which is lost" in refused.context["form"].non_field_errors()[0]
    signed_in.post(f"{PAGE}delete/", {"confirm": "ada", "accept_balance_loss": "on"})
    assert fake_backend.deletion["scheduled_for"] is not None


def test_the_last_owner_is_shown_the_way(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.deletion["blockers"] = [{"code": "last_owner", "message": "You are the only owner."}]
    shown = page(signed_in, f"{PAGE}delete/")
    assert "You are the only owner." in shown
    assert "To the members" in shown


def test_nothing_new_is_exported_before_the_deletion(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.deletion["scheduled_for"] = shapes.later(days=3)
    assert "Undo the deletion first." in signed_in.post(f"{PAGE}export/", follow=True).content.decode()


def test_undoing_what_is_not_scheduled_is_said(signed_in: Client) -> None:
    assert "No deletion" in signed_in.post(f"{PAGE}delete/undo/", follow=True).content.decode()
