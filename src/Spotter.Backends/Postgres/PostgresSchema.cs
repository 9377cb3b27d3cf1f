using Npgsql;
using Spotter.Core;

namespace Spotter.Backends.Postgres;

/// <summary>The tables. Times are microseconds since 1970; states are the numbers of <c>JobState</c>.</summary>
internal static class PostgresSchema
{
    private static readonly string[] Steps =
    [
        """
        CREATE TABLE jobs (
            id uuid PRIMARY KEY,
            seq bigint GENERATED ALWAYS AS IDENTITY,   -- order of acceptance
            engine text NOT NULL,
            model text,
            queue text NOT NULL,                       -- what QueueNames makes of both
            name text,
            tenant text NOT NULL,
            submitted_by text,
            priority smallint NOT NULL,
            state smallint NOT NULL DEFAULT 0,
            internal boolean NOT NULL,
            solo boolean NOT NULL DEFAULT false,
            expired boolean NOT NULL DEFAULT false,    -- its pictures are deleted
            epoch integer NOT NULL DEFAULT 0,
            attempts integer NOT NULL DEFAULT 0,
            redrives integer NOT NULL DEFAULT 0,
            not_before bigint,
            due bigint NOT NULL,                       -- not started before
            expires bigint,                            -- not started after
            created bigint NOT NULL,
            started bigint,
            finished bigint,
            leased_until bigint,
            worker text,
            idempotency_key text,
            fingerprint text,
            work_key text,
            answered_from uuid,
            model_version text,
            image_key text NOT NULL,
            image_format smallint NOT NULL,
            image_bytes bigint NOT NULL,
            image_sha256 text NOT NULL,
            output text,
            options text NOT NULL,
            error text,
            timings text,
            result text,
            history text,
            callback_url text,
            callback_secret text,
            callback_receiver text
        );
        CREATE UNIQUE INDEX jobs_key ON jobs (idempotency_key) WHERE idempotency_key IS NOT NULL;
        CREATE INDEX jobs_newest ON jobs (seq);
        CREATE INDEX jobs_engine ON jobs (engine, seq);
        CREATE INDEX jobs_queued ON jobs (queue, priority, seq) WHERE state = 0;
        CREATE INDEX jobs_waiting ON jobs (seq) WHERE state = 0;
        CREATE INDEX jobs_due ON jobs (due) WHERE state = 0;
        CREATE INDEX jobs_expires ON jobs (expires) WHERE state = 0 AND expires IS NOT NULL;
        CREATE INDEX jobs_running ON jobs (leased_until) WHERE state = 1;
        CREATE INDEX jobs_unlucky ON jobs (state, seq) WHERE state >= 3;
        CREATE INDEX jobs_ended ON jobs (expired, finished) WHERE finished IS NOT NULL;
        CREATE INDEX jobs_answers ON jobs (work_key, tenant, seq) WHERE state = 2 AND work_key IS NOT NULL AND answered_from IS NULL;

        -- The outbox.
        CREATE TABLE notices (
            id text PRIMARY KEY,
            seq bigint GENERATED ALWAYS AS IDENTITY,
            job uuid NOT NULL,
            url text NOT NULL,
            secret text,
            receiver text NOT NULL,
            state smallint NOT NULL DEFAULT 0,         -- 0 pending, 1 delivered, 2 given up
            due bigint NOT NULL,                       -- when it is to be sent, or when whoever has it has had it for too long
            attempts integer NOT NULL DEFAULT 0,
            status integer,
            detail text,
            ended bigint
        );
        CREATE INDEX notices_due ON notices (due, receiver) WHERE state = 0;
        CREATE INDEX notices_job ON notices (job);

        -- Whatever ends a job, its notice is written by the same statement.
        CREATE FUNCTION note_end() RETURNS trigger LANGUAGE plpgsql AS $function$
        BEGIN
            INSERT INTO notices (id, job, url, secret, receiver, due)
            VALUES (replace(NEW.id::text, '-', '') || CASE NEW.redrives WHEN 0 THEN '' ELSE '~' || NEW.redrives END,
                NEW.id, NEW.callback_url, NEW.callback_secret, NEW.callback_receiver, NEW.finished);
            RETURN NULL;
        END
        $function$;
        CREATE TRIGGER jobs_end AFTER UPDATE OF state ON jobs FOR EACH ROW
            WHEN (NEW.state >= 2 AND OLD.state < 2 AND NEW.callback_url IS NOT NULL) EXECUTE FUNCTION note_end();
        CREATE TRIGGER jobs_begin_ended AFTER INSERT ON jobs FOR EACH ROW
            WHEN (NEW.state >= 2 AND NEW.callback_url IS NOT NULL) EXECUTE FUNCTION note_end();
        CREATE FUNCTION forget_notices() RETURNS trigger LANGUAGE plpgsql AS $function$
        BEGIN
            DELETE FROM notices WHERE job = OLD.id;
            RETURN NULL;
        END
        $function$;
        CREATE TRIGGER jobs_gone AFTER DELETE ON jobs FOR EACH ROW
            WHEN (OLD.callback_url IS NOT NULL) EXECUTE FUNCTION forget_notices();

        -- How many jobs stand where, as sums of changes: every writer adds rows of its own, so that nobody waits for
        -- anybody else's, and they are folded into few from time to time.
        CREATE TABLE tallies (
            engine text NOT NULL,
            model text NOT NULL,                       -- empty: none
            internal boolean NOT NULL,
            state smallint NOT NULL,
            jobs bigint NOT NULL
        );

        -- The queue. What it says may be lost: the jobs know better.
        CREATE SEQUENCE receipts;
        CREATE TABLE deliveries (
            job uuid PRIMARY KEY,
            queue text NOT NULL,
            priority smallint NOT NULL,
            visible_at bigint NOT NULL,                -- to be had from then on
            seq bigint GENERATED ALWAYS AS IDENTITY,
            receipt bigint NOT NULL DEFAULT 0,         -- which delivery this is; an older one has no effect
            in_flight boolean NOT NULL DEFAULT false
        );
        CREATE INDEX deliveries_next ON deliveries (queue, priority, visible_at, seq);

        -- Rows of these are short-lived: they are cleaned up after often, and a little at a time.
        ALTER TABLE deliveries SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);
        ALTER TABLE tallies SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);
        ALTER TABLE jobs SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 1);

        -- Takes what is to be had: so many that begin with the highest level of priority, with the middle one, with the
        -- lowest one. Within a level the queue goes first whose turn is longest due. When it is less than wanted, the last
        -- row says when the next one becomes available.
        CREATE FUNCTION take_deliveries(queues text[], urgent integer, middle integer, lowest integer, now_at bigint, until_at bigint)
        RETURNS TABLE (o_job uuid, o_queue text, o_receipt bigint, o_seq bigint, o_next bigint)
        LANGUAGE plpgsql AS $function$
        DECLARE
            wants CONSTANT integer[] := ARRAY[lowest, middle, urgent];
            orders CONSTANT smallint[] := ARRAY[2, 1, 0, 1, 0, 2, 0, 1, 2];
            level smallint;
            head record;
            wanted integer;
            more integer;
            missing integer := 0;
        BEGIN
            FOR turn IN 1..3 LOOP
                wanted := wants[turn];
                FOR place IN 1..3 LOOP
                    EXIT WHEN wanted = 0;
                    level := orders[3 * turn - 3 + place];
                    FOR head IN
                        SELECT q.name FROM unnest(queues) AS q(name)
                        CROSS JOIN LATERAL (
                            SELECT d.visible_at, d.seq FROM deliveries d
                            WHERE d.queue = q.name AND d.priority = level AND d.visible_at <= now_at
                            ORDER BY d.visible_at, d.seq LIMIT 1) AS first
                        ORDER BY first.visible_at, first.seq
                    LOOP
                        RETURN QUERY
                            WITH next AS MATERIALIZED (
                                SELECT d.job FROM deliveries d
                                WHERE d.queue = head.name AND d.priority = level AND d.visible_at <= now_at
                                ORDER BY d.visible_at, d.seq LIMIT wanted FOR UPDATE SKIP LOCKED)
                            UPDATE deliveries d SET visible_at = until_at, receipt = nextval('receipts'), in_flight = true
                            FROM next WHERE d.job = next.job
                            RETURNING d.job, d.queue, d.receipt, d.seq, NULL::bigint;
                        GET DIAGNOSTICS more = ROW_COUNT;
                        wanted := wanted - more;
                        EXIT WHEN wanted = 0;
                    END LOOP;
                END LOOP;
                missing := missing + wanted;
            END LOOP;
            IF missing > 0 THEN
                RETURN QUERY
                    SELECT NULL::uuid, NULL::text, NULL::bigint, NULL::bigint, min(first.visible_at)
                    FROM unnest(queues) AS q(name) CROSS JOIN generate_series(0, 2) AS l(priority)
                    CROSS JOIN LATERAL (
                        SELECT d.visible_at FROM deliveries d
                        WHERE d.queue = q.name AND d.priority = l.priority AND d.visible_at > now_at
                        ORDER BY d.visible_at LIMIT 1) AS first
                    HAVING min(first.visible_at) IS NOT NULL;
            END IF;
        END
        $function$;
        """,
        PostgresQueueStep.Sql,
        """
        -- Who scales which pool of workers, and until when unless it says so again.
        CREATE TABLE controllers (
            pool text PRIMARY KEY,
            holder text NOT NULL,
            until bigint NOT NULL
        );
        """,
        """
        -- A job has any number of notifications, as a JSON list: channel, target, secret, endpoint. One row of the outbox
        -- comes of each when the job ends.
        DROP TRIGGER jobs_end ON jobs;
        DROP TRIGGER jobs_begin_ended ON jobs;
        DROP TRIGGER jobs_gone ON jobs;
        DROP FUNCTION note_end();
        DROP FUNCTION forget_notices();
        ALTER TABLE jobs ADD COLUMN notify text;
        UPDATE jobs SET notify = json_build_array(json_build_object(
            'channel', 'webhook', 'target', callback_url, 'secret', callback_secret, 'endpoint', callback_receiver))::text
        WHERE callback_url IS NOT NULL;
        ALTER TABLE jobs DROP COLUMN callback_url, DROP COLUMN callback_secret, DROP COLUMN callback_receiver;

        ALTER TABLE notices RENAME TO outbox;
        ALTER TABLE outbox RENAME COLUMN url TO target;
        ALTER TABLE outbox RENAME COLUMN receiver TO endpoint;
        ALTER TABLE outbox ADD COLUMN channel text NOT NULL DEFAULT 'webhook';
        ALTER TABLE outbox ALTER COLUMN channel DROP DEFAULT;
        DROP INDEX notices_due;
        CREATE INDEX outbox_due ON outbox (channel, due, endpoint) WHERE state = 0;
        ALTER INDEX notices_job RENAME TO outbox_job;

        -- Whatever ends a job, its rows of the outbox are written by the same statement.
        CREATE FUNCTION fill_outbox() RETURNS trigger LANGUAGE plpgsql AS $function$
        BEGIN
            INSERT INTO outbox (id, job, channel, target, secret, endpoint, due)
            SELECT replace(NEW.id::text, '-', '') || CASE NEW.redrives WHEN 0 THEN '' ELSE '~' || NEW.redrives END
                    || CASE n.nth WHEN 1 THEN '' ELSE '-' || n.nth END,
                NEW.id, n.value ->> 'channel', n.value ->> 'target', n.value ->> 'secret',
                coalesce(n.value ->> 'endpoint', n.value ->> 'target'), NEW.finished
            FROM json_array_elements(NEW.notify::json) WITH ORDINALITY AS n (value, nth) ORDER BY n.nth;
            RETURN NULL;
        END
        $function$;
        CREATE TRIGGER jobs_end AFTER UPDATE OF state ON jobs FOR EACH ROW
            WHEN (NEW.state >= 2 AND OLD.state < 2 AND NEW.notify IS NOT NULL) EXECUTE FUNCTION fill_outbox();
        CREATE TRIGGER jobs_begin_ended AFTER INSERT ON jobs FOR EACH ROW
            WHEN (NEW.state >= 2 AND NEW.notify IS NOT NULL) EXECUTE FUNCTION fill_outbox();
        CREATE FUNCTION empty_outbox() RETURNS trigger LANGUAGE plpgsql AS $function$
        BEGIN
            DELETE FROM outbox WHERE job = OLD.id;
            RETURN NULL;
        END
        $function$;
        CREATE TRIGGER jobs_gone AFTER DELETE ON jobs FOR EACH ROW
            WHEN (OLD.notify IS NOT NULL) EXECUTE FUNCTION empty_outbox();
        """,
        """
        -- What tells this store from all others: places for blobs are marked with it.
        CREATE TABLE store (id text NOT NULL);
        INSERT INTO store VALUES (replace(gen_random_uuid()::text, '-', ''));
        """,
        """
        -- How many jobs workers did, ever, and how long that kept lanes busy.
        ALTER TABLE tallies ADD COLUMN served bigint NOT NULL DEFAULT 0,
            ADD COLUMN seconds double precision NOT NULL DEFAULT 0, ADD COLUMN squares double precision NOT NULL DEFAULT 0;
        """,
        """
        -- Which models the workers of each gateway have, as a JSON list, and until when unless it says so again.
        CREATE TABLE gateways (
            name text PRIMARY KEY,
            models text NOT NULL,
            said bigint NOT NULL,
            until bigint NOT NULL
        );
        """,
        """
        -- One index leads to each list of a tenant, an engine and a state.
        DROP INDEX jobs_list, jobs_list_engine, jobs_list_tenant, jobs_list_dead, jobs_dead, jobs_dead_of, jobs_cached;
        CREATE INDEX jobs_list ON jobs (tenant, engine, state, seq) WHERE NOT internal;
        CREATE INDEX jobs_list_error ON jobs (tenant, error_code, engine, state, seq) WHERE internal IS NOT TRUE AND error_code IS NOT NULL;
        CREATE INDEX jobs_dead ON jobs (tenant, coalesce(error_code, ''), finished) WHERE state = 4 AND NOT expired;
        CREATE INDEX jobs_cached ON jobs (result_cache_key, tenant, model_version, seq) WHERE state = 2 AND result_cache_key IS NOT NULL AND cached_from IS NULL;
        """,
        """
        -- Messages that doors took in and that are not dealt with yet; and for a while those that are, so that none is taken in
        -- twice. The first of a conversation has a time at which it is due; the others wait for it.
        CREATE TABLE inbox (
            seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            box text NOT NULL,
            id text NOT NULL,
            conversation text NOT NULL,
            batch text,
            body text NOT NULL,
            received bigint NOT NULL,
            ready bigint NOT NULL,                     -- not dealt with before
            due bigint,                                -- when it is to be taken, or its lease is over; null behind another one
            receipt bigint,                            -- names the lease while it is leased
            ended boolean NOT NULL DEFAULT false,
            attempts integer NOT NULL DEFAULT 0,
            notes text,
            claimant text,
            UNIQUE (box, id)
        );
        CREATE INDEX inbox_due ON inbox (box, due, seq) WHERE due IS NOT NULL;
        CREATE INDEX inbox_waiting ON inbox (box, conversation, seq) WHERE NOT ended;
        CREATE INDEX inbox_batch ON inbox (box, batch, seq) WHERE batch IS NOT NULL;
        CREATE INDEX inbox_ended ON inbox (received) WHERE ended;
        CREATE TABLE inbox_holds (
            box text NOT NULL,
            conversation text NOT NULL,
            until bigint NOT NULL,
            PRIMARY KEY (box, conversation)
        );
        """,
    ];

    /// <summary>The version that this program makes of a database.</summary>
    public static int Newest => Steps.Length;

    /// <summary>
    /// Brings the schema to the present layout. Several programs may begin at once: one does it and the others wait.
    /// </summary>
    /// <exception cref="SpotterException"><see cref="ErrorCodes.StoreUnavailable"/>: the schema is newer than this program.</exception>
    public static void Update(NpgsqlConnection connection, string schema) => Update(connection, schema, Newest);

    /// <summary>See <see cref="Backend.StoreId"/>.</summary>
    public static string StoreId(NpgsqlConnection connection, string schema) =>
        Scalar(connection, $"SELECT id FROM {schema}.store") as string
        ?? throw new SpotterException(ErrorCodes.StoreUnavailable, $"The job store in schema '{schema}' has lost its id (the table 'store' is empty); restore the job store from a backup.");

    /// <summary>Brings it to the layout of an earlier program, for tests of what becomes of it.</summary>
    internal static void Update(NpgsqlConnection connection, string schema, int newest)
    {
        if (VersionOf(connection, schema) == newest)
            return;
        using var transaction = connection.BeginTransaction();
        // Whoever is before us may have much to change.
        Run(connection, "SET LOCAL lock_timeout = '10min'; SET LOCAL statement_timeout = '10min'");
        Run(connection, $"SELECT pg_advisory_xact_lock(hashtextextended('{schema} schema of spotter', 0))");
        var version = VersionOf(connection, schema);
        if (version > newest)
        {
            throw new SpotterException(ErrorCodes.StoreUnavailable,
                $"The job store in schema '{schema}' is of version {version}, this program knows {newest}; use a newer program or another schema.");
        }
        if (version is null)
        {
            // Asked first, since a user who may not make schemas can still use one that is there.
            if (Scalar(connection, $"SELECT 1 FROM pg_namespace WHERE nspname = '{schema}'") is null)
                Run(connection, $"CREATE SCHEMA {schema}");
            Run(connection, $"CREATE TABLE {schema}.version (version integer NOT NULL); INSERT INTO {schema}.version VALUES (0)");
        }
        for (var next = version ?? 0; next < newest; next++)
            Run(connection, Steps[next]);
        Run(connection, $"UPDATE {schema}.version SET version = {newest}");
        transaction.Commit();
    }

    /// <summary>The version of a schema; null when it is not Spotter's yet.</summary>
    private static int? VersionOf(NpgsqlConnection connection, string schema) =>
        // Asked of the catalogue itself: what a session remembers of a name it once looked up in vain may be out of date.
        Scalar(connection, $"SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = '{schema}' AND c.relname = 'version'") is null
            ? null
            : Scalar(connection, $"SELECT version FROM {schema}.version") as int?;

    private static object? Scalar(NpgsqlConnection connection, string sql)
    {
        using var command = Command(connection, sql);
        return command.ExecuteScalar() is { } value and not DBNull ? value : null;
    }

    private static void Run(NpgsqlConnection connection, string sql)
    {
        using var command = Command(connection, sql);
        command.CommandTimeout = 600;
        command.ExecuteNonQuery();
    }

    // The statements are this file's own and a schema name that was checked.
#pragma warning disable CA2100
    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql) => new(sql, connection);
#pragma warning restore CA2100
}
