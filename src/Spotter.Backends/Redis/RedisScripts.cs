namespace Spotter.Backends.Redis;

/// <summary>
/// The scripts; each is done at once or not at all. An id is either among the jobs that wait (<c>spotter:jobs</c>), and then in the list and a
/// sorted set of its queue when it is due or in the sorted set of those that are not, or among those that were delivered
/// (<c>spotter:leased</c>, by the time until which they are hidden). Sorted sets have the order; the list is what others read, and in no order,
/// so that an id leaves it from wherever it is: one of its ends takes its place.
/// </summary>
internal static class RedisScripts
{
    /// <summary>Rows that one call of a script moves at most, so that it holds nobody up for long.</summary>
    public const int MostMoved = 1000;

    /// <summary>Stands for no deadline.</summary>
    public const long Never = 999_999_999_999_999_999;

    /// <summary>Digits of times and tickets, so that texts are in the order of their numbers.</summary>
    public const string Digits = "D18";

    /// <summary>Says whose lists these are.</summary>
    public const string Store = "spotter:store";

    /// <summary>The jobs that wait.</summary>
    public const string Jobs = "spotter:jobs";

    /// <summary>
    /// Begins every script. Its arguments are the store's id and the time. Where another store has the lists, nothing is done; where nobody says
    /// whose they are, they were lost, and may not be whole.
    /// </summary>
    private const string Begin = """
        local STORE, JOBS, LEASED, HEADS, NEXT, EXPIRING, QUEUES = 'spotter:store', 'spotter:jobs', 'spotter:leased', 'spotter:heads', 'spotter:next', 'spotter:expiring', 'spotter:queues'
        local NEVER = '999999999999999999'
        local store, now = ARGV[1], ARGV[2]
        local status = redis.call('GET', STORE)
        if not status then status = 'lost' elseif status == store then status = 'whole' else return {'other'} end

        local function list(queue) return '__engine_pending_list_' .. queue .. '__' end
        local function ready(queue, level) return 'spotter:ready:' .. level .. ':' .. queue end
        local function delayed(queue) return 'spotter:delayed:' .. queue end

        -- Of a job that waits: ticket, due, expires, level, place in the list, queue. The place counts from the first that ever was in the list; one that is not in it has none.
        local function read(value)
            return {ticket = value:sub(1, 18), due = value:sub(19, 36), expires = value:sub(37, 54), level = value:sub(55, 55), place = tonumber(value:sub(56, 71)), queue = value:sub(72)}
        end
        local function placed(value, place) return value:sub(1, 55) .. string.format('%016.0f', place) .. value:sub(72) end

        local function enlist(id, value, job)
            local length = redis.call('RPUSH', list(job.queue), id)
            local head = 0
            if length == 1 then
                redis.call('HSET', HEADS, job.queue, 0)
                redis.call('SADD', QUEUES, job.queue)
            else
                head = tonumber(redis.call('HGET', HEADS, job.queue)) or 0
            end
            redis.call('HSET', JOBS, id, placed(value, head + length - 1))
            redis.call('ZADD', ready(job.queue, job.level), job.due, job.ticket .. id)
        end

        local function unlist(job)
            local key, head = list(job.queue), tonumber(redis.call('HGET', HEADS, job.queue))
            local length = redis.call('LLEN', key)
            local at = head and job.place - head
            -- Somebody else has changed the list, which is noticed when they are counted.
            if not at or at < 0 or at >= length then return end
            if at == length - 1 then
                redis.call('RPOP', key)
            elseif at == 0 then
                redis.call('LPOP', key)
                redis.call('HSET', HEADS, job.queue, head + 1)
            else
                local other
                if at < length / 2 then
                    other = redis.call('LPOP', key)
                    redis.call('HSET', HEADS, job.queue, head + 1)
                    redis.call('LSET', key, at - 1, other)
                else
                    other = redis.call('RPOP', key)
                    redis.call('LSET', key, at, other)
                end
                local value = redis.call('HGET', JOBS, other)
                if value then redis.call('HSET', JOBS, other, placed(value, job.place)) end
            end
            if length == 1 then redis.call('HDEL', HEADS, job.queue) end
        end

        local function setNext(queue)
            local first = redis.call('ZRANGE', delayed(queue), 0, 0, 'WITHSCORES')
            if first[2] then redis.call('ZADD', NEXT, first[2], queue) else redis.call('ZREM', NEXT, queue) end
        end

        local function drop(id)
            redis.call('ZREM', LEASED, id)
            local value = redis.call('HGET', JOBS, id)
            if not value then return end
            local job = read(value)
            if job.place then
                redis.call('ZREM', ready(job.queue, job.level), job.ticket .. id)
                unlist(job)
            else
                redis.call('ZREM', delayed(job.queue), job.ticket .. id)
                setNext(job.queue)
            end
            redis.call('HDEL', JOBS, id)
            if job.expires ~= NEVER then redis.call('ZREM', EXPIRING, id) end
        end

        local function put(id, value)
            local job = read(value)
            if job.expires <= now then return end
            if job.expires ~= NEVER then redis.call('ZADD', EXPIRING, job.expires, id) end
            if job.due <= now then
                enlist(id, value, job)
            else
                redis.call('HSET', JOBS, id, value)
                redis.call('ZADD', delayed(job.queue), job.due, job.ticket .. id)
                redis.call('SADD', QUEUES, job.queue)
                setNext(job.queue)
            end
        end

        local function promote(queue, limit)
            local due = redis.call('ZRANGEBYSCORE', delayed(queue), '-inf', now, 'LIMIT', 0, limit)
            for _, member in ipairs(due) do
                local id = member:sub(19)
                redis.call('ZREM', delayed(queue), member)
                local value = redis.call('HGET', JOBS, id)
                if value then enlist(id, value, read(value)) end
            end
            if #due > 0 then setNext(queue) end
            return #due
        end

        """;

    /// <summary>
    /// Gives the ids that are to be taken. After the time: until when they are hidden, how many a call moves, and of each request how many are wanted,
    /// the queues and the levels, each with their number. The answer: the status, and of each request its ids and when the next one is due.
    /// </summary>
    public const string Take = Begin + """
        local arg, answer = 4, {status}
        local function nextArg() arg = arg + 1 return ARGV[arg] end
        local function nextArgs() local all = {} for i = 1, tonumber(nextArg()) do all[i] = nextArg() end return all end

        local function first(queue, level)
            local found = redis.call('ZRANGE', ready(queue, level), 0, 0, 'WITHSCORES')
            return found[1] and {queue = queue, member = found[1], due = tonumber(found[2])}
        end

        while arg < #ARGV do
            local wanted, queues, levels, ids = tonumber(nextArg()), nextArgs(), nextArgs(), {}
            for _, queue in ipairs(queues) do promote(queue, ARGV[4]) end
            for _, level in ipairs(levels) do
                local heads = {}
                for _, queue in ipairs(queues) do heads[#heads + 1] = #ids < wanted and first(queue, level) or nil end
                while #ids < wanted and #heads > 0 do
                    local best = 1
                    for i = 2, #heads do
                        local head, other = heads[i], heads[best]
                        if head.due < other.due or (head.due == other.due and head.member < other.member) then best = i end
                    end
                    local member, queue = heads[best].member, heads[best].queue
                    local id = member:sub(19)
                    local value = redis.call('HGET', JOBS, id)
                    redis.call('ZREM', ready(queue, level), member)
                    if value then
                        local job = read(value)
                        unlist(job)
                        redis.call('HDEL', JOBS, id)
                        if job.expires ~= NEVER then redis.call('ZREM', EXPIRING, id) end
                        if job.expires > now then
                            redis.call('ZADD', LEASED, ARGV[3], id)
                            ids[#ids + 1] = id
                        end
                    end
                    local following = first(queue, level)
                    if following then heads[best] = following else table.remove(heads, best) end
                end
            end
            local due = false
            if #ids < wanted then
                for _, queue in ipairs(queues) do
                    local later = redis.call('ZRANGE', delayed(queue), 0, 0, 'WITHSCORES')
                    local value = later[1] and redis.call('HGET', JOBS, later[1]:sub(19))
                    local at = value and read(value).due
                    if at and (not due or at < due) then due = at end
                end
            end
            answer[#answer + 1] = ids
            answer[#answer + 1] = due or ''
        end
        return answer
        """;

    /// <summary>
    /// Takes over where jobs stand. After the time, of each job: id, what is to be done (<c>wait</c>, <c>add</c>: wait unless it is known, <c>lease</c>,
    /// <c>gone</c>), its value, until when it is hidden, and what has to be known of it now: nothing, or <c>L</c> and until when it is hidden, or <c>J</c>
    /// and its value. The answer: the status.
    /// </summary>
    public const string Apply = Begin + """
        for arg = 3, #ARGV, 5 do
            local id, what, value, hidden, known = ARGV[arg], ARGV[arg + 1], ARGV[arg + 2], ARGV[arg + 3], ARGV[arg + 4]
            local holds = true
            if known:sub(1, 1) == 'L' then
                holds = redis.call('ZSCORE', LEASED, id) == known:sub(2)
            elseif known:sub(1, 1) == 'J' then
                holds = redis.call('HGET', JOBS, id) == known:sub(2)
            elseif what == 'add' then
                holds = redis.call('HEXISTS', JOBS, id) == 0 and not redis.call('ZSCORE', LEASED, id)
            end
            if holds then
                drop(id)
                if what == 'lease' then redis.call('ZADD', LEASED, hidden, id) elseif what ~= 'gone' then put(id, value) end
            end
        end
        return {status}
        """;

    /// <summary>
    /// Lets what is due come to be due, and what has expired go. After the time: how many a call moves. The answer: the status, whether there is more
    /// to do at once, when there is something to do next, and ids that were hidden until now, each with its time.
    /// </summary>
    public const string Tick = Begin + """
        local limit = tonumber(ARGV[3])
        local expired = redis.call('ZRANGEBYSCORE', EXPIRING, '-inf', now, 'LIMIT', 0, limit)
        for _, id in ipairs(expired) do drop(id) end
        local moved = 0
        for _, queue in ipairs(redis.call('ZRANGEBYSCORE', NEXT, '-inf', now)) do
            if moved < limit then moved = moved + promote(queue, limit - moved) end
        end
        local due = ''
        for _, key in ipairs({NEXT, EXPIRING}) do
            local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
            if first[2] and (due == '' or tonumber(first[2]) < tonumber(due)) then due = first[2] end
        end
        return {status, (#expired == limit or moved >= limit) and 1 or 0, due, redis.call('ZRANGEBYSCORE', LEASED, '-inf', now, 'WITHSCORES', 'LIMIT', 0, 500)}
        """;

    /// <summary>
    /// Counts what waits. After the time the levels. The answer: the status, and of each queue its name, the length of its list, how many it should be,
    /// and how many are not due.
    /// </summary>
    public const string Count = Begin + """
        local answer = {status}
        for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do
            local length, ordered, later = redis.call('LLEN', list(queue)), 0, redis.call('ZCARD', delayed(queue))
            for i = 3, #ARGV do ordered = ordered + redis.call('ZCARD', ready(queue, ARGV[i])) end
            if length + ordered + later == 0 then redis.call('SREM', QUEUES, queue) end
            for _, value in ipairs({queue, length, ordered, later}) do answer[#answer + 1] = value end
        end
        return answer
        """;

    /// <summary>Forgets everything, since somebody else has changed it. After the time the levels.</summary>
    public const string Reset = Begin + """
        for _, queue in ipairs(redis.call('SMEMBERS', QUEUES)) do
            redis.call('UNLINK', list(queue), delayed(queue))
            for i = 3, #ARGV do redis.call('UNLINK', ready(queue, ARGV[i])) end
        end
        redis.call('UNLINK', STORE, JOBS, LEASED, HEADS, NEXT, EXPIRING, QUEUES)
        return {'lost'}
        """;

    /// <summary>
    /// Says that the lists are whole. After the time a key that was written before they were made so: with it they would have been lost again. The answer:
    /// the status.
    /// </summary>
    public const string Whole = Begin + """
        if redis.call('DEL', ARGV[3]) == 1 then
            redis.call('SET', STORE, store)
            status = 'whole'
        end
        return {status}
        """;
}
