"""Deletion of the account and certificates over HTTP."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.types import TokenKind
from apps.common import clock
from apps.mail.models import OutgoingMail
from apps.mail.registry import get_kind
from apps.mail.rendering import render_mail
from apps.orchestration.erasure.certificates import derive_token
from apps.orchestration.models import AccountDeletion, ErasureCertificate
from apps.tenants.types import Actor, Role
from tests.api_client import anonymous, client_for, with_key
from tests.factories.accounts import PASSWORD, make_actor
from tests.factories.mydata import erase_now, schedule
from tests.factories.orchestration import make_writer
from tests.factories.worklog import make_entry

pytestmark = pytest.mark.django_db

ADDRESS = "/api/me/delete/"


def wish(actor: Actor, **fields: Any) -> dict[str, Any]:
    return {"confirm": actor.username, **fields}


def test_the_preview_says_what_goes_what_stays_and_what_stands_in_the_way() -> None:
    preview = client_for(make_writer(credit_micros=1_500_000)).get(ADDRESS).json()
    assert preview.keys() == {"scheduled_for", "grace_days", "erased", "kept", "blockers"}
    assert (preview["scheduled_for"], preview["grace_days"]) == (None, 14)
    assert all(item.keys() == {"what", "detail"} for item in preview["erased"])
    assert all(item.keys() == {"what", "why", "until"} for item in preview["kept"])
    assert [blocker["code"] for blocker in preview["blockers"]] == ["balance_loss"]


def test_a_deletion_is_scheduled_and_shown_in_the_person_s_own_profile() -> None:
    actor = make_actor()
    client = client_for(actor)
    assert client.get("/api/me/").json()["deletion"] is None
    answer = client.post(ADDRESS, wish(actor, reason="Going home"))
    assert answer.status_code == 202
    assert answer.json()["blockers"] == []
    assert client.get("/api/me/").json()["deletion"] == {"scheduled_for": answer.json()["scheduled_for"]}


def test_signing_in_stays_possible_so_that_it_can_be_undone() -> None:
    actor = make_actor()
    client_for(actor).post(ADDRESS, wish(actor))
    token = anonymous().post("/api/auth/token/", {"username": actor.username, "password": PASSWORD}).json()["token"]
    answer = anonymous().delete(ADDRESS, headers={"Authorization": f"Token {token}"})
    assert answer.status_code == 204
    assert AccountDeletion.objects.get().state == "undone"


def test_undoing_without_a_deletion_is_404() -> None:
    assert client_for(make_actor()).delete(ADDRESS).status_code == 404


def test_a_repeated_wish_is_answered_alike() -> None:
    actor = make_actor()
    client = client_for(actor)
    first = client.post(ADDRESS, wish(actor), **with_key("k"))
    assert client.post(ADDRESS, wish(actor), **with_key("k")).content == first.content
    assert client.post(ADDRESS, wish(actor)).status_code == 202
    assert AccountDeletion.objects.count() == 1


def test_a_wrong_confirmation_is_400() -> None:
    answer = client_for(make_actor()).post(ADDRESS, {"confirm": "yes"})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["confirm"])


def test_the_last_owner_of_others_is_409() -> None:
    owner = make_actor()
    make_actor(tenant=owner.tenant, role=Role.MEMBER)
    answer = client_for(owner).post(ADDRESS, wish(owner))
    assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")


def test_money_is_given_up_only_in_so_many_words() -> None:
    actor = make_writer()
    client = client_for(actor)
    answer = client.post(ADDRESS, wish(actor))
    assert (answer.status_code, answer.json()["code"]) == (409, "balance_loss")
    assert client.post(ADDRESS, wish(actor, accept_balance_loss=True)).status_code == 202


def test_no_report_is_started_in_the_grace() -> None:
    actor = make_writer()
    schedule(actor)
    params = {"kind": "brag_document", "period_from": "2026-10-01", "period_to": "2026-12-31"}
    answer = client_for(actor).post("/api/reports/", params)
    assert (answer.status_code, answer.json()["code"]) == (409, "deletion_scheduled")
    assert client_for(actor).post("/api/me/export/").status_code == 202


@pytest.mark.parametrize("method", ["post", "delete"])
@pytest.mark.parametrize(
    ("kind", "age", "code"),
    [
        (TokenKind.PERSONAL, timedelta(), "session_required"),
        (TokenKind.SESSION, timedelta(minutes=16), "reauthentication_required"),
    ],
)
def test_it_needs_a_person_who_has_just_proved_who_they_are(
    method: str, kind: TokenKind, age: timedelta, code: str
) -> None:
    actor = make_actor()
    client = client_for(actor, kind=kind, authenticated_at=clock.now() - age)
    answer = getattr(client, method)(ADDRESS, wish(actor))
    assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert not AccountDeletion.objects.exists()


def test_looking_needs_no_fresh_proof() -> None:
    client = client_for(make_actor(), authenticated_at=clock.now() - timedelta(days=1))
    assert client.get(ADDRESS).status_code == 200


def erase(actor: Actor) -> str:
    """The certificate's token, of an erasure that waits for its last mail."""
    erase_now(schedule(actor))
    return derive_token(certificate_id=ErasureCertificate.objects.get().pk)


def test_a_certificate_is_readable_by_its_link_and_names_nobody() -> None:
    actor = make_actor(username="adalovelace", email="ada@example.net")
    make_entry(actor, "Analytical engine")
    token = erase(actor)
    answer = anonymous().get(f"/api/erasure-certificates/{token}/")
    assert answer.status_code == 200
    content = answer.json()["content"]
    assert {"what": "Worklog entries with all their versions", "count": 1} in content["erased"]
    assert f"{clock.now().year + 10}-12-31" in {kept["until"] for kept in content["kept"]}
    text = answer.content.decode()
    for personal in ("ada", "lovelace", "engine", str(actor.user_id), str(actor.tenant)):
        assert personal not in text.lower()


def test_the_digest_of_a_certificate_is_that_of_its_content() -> None:
    certificate = anonymous().get(f"/api/erasure-certificates/{erase(make_actor())}/").json()
    canonical = json.dumps(certificate["content"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(canonical.encode()).hexdigest() == certificate["sha256"]


def test_no_row_holds_the_token_of_a_certificate() -> None:
    token = erase(make_actor())
    row = ErasureCertificate.objects.get()
    assert token not in json.dumps([row.token_digest, row.content, OutgoingMail.objects.latest("id").context])


@pytest.mark.parametrize("token", ["x", "0" * 43, str(ErasureCertificate(id=None).pk)])
def test_a_certificate_that_does_not_exist_is_404(token: str) -> None:
    assert anonymous().get(f"/api/erasure-certificates/{token}/").status_code == 404


def test_the_last_mail_holds_the_certificate_and_its_link() -> None:
    actor = make_actor(email="ada@example.net")
    token = erase(actor)
    mail = OutgoingMail.objects.latest("id")
    kind = get_kind(mail.kind)
    assert (mail.kind, mail.to, kind.enrich is not None) == ("erasure_certificate", "ada@example.net", True)
    assert kind.enrich is not None
    text = render_mail(kind, {**mail.context, **kind.enrich(mail.context)}).text
    assert f"/erasure-certificates/{token}/" in text
    assert ErasureCertificate.objects.get().sha256 in text


@pytest.mark.parametrize("name", ["export_ready", "deletion_scheduled", "deletion_undone", "erasure_certificate"])
def test_every_mail_can_be_written(name: str) -> None:
    kind = get_kind(name)
    assert kind.enrich is not None
    mail = render_mail(kind, {**kind.sample, **kind.enrich(kind.sample)})
    assert mail.subject
    assert "http" in mail.text
    assert "http" in mail.html
