-- output: contact_topics
-- grain: customer_key, topic
-- reads: known_interactions
-- parameters: from_90d
-- columns:
--   customer_key | key
--   topic | key
--   n_90d | service contacts | never null

with contacts as (
    select
        customer_key,
        topic,
        happened_at
    from known_interactions
    where topic is not null
),

counted as (
    select
        customer_key,
        topic,
        count_if(happened_at >= $from_90d)::bigint as n_90d
    from contacts
    group by customer_key, topic
)

select * from counted
