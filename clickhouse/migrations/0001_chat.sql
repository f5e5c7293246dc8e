-- What the sources heard. The columns are the fields of contracts/src/chat.ts, held by a test.
--
-- Written once for every engine: ${Replicated}, ${OnCluster} and ${DedupWindow} are filled in at start (analytics/src/migrate.ts).
-- An applied file never changes: a new one follows it.
--
-- Times are milliseconds as on the wire; the ALIAS beside each is the same as a DateTime64 for people and dashboards.
-- (No dictionaries but for the channel: in chat_lines they cost a third of an insert's CPU and save little over ZSTD.)
-- storedAt is when the row reached the store: retention counts from there, so that what comes late is not gone at once.
-- Partitions depend on the row alone: a batch that is sent twice falls into the same ones and is recognised.

CREATE TABLE IF NOT EXISTS chat_lines ${OnCluster}
(
    id              String,
    channelId       LowCardinality(String),
    sentAtMs        Int64 CODEC(Delta, ZSTD(1)),
    receivedAtMs    Int64 CODEC(Delta, ZSTD(1)),
    userId          String CODEC(ZSTD(1)),
    login           String CODEC(ZSTD(1)),
    name            String CODEC(ZSTD(1)),
    text            String CODEC(ZSTD(1)),
    action          Bool,
    badges          String CODEC(ZSTD(1)),
    badgeInfo       String CODEC(ZSTD(1)),
    color           String CODEC(ZSTD(1)),
    -- (ref, name, first, last)
    emotes          Array(Tuple(String, String, UInt16, UInt16)) CODEC(ZSTD(1)),
    bits            UInt32,
    firstMessage    Bool,
    returning       Bool,
    replyTo         String,
    replyThread     String,
    sourceChannelId String,
    sourceId        String,
    nonce           String,
    storedAt        DateTime('UTC') MATERIALIZED now() CODEC(Delta, ZSTD(1)),
    sentAt          DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(sentAtMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != '' AND sentAtMs > 0 AND sentAtMs < 4102444800000,
    -- The other way in: everything that one viewer wrote, without reading the channels' hours.
    PROJECTION by_user (SELECT userId, sentAtMs, channelId, text ORDER BY userId, sentAtMs)
)
ENGINE = ${Replicated}MergeTree
PARTITION BY intDiv(sentAtMs, 3600000)
ORDER BY (channelId, sentAtMs)
TTL storedAt + INTERVAL 24 HOUR
SETTINGS ${DedupWindow}, ttl_only_drop_parts = 1, merge_with_ttl_timeout = 600;

CREATE TABLE IF NOT EXISTS chat_notices ${OnCluster}
(
    id         String,
    channelId  LowCardinality(String),
    sentAtMs   Int64 CODEC(Delta, ZSTD(1)),
    kind       LowCardinality(String),
    userId     String,
    login      String,
    name       String,
    text       String CODEC(ZSTD(1)),
    systemText String CODEC(ZSTD(1)),
    count      UInt32 DEFAULT 1,
    params     Map(LowCardinality(String), String),
    storedAt   DateTime('UTC') MATERIALIZED now(),
    sentAt     DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(sentAtMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != '' AND sentAtMs > 0 AND sentAtMs < 4102444800000
)
ENGINE = ${Replicated}MergeTree
PARTITION BY intDiv(sentAtMs, 86400000)
ORDER BY (channelId, sentAtMs)
TTL storedAt + INTERVAL 24 HOUR
SETTINGS ${DedupWindow}, merge_with_ttl_timeout = 3600;

CREATE TABLE IF NOT EXISTS chat_moderation ${OnCluster}
(
    id              String,
    channelId       LowCardinality(String),
    sentAtMs        Int64 CODEC(Delta, ZSTD(1)),
    action          LowCardinality(String),
    targetUserId    String,
    targetLogin     String,
    targetMessageId String,
    text            String CODEC(ZSTD(1)),
    durationS       UInt32,
    room            Map(LowCardinality(String), String),
    storedAt        DateTime('UTC') MATERIALIZED now(),
    sentAt          DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(sentAtMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != '' AND sentAtMs > 0 AND sentAtMs < 4102444800000
)
ENGINE = ${Replicated}MergeTree
PARTITION BY intDiv(sentAtMs, 86400000)
ORDER BY (channelId, sentAtMs)
TTL storedAt + INTERVAL 24 HOUR
SETTINGS ${DedupWindow}, merge_with_ttl_timeout = 3600;

CREATE TABLE IF NOT EXISTS chat_gaps ${OnCluster}
(
    id        String,
    channelId LowCardinality(String),
    fromMs    Int64,
    toMs      Int64,
    reason    LowCardinality(String),
    storedAt  DateTime('UTC') MATERIALIZED now(),
    fromAt    DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(fromMs, 'UTC'),
    toAt      DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(toMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != ''
)
ENGINE = ${Replicated}ReplacingMergeTree
ORDER BY (channelId, fromMs, id)
SETTINGS ${DedupWindow};

-- What could not be stored or understood, with the reason: for a person to look at.
CREATE TABLE IF NOT EXISTS dead_letters ${OnCluster}
(
    id       String,
    stream   LowCardinality(String),
    seq      UInt64,
    subject  String,
    reason   LowCardinality(String),
    detail   String CODEC(ZSTD(1)),
    body     String CODEC(ZSTD(1)),
    atMs     Int64,
    storedAt DateTime('UTC') MATERIALIZED now(),
    at       DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(atMs, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree
ORDER BY (stream, seq, id)
TTL storedAt + INTERVAL 30 DAY
SETTINGS ${DedupWindow};
