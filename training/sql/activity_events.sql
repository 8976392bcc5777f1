-- output: activity_events
-- grain: customer_key
-- reads: events
-- parameters: as_of, active_from, outcome_from, outcome_to, known_by
-- columns:
--   customer_key | key
--   last_active_at | UTC instant | not active in [active_from, as_of)
--   is_active_in_gap | flag | never null
--   is_active_in_outcome | flag | never null

with activity as (
    select
        customer_key,
        "at" as active_at
    from events
    where "at" >= $active_from and "at" < $outcome_to and known_at < $known_by
),

found as (
    select
        customer_key,
        max(case when active_at < $as_of then active_at end) as last_active_at,
        max(active_at >= $as_of and active_at < $outcome_from) as is_active_in_gap,
        max(active_at >= $outcome_from) as is_active_in_outcome
    from activity
    group by customer_key
)

select * from found
