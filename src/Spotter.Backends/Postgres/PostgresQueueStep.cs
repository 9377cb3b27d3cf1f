namespace Spotter.Backends.Postgres;

/// <summary>The step of the schema by which jobs are taken straight from their table, and what was asked for is one document.</summary>
internal static class PostgresQueueStep
{
    public const string Sql = """
        DROP FUNCTION take_deliveries(text[], integer, integer, integer, bigint, bigint);
        DROP TABLE deliveries;
        DROP SEQUENCE receipts;
        DROP INDEX jobs_newest, jobs_engine, jobs_queued, jobs_waiting, jobs_due, jobs_running, jobs_unlucky, jobs_answers;

        ALTER TABLE jobs RENAME COLUMN epoch TO fencing_token;
        ALTER TABLE jobs RENAME COLUMN solo TO isolated;
        ALTER TABLE jobs RENAME COLUMN work_key TO result_cache_key;
        ALTER TABLE jobs RENAME COLUMN answered_from TO cached_from;
        ALTER TABLE jobs ADD COLUMN spec text;                          -- a JobSpec
        ALTER TABLE jobs ADD COLUMN ticket bigint NOT NULL DEFAULT 0;   -- how many had entered its line by then, itself included

        ALTER TABLE jobs ADD COLUMN input_keys text[];                  -- those of its inputs
        ALTER TABLE jobs ADD COLUMN error_code text;                    -- of its error

        -- No more of what was sent is read as JSON than has to be: a character of the code 0 in it is more than the server takes.
        UPDATE jobs j SET
            spec = '{"engine":' || to_json(engine) || coalesce(',"model":' || to_json(model), '') || coalesce(',"name":' || to_json(name), '')
                || ',"inputs":' || i.inputs || ',"parameters":' || CASE engine
                    WHEN 'filter' THEN coalesce(substring(options FROM '"filter":(\{[^}]*\})'), '{}')
                    WHEN 'annotate' THEN '{"result":' || coalesce(substring(options FROM ',"drawing":(\{.*\})\}$'), 'null') || ',"confidence":0}'
                    ELSE regexp_replace(options, ',"others":(null|\[[^]]*\])', '') END
                || ',"priority":' || (ARRAY['"high"', '"normal"', '"low"'])[priority + 1]
                || coalesce(',"notBefore":' || to_json(to_char(timestamp 'epoch' + not_before * interval '1 microsecond', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')), '')
                || coalesce(',"expires":' || to_json(to_char(timestamp 'epoch' + expires * interval '1 microsecond', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')), '')
                || '}',
            input_keys = i.keys,
            error_code = substring(error FROM '"code":"([^"]*)"')
        FROM (
            SELECT id, json_agg(input ORDER BY nth) AS inputs, array_agg(input ->> 'key' ORDER BY nth) AS keys FROM (
                SELECT id, 0 AS nth, json_build_object(
                    'key', image_key, 'mediaType', (ARRAY['image/jpeg', 'image/png', 'image/webp', 'image/gif'])[image_format + 1],
                    'bytes', image_bytes, 'sha256', image_sha256) AS input
                FROM jobs
                UNION ALL
                SELECT id, nth, json_build_object(
                    'key', other -> 'key', 'mediaType', 'image/' || (other ->> 'format'), 'bytes', other -> 'bytes', 'sha256', other -> 'sha256')
                FROM jobs CROSS JOIN LATERAL json_array_elements(substring(options FROM ',"others":(\[[^]]*\])')::json) WITH ORDINALITY AS o (other, nth)) AS each
            GROUP BY id) AS i
        WHERE j.id = i.id;
        UPDATE jobs j SET ticket = line.place
        FROM (SELECT id, row_number() OVER (PARTITION BY queue, priority ORDER BY due, seq) AS place FROM jobs WHERE state = 0) AS line
        WHERE j.id = line.id;
        ALTER TABLE jobs ALTER COLUMN spec SET NOT NULL, ALTER COLUMN input_keys SET NOT NULL,
            DROP COLUMN model, DROP COLUMN name, DROP COLUMN not_before, DROP COLUMN options,
            DROP COLUMN image_key, DROP COLUMN image_format, DROP COLUMN image_bytes, DROP COLUMN image_sha256;

        -- Each list and each way to take has one index, and a query says the condition of its own only: from old statistics
        -- the planner would take one index for as good as another, and then look through all that wait.
        CREATE INDEX jobs_ready ON jobs (queue, priority, due, seq) WHERE state = 0;
        CREATE INDEX jobs_running ON jobs (seq) WHERE state = 1;
        CREATE INDEX jobs_dead ON jobs (finished) WHERE state = 4;
        CREATE INDEX jobs_dead_of ON jobs (error_code, finished) WHERE state = 4;
        CREATE INDEX jobs_list ON jobs (state, seq) WHERE NOT internal;
        CREATE INDEX jobs_list_engine ON jobs (engine, state, seq) WHERE internal IS NOT TRUE;
        CREATE INDEX jobs_list_tenant ON jobs (tenant, state, seq) WHERE internal IS NOT TRUE AND tenant <> '';
        CREATE INDEX jobs_list_dead ON jobs (error_code, seq) WHERE state = 4 AND internal IS NOT TRUE;
        CREATE INDEX jobs_cached ON jobs (result_cache_key, tenant, seq) WHERE state = 2 AND result_cache_key IS NOT NULL AND cached_from IS NULL;

        -- Of a long queue the taken ones lie before all others in their index, until they are cleaned up after.
        ALTER TABLE jobs SET (autovacuum_vacuum_scale_factor = 0.02);

        -- The blobs that jobs speak of, until they are expired.
        CREATE TABLE blobs (
            key text,
            job uuid,
            PRIMARY KEY (key, job)
        );
        INSERT INTO blobs (key, job)
        SELECT DISTINCT k.key, j.id FROM jobs j CROSS JOIN LATERAL unnest(j.input_keys || j.output) AS k (key) WHERE NOT j.expired AND k.key IS NOT NULL;

        -- How many jobs stand where, as sums of changes: every writer adds rows of its own, so that nobody waits for
        -- anybody else's, and they are folded into few from time to time. Whoever has entered a line and not departed waits.
        DROP TABLE tallies;
        CREATE TABLE tallies (
            queue text NOT NULL,
            priority smallint NOT NULL,
            internal boolean NOT NULL,
            entered bigint NOT NULL,                   -- ever, as are those that departed and those that ended
            departed bigint NOT NULL,
            running bigint NOT NULL,
            succeeded bigint NOT NULL,
            failed bigint NOT NULL,
            dead bigint NOT NULL,
            cancelled bigint NOT NULL,
            ended bigint NOT NULL
        );
        ALTER TABLE tallies SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);
        INSERT INTO tallies
        SELECT queue, priority, internal, count(*) FILTER (WHERE state = 0), 0, count(*) FILTER (WHERE state = 1),
            count(*) FILTER (WHERE state = 2), count(*) FILTER (WHERE state = 3), count(*) FILTER (WHERE state = 4),
            count(*) FILTER (WHERE state = 5), count(*) FILTER (WHERE state >= 2)
        FROM jobs GROUP BY queue, priority, internal;
        ANALYZE jobs, blobs;
        """;
}
