-- output: known_interactions
-- kind: ephemeral
-- grain: interaction_id
-- reads: interactions
-- parameters: as_of, history_from
-- columns:
--   interaction_id | key
--   customer_key | key
--   happened_at | UTC instant | never null
--   topic | the source's own word | not recorded
--   channel | the source's own word, case and space around it ignored | not recorded
--   wait_ms | milliseconds | not recorded
--   transfers | transfers | not recorded
--   repeated | flag | not recorded
--   resolved | flag | not recorded
--   abandoned | flag | not recorded

-- Waits become whole milliseconds: sums of doubles differ in their last bits from run to run.
with contacts as (
    select
        interaction_id,
        customer_key,
        "at" as happened_at,
        topic,
        nullif(lower(trim(channel)), '') as channel,
        floor(wait_s * 1000)::bigint as wait_ms,
        transfers,
        repeated,
        resolved,
        abandoned
    from interactions
    where
        known_at < $as_of
        and "at" < $as_of
        and "at" >= $history_from
)

select * from contacts
