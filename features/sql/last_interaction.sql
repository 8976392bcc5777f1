-- output: last_interaction
-- grain: customer_key
-- reads: known_interactions
-- parameters:
-- columns:
--   customer_key | key
--   last_at | UTC instant | never null

with facts as (
    select
        customer_key,
        max(happened_at) as last_at
    from known_interactions
    group by customer_key
)

select * from facts
