-- The tables are public: docs/batch/ledger.md explains them. Small columns come first, since counting
-- reads only those.
CREATE TABLE ledger (
	service    TEXT NOT NULL,              -- of the messages: scheme, host and path, or mock
	created_at TEXT NOT NULL,
	running    INTEGER NOT NULL DEFAULT 0  -- 0 at rest; during a run 2, and 1 in a file that lacks its log
) STRICT;

CREATE TABLE message (
	id            INTEGER PRIMARY KEY,        -- counts up in the order of input
	final         INTEGER NOT NULL DEFAULT 0, -- 1: it is never sent again, unless --retry-failed asks for it
	set_aside     INTEGER NOT NULL DEFAULT 0, -- 1: the last input did not list it: it is not sent, not even by --retry-failed
	maybe_unsent  INTEGER NOT NULL DEFAULT 0, -- 1: it is not known to be gone, but may be
	outcome       TEXT,                       -- unsent, already_gone, failed or skipped; NULL: open
	line          INTEGER NOT NULL,           -- in the last input that listed it
	connection_id TEXT NOT NULL,
	user_id       TEXT NOT NULL,
	message_id    TEXT NOT NULL,
	with_user_id  TEXT NOT NULL,              -- '': the same as user_id
	ref           TEXT NOT NULL,              -- the caller's own key; '': none
	attempts      INTEGER NOT NULL DEFAULT 0, -- requests of all runs
	status        INTEGER,                    -- the last error's HTTP status; 0: no response came
	answered      INTEGER,                    -- 1: the service itself responded with that error; 0: a gateway, a proxy or nobody did
	scope         TEXT,                       -- what the error is of: message, connection, account, service, client or unknown
	cause         TEXT,                       -- rate_limited, stopped, ended, unwritten, tls, proxy, lost or interrupted; NULL: status and type show it
	type          TEXT,                       -- the service's name of the error
	error         TEXT,                       -- its text
	hint          TEXT,                       -- what to do
	request_id    TEXT,                       -- identifies the last request to the vendor's support
	ended_at      TEXT                        -- when it got its outcome, in UTC
) STRICT;
