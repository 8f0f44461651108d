-- What: the photo of each copy in a lot's manifest, by the hash of its file.
-- Why: a manifest names the very copy; its photo binds how that copy looks. A copy that has none has no such field.
-- Locks: ACCESS EXCLUSIVE on lot_items for an instant; no row is rewritten.
-- Duration: an instant.

ALTER TABLE lot_items ADD COLUMN photo text;
