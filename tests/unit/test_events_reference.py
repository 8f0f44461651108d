"""The page about events names each kind, its version and its fields, as the code has them."""

import re
from pathlib import Path
from typing import Final, get_args

from packhouse.foundation.events import Event

PAGE: Final = Path(__file__).parents[2] / "docs/reference/events.md"
ROW: Final = re.compile(r"\| `([a-z.]+)` \| (\d+) \| [^|]+ \| ([^|]+) \|")


def test_every_event_is_in_the_reference_with_its_fields() -> None:
    told = {
        (kind, int(version)): re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", fields))
        for kind, version, fields in ROW.findall(PAGE.read_text(encoding="utf-8"))
    }
    assert told == {
        (event.kind, event.version): list(event.__struct_fields__) for event in get_args(Event)
    }
