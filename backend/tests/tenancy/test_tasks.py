"""Tasks that name a tenant do nothing to another one's rows."""

import inspect
from typing import Any
from uuid import UUID

import pytest
from celery import current_app

from apps.common.ids import uuid7
from apps.common.scopes import current_scope
from apps.orchestration.models import Job, JobRun
from apps.orchestration.types import RunState
from apps.workers import tasks
from tests.factories.accounts import make_actor
from tests.factories.orchestration import begin_report, make_writer, run_of

pytestmark = [pytest.mark.django_db, pytest.mark.failure("T09")]


def own_tasks() -> list[Any]:
    return [task for name, task in sorted(current_app.tasks.items()) if not name.startswith("celery.")]


def parameters_of(task: Any) -> list[str]:
    return list(inspect.signature(task.run).parameters)


def list_rows() -> list[Any]:
    return [*Job.objects.order_by("pk").values(), *JobRun.objects.order_by("pk").values()]


def test_every_task_is_a_duty_of_the_house_or_names_a_tenant_first() -> None:
    assert len(own_tasks()) > 3
    strange = [task.name for task in own_tasks() if parameters_of(task) and parameters_of(task)[0] != "tenant"]
    assert strange == []


@pytest.mark.parametrize("task", [task for task in own_tasks() if parameters_of(task)], ids=lambda task: task.name)
@pytest.mark.parametrize("tenant", ["another", "none"])
def test_a_task_with_a_row_of_another_tenant_does_nothing(task: Any, tenant: str) -> None:
    run = run_of(begin_report(make_writer()))
    before = list_rows()
    given: UUID = make_actor().tenant if tenant == "another" else uuid7()
    for row in (run.pk, run.job_id):
        assert not task(str(given), *[str(row) for _ in parameters_of(task)[1:]])
    assert list_rows() == before
    assert JobRun.objects.get(pk=run.pk).state == RunState.READY


def test_a_task_without_a_tenant_fails() -> None:
    run = run_of(begin_report(make_writer()))
    for nobody in ("", "None"):
        with pytest.raises(ValueError, match="UUID"):
            tasks.run_step(nobody, str(run.pk))


def test_a_task_begins_without_a_scope() -> None:
    seen: list[Any] = []

    @current_app.task(name="look")
    def look() -> None:
        seen.append(current_scope())

    try:
        look()
    finally:
        current_app.tasks.pop("look", None)
    assert seen == [None]
