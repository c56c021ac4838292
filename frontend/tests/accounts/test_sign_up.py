import pytest
from django.test import Client

from tests.fakes import shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.server import Reply

pytestmark = pytest.mark.django_db
ADDRESS = "/profile/signup-with-passkey/"
FORM = {
    "passkey": "good-passkey-0001",
    "username": "bea",
    "email": "bea@example.com",
    "password": "four unrelated words",
    "idempotency_key": "key-of-the-form",
}


def test_allauth_s_address_leads_to_ours(client: Client) -> None:
    assert client.get("/accounts/signup/")["Location"] == ADDRESS


def test_an_invite_passkey_becomes_an_account_that_is_signed_in(client: Client, fake_backend: FakeBackend) -> None:
    response = client.post(ADDRESS, FORM)
    assert (response.status_code, response["Location"]) == (302, "/")
    assert fake_backend.tokens[client.session["backend_token"]] == "bea"
    assert b"Welcome, Bea" in client.get("/").content


def test_opening_the_page_redeems_nothing(client: Client, fake_backend: FakeBackend) -> None:
    assert client.get(ADDRESS, FORM).status_code == 200
    assert fake_backend.received == []


@pytest.mark.parametrize(
    ("passkey", "sentence"),
    [
        ("used-passkey", "Passkey has already been used"),
        ("expired-passkey", "Passkey has expired"),
        ("revoked-passkey", "Passkey has been revoked"),
        ("wrong-email-passkey", "This passkey is for another e-mail address"),
        ("never-was", "Passkey is not valid"),
    ],
)
def test_a_passkey_that_opens_nothing_says_why_beside_its_field(
    passkey: str, sentence: str, client: Client, fake_backend: FakeBackend
) -> None:
    response = client.post(ADDRESS, FORM | {"passkey": passkey})
    assert response.context["form"].errors["passkey"] == [sentence]


def test_nothing_typed_is_lost_but_the_password(client: Client, fake_backend: FakeBackend) -> None:
    page = client.post(ADDRESS, FORM | {"username": "ada"}).content.decode()
    assert "This username is taken." in page
    assert all(f'value="{FORM[name]}"' in page for name in ("passkey", "email"))
    assert FORM["password"] not in page


def test_after_a_refusal_the_next_try_is_a_new_request(client: Client, fake_backend: FakeBackend) -> None:
    response = client.post(ADDRESS, FORM | {"username": "ada"})
    assert response.context["form"]["idempotency_key"].value() != FORM["idempotency_key"]


def test_after_a_lost_answer_the_same_form_asks_what_happened(client: Client, fake_backend: FakeBackend) -> None:
    fake_backend.answer_with("POST", "/api/auth/signup/", Reply(status=503))
    response = client.post(ADDRESS, FORM)
    assert response.context["form"]["idempotency_key"].value() == FORM["idempotency_key"]
    assert b"AfterResume cannot be reached" in response.content


@pytest.mark.parametrize("status", [409, 429])
def test_other_refusals_are_said_above_the_form(status: int, client: Client, fake_backend: FakeBackend) -> None:
    refusal = Reply(status=status, body=shapes.error("some_code", "Not like this."))
    fake_backend.answer_with("POST", "/api/auth/signup/", refusal)
    assert client.post(ADDRESS, FORM).context["form"].non_field_errors() == ["Not like this."]


def test_a_refusal_without_fields_is_said_above_the_form(client: Client, fake_backend: FakeBackend) -> None:
    refusal = Reply(status=400, body=shapes.error("invalid", "Please check."))
    fake_backend.answer_with("POST", "/api/auth/signup/", refusal)
    assert client.post(ADDRESS, FORM).context["form"].non_field_errors() == ["Please check."]


def test_an_incomplete_form_never_reaches_the_backend(client: Client, fake_backend: FakeBackend) -> None:
    assert client.post(ADDRESS, FORM | {"email": "no address"}).context["form"].errors["email"]
    assert fake_backend.received == []


def test_an_account_whose_sign_in_fails_is_led_to_the_sign_in_page(client: Client, fake_backend: FakeBackend) -> None:
    fake_backend.answer_with("POST", "/api/auth/token/", Reply(status=503))
    response = client.post(ADDRESS, FORM, follow=True)
    assert response.redirect_chain == [("/accounts/login/", 302)]
    assert b"Your account is made. Sign in to begin." in response.content


def test_who_is_signed_in_needs_no_account(signed_in: Client) -> None:
    assert signed_in.get(ADDRESS)["Location"] == "/"
