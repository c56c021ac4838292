"""Cards as people type them: the test numbers, what each does, and what is wrong with a number at first sight."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from devstack.standins.stripe import customers
from devstack.standins.stripe.errors import Json, StripeError
from devstack.standins.stripe.world import World


@dataclass(frozen=True, kw_only=True)
class TestNumber:
    """A number that anybody may type. `name` is the test card that it stands for."""

    number: str
    name: str
    does: str

    @property
    def grouped(self) -> str:
        """The number as it is printed on a card."""
        amex = re.fullmatch(r"(\d{4})(\d{6})(\d{5})", self.number)
        return " ".join(amex.groups() if amex else re.findall(r"\d{4}", self.number))


NUMBERS = (
    TestNumber(number="4242424242424242", name="pm_card_visa", does="is paid"),
    TestNumber(number="5555555555554444", name="pm_card_mastercard", does="is paid (Mastercard)"),
    TestNumber(number="378282246310005", name="pm_card_amex", does="is paid (American Express)"),
    TestNumber(number="4000000000000002", name="pm_card_visa_chargeDeclined", does="is declined"),
    TestNumber(
        number="4000000000009995",
        name="pm_card_visa_chargeDeclinedInsufficientFunds",
        does="is declined: insufficient funds",
    ),
    TestNumber(
        number="4000000000000069", name="pm_card_visa_chargeDeclinedExpiredCard", does="is declined: expired card"
    ),
    TestNumber(
        number="4000000000009979", name="pm_card_visa_chargeDeclinedStolenCard", does="is declined: stolen card"
    ),
    TestNumber(
        number="4000002760003184", name="pm_card_authenticationRequired", does="asks for authentication each time"
    ),
    TestNumber(
        number="4000000000000341", name="pm_card_chargeCustomerFail", does="is paid now, fails when charged later"
    ),
    TestNumber(number="4000000000007726", name="pm_card_processing", does="takes its time (this stand-in only)"),
)
BY_NUMBER = {one.number: one.name for one in NUMBERS}
# Any other number that could be a card's.
OTHER = "pm_card_live"
EXPIRY = re.compile(r"\s*(\d{1,2})\s*[/ -]?\s*((?:20)?\d{2})\s*")
EXAMPLE_EXPIRY = "12 / 34"


def take_card(world: World, form: dict[str, str]) -> str:
    """Return the id of the card that was typed; raises StripeError (402) when it cannot be one."""
    digits = re.sub(r"[\s-]", "", form.get("number", ""))
    if not digits:
        raise _wrong("Your card number is incomplete.", "incomplete_number")
    if not re.fullmatch(r"[0-9]{13,19}", digits) or not _fits_luhn(digits):
        raise _wrong("Your card number is invalid.", "invalid_number")
    month, year = _read_expiry(form.get("expiry", ""), world.clock())
    cvc = form.get("cvc", "").strip()
    is_amex = digits[:2] in {"34", "37"}
    if not re.fullmatch(r"[0-9]{4}" if is_amex else r"[0-9]{3}", cvc):
        raise _wrong("Your card's security code is incomplete.", "incomplete_cvc")
    printed: Json = {"last4": digits[-4:], "exp_month": month, "exp_year": year}
    return str(customers.make_card(world, BY_NUMBER.get(digits, OTHER), printed=printed)["id"])


def card_fields(form: dict[str, str], *, has_focus: bool) -> str:
    """Return the inputs for a card; what was typed comes back, but for the security code."""
    number, expiry = escape(form.get("number", "")), escape(form.get("expiry", ""))
    focus = " autofocus" if has_focus else ""
    return f"""<label>Card number
<input type="text" name="number" value="{number}" inputmode="numeric" autocomplete="cc-number" required
 placeholder="4242 4242 4242 4242" maxlength="25"{focus}></label>
<div class="pair"><label>Expires (MM / YY)
<input type="text" name="expiry" value="{expiry}" inputmode="numeric" autocomplete="cc-exp" required
 placeholder="{EXAMPLE_EXPIRY}" maxlength="9"></label>
<label>Security code (CVC)
<input type="text" name="cvc" inputmode="numeric" autocomplete="cc-csc" required placeholder="123"
 maxlength="4"></label>
</div>"""


def label_of(card: Json) -> str:
    """Return a card as people recognise it."""
    shown = card["card"]
    brand = {"amex": "American Express"}.get(shown["brand"], shown["brand"].title())
    return f"{brand} •••• {shown['last4']}, {shown['exp_month']:02} / {shown['exp_year'] % 100:02}"


def _read_expiry(text: str, now: float) -> tuple[int, int]:
    match = EXPIRY.fullmatch(text)
    if match is None or not 1 <= int(match[1]) <= 12:
        raise _wrong("Your card's expiration date is incomplete.", "incomplete_expiry")
    month, year = int(match[1]), 2000 + int(match[2]) % 100
    today = datetime.fromtimestamp(now, UTC)
    if (year, month) < (today.year, today.month):
        raise _wrong("Your card's expiration date is in the past.", "invalid_expiry_year_past")
    return month, year


def _fits_luhn(digits: str) -> bool:
    doubled = [int(digit) * (2 if index % 2 else 1) for index, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _wrong(message: str, code: str) -> StripeError:
    return StripeError(message, status=402, kind="card_error", code=code)
