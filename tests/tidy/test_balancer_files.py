"""The balancers' files agree with the limits of the shop that they stand before."""

import re
from pathlib import Path
from typing import Final

import pytest

from packhouse.foundation.limits import DATABASE_WAIT_SECONDS_MAX, LIVE_COMMENT_SECONDS
from packhouse.plumbing.settings import Settings
from packhouse.web.errors import STATUSES
from packhouse.web.server.connections import KEEP_ALIVE_SECONDS

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
HAPROXY: Final = (DEPLOY / "haproxy" / "haproxy.cfg").read_text()
NGINX: Final = (DEPLOY / "nginx" / "nginx.conf").read_text()


def seconds_of(text: str, directive: str) -> float:
    """The one value of a directive that is in seconds."""
    (found,) = re.findall(rf"^\s*{directive} (\d+)s;?$", text, re.MULTILINE)
    return float(found)


def test_the_balancer_is_the_first_to_close_an_idle_connection() -> None:
    assert seconds_of(HAPROXY, "timeout http-keep-alive") < KEEP_ALIVE_SECONDS


@pytest.mark.parametrize(
    ("text", "directive"), [(HAPROXY, "timeout server"), (NGINX, "proxy_read_timeout")]
)
def test_the_shop_gives_up_before_the_balancer_does(text: str, directive: str) -> None:
    patience = seconds_of(text, directive)
    slowest = Settings().database_statement_timeout_ms / 1000 + DATABASE_WAIT_SECONDS_MAX
    assert slowest < patience
    # A live stream that is silent for so long has nobody at its other end.
    assert patience > LIVE_COMMENT_SECONDS * 2


def test_what_is_too_large_is_said_by_the_shop() -> None:
    (mebibytes,) = re.findall(r"^\s*client_max_body_size (\d+)m;$", NGINX, re.MULTILINE)
    assert int(mebibytes) * 1024**2 > Settings().max_upload_bytes


@pytest.mark.parametrize("text", [HAPROXY, NGINX])
def test_an_error_of_the_balancers_has_a_code_that_the_shop_uses_for_nothing_else(
    text: str,
) -> None:
    codes = set(re.findall(r'"code":"(\w+)"', text))
    assert codes <= {"no_answer", "not_reached"}
    assert codes
    assert not codes & STATUSES.keys()


def test_no_log_of_a_balancer_has_an_address_or_a_query() -> None:
    haproxy = re.findall(r"^\s*log-format '(.*)'$", HAPROXY, re.MULTILINE)
    assert len(haproxy) == 1
    assert not re.search(r"%(ci|cp|r\b|HU|HP\b|HQ|hr|\{)", haproxy[0])
    nginx = NGINX[NGINX.index("log_format") : NGINX.index("map $upstream_status")]
    assert not re.search(r"remote_addr|forwarded|request_uri|\$args|\$request\b", nginx)
    assert "error_log stderr crit;" in NGINX
