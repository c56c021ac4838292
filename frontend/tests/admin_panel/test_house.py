"""Tenants, the audit and invite passkeys of the whole house."""

import pytest
from django.test import Client

from tests.fakes import house_shapes as shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.browsing import HTMX
from tests.fakes.server import Reply
from tests.fakes.shapes import ABSENT_ID, instant

TENANTS, AUDIT, PASSKEYS = "/admin-panel/tenants/", "/admin-panel/audit/", "/admin-panel/passkeys/"
TERMS = {"note": "For Cleo", "days": "30", "credit": "5", "tenant": "", "role": ""}


def page(client: Client, path: str) -> str:
    return client.get(path).content.decode()


# --- Tenants


def test_tenants_are_found_by_name(staff: Client, fake_backend: FakeBackend) -> None:
    fake_backend.tenants.extend([shapes.tenant_row(name="Acme"), shapes.tenant_row(name="Zenith", owner=None)])
    assert "$4.20" in page(staff, TENANTS)
    found = staff.get(f"{TENANTS}?q=zen", headers=HTMX).content.decode()
    assert "Zenith" in found
    assert "Acme" not in found


def test_further_tenants_follow_in_place(staff: Client, fake_backend: FakeBackend) -> None:
    fake_backend.tenants.extend(shapes.tenant_row() for _ in range(26))
    assert f"{TENANTS}?cursor=25" in page(staff, TENANTS)
    assert staff.get(f"{TENANTS}?cursor=25", headers=HTMX).content.decode().count("data-tenant") == 1


def test_a_tenant_with_its_people(staff: Client, fake_backend: FakeBackend) -> None:
    row = shapes.tenant_row(name="Acme", owner=None)
    fake_backend.tenants.append(row)
    shown = page(staff, f"{TENANTS}{row['id']}/")
    for told in ("Acme", "nobody", "bea@example.com", f"{PASSKEYS}new/?tenant={row['id']}"):
        assert told in shown


def test_a_tenant_that_is_not_there_is_404(staff: Client) -> None:
    assert staff.get(f"{TENANTS}{ABSENT_ID}/").status_code == 404


# --- Audit


def test_the_audit_names_the_tenant_and_leads_to_people(staff: Client, fake_backend: FakeBackend) -> None:
    event = shapes.audit()
    fake_backend.events.append(event)
    shown = page(staff, AUDIT)
    assert f"/admin-panel/users/{event['actor']['id']}/" in shown
    assert f"{TENANTS}{event['tenant']['id']}/" in shown


def test_the_audit_is_filtered_by_tenant(staff: Client, fake_backend: FakeBackend) -> None:
    response = staff.get(f"{AUDIT}?tenant={ABSENT_ID}&action=user.closed", headers=HTMX)
    assert "Nothing matches" in response.content.decode()
    asked = fake_backend.calls_of("GET", "/api/admin/audit/")[0].query
    assert asked == {"tenant": ABSENT_ID, "action": "user.closed"}


def test_what_is_no_id_is_said_and_left_out(staff: Client, fake_backend: FakeBackend) -> None:
    assert "Enter a valid UUID." in page(staff, f"{AUDIT}?tenant=acme")
    assert fake_backend.calls_of("GET", "/api/admin/audit/")[0].query == {}


def test_further_events_follow_in_place(staff: Client, fake_backend: FakeBackend) -> None:
    fake_backend.events.extend(shapes.audit() for _ in range(26))
    assert staff.get(f"{AUDIT}?cursor=25", headers=HTMX).content.decode().count("data-action") == 1


# --- Invite passkeys


def test_a_key_is_made_on_terms_and_shown_once(staff: Client, fake_backend: FakeBackend) -> None:
    shown = staff.post(f"{PASSKEYS}new/", TERMS, follow=True).content.decode()
    assert "inv_a-fresh-staff-key" in shown
    assert "$5.00 credit" in shown
    assert "inv_a-fresh-staff-key" not in page(staff, PASSKEYS)
    sent = fake_backend.calls_of("POST", "/api/admin/passkeys/")[0].body
    assert (sent["promo_credit_cents"], sent["tenant"], sent["role"]) == (500, None, None)
    assert sent["expires_at"] is not None


def test_a_key_leads_into_a_tenant(staff: Client, fake_backend: FakeBackend) -> None:
    row = shapes.tenant_row(name="Acme")
    fake_backend.tenants.append(row)
    assert f'value="{row["id"]}"' in page(staff, f"{PASSKEYS}new/?tenant={row['id']}")
    terms = TERMS | {"tenant": row["id"], "role": "member", "days": "0", "credit": ""}
    assert "Member in" in staff.post(f"{PASSKEYS}new/", terms, follow=True).content.decode()
    assert fake_backend.calls_of("POST", "/api/admin/passkeys/")[0].body["expires_at"] is None


@pytest.mark.parametrize(
    ("over", "field"),
    [({"tenant": ABSENT_ID}, "role"), ({"role": "member"}, "tenant"), ({"tenant": "acme"}, "tenant")],
)
def test_tenant_and_role_come_together(
    staff: Client, fake_backend: FakeBackend, over: dict[str, str], field: str
) -> None:
    assert list(staff.post(f"{PASSKEYS}new/", TERMS | over).context["form"].errors) == [field]
    assert fake_backend.calls_of("POST", "/api/admin/passkeys/") == []


def test_a_tenant_that_is_not_there_is_refused_beside_its_field(staff: Client) -> None:
    response = staff.post(f"{PASSKEYS}new/", TERMS | {"tenant": ABSENT_ID, "role": "member"}, headers=HTMX)
    assert response.status_code == 422
    assert "There is no such tenant." in response.content.decode()


def test_a_key_that_went_astray_is_said(staff: Client, fake_backend: FakeBackend) -> None:
    replay = Reply(status=201, body=shapes.passkey() | {"passkey": ""})
    fake_backend.answer_with("POST", "/api/admin/passkeys/", replay)
    assert "its key was lost on the way" in staff.post(f"{PASSKEYS}new/", TERMS, follow=True).content.decode()


def test_keys_are_listed_by_state(staff: Client, fake_backend: FakeBackend) -> None:
    used = shapes.passkey(note="Old", state="used", used_by=shapes.person("bea"), used_at=instant(), tenant=None)
    fake_backend.passkey_rows.extend([used, shapes.passkey(note="New")])
    found = staff.get(f"{PASSKEYS}?state=used", headers=HTMX).content.decode()
    assert "used by" in found
    assert "New" not in found


def test_further_keys_follow_in_place(staff: Client, fake_backend: FakeBackend) -> None:
    fake_backend.passkey_rows.extend(shapes.passkey() for _ in range(26))
    assert staff.get(f"{PASSKEYS}?cursor=25", headers=HTMX).content.decode().count("data-passkey") == 1


def test_a_filter_leaves_the_new_key_for_its_page(staff: Client) -> None:
    staff.post(f"{PASSKEYS}new/", TERMS)
    assert "inv_a-fresh" not in staff.get(PASSKEYS, headers=HTMX).content.decode()
    assert "inv_a-fresh-staff-key" in page(staff, PASSKEYS)


def test_an_open_key_is_revoked_after_a_question(staff: Client, fake_backend: FakeBackend) -> None:
    fake_backend.passkey_rows.append(shapes.passkey(note="Cleo"))
    address = f"{PASSKEYS}{fake_backend.passkey_rows[0]['id']}/revoke/"
    assert "Revoke the invite passkey “Cleo”?" in page(staff, address)
    assert "“Cleo” is revoked." in staff.post(address, follow=True).content.decode()
    assert "has been used or revoked already" in staff.post(address).content.decode()
