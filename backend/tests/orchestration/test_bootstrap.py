"""The first member of staff."""

from pathlib import Path

import pytest

from apps.accounts.models import User
from apps.accounts.services.credentials import check_credentials
from apps.common import clock
from apps.common.errors import Invalid
from apps.orchestration.bootstrap import AdminResult, ensure_admin
from apps.tenants.selectors import find_member

pytestmark = pytest.mark.django_db


def ensure(path: Path) -> AdminResult:
    return ensure_admin(username="admin", email="admin@example.org", password_file=path, now=clock.now())


def test_the_admin_is_a_superuser_with_a_tenant_and_a_generated_password(tmp_path: Path) -> None:
    path = tmp_path / "data" / "admin-password"
    assert ensure(path) == AdminResult(is_created=True, is_password_generated=True)
    admin = find_member(user_id=check_credentials(username="admin", password=path.read_text().strip()))
    assert admin is not None
    assert (admin.is_staff, admin.tenant_name) == (True, "Operations")
    assert User.objects.get().is_superuser


def test_the_password_can_be_read_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "admin-password"
    ensure(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_text().strip()) == 24


def test_a_password_that_lies_there_is_used(tmp_path: Path) -> None:
    path = tmp_path / "admin-password"
    path.write_text("a password of my own\n")
    assert ensure(path) == AdminResult(is_created=True, is_password_generated=False)
    assert check_credentials(username="admin", password="a password of my own")


def test_a_weak_password_in_the_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "admin-password"
    path.write_text("short")
    with pytest.raises(Invalid):
        ensure(path)


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    ensure(tmp_path / "first")
    before = User.objects.get()
    assert ensure(tmp_path / "second") == AdminResult(is_created=False, is_password_generated=False)
    assert User.objects.get().password == before.password
    assert not (tmp_path / "second").exists()
