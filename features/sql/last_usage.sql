-- output: last_usage
-- grain: customer_key
-- reads: known_usage
-- parameters:
-- columns:
--   customer_key | key
--   last_at | UTC instant | never null

with facts as (
    select
        customer_key,
        max(period_start) as last_at
    from known_usage
    where value > 0
    group by customer_key
)

select * from facts
