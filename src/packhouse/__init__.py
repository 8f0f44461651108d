"""Packhouse: run a trading-card pack shop in public, at any scale."""

__version__ = "0.1.0"
