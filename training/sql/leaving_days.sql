-- output: leaving_days
-- grain: customer_key
-- reads: customers
-- parameters: as_of, outcome_from, outcome_to, known_by
-- columns:
--   customer_key | key
--   days_to_leaving | days from the as-of instant to leaving | never null
--   days_to_known | days from the as-of instant to when the leaving became known (notice, or the leaving) | never null

-- The leavers of labels_cancelled: their first leaving from the as-of instant on, when it falls into the window.
with versions as (
    select
        customer_key,
        left_at,
        coalesce(left_known_at, left_at) as left_known_at
    from customers
    where coalesce(left_known_at, left_at) < $known_by and left_at >= $as_of
),

firsts as (
    select
        customer_key,
        min(left_at) as leaves_at,
        min(left_known_at) as leaving_known_at
    from versions
    group by customer_key
),

days as (
    select
        customer_key,
        (epoch_us(leaves_at) - epoch_us($as_of)) / 86400000000 as days_to_leaving,
        (epoch_us(least(leaving_known_at, leaves_at)) - epoch_us($as_of)) / 86400000000 as days_to_known
    from firsts
    where leaves_at >= $outcome_from and leaves_at < $outcome_to and leaving_known_at >= $as_of
)

select * from days
