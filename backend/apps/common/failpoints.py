"""Named places where a test may end, stop or fail the process.

`settings.FAILPOINTS` is empty everywhere but in settings made for tests, and production settings cannot fill it: a
call costs one dictionary look-up and can do nothing.
"""

import os
import signal
import time

from django.conf import settings


class FailpointReached(Exception):
    """Raised on purpose by the action `raise`."""


def failpoint(name: str) -> None:
    """Does what the test settings ask for at this place: `kill`, `hang` or `raise`."""
    action = settings.FAILPOINTS.get(name)
    if action is None:
        return
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "hang":
        time.sleep(3600)
    else:
        raise FailpointReached(name)
