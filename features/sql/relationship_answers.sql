-- output: relationship_answers
-- grain: node
-- reads: nodes, known_surveys, quarter_hours
-- parameters:
-- columns:
--   node | key
--   score | points of 0-10 | never null
--   age_days | local days, the day of the answer and the as-of day both counted | never null

with customers as (
    select
        node,
        customer_key
    from nodes
),

answers as (
    select
        customer_key,
        score,
        answered_at,
        epoch_us(answered_at) // 900000000 as quarter,
        row_number() over (
            partition by customer_key
            order by answered_at desc nulls last, invitation_id desc nulls last
        ) as place
    from known_surveys
    where metric = 'nps' and is_relationship and score is not null
),

quarters as (
    select
        quarter,
        days_ago
    from quarter_hours
),

latest as (
    select
        customers.node,
        answers.score,
        quarters.days_ago + 1 as age_days
    from customers
    inner join answers on customers.customer_key = answers.customer_key
    inner join quarters on answers.quarter = quarters.quarter
    where answers.place = 1
)

select * from latest
