-- output: known_usage
-- kind: ephemeral
-- grain: customer_key, metric, period_start
-- reads: usage
-- parameters: as_of, history_from
-- columns:
--   customer_key | key
--   metric | name of the source's column | never null
--   period_start | UTC instant | never null
--   value | the metric's own unit | never null

with measurements as (
    select
        customer_key,
        metric,
        period_start,
        value
    from usage
    where
        known_at < $as_of
        and period_start < $as_of
        and period_start >= $history_from
        and value is not null
)

select * from measurements
