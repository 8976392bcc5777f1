-- output: consents
-- grain: customer_key
-- reads: customers
-- parameters: consent_as_of
-- columns:
--   customer_key | key
--   may_contact | flag | never null
--   may_use_calls | flag | never null
--   may_use_answers | flag | never null

-- The version in force at the consent date; of a customer then without a known version, the first one after it. Who
-- became a customer later is not here: what they say then cannot change what was known before.
with versions as (
    select
        customer_key,
        version,
        may_contact,
        may_use_calls,
        may_use_answers,
        coalesce(known_at < $consent_as_of and coalesce(valid_from < $consent_as_of, true), false) as is_known,
        coalesce(joined_at < $consent_as_of, valid_from is null) as is_here
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
    where is_known or is_here
),

in_force as (
    select
        customer_key,
        may_contact,
        may_use_calls,
        may_use_answers
    from ranked
    where place = 1
)

select * from in_force
