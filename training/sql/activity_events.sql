-- output: activity_events
-- grain: customer_key
-- reads: events
-- parameters: as_of, active_from, outcome_from, outcome_to, known_by
-- columns:
--   customer_key | key
--   last_active_at | instant, last activity in [active_from, as_of) | null: none
--   is_active_in_gap | 1: activity in [as_of, outcome_from), else 0 | never null
--   is_active_in_outcome | 1: activity in [outcome_from, outcome_to), else 0 | never null
with activity as (
  select
    customer_key,
    at,
    known_at
  from events
),

final as (
  select
    customer_key,
    max(case when at < $as_of then at end) as last_active_at,
    max(case when at >= $as_of and at < $outcome_from then 1 else 0 end) as is_active_in_gap,
    max(case when at >= $outcome_from then 1 else 0 end) as is_active_in_outcome
  from activity
  where at >= $active_from and at < $outcome_to and known_at < $known_by
  group by customer_key
)

select * from final
