-- output: profile
-- grain: customer_key
-- reads: population, customer_versions
-- parameters: as_of, from_365d
-- columns:
--   customer_key | key
--   tenure_days | days | the date of joining is unknown
--   n_changes_365d | changes | the customer extract has no history
--   days_since_change | days | no change is known
--   language | language tag | unknown

with members as (
    select
        customer_key,
        joined_at
    from population
),

versions as (
    select
        customer_key,
        place,
        valid_from,
        language,
        row_number() over (
            partition by customer_key
            order by valid_from asc nulls first, version asc nulls last
        ) as number
    from customer_versions
    where is_known
),

-- The first version is no change: it is the customer's coming into the extract.
facts as (
    select
        customer_key,
        count(valid_from) as n_dated,
        count_if(number > 1 and valid_from >= $from_365d)::bigint as n_changes_365d,
        max(case when number > 1 then valid_from end) as changed_at,
        max(case when place = 1 then language end) as language
    from versions
    group by customer_key
),

profiles as (
    select
        members.customer_key,
        (epoch_us($as_of) - epoch_us(members.joined_at)) // 86400000000 as tenure_days,
        case when facts.n_dated > 0 then facts.n_changes_365d end as n_changes_365d,
        (epoch_us($as_of) - epoch_us(facts.changed_at)) // 86400000000 as days_since_change,
        facts.language
    from members
    left join facts on members.customer_key = facts.customer_key
)

select * from profiles
