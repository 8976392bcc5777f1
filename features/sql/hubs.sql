-- output: hubs
-- grain: customer_key
-- reads: call_pairs
-- parameters: max_partners, max_one_way_partners
-- columns:
--   customer_key | key
--   n_partners | people | never null
--   n_mutual | people with contacts both ways | never null

-- Customers who talk with more people than anybody has friends: call centres, hot lines, delivery, spam. Partners
-- outside the base count too.
with pairs as (
    select
        key_a,
        key_b,
        case when n_ab > 0 and n_ba > 0 then 1 else 0 end as mutual
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
        pairs.mutual
    from pairs
    cross join sides
),

counted as (
    select
        customer_key,
        count(*) as n_partners,
        sum(mutual)::bigint as n_mutual
    from ends
    where customer_key >= 0
    group by customer_key
),

busiest as (
    select
        customer_key,
        n_partners,
        n_mutual
    from counted
    where
        n_partners > $max_partners
        or (n_partners > $max_one_way_partners and n_mutual * 20 < n_partners)
)

select * from busiest
