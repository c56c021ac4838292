import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.adapter import AccountAdapter
from apps.accounts.auth_backends import MirroredUserBackend
from apps.accounts.middleware import zone_named
from apps.accounts.models import User
from tests.fakes import shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.server import Reply


def test_the_page_says_who_somebody_is(signed_in: Client) -> None:
    page = signed_in.get("/profile/").content.decode()
    assert all(word in page for word in ("ada@example.com", "Ada&#x27;s worklog", "Owner", "Starter", "not set up"))


def test_a_stripe_customer_is_named(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.profiles["ada"]["stripe_customer_id"] = "cus_123"
    assert b"cus_123" in signed_in.get("/profile/").content


def test_name_and_zone_are_saved_in_the_backend_and_mirrored(signed_in: Client, fake_backend: FakeBackend) -> None:
    response = signed_in.post("/profile/", {"display_name": "Ada Lovelace", "time_zone": "Asia/Tokyo"}, follow=True)
    user = User.objects.get()
    assert (user.shown_name, user.initials, user.time_zone) == ("Ada Lovelace", "AL", "Asia/Tokyo")
    assert fake_backend.profiles["ada"]["profile"]["time_zone"] == "Asia/Tokyo"
    assert b"Your profile is saved." in response.content


def test_a_zone_that_is_none_is_refused_here(signed_in: Client, fake_backend: FakeBackend) -> None:
    response = signed_in.post("/profile/", {"time_zone": "Mars/Base"})
    assert response.context["form"].errors["time_zone"]
    assert fake_backend.calls_of("PATCH", "/api/me/") == []


def test_the_backend_s_refusal_is_shown_beside_its_field(signed_in: Client, fake_backend: FakeBackend) -> None:
    fields = {"display_name": ["Too loud."], "settings": ["Not now."]}
    fake_backend.answer_with("PATCH", "/api/me/", Reply(status=400, body=shapes.error("invalid", "No.", fields)))
    form = signed_in.post("/profile/", {"display_name": "ADA", "time_zone": "UTC"}).context["form"]
    assert (form.errors["display_name"], form.non_field_errors()) == (["Too loud."], ["Not now."])


def test_times_are_shown_in_the_person_s_zone(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.profiles["ada"]["created_at"] = "2026-03-31T23:30:00Z"
    assert b"1 April 2026" in signed_in.get("/profile/").content
    assert timezone.get_current_timezone_name() == "UTC"


@pytest.mark.parametrize("name", ["Mars/Base", "", "../etc/passwd"])
def test_a_zone_that_this_machine_does_not_know_is_utc(name: str) -> None:
    assert zone_named(name).key == "UTC"


def test_a_name_without_letters_still_has_initials() -> None:
    assert User(username="..").initials == "?"


def test_the_mirror_believes_no_password() -> None:
    assert MirroredUserBackend().authenticate(None, username="ada", password="correct horse") is None


def test_sign_up_is_closed_but_for_passkeys(rf: object) -> None:
    assert not AccountAdapter().is_open_for_signup(rf.get("/"))  # type: ignore[attr-defined]
