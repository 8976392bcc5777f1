-- output: calls_volume
-- grain: customer_key
-- reads: population, consents, nodes, known_calls, quarter_hours
-- parameters: from_90d, from_30d
-- columns:
--   customer_key | key
--   n_calls_out_30d | contacts | call data may not be used
--   n_calls_in_30d | contacts | call data may not be used
--   n_calls_out_90d | contacts | call data may not be used
--   n_calls_in_90d | contacts | call data may not be used
--   call_seconds_out_30d | seconds | the source has no durations, or call data may not be used
--   call_seconds_in_30d | seconds | the source has no durations, or call data may not be used
--   call_seconds_90d | seconds | the source has no durations, or call data may not be used
--   n_calls_missed_in_30d | missed contacts | call data may not be used
--   share_calls_missed_90d | share of contacts | no contact in 90 days, or call data may not be used
--   share_calls_out_90d | share of contacts | no contact in 90 days, or call data may not be used
--   share_calls_night_90d | share of contacts, 22 to 6 h local | no contact in 90 days, or call data may not be used
--   share_calls_weekend_90d | share of contacts, Saturday and Sunday local | no contact in 90 days, or call data may not be used
--   share_calls_text_90d | share of contacts | no contact in 90 days, or call data may not be used
--   share_calls_offnet_90d | share of contacts | no contact in 90 days, or call data may not be used
--   calls_trend_30d | ratio, a day of the last 30 over a day of the 60 before | no contact in those 60 days, or call data may not be used
--   n_active_days_30d | local days | call data may not be used
--   n_active_days_90d | local days | call data may not be used

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

-- Every contact counts at both its ends; the other end's number tells whether it left the network.
ends as (
    select
        case when sides.is_out then contacts.caller_key else contacts.callee_key end as customer_key,
        case when sides.is_out then contacts.callee_key else contacts.caller_key end as partner_key,
        sides.is_out,
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
    cross join sides
),

-- One bit a day: the bits of all contacts together are the days with a contact, without sorting them.
counted as (
    select
        ends.customer_key,
        count_if(ends.is_out and ends.is_recent)::bigint as n_out_30d,
        count_if(not ends.is_out and ends.is_recent)::bigint as n_in_30d,
        count_if(ends.is_out)::bigint as n_out,
        count_if(not ends.is_out)::bigint as n_in,
        sum(case when ends.is_out and ends.is_recent then ends.duration_s else 0 end)::bigint as seconds_out_30d,
        sum(case when not ends.is_out and ends.is_recent then ends.duration_s else 0 end)::bigint as seconds_in_30d,
        sum(ends.duration_s)::bigint as seconds,
        count_if(ends.has_duration)::bigint as n_with_duration,
        count_if(ends.is_missed and ends.is_recent and not ends.is_out)::bigint as n_missed_in_30d,
        count_if(ends.is_missed)::bigint as n_missed,
        count_if(ends.is_night)::bigint as n_night,
        count_if(ends.is_weekend)::bigint as n_weekend,
        count_if(ends.is_text)::bigint as n_text,
        count_if(customers.customer_key is null)::bigint as n_offnet,
        count_if(ends.is_recent)::bigint as n_recent,
        count(*) as n_contacts,
        bit_count(bit_or(ends.recent_day_bit))::bigint as n_days_recent,
        bit_count(bit_or(ends.earlier_day_bit))::bigint as n_days_earlier
    from ends
    left join customers on ends.partner_key = customers.customer_key
    where ends.customer_key >= 0
    group by ends.customer_key
),

supply as (
    select coalesce(sum(n_with_duration), 0) as n_with_duration
    from counted
),

volumes as (
    select
        members.customer_key,
        case when permissions.may_use_calls then coalesce(counted.n_out_30d, 0) end as n_calls_out_30d,
        case when permissions.may_use_calls then coalesce(counted.n_in_30d, 0) end as n_calls_in_30d,
        case when permissions.may_use_calls then coalesce(counted.n_out, 0) end as n_calls_out_90d,
        case when permissions.may_use_calls then coalesce(counted.n_in, 0) end as n_calls_in_90d,
        case
            when permissions.may_use_calls and supply.n_with_duration > 0 then coalesce(counted.seconds_out_30d, 0)
        end as call_seconds_out_30d,
        case
            when permissions.may_use_calls and supply.n_with_duration > 0 then coalesce(counted.seconds_in_30d, 0)
        end as call_seconds_in_30d,
        case
            when permissions.may_use_calls and supply.n_with_duration > 0 then coalesce(counted.seconds, 0)
        end as call_seconds_90d,
        case when permissions.may_use_calls then coalesce(counted.n_missed_in_30d, 0) end as n_calls_missed_in_30d,
        counted.n_missed::double / nullif(counted.n_contacts, 0) as share_calls_missed_90d,
        counted.n_out::double / nullif(counted.n_contacts, 0) as share_calls_out_90d,
        counted.n_night::double / nullif(counted.n_contacts, 0) as share_calls_night_90d,
        counted.n_weekend::double / nullif(counted.n_contacts, 0) as share_calls_weekend_90d,
        counted.n_text::double / nullif(counted.n_contacts, 0) as share_calls_text_90d,
        counted.n_offnet::double / nullif(counted.n_contacts, 0) as share_calls_offnet_90d,
        (counted.n_recent * 2)::double / nullif(counted.n_contacts - counted.n_recent, 0) as calls_trend_30d,
        case when permissions.may_use_calls then coalesce(counted.n_days_recent, 0) end as n_active_days_30d,
        case
            when permissions.may_use_calls then coalesce(counted.n_days_recent + counted.n_days_earlier, 0)
        end as n_active_days_90d
    from members
    inner join permissions on members.customer_key = permissions.customer_key
    left join counted on members.customer_key = counted.customer_key
    cross join supply
)

select * from volumes
