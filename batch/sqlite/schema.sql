-- The tables are public: docs/batch/ledger.md explains them. Small columns come first, since counting
-- reads only those.
CREATE TABLE ledger (
	service    TEXT NOT NULL,              -- that the messages are of: scheme, host and path, or mock
	created_at TEXT NOT NULL,
	running    INTEGER NOT NULL DEFAULT 0  -- 1 while a run is active, or after one that was killed
) STRICT;

CREATE TABLE message (
	id            INTEGER PRIMARY KEY,
	final         INTEGER NOT NULL DEFAULT 0, -- 1: is never sent again
	set_aside     INTEGER NOT NULL DEFAULT 0, -- 1: no longer in the input, and not sent; of a final one: not even by --retry-failed
	maybe_unsent  INTEGER NOT NULL DEFAULT 0, -- 1: not known to be gone, but may be
	outcome       TEXT,                       -- unsent, already_gone, failed or skipped; NULL: still open
	line          INTEGER NOT NULL,           -- of the input that listed it last
	connection_id TEXT NOT NULL,
	user_id       TEXT NOT NULL,
	message_id    TEXT NOT NULL,
	with_user_id  TEXT NOT NULL,              -- '': user_id
	ref           TEXT NOT NULL,              -- the caller's own key; '': none
	attempts      INTEGER NOT NULL DEFAULT 0, -- requests that ended, in all runs
	status        INTEGER,                    -- of the last error: its HTTP status, 0 without a response
	answered      INTEGER,                    -- 1: the service itself responded with it; 0: a gateway, a proxy or nobody did
	scope         TEXT,                       -- what the error is of: message, connection, account, service or client
	cause         TEXT,                       -- rate_limited, stopped, ended, unwritten, tls, proxy, lost or interrupted; NULL: status and type show it
	type          TEXT,                       -- the service's name of it
	error         TEXT,                       -- its text
	hint          TEXT,                       -- what to do
	request_id    TEXT,                       -- identifies the last request to the vendor's support
	ended_at      TEXT                        -- UTC
) STRICT;
