"""How rows name themselves to whoever reads a log or a shell."""

from datetime import date

import pytest

from apps.worklog.models import WorkLogTag
from tests.factories.accounts import make_actor
from tests.factories.worklog import make_entry


@pytest.mark.django_db
def test_rows_name_themselves() -> None:
    entry = make_entry(make_actor(), "Cut it", occurred_on=date(2026, 1, 2), tags=("ops",))
    tag, link, version = entry.tags.get(), WorkLogTag.objects.get(), entry.versions.get()

    assert [str(row) for row in (entry, tag, link, version)] == [
        "2026-01-02 Cut it",
        "ops",
        f"{tag.pk} on {entry.pk}",
        f"{entry.pk} version 1",
    ]
