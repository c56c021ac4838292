"""Storing files: under the tenant's own folder, under names of chance."""

import hashlib
from pathlib import Path

import pytest
from django.db import transaction
from django.db.transaction import TransactionManagementError

from apps.artifacts import services, storage
from apps.artifacts.types import FileNotStored, Purpose
from apps.common.ids import TenantId, uuid7


def make_tenant() -> TenantId:
    return TenantId(uuid7())


def store(tenant: TenantId, path: Path, content: bytes = b"evidence") -> str:
    path.write_bytes(content)
    key = services.make_key(tenant=tenant, purpose=Purpose.EXPORT, extension="zip")
    services.store_file(tenant=tenant, key=key, path=path)
    return key


def test_what_was_stored_comes_back_with_its_length_and_digest(tmp_path: Path) -> None:
    tenant, path = make_tenant(), tmp_path / "file"
    path.write_bytes(b"x" * 3_000_000)
    key = services.make_key(tenant=tenant, purpose=Purpose.EXPORT, extension="zip")
    stored = services.store_file(tenant=tenant, key=key, path=path)
    assert (stored.size_bytes, stored.sha256) == (3_000_000, hashlib.sha256(b"x" * 3_000_000).hexdigest())
    with services.open_file(tenant=tenant, key=key) as file:
        assert file.read() == b"x" * 3_000_000


@pytest.mark.failure("T14")
def test_a_key_cannot_be_guessed_and_says_whose_it_is() -> None:
    tenant = make_tenant()
    keys = {services.make_key(tenant=tenant, purpose=Purpose.EXPORT, extension="zip") for _ in range(100)}
    assert len(keys) == 100
    folder, _, name = next(iter(keys)).rpartition("/")
    assert folder == f"{tenant}/exports"
    # 256 bits in base64.
    assert len(name.removesuffix(".zip")) == 43


@pytest.mark.failure("T14")
def test_the_key_of_another_tenant_opens_nothing_even_for_who_knows_it(tmp_path: Path) -> None:
    owner, thief = make_tenant(), make_tenant()
    key = store(owner, tmp_path / "file")
    for tried in (key, f"{thief}/exports/../../{key}", f"{thief}/exports/../../{owner}/exports/x.zip", "probes/x"):
        with pytest.raises(FileNotStored):
            services.open_file(tenant=thief, key=tried)
        with pytest.raises(FileNotStored):
            services.remove_file(tenant=thief, key=tried)
        with pytest.raises(FileNotStored):
            services.store_file(tenant=thief, key=tried, path=tmp_path / "file")
    services.open_file(tenant=owner, key=key).close()


@pytest.mark.failure("T15")
def test_the_same_content_in_two_tenants_is_two_files_and_tells_neither_of_the_other(tmp_path: Path) -> None:
    first, second = make_tenant(), make_tenant()
    one, other = store(first, tmp_path / "file"), store(second, tmp_path / "file")
    assert one.rpartition("/")[2] != other.rpartition("/")[2]
    services.remove_file(tenant=first, key=one)
    services.open_file(tenant=second, key=other).close()
    with pytest.raises(FileNotStored):
        services.open_file(tenant=first, key=one)


def test_no_file_is_ever_written_over(tmp_path: Path) -> None:
    tenant = make_tenant()
    key = store(tenant, tmp_path / "file", b"first")
    with pytest.raises(OSError, match="already"):
        services.store_file(tenant=tenant, key=key, path=tmp_path / "file")
    assert [found for found, _ in services.list_files(tenant=tenant, purpose=Purpose.EXPORT)] == [key]


def test_removing_twice_is_no_error(tmp_path: Path) -> None:
    tenant = make_tenant()
    key = store(tenant, tmp_path / "file")
    services.remove_file(tenant=tenant, key=key)
    services.remove_file(tenant=tenant, key=key)
    assert list(services.list_files(tenant=tenant, purpose=Purpose.EXPORT)) == []


def test_every_tenant_with_a_folder_is_found_and_nothing_else(tmp_path: Path) -> None:
    tenant = make_tenant()
    store(tenant, tmp_path / "file")
    storage.check_storage()
    assert tenant in services.list_tenants_with_files()


def test_nobody_has_files_where_there_is_no_folder() -> None:
    assert list(services.list_files(tenant=make_tenant(), purpose=Purpose.EXPORT)) == []
    assert storage.list_folders(folder="no/such/folder") == []


@pytest.mark.django_db(transaction=True)
def test_no_file_is_touched_while_rows_are_locked(tmp_path: Path) -> None:
    tenant = make_tenant()
    key = store(tenant, tmp_path / "file")
    with transaction.atomic(), pytest.raises(TransactionManagementError):
        services.remove_file(tenant=tenant, key=key)
