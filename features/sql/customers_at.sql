-- output: customers_at
-- grain: customer_key
-- reads: customer_states, activity, keys
-- parameters: is_by_activity, active_from
-- columns:
--   customer_key | key
--   customer_id | key
--   version | row of customers | no version was known
--   constant_version | row of customers | never null
--   joined_at | UTC instant | unknown

-- Who is a customer as of the date and not yet known to leave; by activity: whoever was active lately.
with staying as (
    select
        customer_key,
        version,
        constant_version,
        joined_at
    from customer_states
    where is_here and left_at is null
),

active as (
    select customer_key
    from activity
    where last_at >= $active_from
),

names as (
    select
        customer_key,
        customer_id
    from keys
),

members as (
    select
        staying.customer_key,
        names.customer_id,
        staying.version,
        staying.constant_version,
        staying.joined_at
    from staying
    inner join names on staying.customer_key = names.customer_key
    left join active on staying.customer_key = active.customer_key
    where not $is_by_activity or active.customer_key is not null
)

select * from members
