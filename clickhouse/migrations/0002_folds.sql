-- Final values, as the folds committed them. The columns are the fields of contracts/src/{window,burst,hype}.ts, held by a test.
-- One row an id: whatever arrives twice is the same row. Read with FINAL, or by id.

CREATE TABLE IF NOT EXISTS chat_windows ${OnCluster}
(
    id                String CODEC(ZSTD(1)),
    channelId         LowCardinality(String),
    startMs           Int64 CODEC(Delta, ZSTD(1)),
    sizeS             UInt16,
    messages          UInt32,
    chatters          UInt32,
    chattersEstimated Bool,
    firstTimers       UInt32,
    -- (ref, name, uses), most used first, at most 20
    emotes            Array(Tuple(LowCardinality(String), LowCardinality(String), UInt32)),
    emoteUses         UInt32,
    emoteShare        Float64,
    moods             Map(LowCardinality(String), UInt32),
    sentiment         Float64,
    sentimentLines    UInt32,
    meanLength        Float64,
    repeatedShare     Float64,
    nearRepeatedShare Float64,
    capsShare         Float64,
    questions         UInt32,
    links             UInt32,
    bits              UInt32,
    subs              UInt32,
    raiders           UInt32,
    languages         Tuple(en UInt32, ru UInt32, other UInt32),
    gapS              Float64,
    late              UInt32,
    emoteSet          LowCardinality(String),
    storedAt          DateTime('UTC') MATERIALIZED now() CODEC(Delta, ZSTD(1)),
    startAt           DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(startMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != '' AND startMs > 0 AND sizeS > 0
)
ENGINE = ${Replicated}ReplacingMergeTree
PARTITION BY intDiv(startMs, 2592000000)
ORDER BY (channelId, sizeS, startMs)
-- One-second panes are many and serve the last days only; the longer windows stay.
TTL storedAt + INTERVAL 7 DAY DELETE WHERE sizeS = 1
SETTINGS ${DedupWindow}, merge_with_ttl_timeout = 14400;

-- A burst comes when it opens and again when it closes: the closed row replaces the open one, in whatever order they come.
CREATE TABLE IF NOT EXISTS chat_bursts ${OnCluster}
(
    id           String,
    channelId    LowCardinality(String),
    kind         LowCardinality(String),
    subject      String,
    emoteRef     String,
    mood         LowCardinality(Nullable(String)),
    startMs      Int64 CODEC(Delta, ZSTD(1)),
    peakMs       Int64,
    endMs        Int64,
    detectedAtMs Int64,
    open         Bool,
    count        UInt32,
    chatters     UInt32,
    peakRate     Float64,
    baselineRate Float64,
    times        Float64,
    z            Float64,
    reasons      Map(LowCardinality(String), Float64),
    storedAt     DateTime('UTC') MATERIALIZED now(),
    closed       UInt8 MATERIALIZED NOT open,
    startAt      DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(startMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != '' AND startMs > 0
)
ENGINE = ${Replicated}ReplacingMergeTree(closed)
PARTITION BY intDiv(startMs, 2592000000)
ORDER BY (channelId, startMs, id)
SETTINGS ${DedupWindow};

CREATE TABLE IF NOT EXISTS hype ${OnCluster}
(
    id             String CODEC(ZSTD(1)),
    channelId      LowCardinality(String),
    atMs           Int64 CODEC(Delta, ZSTD(1)),
    state          LowCardinality(String),
    value          Nullable(Float64),
    warm           Float64,
    usualLow       Nullable(Float64),
    usualHigh      Nullable(Float64),
    peak           Nullable(Float64),
    trend          Nullable(Float64),
    messagesPerMin Float64,
    messagesTimes  Nullable(Float64),
    chattersPerMin Float64,
    chattersTimes  Nullable(Float64),
    parts          Map(LowCardinality(String), Float64),
    storedAt       DateTime('UTC') MATERIALIZED now() CODEC(Delta, ZSTD(1)),
    at             DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(atMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != '' AND atMs > 0
)
ENGINE = ${Replicated}ReplacingMergeTree
PARTITION BY intDiv(atMs, 2592000000)
ORDER BY (channelId, atMs)
SETTINGS ${DedupWindow};

CREATE TABLE IF NOT EXISTS forecasts ${OnCluster}
(
    id          String CODEC(ZSTD(1)),
    channelId   LowCardinality(String),
    atMs        Int64 CODEC(Delta, ZSTD(1)),
    model       LowCardinality(String),
    burstChance Nullable(Float64),
    usualChance Nullable(Float64),
    -- Empty where the contract says null: the model did not answer.
    horizons    Array(Tuple(minutes UInt16, p10 Float64, p50 Float64, p90 Float64)),
    storedAt    DateTime('UTC') MATERIALIZED now() CODEC(Delta, ZSTD(1)),
    at          DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(atMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != '' AND atMs > 0
)
ENGINE = ${Replicated}ReplacingMergeTree
PARTITION BY intDiv(atMs, 2592000000)
ORDER BY (channelId, atMs)
TTL storedAt + INTERVAL 90 DAY
SETTINGS ${DedupWindow};

CREATE TABLE IF NOT EXISTS forecast_outcomes ${OnCluster}
(
    id        String CODEC(ZSTD(1)),
    channelId LowCardinality(String),
    atMs      Int64 CODEC(Delta, ZSTD(1)),
    kind      LowCardinality(String),
    said      Float64,
    low       Nullable(Float64),
    high      Nullable(Float64),
    came      Float64,
    hit       Bool,
    storedAt  DateTime('UTC') MATERIALIZED now() CODEC(Delta, ZSTD(1)),
    at        DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(atMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != '' AND atMs > 0
)
ENGINE = ${Replicated}ReplacingMergeTree
PARTITION BY intDiv(atMs, 2592000000)
ORDER BY (channelId, kind, atMs)
TTL storedAt + INTERVAL 90 DAY
SETTINGS ${DedupWindow};
