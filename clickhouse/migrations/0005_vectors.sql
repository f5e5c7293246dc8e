-- Vectors of chunks, one a chunk and model (analytics/src/oracle/index). Asked for by a scan: an HNSW graph is rebuilt by each merge and answers too few
-- rows behind a filter (docs/oracle.md).
--
-- textHash is of what was embedded: the same text under the same model is embedded once, wherever it stands.
-- storedAt is the chunk's own: a live channel's vectors leave with their chunks, those of imported streams stay.
-- Vectors do not compress; unpacked they are read faster.

CREATE TABLE IF NOT EXISTS chunk_vectors ${OnCluster}
(
    model     LowCardinality(String),
    channelId LowCardinality(String),
    startMs   Int64 CODEC(Delta, ZSTD(1)),
    chunkId   String CODEC(ZSTD(1)),
    textHash  UInt64 CODEC(NONE),
    vector    Array(BFloat16) CODEC(NONE),
    storedAt  DateTime('UTC') CODEC(Delta, ZSTD(1)),
    startAt   DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(startMs, 'UTC'),
    CONSTRAINT whole CHECK model != '' AND channelId != '' AND chunkId != ''
)
ENGINE = ${Replicated}ReplacingMergeTree
PARTITION BY (model, startsWith(channelId, 'vod-'))
ORDER BY (model, channelId, startMs, chunkId)
TTL if(startsWith(channelId, 'vod-'), toDateTime(4102444800, 'UTC'), storedAt + toIntervalHour(24))
SETTINGS ${DedupWindow}, merge_with_ttl_timeout = 3600;
