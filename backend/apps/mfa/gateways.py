"""The one door to fido2: what browsers and security keys are asked, and whether their answers are true (WebAuthn)."""

import ipaddress
import struct
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from django.conf import settings
from fido2 import cbor
from fido2.cose import ES256, RS256, CoseKey, EdDSA
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestationConveyancePreference,
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from apps.mfa.refusals import BadKey

RP_NAME: Final = "AfterResume"
ALGORITHMS: Final = (ES256.ALGORITHM, EdDSA.ALGORITHM, RS256.ALGORITHM)
TIMEOUT_MS: Final = 300_000
_MAX_CREDENTIAL_ID: Final = 1023
_MAX_PUBLIC_KEY: Final = 2048
# What fido2 raises when an answer is not well formed: it reads what a stranger has sent.
_MALFORMED: Final = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    AssertionError,
    NotImplementedError,
    OverflowError,
    RecursionError,
    struct.error,
    InvalidSignature,
    UnsupportedAlgorithm,
)


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who asks, as browsers know us: a domain name, and the one origin that answers may come from."""

    id: str
    origin: str


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A registered security key, as far as asking and checking need it."""

    credential_id: bytes
    public_key: bytes
    transports: Sequence[str]


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a registration has proved."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    aaguid: UUID
    transports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assertion:
    """A true answer: which key signed, and what its counter says."""

    credential_id: bytes
    sign_count: int


def relying_party() -> RelyingParty:
    """From the public address of the pages. Browsers take no network address for a domain: loopback is `localhost`."""
    address = urlsplit(settings.FRONTEND_BASE_URL)
    host = address.hostname or ""
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if is_loopback:
        host = "localhost"
    port = f":{address.port}" if address.port else ""
    return RelyingParty(id=host, origin=f"{address.scheme}://{host}{port}")


def _server() -> Fido2Server:
    party = relying_party()
    server = Fido2Server(
        PublicKeyCredentialRpEntity(name=RP_NAME, id=party.id),
        attestation=AttestationConveyancePreference.NONE,
        # Exactly ours: neither another port nor a name below ours.
        verify_origin=lambda origin: origin == party.origin,
    )
    server.timeout = TIMEOUT_MS  # type: ignore[assignment]  # declared by its first value alone
    server.allowed_algorithms = [parameters for parameters in server.allowed_algorithms if parameters.alg in ALGORITHMS]
    return server


def _descriptors(keys: Sequence[KnownKey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            type=PublicKeyCredentialType.PUBLIC_KEY,
            id=key.credential_id,
            transports=[AuthenticatorTransport(name) for name in key.transports] or None,
        )
        for key in keys
    ]


def ask_to_register(
    *, user_id: UUID, username: str, display_name: str, keys: Sequence[KnownKey]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options for `credentials.create` in JSON (binary as base64url), and the state to check the answer against."""
    options, state = _server().register_begin(
        PublicKeyCredentialUserEntity(id=user_id.bytes, name=username, display_name=display_name or username),
        credentials=_descriptors(keys),
        resident_key_requirement=ResidentKeyRequirement.DISCOURAGED,
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return _plain(options.public_key), _plain(state)


def ask_to_sign(*, keys: Sequence[KnownKey]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options for `credentials.get` with one of the keys, and the state to check the answer against."""
    options, state = _server().authenticate_begin(
        credentials=_descriptors(keys), user_verification=UserVerificationRequirement.PREFERRED
    )
    return _plain(options.public_key), _plain(state)


def read_registration(*, state: Mapping[str, Any], answer: Mapping[str, Any]) -> NewKey:
    """The key that a browser has made; raises BadKey unless it answers the question that `state` belongs to."""
    try:
        response = RegistrationResponse.from_dict(answer)
        _refuse_frames(response)
        data = _server().register_complete(dict(state), response).credential_data
        if data is None or data.credential_id != response.raw_id:
            raise BadKey
        public_key = cbor.encode(data.public_key)
        if not 0 < len(data.credential_id) <= _MAX_CREDENTIAL_ID or len(public_key) > _MAX_PUBLIC_KEY:
            raise BadKey
        _check_usable(data.public_key)
        transports = _read_transports(answer)
    except _MALFORMED as error:
        raise BadKey from error
    return NewKey(
        credential_id=bytes(data.credential_id),
        public_key=public_key,
        sign_count=response.response.attestation_object.auth_data.counter,
        aaguid=uuid.UUID(bytes=bytes(data.aaguid)),
        transports=transports,
    )


def read_assertion(
    *, user_id: UUID, state: Mapping[str, Any], keys: Sequence[KnownKey], answer: Mapping[str, Any]
) -> Assertion:
    """Which of the person's keys signed; raises BadKey unless it answers the question that `state` belongs to."""
    known = [AttestedCredentialData.create(bytes(16), key.credential_id, _load(key.public_key)) for key in keys]
    try:
        response = AuthenticationResponse.from_dict(answer)
        _refuse_frames(response)
        if response.response.user_handle not in (None, b"", user_id.bytes):
            raise BadKey
        used = _server().authenticate_complete(dict(state), known, response)
    except _MALFORMED as error:
        raise BadKey from error
    counter = response.response.authenticator_data.counter
    return Assertion(credential_id=bytes(used.credential_id), sign_count=counter)


def _refuse_frames(response: RegistrationResponse | AuthenticationResponse) -> None:
    """An answer from within another site's frame is none that a person of ours gave knowingly."""
    if response.response.client_data.cross_origin:
        raise BadKey


def _check_usable(public_key: CoseKey) -> None:
    """Refuses a key that could never confirm anything: registered, it would lock its owner out."""
    if public_key.ALGORITHM not in ALGORITHMS:
        raise BadKey
    try:
        public_key.verify(b"", bytes(64))
    except InvalidSignature:
        return


def _read_transports(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """How the key is connected, as the browser says: a hint for the next time, so unknown words are dropped."""
    offered = answer["response"].get("transports") or ()
    known = {transport.value for transport in AuthenticatorTransport}
    return tuple(sorted({name for name in offered if isinstance(name, str) and name in known}))


def _load(public_key: bytes) -> CoseKey:
    parsed: Any = cbor.decode(public_key)
    return CoseKey.parse(parsed)


def _plain(value: Any) -> Any:
    """Data of fido2 (mappings, enumerations) as plain JSON."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return str(value)
    return value
