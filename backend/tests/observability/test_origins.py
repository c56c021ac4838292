"""Every row of the audit tells by which edge it came in."""

from typing import Any

import pytest
from celery import current_app, shared_task
from django.core.management import call_command, get_commands, load_command_class

from apps.common import clock
from apps.observability.commands import AuditedCommand
from apps.observability.context import bind_origin, current_origin, current_request_id
from apps.observability.models import AuditEvent
from apps.observability.services import record_audit
from apps.observability.types import Origin
from apps.workers import tasks
from apps.workers.origins import AuditedTask
from tests.admin_client import admin_session
from tests.api_client import client_for
from tests.factories.accounts import make_actor, make_staff

pytestmark = pytest.mark.django_db


def origin_of(action: str) -> str:
    return AuditEvent.objects.filter(action=action).latest("id").origin


def test_a_change_over_the_api_says_so() -> None:
    client_for(make_actor()).patch("/api/tenant/", {"name": "Acme"})
    event = AuditEvent.objects.get(action="tenant.renamed")
    assert (event.origin, event.address) == ("api", "127.0.0.1")
    assert len(event.request_id) == 36


def test_a_change_in_django_admin_says_so() -> None:
    ada = make_actor()
    client = admin_session(make_staff())
    client.post("/admin/accounts/user/", {"action": "deactivate", "_selected_action": [str(ada.user_id)]})
    assert origin_of("user.deactivated") == "admin"


def test_a_change_by_a_command_says_so_under_the_id_of_the_run() -> None:
    call_command("create_passkey", "--note", "for Ada")
    event = AuditEvent.objects.get(action="passkey.created")
    assert (event.origin, event.actor_id, len(event.request_id)) == ("command", None, 36)
    assert current_request_id() == ""


def test_a_change_by_a_task_says_so_under_the_id_of_the_run() -> None:
    @shared_task(name="test_origins.change")
    def change() -> str:
        record_audit(tenant=None, actor=None, action="thing.changed", target_kind="t", target_id="1", now=clock.now())
        return current_request_id()

    try:
        result = change.apply(task_id="task-1")
    finally:
        current_app.tasks.unregister("test_origins.change")
    assert result.get() == "task-1"
    assert origin_of("thing.changed") == "task"
    assert (current_origin(), current_request_id()) == (Origin.COMMAND, "")


def test_the_origin_ends_with_its_block_also_after_a_failure() -> None:
    with pytest.raises(ZeroDivisionError), bind_origin(Origin.TASK):
        raise ZeroDivisionError
    assert current_origin() == Origin.COMMAND


def list_own_commands() -> list[tuple[str, Any]]:
    return [(name, app) for name, app in sorted(get_commands().items()) if str(app).startswith("apps.")]


@pytest.mark.parametrize(("name", "app"), list_own_commands())
def test_each_command_of_ours_is_audited(name: str, app: str) -> None:
    assert isinstance(load_command_class(app, name), AuditedCommand)


def test_all_tasks_are_audited() -> None:
    ours = [value for value in vars(tasks).values() if hasattr(value, "apply_async")]
    assert len(ours) > 3
    assert [task.name for task in ours if not isinstance(task, AuditedTask)] == []
