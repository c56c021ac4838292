"""One's own data: taken along whole, and gone when one wants it gone."""

import hashlib
import io
import json
import re
import zipfile
from pathlib import Path

import httpx
import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.e2e import people
from tests.e2e.site import Site

ENTRY = "Kept the lights on through the storm"
# For one account the days of grace pass at once.
DAYS_PASS = """
UPDATE orchestration_accountdeletion
SET requested_at = requested_at - interval '15 days', due_at = due_at - interval '15 days'
WHERE state = 'scheduled' AND user_id = (SELECT id FROM accounts_user WHERE username = %s)
"""
ERASE = "from config.celery import app; app.send_task('erase_due_accounts')"


def test_an_export_is_a_zip_whose_every_file_is_as_its_manifest_says(site: Site, page: Page, tmp_path: Path) -> None:
    people.sign_up(page, passkey=site.stack.create_passkey(), name=people.new_name())
    people.add_entry(page, ENTRY)
    page.goto("/profile/data/")
    page.get_by_role("button", name="Export my data").click()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("^Download the export")).click(timeout=60_000)
    download.value.save_as(tmp_path / "export.zip")
    content = (tmp_path / "export.zip").read_bytes()
    expect(page.locator("#exports details code").first).to_have_text(hashlib.sha256(content).hexdigest())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        for file in manifest["files"]:
            assert hashlib.sha256(archive.read(file["name"])).hexdigest() == file["sha256"]
        assert any(ENTRY.encode() in archive.read(name) for name in archive.namelist())


@pytest.mark.failure("A25")
def test_an_account_is_deleted_only_on_second_thoughts_and_leaves_a_certificate(site: Site, page: Page) -> None:
    name = people.new_name()
    people.sign_up(page, passkey=site.stack.create_passkey(), name=name)
    people.add_entry(page, ENTRY)
    ask_for_deletion(page, name)
    banner = page.locator("#deletion-banner")
    page.goto("/worklog/")
    expect(banner).to_contain_text("This account is erased on")
    banner.get_by_role("button", name="Keep my account").click()
    expect(page.locator("#toasts")).to_contain_text("Your account stays.")
    expect(banner).to_have_count(0)

    ask_for_deletion(page, name)
    let_the_grace_pass(site, name)
    link = site.wait_for_link(f"{name}@example.org", "Your data has been erased")
    page.goto("/worklog/")
    expect(page).to_have_url(re.compile("/accounts/login/"))
    people.give_password(page, name=name)
    expect(page.get_by_role("main")).to_contain_text("The username or password is not right.")
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text("Erasure certificate")
    with page.expect_download() as download:
        page.locator("#certificate-json").click()
    certificate = json.loads(Path(download.value.path()).read_text())
    content = json.dumps(certificate["content"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(content.encode()).hexdigest() == certificate["sha256"]
    assert name not in json.dumps(certificate)
    assert httpx.get(link, trust_env=False).headers["referrer-policy"] == "no-referrer"


def let_the_grace_pass(site: Site, name: str) -> None:
    """And then the worker does what it does every ten minutes."""
    with psycopg.connect(site.stack.env["DATABASE_URL"]) as connection:
        connection.execute("SELECT set_config('afterresume.scope', 'everything', true)")
        assert connection.execute(DAYS_PASS, [name]).rowcount == 1
    site.stack.manage("backend", "shell", "-v", "0", "-c", ERASE)


def ask_for_deletion(page: Page, name: str) -> None:
    page.goto("/profile/data/delete/")
    page.locator("#id_confirm").fill(name.upper())
    page.get_by_label("I accept that the rest of my reserve is lost").check()
    page.get_by_role("button", name="Delete my account").click()
    expect(page.locator("#id_confirm-errors")).to_be_visible()
    page.locator("#id_confirm").fill(name)
    page.get_by_role("button", name="Delete my account").click()
    expect(page.locator("#deletion-scheduled")).to_be_visible()
