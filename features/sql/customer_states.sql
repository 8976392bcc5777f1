-- output: customer_states
-- grain: customer_key
-- reads: customer_versions
-- parameters: as_of
-- columns:
--   customer_key | key
--   version | row of customers | no version was known
--   constant_version | row of customers | never null
--   joined_at | UTC instant | unknown
--   left_at | UTC instant | is not known to leave, or came back
--   is_here | flag | never null

-- Leaving and coming back: a version that was known, begins after the leaving and has none itself, means they are back.
with versions as (
    select
        version,
        customer_key,
        place,
        is_known,
        valid_from,
        joined_at,
        left_at
    from customer_versions
),

facts as (
    select
        customer_key,
        max(case when place = 1 and is_known then version end) as version,
        max(case when place = 1 then version end) as constant_version,
        coalesce(
            max(case when place = 1 then joined_at end),
            max(case when is_known then joined_at end)
        ) as joined_at,
        max(left_at) as left_at,
        max(case when is_known and left_at is null then valid_from end) as last_begun_at,
        count_if(is_known)::bigint as n_known,
        count(valid_from) as n_dated
    from versions
    group by customer_key
),

-- Joining unknown: with a history, a version must have been known; without one, nothing says they were not here.
states as (
    select
        customer_key,
        version,
        constant_version,
        joined_at,
        case when coalesce(last_begun_at > left_at, false) then null else left_at end as left_at,
        coalesce(joined_at < $as_of, n_known > 0 or n_dated = 0) as is_here
    from facts
)

select * from states
