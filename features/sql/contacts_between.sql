-- output: contacts_between
-- grain: caller_key, callee_key, started_us
-- reads: seen_calls
-- parameters: stretch_from, stretch_to
-- columns:
--   caller_key | key
--   callee_key | key
--   started_us | microseconds since 1970 UTC | never null
--   timed_s | seconds; 0 of a missed contact, -1 when not known | never null

-- The contacts of a stretch of days for counting pair by pair outside SQL, refusals not yet taken away. Contacts of two
-- people outside the base tie nobody.
with contacts as (
    select
        caller_key,
        callee_key,
        epoch_us(started_at) as started_us,
        coalesce(duration_s, case when is_missed then 0 else -1 end) as timed_s
    from seen_calls
    where
        started_at >= $stretch_from
        and started_at < $stretch_to
        and greatest(caller_key, callee_key) >= 0
)

select * from contacts
