"""Why staff did something: the text that the audit log keeps."""

from typing import Annotated

import msgspec

from packhouse.accounts import REASON_LENGTH_MAX

Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=REASON_LENGTH_MAX)]
"""In words, for whoever asks later."""
