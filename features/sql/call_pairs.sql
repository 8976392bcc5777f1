-- output: call_pairs
-- grain: key_a, key_b
-- reads: known_calls, quarter_hours
-- parameters: ties_from, from_30d, one_contact, newest_14, newest_30, train_gap_us
-- columns:
--   key_a | key
--   key_b | key
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

-- One pass over the contacts of each pair in order of time: a new day or a gap is seen against the contact before.
with contacts as (
    select
        least(caller_key, callee_key) as key_a,
        greatest(caller_key, callee_key) as key_b,
        caller_key < callee_key as is_ab,
        started_at >= $from_30d as is_recent,
        epoch_us(started_at) as started_us,
        epoch_us(started_at) // 900000000 as quarter,
        duration_s is not null or is_missed as is_timed,
        coalesce(duration_s, 0) as duration_s
    from known_calls
    where
        started_at >= $ties_from
        and greatest(caller_key, callee_key) >= 0
),

quarters as (
    select
        quarter,
        days_ago,
        weight_14,
        weight_30
    from quarter_hours
),

dated as (
    select
        contacts.key_a,
        contacts.key_b,
        contacts.is_ab,
        contacts.is_recent,
        contacts.started_us,
        contacts.is_timed,
        contacts.duration_s,
        quarters.days_ago,
        quarters.weight_14,
        quarters.weight_30
    from contacts
    inner join quarters on contacts.quarter = quarters.quarter
),

ordered as (
    select
        key_a,
        key_b,
        is_ab,
        is_recent,
        started_us,
        is_timed,
        duration_s,
        days_ago,
        weight_14,
        weight_30,
        lag(started_us) over (
            partition by key_a, key_b
            order by started_us asc nulls last
        ) as previous_us,
        lag(days_ago) over (
            partition by key_a, key_b
            order by started_us asc nulls last
        ) as previous_days_ago
    from dated
),

pairs as (
    select
        key_a,
        key_b,
        count(*) filter (where is_ab) as n_ab,
        count(*) filter (where not is_ab) as n_ba,
        count(*) filter (where is_ab and is_recent) as n_recent_ab,
        count(*) filter (where not is_ab and is_recent) as n_recent_ba,
        count(*) filter (where is_timed) as n_timed,
        sum(duration_s)::bigint as seconds,
        count(*) filter (where previous_days_ago is null or previous_days_ago <> days_ago) as active_days,
        count(*) filter (where previous_us is null or started_us - previous_us > $train_gap_us) as trains,
        coalesce(
            sum(
                (started_us // 1000000 - previous_us // 1000000)
                * (started_us // 1000000 - previous_us // 1000000)
            ),
            0
        )::bigint as gap_squares,
        floor($one_contact::double * sum(weight_14)::double / nullif($newest_14, 0))::bigint as decayed_14,
        floor($one_contact::double * sum(weight_30)::double / nullif($newest_30, 0))::bigint as decayed_30,
        min(started_us) as first_contact_us,
        max(started_us) as last_contact_us
    from ordered
    group by key_a, key_b
)

select * from pairs
