"""A collector's history as the shop hands it out, made from a story."""

from worlds.log_story import LogStory, Pair, Tree, moment


def history_of(story: LogStory, *pairs: Pair) -> Tree:
    """The file of somebody who had these seed pairs; first and last times are those of receipts."""
    keys = {pair.user_key.hex() for pair in pairs}
    receipts = [
        receipt for receipt in story.receipts.values() if receipt["proof"]["user_key"] in keys
    ]
    return {
        "format": "packhouse.history/1",
        "seed_pairs": [_historic(story, pair, receipts) for pair in pairs],
        "receipts": receipts[::-1],
    }


def _historic(story: LogStory, pair: Pair, receipts: list[Tree]) -> Tree:
    own = [each for each in receipts if each["proof"]["commitment"] == pair.commitment]
    is_revealed = any(receipt["server_seed"] is not None for receipt in own)
    times = sorted(receipt["created_at"] for receipt in own)
    return {
        "commitment": pair.commitment,
        "user_key": pair.user_key.hex(),
        "created_at": times[0] if times else moment(story.at),
        "first_used_at": times[0] if times else None,
        "revealed_at": times[-1] if is_revealed else None,
        "server_seed": pair.server_seed.hex() if is_revealed else None,
        "openings": len(own) if is_revealed else None,
    }
