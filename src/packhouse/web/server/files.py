"""Open files: each connection is one, and the system's usual bound is far below a shop's needs."""

import resource


def raise_file_limit(wanted: int) -> int:
    """Have the system allow this program ``wanted`` open files; gives how many it allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unbounded = (resource.RLIM_INFINITY, -1)
    if soft in unbounded or soft >= wanted:
        return wanted
    allowed = wanted if hard in unbounded else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed
