-- output: price
-- grain: customer_key
-- reads: population, customer_versions
-- parameters: from_90d
-- columns:
--   customer_key | key
--   monthly_value | the customer's currency, a month | unknown
--   monthly_value_change_90d | the customer's currency, a month | not known now, or not 90 days ago, or the extract has no history
--   monthly_value_ratio_90d | ratio, now over 90 days ago | as for the change, or it was 0

with members as (
    select customer_key
    from population
),

versions as (
    select
        customer_key,
        place,
        valid_from,
        monthly_value
    from customer_versions
    where is_known
),

-- Of the known versions, the one in force 90 days ago has the lowest place among those that began before.
former as (
    select
        customer_key,
        min(place) as place
    from versions
    where valid_from < $from_90d
    group by customer_key
),

former_values as (
    select
        versions.customer_key,
        versions.monthly_value
    from versions
    inner join former on versions.customer_key = former.customer_key and versions.place = former.place
),

current_values as (
    select
        customer_key,
        monthly_value
    from versions
    where place = 1
),

prices as (
    select
        members.customer_key,
        current_values.monthly_value,
        current_values.monthly_value - former_values.monthly_value as monthly_value_change_90d,
        current_values.monthly_value / nullif(former_values.monthly_value, 0) as monthly_value_ratio_90d
    from members
    left join current_values on members.customer_key = current_values.customer_key
    left join former_values on members.customer_key = former_values.customer_key
)

select * from prices
