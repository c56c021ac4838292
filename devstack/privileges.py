"""Running a server that refuses to be root, from a shell that is root."""

import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
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


def child_setup(account: pwd.struct_passwd | None, *, dies_with_parent: bool = False) -> Callable[[], None]:
    """Return the function that a forked child runs before exec: change of account, and the tie to its parent."""

    def prepare() -> None:
        if account is not None:
            become(account)
        if dies_with_parent and sys.platform == "linux":
            _prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)

    return prepare


def become(account: pwd.struct_passwd) -> None:
    """Give up root for `account`, for good.

    On Linux the one capability that opens directories is kept: a checkout below /root would otherwise be out of the
    server's reach, and the alternative is to open the parents' modes to everybody.
    """
    keeps_reach = sys.platform == "linux" and _prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    if keeps_reach:
        _keep_reach()


def _keep_reach() -> None:
    mask = 1 << CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    # A container may have taken the capability away: then the paths have to be open to the account by themselves.
    if _libc().capset(header, sets) == 0:
        _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE)


def _prctl(option: int, *arguments: int) -> bool:
    padded = [*arguments, 0, 0, 0, 0][:4]
    return bool(_libc().prctl(option, *padded) == 0)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
