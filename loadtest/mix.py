"""What the people of a load test do, and how often: the same mix as ``packhouse bench users``."""

SINGLE = "first-light"
EIGHT = "harbour-eight"
"""Packs of one and of eight cards; those of the demo shop. ``PACKHOUSE_LOADTEST_PACKS=one,eight`` names yours."""

PER_MILLE = {
    "GET /api/v1/feed": 250,
    "GET /api/v1/packs": 70,
    "GET /api/v1/packs/{slug}": 70,
    "GET /": 60,
    "GET /packs/{slug}": 90,
    "GET /feed": 60,
    "GET /api/v1/vault": 160,
    "GET /vault": 80,
    "POST /api/v1/vault/sales": 10,
    "POST openings, one card": 50,
    "POST openings, eight cards": 50,
    "GET /api/v1/shipping-quotes": 30,
    "POST /api/v1/shipping-requests": 15,
    "POST shipping cancellation": 5,
}
"""Of a thousand requests; a test holds it against the bench's."""
