-- output: activity_calls
-- grain: customer_key
-- reads: calls, consents
-- parameters: as_of, active_from, outcome_from, outcome_to, known_by
-- columns:
--   customer_key | key
--   last_active_at | UTC instant | not active in [active_from, as_of)
--   is_active_in_gap | flag | never null
--   is_active_in_outcome | flag | never null

-- A refusal takes a contact away from both ends, here as in the features.
with contacts as (
    select
        caller_key,
        callee_key,
        started_at,
        is_missed
    from calls
    where started_at >= $active_from and started_at < $outcome_to and known_at < $known_by
),

refusals as (
    select customer_key
    from consents
    where not may_use_calls
),

sides as (
    select true as is_out
    union all
    select false as is_out
),

-- A missed call says that the caller is there, not that the callee is.
activity as (
    select
        case when sides.is_out then contacts.caller_key else contacts.callee_key end as customer_key,
        contacts.started_at as active_at
    from contacts
    cross join sides
    anti join refusals on contacts.caller_key = refusals.customer_key
    anti join refusals as refused_callees on contacts.callee_key = refused_callees.customer_key
    where
        (sides.is_out or not contacts.is_missed)
        and case when sides.is_out then contacts.caller_key else contacts.callee_key end >= 0
),

found as (
    select
        customer_key,
        max(case when active_at < $as_of then active_at end) as last_active_at,
        max(active_at >= $as_of and active_at < $outcome_from) as is_active_in_gap,
        max(active_at >= $outcome_from) as is_active_in_outcome
    from activity
    group by customer_key
)

select * from found
