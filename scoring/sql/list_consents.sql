-- output: list_consents
-- grain: customer_id
-- reads: customers, keys
-- parameters: consent_as_of
-- columns:
--   customer_id | key
--   may_contact | flag | never null
--   may_use_calls | flag | never null
--   may_use_answers | flag | never null

-- The version in force at the consent date; for a customer of whom no version was known then, the first one that was.
with known_keys as (
    select
        customer_key,
        customer_id
    from keys
),

versions as (
    select
        customer_key,
        version,
        may_contact,
        may_use_calls,
        may_use_answers,
        coalesce(known_at < $consent_as_of and coalesce(valid_from < $consent_as_of, true), false) as is_known
    from customers
),

ranked as (
    select
        customer_key,
        may_contact,
        may_use_calls,
        may_use_answers,
        row_number() over (
            partition by customer_key
            order by
                is_known desc nulls last,
                case when is_known then -version else version end asc nulls last
        ) as place
    from versions
),

in_force as (
    select
        known_keys.customer_id,
        ranked.may_contact,
        ranked.may_use_calls,
        ranked.may_use_answers
    from ranked
    inner join known_keys on ranked.customer_key = known_keys.customer_key
    where ranked.place = 1
)

select * from in_force
