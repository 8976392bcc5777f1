-- output: known_events
-- kind: ephemeral
-- grain: customer_key, event, happened_at
-- reads: events
-- parameters: as_of, history_from
-- columns:
--   customer_key | key
--   event | the source's own word | never null
--   happened_at | UTC instant | never null

with occurrences as (
    select
        customer_key,
        event,
        "at" as happened_at
    from events
    where
        known_at < $as_of
        and "at" < $as_of
        and "at" >= $history_from
)

select * from occurrences
