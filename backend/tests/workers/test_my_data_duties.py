"""The duties behind "my data": each reads the clock and calls one service."""

from datetime import timedelta

import pytest

from apps.common import clock
from apps.mail.models import OutgoingMail
from apps.orchestration.models import DataExport
from apps.workers.tasks import run_account_erasure, run_export_purge, run_export_sweep
from tests.factories.accounts import make_actor
from tests.factories.mydata import make_export, schedule

pytestmark = pytest.mark.django_db


def test_exports_whose_time_is_over_lose_their_files() -> None:
    export = make_export(make_actor())
    assert run_export_purge() == 0
    DataExport.objects.filter(pk=export.pk).update(expires_at=clock.now())
    assert (run_export_purge(), run_export_purge()) == (1, 0)


def test_a_file_that_a_row_claims_is_not_swept() -> None:
    export = make_export(make_actor())
    run_export_sweep()
    DataExport.objects.filter(pk=export.pk).update(expires_at=clock.now())
    assert run_export_purge() == 1


def test_accounts_whose_day_has_come_are_erased_when_the_last_mail_is_out() -> None:
    long_ago = clock.now() - timedelta(days=20)
    deletion = schedule(make_actor(), now=long_ago)
    assert run_account_erasure() == 0
    OutgoingMail.objects.update(state="sending", lease_until=long_ago)
    OutgoingMail.objects.update(state="sent", sent_at=long_ago, ended_at=long_ago)
    assert (run_account_erasure(), run_account_erasure()) == (1, 0)
    deletion.refresh_from_db()
    assert deletion.state == "erased"
