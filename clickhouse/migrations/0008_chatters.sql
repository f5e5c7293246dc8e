-- What a moderator is told of a chatter beyond the day that raw chat is kept: how often they wrote here, since when, under which names. No text.
-- One row a channel, chatter, day and name; what was merged is the sum of what was not yet, so read with GROUP BY.
CREATE TABLE IF NOT EXISTS chatter_days ${OnCluster}
(
    channelId LowCardinality(String),
    userId    String CODEC(ZSTD(1)),
    day       Date CODEC(Delta, ZSTD(1)),
    login     String CODEC(ZSTD(1)),
    name      SimpleAggregateFunction(anyLast, String) CODEC(ZSTD(1)),
    badges    SimpleAggregateFunction(anyLast, String) CODEC(ZSTD(1)),
    messages  SimpleAggregateFunction(sum, UInt64),
    firstMs   SimpleAggregateFunction(min, Int64) CODEC(ZSTD(1)),
    lastMs    SimpleAggregateFunction(max, Int64) CODEC(ZSTD(1))
)
ENGINE = ${Replicated}AggregatingMergeTree
PARTITION BY toStartOfMonth(day)
ORDER BY (channelId, userId, day, login)
TTL day + INTERVAL 90 DAY
SETTINGS ${DedupWindow}, merge_with_ttl_timeout = 14400;

CREATE MATERIALIZED VIEW IF NOT EXISTS chatter_days_of_lines ${OnCluster} TO chatter_days AS
SELECT channelId, userId, toDate(intDiv(sentAtMs, 1000), 'UTC') AS day, login, anyLast(name) AS name, anyLast(badges) AS badges, count() AS messages,
    min(sentAtMs) AS firstMs, max(sentAtMs) AS lastMs
FROM chat_lines
WHERE sourceChannelId = '' OR sourceChannelId = channelId
GROUP BY channelId, userId, day, login;

-- Removals as chat told them, beside those of EventSub: where nobody is connected, the log and its figures have these alone. Text goes with raw chat.
CREATE MATERIALIZED VIEW IF NOT EXISTS mod_events_of_chat ${OnCluster} TO mod_events AS
SELECT concat(channelId, ':irc:', id) AS id, channelId, sentAtMs AS atMs, action, 'irc' AS heardBy, targetUserId, targetLogin, targetMessageId, text, durationS
FROM chat_moderation
WHERE action IN ('delete', 'timeout', 'ban', 'clear');
