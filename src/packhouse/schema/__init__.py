"""The data model: ``schema.sql`` is the truth to read, ``migrations/`` the road to it."""
