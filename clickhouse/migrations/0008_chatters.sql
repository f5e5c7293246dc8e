-- What a moderator is told of a chatter beyond the day that raw chat is kept: how often they wrote here, since when, under which names. No text.
-- One row a channel, chatter, hour and name, written when the hour is over (analytics/src/chatters.ts): a view of every line would cost the sink
-- half as much again as the line itself. Counted again, an hour's rows replace those before.
CREATE TABLE IF NOT EXISTS chatter_hours ${OnCluster}
(
    channelId LowCardinality(String),
    userId    String CODEC(ZSTD(1)),
    -- Since the epoch.
    hour      UInt32 CODEC(Delta, ZSTD(1)),
    login     String CODEC(ZSTD(1)),
    name      String CODEC(ZSTD(1)),
    badges    String CODEC(ZSTD(1)),
    messages  UInt32,
    firstMs   Int64 CODEC(ZSTD(1)),
    lastMs    Int64 CODEC(ZSTD(1)),
    countedAt DateTime('UTC') DEFAULT now() CODEC(Delta, ZSTD(1))
)
ENGINE = ${Replicated}ReplacingMergeTree(countedAt)
PARTITION BY intDiv(hour, 24)
ORDER BY (channelId, userId, hour, login)
TTL countedAt + INTERVAL 90 DAY
SETTINGS ${DedupWindow}, ttl_only_drop_parts = 1, merge_with_ttl_timeout = 14400;

-- Removals as chat told them, beside those of EventSub: where nobody is connected, the log and its figures have these alone. Text goes with raw chat.
CREATE MATERIALIZED VIEW IF NOT EXISTS mod_events_of_chat ${OnCluster} TO mod_events AS
SELECT concat(channelId, ':irc:', id) AS id, channelId, sentAtMs AS atMs, action, 'irc' AS heardBy, targetUserId, targetLogin, targetMessageId, text, durationS
FROM chat_moderation
WHERE action IN ('delete', 'timeout', 'ban', 'clear');
