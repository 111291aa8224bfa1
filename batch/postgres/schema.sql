-- The tables of a ledger, in a schema of their own. docs/batch/ledger-postgres.md explains them.

CREATE TABLE ledger (
	format integer NOT NULL -- the version of these tables
);

-- A named list of messages that workers share.
CREATE TABLE run (
	id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name       text NOT NULL UNIQUE,
	service    text NOT NULL,              -- that the messages are of: scheme, host and path, or mock
	created_at timestamptz NOT NULL DEFAULT now(),
	round      integer NOT NULL DEFAULT 0, -- counts the runs; workers at the same time are in one
	list       integer NOT NULL DEFAULT 1  -- counts the lists of messages, of which each replaced the one before
);

-- A process that works on a run. It lives as long as its session, which holds the advisory lock
-- ('worker'::regclass, id). Whose lock is free is dead; the next to look deletes its row.
CREATE TABLE worker (
	id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	run_id     integer NOT NULL REFERENCES run ON DELETE CASCADE,
	name       text NOT NULL,              -- host and process
	started_at timestamptz NOT NULL DEFAULT now()
);

-- A connection, and the worker that has claimed it.
CREATE TABLE connection (
	run_id        integer NOT NULL REFERENCES run ON DELETE CASCADE,
	connection_id text COLLATE "C" NOT NULL,
	worker_id     integer REFERENCES worker ON DELETE SET NULL, -- NULL: nobody's
	done_in       integer NOT NULL DEFAULT 0, -- the round in which a worker found nothing left to do
	PRIMARY KEY (run_id, connection_id)
) WITH (fillfactor = 70);

CREATE TABLE message (
	id            bigint NOT NULL,            -- counts up within the run, in the order of input
	run_id        integer NOT NULL,
	line          integer NOT NULL,           -- of the input that listed it last
	ended_in      integer NOT NULL DEFAULT 0, -- the round in which it ended last
	attempts      integer NOT NULL DEFAULT 0, -- requests that ended, in all rounds
	status        integer,                    -- of the last error: its HTTP status, 0 without a response
	answered      boolean,                    -- the service itself responded with it, not a gateway or a proxy
	final         boolean NOT NULL DEFAULT false, -- is never sent again
	set_aside     boolean NOT NULL DEFAULT false, -- no longer in the input, and not sent; of a final one: not even by --retry-failed
	maybe_unsent  boolean NOT NULL DEFAULT false, -- not known to be gone, but may be
	outcome       text CHECK (outcome IN ('unsent', 'already_gone', 'failed', 'skipped')), -- NULL: still open
	connection_id text COLLATE "C" NOT NULL,
	user_id       text COLLATE "C" NOT NULL,
	message_id    text COLLATE "C" NOT NULL,
	with_user_id  text NOT NULL,              -- '': user_id
	ref           text NOT NULL,              -- the caller's own key; '': none
	scope         text,                       -- what the error is of: message, connection, account, service or client
	cause         text,                       -- rate_limited, stopped, ended, unwritten, tls, proxy, lost or interrupted; NULL: status and type show it
	type          text,                       -- the service's name of it
	error         text,                       -- its text
	hint          text,                       -- what to do
	request_id    text,                       -- identifies the last request to the vendor's support
	ended_at      timestamptz,
	PRIMARY KEY (run_id, id),
	UNIQUE (run_id, connection_id, user_id, message_id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

CREATE INDEX message_open ON message (run_id, connection_id, line, id) WHERE NOT final AND NOT set_aside;

-- The workers that are alive, for people.
CREATE VIEW at_work AS
	SELECT r.name AS run, w.name AS worker, w.started_at, l.pid,
		(SELECT count(*) FROM connection c WHERE c.worker_id = w.id) AS connections
	FROM worker w JOIN run r ON r.id = w.run_id
	JOIN pg_catalog.pg_locks l ON l.locktype = 'advisory' AND l.classid = 'worker'::regclass AND l.objid = w.id::oid AND l.objsubid = 2 AND l.granted
	JOIN pg_catalog.pg_database d ON d.oid = l.database AND d.datname = current_database();
