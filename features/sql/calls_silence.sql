-- output: calls_silence
-- grain: customer_key
-- reads: population, last_contact
-- parameters: as_of
-- columns:
--   customer_key | key
--   days_since_contact | days | no contact in the history that is read, or call data may not be used
--   days_since_contact_out | days | made no contact in the history that is read, or call data may not be used

with members as (
    select customer_key
    from population
),

latest as (
    select
        customer_key,
        last_at,
        last_out_at
    from last_contact
),

silences as (
    select
        members.customer_key,
        (epoch_us($as_of) - epoch_us(latest.last_at)) // 86400000000 as days_since_contact,
        (epoch_us($as_of) - epoch_us(latest.last_out_at)) // 86400000000 as days_since_contact_out
    from members
    left join latest on members.customer_key = latest.customer_key
)

select * from silences
