"""Running servers that refuse to be root from a shell that is root, and tying a child's life to its parent's.

This module is also the launcher that such a server is started through: the parent has threads, so the change of
account cannot happen between its fork and exec. It must import nothing but the standard library.
"""

import argparse
import ctypes
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
SECBIT_NO_SETUID_FIXUP = 4
CAPABILITY_VERSION_3 = 0x20080522


def server_account() -> pwd.struct_passwd | None:
    """Return the unprivileged account that servers run under, or None when this process is not root."""
    if os.geteuid() != 0:
        return None
    for name in ("nobody", "daemon"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL refuses to run as root and there is neither a `nobody` nor a `daemon` account.")


def launcher(command: list[str], *, unprivileged: bool = False, dies_with_parent: bool = False) -> list[str]:
    """Return the command line that runs `command` without root's rights, or ends it together with its parent.

    The launcher replaces itself by the command, so pid, standard streams and signals are the command's own.
    """
    flags = ["--unprivileged"] * unprivileged + ["--dies-with-parent"] * dies_with_parent
    return [sys.executable, "-I", __file__, *flags, "--", *command] if flags else command


def become(account: pwd.struct_passwd) -> None:
    """Give up root for `account`, for good.

    On Linux the one capability that opens directories is kept: a checkout below /root would otherwise be out of the
    server's reach, and the alternative is to open the parents' modes to everybody. The secure bit lets access(2), by
    which PostgreSQL looks for its own programs, count that capability.
    """
    keeps_reach = sys.platform == "linux" and _prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    if keeps_reach:
        _keep_reach()


def _keep_reach() -> None:
    mask = 1 << CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    none = (ctypes.c_uint32 * 6)()
    # A container may have taken the capability away: then the paths have to be open to the account by themselves. All
    # other capabilities go in any case; the secure bit has kept them through the change of account.
    if _libc().capset(header, sets) == 0:
        _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE)
    elif _libc().capset(header, none) != 0:
        raise OSError("The capabilities of root cannot be given up.")


def _prctl(option: int, *arguments: int) -> bool:
    padded = [*arguments, 0, 0, 0, 0][:4]
    return bool(_libc().prctl(option, *padded) == 0)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Prepare this process as the flags say and become the command."""
    parser = argparse.ArgumentParser(description="Launch a server.")
    parser.add_argument("--unprivileged", action="store_true")
    parser.add_argument("--dies-with-parent", action="store_true")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    account = server_account() if options.unprivileged else None
    if account is not None:
        os.chdir("/")
        become(account)
    # After the change of account, which resets it.
    if options.dies_with_parent and sys.platform == "linux":
        _prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)
    os.execv(options.command[0], options.command)  # noqa: S606 - becoming the command is the point


if __name__ == "__main__":
    main()
