"""The certificate of an erasure, open to whoever has its link."""

from django.test import Client

from tests.fakes.backend import FakeBackend
from tests.fakes.tenancy import CERTIFICATE

PAGE = f"/erasure-certificates/{CERTIFICATE}/"


def test_it_says_what_went_and_what_stays_without_a_sign_in(
    client: Client, fake_backend: FakeBackend, db: None
) -> None:
    response = client.get(PAGE)
    shown = response.content.decode()
    for told in ("212", "Books must be kept by law.", "31 December 2036", "A whole tenant", "2c26b46b68ff"):
        assert told in shown
    assert response["Referrer-Policy"] == "no-referrer"


def test_the_json_is_the_backend_s_own(client: Client, fake_backend: FakeBackend, db: None) -> None:
    response = client.get(f"{PAGE}certificate.json")
    assert response.json()["content"]["format"] == "afterresume.erasure-certificate/1"
    assert "attachment" in response["Content-Disposition"]


def test_another_link_is_404(client: Client, fake_backend: FakeBackend, db: None) -> None:
    assert client.get("/erasure-certificates/wrong-token/").status_code == 404
