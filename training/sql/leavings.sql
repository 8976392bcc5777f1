-- output: leavings
-- grain: customer_key
-- reads: customers
-- parameters: earliest, known_by
-- columns:
--   customer_key | key
--   left_at | UTC instant | never null

-- The first leaving from the earliest look on, known by the date of training; who came back is not followed again.
with versions as (
    select
        customer_key,
        case when coalesce(left_known_at, left_at) < $known_by then left_at end as left_at
    from customers
),

leavings as (
    select
        customer_key,
        min(left_at) as left_at
    from versions
    where left_at >= $earliest
    group by customer_key
)

select * from leavings
