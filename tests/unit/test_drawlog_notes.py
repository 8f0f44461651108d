"""Signed notes and checkpoints: published examples, and that nothing else than ours is accepted."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packhouse.drawlog import NoteSigner, SignedTree, key_id, open_note, read_tree
from packhouse.foundation.errors import Breach

PUBLISHED_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PUBLISHED_SECRET = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
PUBLISHED_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6"
    "KE6RyyBwJnAM=\n"
)
"""The example in the documentation of Go's signed notes, which C2SP signed-note specifies."""

SIGNER = NoteSigner("shop.example/log", bytes(range(32)))
TREE = SignedTree("shop.example/log", 20_852_163, bytes(range(32, 64)))
CHECKPOINT = SIGNER.sign_tree(size=TREE.size, root=TREE.root)


def test_the_published_example_opens_and_is_signed_anew_to_the_byte() -> None:
    text = open_note(PUBLISHED_NOTE, PUBLISHED_KEY)
    signer = NoteSigner("PeterNeumann", PUBLISHED_SECRET)
    assert signer.verifier_key == PUBLISHED_KEY
    assert signer.sign(text) == PUBLISHED_NOTE


def test_the_id_of_a_well_known_logs_key_is_the_published_one() -> None:
    published = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
    name, shown_id, key = published.split("+", 2)
    assert key_id(name, base64.b64decode(key)).hex() == shown_id


def test_a_checkpoint_has_origin_size_and_root_and_one_signature() -> None:
    lines = CHECKPOINT.split("\n")
    assert lines[:4] == ["shop.example/log", "20852163", base64.b64encode(TREE.root).decode(), ""]
    assert lines[4].startswith("— shop.example/log ")
    assert lines[5:] == [""]


def test_a_checkpoint_is_read_as_it_was_signed() -> None:
    open_note(CHECKPOINT, SIGNER.verifier_key)
    assert read_tree(CHECKPOINT) == TREE


@given(st.integers(0, len(CHECKPOINT.encode()) - 1), st.integers(1, 255))
def test_a_checkpoint_with_one_byte_changed_does_not_open_with_another_text(
    place: int, change: int
) -> None:
    changed = bytearray(CHECKPOINT.encode())
    changed[place] ^= change
    try:
        text = open_note(changed.decode(), SIGNER.verifier_key)
    except (Breach, UnicodeDecodeError):
        return
    assert text == CHECKPOINT.partition("\n\n")[0] + "\n"


def test_another_logs_key_does_not_open_ours() -> None:
    for other in (
        NoteSigner("shop.example/log", bytes(32)),
        NoteSigner("other.example/log", bytes(range(32))),
    ):
        with pytest.raises(Breach, match="no signature of"):
            open_note(CHECKPOINT, other.verifier_key)


def test_a_signature_beside_ours_does_no_harm() -> None:
    witness = NoteSigner("witness.example", bytes(32))
    text = CHECKPOINT.partition("\n\n")[0] + "\n"
    both = (
        text
        + "\n"
        + witness.sign(text).partition("\n\n")[2]
        + SIGNER.sign(text).partition("\n\n")[2]
    )
    assert open_note(both, SIGNER.verifier_key) == open_note(both, witness.verifier_key) == text


@pytest.mark.parametrize("key", ["", "a+b", "a+00000000+AAAA", PUBLISHED_KEY.replace("c7", "c8")])
def test_what_is_no_verifier_key_opens_nothing(key: str) -> None:
    with pytest.raises(Breach, match="no verifier key"):
        open_note(PUBLISHED_NOTE, key)


@pytest.mark.parametrize(
    "note", ["", "no signatures\n", "one line\n\n— a AAAA\n", "a\nb\nc\n\n— a A\n"]
)
def test_what_is_no_checkpoint_is_not_read(note: str) -> None:
    with pytest.raises(Breach):
        read_tree(note)
