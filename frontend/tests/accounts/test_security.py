"""Second factors, security keys, sessions and tokens."""

import json

import pytest
from django.test import Client

from tests.fakes import shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.browsing import HTMX
from tests.fakes.identity import GOOD_CODE, RECOVERY_CODES
from tests.fakes.server import Reply

PAGE = "/profile/security/"


def sentences(client: Client, path: str = PAGE) -> str:
    return client.get(path).content.decode()


# --- The authenticator app


def test_setting_up_an_app_shows_picture_and_text_then_the_codes_once(signed_in: Client) -> None:
    page = signed_in.post(f"{PAGE}totp/begin/", follow=True).content.decode()
    assert "<svg width=" in page
    assert "JBSWY3DPEHPK3PXP" in page
    response = signed_in.post(f"{PAGE}totp/", {"code": "123 456"}, follow=True)
    assert response.redirect_chain == [(f"{PAGE}recovery-codes/", 302)]
    assert all(code in response.content.decode() for code in RECOVERY_CODES)
    assert "They were shown once" in sentences(signed_in, f"{PAGE}recovery-codes/")
    assert 'data-state="on"' in sentences(signed_in)


def test_a_wrong_code_keeps_the_same_secret(signed_in: Client, fake_backend: FakeBackend) -> None:
    signed_in.post(f"{PAGE}totp/begin/")
    response = signed_in.post(f"{PAGE}totp/", {"code": "000000"})
    assert response.context["form"].errors["code"] == ["This code is not right."]
    assert response.context["secret"] == "JBSWY3DPEHPK3PXP"
    assert len(fake_backend.calls_of("POST", "/api/auth/second-factor/totp/")) == 1


def test_secrets_that_wait_are_sealed_in_the_session(signed_in: Client) -> None:
    signed_in.post(f"{PAGE}totp/begin/")
    assert "JBSWY3DPEHPK3PXP" not in str(dict(signed_in.session))


def test_the_set_up_cannot_be_entered_in_the_middle(signed_in: Client) -> None:
    assert signed_in.get(f"{PAGE}totp/")["Location"] == PAGE


def test_a_second_factor_more_brings_no_new_codes(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.factors["ada"] |= {"is_on": True, "security_keys": [shapes.security_key()]}
    signed_in.post(f"{PAGE}totp/begin/")
    assert signed_in.post(f"{PAGE}totp/", {"code": GOOD_CODE})["Location"] == PAGE


def test_a_new_factor_gives_the_session_a_new_key(signed_in: Client) -> None:
    before = signed_in.session.session_key
    signed_in.post(f"{PAGE}totp/begin/")
    signed_in.post(f"{PAGE}totp/", {"code": GOOD_CODE})
    assert signed_in.session.session_key != before


def test_removing_the_app_asks_first(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.set_totp()
    assert "Remove the authenticator app?" in sentences(signed_in, f"{PAGE}totp/remove/")
    assert signed_in.get(f"{PAGE}totp/remove/", headers=HTMX).templates[0].name == "shell/question_modal.html"
    assert fake_backend.factors["ada"]["is_on"]
    assert "The authenticator app is removed." in signed_in.post(f"{PAGE}totp/remove/", follow=True).content.decode()
    assert not fake_backend.factors["ada"]["is_on"]


def test_the_last_factor_of_staff_stays(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.factors["ada"]["is_required"] = True
    fake_backend.set_totp()
    assert b"Staff need a second factor." in signed_in.post(f"{PAGE}totp/remove/", follow=True).content
    assert fake_backend.factors["ada"]["is_on"]


def test_staff_without_a_factor_are_told_why_they_need_one(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.factors["ada"]["is_required"] = True
    assert "staff pages open once a second factor is set up" in sentences(signed_in)


def test_new_recovery_codes_replace_the_old(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.set_totp()
    assert "Make new recovery codes?" in sentences(signed_in, f"{PAGE}recovery-codes/renew/")
    response = signed_in.post(f"{PAGE}recovery-codes/renew/", follow=True)
    assert RECOVERY_CODES[9] in response.content.decode()


def test_few_recovery_codes_are_pointed_out(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.set_totp()
    fake_backend.factors["ada"]["recovery_codes_left"] = 2
    assert "2 left</span>" in sentences(signed_in)


# --- Security keys


def test_a_key_is_added_with_a_challenge_that_stays_on_the_server(signed_in: Client, fake_backend: FakeBackend) -> None:
    page = signed_in.get(f"{PAGE}keys/add/")
    assert json.loads(page.context["options"])["rp"]["name"] == "AfterResume"
    assert "key-challenge" not in page.content.decode()
    response = signed_in.post(f"{PAGE}keys/add/", {"name": "Desk key", "credential": '{"id": "x"}'}, follow=True)
    assert response.redirect_chain == [(f"{PAGE}recovery-codes/", 302)]
    sent = fake_backend.calls_of("POST", "/api/auth/second-factor/keys/")[0].body
    assert sent == {"challenge": "key-challenge", "name": "Desk key", "credential": {"id": "x"}}


def test_a_form_without_the_key_s_answer_says_what_to_do(signed_in: Client) -> None:
    response = signed_in.post(f"{PAGE}keys/add/", {"name": "Desk key"})
    assert "The security key has not answered." in response.content.decode()


def test_a_challenge_that_has_ended_gets_a_new_one(signed_in: Client, fake_backend: FakeBackend) -> None:
    response = signed_in.post(f"{PAGE}keys/add/", {"name": "Desk key", "credential": '{"id": "x"}'})
    assert response.context["form"].non_field_errors() == ["This took too long. Please start again."]
    assert signed_in.post(f"{PAGE}keys/add/", {"name": "Desk key", "credential": '{"id": "x"}'}).status_code == 302


def test_a_key_is_renamed_and_removed(signed_in: Client, fake_backend: FakeBackend) -> None:
    key = shapes.security_key("Old name")
    fake_backend.factors["ada"] |= {"is_on": True, "security_keys": [key]}
    address = f"{PAGE}keys/{key['id']}/"
    assert 'value="Old name"' in sentences(signed_in, address)
    signed_in.post(address, {"name": "Travel key"})
    assert "Remove the security key “Travel key”?" in sentences(signed_in, f"{address}remove/")
    signed_in.post(f"{address}remove/")
    assert fake_backend.factors["ada"]["security_keys"] == []


def test_the_last_key_of_staff_stays_and_a_refused_name_is_said(signed_in: Client, fake_backend: FakeBackend) -> None:
    key = shapes.security_key()
    fake_backend.factors["ada"] |= {"is_on": True, "is_required": True, "security_keys": [key]}
    address = f"{PAGE}keys/{key['id']}/"
    assert b"Staff need a second factor." in signed_in.post(f"{address}remove/", follow=True).content
    refused = Reply(status=400, body=shapes.error("invalid", "No.", {"name": ["Too odd."]}))
    fake_backend.answer_with("PATCH", f"/api/auth/second-factor/keys/{key['id']}/", refused)
    assert signed_in.post(address, {"name": "?"}).context["form"].errors["name"] == ["Too odd."]


@pytest.mark.parametrize(
    "path", [f"keys/{shapes.ABSENT_ID}/", f"keys/{shapes.ABSENT_ID}/remove/", f"sessions/{shapes.ABSENT_ID}/end/"]
)
def test_what_there_is_not_is_404(path: str, signed_in: Client) -> None:
    assert signed_in.get(PAGE + path).status_code == 404


# --- Sessions


def test_sessions_are_listed_this_device_first(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.sessions.append(shapes.session(device="Safari on iPhone", address=None, is_current=False))
    page = sentences(signed_in)
    assert page.index("Firefox on Linux") < page.index("This device") < page.index("Safari on iPhone")
    assert "address unknown" in page


def test_another_session_is_ended_after_a_question(signed_in: Client, fake_backend: FakeBackend) -> None:
    other = shapes.session(device="Safari on iPhone", is_current=False)
    fake_backend.sessions.append(other)
    address = f"{PAGE}sessions/{other['id']}/end/"
    assert "Sign out Safari on iPhone?" in sentences(signed_in, address)
    assert b"Safari on iPhone is signed out." in signed_in.post(address, follow=True).content
    assert fake_backend.sessions == []


def test_signing_out_everywhere_ends_this_session_too(signed_in: Client, fake_backend: FakeBackend) -> None:
    assert "Sign out everywhere?" in sentences(signed_in, f"{PAGE}sessions/end-all/")
    response = signed_in.post(f"{PAGE}sessions/end-all/", follow=True)
    assert fake_backend.tokens == {}
    assert response.redirect_chain == [("/accounts/login/", 302)]
    assert b"You are signed out everywhere." in response.content


# --- Personal tokens

TOKENS = "/profile/tokens/"
TOKEN = {"name": "Nightly", "scope": "write", "expires_in_days": "30"}


def test_a_token_is_made_and_its_key_shown_once(signed_in: Client, fake_backend: FakeBackend) -> None:
    assert "No tokens yet" in sentences(signed_in, TOKENS)
    page = signed_in.post(f"{TOKENS}new/", TOKEN, follow=True).content.decode()
    assert 'curl -H "Authorization: Token arp_a-fresh-personal-token"' in page
    assert "read and write" in page
    assert "arp_a-fresh-personal-token" not in sentences(signed_in, TOKENS)
    sent = fake_backend.calls_of("POST", "/api/auth/tokens/")[0].body
    assert sent == {"name": "Nightly", "scopes": ["read", "write"], "expires_in_days": 30}


def test_an_answer_that_came_twice_has_no_key_any_more(signed_in: Client, fake_backend: FakeBackend) -> None:
    replay = Reply(status=201, body=shapes.personal_token(name="Nightly") | {"token": ""})
    fake_backend.answer_with("POST", "/api/auth/tokens/", replay)
    assert "its key was lost on the way" in signed_in.post(f"{TOKENS}new/", TOKEN, follow=True).content.decode()


@pytest.mark.parametrize(("name", "value"), [("expires_in_days", "0"), ("expires_in_days", "366"), ("scope", "all")])
def test_what_no_token_can_be_is_refused_here(
    name: str, value: str, signed_in: Client, fake_backend: FakeBackend
) -> None:
    assert signed_in.post(f"{TOKENS}new/", TOKEN | {name: value}).context["form"].errors[name]
    assert fake_backend.calls_of("POST", "/api/auth/tokens/") == []


def test_too_many_tokens_is_said_above_the_form(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.personal_tokens.extend(shapes.personal_token() for _ in range(50))
    response = signed_in.post(f"{TOKENS}new/", TOKEN)
    assert "Fifty tokens" in response.context["form"].non_field_errors()[0]


def test_a_token_is_revoked_after_a_question(signed_in: Client, fake_backend: FakeBackend) -> None:
    token = shapes.personal_token(name="Old script")
    fake_backend.personal_tokens.append(token)
    address = f"{TOKENS}{token['id']}/revoke/"
    assert "Revoke “Old script”?" in sentences(signed_in, address)
    assert "“Old script” is revoked." in signed_in.post(address, follow=True).content.decode()
    assert fake_backend.personal_tokens == []


def test_a_token_that_is_not_one_s_own_is_404(signed_in: Client) -> None:
    assert signed_in.get(f"{TOKENS}{shapes.ABSENT_ID}/revoke/").status_code == 404


def test_a_secret_sealed_under_another_secret_key_is_none(signed_in: Client) -> None:
    signed_in.post(f"{PAGE}totp/begin/")
    session = signed_in.session
    session["once:totp_secret"] = "sealed long ago"
    session.save()
    assert signed_in.get(f"{PAGE}totp/")["Location"] == PAGE


def test_a_list_that_is_none_is_a_backend_that_cannot_be_read(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.answer_with("GET", "/api/auth/tokens/", Reply(body={"results": []}))
    assert signed_in.get(TOKENS).status_code == 503
