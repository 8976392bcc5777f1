-- output: calls_volume
-- grain: customer_key
-- reads: population, consents, nodes, known_calls, quarter_hours
-- parameters: from_90d, from_30d
-- columns:
--   customer_key | key
--   n_calls_out_30d | contacts | call data may not be used, or nobody's have come
--   n_calls_in_30d | contacts | call data may not be used, or nobody's have come
--   n_calls_out_90d | contacts | call data may not be used, or nobody's have come
--   n_calls_in_90d | contacts | call data may not be used, or nobody's have come
--   call_seconds_out_30d | seconds | the source has no durations, or call data may not be used, or nobody's have come
--   call_seconds_in_30d | seconds | the source has no durations, or call data may not be used, or nobody's have come
--   call_seconds_90d | seconds | the source has no durations, or call data may not be used, or nobody's have come
--   n_calls_missed_in_30d | missed contacts | no contact of anybody tells whether it was missed, or call data may not be used, or nobody's have come
--   share_calls_missed_90d | share of contacts | no contact in 90 days, or none of anybody tells whether it was missed, or call data may not be used, or nobody's have come
--   share_calls_out_90d | share of contacts | no contact in 90 days, or call data may not be used, or nobody's have come
--   share_calls_night_90d | share of contacts, 22 to 6 h local | no contact in 90 days, or call data may not be used, or nobody's have come
--   share_calls_weekend_90d | share of contacts, Saturday and Sunday local | no contact in 90 days, or call data may not be used, or nobody's have come
--   share_calls_text_90d | share of contacts | no contact in 90 days, or call data may not be used, or nobody's have come
--   share_calls_offnet_90d | share of contacts | no contact in 90 days, or call data may not be used, or nobody's have come
--   calls_trend_30d | ratio, a day of the last 30 over a day of the 60 before | no contact in those 60 days, or call data may not be used, or nobody's have come
--   n_active_days_30d | local days | call data may not be used, or nobody's have come
--   n_active_days_90d | local days | call data may not be used, or nobody's have come

with members as (
    select customer_key
    from population
),

permissions as (
    select
        customer_key,
        may_use_calls
    from consents
),

customers as (
    select customer_key
    from nodes
),

contacts as (
    select
        caller_key,
        callee_key,
        epoch_us(started_at) // 900000000 as quarter,
        started_at >= $from_30d as is_recent,
        coalesce(duration_s, 0) as duration_s,
        duration_s is not null as has_duration,
        is_missed,
        coalesce(kind <> 'voice', false) as is_text
    from known_calls
    where started_at >= $from_90d
),

quarters as (
    select
        quarter,
        is_night,
        is_weekend,
        recent_day_bit,
        earlier_day_bit
    from quarter_hours
),

sides as (
    select true as is_out
    union all
    select false as is_out
),

placed as (
    select
        contacts.caller_key,
        contacts.callee_key,
        callers.customer_key is null as is_caller_offnet,
        callees.customer_key is null as is_callee_offnet,
        contacts.is_recent,
        contacts.duration_s,
        contacts.has_duration,
        contacts.is_missed,
        contacts.is_text,
        quarters.is_night,
        quarters.is_weekend,
        quarters.recent_day_bit,
        quarters.earlier_day_bit
    from contacts
    inner join quarters on contacts.quarter = quarters.quarter
    left join customers as callers on contacts.caller_key = callers.customer_key
    left join customers as callees on contacts.callee_key = callees.customer_key
),

-- Every contact counts at both its  Who is a customer is joined before: after the doubling an engine guesses the
-- size wrong and hashes the contacts instead of the customers.
ends as (
    select
        case when sides.is_out then placed.caller_key else placed.callee_key end as customer_key,
        case when sides.is_out then placed.is_callee_offnet else placed.is_caller_offnet end as is_offnet,
        sides.is_out,
        placed.is_recent,
        placed.duration_s,
        placed.has_duration,
        placed.is_missed,
        placed.is_text,
        placed.is_night,
        placed.is_weekend,
        placed.recent_day_bit,
        placed.earlier_day_bit
    from placed
    cross join sides
    where not case when sides.is_out then placed.is_caller_offnet else placed.is_callee_offnet end
),

-- One bit a day: the bits of all contacts together are the days with a contact, without sorting them.
counted as (
    select
        customer_key,
        count(*) as n_contacts,
        count(*) filter (where is_recent) as n_recent,
        count(*) filter (where is_out) as n_out,
        count(*) filter (where is_out and is_recent) as n_out_recent,
        count(*) filter (where is_missed) as n_missed,
        count(*) filter (where is_missed and is_recent and not is_out) as n_missed_in_recent,
        count(*) filter (where is_night) as n_night,
        count(*) filter (where is_weekend) as n_weekend,
        count(*) filter (where is_text) as n_text,
        count(*) filter (where is_offnet) as n_offnet,
        sum(duration_s)::bigint as seconds,
        sum(case when is_recent then duration_s else 0 end)::bigint as seconds_recent,
        sum(case when is_recent and is_out then duration_s else 0 end)::bigint as seconds_out_recent,
        bool_or(has_duration) as has_duration,
        bool_or(has_duration or is_missed) as is_answer_told,
        bit_count(bit_or(recent_day_bit))::bigint as n_days_recent,
        bit_count(bit_or(earlier_day_bit))::bigint as n_days_earlier
    from ends
    group by customer_key
),

supply as (
    select
        coalesce(bool_or(has_duration), false) as has_durations,
        coalesce(bool_or(is_answer_told), false) as is_answer_told
    from counted
),

-- Nobody called: zero. May not be used, or no durations anywhere: unknown. Without a duration, or a code for missed,
-- anywhere nothing tells an answered contact from a missed one either.
totals as (
    select
        members.customer_key,
        permissions.may_use_calls as is_usable,
        permissions.may_use_calls and supply.has_durations as is_timed,
        permissions.may_use_calls and supply.is_answer_told as is_answer_told,
        coalesce(counted.n_contacts, 0) as n_contacts,
        coalesce(counted.n_recent, 0) as n_recent,
        coalesce(counted.n_out, 0) as n_out,
        coalesce(counted.n_out_recent, 0) as n_out_recent,
        coalesce(counted.n_missed, 0) as n_missed,
        coalesce(counted.n_missed_in_recent, 0) as n_missed_in_recent,
        coalesce(counted.n_night, 0) as n_night,
        coalesce(counted.n_weekend, 0) as n_weekend,
        coalesce(counted.n_text, 0) as n_text,
        coalesce(counted.n_offnet, 0) as n_offnet,
        coalesce(counted.seconds, 0) as seconds,
        coalesce(counted.seconds_recent, 0) as seconds_recent,
        coalesce(counted.seconds_out_recent, 0) as seconds_out_recent,
        coalesce(counted.n_days_recent, 0) as n_days_recent,
        coalesce(counted.n_days_earlier, 0) as n_days_earlier
    from members
    inner join permissions on members.customer_key = permissions.customer_key
    left join counted on members.customer_key = counted.customer_key
    cross join supply
),

volumes as (
    select
        customer_key,
        case when is_usable then n_out_recent end as n_calls_out_30d,
        case when is_usable then n_recent - n_out_recent end as n_calls_in_30d,
        case when is_usable then n_out end as n_calls_out_90d,
        case when is_usable then n_contacts - n_out end as n_calls_in_90d,
        case when is_timed then seconds_out_recent end as call_seconds_out_30d,
        case when is_timed then seconds_recent - seconds_out_recent end as call_seconds_in_30d,
        case when is_timed then seconds end as call_seconds_90d,
        case when is_answer_told then n_missed_in_recent end as n_calls_missed_in_30d,
        case when is_answer_told then n_missed end::double / nullif(n_contacts, 0) as share_calls_missed_90d,
        n_out::double / nullif(n_contacts, 0) as share_calls_out_90d,
        n_night::double / nullif(n_contacts, 0) as share_calls_night_90d,
        n_weekend::double / nullif(n_contacts, 0) as share_calls_weekend_90d,
        n_text::double / nullif(n_contacts, 0) as share_calls_text_90d,
        n_offnet::double / nullif(n_contacts, 0) as share_calls_offnet_90d,
        (n_recent * 2)::double / nullif(n_contacts - n_recent, 0) as calls_trend_30d,
        case when is_usable then n_days_recent end as n_active_days_30d,
        case when is_usable then n_days_recent + n_days_earlier end as n_active_days_90d
    from totals
)

select * from volumes
