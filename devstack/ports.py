"""Are the ports free that the stack is about to take, and if not, who has them?"""

import socket
from collections.abc import Iterable

import psutil

from devstack.config import Config, Ports
from devstack.net import LOOPBACK
from devstack.programs import Program


class PortBusyError(RuntimeError):
    """Ports are taken; the message names each port, the variable that moves it and the process that holds it."""


def check_free(config: Config, programs: Iterable[Program]) -> None:
    """Raise PortBusyError when a port of these programs cannot be bound."""
    busy = []
    for program in programs:
        for name in program.port_names:
            port = config.ports.as_dict()[name]
            if not can_bind(port):
                variable = Ports.variable(name)
                busy.append(f"Port {port} ({program.name}) is taken{holder(port)}. Choose another with {variable}=...")
    if busy:
        raise PortBusyError("\n".join(busy))


def can_bind(port: int) -> bool:
    """Say whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """Return ` by <name> (pid n)` for the process that listens on the port, nothing when the system does not tell."""
    try:
        listeners = psutil.net_connections(kind="inet")
    except (psutil.AccessDenied, OSError):
        return ""
    for listener in listeners:
        if listener.status == psutil.CONN_LISTEN and listener.laddr and listener.laddr.port == port and listener.pid:
            try:
                return f" by {psutil.Process(listener.pid).name()} (pid {listener.pid})"
            except psutil.Error:
                return f" by pid {listener.pid}"
    return ""
