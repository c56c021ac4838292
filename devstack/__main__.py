"""`python -m devstack up | down | status | logs | reset | dev | manage | admin-code`: the product on this machine."""

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from devstack import logs, programs, second_factor
from devstack.config import Config, ConfigError, load
from devstack.dotenv import DotenvError
from devstack.environment import inheritable
from devstack.lifecycle import Installation, StackError, summary
from devstack.ports import PortBusyError
from devstack.postgres import PostgresError
from devstack.supervision import ProcessState, SupervisorError
from devstack.valkey import ValkeyError

EXPECTED = (ConfigError, DotenvError, StackError, PortBusyError, PostgresError, SupervisorError, ValkeyError)


def up(config: Config, _options: argparse.Namespace) -> int:
    """Start what does not run, wait until it is well, print where everything is."""
    installation = Installation(config=config, report=_progress)
    start = installation.bring_up(passkey_note="printed by up")
    print("AfterResume is up." if start.was_started else "AfterResume was already up; nothing was restarted.")
    print(summary(installation, passkey=start.passkey))
    return 0


def down(config: Config, _options: argparse.Namespace) -> int:
    """Stop everything, the services before the servers."""
    was_running = Installation(config=config, report=_progress).bring_down()
    print("AfterResume is down." if was_running else "Nothing was running.")
    return 0


def status(config: Config, _options: argparse.Namespace) -> int:
    """Print a table of the programs; 1 when one of them is not well."""
    installation = Installation(config=config)
    states = installation.control.states() if installation.control.answers() else {}
    is_all_well = True
    print(f"{'PROGRAM':<16} {'STATE':<10} {'HEALTH':<8} {'PID':>8} {'UPTIME':>9}  ADDRESS")
    for name, program in installation.programs.items():
        state = states.get(name, ProcessState(name=name, state="DOWN", pid=0, uptime_s=0, description=""))
        is_well = bool(state.pid) and installation.is_healthy(name)
        is_all_well = is_all_well and is_well
        address = ", ".join(f"127.0.0.1:{config.ports.as_dict()[port]}" for port in program.port_names)
        print(
            f"{name:<16} {state.state:<10} {'ok' if is_well else '-':<8} {state.pid or '':>8} "
            f"{_duration(state.uptime_s):>9}  {address}"
        )
    return 0 if is_all_well else 1


def show_logs(config: Config, options: argparse.Namespace) -> int:
    """Print the last lines of one log or of all, and go on with -f."""
    known = {path.stem: path for path in sorted(config.logs_dir.glob("*.log"))}
    if options.service and options.service not in known:
        print(f"No log of {options.service!r}. There are: {', '.join(known) or 'none'}.", file=sys.stderr)
        return 1
    chosen = {options.service: known[options.service]} if options.service else known
    prefixed = logs.prefixer(list(chosen), is_coloured=sys.stdout.isatty())
    for name, path in chosen.items():
        for line in logs.tail(path, lines=options.lines).splitlines():
            print(prefixed(name, line))
    if options.follow:
        _print_growth(chosen, prefixed)
    return 0


def reset(config: Config, options: argparse.Namespace) -> int:
    """Stop everything and remove the data folder's content."""
    if not options.yes:
        answer = input(f"Stop everything and delete all data in {config.data_dir}? [y/N] ")
        if answer.strip().lower() not in {"y", "yes"}:
            print("Nothing was changed.")
            return 1
    Installation(config=config, report=_progress).bring_down()
    for child in config.data_dir.iterdir():
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child)
        else:
            child.unlink()
    print(f"{config.data_dir} is empty.")
    return 0


def dev(config: Config, _options: argparse.Namespace) -> int:
    """Run in the foreground with reload on change; Ctrl-C stops everything."""
    installation = Installation(config=replace(config, reloads=True), report=_progress)
    if installation.control.answers():
        print("AfterResume is already up without reload. Stop it first: ./taskw down", file=sys.stderr)
        return 1
    try:
        print(summary(installation, passkey=installation.bring_up(passkey_note="printed by dev").passkey))
        followed = {name: config.logs_dir / f"{name}.log" for name in installation.programs if name in programs.ALL}
        _print_growth(followed, logs.prefixer(list(followed), is_coloured=sys.stdout.isatty()))
    except KeyboardInterrupt:
        print()
    finally:
        installation.bring_down()
    return 0


def manage(config: Config, options: argparse.Namespace) -> int:
    """Run a management command of `backend` or `frontend` with the stack's environment."""
    installation = Installation(config=config)
    if not installation.control.answers() and not config.database_url:
        print("AfterResume is not up: ./taskw up", file=sys.stderr)
        return 1
    arguments: list[str] = options.arguments
    return installation.run_manage(options.service, arguments)


def admin_code(config: Config, _options: argparse.Namespace) -> int:
    """Print the code that the admin's authenticator app would show now."""
    code = second_factor.current_code(config)
    if not code:
        print(f"{second_factor.path_of(config)} is not there: the admin's second factor is not ours.", file=sys.stderr)
        return 1
    print(code)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; expected failures are a message and exit code 1."""
    options = _parser().parse_args(arguments)
    command: Callable[[Config, argparse.Namespace], int] = options.command
    try:
        return command(load(environ=inheritable(os.environ)), options)
    except EXPECTED as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader (head, less) has seen enough; Python would complain once more when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="devstack", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    named = {"up": up, "down": down, "status": status, "logs": show_logs, "reset": reset, "dev": dev, "manage": manage}
    named["admin-code"] = admin_code
    made = {}
    for name, function in named.items():
        made[name] = commands.add_parser(name, help=function.__doc__)
        made[name].set_defaults(command=function)
    made["logs"].add_argument("service", nargs="?", help="one program instead of all")
    made["logs"].add_argument("-f", "--follow", action="store_true", help="go on as the logs grow")
    made["logs"].add_argument("-n", "--lines", type=int, default=40, help="lines of each log (40)")
    made["manage"].add_argument("service", choices=("backend", "frontend"))
    made["manage"].add_argument("arguments", nargs=argparse.REMAINDER, help="the command with its arguments")
    made["reset"].add_argument("--yes", action="store_true", help="do not ask")
    return parser


def _print_growth(paths: dict[str, Path], prefixed: Callable[[str, str], str]) -> None:
    for name, line in logs.follow(paths, is_over=lambda: False):
        print(prefixed(name, line), flush=True)


def _progress(line: str) -> None:
    # In one piece: several threads report.
    sys.stdout.write(f"  {line}\n")
    sys.stdout.flush()


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if seconds else ""


if __name__ == "__main__":
    sys.exit(main())
