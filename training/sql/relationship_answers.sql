-- output: relationship_answers
-- grain: invitation_id
-- reads: consents, surveys
-- parameters: answers_from, known_by
-- columns:
--   invitation_id | key
--   customer_key | key
--   answered_at | UTC instant | never null
--   answer_known_at | UTC instant | never null
--   score | points of 0-10 | never null

-- Answers to the recommend question about the relationship, of customers who let their answers be used. Answers on a
-- touchpoint are another series.
with permitted as (
    select customer_key
    from consents
    where may_use_answers
),

answers as (
    select
        invitation_id,
        customer_key,
        answered_at,
        answer_known_at,
        score
    from surveys
    where
        metric = 'nps'
        and occasion = 'relationship'
        and score is not null
        and answered_at >= $answers_from
        and answered_at < $known_by
        and answer_known_at < $known_by
),

allowed as (
    select
        answers.invitation_id,
        answers.customer_key,
        answers.answered_at,
        answers.answer_known_at,
        answers.score
    from answers
    semi join permitted on answers.customer_key = permitted.customer_key
)

select * from allowed
