"""Packhouse: run a trading-card pack shop in public, at any scale."""
