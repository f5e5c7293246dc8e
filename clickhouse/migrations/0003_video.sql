-- What is seen and heard of a channel's picture, and the moments found in it. The columns are the fields of
-- contracts/src/{video,shot,audio,moment}.ts, held by a test. (video.measured stays on the log: bulky, and folds have said what it means.)

CREATE TABLE IF NOT EXISTS video_segments ${OnCluster}
(
    id            String CODEC(ZSTD(1)),
    channelId     LowCardinality(String),
    epoch         Int64 CODEC(Delta, ZSTD(1)),
    seq           Int64 CODEC(Delta, ZSTD(1)),
    startMs       Int64 CODEC(Delta, ZSTD(1)),
    durationMs    UInt32,
    uncertainMs   UInt32,
    discontinuity Bool,
    ad            Bool,
    -- Where the contract says null, the key is empty.
    analysis      Tuple(key String, bytes UInt64, width UInt16, height UInt16, bandwidth UInt64, container LowCardinality(String), init Tuple(key String, bytes UInt64)) CODEC(ZSTD(1)),
    source        Tuple(key String, bytes UInt64, width UInt16, height UInt16, bandwidth UInt64, container LowCardinality(String), init Tuple(key String, bytes UInt64)) CODEC(ZSTD(1)),
    storedAt      DateTime('UTC') MATERIALIZED now() CODEC(Delta, ZSTD(1)),
    startAt       DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(startMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != '' AND startMs > 0 AND startMs < 4102444800000
)
ENGINE = ${Replicated}ReplacingMergeTree
PARTITION BY intDiv(startMs, 2592000000)
ORDER BY (channelId, startMs, id)
-- The files are gone after hours; how steadily they came is asked for some weeks.
TTL storedAt + INTERVAL 30 DAY
SETTINGS ${DedupWindow}, merge_with_ttl_timeout = 14400;

CREATE TABLE IF NOT EXISTS video_gaps ${OnCluster}
(
    id        String,
    channelId LowCardinality(String),
    epoch     Int64,
    fromMs    Int64,
    toMs      Int64,
    toSeq     Nullable(Int64),
    reason    LowCardinality(String),
    detail    String CODEC(ZSTD(1)),
    storedAt  DateTime('UTC') MATERIALIZED now(),
    fromAt    DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(fromMs, 'UTC'),
    toAt      DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(toMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != ''
)
ENGINE = ${Replicated}ReplacingMergeTree
ORDER BY (channelId, fromMs, id)
SETTINGS ${DedupWindow};

CREATE TABLE IF NOT EXISTS shots ${OnCluster}
(
    id            String CODEC(ZSTD(1)),
    channelId     LowCardinality(String),
    epoch         Int64 CODEC(Delta, ZSTD(1)),
    startMs       Int64 CODEC(Delta, ZSTD(1)),
    endMs         Int64 CODEC(Delta, ZSTD(1)),
    cut           LowCardinality(String),
    frames        UInt32,
    ad            Bool,
    scene         LowCardinality(String),
    sharpness     Float64,
    exposure      Float64,
    colourfulness Float64,
    noise         Float64,
    cameraMotion  Float64,
    objectMotion  Float64,
    blackShare    Float64,
    frozenShare   Float64,
    cutsPerMin    Float64,
    text          Float64,
    novelty       Float64,
    framesKeys    Array(String) CODEC(ZSTD(1)),
    storedAt      DateTime('UTC') MATERIALIZED now() CODEC(Delta, ZSTD(1)),
    startAt       DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(startMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != '' AND startMs > 0 AND startMs < 4102444800000
)
ENGINE = ${Replicated}ReplacingMergeTree
PARTITION BY intDiv(startMs, 2592000000)
ORDER BY (channelId, startMs, id)
TTL storedAt + INTERVAL 90 DAY
SETTINGS ${DedupWindow}, merge_with_ttl_timeout = 14400;

-- One row a shot and model. A score replaces an "unknown" of the same model, in whatever order they come.
CREATE TABLE IF NOT EXISTS shot_scores ${OnCluster}
(
    id        String CODEC(ZSTD(1)),
    channelId LowCardinality(String),
    startMs   Int64 CODEC(Delta, ZSTD(1)),
    endMs     Int64 CODEC(Delta, ZSTD(1)),
    model     LowCardinality(String),
    action    Nullable(Float64),
    quality   Nullable(Float64),
    novelty   Nullable(Float64),
    unknown   LowCardinality(Nullable(String)),
    storedAt  DateTime('UTC') MATERIALIZED now() CODEC(Delta, ZSTD(1)),
    known     UInt8 MATERIALIZED unknown IS NULL,
    startAt   DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(startMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != '' AND startMs > 0 AND startMs < 4102444800000
)
ENGINE = ${Replicated}ReplacingMergeTree(known)
PARTITION BY intDiv(startMs, 2592000000)
ORDER BY (channelId, startMs, id, model)
TTL storedAt + INTERVAL 90 DAY
SETTINGS ${DedupWindow}, merge_with_ttl_timeout = 14400;

CREATE TABLE IF NOT EXISTS audio_windows ${OnCluster}
(
    id            String CODEC(ZSTD(1)),
    channelId     LowCardinality(String),
    startMs       Int64 CODEC(Delta, ZSTD(1)),
    ad            Bool,
    momentary     Nullable(Float64),
    shortTerm     Nullable(Float64),
    integrated    Nullable(Float64),
    peak          Float64,
    aboveUsual    Float64,
    onset         Float64,
    silence       Bool,
    voice         Float64,
    tempo         Nullable(Float64),
    tempoStrength Float64,
    storedAt      DateTime('UTC') MATERIALIZED now() CODEC(Delta, ZSTD(1)),
    startAt       DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(startMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != '' AND startMs > 0 AND startMs < 4102444800000
)
ENGINE = ${Replicated}ReplacingMergeTree
PARTITION BY intDiv(startMs, 2592000000)
ORDER BY (channelId, startMs)
-- One row a second and channel.
TTL storedAt + INTERVAL 30 DAY
SETTINGS ${DedupWindow}, merge_with_ttl_timeout = 14400;

-- The newest version of a moment replaces the others, in whatever order they come. Its times may differ from version to version, so they are
-- neither in the key nor in the partition.
CREATE TABLE IF NOT EXISTS moments ${OnCluster}
(
    id           String,
    channelId    LowCardinality(String),
    state        LowCardinality(String),
    version      UInt32,
    kind         LowCardinality(String),
    origin       LowCardinality(String),
    startMs      Int64,
    endMs        Int64,
    onsetMs      Int64,
    peakMs       Int64,
    chatOnsetMs  Nullable(Int64),
    lagMs        Int32,
    lagErrorMs   Int32,
    lagLearned   Bool,
    startSnap    LowCardinality(Nullable(String)),
    endSnap      LowCardinality(Nullable(String)),
    score        Float64,
    subject      String,
    reasons      Map(LowCardinality(String), Float64),
    senses       Tuple(chat LowCardinality(String), picture LowCardinality(String), sound LowCardinality(String), model LowCardinality(String)),
    marks        Array(String),
    detectedAtMs Int64,
    storedAt     DateTime('UTC') MATERIALIZED now(),
    startAt      DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(startMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != '' AND startMs > 0 AND startMs < 4102444800000
)
ENGINE = ${Replicated}ReplacingMergeTree(version)
ORDER BY (channelId, id)
SETTINGS ${DedupWindow};

CREATE TABLE IF NOT EXISTS reaction_lags ${OnCluster}
(
    id        String,
    channelId LowCardinality(String),
    atMs      Int64 CODEC(Delta, ZSTD(1)),
    lagMs     Int32,
    errorMs   Int32,
    learned   Bool,
    pairs     UInt32,
    storedAt  DateTime('UTC') MATERIALIZED now(),
    at        DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(atMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != '' AND atMs > 0
)
ENGINE = ${Replicated}ReplacingMergeTree
ORDER BY (channelId, atMs)
TTL storedAt + INTERVAL 90 DAY
SETTINGS ${DedupWindow}, merge_with_ttl_timeout = 14400;

CREATE TABLE IF NOT EXISTS moment_marks ${OnCluster}
(
    id        String,
    channelId LowCardinality(String),
    atMs      Int64,
    via       LowCardinality(String),
    by        String,
    label     String,
    storedAt  DateTime('UTC') MATERIALIZED now(),
    at        DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(atMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != '' AND atMs > 0
)
ENGINE = ${Replicated}ReplacingMergeTree
ORDER BY (channelId, atMs, id)
SETTINGS ${DedupWindow};
