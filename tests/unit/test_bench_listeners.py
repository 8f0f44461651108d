"""What the bench's listeners make of a stream, and where it finds nchan."""

from pathlib import Path

import pytest

from packhouse.bench.listeners import newest_sequence
from packhouse.bench.nchan import MODULE, find_nchan


@pytest.mark.parametrize(
    ("piece", "sequence"),
    [
        (b'id: 7\ndata: {"sequence":7,"username":"ada"}\n\n', 7),
        (b'data: {"sequence":7,"a":1}\n\nid: 8\ndata: {"sequence":8,"a":1}\n\n', 8),
        (b'data: {"sequence":7,"a":1}\n\nid: 12\ndata: {"sequence":1', 7),
        (b": still here\nid: 9\n\n", 0),
        (b'{"sequence":', 0),
        (b"", 0),
    ],
)
def test_the_newest_whole_sequence_of_a_piece_counts(piece: bytes, sequence: int) -> None:
    assert newest_sequence(piece) == sequence


def test_without_the_module_there_is_no_nchan(tmp_path: Path) -> None:
    assert find_nchan([tmp_path]) is None
    assert MODULE.endswith(".so")
