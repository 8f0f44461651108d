"""A peer is measured only when it does what the shop does; one that does less is refused."""

import contextlib
import shutil
from pathlib import Path

import pytest

from packhouse.bench.peer_folders import PeerUnusable
from packhouse.bench.peers import FoundPeer, Peer, running_peer
from packhouse.bench.same_work import PeerDiffers, require_every_law, require_same_work
from packhouse.bench.stage import Stage

LAZY = Path(__file__).parent / "lazy_peer.py"

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("bench")]


@pytest.fixture
def lazy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a peer whose server is ``lazy_peer.py``."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "lazy"
    folder.mkdir()
    shutil.copy(LAZY, folder / "server.py")
    return folder


def found_peer(folder: Path, stage: Stage, fault: str) -> FoundPeer:
    start = ("{python}", "server.py", fault, str(stage.port))
    return FoundPeer(Peer(name="lazy", start=start), folder)


async def test_a_peer_that_does_the_same_is_measured(stage: Stage, lazy: Path) -> None:
    async with running_peer(found_peer(lazy, stage, "nothing"), stage) as peer:
        await require_same_work(stage, peer)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("a card too few", r"the answer\.openings\[0\]\.cards has 7 instead of 8"),
        ("no idempotency record", "idempotency_keys grows by"),
        ("a second effect", "a repeated request moves openings by 1"),
        ("another draw", "its draw does not follow from the seeds"),
        ("an empty feed", r"GET /api/v1/feed\.items has 0 instead of 20"),
        ("a vault for strangers", "the vault answers 200 to who is not signed in"),
    ],
)
async def test_a_peer_that_does_less_is_refused_and_told_why(
    stage: Stage, lazy: Path, fault: str, told: str
) -> None:
    async with running_peer(found_peer(lazy, stage, fault), stage) as peer:
        with pytest.raises(PeerDiffers, match=f"lazy does not do what the shop does.*{told}"):
            await require_same_work(stage, peer)


async def test_a_law_that_does_not_hold_is_told(stage: Stage) -> None:
    await stage.wait_for_relay()
    who = stage.collectors[0].user_id
    async with stage.house.database.connection() as connection:
        await connection.execute("UPDATE wallets SET balance = balance + 1 WHERE user_id = $1", who)
    try:
        with pytest.raises(PeerDiffers, match="ledger_sums_to_zero"):
            await require_every_law(stage, "lazy")
    finally:
        async with stage.house.database.connection() as connection:
            await connection.execute(
                "UPDATE wallets SET balance = balance - 1 WHERE user_id = $1", who
            )


async def test_a_peer_whose_program_is_missing_is_left_out(stage: Stage, lazy: Path) -> None:
    found = FoundPeer(Peer(name="lazy", start=("no-such-node", "server.js")), lazy)
    with pytest.raises(PeerUnusable, match="no-such-node is not installed"):
        async with contextlib.AsyncExitStack() as running:
            await running.enter_async_context(running_peer(found, stage))


async def test_a_peer_that_ends_at_once_tells_its_last_words(stage: Stage, lazy: Path) -> None:
    found = FoundPeer(Peer(name="lazy", start=("sh", "-c", "echo out of ink; exit 3")), lazy)
    with pytest.raises(PeerUnusable, match="out of ink"):
        async with contextlib.AsyncExitStack() as running:
            await running.enter_async_context(running_peer(found, stage))
