"""The tables of the code are those of the migrations."""

from io import StringIO

import pytest
from django.core.management import call_command


@pytest.mark.failure("D05")
@pytest.mark.django_db
def test_no_change_of_a_model_lacks_its_migration() -> None:
    out = StringIO()
    call_command("makemigrations", check=True, dry_run=True, stdout=out)
    assert "No changes detected" in out.getvalue()
