"""Invitations into the tenant: shown once, listed while they are open, withdrawn."""

from django.test import Client

from tests.fakes import house_shapes as shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.browsing import HTMX
from tests.fakes.server import Reply
from tests.fakes.shapes import ABSENT_ID

PAGE = "/profile/members/"
INVITE = {"role": "member", "note": "Cleo", "bound_email": "cleo@example.com", "days": "7"}


def page(client: Client, path: str = PAGE) -> str:
    return client.get(path).content.decode()


def test_an_invitation_is_shown_once_with_words_to_send(signed_in: Client, fake_backend: FakeBackend) -> None:
    assert "You get a key to pass on." in signed_in.get(f"{PAGE}invite/", headers=HTMX).content.decode()
    shown = signed_in.post(f"{PAGE}invite/", INVITE, follow=True).content.decode()
    for told in ("inv_a-fresh-invite-key", "Sign up here: http://testserver/profile/signup-with-passkey/"):
        assert told in shown
    assert "It works with the address cleo@example.com only." in shown
    assert "inv_a-fresh-invite-key" not in page(signed_in)
    sent = fake_backend.calls_of("POST", "/api/tenant/passkeys/")[0].body
    assert (sent["role"], sent["note"], sent["expires_at"] is not None) == ("member", "Cleo", True)


def test_an_invitation_without_an_end_has_none(signed_in: Client, fake_backend: FakeBackend) -> None:
    shown = signed_in.post(f"{PAGE}invite/", INVITE | {"days": "0", "bound_email": ""}, follow=True).content.decode()
    assert fake_backend.calls_of("POST", "/api/tenant/passkeys/")[0].body["expires_at"] is None
    assert "It works once" not in shown
    assert "until it is revoked" in shown


def test_the_key_waits_sealed_for_its_page(signed_in: Client) -> None:
    signed_in.post(f"{PAGE}invite/", INVITE)
    assert "inv_a-fresh-invite-key" not in str(dict(signed_in.session))


def test_a_refusal_stands_beside_its_field_with_nothing_lost(signed_in: Client) -> None:
    response = signed_in.post(f"{PAGE}invite/", INVITE | {"bound_email": "x@bad.example"}, headers=HTMX)
    assert response.status_code == 422
    assert "This is no address." in response.content.decode()
    assert 'value="Cleo"' in response.content.decode()


def test_a_key_that_went_astray_is_said(signed_in: Client, fake_backend: FakeBackend) -> None:
    replay = Reply(status=201, body=shapes.passkey() | {"passkey": ""})
    fake_backend.answer_with("POST", "/api/tenant/passkeys/", replay)
    assert "its key was lost on the way" in signed_in.post(f"{PAGE}invite/", INVITE, follow=True).content.decode()


def test_an_open_invitation_is_revoked_after_a_question(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.invitations.extend([shapes.passkey(note="Cleo"), shapes.passkey(note="Old", state="used")])
    shown = page(signed_in)
    assert "Revoke the invitation Cleo" in shown
    assert "Old" not in shown
    address = f"{PAGE}invitations/{fake_backend.invitations[0]['id']}/revoke/"
    assert "Revoke the invitation “Cleo”?" in page(signed_in, address)
    assert "is revoked." in signed_in.post(address, follow=True).content.decode()
    assert "Nobody is invited at the moment." in page(signed_in)


def test_an_invitation_that_is_not_there_is_404(signed_in: Client) -> None:
    assert signed_in.get(f"{PAGE}invitations/{ABSENT_ID}/revoke/").status_code == 404
