"""Becomes a server that ends with the program that started it.

Run as a file, never imported: ``python -I -S launcher.py PARENT SIGNAL UID GID PROGRAM ARGUMENT…``.
It drops root (UID -1 keeps the account), asks Linux for SIGNAL when the parent dies, and turns
into PROGRAM with the same process id. A ``preexec_fn`` would do the same between fork and exec,
where Python promises nothing once the parent has threads; this costs one short interpreter start.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def launch(arguments: list[str]) -> None:
    """Never returns: either the program takes over or this process ends."""
    parent, death_signal, uid, gid = (int(word) for word in arguments[:4])
    command = arguments[4:]
    os.umask(0o077)
    if uid != -1:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        # After the change of account, because Linux forgets the wish when the account changes.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("The parent ended before its server began.")
    # A server needs none of our environment, which may hold secrets; we read its English words.
    environment = {"PATH": os.defpath, "LC_ALL": "C"}
    os.execve(command[0], command, environment)  # noqa: S606 - a program of our own wheels


if __name__ == "__main__":
    launch(sys.argv[1:])
