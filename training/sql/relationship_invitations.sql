-- output: relationship_invitations
-- grain: invitation_id
-- reads: consents, surveys
-- parameters: answers_from, known_by, answer_by
-- columns:
--   invitation_id | key
--   customer_key | key
--   is_answered | flag | never null

-- Invitations to the recommend question about the relationship that were old enough to be answered, of customers who let
-- their answers be used. Rows without an invitation (only an answer is known) say nothing of who answers.
with permitted as (
    select customer_key
    from consents
    where may_use_answers
),

invitations as (
    select
        invitation_id,
        customer_key,
        coalesce(score is not null and answered_at < $known_by and answer_known_at < $known_by, false) as is_answered
    from surveys
    where
        metric = 'nps'
        and occasion = 'relationship'
        and invited_at >= $answers_from
        and invited_at < $answer_by
        and known_at < $known_by
),

allowed as (
    select
        invitations.invitation_id,
        invitations.customer_key,
        invitations.is_answered
    from invitations
    semi join permitted on invitations.customer_key = permitted.customer_key
)

select * from allowed
