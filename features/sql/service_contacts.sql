-- output: service_contacts
-- grain: customer_key
-- reads: population, known_interactions
-- parameters: as_of, from_30d, from_90d, from_365d
-- columns:
--   customer_key | key
--   n_contacts_30d | service contacts | never null
--   n_contacts_90d | service contacts | never null
--   n_contacts_365d | service contacts | never null
--   days_since_service_contact | days | no contact in the history that is read
--   n_channels_90d | channels | the source does not record channels
--   wait_mean_s_90d | seconds | no contact with a known wait in 90 days
--   wait_max_s_90d | seconds | no contact with a known wait in 90 days
--   n_transfers_90d | transfers | the source does not record transfers
--   n_contacts_repeated_90d | service contacts | the source does not record repeats
--   n_contacts_unresolved_90d | service contacts | the source does not record resolution
--   n_contacts_abandoned_90d | service contacts | the source does not record abandonment
--   share_contacts_not_first_time_right_90d | share of contacts whose resolution is known | no contact with a known resolution in 90 days

with members as (
    select customer_key
    from population
),

contacts as (
    select
        customer_key,
        happened_at,
        happened_at >= $from_90d as is_in_90d,
        channel,
        wait_ms,
        transfers,
        repeated,
        resolved,
        abandoned
    from known_interactions
),

counted as (
    select
        customer_key,
        count_if(happened_at >= $from_30d)::bigint as n_30d,
        count_if(is_in_90d)::bigint as n_90d,
        count_if(happened_at >= $from_365d)::bigint as n_365d,
        max(happened_at) as last_at,
        count(distinct case when is_in_90d then channel end) as n_channels,
        sum(case when is_in_90d then wait_ms end)::bigint as wait_ms,
        count(case when is_in_90d then wait_ms end) as n_waits,
        max(case when is_in_90d then wait_ms end) as wait_max_ms,
        sum(case when is_in_90d then transfers end)::bigint as n_transfers,
        count_if(is_in_90d and repeated)::bigint as n_repeated,
        count_if(is_in_90d and not resolved)::bigint as n_unresolved,
        count_if(is_in_90d and resolved is not null)::bigint as n_resolution_known,
        count_if(
            is_in_90d
            and resolved is not null
            and (not resolved or coalesce(repeated, false) or coalesce(transfers, 0) > 0)
        )::bigint as n_not_first_time_right,
        count_if(is_in_90d and abandoned)::bigint as n_abandoned,
        count(channel) as n_with_channel,
        count(transfers) as n_with_transfers,
        count(repeated) as n_with_repeated,
        count(resolved) as n_with_resolved,
        count(abandoned) as n_with_abandoned
    from contacts
    group by customer_key
),

supply as (
    select
        coalesce(sum(n_with_channel), 0) > 0 as has_channel,
        coalesce(sum(n_with_transfers), 0) > 0 as has_transfers,
        coalesce(sum(n_with_repeated), 0) > 0 as has_repeated,
        coalesce(sum(n_with_resolved), 0) > 0 as has_resolved,
        coalesce(sum(n_with_abandoned), 0) > 0 as has_abandoned
    from counted
),

services as (
    select
        members.customer_key,
        coalesce(counted.n_30d, 0) as n_contacts_30d,
        coalesce(counted.n_90d, 0) as n_contacts_90d,
        coalesce(counted.n_365d, 0) as n_contacts_365d,
        (epoch_us($as_of) - epoch_us(counted.last_at)) // 86400000000 as days_since_service_contact,
        case when supply.has_channel then coalesce(counted.n_channels, 0) end as n_channels_90d,
        counted.wait_ms::double / nullif(counted.n_waits, 0) / 1000 as wait_mean_s_90d,
        counted.wait_max_ms::double / 1000 as wait_max_s_90d,
        case when supply.has_transfers then coalesce(counted.n_transfers, 0) end as n_transfers_90d,
        case when supply.has_repeated then coalesce(counted.n_repeated, 0) end as n_contacts_repeated_90d,
        case when supply.has_resolved then coalesce(counted.n_unresolved, 0) end as n_contacts_unresolved_90d,
        case when supply.has_abandoned then coalesce(counted.n_abandoned, 0) end as n_contacts_abandoned_90d,
        counted.n_not_first_time_right::double
        / nullif(counted.n_resolution_known, 0) as share_contacts_not_first_time_right_90d
    from members
    left join counted on members.customer_key = counted.customer_key
    cross join supply
)

select * from services
