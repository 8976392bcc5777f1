-- output: seen_calls
-- kind: ephemeral
-- grain: caller_key, callee_key, started_at, kind
-- reads: calls
-- parameters: as_of, history_from
-- columns:
--   caller_key | key
--   callee_key | key
--   started_at | UTC instant | never null
--   duration_s | seconds | missed, or the source has no durations
--   is_missed | flag | never null
--   kind | voice, sms or message | never null

-- Whether somebody refused the use of their calls is asked later, by whoever reads this.
with contacts as (
    select
        caller_key,
        callee_key,
        started_at,
        duration_s,
        is_missed,
        kind
    from calls
    where
        known_at < $as_of
        and started_at < $as_of
        and started_at >= $history_from
)

select * from contacts
