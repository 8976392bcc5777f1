-- output: tie_pairs
-- grain: node_a, node_b
-- reads: call_pairs, nodes, hubs
-- parameters:
-- columns:
--   node_a | key
--   node_b | key
--   n_ab | contacts | never null
--   n_ba | contacts | never null
--   n_recent_ab | contacts | never null
--   n_recent_ba | contacts | never null
--   n_timed | contacts of known length, missed ones included | never null
--   seconds | seconds | never null
--   active_days | local days | never null
--   trains | bursts of contacts | never null
--   gap_squares | square seconds, sum over the silences between contacts | never null
--   decayed_14 | contacts, halved every 14 days, in units of one_contact | never null
--   decayed_30 | contacts, halved every 30 days, in units of one_contact | never null
--   first_contact_us | microseconds since 1970 UTC | never null
--   last_contact_us | microseconds since 1970 UTC | never null

with pairs as (
    select
        key_a,
        key_b,
        n_ab,
        n_ba,
        n_recent_ab,
        n_recent_ba,
        n_timed,
        seconds,
        active_days,
        trains,
        gap_squares,
        decayed_14,
        decayed_30,
        first_contact_us,
        last_contact_us
    from call_pairs
),

everybody as (
    select
        customer_key,
        node
    from nodes
),

busiest as (
    select customer_key
    from hubs
),

-- A hub's contacts are no social ties.
customers as (
    select
        everybody.customer_key,
        everybody.node
    from everybody
    anti join busiest on everybody.customer_key = busiest.customer_key
),

numbered as (
    select
        pairs.key_a,
        pairs.key_b,
        pairs.n_ab,
        pairs.n_ba,
        pairs.n_recent_ab,
        pairs.n_recent_ba,
        pairs.n_timed,
        pairs.seconds,
        pairs.active_days,
        pairs.trains,
        pairs.gap_squares,
        pairs.decayed_14,
        pairs.decayed_30,
        pairs.first_contact_us,
        pairs.last_contact_us,
        low_keys.node as node_of_a,
        high_keys.node as node_of_b
    from pairs
    inner join customers as low_keys on pairs.key_a = low_keys.customer_key
    inner join customers as high_keys on pairs.key_b = high_keys.customer_key
),

ties as (
    select
        least(node_of_a, node_of_b) as node_a,
        greatest(node_of_a, node_of_b) as node_b,
        case when node_of_a < node_of_b then n_ab else n_ba end as n_ab,
        case when node_of_a < node_of_b then n_ba else n_ab end as n_ba,
        case when node_of_a < node_of_b then n_recent_ab else n_recent_ba end as n_recent_ab,
        case when node_of_a < node_of_b then n_recent_ba else n_recent_ab end as n_recent_ba,
        n_timed,
        seconds,
        active_days,
        trains,
        gap_squares,
        decayed_14,
        decayed_30,
        first_contact_us,
        last_contact_us
    from numbered
)

select * from ties
