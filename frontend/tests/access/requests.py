"""A valid request for every operation: what the address names, the form, and what has to come first."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.test import Client
from django.urls import reverse

from tests.access.routes import list_routes
from tests.access.world import OWNER, PASSWORD, World
from tests.fakes.browsing import HTMX
from tests.fakes.identity import GOOD_CODE

# Where forms are sent from and HTMX asks from: sign-in leads back there.
PAGE: Final = "/profile/"
HOME: Final = "http://testserver"
Form = Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """`rename` gives the address another thing than its argument's own name; `first` is sent before.

    `query` is what stands after the address.
    """

    form: Callable[[World], Form] = lambda _: {}
    rename: Mapping[str, str] = field(default_factory=dict)
    first: tuple[str, ...] = ()
    query: str = ""


def sends(**form: Any) -> Request:
    return Request(form=lambda _: form)


def _choice_of(world: World) -> Form:
    return {"period": "this_year", "title": "Autumn", "entry": [world.ids["entry_id"]]}


NEW_PASSWORD: Final = "another correct horse"
BEGIN_TOTP: Final = ("POST accounts:totp-begin",)
FOLLOW_LINK: Final = ("GET account_reset_password_link",)
GONE: Final = {"entry_id": "gone_entry_id"}
PENDING: Final = {"report_id": "pending_report_id"}
GRANT: Final = {"reason": "My report misses two entries", "worklog": "on", "minutes": "60"}
ENTRY: Final = {"title": "Shipped", "occurred_on": "2026-11-20", "visibility": "private", "status": "final"}

REQUESTS: Final[Mapping[str, Request]] = {
    "POST account_login": sends(login=OWNER, password=PASSWORD),
    "POST account_second_factor": sends(code=GOOD_CODE),
    "POST account_reauthenticate": sends(password=PASSWORD),
    "POST account_change_password": sends(current_password=PASSWORD, new_password=NEW_PASSWORD),
    "POST account_reset_password": sends(email="ada@example.com"),
    "GET account_reset_password_choose": Request(first=FOLLOW_LINK),
    "POST account_reset_password_choose": Request(form=lambda _: {"password": NEW_PASSWORD}, first=FOLLOW_LINK),
    "POST account_email": sends(email="new@example.com"),
    "POST accounts:profile": sends(display_name="Ada", time_zone="UTC"),
    "POST accounts:sign-up": sends(
        passkey="good-passkey-0001",
        username="newcomer",
        email="new@example.com",
        password=NEW_PASSWORD,
        idempotency_key="of-the-matrix-0001",
    ),
    "GET accounts:totp": Request(first=BEGIN_TOTP),
    "POST accounts:totp": Request(form=lambda _: {"code": GOOD_CODE}, first=BEGIN_TOTP),
    "POST accounts:key-add": Request(
        form=lambda _: {"name": "Desk", "credential": '{"id": "x"}'}, first=("GET accounts:key-add",)
    ),
    "POST accounts:key-rename": sends(name="Blue key"),
    "POST accounts:token-new": sends(name="Nightly", scope="read", expires_in_days="30"),
    "POST tenant:rename": sends(name="Acme"),
    "POST tenant:invite": sends(role="member", days="7"),
    "POST tenant:member-role": sends(role="owner"),
    "POST tenant:support": Request(form=lambda _: GRANT),
    "POST tenant:data-delete": sends(confirm=OWNER),
    "POST worklog:quick-add": sends(title="Shipped"),
    "POST worklog:preview": sends(title="Shipped @acme"),
    "POST worklog:edit": Request(form=lambda _: ENTRY | {"version": "1"}),
    "POST worklog:restore": Request(rename=GONE),
    "POST reporting:generate": Request(form=_choice_of),
    "POST reporting:estimate": Request(form=_choice_of),
    "GET reporting:progress": Request(rename=PENDING),
    "POST reporting:cancel": Request(rename=PENDING),
    "POST reporting:retry": Request(rename=PENDING),
    "POST reporting:rename": sends(title="Renamed"),
    "POST jobs:cancel": Request(rename={"job_id": "waiting_job_id"}),
    "POST jobs:retry": Request(rename={"job_id": "failed_job_id"}),
    "POST billing:settings": sends(threshold="2.00", policy="block", billing_email="bills@example.com"),
    "POST billing:auto-topup": sends(is_on="on", threshold="5", amount="20", monthly_cap="100"),
    "POST billing:details": sends(billing_name="Ada", billing_address="London", tax_id=""),
    "POST billing:plans": sends(plan="professional"),
    "POST billing:topup": sends(amount="25", own="", saves_card="on"),
    "GET billing:topup-return": Request(query="?session_id=cs_test_of_the_seed"),
    "POST admin_panel:user-active": sends(value="off", reason="Abuse"),
    "POST admin_panel:user-staff": sends(value="on", reason="New colleague"),
    "POST admin_panel:user-password-reset": sends(reason="Asked"),
    "POST admin_panel:user-end-sessions": sends(reason="Asked"),
    "POST admin_panel:user-second-factor": sends(reason="Asked"),
    "POST admin_panel:tenant-adjust": sends(amount="5", reason="Goodwill", confirmed="5000000"),
    "POST admin_panel:tenant-policy": sends(policy="block", reason="Asked"),
    "POST admin_panel:payment-refund": sends(amount="1.00", reason="Asked"),
    "POST admin_panel:passkey-new": sends(note="For a customer", days="30"),
}
ANY: Final = Request()
# What the staff's addresses name is not what the same names mean in a tenant.
HOUSE: Final = {
    "user_id": "person_id",
    "passkey_id": "house_passkey_id",
    "grant_id": "open_grant_id",
    "payment_id": "house_payment_id",
    "event_id": "stripe_event_id",
}


def build_address(operation: str, world: World) -> str:
    """The address of an operation's route with the owner's things in it."""
    name = operation.split()[1]
    rename = dict(REQUESTS.get(operation, ANY).rename)
    if name.startswith("admin_panel:"):
        rename = HOUSE | rename
    if name.startswith("certificate:"):
        rename["token"] = "certificate"
    address = reverse(name, kwargs={part: world.ids[rename.get(part, part)] for part in list_routes()[name]})
    return f"{address}{REQUESTS.get(operation, ANY).query}"


def send(browser: Client, operation: str, world: World, *, is_htmx: bool = False, form: Form | None = None) -> Any:
    """The operation from the given browser, valid in every respect but who asks; or with another form."""
    request = REQUESTS.get(operation, ANY)
    for earlier in request.first:
        send(_unchecked(browser), earlier, world)
    method = operation.split(maxsplit=1)[0].lower()
    headers = {"Referer": f"{HOME}{PAGE}"}
    if is_htmx:
        headers |= HTMX | {"HX-Current-URL": f"{HOME}{PAGE}"}
    sent = dict(form if form is not None else request.form(world)) if method == "post" else {}
    response = getattr(browser, method)(build_address(operation, world), sent, headers=headers)
    let_go(response)
    return response


def let_go(response: Any) -> None:
    """Free what a stream holds. Not by `close`, which would tell Django that a request of its server has ended."""
    for close in response._resource_closers:
        close()


def _unchecked(browser: Client) -> Client:
    """The same browser, for what has to have happened before."""
    other = Client()
    other.cookies = browser.cookies
    return other
