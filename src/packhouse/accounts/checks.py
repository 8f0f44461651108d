"""The law of accounts: who has left is owed nothing, and nothing of theirs is open."""

from packhouse.accounts.store import QUERIES
from packhouse.foundation.checks import Finding
from packhouse.plumbing.postgres import Connection


async def check_closed_accounts_owe_nothing(connection: Connection) -> Finding:
    """A closed account has no credits, no cards to be had, no session and no secret seed in use."""
    row = (await connection.fetch(QUERIES["check_closed_accounts"]))[0]
    return Finding(
        law="closed_accounts_owe_nothing",
        holds=not any(row[name] for name in ("with_credits", "cards", "sessions", "secrets")),
        evidence=(
            f"{row['closed']} closed accounts: {row['with_credits']} with credits, {row['cards']}"
            f" cards, {row['sessions']} sessions, {row['secrets']} seeds in use that are secret"
        ),
    )
