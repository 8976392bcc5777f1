-- output: actions
-- grain: customer_key
-- reads: treatments
-- parameters: as_of, outcome_to, known_by
-- columns:
--   customer_key | key
--   treated_at | UTC instant | no retention action in [as_of, outcome_to)
--   control_at | UTC instant | never deliberately left without one there
--   n_unknown_chances | controls whose chance of being one is not recorded | never null
--   log_control_chance | natural logarithm of the chance of having been left without an action each time | no recorded one

-- Logarithms are summed in whole billionths, so that the order of rows does not matter.
-- Only what is known by the date of training; an action that became known later is not there yet.
with taken as (
    select
        customer_key,
        "at" as acted_at,
        offer_id = 'control' as is_control,
        case when propensity > 0 then propensity end as chance
    from treatments
    where "at" >= $as_of and "at" < $outcome_to and known_at < $known_by
),

found as (
    select
        customer_key,
        min(case when not is_control then acted_at end) as treated_at,
        min(case when is_control then acted_at end) as control_at,
        sum(case when is_control and chance is null then 1 else 0 end)::bigint as n_unknown_chances,
        sum(case when is_control then floor(ln(chance) * 1000000000)::bigint end)::double / 1000000000
            as log_control_chance
    from taken
    group by customer_key
)

select * from found
