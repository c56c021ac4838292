"""Development settings in which tests may kill the process at named points (`FAILPOINTS=name=kill,other=raise`)."""

from config.environment import env
from config.settings.dev import *  # noqa: F403

FAILPOINTS = dict(item.split("=", 1) for item in env.list("FAILPOINTS", default=[]))
