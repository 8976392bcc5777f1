-- output: latest_opinions
-- grain: node
-- reads: nodes, known_surveys, quarter_hours
-- parameters:
-- columns:
--   node | key
--   opinion | detractor, passive or promoter | never null
--   age_days | local days, the day of the answer and the as-of day both counted | never null

-- Each customer by what they answered themselves: the latest relationship answer to the recommend question; without one
-- the latest satisfaction answer, without that the latest effort answer. 1-2 of 5 and 1-3 of 7 (7 = it was easy) count
-- as low, the top of the scale as high. A judgement.
with customers as (
    select
        node,
        customer_key
    from nodes
),

quarters as (
    select
        quarter,
        days_ago
    from quarter_hours
),

answers as (
    select
        customer_key,
        invitation_id,
        metric,
        score,
        answered_at,
        case when metric = 'nps' then 1 when metric = 'csat' then 2 else 3 end as precedence,
        epoch_us(answered_at) // 900000000 as quarter
    from known_surveys
    where score is not null and (metric <> 'nps' or is_relationship)
),

ranked as (
    select
        customer_key,
        metric,
        score,
        quarter,
        row_number() over (
            partition by customer_key
            order by precedence asc nulls last, answered_at desc nulls last, invitation_id desc nulls last
        ) as place
    from answers
),

latest as (
    select
        customers.node,
        case
            when ranked.metric = 'nps' and ranked.score <= 6 then 'detractor'
            when ranked.metric = 'nps' and ranked.score < 9 then 'passive'
            when ranked.metric = 'csat' and ranked.score <= 2 then 'detractor'
            when ranked.metric = 'csat' and ranked.score < 5 then 'passive'
            when ranked.metric = 'ces' and ranked.score <= 3 then 'detractor'
            when ranked.metric = 'ces' and ranked.score < 7 then 'passive'
            else 'promoter'
        end as opinion,
        quarters.days_ago + 1 as age_days
    from customers
    inner join ranked on customers.customer_key = ranked.customer_key
    inner join quarters on ranked.quarter = quarters.quarter
    where ranked.place = 1
)

select * from latest
