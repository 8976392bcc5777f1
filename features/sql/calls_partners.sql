-- output: calls_partners
-- grain: customer_key
-- reads: population, consents, call_pairs
-- parameters: from_90d, from_30d
-- columns:
--   customer_key | key
--   n_partners_30d | people | call data may not be used, or nobody's have come
--   n_partners_90d | people | call data may not be used, or nobody's have come
--   n_partners_new_30d | people first met in the last 30 days | call data may not be used, or nobody's have come

with members as (
    select customer_key
    from population
),

permissions as (
    select
        customer_key,
        may_use_calls
    from consents
),

pairs as (
    select
        key_a,
        key_b,
        last_contact_us >= epoch_us($from_90d) as is_in_90d,
        last_contact_us >= epoch_us($from_30d) as is_in_30d,
        first_contact_us >= epoch_us($from_30d) as is_new
    from call_pairs
),

sides as (
    select true as is_a
    union all
    select false as is_a
),

ends as (
    select
        case when sides.is_a then pairs.key_a else pairs.key_b end as customer_key,
        pairs.is_in_90d,
        pairs.is_in_30d,
        pairs.is_new
    from pairs
    cross join sides
),

counted as (
    select
        customer_key,
        count_if(is_in_30d)::bigint as n_30d,
        count_if(is_in_90d)::bigint as n_90d,
        count_if(is_new)::bigint as n_new
    from ends
    where customer_key >= 0
    group by customer_key
),

partners as (
    select
        members.customer_key,
        case when permissions.may_use_calls then coalesce(counted.n_30d, 0) end as n_partners_30d,
        case when permissions.may_use_calls then coalesce(counted.n_90d, 0) end as n_partners_90d,
        case when permissions.may_use_calls then coalesce(counted.n_new, 0) end as n_partners_new_30d
    from members
    inner join permissions on members.customer_key = permissions.customer_key
    left join counted on members.customer_key = counted.customer_key
)

select * from partners
