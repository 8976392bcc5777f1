-- output: usage_metrics
-- grain: customer_key, metric
-- reads: known_usage
-- parameters: as_of
-- columns:
--   customer_key | key
--   metric | key
--   last | the metric's own unit | no period is known
--   last_age_days | days since the period began | no period is known
--   change | the metric's own unit, last period less the one before | fewer than two periods are known
--   mean_3 | the metric's own unit, last three periods | no period is known
--   trend | ratio, mean of the last three periods over the three before | fewer than four periods are known, or the mean before is 0
--   max_6 | the metric's own unit, last six periods | no period is known
--   n_above_zero_6 | periods of the last six | no period is known

-- Six named values and one order of adding: a parallel sum of doubles would differ in its last bits from run to run.
with measurements as (
    select
        customer_key,
        metric,
        period_start,
        value,
        row_number() over (
            partition by customer_key, metric
            order by period_start desc nulls last
        ) as place
    from known_usage
),

recent as (
    select
        customer_key,
        metric,
        max(case when place = 1 then period_start end) as last_period_start,
        max(case when place = 1 then value end) as value_1,
        max(case when place = 2 then value end) as value_2,
        max(case when place = 3 then value end) as value_3,
        max(case when place = 4 then value end) as value_4,
        max(case when place = 5 then value end) as value_5,
        max(case when place = 6 then value end) as value_6,
        count_if(place <= 3)::bigint as n_last,
        count_if(place > 3)::bigint as n_before,
        max(value) as max_6,
        count_if(value > 0)::bigint as n_above_zero_6
    from measurements
    where place <= 6
    group by customer_key, metric
),

means as (
    select
        customer_key,
        metric,
        last_period_start,
        value_1,
        value_2,
        max_6,
        n_above_zero_6,
        (value_1 + coalesce(value_2, 0) + coalesce(value_3, 0)) / nullif(n_last, 0) as mean_3,
        (value_4 + coalesce(value_5, 0) + coalesce(value_6, 0)) / nullif(n_before, 0) as mean_before
    from recent
),

metrics as (
    select
        customer_key,
        metric,
        value_1 as last,
        (epoch_us($as_of) - epoch_us(last_period_start)) // 86400000000 as last_age_days,
        value_1 - value_2 as change,
        mean_3,
        mean_3 / nullif(mean_before, 0) as trend,
        max_6,
        n_above_zero_6
    from means
)

select * from metrics
