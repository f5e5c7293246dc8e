-- Imported streams (their channels begin with vod-, contracts/src/event.ts), and the chunks that a search reads, of live channels too.
-- The columns are the fields of contracts/src/{chat,chunk}.ts, held by a test.

-- Raw chat of imported streams: as chat_lines, chat_notices and chat_moderation, and kept until the stream is deleted. Its times are
-- any, so a partition is a month: a table of many years stays a few hundred parts.
CREATE TABLE IF NOT EXISTS vod_lines ${OnCluster}
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
    CONSTRAINT whole CHECK id != '' AND channelId != '' AND sentAtMs > 0 AND sentAtMs < 4102444800000
)
ENGINE = ${Replicated}MergeTree
PARTITION BY intDiv(sentAtMs, 2592000000)
ORDER BY (channelId, sentAtMs)
SETTINGS ${DedupWindow};

CREATE TABLE IF NOT EXISTS vod_notices ${OnCluster}
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
PARTITION BY intDiv(sentAtMs, 2592000000)
ORDER BY (channelId, sentAtMs)
SETTINGS ${DedupWindow};

CREATE TABLE IF NOT EXISTS vod_moderation ${OnCluster}
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
PARTITION BY intDiv(sentAtMs, 2592000000)
ORDER BY (channelId, sentAtMs)
SETTINGS ${DedupWindow};

-- Chunks of live channels leave with the raw chat that they are made of, by whole parts; those of imported streams stay. So no part holds
-- both. One row an id: read with FINAL, or by id.
CREATE TABLE IF NOT EXISTS chat_chunks ${OnCluster}
(
    id          String CODEC(ZSTD(1)),
    channelId   LowCardinality(String),
    startMs     Int64 CODEC(Delta, ZSTD(1)),
    endMs       Int64 CODEC(Delta, ZSTD(1)),
    version     UInt32,
    messages    UInt32,
    chatters    UInt32,
    text        String CODEC(ZSTD(3)),
    emoteWords  String CODEC(ZSTD(1)),
    people      String CODEC(ZSTD(1)),
    moods       Map(LowCardinality(String), UInt32),
    times       Float64,
    peakMs      Int64 CODEC(Delta, ZSTD(1)),
    bursts      Array(String) CODEC(ZSTD(1)),
    screenWords String CODEC(ZSTD(1)),
    storedAt    DateTime('UTC') MATERIALIZED now() CODEC(Delta, ZSTD(1)),
    startAt     DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(startMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != '' AND startMs > 0 AND startMs < 4102444800000,
    INDEX by_id id TYPE bloom_filter GRANULARITY 1
)
ENGINE = ${Replicated}ReplacingMergeTree
PARTITION BY (startsWith(channelId, 'vod-'), intDiv(startMs, if(startsWith(channelId, 'vod-'), 2592000000, 14400000)))
ORDER BY (channelId, startMs)
TTL if(startsWith(channelId, 'vod-'), toDateTime(4102444800, 'UTC'), storedAt + toIntervalHour(24))
SETTINGS ${DedupWindow}, ttl_only_drop_parts = 1, merge_with_ttl_timeout = 600;

-- What leaves live channels by its age stays with an imported stream. What stands already is live, and its rule is the same as before.
ALTER TABLE chat_windows ${OnCluster} MODIFY TTL storedAt + INTERVAL 7 DAY DELETE WHERE sizeS = 1 AND NOT startsWith(channelId, 'vod-') SETTINGS materialize_ttl_after_modify = 0;
ALTER TABLE forecasts ${OnCluster} MODIFY TTL storedAt + INTERVAL 90 DAY DELETE WHERE NOT startsWith(channelId, 'vod-') SETTINGS materialize_ttl_after_modify = 0;
ALTER TABLE forecast_outcomes ${OnCluster} MODIFY TTL storedAt + INTERVAL 90 DAY DELETE WHERE NOT startsWith(channelId, 'vod-') SETTINGS materialize_ttl_after_modify = 0;
ALTER TABLE video_segments ${OnCluster} MODIFY TTL storedAt + INTERVAL 30 DAY DELETE WHERE NOT startsWith(channelId, 'vod-') SETTINGS materialize_ttl_after_modify = 0;
ALTER TABLE shots ${OnCluster} MODIFY TTL storedAt + INTERVAL 90 DAY DELETE WHERE NOT startsWith(channelId, 'vod-') SETTINGS materialize_ttl_after_modify = 0;
ALTER TABLE shot_scores ${OnCluster} MODIFY TTL storedAt + INTERVAL 90 DAY DELETE WHERE NOT startsWith(channelId, 'vod-') SETTINGS materialize_ttl_after_modify = 0;
ALTER TABLE audio_windows ${OnCluster} MODIFY TTL storedAt + INTERVAL 30 DAY DELETE WHERE NOT startsWith(channelId, 'vod-') SETTINGS materialize_ttl_after_modify = 0;
ALTER TABLE reaction_lags ${OnCluster} MODIFY TTL storedAt + INTERVAL 90 DAY DELETE WHERE NOT startsWith(channelId, 'vod-') SETTINGS materialize_ttl_after_modify = 0;
