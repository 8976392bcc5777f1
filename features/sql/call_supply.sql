-- output: call_supply
-- grain: is_of_customer, is_permitted
-- reads: calls, nodes, consents
-- parameters: as_of
-- columns:
--   is_of_customer | flag: an end is or was a customer by the date | never null
--   is_permitted | flag: no end refuses the use of calls | never null
--   last_at | UTC instant | never null

-- Up to when contacts have come at all, whatever the window: asked only when nobody has a tie.
with contacts as (
    select
        caller_key,
        callee_key,
        started_at
    from calls
    where known_at < $as_of and started_at < $as_of
),

customers as (
    select customer_key
    from nodes
),

refusals as (
    select customer_key
    from consents
    where not may_use_calls
),

placed as (
    select
        contacts.started_at,
        callers.customer_key is not null or callees.customer_key is not null as is_of_customer,
        refused_callers.customer_key is null and refused_callees.customer_key is null as is_permitted
    from contacts
    left join customers as callers on contacts.caller_key = callers.customer_key
    left join customers as callees on contacts.callee_key = callees.customer_key
    left join refusals as refused_callers on contacts.caller_key = refused_callers.customer_key
    left join refusals as refused_callees on contacts.callee_key = refused_callees.customer_key
),

latest as (
    select
        is_of_customer,
        is_permitted,
        max(started_at) as last_at
    from placed
    group by is_of_customer, is_permitted
)

select * from latest
