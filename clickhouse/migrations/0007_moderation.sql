-- Moderation: what the model and people say of lines, what Twitch tells, what was decided. The columns are the fields of
-- contracts/src/{toxicity,mod-case,mod-event,journal}.ts, held by a test. An empty array where the contract says null: a span that is the whole line.
--
-- Text of chat, and names beside it, goes with raw chat (storedAt + 24 h, or what the settings say): where a row is worth keeping without
-- them, the columns have the age, not the row. So a case of last month still counts in figures and shows nobody's words.

-- One row a pack. Its flagged lines stand again one by one in toxicity_scores, which is what to ask.
CREATE TABLE IF NOT EXISTS toxicity_packs ${OnCluster}
(
    id        String CODEC(ZSTD(1)),
    channelId LowCardinality(String),
    fromMs    Int64 CODEC(Delta, ZSTD(1)),
    toMs      Int64 CODEC(Delta, ZSTD(1)),
    lines     UInt32,
    unknown   UInt32,
    why       LowCardinality(Nullable(String)),
    languages Map(LowCardinality(String), UInt32),
    flagged   Array(Tuple(lineId String, channelId String, sentAtMs Int64, userId String, login String, name String, text String, class String,
                confidence Float64, toxicity Float64, severity Float64, action Float64, scores Array(Float64), span Array(UInt16), language String,
                authorLines UInt32, copies UInt32, near Int64, firstMessage Bool, gameTerm Bool, replyTo String, model String)) CODEC(ZSTD(1)),
    model     LowCardinality(String),
    storedAt  DateTime('UTC') MATERIALIZED now() CODEC(Delta, ZSTD(1)),
    startAt   DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(fromMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != '' AND fromMs > 0 AND fromMs < 4102444800000
)
ENGINE = ${Replicated}ReplacingMergeTree
PARTITION BY intDiv(fromMs, 3600000)
ORDER BY (channelId, fromMs, id)
TTL storedAt + INTERVAL 24 HOUR
SETTINGS ${DedupWindow}, ttl_only_drop_parts = 1, merge_with_ttl_timeout = 600;

-- One row a flagged line. A line that is scored again is the same row.
CREATE TABLE IF NOT EXISTS toxicity_scores ${OnCluster}
(
    lineId       String CODEC(ZSTD(1)),
    channelId    LowCardinality(String),
    sentAtMs     Int64 CODEC(Delta, ZSTD(1)),
    userId       String CODEC(ZSTD(1)),
    login        String TTL storedAt + INTERVAL 24 HOUR,
    name         String TTL storedAt + INTERVAL 24 HOUR,
    text         String TTL storedAt + INTERVAL 24 HOUR,
    class        LowCardinality(String),
    confidence   Float64,
    toxicity     Float64,
    severity     Float64,
    action       Float64,
    scores       Array(Float64),
    span         Array(UInt16),
    language     LowCardinality(String),
    authorLines  UInt32,
    copies       UInt32,
    near         Int64,
    firstMessage Bool,
    gameTerm     Bool,
    replyTo      String CODEC(ZSTD(1)),
    model        LowCardinality(String),
    storedAt     DateTime('UTC') MATERIALIZED now() CODEC(Delta, ZSTD(1)),
    sentAt       DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(sentAtMs, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree
PARTITION BY intDiv(sentAtMs, 86400000)
ORDER BY (channelId, userId, sentAtMs, lineId)
-- What a moderator is told of a chatter's last 30 days.
TTL storedAt + INTERVAL 30 DAY
SETTINGS ${DedupWindow}, merge_with_ttl_timeout = 3600;

CREATE MATERIALIZED VIEW IF NOT EXISTS toxicity_scores_of_packs ${OnCluster} TO toxicity_scores AS
SELECT
    line.lineId AS lineId, line.channelId AS channelId, line.sentAtMs AS sentAtMs, line.userId AS userId, line.login AS login, line.name AS name,
    line.text AS text, line.class AS class, line.confidence AS confidence, line.toxicity AS toxicity, line.severity AS severity,
    line.action AS action, line.scores AS scores, line.span AS span, line.language AS language, line.authorLines AS authorLines,
    line.copies AS copies, line.near AS near, line.firstMessage AS firstMessage, line.gameTerm AS gameTerm, line.replyTo AS replyTo, line.model AS model
FROM toxicity_packs ARRAY JOIN flagged AS line;

CREATE TABLE IF NOT EXISTS toxicity_windows ${OnCluster}
(
    id              String CODEC(ZSTD(1)),
    channelId       LowCardinality(String),
    startMs         Int64 CODEC(Delta, ZSTD(1)),
    sizeS           UInt16,
    scored          UInt32,
    unknown         UInt32,
    toxic           UInt32,
    users           UInt32,
    classes         Map(LowCardinality(String), UInt32),
    languages       Map(LowCardinality(String), UInt32),
    newcomers       UInt32,
    usualPerMin     Nullable(Float64),
    spikeFromPerMin Nullable(Float64),
    gapS            Float64,
    storedAt        DateTime('UTC') MATERIALIZED now() CODEC(Delta, ZSTD(1)),
    startAt         DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(startMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != '' AND startMs > 0 AND startMs < 4102444800000
)
ENGINE = ${Replicated}ReplacingMergeTree
PARTITION BY intDiv(startMs, 2592000000)
ORDER BY (channelId, startMs)
SETTINGS ${DedupWindow};

-- The newest version of a spike replaces the others, in whatever order they come.
CREATE TABLE IF NOT EXISTS toxicity_spikes ${OnCluster}
(
    id              String,
    channelId       LowCardinality(String),
    version         UInt32,
    kind            LowCardinality(String),
    state           LowCardinality(String),
    startMs         Int64,
    endMs           Nullable(Int64),
    peakMs          Int64,
    lines           UInt32,
    scored          UInt32,
    unknown         UInt32,
    perMin          Float64,
    peakPerMin      Float64,
    usualPerMin     Float64,
    usualLowPerMin  Float64,
    usualHighPerMin Float64,
    fromPerMin      Float64,
    times           Float64,
    share           Float64,
    usualShare      Float64,
    users           UInt32,
    newUsers        UInt32,
    classes         Map(LowCardinality(String), UInt32),
    languages       Map(LowCardinality(String), UInt32),
    -- (userId, login, lines) and (text, lines, users)
    topUsers        Array(Tuple(String, String, UInt32)) TTL storedAt + INTERVAL 24 HOUR,
    phrases         Array(Tuple(String, UInt32, UInt32)) TTL storedAt + INTERVAL 24 HOUR,
    driver          LowCardinality(String),
    measure         LowCardinality(String),
    measureS        UInt32,
    measureUsers    Array(String) TTL storedAt + INTERVAL 24 HOUR,
    reasons         Map(LowCardinality(String), Float64),
    detectedAtMs    Int64,
    storedAt        DateTime('UTC') MATERIALIZED now(),
    startAt         DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(startMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != '' AND startMs > 0 AND startMs < 4102444800000
)
ENGINE = ${Replicated}ReplacingMergeTree(version)
PARTITION BY intDiv(startMs, 2592000000)
ORDER BY (channelId, startMs, id)
SETTINGS ${DedupWindow}, merge_with_ttl_timeout = 3600;

-- The newest version of a case replaces the others. firstAtMs is the time of the line that names the case: no version changes it.
CREATE TABLE IF NOT EXISTS mod_cases ${OnCluster}
(
    id            String CODEC(ZSTD(1)),
    channelId     LowCardinality(String),
    version       UInt32,
    state         LowCardinality(String),
    kind          LowCardinality(String),
    source        LowCardinality(String),
    severity      LowCardinality(String),
    class         LowCardinality(String),
    score         Float64,
    severityScore Float64,
    action        Float64,
    scores        Array(Float64),
    lineId        String CODEC(ZSTD(1)),
    userId        String CODEC(ZSTD(1)),
    login         String TTL storedAt + INTERVAL 24 HOUR,
    name          String TTL storedAt + INTERVAL 24 HOUR,
    text          String TTL storedAt + INTERVAL 24 HOUR,
    span          Array(UInt16),
    language      LowCardinality(String),
    firstAtMs     Int64 CODEC(Delta, ZSTD(1)),
    lastAtMs      Int64 CODEC(Delta, ZSTD(1)),
    count         UInt32,
    users         UInt32,
    removed       UInt32,
    coordinated   Bool,
    newcomers     UInt32,
    reports       UInt32,
    heldId        String CODEC(ZSTD(1)),
    spikeId       Nullable(String),
    lines         Array(Tuple(lineId String, userId String, login String, name String, text String, sentAtMs Int64, toxicity Float64, span Array(UInt16),
                    removedAtMs Nullable(Int64))) TTL storedAt + INTERVAL 24 HOUR,
    reasons       Map(LowCardinality(String), Float64),
    model         LowCardinality(String),
    receivedAtMs  Int64,
    detectedAtMs  Int64 CODEC(Delta, ZSTD(1)),
    -- When the first of its lines was removed; 0: none was. It outlives the lines.
    removedAtMs   Int64 MATERIALIZED ifNull(arrayMin(arrayMap(line -> ifNull(line.removedAtMs, 0), arrayFilter(line -> line.removedAtMs IS NOT NULL, lines))), 0),
    storedAt      DateTime('UTC') MATERIALIZED now() CODEC(Delta, ZSTD(1)),
    firstAt       DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(firstAtMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != '' AND firstAtMs > 0 AND firstAtMs < 4102444800000,
    INDEX by_id id TYPE bloom_filter GRANULARITY 1
)
ENGINE = ${Replicated}ReplacingMergeTree(version)
PARTITION BY intDiv(firstAtMs, 2592000000)
ORDER BY (channelId, firstAtMs, id)
SETTINGS ${DedupWindow}, index_granularity = 1024, merge_with_ttl_timeout = 3600;

-- What Twitch tells of moderation. The same act heard by EventSub and by IRC has one id; EventSub's row, which says more, stays.
CREATE TABLE IF NOT EXISTS mod_events ${OnCluster}
(
    id              String,
    channelId       LowCardinality(String),
    atMs            Int64 CODEC(Delta, ZSTD(1)),
    action          LowCardinality(String),
    heardBy         LowCardinality(String),
    moderatorId     String,
    moderatorLogin  String,
    targetUserId    String,
    targetLogin     String,
    targetMessageId String,
    text            String TTL storedAt + INTERVAL 24 HOUR,
    reason          String,
    durationS       UInt32,
    detail          Map(LowCardinality(String), String),
    sourceChannelId String,
    messageId       String,
    storedAt        DateTime('UTC') MATERIALIZED now() CODEC(Delta, ZSTD(1)),
    fuller          UInt8 MATERIALIZED heardBy = 'eventsub',
    at              DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(atMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != '' AND atMs > 0 AND atMs < 4102444800000
)
ENGINE = ${Replicated}ReplacingMergeTree(fuller)
-- The times of one act heard twice may differ: they are neither in the key nor in a partition.
ORDER BY (channelId, id)
SETTINGS ${DedupWindow}, merge_with_ttl_timeout = 3600;

CREATE TABLE IF NOT EXISTS mod_reports ${OnCluster}
(
    id        String,
    channelId LowCardinality(String),
    atMs      Int64 CODEC(Delta, ZSTD(1)),
    lineId    String,
    userId    String,
    login     String TTL storedAt + INTERVAL 24 HOUR,
    name      String TTL storedAt + INTERVAL 24 HOUR,
    text      String TTL storedAt + INTERVAL 24 HOUR,
    sentAtMs  Int64,
    reporter  String,
    storedAt  DateTime('UTC') MATERIALIZED now() CODEC(Delta, ZSTD(1)),
    at        DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(atMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != '' AND atMs > 0 AND atMs < 4102444800000
)
ENGINE = ${Replicated}ReplacingMergeTree
ORDER BY (channelId, lineId, id)
TTL storedAt + INTERVAL 90 DAY
SETTINGS ${DedupWindow}, merge_with_ttl_timeout = 3600;

-- The journal as it stands on the log, chatters sealed: nothing here is to be removed, and what reads it opens the seals itself.
CREATE TABLE IF NOT EXISTS journal ${OnCluster}
(
    form      UInt8,
    number    UInt64,
    channelId LowCardinality(String),
    id        String,
    atMs      Int64 CODEC(Delta, ZSTD(1)),
    by        Tuple(kind String, userId String, login String),
    act       LowCardinality(String),
    caseId    Nullable(String),
    of        Nullable(String),
    target    Nullable(String),
    sealed    Nullable(String) CODEC(ZSTD(1)),
    durationS UInt32,
    reason    String,
    score     Float64,
    class     LowCardinality(String),
    count     UInt32,
    detail    Map(LowCardinality(String), String),
    prev      String,
    hash      String,
    storedAt  DateTime('UTC') MATERIALIZED now() CODEC(Delta, ZSTD(1)),
    at        DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(atMs, 'UTC'),
    CONSTRAINT whole CHECK id != '' AND channelId != '' AND number > 0 AND atMs > 0
)
ENGINE = ${Replicated}ReplacingMergeTree
ORDER BY (channelId, number)
SETTINGS ${DedupWindow};
