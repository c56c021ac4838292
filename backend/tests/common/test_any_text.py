"""Small readers of outside text, each with any text: they give what they promise, and never anything else."""

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.accounts.services.devices import name_device
from apps.mail.registry import MailKind, list_kinds
from apps.mail.rendering import render_mail
from apps.observability.visitors import read_address
from tests.mail.samples import KIND

pytestmark = pytest.mark.failure("D15")

TEXTS = st.text(max_size=120)
# The tables of known devices are read at the first call.
patient = settings(deadline=None)
KINDS = [kind for kind in list_kinds() if kind.kind != KIND]
MARKUP = "<zq>\"'&\r\nBcc: eve@example.org\x00"


@patient
@given(text=TEXTS | st.ip_addresses().map(str))
def test_an_address_is_one_or_none(text: str) -> None:
    address = read_address(text)
    assert address is None or str(ipaddress.ip_address(address)) == address


@patient
@given(text=TEXTS)
def test_a_device_has_a_short_name_in_one_line(text: str) -> None:
    name = name_device(text)
    assert name.isprintable()
    assert 0 < len(name) <= 120


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_no_text_becomes_markup_or_a_header_in_a_mail(kind: MailKind) -> None:
    odd = {name: MARKUP if isinstance(value, str) else value for name, value in kind.sample.items()}
    mail = render_mail(kind, {**odd, "link": "https://afterresume.example/"})
    assert "\n" not in mail.subject
    assert "\r" not in mail.subject
    assert "<zq>" not in mail.html
