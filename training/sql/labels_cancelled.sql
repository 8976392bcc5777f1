-- output: labels_cancelled
-- grain: customer_key
-- reads: customers
-- parameters: as_of, outcome_from, outcome_to, known_by
-- columns:
--   customer_key | key
--   status | leaver, stayer, in_notice, in_gap, gone or not_yet | never null
--   leaves_at | UTC instant of the first leaving from the as-of instant on | none is known
--   leaving_known_at | UTC instant from which that leaving is known | none is known
--   left_reason | why, as said with that leaving | none is known, or nothing was said

-- Leavings carry their own date of becoming known; all that is known by the date of training is used.
with versions as (
    select
        customer_key,
        joined_at,
        left_reason,
        greatest(joined_at, valid_from) as begins_at,
        case when coalesce(left_known_at, left_at) < $known_by then left_at end as left_at,
        coalesce(left_known_at, left_at) as left_known_at
    from customers
),

-- The first leaving from the as-of instant on, the last one before it, and whether they were back by then.
facts as (
    select
        customer_key,
        min(joined_at) as joined_at,
        max(case when left_at < $as_of then left_at end) as last_left_at,
        min(case when left_at >= $as_of then left_at end) as leaves_at,
        min(case when left_at >= $as_of then left_known_at end) as leaving_known_at,
        min_by(coalesce(left_reason, ''), case when left_at >= $as_of then left_at end) as left_reason,
        max(
            case when begins_at < $as_of and coalesce(left_at >= $as_of, true) then begins_at end
        ) as begun_at
    from versions
    group by customer_key
),

labels as (
    select
        customer_key,
        case
            when joined_at >= $as_of then 'not_yet'
            when last_left_at is not null and coalesce(begun_at <= last_left_at, true) then 'gone'
            when leaving_known_at < $as_of then 'in_notice'
            when leaves_at < $outcome_from then 'in_gap'
            when leaves_at < $outcome_to then 'leaver'
            else 'stayer'
        end as status,
        leaves_at,
        leaving_known_at,
        nullif(left_reason, '') as left_reason
    from facts
)

select * from labels
