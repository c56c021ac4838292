"""Security keys: registered and used as WebAuthn demands, with a key in software."""

from typing import Any

import pytest
from django.test import override_settings

from apps.common import clock
from apps.common.errors import NotFound
from apps.mail.models import OutgoingMail
from apps.mfa.gateways import relying_party
from apps.mfa.models import RecoveryCode, SecurityKey
from apps.mfa.refusals import BadCode, BadKey, ChallengeExpired, KeyKnown, LastFactorOfStaff, TooManyKeys
from apps.mfa.selectors import get_factors, has_second_factor
from apps.mfa.services import security_keys
from apps.mfa.services.challenges import answer_challenge, start_challenge
from apps.mfa.services.security_keys import add_key, begin_key, remove_key, rename_key
from apps.mfa.types import AddedKey
from apps.observability.models import AuditEvent
from apps.tenants.types import Actor
from tests.factories.accounts import make_actor
from tests.mfa.authenticator import AAGUID, EDDSA, ES256, RS256, USER_PRESENT, Authenticator, encode

pytestmark = pytest.mark.django_db


def register(actor: Actor, device: Authenticator, *, name: str = "Blue key", **changes: Any) -> AddedKey:
    now = clock.now()
    setup = begin_key(user_id=actor.user_id, now=now)
    answer = device.create(setup.options, **changes)
    return add_key(user_id=actor.user_id, challenge_id=setup.challenge, name=name, credential=answer, now=now)


def sign_in(actor: Actor, device: Authenticator, **changes: Any) -> bool:
    """Whether the key opens the challenge of a sign-in."""
    now = clock.now()
    challenge = start_challenge(user_id=actor.user_id, now=now)
    assert challenge.webauthn is not None
    answer = device.get(challenge.webauthn, **changes)
    try:
        return answer_challenge(challenge_id=challenge.id, credential=answer, now=now) == actor.user_id
    except BadCode:
        return False


@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
def test_a_registered_key_signs_in(algorithm: int) -> None:
    actor, device = make_actor(), Authenticator(algorithm=algorithm)
    added = register(actor, device)
    assert len(added.recovery_codes) == 10
    assert has_second_factor(user_id=actor.user_id)
    assert sign_in(actor, device)
    assert sign_in(actor, device)


def test_what_is_kept_of_a_key() -> None:
    actor, device = make_actor(), Authenticator(counter=7)
    register(actor, device)
    key = SecurityKey.objects.get()
    assert (bytes(key.credential_id), bytes(key.public_key)) == (device.credential_id, device.cose_key())
    assert (key.aaguid.bytes, key.sign_count, key.transports) == (AAGUID, 7, ["nfc", "usb"])


def test_the_question_asks_for_what_we_can_check() -> None:
    actor = make_actor(username="ada")
    device = Authenticator()
    register(actor, device)
    options = begin_key(user_id=actor.user_id, now=clock.now()).options
    assert [item["alg"] for item in options["pubKeyCredParams"]] == [-7, -8, -257]
    assert (options["attestation"], options["rp"]) == ("none", {"name": "AfterResume", "id": "localhost"})
    assert options["authenticatorSelection"]["userVerification"] == "preferred"
    assert options["user"] == {"id": encode(actor.user_id.bytes), "name": "ada", "displayName": "ada"}
    assert [item["id"] for item in options["excludeCredentials"]] == [encode(device.credential_id)]


@pytest.mark.parametrize(
    ("address", "party"),
    [
        ("https://app.example.org", ("app.example.org", "https://app.example.org")),
        ("https://app.example.org:8443/", ("app.example.org", "https://app.example.org:8443")),
        ("http://127.0.0.1:3000", ("localhost", "http://localhost:3000")),
        ("http://[::1]:3000", ("localhost", "http://localhost:3000")),
        ("http://localhost:3000", ("localhost", "http://localhost:3000")),
    ],
)
def test_browsers_know_us_by_the_name_of_the_pages(address: str, party: tuple[str, str]) -> None:
    with override_settings(FRONTEND_BASE_URL=address):
        assert (relying_party().id, relying_party().origin) == party


@pytest.mark.parametrize(
    "fault",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:3001"},
        {"origin": "http://evil.localhost:3000"},
        {"rp_id": "evil.example"},
        {"flags": 0},
        {"is_framed": True},
        {"algorithm": -36},
    ],
)
def test_a_key_made_elsewhere_or_wrongly_is_not_registered(fault: dict[str, Any]) -> None:
    with pytest.raises(BadKey):
        register(make_actor(), Authenticator(**fault))
    assert not SecurityKey.objects.exists()


@pytest.mark.parametrize(
    "changes", [{"type": "webauthn.get"}, {"challenge": encode(bytes(32))}, {"origin": None}, {"challenge": None}]
)
def test_an_answer_to_another_question_registers_nothing(changes: dict[str, Any]) -> None:
    with pytest.raises(BadKey):
        register(make_actor(), Authenticator(), **changes)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"id": "a"},
        {"rawId": 7, "response": {}},
        {"id": "AA", "rawId": "AA", "response": None},
        {"id": "AA", "rawId": "AA", "response": {"clientDataJSON": "AA", "attestationObject": "AA"}},
        {"id": "AA", "rawId": "AA", "response": {"clientDataJSON": "e30", "attestationObject": "gA"}},
        {"id": "AA", "rawId": "AA", "response": {"clientDataJSON": "W10", "attestationObject": "////"}},
    ],
)
def test_nonsense_is_refused_and_no_crash(answer: dict[str, Any]) -> None:
    actor, now = make_actor(), clock.now()
    setup = begin_key(user_id=actor.user_id, now=now)
    with pytest.raises(BadKey):
        add_key(user_id=actor.user_id, challenge_id=setup.challenge, name="x", credential=answer, now=now)


@pytest.mark.parametrize(
    "fault",
    [
        {"origin": "https://evil.example"},
        {"rp_id": "evil.example"},
        {"flags": 0},
        {"is_framed": True},
        {"user_handle": bytes(16)},
        {"private_key": Authenticator().private_key},
        {"credential_id": bytes(32)},
    ],
)
def test_an_answer_that_does_not_fit_opens_nothing(fault: dict[str, Any]) -> None:
    actor, device = make_actor(), Authenticator()
    register(actor, device)
    for name, value in fault.items():
        setattr(device, name, value)
    assert not sign_in(actor, device)


@pytest.mark.parametrize("changes", [{"type": "webauthn.create"}, {"challenge": encode(bytes(32))}])
def test_an_old_answer_opens_nothing(changes: dict[str, Any]) -> None:
    actor, device = make_actor(), Authenticator()
    register(actor, device)
    assert not sign_in(actor, device, **changes)


def test_a_key_that_names_its_owner_or_skips_verification_is_fine() -> None:
    actor = make_actor()
    device = Authenticator(user_handle=actor.user_id.bytes, flags=USER_PRESENT)
    register(actor, device)
    assert sign_in(actor, device)


def test_a_key_of_another_person_opens_nothing() -> None:
    actor, other, device, stranger = make_actor(), make_actor(), Authenticator(), Authenticator()
    register(actor, device)
    register(other, stranger)
    assert not sign_in(actor, stranger)


@pytest.mark.failure("A26")
def test_a_counter_that_does_not_grow_is_a_copy_and_is_refused() -> None:
    actor, device = make_actor(), Authenticator(counter=5)
    register(actor, device)
    device.stride = 0
    assert not sign_in(actor, device)
    device.counter = 3
    assert not sign_in(actor, device)
    rows = AuditEvent.objects.filter(action="second_factor.key_refused").order_by("id")
    counts = rows.values_list("before__sign_count", "after__sign_count")
    assert list(counts) == [(5, 5), (5, 3)]


def test_a_key_without_a_counter_works_again_and_again() -> None:
    actor, device = make_actor(), Authenticator(counter=0, stride=0)
    register(actor, device)
    assert sign_in(actor, device)
    assert sign_in(actor, device)
    assert SecurityKey.objects.get().last_used_at is not None


def test_a_key_that_stops_counting_is_refused() -> None:
    actor, device = make_actor(), Authenticator(counter=5)
    register(actor, device)
    device.counter, device.stride = 0, 0
    assert not sign_in(actor, device)


def test_one_key_belongs_to_one_account() -> None:
    device = Authenticator()
    register(make_actor(), device)
    with pytest.raises(KeyKnown):
        register(make_actor(), device)


def test_a_challenge_registers_one_key_for_its_person() -> None:
    actor, other, now = make_actor(), make_actor(), clock.now()
    setup = begin_key(user_id=actor.user_id, now=now)
    terms: dict[str, Any] = {"challenge_id": setup.challenge, "name": "Blue key", "now": now}
    with pytest.raises(ChallengeExpired):
        add_key(user_id=other.user_id, credential=Authenticator().create(setup.options), **terms)
    add_key(user_id=actor.user_id, credential=Authenticator().create(setup.options), **terms)
    with pytest.raises(ChallengeExpired):
        add_key(user_id=actor.user_id, credential=Authenticator().create(setup.options), **terms)


def test_there_is_a_highest_number_of_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security_keys, "MAX_KEYS", 1)
    actor, now = make_actor(), clock.now()
    pending = begin_key(user_id=actor.user_id, now=now)
    register(actor, Authenticator())
    with pytest.raises(TooManyKeys):
        begin_key(user_id=actor.user_id, now=now)
    answer = Authenticator().create(pending.options)
    with pytest.raises(TooManyKeys):
        add_key(user_id=actor.user_id, challenge_id=pending.challenge, name="x", credential=answer, now=now)


def test_only_a_first_factor_brings_recovery_codes() -> None:
    actor = make_actor()
    register(actor, Authenticator())
    assert register(actor, Authenticator(), name="Spare").recovery_codes == ()
    assert [key.name for key in get_factors(user_id=actor.user_id).security_keys] == ["Blue key", "Spare"]


def test_a_key_is_renamed_and_removed_by_its_owner_alone() -> None:
    actor, other = make_actor(), make_actor()
    key = register(actor, Authenticator()).key
    with pytest.raises(NotFound):
        rename_key(user_id=other.user_id, key_id=key.id, name="Mine", now=clock.now())
    with pytest.raises(NotFound):
        remove_key(user_id=other.user_id, key_id=key.id, now=clock.now())
    assert rename_key(user_id=actor.user_id, key_id=key.id, name="Green key", now=clock.now()).name == "Green key"
    remove_key(user_id=actor.user_id, key_id=key.id, now=clock.now())
    assert not SecurityKey.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert "Green key" in OutgoingMail.objects.get(kind="second_factor_removed").context["what"]


def test_staff_keep_their_last_key() -> None:
    actor = make_actor(is_staff=True)
    first, second = (register(actor, Authenticator()).key for _ in range(2))
    remove_key(user_id=actor.user_id, key_id=first.id, now=clock.now())
    with pytest.raises(LastFactorOfStaff):
        remove_key(user_id=actor.user_id, key_id=second.id, now=clock.now())
    assert SecurityKey.objects.count() == 1
