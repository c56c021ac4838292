"""The base of all tasks: what they do is on record as done by a task, under the id of its run."""

from typing import Any

from celery import Task

from apps.common.ids import uuid7
from apps.common.scopes import edge
from apps.observability.context import bind_origin, bind_request, clear_request
from apps.observability.types import Origin


class AuditedTask(Task):  # type: ignore[type-arg]  # generic in the stubs only
    """A task whose rows carry its origin and its id. A step takes the id of the request that asked for it instead.

    It begins without a scope, whatever ran before in its process, and opens the rows that it needs by itself.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        bind_request(request_id=self.request.id or str(uuid7()), address=None)
        try:
            with bind_origin(Origin.TASK), edge():
                return super().__call__(*args, **kwargs)
        finally:
            clear_request()
