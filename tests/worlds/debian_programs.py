"""Programs that pip cannot supply, such as HAProxy: a test that needs one fails without it."""

import os
import shutil

PATHS = ("/usr/sbin", "/usr/local/sbin")
"""Where Debian puts servers, which the path of an ordinary account leaves out."""


def require_program(name: str, *, package: str) -> str:
    """The path of a program; a test that cannot find its program has not passed."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *PATHS]))
    assert found is not None, f"{name} is needed here: apt-get install {package}"
    return found
