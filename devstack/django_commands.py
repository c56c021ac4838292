"""Several management commands in one process, because starting Django costs more than most of them.

Usage, with a service's folder as the working directory: `python django_commands.py JSON`, a list of argument lists.
What the last command prints goes to standard output, everything else to standard error. The first failure ends it.
"""

import contextlib
import json
import sys
from pathlib import Path

from django.core.management import execute_from_command_line


def main() -> None:
    """Run the commands."""
    # The service's own packages, and not the folder of this file.
    sys.path[0] = str(Path.cwd())
    commands: list[list[str]] = json.loads(sys.argv[1])
    with contextlib.redirect_stdout(sys.stderr):
        for command in commands[:-1]:
            execute_from_command_line(["manage.py", *command])
    execute_from_command_line(["manage.py", *commands[-1]])


if __name__ == "__main__":
    main()
