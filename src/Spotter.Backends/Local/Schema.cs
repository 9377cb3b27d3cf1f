using Spotter.Core;

namespace Spotter.Backends.Local;

/// <summary>The tables. Times are microseconds since 1970; states are the numbers of <c>JobState</c>.</summary>
internal static class Schema
{
    private static readonly string[] Steps =
    [
        """
        CREATE TABLE jobs (
            seq INTEGER PRIMARY KEY,            -- order of acceptance
            id BLOB NOT NULL UNIQUE,
            engine TEXT NOT NULL,
            state INTEGER NOT NULL DEFAULT 0,
            internal INTEGER NOT NULL,
            epoch INTEGER NOT NULL DEFAULT 0,
            attempts INTEGER NOT NULL DEFAULT 0,
            solo INTEGER NOT NULL DEFAULT 0,
            expired INTEGER NOT NULL DEFAULT 0, -- its pictures are deleted
            due INTEGER NOT NULL,               -- not started before
            created INTEGER NOT NULL,
            started INTEGER,
            finished INTEGER,
            leased_until INTEGER,
            worker TEXT,
            model TEXT,
            idempotency_key TEXT,
            fingerprint TEXT,
            image_key TEXT NOT NULL,
            image_format INTEGER NOT NULL,
            image_bytes INTEGER NOT NULL,
            image_sha256 TEXT NOT NULL,
            output TEXT,
            options TEXT NOT NULL,
            error TEXT,
            timings TEXT,
            result TEXT
        );
        CREATE UNIQUE INDEX jobs_key ON jobs (idempotency_key) WHERE idempotency_key IS NOT NULL;
        CREATE INDEX jobs_engine ON jobs (engine, internal, seq);
        CREATE INDEX jobs_queued ON jobs (seq, engine, internal, due) WHERE state = 0;
        CREATE INDEX jobs_running ON jobs (leased_until, worker) WHERE state = 1;
        CREATE INDEX jobs_unlucky ON jobs (state, seq) WHERE state >= 3;
        CREATE INDEX jobs_ended ON jobs (expired, finished) WHERE finished IS NOT NULL;

        -- How many jobs stand where, since counting a million rows takes too long.
        CREATE TABLE tallies (
            engine TEXT NOT NULL,
            internal INTEGER NOT NULL,
            state INTEGER NOT NULL,
            jobs INTEGER NOT NULL,
            PRIMARY KEY (engine, internal, state)
        ) WITHOUT ROWID;

        CREATE TABLE deliveries (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice, as receipts name it
            job BLOB NOT NULL UNIQUE,
            engine TEXT NOT NULL,
            visible_at INTEGER NOT NULL,           -- 0: to be had now
            taken INTEGER NOT NULL DEFAULT 0,      -- which delivery this is; an older receipt has no effect
            in_flight INTEGER NOT NULL DEFAULT 0
        );
        CREATE INDEX deliveries_next ON deliveries (visible_at, engine, seq);
        """,
        """
        -- One queue per engine and model, as QueueNames makes their names.
        ALTER TABLE deliveries RENAME COLUMN engine TO queue;
        UPDATE deliveries SET queue = queue || '/' || jobs.model FROM jobs WHERE jobs.id = deliveries.job AND jobs.model IS NOT NULL;
        DROP TABLE tallies;
        CREATE TABLE tallies (
            engine TEXT NOT NULL,
            model TEXT NOT NULL,                   -- empty: none
            internal INTEGER NOT NULL,
            state INTEGER NOT NULL,
            jobs INTEGER NOT NULL,
            PRIMARY KEY (engine, model, internal, state)
        ) WITHOUT ROWID;
        INSERT INTO tallies SELECT engine, COALESCE(model, ''), internal, state, COUNT(*) FROM jobs GROUP BY 1, 2, 3, 4;
        -- What its sender calls the picture.
        ALTER TABLE jobs ADD COLUMN name TEXT;
        """,
        """
        -- Whose, which first, when, who is told, what is known already.
        ALTER TABLE jobs ADD COLUMN tenant TEXT NOT NULL DEFAULT '';
        ALTER TABLE jobs ADD COLUMN submitted_by TEXT;
        ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 1;
        ALTER TABLE jobs ADD COLUMN not_before INTEGER;
        ALTER TABLE jobs ADD COLUMN expires INTEGER;
        ALTER TABLE jobs ADD COLUMN callback_url TEXT;
        ALTER TABLE jobs ADD COLUMN callback_secret TEXT;
        ALTER TABLE jobs ADD COLUMN callback_receiver TEXT;
        ALTER TABLE jobs ADD COLUMN work_key TEXT;
        ALTER TABLE jobs ADD COLUMN answered_from BLOB;
        ALTER TABLE jobs ADD COLUMN model_version TEXT;
        ALTER TABLE jobs ADD COLUMN redrives INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE jobs ADD COLUMN history TEXT;
        DROP INDEX jobs_queued;
        CREATE INDEX jobs_queued ON jobs (seq, engine, model, priority, internal, due, expires) WHERE state = 0;
        CREATE INDEX jobs_answers ON jobs (work_key, tenant, seq) WHERE state = 2 AND work_key IS NOT NULL AND answered_from IS NULL;

        ALTER TABLE deliveries ADD COLUMN priority INTEGER NOT NULL DEFAULT 1;
        DROP INDEX deliveries_next;
        CREATE INDEX deliveries_next ON deliveries (visible_at, queue, priority, seq);

        -- The outbox.
        CREATE TABLE notices (
            seq INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            job BLOB NOT NULL,
            url TEXT NOT NULL,
            secret TEXT,
            receiver TEXT NOT NULL,
            state INTEGER NOT NULL DEFAULT 0,      -- 0 pending, 1 delivered, 2 given up
            due INTEGER NOT NULL,                  -- when it is to be sent, or when whoever has it has had it for too long
            attempts INTEGER NOT NULL DEFAULT 0,
            status INTEGER,
            detail TEXT,
            ended INTEGER
        );
        CREATE INDEX notices_due ON notices (due, receiver) WHERE state = 0;
        CREATE INDEX notices_job ON notices (job);

        -- Whatever ends a job, its notice is written by the same statement.
        CREATE TRIGGER jobs_end AFTER UPDATE OF state ON jobs
        WHEN NEW.state >= 2 AND OLD.state < 2 AND NEW.callback_url IS NOT NULL
        BEGIN
            INSERT INTO notices (id, job, url, secret, receiver, due)
            VALUES (lower(hex(NEW.id)) || CASE NEW.redrives WHEN 0 THEN '' ELSE '~' || NEW.redrives END,
                NEW.id, NEW.callback_url, NEW.callback_secret, NEW.callback_receiver, NEW.finished);
        END;
        CREATE TRIGGER jobs_begin_ended AFTER INSERT ON jobs
        WHEN NEW.state >= 2 AND NEW.callback_url IS NOT NULL
        BEGIN
            INSERT INTO notices (id, job, url, secret, receiver, due)
            VALUES (lower(hex(NEW.id)), NEW.id, NEW.callback_url, NEW.callback_secret, NEW.callback_receiver, NEW.finished);
        END;
        CREATE TRIGGER jobs_gone AFTER DELETE ON jobs WHEN OLD.callback_url IS NOT NULL
        BEGIN
            DELETE FROM notices WHERE job = OLD.id;
        END;
        """,
        """
        -- The store is the queue: jobs are taken straight from their table, and what was asked for is one document.
        DROP TRIGGER jobs_end;
        DROP TRIGGER jobs_begin_ended;
        DROP TRIGGER jobs_gone;
        DROP TABLE deliveries;
        ALTER TABLE jobs RENAME TO jobs_before;
        DROP INDEX jobs_key;
        DROP INDEX jobs_engine;
        DROP INDEX jobs_queued;
        DROP INDEX jobs_running;
        DROP INDEX jobs_unlucky;
        DROP INDEX jobs_ended;
        DROP INDEX jobs_answers;
        CREATE TABLE jobs (
            seq INTEGER PRIMARY KEY,            -- order of acceptance
            id BLOB NOT NULL UNIQUE,
            queue TEXT NOT NULL,                -- as QueueNames makes their names
            engine TEXT NOT NULL,
            tenant TEXT NOT NULL,
            priority INTEGER NOT NULL,
            state INTEGER NOT NULL,
            internal INTEGER NOT NULL,
            isolated INTEGER NOT NULL DEFAULT 0,
            expired INTEGER NOT NULL DEFAULT 0, -- its inputs and outputs are deleted
            fencing_token INTEGER NOT NULL DEFAULT 0,
            attempts INTEGER NOT NULL DEFAULT 0,
            redrives INTEGER NOT NULL DEFAULT 0,
            ticket INTEGER NOT NULL DEFAULT 0,  -- how many had entered its line by then, itself included
            due INTEGER NOT NULL,               -- not started before
            expires INTEGER,                    -- not started after
            created INTEGER NOT NULL,
            started INTEGER,
            finished INTEGER,
            leased_until INTEGER,
            worker TEXT,
            idempotency_key TEXT,
            fingerprint TEXT,
            result_cache_key TEXT,
            cached_from BLOB,
            model_version TEXT,
            submitted_by TEXT,
            callback_url TEXT,
            callback_secret TEXT,
            callback_receiver TEXT,
            spec TEXT NOT NULL,                 -- a JobSpec
            error TEXT,
            timings TEXT,
            result TEXT,
            output TEXT,
            history TEXT
        );
        INSERT INTO jobs (seq, id, queue, engine, tenant, priority, state, internal, isolated, expired, fencing_token, attempts, redrives,
            due, expires, created, started, finished, leased_until, worker, idempotency_key, fingerprint, result_cache_key, cached_from,
            model_version, submitted_by, callback_url, callback_secret, callback_receiver, spec, error, timings, result, output, history)
        SELECT seq, id, engine || CASE WHEN model IS NULL THEN '' ELSE '/' || model END, engine, tenant, priority, state, internal, solo, expired,
            epoch, attempts, redrives, due, expires, created, started, finished, leased_until, worker, idempotency_key, fingerprint, work_key,
            answered_from, model_version, submitted_by, callback_url, callback_secret, callback_receiver,
            json_patch('{}', json_object(
                'engine', engine, 'model', model, 'name', name,
                'inputs', (SELECT json_group_array(json(input)) FROM (
                    SELECT json_object('key', image_key, 'mediaType', CASE image_format
                        WHEN 0 THEN 'image/jpeg' WHEN 1 THEN 'image/png' WHEN 2 THEN 'image/webp' ELSE 'image/gif' END,
                        'bytes', image_bytes, 'sha256', image_sha256) AS input
                    UNION ALL
                    SELECT json_object('key', value ->> 'key', 'mediaType', 'image/' || (value ->> 'format'), 'bytes', value ->> 'bytes', 'sha256', value ->> 'sha256')
                    FROM json_each(options, '$.others') WHERE type = 'object')),
                'parameters', json(CASE engine
                    WHEN 'filter' THEN COALESCE(options -> '$.filter', '{}')
                    WHEN 'annotate' THEN json_object('result', options -> '$.drawing', 'confidence', 0)
                    ELSE json_remove(options, '$.others', '$.filter', '$.drawing') END),
                'priority', CASE priority WHEN 0 THEN 'high' WHEN 2 THEN 'low' ELSE 'normal' END,
                'notBefore', strftime('%Y-%m-%dT%H:%M:%fZ', not_before / 1000000.0, 'unixepoch'),
                'expires', strftime('%Y-%m-%dT%H:%M:%fZ', expires / 1000000.0, 'unixepoch'))),
            error, timings, result, output, history
        FROM jobs_before;
        DROP TABLE jobs_before;
        UPDATE jobs SET ticket = line.place
        FROM (SELECT seq, row_number() OVER (PARTITION BY queue, priority ORDER BY due, seq) AS place FROM jobs WHERE state = 0) AS line
        WHERE jobs.seq = line.seq;

        CREATE UNIQUE INDEX jobs_key ON jobs (idempotency_key) WHERE idempotency_key IS NOT NULL;
        CREATE INDEX jobs_ready ON jobs (queue, priority, due) WHERE state = 0;
        CREATE INDEX jobs_queued ON jobs (seq) WHERE state = 0;
        CREATE INDEX jobs_expires ON jobs (expires) WHERE state = 0 AND expires IS NOT NULL;
        CREATE INDEX jobs_running ON jobs (leased_until, worker) WHERE state = 1;
        CREATE INDEX jobs_engine ON jobs (engine, internal, seq);
        CREATE INDEX jobs_tenant ON jobs (tenant, seq) WHERE tenant <> '';
        CREATE INDEX jobs_unlucky ON jobs (state, seq) WHERE state >= 3;
        CREATE INDEX jobs_dead ON jobs (json_extract(error, '$.code'), seq) WHERE state = 4;
        CREATE INDEX jobs_ended ON jobs (expired, finished) WHERE finished IS NOT NULL;
        CREATE INDEX jobs_cached ON jobs (result_cache_key, tenant, seq) WHERE state = 2 AND result_cache_key IS NOT NULL AND cached_from IS NULL;

        CREATE TRIGGER jobs_end AFTER UPDATE OF state ON jobs
        WHEN NEW.state >= 2 AND OLD.state < 2 AND NEW.callback_url IS NOT NULL
        BEGIN
            INSERT INTO notices (id, job, url, secret, receiver, due)
            VALUES (lower(hex(NEW.id)) || CASE NEW.redrives WHEN 0 THEN '' ELSE '~' || NEW.redrives END,
                NEW.id, NEW.callback_url, NEW.callback_secret, NEW.callback_receiver, NEW.finished);
        END;
        CREATE TRIGGER jobs_begin_ended AFTER INSERT ON jobs
        WHEN NEW.state >= 2 AND NEW.callback_url IS NOT NULL
        BEGIN
            INSERT INTO notices (id, job, url, secret, receiver, due)
            VALUES (lower(hex(NEW.id)), NEW.id, NEW.callback_url, NEW.callback_secret, NEW.callback_receiver, NEW.finished);
        END;
        CREATE TRIGGER jobs_gone AFTER DELETE ON jobs WHEN OLD.callback_url IS NOT NULL
        BEGIN
            DELETE FROM notices WHERE job = OLD.id;
        END;

        -- Which job brought or made a blob that is still kept.
        CREATE TABLE blobs (
            key TEXT PRIMARY KEY,
            job INTEGER NOT NULL
        ) WITHOUT ROWID;
        INSERT OR IGNORE INTO blobs (key, job)
        SELECT input.value ->> 'key', seq FROM jobs, json_each(spec, '$.inputs') AS input WHERE expired = 0 ORDER BY internal, seq;
        INSERT OR IGNORE INTO blobs (key, job) SELECT output, seq FROM jobs WHERE expired = 0 AND output IS NOT NULL;

        -- How many jobs stand where, since counting a million rows takes too long: by state (0 to 5) how many there are;
        -- how many have entered a line (6), left it (7) and ended (8), ever.
        DROP TABLE tallies;
        CREATE TABLE tallies (
            queue TEXT NOT NULL,
            priority INTEGER NOT NULL,
            internal INTEGER NOT NULL,
            kind INTEGER NOT NULL,
            n INTEGER NOT NULL,
            PRIMARY KEY (queue, priority, internal, kind)
        ) WITHOUT ROWID;
        INSERT INTO tallies SELECT queue, priority, internal, state, COUNT(*) FROM jobs GROUP BY 1, 2, 3, 4;
        INSERT INTO tallies SELECT queue, priority, 0, 6, COUNT(*) FROM jobs WHERE state = 0 GROUP BY 1, 2;
        INSERT INTO tallies SELECT queue, priority, 0, 8, COUNT(*) FROM jobs WHERE state >= 2 AND internal = 0 GROUP BY 1, 2;
        """,
        """
        -- A job has any number of notifications, as a JSON list: channel, target, secret, endpoint. One row of the outbox
        -- comes of each when the job ends.
        DROP TRIGGER jobs_end;
        DROP TRIGGER jobs_begin_ended;
        DROP TRIGGER jobs_gone;
        -- Renamed, as adding one and dropping three would copy the table once more.
        ALTER TABLE jobs RENAME COLUMN callback_url TO notify;
        UPDATE jobs SET notify = json_array(json_object(
            'channel', 'webhook', 'target', notify, 'secret', callback_secret, 'endpoint', callback_receiver))
        WHERE notify IS NOT NULL;
        ALTER TABLE jobs DROP COLUMN callback_secret;
        ALTER TABLE jobs DROP COLUMN callback_receiver;

        CREATE TABLE outbox (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice, as a higher one means a new row
            id TEXT NOT NULL UNIQUE,
            job BLOB NOT NULL,
            channel TEXT NOT NULL,
            target TEXT NOT NULL,
            secret TEXT,
            endpoint TEXT NOT NULL,                -- what shares a limit and a circuit
            state INTEGER NOT NULL DEFAULT 0,      -- the numbers of DeliveryState
            due INTEGER NOT NULL,                  -- when it is to be sent, or when its lease is over
            attempts INTEGER NOT NULL DEFAULT 0,
            status INTEGER,
            detail TEXT,
            ended INTEGER
        );
        INSERT INTO outbox (seq, id, job, channel, target, secret, endpoint, state, due, attempts, status, detail, ended)
        SELECT seq, id, job, 'webhook', url, secret, receiver, state, due, attempts, status, detail, ended FROM notices;
        DROP TABLE notices;
        CREATE INDEX outbox_due ON outbox (channel, due, endpoint) WHERE state = 0;
        CREATE INDEX outbox_job ON outbox (job);

        -- Whatever ends a job, its rows of the outbox are written by the same statement.
        CREATE TRIGGER jobs_end AFTER UPDATE OF state ON jobs
        WHEN NEW.state >= 2 AND OLD.state < 2 AND NEW.notify IS NOT NULL
        BEGIN
            INSERT INTO outbox (id, job, channel, target, secret, endpoint, due)
            SELECT lower(hex(NEW.id)) || CASE NEW.redrives WHEN 0 THEN '' ELSE '~' || NEW.redrives END
                    || CASE n.key WHEN 0 THEN '' ELSE '-' || (n.key + 1) END,
                NEW.id, json_extract(n.value, '$.channel'), json_extract(n.value, '$.target'), json_extract(n.value, '$.secret'),
                COALESCE(json_extract(n.value, '$.endpoint'), json_extract(n.value, '$.target')), NEW.finished
            FROM json_each(NEW.notify) AS n;
        END;
        CREATE TRIGGER jobs_begin_ended AFTER INSERT ON jobs
        WHEN NEW.state >= 2 AND NEW.notify IS NOT NULL
        BEGIN
            INSERT INTO outbox (id, job, channel, target, secret, endpoint, due)
            SELECT lower(hex(NEW.id)) || CASE n.key WHEN 0 THEN '' ELSE '-' || (n.key + 1) END,
                NEW.id, json_extract(n.value, '$.channel'), json_extract(n.value, '$.target'), json_extract(n.value, '$.secret'),
                COALESCE(json_extract(n.value, '$.endpoint'), json_extract(n.value, '$.target')), NEW.finished
            FROM json_each(NEW.notify) AS n;
        END;
        CREATE TRIGGER jobs_gone AFTER DELETE ON jobs WHEN OLD.notify IS NOT NULL
        BEGIN
            DELETE FROM outbox WHERE job = OLD.id;
        END;
        """,
        """
        -- What tells this store from all others: places for blobs are marked with it.
        CREATE TABLE store (id TEXT NOT NULL);
        INSERT INTO store VALUES (lower(hex(randomblob(16))));
        """,
        """
        -- Beside the jobs that succeeded: how many of them workers did, ever, and how long that kept lanes busy.
        ALTER TABLE tallies ADD COLUMN served INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE tallies ADD COLUMN seconds REAL NOT NULL DEFAULT 0;
        ALTER TABLE tallies ADD COLUMN squares REAL NOT NULL DEFAULT 0;

        -- Every job that speaks of a blob, so that it is kept for the last of them. Until now the first had it alone, and only
        -- jobs of our own shared any.
        CREATE TABLE blobs_of_jobs (
            key TEXT NOT NULL,
            job INTEGER NOT NULL,
            PRIMARY KEY (key, job)
        ) WITHOUT ROWID;
        INSERT INTO blobs_of_jobs (key, job) SELECT key, job FROM blobs;
        INSERT OR IGNORE INTO blobs_of_jobs (key, job)
        SELECT input.value ->> 'key', seq FROM jobs, json_each(spec, '$.inputs') AS input WHERE internal = 1 AND expired = 0;
        DROP TABLE blobs;
        ALTER TABLE blobs_of_jobs RENAME TO blobs;
        """,
        """
        -- A trigger costs every statement that may fire it: now only those that end a job, and a job that begins ended is
        -- one that is ended right away.
        DROP TRIGGER jobs_end;
        DROP TRIGGER jobs_begin_ended;
        CREATE TRIGGER jobs_end AFTER UPDATE OF finished ON jobs
        WHEN NEW.state >= 2 AND OLD.state < 2 AND NEW.notify IS NOT NULL
        BEGIN
            INSERT INTO outbox (id, job, channel, target, secret, endpoint, due)
            SELECT lower(hex(NEW.id)) || CASE NEW.redrives WHEN 0 THEN '' ELSE '~' || NEW.redrives END
                    || CASE n.key WHEN 0 THEN '' ELSE '-' || (n.key + 1) END,
                NEW.id, json_extract(n.value, '$.channel'), json_extract(n.value, '$.target'), json_extract(n.value, '$.secret'),
                COALESCE(json_extract(n.value, '$.endpoint'), json_extract(n.value, '$.target')), NEW.finished
            FROM json_each(NEW.notify) AS n;
        END;

        -- Blobs by what comes after their folder, which begins with the time: new ones are added at the end of the table.
        CREATE TABLE blobs_by_name (
            name TEXT NOT NULL,                 -- as BlobName makes it of a key
            job INTEGER NOT NULL,
            PRIMARY KEY (name, job)
        ) WITHOUT ROWID;
        INSERT INTO blobs_by_name (name, job)
        SELECT substr(key, length(folder) + 1) || '/' || rtrim(folder, '/'), job
        FROM (SELECT key, job, rtrim(key, replace(key, '/', '')) AS folder FROM blobs) ORDER BY 1, 2;
        DROP TABLE blobs;
        ALTER TABLE blobs_by_name RENAME TO blobs;
        """,
        """
        -- One index leads to each list of a tenant, an engine and a state; the row's number, by which lists are ordered, ends
        -- every key. Jobs that run are few and have an index already.
        DROP INDEX jobs_engine;
        DROP INDEX jobs_tenant;
        DROP INDEX jobs_queued;
        DROP INDEX jobs_running;
        DROP INDEX jobs_unlucky;
        DROP INDEX jobs_dead;
        DROP INDEX jobs_cached;
        CREATE INDEX jobs_running ON jobs (leased_until) WHERE state = 1;
        CREATE INDEX jobs_list ON jobs (tenant, engine, state) WHERE state <> 1 AND internal = 0;
        CREATE INDEX jobs_list_error ON jobs (tenant, json_extract(error, '$.code'), engine, state) WHERE error IS NOT NULL AND internal = 0 AND state <> 1;
        CREATE INDEX jobs_dead ON jobs (tenant, coalesce(json_extract(error, '$.code'), ''), finished) WHERE error IS NOT NULL AND state = 4 AND expired = 0;
        CREATE INDEX jobs_cached ON jobs (result_cache_key, tenant, model_version) WHERE result_cache_key IS NOT NULL AND state = 2 AND cached_from IS NULL;
        """,
        """
        -- Messages that doors took in and that are not dealt with yet; and for a while those that are, so that none is taken in
        -- twice. The first of a conversation has a time at which it is due; the others wait for it.
        CREATE TABLE inbox (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            box TEXT NOT NULL,
            id TEXT NOT NULL,
            conversation TEXT NOT NULL,
            batch TEXT,
            body TEXT NOT NULL,
            received INTEGER NOT NULL,
            ready INTEGER NOT NULL,                -- not dealt with before
            due INTEGER,                           -- when it is to be taken, or its lease is over; null behind another one
            receipt INTEGER,                       -- names the lease while it is leased
            ended INTEGER NOT NULL DEFAULT 0,
            attempts INTEGER NOT NULL DEFAULT 0,
            notes TEXT,
            claimant TEXT,
            UNIQUE (box, id)
        );
        CREATE INDEX inbox_due ON inbox (box, due) WHERE due IS NOT NULL;
        CREATE INDEX inbox_waiting ON inbox (box, conversation, seq) WHERE ended = 0;
        CREATE INDEX inbox_batch ON inbox (box, batch, seq) WHERE batch IS NOT NULL;
        CREATE INDEX inbox_ended ON inbox (received) WHERE ended = 1;
        CREATE TABLE inbox_holds (
            box TEXT NOT NULL,
            conversation TEXT NOT NULL,
            until INTEGER NOT NULL,
            PRIMARY KEY (box, conversation)
        ) WITHOUT ROWID;
        """,
    ];

    /// <summary>Brings a file to the present layout, one step per version.</summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.StoreUnavailable"/>: the file is newer than this program.</exception>
    public static void Update(SqliteConnection connection) => Update(connection, Steps.Length);

    /// <summary>See <see cref="Backend.StoreId"/>.</summary>
    public static string StoreId(SqliteConnection connection)
    {
        using var select = connection.Prepare("SELECT id FROM store");
        return select.Step() ? select.Text(0) : throw new SpotterException(ErrorCodes.StoreUnavailable, "The job store has lost its id (the table 'store' is empty); restore the job store from a backup.");
    }

    /// <summary>Brings a file to the layout of an earlier program, for tests of what becomes of it.</summary>
    internal static void Update(SqliteConnection connection, int newest)
    {
        var version = (int)connection.Scalar("PRAGMA user_version");
        if (version > Steps.Length)
        {
            throw new SpotterException(ErrorCodes.StoreUnavailable,
                $"The job store is of version {version}, this program knows {Steps.Length}; use a newer program or another data folder.");
        }
        for (; version < newest; version++)
            connection.ExecuteScript($"BEGIN IMMEDIATE; {Steps[version]}; PRAGMA user_version = {version + 1}; COMMIT");
    }
}
