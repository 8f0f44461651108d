"""Loops beside the web: what happens after a commit, and what happens by itself."""
