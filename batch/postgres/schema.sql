-- The tables of a ledger, in a schema of their own. docs/batch/ledger-postgres.md explains them.

CREATE TABLE ledger (
	format integer NOT NULL -- the version of these tables
);

-- A named list of messages that workers share.
CREATE TABLE run (
	id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name         text NOT NULL UNIQUE,               -- 1 to 100 printable characters
	service      text NOT NULL,                      -- of the messages: scheme, host and path, or mock
	created_at   timestamptz NOT NULL DEFAULT now(),
	epoch        integer NOT NULL DEFAULT 0,         -- rises when a worker begins while no other is active
	list_version integer NOT NULL DEFAULT 1          -- rises when another list of messages replaces this one
);

-- A process that works on a run. Its session holds the advisory lock ('worker'::regclass, id). A
-- worker whose lock is free is dead, and the next one to look deletes its row.
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
	worker_id     integer REFERENCES worker ON DELETE SET NULL, -- NULL: free
	done_in       integer NOT NULL DEFAULT 0, -- the epoch in which nothing was left to do
	PRIMARY KEY (run_id, connection_id)
) WITH (fillfactor = 70);

CREATE TABLE message (
	id            bigint NOT NULL,            -- counts up within the run, in the order of input
	run_id        integer NOT NULL,
	line          integer NOT NULL,           -- in the last input that listed it
	ended_in      integer NOT NULL DEFAULT 0, -- the epoch of its last outcome
	attempts      integer NOT NULL DEFAULT 0, -- requests of all epochs
	status        integer,                    -- the last error's HTTP status; 0: no response came
	answered      boolean,                    -- the service itself responded with that error, not a gateway or a proxy
	final         boolean NOT NULL DEFAULT false, -- it is never sent again, unless --retry-failed asks for it
	set_aside     boolean NOT NULL DEFAULT false, -- the last input did not list it: it is not sent, not even by --retry-failed
	maybe_unsent  boolean NOT NULL DEFAULT false, -- it is not known to be gone, but may be
	outcome       text CHECK (outcome IN ('unsent', 'already_gone', 'failed', 'skipped')), -- NULL: open
	connection_id text COLLATE "C" NOT NULL,
	user_id       text COLLATE "C" NOT NULL,
	message_id    text COLLATE "C" NOT NULL,
	with_user_id  text NOT NULL,              -- '': the same as user_id
	ref           text NOT NULL,              -- the caller's own key; '': none
	scope         text,                       -- what the error concerns: message, connection, account, service, client or unknown
	cause         text,                       -- rate_limited, stopped, ended, unwritten, tls, proxy, lost or interrupted; NULL: status and type tell
	type          text,                       -- the service's name of that error
	error         text,                       -- its text, at most 300 bytes
	hint          text,                       -- what to do
	request_id    text,                       -- identifies the last request to the vendor's support
	ended_at      timestamptz,
	PRIMARY KEY (run_id, id),
	UNIQUE (run_id, connection_id, user_id, message_id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

CREATE INDEX message_open ON message (run_id, connection_id, line, id) WHERE NOT final AND NOT set_aside;

-- The workers that are active now.
CREATE VIEW active_workers AS
	SELECT r.name AS run, w.name AS worker, w.started_at, l.pid,
		(SELECT count(*) FROM connection c WHERE c.worker_id = w.id) AS connections
	FROM worker w JOIN run r ON r.id = w.run_id
	JOIN pg_catalog.pg_locks l ON l.locktype = 'advisory' AND l.classid = 'worker'::regclass AND l.objid = w.id::oid AND l.objsubid = 2 AND l.granted
	JOIN pg_catalog.pg_database d ON d.oid = l.database AND d.datname = current_database();
