-- output: known_surveys
-- kind: ephemeral
-- grain: invitation_id
-- reads: surveys, consents
-- parameters: as_of, history_from
-- columns:
--   invitation_id | key
--   customer_key | key
--   metric | nps, csat or ces | never null
--   is_relationship | flag | never null
--   invited_at | UTC instant | never null
--   answered_at | UTC instant | no answer is known yet
--   score | points of the metric's scale | no answer is known yet, or it has no score
--   comment_length_chars | characters | no answer is known yet, or it has no comment

-- An invitation is visible from its own known_at; the answer on it only from answer_known_at: until then it is silent.
with invitations as (
    select
        invitation_id,
        customer_key,
        metric,
        coalesce(occasion = 'relationship', false) as is_relationship,
        coalesce(invited_at, answered_at) as invited_at,
        answered_at,
        score,
        length(comment) as comment_length_chars,
        coalesce(answered_at < $as_of and answer_known_at < $as_of, false) as is_answer_known
    from surveys
    where
        known_at < $as_of
        and coalesce(invited_at, answered_at) < $as_of
        and coalesce(invited_at, answered_at) >= $history_from
),

refusals as (
    select customer_key
    from consents
    where not may_use_answers
),

permitted as (
    select
        invitations.invitation_id,
        invitations.customer_key,
        invitations.metric,
        invitations.is_relationship,
        invitations.invited_at,
        case when invitations.is_answer_known then invitations.answered_at end as answered_at,
        case when invitations.is_answer_known then invitations.score end as score,
        case when invitations.is_answer_known then invitations.comment_length_chars end as comment_length_chars
    from invitations
    anti join refusals on invitations.customer_key = refusals.customer_key
)

select * from permitted
