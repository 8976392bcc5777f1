-- output: last_contact
-- grain: customer_key
-- reads: known_calls
-- parameters:
-- columns:
--   customer_key | key
--   last_at | UTC instant | never null
--   last_out_at | UTC instant | made no contact
--   last_active_at | UTC instant | nothing but calls that this customer missed

with contacts as (
    select
        caller_key,
        callee_key,
        started_at,
        is_missed
    from known_calls
),

sides as (
    select true as is_out
    union all
    select false as is_out
),

ends as (
    select
        case when sides.is_out then contacts.caller_key else contacts.callee_key end as customer_key,
        sides.is_out,
        contacts.started_at,
        contacts.is_missed
    from contacts
    cross join sides
),

-- A missed call says that the caller is there, not that the callee is.
latest as (
    select
        customer_key,
        max(started_at) as last_at,
        max(case when is_out then started_at end) as last_out_at,
        max(case when is_out or not is_missed then started_at end) as last_active_at
    from ends
    where customer_key >= 0
    group by customer_key
)

select * from latest
