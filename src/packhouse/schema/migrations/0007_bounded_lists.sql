-- transaction: none
-- What: the outbox by the order of its line and by what its events are about; shipping requests by id.
-- Why: a relay behind sorted its whole line for each batch; whoever asked for an opening not yet relayed
--   read all of it; staff's list of every parcel was a sort of them all.
-- Locks: SHARE UPDATE EXCLUSIVE on one table at a time; reads and writes go on.
-- Duration: an instant for the outbox; seconds for each ten million shipping requests.

CREATE INDEX CONCURRENTLY IF NOT EXISTS outbox_id_idx ON outbox (id);

CREATE INDEX CONCURRENTLY IF NOT EXISTS outbox_subject_id_id_idx ON outbox (subject_id, id);

CREATE INDEX CONCURRENTLY IF NOT EXISTS shipping_requests_id_idx ON shipping_requests (id);
