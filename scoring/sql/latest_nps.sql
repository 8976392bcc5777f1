-- output: latest_nps
-- grain: customer_key
-- reads: consents, surveys
-- parameters: as_of, silent_from
-- columns:
--   customer_key | key
--   score | points of 0-10 | silent: no relationship answer of [silent_from, as_of) is known

-- Everybody who lets their answers be used, with the latest answer to the recommend question about the relationship.
-- Who forbids it is not here, so neither silent nor heard.
with permitted as (
    select customer_key
    from consents
    where may_use_answers
),

answers as (
    select
        customer_key,
        score,
        row_number() over (
            partition by customer_key
            order by answered_at desc nulls last, invitation_id desc nulls last
        ) as place
    from surveys
    where
        metric = 'nps'
        and occasion = 'relationship'
        and score is not null
        and answered_at >= $silent_from
        and answered_at < $as_of
        and answer_known_at < $as_of
),

latest as (
    select
        customer_key,
        score
    from answers
    where place = 1
),

heard as (
    select
        permitted.customer_key,
        latest.score
    from permitted
    left join latest on permitted.customer_key = latest.customer_key
)

select * from heard
