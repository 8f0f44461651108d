"""Pipes to the outside: settings, PostgreSQL, Valkey, media, entropy, logs, embedded servers."""
