-- output: satisfaction
-- grain: customer_key
-- reads: population, consents, known_surveys
-- parameters: as_of, from_365d
-- columns:
--   customer_key | key
--   nps_last_score | points of 0-10 | no relationship answer is known, or answers may not be used
--   nps_last_age_days | days | no relationship answer is known, or answers may not be used
--   nps_change | points of 0-10 | fewer than two relationship answers are known, or answers may not be used
--   nps_touchpoint_last_score | points of 0-10 | no touchpoint answer is known, or answers may not be used
--   csat_last_score | points of the survey's scale | no answer is known, or answers may not be used
--   csat_last_age_days | days | no answer is known, or answers may not be used
--   ces_last_score | points of the survey's scale | no answer is known, or answers may not be used
--   ces_last_age_days | days | no answer is known, or answers may not be used
--   n_asked_365d | invitations | answers may not be used
--   n_answered_365d | answers | answers may not be used
--   share_answered_365d | share of invitations | not asked in 365 days, or answers may not be used
--   days_since_asked | days | never asked in the history that is read, or answers may not be used
--   is_last_ask_silent | 1 yes, 0 no | never asked in the history that is read, or answers may not be used
--   comment_length_chars | characters | the last answer has no comment, or none is known, or answers may not be used

-- Relationship and touchpoint answers are different series and never mixed.
with members as (
    select customer_key
    from population
),

permissions as (
    select
        customer_key,
        may_use_answers
    from consents
),

invitations as (
    select
        customer_key,
        invitation_id,
        invited_at,
        answered_at,
        score,
        comment_length_chars,
        case
            when metric = 'nps' and is_relationship then 'nps'
            when metric = 'nps' then 'nps_touchpoint'
            else metric
        end as series
    from known_surveys
),

scored as (
    select
        customer_key,
        series,
        score,
        answered_at,
        row_number() over (
            partition by customer_key, series
            order by answered_at desc nulls last, invitation_id desc nulls last
        ) as place
    from invitations
    where score is not null
),

answers as (
    select
        customer_key,
        comment_length_chars,
        row_number() over (
            partition by customer_key
            order by answered_at desc nulls last, invitation_id desc nulls last
        ) as place
    from invitations
    where answered_at is not null
),

asks as (
    select
        customer_key,
        invited_at,
        answered_at,
        row_number() over (
            partition by customer_key
            order by invited_at desc nulls last, invitation_id desc nulls last
        ) as place
    from invitations
),

scores as (
    select
        customer_key,
        max(case when series = 'nps' and place = 1 then score end) as nps,
        max(case when series = 'nps' and place = 1 then answered_at end) as nps_at,
        max(case when series = 'nps' and place = 2 then score end) as nps_before,
        max(case when series = 'nps_touchpoint' and place = 1 then score end) as nps_touchpoint,
        max(case when series = 'csat' and place = 1 then score end) as csat,
        max(case when series = 'csat' and place = 1 then answered_at end) as csat_at,
        max(case when series = 'ces' and place = 1 then score end) as ces,
        max(case when series = 'ces' and place = 1 then answered_at end) as ces_at
    from scored
    group by customer_key
),

asked as (
    select
        customer_key,
        count_if(invited_at >= $from_365d)::bigint as n_asked,
        count_if(invited_at >= $from_365d and answered_at is not null)::bigint as n_answered,
        max(case when place = 1 then invited_at end) as asked_at,
        max(case when place = 1 and answered_at is null then 1 else 0 end) as is_silent
    from asks
    group by customer_key
),

satisfactions as (
    select
        members.customer_key,
        scores.nps as nps_last_score,
        (epoch_us($as_of) - epoch_us(scores.nps_at)) // 86400000000 as nps_last_age_days,
        scores.nps - scores.nps_before as nps_change,
        scores.nps_touchpoint as nps_touchpoint_last_score,
        scores.csat as csat_last_score,
        (epoch_us($as_of) - epoch_us(scores.csat_at)) // 86400000000 as csat_last_age_days,
        scores.ces as ces_last_score,
        (epoch_us($as_of) - epoch_us(scores.ces_at)) // 86400000000 as ces_last_age_days,
        case when permissions.may_use_answers then coalesce(asked.n_asked, 0) end as n_asked_365d,
        case when permissions.may_use_answers then coalesce(asked.n_answered, 0) end as n_answered_365d,
        asked.n_answered::double / nullif(asked.n_asked, 0) as share_answered_365d,
        (epoch_us($as_of) - epoch_us(asked.asked_at)) // 86400000000 as days_since_asked,
        asked.is_silent as is_last_ask_silent,
        answers.comment_length_chars
    from members
    inner join permissions on members.customer_key = permissions.customer_key
    left join scores on members.customer_key = scores.customer_key
    left join asked on members.customer_key = asked.customer_key
    left join answers on members.customer_key = answers.customer_key and answers.place = 1
)

select * from satisfactions
