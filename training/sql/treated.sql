-- output: treated
-- grain: treatment_id
-- reads: treatments, customers
-- parameters: known_by, matured_before, window_us
-- columns:
--   treatment_id | key
--   customer_key | key
--   offer_id | offer, or control | never null
--   treated_at | UTC instant | never null
--   propensity | probability 0-1 with which what was given had been assigned | not recorded
--   accepted | flag | not recorded, or control
--   root_cause | text | not asked
--   instead_of | offer that a control would have been made | an offer was made, the lot gave none, or not known
--   left_alone | probability 0-1 with which those picked for instead_of were left without | not a control, or not recorded
--   stayed | 1: no leaving within the window after the treatment is known; 0: one is | never null
--   is_in_notice | the leaving was known before the treatment | never null

-- Only treatments whose whole window has passed and is known; customers as their versions say by the date of training.
with taken as (
    select
        treatment_id,
        customer_key,
        offer_id,
        "at" as treated_at,
        case when propensity > 0 then propensity end as propensity,
        accepted,
        root_cause,
        instead_of,
        case
            when instead_of is not null
                then
                    coalesce(
                        case when left_alone > 0 then left_alone end,
                        case when propensity > 0 then propensity end
                    )
        end as left_alone
    from treatments
    where known_at < $known_by and "at" < $matured_before
),

leavings as (
    select
        customer_key,
        left_at,
        coalesce(left_known_at, left_at) as left_known_at
    from customers
    where coalesce(left_known_at, left_at) < $known_by
),

first_leavings as (
    select
        taken.treatment_id,
        min(leavings.left_at) as left_at,
        min(leavings.left_known_at) as left_known_at
    from taken
    inner join leavings
        on taken.customer_key = leavings.customer_key and taken.treated_at <= leavings.left_at
    group by taken.treatment_id
),

treated as (
    select
        taken.treatment_id,
        taken.customer_key,
        taken.offer_id,
        taken.treated_at,
        taken.propensity,
        taken.accepted,
        taken.root_cause,
        taken.instead_of,
        taken.left_alone,
        case
            when epoch_us(first_leavings.left_at) < epoch_us(taken.treated_at) + $window_us then 0
            else 1
        end as stayed,
        coalesce(first_leavings.left_known_at < taken.treated_at, false) as is_in_notice
    from taken
    left join first_leavings
        on taken.treatment_id = first_leavings.treatment_id
)

select * from treated
