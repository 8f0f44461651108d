"""Ports on 127.0.0.1: the one that was asked for, the one of last time, or any free one."""

import socket
from pathlib import Path

from packhouse.plumbing.embedded.errors import PortTaken
from packhouse.plumbing.embedded.places import read_text, write_private


def choose_port(directory: Path, *, wanted: int | None) -> int:
    """The wanted port, else the one used last time if it is free, else any free one."""
    if wanted is not None:
        if not is_port_free(wanted):
            raise port_taken(wanted)
        return wanted
    remembered = read_text(directory / "port")
    if remembered.isdecimal() and is_port_free(int(remembered)):
        return int(remembered)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    write_private(directory / "port", f"{port}\n")
    return port


def is_port_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1 at this port just now."""
    with socket.socket() as listener:
        # As servers do: a port whose last connections linger in TIME_WAIT is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def port_taken(port: int) -> PortTaken:
    """The error for a port that another program has."""
    return PortTaken(
        f"Port {port} on 127.0.0.1 is taken by another program; stop it or choose another port.",
        port=port,
    )
