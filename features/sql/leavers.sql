-- output: leavers
-- grain: node
-- reads: nodes, customer_states, activity, quarter_hours
-- parameters: is_by_activity, grace_days
-- columns:
--   node | key
--   age_days | local days, the day of leaving and the as-of day both counted | never null

-- By activity: who was not active for grace_days has left at the end of them, not when last seen.
with customers as (
    select
        node,
        customer_key
    from nodes
),

leavings as (
    select
        customer_key,
        left_at
    from customer_states
),

activities as (
    select
        customer_key,
        last_at
    from activity
),

quarters as (
    select
        quarter,
        days_ago
    from quarter_hours
),

ended as (
    select
        customers.node,
        epoch_us(
            case when $is_by_activity then activities.last_at else leavings.left_at end
        ) // 900000000 as quarter
    from customers
    inner join leavings on customers.customer_key = leavings.customer_key
    left join activities on customers.customer_key = activities.customer_key
),

aged as (
    select
        ended.node,
        quarters.days_ago + 1 - $grace_days as age_days
    from ended
    inner join quarters on ended.quarter = quarters.quarter
    where quarters.days_ago >= $grace_days
)

select * from aged
