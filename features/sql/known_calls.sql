-- output: known_calls
-- kind: ephemeral
-- grain: caller_key, callee_key, started_at, kind
-- reads: seen_calls, consents
-- parameters:
-- columns:
--   caller_key | key
--   callee_key | key
--   started_at | UTC instant | never null
--   duration_s | seconds | missed, or the source has no durations
--   is_missed | flag | never null
--   kind | voice, sms or message | never null

-- A refusal takes the contact away from both ends: the other end's figures must not betray it either.
with contacts as (
    select
        caller_key,
        callee_key,
        started_at,
        duration_s,
        is_missed,
        kind
    from seen_calls
),

refusals as (
    select customer_key
    from consents
    where not may_use_calls
),

permitted as (
    select
        contacts.caller_key,
        contacts.callee_key,
        contacts.started_at,
        contacts.duration_s,
        contacts.is_missed,
        contacts.kind
    from contacts
    anti join refusals on contacts.caller_key = refusals.customer_key
    anti join refusals as refused_callees on contacts.callee_key = refused_callees.customer_key
)

select * from permitted
