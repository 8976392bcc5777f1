-- output: customer_versions
-- grain: version
-- reads: customers
-- parameters: as_of
-- columns:
--   version | key
--   customer_key | key
--   place | 1 = in force | never null
--   is_known | flag | never null
--   valid_from | UTC instant | the extract has no history
--   joined_at | UTC instant | unknown
--   left_at | UTC instant | has not left, or the leaving was not known at the as-of instant
--   monthly_value | the customer's currency, a month | unknown
--   language | language tag | unknown

-- Place 1 is the version in force: the latest one known. Of a customer without a known version it is the first one that
-- became known later, so that facts which carry their own date (joining, leaving) and constants can still be read.
with versions as (
    select
        version,
        customer_key,
        coalesce(known_at < $as_of and coalesce(valid_from < $as_of, true), false) as is_known,
        valid_from,
        joined_at,
        case when coalesce(left_known_at, left_at) < $as_of then left_at end as left_at,
        monthly_value,
        language
    from customers
),

ranked as (
    select
        version,
        customer_key,
        row_number() over (
            partition by customer_key
            order by
                is_known desc nulls last,
                case when is_known then -version else version end asc nulls last
        ) as place,
        is_known,
        valid_from,
        joined_at,
        left_at,
        monthly_value,
        language
    from versions
)

select * from ranked
