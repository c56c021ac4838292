"""The timeline is read along an index, however much a tenant has written."""

import pytest
from django.db import connection
from django.db.models import QuerySet

from apps.api.worklog.filters import EntryFilter
from apps.tenants.types import Actor, Role
from apps.worklog import selectors
from apps.worklog.models import WorkLog
from apps.worklog.types import Ordering
from tests.factories.accounts import make_actor
from tests.factories.worklog import TODAY

pytestmark = pytest.mark.django_db

FILL = """
    INSERT INTO worklog_worklog (id, tenant_id, author_id, occurred_on, title, body, role, impact, impact_metric,
        impact_unit, visibility, status, version, created_at, updated_at)
    SELECT gen_random_uuid(), %s, %s, date '2000-01-01' + number %% 9000, 'Entry', '', '', '', '', '',
        CASE WHEN number %% 4 = 0 THEN 'team' ELSE 'private' END, 'final', 1,
        now() - number * interval '1 minute', now()
    FROM generate_series(1, %s) AS number
"""
PAGE = 26


def fill(actor: Actor, count: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(FILL, [actor.tenant, actor.user_id, count])
        cursor.execute("ANALYZE worklog_worklog")


def plan_of(entries: QuerySet[WorkLog]) -> str:
    return entries[:PAGE].explain()


def test_no_page_of_twenty_thousand_entries_is_found_by_reading_them_all() -> None:
    actor = make_actor()
    colleague = make_actor(tenant=actor.tenant, role=Role.MEMBER)
    fill(actor, 10_000)
    fill(colleague, 10_000)
    everything = selectors.list_entries(actor=actor)
    by_index = {
        "worklog_by_tenant_day": [
            everything,
            selectors.list_entries(actor=actor, ordering=Ordering.OLDEST_DAY),
            EntryFilter({"from": "2010-01-01", "to": "2010-06-30"}, queryset=everything).qs,
            everything.filter(occurred_on__lte=TODAY.replace(year=2001)),
        ],
        "worklog_by_tenant_written": [selectors.list_entries(actor=actor, ordering=Ordering.NEWEST_WRITTEN)],
    }

    for index, queries in by_index.items():
        for query in queries:
            plan = plan_of(query)
            assert index in plan
            assert "Seq Scan on worklog_worklog" not in plan
            assert "Sort" not in plan


def test_a_report_reads_only_its_authors_period() -> None:
    actor = make_actor()
    colleague = make_actor(tenant=actor.tenant, role=Role.MEMBER)
    fill(actor, 1_000)
    fill(colleague, 19_000)

    own = WorkLog.objects.filter(tenant_id=actor.tenant, author_id=actor.user_id, deleted_at=None)
    plan = plan_of(
        own.filter(occurred_on__gte="2001-01-01", occurred_on__lte="2001-12-31").order_by("occurred_on", "id")
    )
    assert "worklog_by_author_day" in plan
