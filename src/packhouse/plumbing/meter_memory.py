"""Memory in which each process of a shop counts for itself, and from which any of them tells all.

Web workers share one port, so a scrape reaches one of them; and one that is killed takes nothing
along that it had counted. So numbers are in memory that the system keeps for as long as any of the
shop's processes lives: a slot for each process, which alone writes there, and which all may read.
A process that takes the place of a dead one of its role goes on counting where that one stopped.

Who lives is known by a lock that the system takes from whoever dies. No file is left behind, no
directory has to be writable, nobody has to tell that a process has ended.
"""

import fcntl
import math
import mmap
import os
import struct
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.reduction import DupFd
from typing import Any, Final

import msgspec

METERS_VARIABLE: Final = "_PACKHOUSE_METERS"
"""Names the descriptor of the memory that programs of one shop share; no setting."""

SLOTS_MAX: Final = 256
ENTRIES_MAX: Final = 4096
CELLS_MAX: Final = 32_768
"""What one process may count: so many series, which have so many numbers."""
TEXT_BYTES_MAX: Final = 180

GAUGE: Final = b"g"
"""The kind of an entry that tells how something is now; all others only ever grow."""

# Changes of entries (odd while one is being made), entries, cells in use, role.
_HEADER: Final = struct.Struct("<QII16s")
_ENTRY: Final = struct.Struct(f"<IHcxH{TEXT_BYTES_MAX}s2x")
_ENTRIES_AT: Final = 64
_CELLS_AT: Final = _ENTRIES_AT + ENTRIES_MAX * _ENTRY.size
SLOT_BYTES: Final = -(-(_CELLS_AT + CELLS_MAX * 8) // mmap.ALLOCATIONGRANULARITY) * (
    mmap.ALLOCATIONGRANULARITY
)
"""Of a slot only the pages that were written to take memory."""
_READS_MAX: Final = 5


class Entry(msgspec.Struct, frozen=True):
    """One series of one process."""

    kind: bytes
    text: str
    values: Sequence[float]


class Reading(msgspec.Struct, frozen=True):
    """What one process has counted. ``place`` counts the processes of one role from 0."""

    role: str
    place: int
    is_running: bool
    entries: Sequence[Entry]


class Slot:
    """Where one process counts: ``cells`` are its numbers, and entries tell what they are of."""

    def __init__(self, memory: mmap.mmap, *, role: str) -> None:
        self._memory = memory
        self._role = role.encode()
        self.cells = memoryview(memory)[_CELLS_AT : _CELLS_AT + CELLS_MAX * 8].cast("d")
        self._known: dict[tuple[bytes, str], tuple[int, int]] = {}
        self._free_gauges: list[tuple[int, int]] = []
        changes, self._entries, self._cells, _ = _read_header(memory)
        # Who was killed in the middle of a change left an odd number.
        self._changes = changes + changes % 2
        self._take_up()

    def allot(self, kind: bytes, text: str, *, cells: int) -> int:
        """Where the numbers of a series begin: where they were, or at cells that are 0.

        A gauge has one, which is NaN until it is set. Raises ``MemoryError`` without room: what is
        declared fits, which is checked when it is.
        """
        known = self._known.get((kind, text))
        if known is not None:
            return known[1]
        if kind == GAUGE and self._free_gauges:
            number, first = self._free_gauges.pop()
            self._change(number, _packed(first, cells, kind, text))
        else:
            number, first = self._entries, self._cells
            if number == ENTRIES_MAX or first + cells > CELLS_MAX:
                raise MemoryError("more series than the declared metrics can have")
            self._write(number, _packed(first, cells, kind, text))
            self._entries, self._cells = number + 1, first + cells
            self._write_header()
        if kind == GAUGE:
            self.cells[first] = math.nan
        self._known[kind, text] = (number, first)
        return first

    def free(self, text: str) -> None:
        """Forget a gauge; its place is another's from now on."""
        number, first = self._known.pop((GAUGE, text))
        self.cells[first] = math.nan
        self._change(number, _packed(first, 1, GAUGE, ""))
        self._free_gauges.append((number, first))

    def entries(self) -> list[Entry]:
        """What has been counted here so far."""
        read = (_read_entry(self._memory, _entry_at(number)) for number in range(self._entries))
        return [
            Entry(kind, text, self.cells[first : first + count].tolist())
            for first, count, kind, text in read
            if text
        ]

    def _take_up(self) -> None:
        """Go on with what a process before this one counted; what it was is no more."""
        for number in range(self._entries):
            first, _, kind, text = _read_entry(self._memory, _entry_at(number))
            if kind != GAUGE:
                self._known[kind, text] = (number, first)
                continue
            self.cells[first] = math.nan
            self._write(number, _packed(first, 1, GAUGE, ""))
            self._free_gauges.append((number, first))
        self._write_header()

    def _change(self, number: int, packed: bytes) -> None:
        self._changes += 1
        self._write_header()
        self._write(number, packed)
        self._changes += 1
        self._write_header()

    def _write(self, number: int, packed: bytes) -> None:
        at = _entry_at(number)
        self._memory[at : at + _ENTRY.size] = packed

    def _write_header(self) -> None:
        # By assignment, because packing in place writes zeros first, which somebody might read.
        packed = _HEADER.pack(self._changes, self._entries, self._cells, self._role)
        self._memory[: _HEADER.size] = packed


def private_slot() -> Slot:
    """A slot that nobody else reads, and of which a forked process has a copy of its own."""
    return Slot(mmap.mmap(-1, SLOT_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS), role="")


class MeterMemory:
    """The slots of all processes that were started with ``descriptor``."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._own: tuple[int, int] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        # Where processes are not forked, the descriptor has to be sent along.
        return _adopted, (DupFd(self.descriptor),)

    def claim(self, *, role: str) -> Slot | None:
        """The slot of this process, one of a dead one of its role if there is any.

        Held until the process ends. None when more processes run than there are slots.
        """
        with self._alone():
            for number in range(SLOTS_MAX):
                holder = self._role_of(number)
                if holder in ("", role) and self._lock(number):
                    memory = mmap.mmap(self.descriptor, SLOT_BYTES, offset=number * SLOT_BYTES)
                    self._own = (os.getpid(), number)
                    return Slot(memory, role=role)
        return None

    def read(self) -> list[Reading]:
        """What every process has counted, the dead ones too."""
        readings = []
        places: dict[str, int] = {}
        with self._alone():
            for number in range(SLOTS_MAX):
                role = self._role_of(number)
                if not role:
                    break
                place = places[role] = places.get(role, -1) + 1
                readings.append(
                    Reading(
                        role=role,
                        place=place,
                        is_running=self._is_running(number),
                        entries=_read_entries(self.descriptor, number * SLOT_BYTES),
                    )
                )
        return readings

    def _role_of(self, number: int) -> str:
        raw = os.pread(self.descriptor, _HEADER.size, number * SLOT_BYTES)
        role: bytes = _HEADER.unpack(raw)[3]
        return role.rstrip(b"\0").decode()

    def _is_running(self, number: int) -> bool:
        if self._own == (os.getpid(), number):
            return True
        if self._lock(number):
            fcntl.lockf(self.descriptor, fcntl.LOCK_UN, 1, number)
            return False
        return True

    def _lock(self, number: int) -> bool:
        if self._own == (os.getpid(), number):
            # The system would give it to its holder again.
            return False
        try:
            fcntl.lockf(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except OSError:
            return False
        return True

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else claims or tries locks meanwhile: some hundred microseconds."""
        fcntl.lockf(self.descriptor, fcntl.LOCK_EX, 1, SLOTS_MAX)
        try:
            yield
        finally:
            fcntl.lockf(self.descriptor, fcntl.LOCK_UN, 1, SLOTS_MAX)


def make_meter_memory() -> MeterMemory:
    """Memory for the processes of one shop; it is gone when the last of them is."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("packhouse-meters")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, SLOTS_MAX * SLOT_BYTES)
    return MeterMemory(descriptor)


def handed_meter_memory(environ: Mapping[str, str]) -> MeterMemory | None:
    """The memory that the program which started this one shares with it."""
    descriptor = environ.get(METERS_VARIABLE)
    return MeterMemory(int(descriptor)) if descriptor else None


def _adopted(sent: Any) -> MeterMemory:  # noqa: ANN401 - whatever multiprocessing sends
    return MeterMemory(sent.detach())


def _read_entries(descriptor: int, offset: int) -> list[Entry]:
    for _ in range(_READS_MAX):
        header = os.pread(descriptor, _HEADER.size, offset)
        changes, entries, cells, _ = _HEADER.unpack(header)
        texts = os.pread(descriptor, entries * _ENTRY.size, offset + _ENTRIES_AT)
        values = memoryview(os.pread(descriptor, cells * 8, offset + _CELLS_AT)).cast("d")
        if (
            changes % 2 == 0
            and changes == _HEADER.unpack(os.pread(descriptor, _HEADER.size, offset))[0]
        ):
            break
    read = (_read_entry(texts, number * _ENTRY.size) for number in range(entries))
    return [
        Entry(kind, text, values[first : first + count].tolist())
        for first, count, kind, text in read
        if text
    ]


def _read_header(memory: mmap.mmap) -> tuple[int, int, int, bytes]:
    changes, entries, cells, role = _HEADER.unpack(memory[: _HEADER.size])
    return changes, entries, cells, role


def _read_entry(memory: mmap.mmap | bytes, at: int) -> tuple[int, int, bytes, str]:
    first, count, kind, length, text = _ENTRY.unpack(memory[at : at + _ENTRY.size])
    return first, count, kind, text[:length].decode("utf-8", "replace")


def _packed(first: int, cells: int, kind: bytes, text: str) -> bytes:
    raw = text.encode()
    return _ENTRY.pack(first, cells, kind, len(raw), raw)


def _entry_at(number: int) -> int:
    return _ENTRIES_AT + number * _ENTRY.size
