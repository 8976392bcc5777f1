-- output: nodes
-- grain: node
-- reads: customer_states, keys, consents
-- parameters:
-- columns:
--   node | key
--   customer_key | key
--   customer_id | key
--   may_use_calls | flag | never null

-- Everybody who is or was a customer by the as-of instant, leavers included: they are whom the others are exposed to.
-- Numbered by id, so that later customers, and the order of loading, change no number.
with states as (
    select customer_key
    from customer_states
    where is_here
),

names as (
    select
        customer_key,
        customer_id
    from keys
),

permissions as (
    select
        customer_key,
        may_use_calls
    from consents
),

numbered as (
    select
        (row_number() over (order by names.customer_id asc nulls last) - 1)::int as node,
        states.customer_key,
        names.customer_id,
        permissions.may_use_calls
    from states
    inner join names on states.customer_key = names.customer_key
    inner join permissions on states.customer_key = permissions.customer_key
)

select * from numbered
