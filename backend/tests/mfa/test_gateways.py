"""What strangers send in place of a security key's answer: refused, never a crash."""

import contextlib
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.common.ids import uuid7
from apps.mfa import gateways
from apps.mfa.gateways import KnownKey
from apps.mfa.refusals import BadKey
from tests.mfa.authenticator import Authenticator, decode, encode

USER: Final = uuid7()
DEVICE: Final = Authenticator()
KEY: Final = KnownKey(credential_id=DEVICE.credential_id, public_key=DEVICE.cose_key(), transports=("usb",))
NOISE: Final = st.tuples(st.integers(min_value=0), st.binary(max_size=8))
JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


def damage(text: str, noise: tuple[int, bytes]) -> str:
    """The same base64url with some bytes of it overwritten."""
    place, found = noise[0], decode(text)
    place %= len(found)
    return encode(found[:place] + noise[1] + found[place + len(noise[1]) :])


@settings(max_examples=100, deadline=None)
@given(part=st.sampled_from(["clientDataJSON", "attestationObject"]), noise=NOISE)
def test_a_damaged_registration_is_taken_for_what_it_is_or_refused(part: str, noise: tuple[int, bytes]) -> None:
    options, state = gateways.ask_to_register(user_id=USER, username="ada", display_name="", keys=[KEY])
    answer = DEVICE.create(options)
    answer["response"][part] = damage(answer["response"][part], noise)
    with contextlib.suppress(BadKey):
        gateways.read_registration(state=state, answer=answer)


@settings(max_examples=100, deadline=None)
@given(part=st.sampled_from(["clientDataJSON", "authenticatorData", "signature"]), noise=NOISE)
def test_a_damaged_signature_is_taken_for_what_it_is_or_refused(part: str, noise: tuple[int, bytes]) -> None:
    options, state = gateways.ask_to_sign(keys=[KEY])
    answer = DEVICE.get(options)
    genuine = answer["response"][part]
    answer["response"][part] = damage(genuine, noise)
    with contextlib.suppress(BadKey):
        gateways.read_assertion(user_id=USER, state=state, keys=[KEY], answer=answer)
        assert decode(answer["response"][part]) == decode(genuine)


@settings(max_examples=100, deadline=None)
@given(answer=st.dictionaries(st.sampled_from(["id", "rawId", "response", "type"]), JSON))
def test_anything_else_is_refused(answer: dict[str, Any]) -> None:
    _, state = gateways.ask_to_sign(keys=[KEY])
    for read in (
        lambda: gateways.read_registration(state=state, answer=answer),
        lambda: gateways.read_assertion(user_id=USER, state=state, keys=[KEY], answer=answer),
    ):
        with contextlib.suppress(BadKey):
            read()
            raise AssertionError(answer)
