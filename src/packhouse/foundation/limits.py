"""Every limit of the house in one file, related by asserts where one leans on another."""

from typing import Final

PAGE_LIMIT_DEFAULT: Final = 20
PAGE_LIMIT_MAX: Final = 100
IDEMPOTENCY_KEY_LENGTH_MAX: Final = 255

PACKS_PER_OPENING_MAX: Final = 10
CARDS_PER_PACK_MAX: Final = 20
CLIENT_SEED_LENGTH_MAX: Final = 128
OPENING_ATTEMPTS_MAX: Final = 12
OPENINGS_PER_SET: Final = 16
LOT_OPENINGS_PER_SET: Final = 32
"""A lot has one lane at a time, so it is as fast as its sets are large."""
OPENING_LANES_PER_HOST: Final = 2
"""Sets of openings under way at a time; more would be smaller ones. A lot has a lane of its own."""
OPENING_LANES_PER_HOST_SHARDED: Final = 12
"""The same where users are spread over several servers, and a set is one opening."""
OPENINGS_WAITING_MAX: Final = 6_000
"""In one process: a drop of five thousand in one second fits, and is turned away politely."""
OPENING_WAIT_SECONDS_MAX: Final = 5.0
LOTS_REMEMBERED_MAX: Final = 32
"""In one process, at most 0.4 MiB each."""

HEAD_BYTES_MAX: Final = 16 * 1024
HEADERS_MAX: Final = 100
WEB_CONNECTIONS_MAX: Final = 8_192
"""In one process, idle ones and live streams included. Beyond it idle ones make room."""
WEB_DRAIN_SECONDS_MAX: Final = 10.0
"""How long a web worker may finish its requests when it is told to stop; as long as the slowest
statement may run by default."""
REQUESTS_IN_FLIGHT_MAX: Final = 1_000
"""In one process, openings aside, which have a line of their own: about a second's work, so that a
disk that holds its breath costs nobody an answer. Whoever comes beyond it is told at once to come
again, instead of slowing everybody."""
SLOW_REQUESTS_MAX: Final = 64
SLOW_REQUEST_SECONDS: Final = 1.0
"""As soon as so many have been worked on for so long, nobody else is let in until some are done."""
DATABASE_WAITING_MAX: Final = 7_200
"""In one process, for a connection to PostgreSQL. At a drop thousands whom it has not seen before
ask for their session in the same second, each by one quick read."""
DATABASE_WAIT_SECONDS_MAX: Final = 4.0
REPLICAS_MAX: Final = 8
REPLICA_LOOK_SECONDS: Final = 0.25
"""How often each process judges whether a replica keeps up."""
REPLICA_ANSWER_SECONDS_MAX: Final = 1.0
"""How long a replica may take to say how far it is, or to take a connection; then it is away, and
whoever reads there asks the primary."""
REPLICA_LAG_MS_MAX: Final = 1_000
"""The most that the setting of this name allows: so long at most a read waits for a replica."""
REPLICA_WATCH_CONNECTIONS: Final = 1
"""Of each process to each replica, to ask how far it is."""
DATABASE_STATEMENTS_KEPT: Final = 400
"""Prepared on each connection: more than the house has, so that none is ever prepared twice."""

CARDS_PER_SALE_MAX: Final = 200
CARDS_PER_PARCEL_MAX: Final = 200

TOP_UP_MIN_MINOR: Final = 100
TOP_UP_MAX_MINOR: Final = 1_000_000
BALANCE_MAX_MINOR: Final = 2**53 - 1

PACK_PRICE_MAX_MINOR: Final = 100_000_000
CARD_VALUE_MAX_MINOR: Final = 100_000_000_000
ODDS_WEIGHT_MAX: Final = 10**12
ODDS_WEIGHTS_SUM_MAX: Final = 2**53 - 1
LOT_PACKS_MAX: Final = 100_000

IMPORT_ROWS_MAX: Final = 500_000
PICTURE_PIXELS_MAX: Final = 40_000_000
PICTURE_BYTES_MAX: Final = 12 * 1024 * 1024

RELAY_BATCH_EVENTS: Final = 500
RELAY_PAUSE_SECONDS: Final = 0.05

STOCK_CARDS_PER_EVENT_MAX: Final = 500
LOG_LEAF_BYTES_MAX: Final = 65_535
LOG_LEAVES_PER_BATCH: Final = 5_000
CHECKPOINT_PAUSE_SECONDS: Final = 1.0

WORKER_CONNECTIONS: Final = 4
"""What the worker program keeps of a host's database connections: one for the relay, the sequencer
and the job queue each, and one that the jobs and the watch share."""

JOBS_PER_LOOK: Final = 4
JOBS_AT_ONCE: Final = 8
"""Of one worker. Most of them wait for somebody else's server, not for ours."""
JOB_SECONDS_MAX: Final = 60.0
"""How long a job may take that does not say otherwise; then it is given up, and tried again."""
JOB_STOP_SECONDS: Final = 2.0
"""How long the jobs in hand may go on when the worker is told to stop; then others get them."""
JOB_LOOK_SECONDS: Final = 5.0
"""How often a worker looks for jobs by itself; it is called when one is put into the queue."""
JOB_HEARTBEAT_SECONDS: Final = 15.0
"""After so long without a sign from the worker that has a job, another one takes it."""
JOB_ATTEMPTS_MAX: Final = 12
JOB_RETRY_SECONDS_MIN: Final = 4.0
JOB_RETRY_FACTOR: Final = 3
JOB_RETRY_SECONDS_MAX: Final = 3_600.0
"""The first pause, what the next one is multiplied by, and the longest: five hours together, so
that a night in which the mail server is away costs no letter."""
QUEUE_WATCH_SECONDS: Final = 10.0
JOB_LOG_DAYS: Final = 30
JOB_LOG_ROWS_PER_STEP: Final = 5_000

ADMIN_CONNECTIONS: Final = 2
"""What a web worker keeps for operators beside its own, where they have a login of theirs."""

MAIL_SECONDS_MAX: Final = 20.0
"""How long the mail server may take for one letter."""

LIVE_COMMENT_SECONDS: Final = 10.0
LIVE_BATCH_SECONDS: Final = 0.25
"""So long at most a pull waits for others that go with it; less where few streams are open."""
LIVE_BATCH_PULLS_MAX: Final = 100
LIVE_RING_PULLS: Final = 10_000
"""The newest pulls, in memory for streams that come back; about 6 MiB."""
LIVE_PAGE_PULLS: Final = 100
LIVE_HISTORY_READS_MAX: Final = 1
"""Pages of older pulls that one process reads from PostgreSQL at a time."""
LIVE_RESUMING_MAX: Final = 500
"""Streams of one process that are sent older pulls at a time; the others wait their turn."""
LIVE_BACKLOG_MAX: Final = 64
"""Frames that wait for one stream of a web worker."""
LIVE_BUFFER_BYTES_MAX: Final = 32 * 1024
"""What waits for one stream of the live role beyond the system's own buffer."""
LIVE_SOCKET_BUFFER_BYTES: Final = 64 * 1024
LIVE_DRAIN_SECONDS_MAX: Final = 5.0
"""Who reads nothing for so long with a full buffer is dropped."""
LIVE_RETRY_MS_MIN: Final = 1_000
LIVE_RETRY_MS_MAX: Final = 5_000
LIVE_CONNECTIONS: Final = 2
"""To PostgreSQL: one to watch the feed, one for streams that come back late."""
LIVE_HEAD_SECONDS_MAX: Final = 10.0
LIVE_ADMISSIONS_MAX: Final = 32
"""Requests of the live role that ask the rate limit at a time."""
LIVE_SPARE_CONNECTIONS: Final = 500
"""Connections of the live role beyond its streams: heads that are being read, probes, refusals."""
LIVE_STOP_SECONDS_MAX: Final = 3.0

SELL_BACK_REMINDER_DAYS_MIN: Final = 2
"""Of a shorter time nobody is reminded: the letter would come with the cards."""

SEED_PAIR_DAYS_MAX: Final = 7
SEED_PAIR_DAYS_DUE: Final = 6
SEED_PAIRS_PER_SWEEP: Final = 100
SESSIONS_PER_SWEEP: Final = 1_000
OPENINGS_PER_FEED_ERASURE: Final = 500
"""How far one transaction takes a closed account's name out of the feed: 10,000 pulls at most."""

# A leaf's length is written in two bytes; a card with its copies takes about 80.
assert STOCK_CARDS_PER_EVENT_MAX * 100 < LOG_LEAF_BYTES_MAX
# PgQueuer wants room for two looks.
assert JOBS_AT_ONCE >= 2 * JOBS_PER_LOOK
assert MAIL_SECONDS_MAX < JOB_SECONDS_MAX, "the letter's own patience ends first"
# A worker that stops has given back what it had before another one would take it for dead.
assert JOB_STOP_SECONDS < JOB_HEARTBEAT_SECONDS
# "A new one within 10 s of every leaf" has room for a restart of the worker.
assert CHECKPOINT_PAUSE_SECONDS <= 2
# A promise in days is kept by a sweep that may be down for a night: a whole day is left for that.
assert SEED_PAIR_DAYS_DUE < SEED_PAIR_DAYS_MAX
assert PAGE_LIMIT_DEFAULT <= PAGE_LIMIT_MAX
assert CARDS_PER_SALE_MAX >= PACKS_PER_OPENING_MAX * CARDS_PER_PACK_MAX
assert LIVE_COMMENT_SECONDS < 15, "the contract promises a comment at least each 15 seconds"
assert LIVE_HISTORY_READS_MAX < LIVE_CONNECTIONS, "the watcher has a connection of its own"
assert LIVE_BATCH_PULLS_MAX <= LIVE_PAGE_PULLS <= LIVE_RING_PULLS
# RFC 8785 numbers are IEEE doubles: what is hashed must stay exact.
assert CARD_VALUE_MAX_MINOR <= BALANCE_MAX_MINOR
assert ODDS_WEIGHT_MAX <= ODDS_WEIGHTS_SUM_MAX <= BALANCE_MAX_MINOR
# Who was let in finds a place in the line for a connection, beside the openings' lanes and the live
# streams: so it is the edge that turns people away, where it costs the least.
assert SLOW_REQUESTS_MAX < REQUESTS_IN_FLIGHT_MAX
assert REQUESTS_IN_FLIGHT_MAX + OPENINGS_WAITING_MAX < DATABASE_WAITING_MAX
# Who was let in is served before the line for a connection gives up on them.
assert SLOW_REQUEST_SECONDS < DATABASE_WAIT_SECONDS_MAX
# A web worker has two connections at least to each server: one follows a replica, the rest read.
assert REPLICA_WATCH_CONNECTIONS < 2
# A replica that fails a read in the worst way leaves the primary time to answer it.
assert REPLICA_LAG_MS_MAX / 1000 + REPLICA_ANSWER_SECONDS_MAX < DATABASE_WAIT_SECONDS_MAX
assert REPLICA_LOOK_SECONDS < REPLICA_ANSWER_SECONDS_MAX
# An opening waits for its lane first; a connection is not to take the rest of its patience.
assert DATABASE_WAIT_SECONDS_MAX < OPENING_WAIT_SECONDS_MAX
