-- output: last_event
-- grain: customer_key
-- reads: known_events
-- parameters:
-- columns:
--   customer_key | key
--   last_at | UTC instant | never null

with facts as (
    select
        customer_key,
        max(happened_at) as last_at
    from known_events
    group by customer_key
)

select * from facts
