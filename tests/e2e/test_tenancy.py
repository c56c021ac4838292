"""People of one tenant among each other, what their scripts may do, and whom they let in."""

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e import people
from tests.e2e.site import Site

REASON = "Export misses two entries"


def test_a_read_only_token_reads_writes_nothing_and_ends_when_revoked(site: Site, page: Page) -> None:
    people.sign_up(page, passkey=site.stack.create_passkey(), name=people.new_name())
    page.goto("/profile/tokens/new/")
    page.locator("#id_name").fill("Backup script")
    page.get_by_role("button", name="Make token").click()
    token = page.locator("#new-token").input_value()
    site.secrets.add(token)
    page.reload()
    assert token not in page.content()
    with httpx.Client(base_url=site.stack.urls.backend, trust_env=False) as script:
        script.headers["Authorization"] = f"Token {token}"
        assert script.get("/api/worklogs/").status_code == 200
        refused = script.post("/api/worklogs/", json={"title": "From a script"})
        assert (refused.status_code, refused.json()["code"]) == (403, "read_only_token")
        page.get_by_role("link", name="Revoke Backup script").click()
        page.get_by_role("dialog").get_by_role("button", name="Revoke token").click()
        expect(page.locator("#toasts")).to_contain_text("“Backup script” is revoked.")
        assert script.get("/api/worklogs/").status_code == 401


@pytest.mark.failure("T17")
def test_a_member_comes_by_invitation_rises_and_is_out_the_moment_they_are_removed(site: Site, page: Page) -> None:
    people.sign_up(page, passkey=site.stack.create_passkey(), name=people.new_name())
    page.goto("/profile/members/")
    page.get_by_role("link", name="Invite somebody").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Who is it for?").fill("Grace")
    dialog.get_by_role("button", name="Make invitation").click()
    key = page.locator("#new-passkey").input_value()
    site.secrets.add(key)
    assert f"{site.address}/profile/signup-with-passkey/" in page.locator("#invitation-text").input_value()

    member = people.new_name()
    with site.elsewhere() as other:
        people.sign_up(other, passkey=key, name=member)
        other.goto("/profile/members/")
        expect(other.locator("#members > li")).to_have_count(2)
        expect(other.get_by_role("link", name="Invite somebody")).to_have_count(0)

        page.goto("/profile/members/")
        page.get_by_role("link", name=f"Make {member} an owner").click()
        page.get_by_role("dialog").get_by_role("button", name="Make owner").click()
        expect(page.locator("#toasts")).to_contain_text("is an owner now.")
        other.goto("/profile/members/")
        expect(other.get_by_role("link", name="Invite somebody")).to_be_visible()

        page.get_by_role("link", name=f"Remove {member}").click()
        page.get_by_role("dialog").get_by_role("button", name=f"Remove {member}").click()
        expect(page.locator("#members > li")).to_have_count(1)
        other.goto("/worklog/")
        expect(other).to_have_url(re.compile("/accounts/login/"))


@pytest.mark.failure("T11")
def test_staff_see_what_a_person_lets_them_see_and_the_person_sees_each_look(
    site: Site, page: Page, staff: Page
) -> None:
    name = people.new_name()
    people.sign_up(page, passkey=site.stack.create_passkey(), name=name)
    people.add_entry(page, people.TITLES[0])
    staff.goto("/admin-panel/support/")
    expect(staff.get_by_role("link", name=f"Worklog of {name}")).to_have_count(0)

    page.goto("/profile/support/")
    page.locator("#id_reason").fill(REASON)
    page.get_by_role("button", name="Let support look").click()
    expect(page.locator("#grants")).to_contain_text(REASON)
    staff.reload()
    staff.get_by_role("link", name=f"Worklog of {name}").click()
    expect(staff.locator("#borrowed")).to_contain_text(f"You look at the worklog of {name}")
    staff.get_by_role("link", name=people.TITLES[0]).click()
    expect(staff.get_by_role("heading", level=1)).to_have_text(people.TITLES[0])
    seen = staff.url
    assert staff.goto(seen.split("/worklog/")[0] + "/billing/") is not None
    expect(staff.locator("#toasts")).to_contain_text("does not cover that page")

    page.get_by_role("link", name=re.compile("looks? at")).click()
    expect(page.locator("#accesses")).to_contain_text("/api/worklogs/")
    expect(page.locator("#accesses")).to_contain_text(site.stack.admin_username)
    page.goto("/profile/support/")
    page.get_by_role("link", name=f"End now: {REASON}").click()
    page.get_by_role("dialog").get_by_role("button", name="End access").click()
    expect(page.locator("#toasts")).to_contain_text("Support access has ended.")
    staff.goto(seen)
    expect(staff.locator("#toasts")).to_contain_text("This access is over")


@pytest.mark.failure("A09")
def test_an_account_that_staff_close_is_closed_at_once_and_the_audit_says_why(
    site: Site, page: Page, staff: Page
) -> None:
    name = people.new_name()
    people.sign_up(page, passkey=site.stack.create_passkey(), name=name)
    staff.goto("/admin-panel/users/")
    staff.locator("#id_q").fill(name)
    expect(staff.locator("[data-user]")).to_have_count(1)
    staff.get_by_role("link", name=name).click()
    staff.get_by_role("link", name="Close account").click()
    dialog = staff.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("Asked by telephone")
    dialog.get_by_role("button", name="Close account").click()
    expect(staff.locator("#toasts")).to_contain_text("The account is closed now.")

    page.goto("/worklog/")
    expect(page).to_have_url(re.compile("/accounts/login/"))
    people.give_password(page, name=name)
    expect(page.get_by_role("main")).to_contain_text("The username or password is not right.")
    staff.goto("/admin-panel/audit/")
    row = staff.locator("#audit > li").filter(has_text="Asked by telephone").first
    expect(row).to_contain_text(site.stack.admin_username)
