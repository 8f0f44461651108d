"""Chance from the operating system, handed in so that tests can replace it."""

from collections.abc import Callable
from secrets import token_bytes

Entropy = Callable[[int], bytes]
"""Gives that many unpredictable bytes."""

system_entropy: Entropy = token_bytes
