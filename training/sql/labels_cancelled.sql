-- output: labels_cancelled
-- grain: customer_key
-- reads: customers
-- parameters: as_of, outcome_from, outcome_to, known_by
-- columns:
--   customer_key | key
--   status | one of leaver, stayer, in_notice, in_gap, gone, not_yet | never null
--   leaves_at | instant | null: no leaving known by known_by
with first_joined as (
  select
    customer_key,
    min(joined_at) as joined_at
  from customers
  group by customer_key
),

-- one spell of being a customer: versions of it differ in what was known, not in what happened
spells as (
  select
    customers.customer_key,
    coalesce(customers.joined_at, first_joined.joined_at) as joined_at,
    max(case when customers.left_known_at < $known_by then customers.left_at end) as left_at,
    min(case when customers.left_at is not null then customers.left_known_at end) as left_known_at
  from customers
  inner join first_joined on customers.customer_key = first_joined.customer_key
  group by customers.customer_key, coalesce(customers.joined_at, first_joined.joined_at)
),

spells_by_then as (
  select
    customer_key,
    left_at,
    left_known_at,
    row_number() over (partition by customer_key order by joined_at desc nulls last) as spell
  from spells
  where joined_at is null or joined_at < $as_of
),

final as (
  select
    first_joined.customer_key,
    case
      when spells_by_then.customer_key is null then 'not_yet'
      when spells_by_then.left_at < $as_of then 'gone'
      when spells_by_then.left_at is not null and spells_by_then.left_known_at < $as_of then 'in_notice'
      when spells_by_then.left_at < $outcome_from then 'in_gap'
      when spells_by_then.left_at < $outcome_to then 'leaver'
      else 'stayer'
    end as status,
    spells_by_then.left_at as leaves_at
  from first_joined
  left join spells_by_then
    on first_joined.customer_key = spells_by_then.customer_key and spells_by_then.spell = 1
)

select * from final
