-- The oracle's index of words: which chunk says which word, and how often. The analyser (analytics/src/oracle/search/words.ts) stems both languages,
-- so ClickHouse need not: a question reads its own terms' rows, sorted by term, and nothing of the chunks' text.

CREATE TABLE IF NOT EXISTS chunk_terms ${OnCluster}
(
    -- A stem; `:KEKW` an emote; `@login` who wrote; `~laugh` a mood; `^loud` what picture and sound say.
    term      String CODEC(ZSTD(1)),
    channelId LowCardinality(String),
    startMs   Int64 CODEC(Delta, ZSTD(1)),
    -- Distinct lines with it, and a little for repeats.
    uses      UInt8,
    -- Sum of `uses` over the chunk.
    length    UInt16,
    -- The chunk's own: what is made of a live channel's chunks leaves with them.
    storedAt  DateTime('UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ${Replicated}ReplacingMergeTree
PARTITION BY startsWith(channelId, 'vod-')
ORDER BY (term, channelId, startMs)
TTL if(startsWith(channelId, 'vod-'), toDateTime(4102444800, 'UTC'), storedAt + toIntervalHour(24))
SETTINGS ${DedupWindow}, index_granularity = 1024, merge_with_ttl_timeout = 3600;

-- One row a chunk, written after its terms: what is here can be found.
CREATE TABLE IF NOT EXISTS chunk_lengths ${OnCluster}
(
    channelId LowCardinality(String),
    startMs   Int64 CODEC(Delta, ZSTD(1)),
    length    UInt16,
    -- Distinct lines.
    lines     UInt16,
    -- Of the analyser: another one makes the rows anew.
    version   UInt16,
    storedAt  DateTime('UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ${Replicated}ReplacingMergeTree(version)
PARTITION BY startsWith(channelId, 'vod-')
ORDER BY (channelId, startMs)
TTL if(startsWith(channelId, 'vod-'), toDateTime(4102444800, 'UTC'), storedAt + toIntervalHour(24))
SETTINGS ${DedupWindow}, merge_with_ttl_timeout = 3600;
