"""When a load test has failed, and what it leaves for ``packhouse readiness``."""

ROWS = ((100, 500.0), (1_000, 200.0), (10_000_000, 100.0))
"""The plan's three rows: up to so many users, the p95 of answers is so many milliseconds at most."""
ERRORS_MAX_SHARE = 0.001


def must_ms(users: int) -> float:
    """What the p95 of so many users must be at most, by the plan."""
    return next(most for up_to, most in ROWS if users <= up_to)


def result_of(*, users: int, requests: int, failures: int, p95_ms: float, p99_ms: float) -> dict:
    """The result in the form of ``packhouse bench --json``, which ``readiness`` reads."""
    must = must_ms(users)
    name = f"{users:,} users"
    return {
        "scenarios": {
            "users": {
                "clients": users,
                "requests": requests,
                "errors": failures,
                "p95_ms": p95_ms,
                "p99_ms": p99_ms,
                "targets": [
                    {
                        "name": f"{name}: p95 of answers, the plan's range",
                        "measured": p95_ms,
                        "must": must,
                        "is_met": requests > 0 and p95_ms <= must,
                    }
                ],
            }
        }
    }


def failures_of(result: dict) -> list[str]:
    """Why the run has failed, in sentences; none when it passed."""
    users = result["scenarios"]["users"]
    told = [
        f"{each['name']}: {each['measured']:.0f} ms, must be {each['must']:.0f} ms at most"
        for each in users["targets"]
        if not each["is_met"]
    ]
    if users["errors"] > ERRORS_MAX_SHARE * users["requests"]:
        told.append(f"{users['errors']} of {users['requests']} requests failed")
    return told
