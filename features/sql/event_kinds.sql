-- output: event_kinds
-- grain: customer_key, event
-- reads: known_events
-- parameters: as_of, from_30d, from_90d
-- columns:
--   customer_key | key
--   event | key
--   n_30d | events | never null
--   n_90d | events | never null
--   days_since | days | none in the history that is read

with occurrences as (
    select
        customer_key,
        event,
        happened_at
    from known_events
    where event is not null
),

counted as (
    select
        customer_key,
        event,
        count_if(happened_at >= $from_30d)::bigint as n_30d,
        count_if(happened_at >= $from_90d)::bigint as n_90d,
        (epoch_us($as_of) - epoch_us(max(happened_at))) // 86400000000 as days_since
    from occurrences
    group by customer_key, event
)

select * from counted
