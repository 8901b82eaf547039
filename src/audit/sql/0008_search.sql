-- What a text is searched in, lower case, with an index of its trigrams: over ten million exchanges a scan takes seconds.
-- Parts from before have no index yet and are scanned; `ALTER TABLE exchanges MATERIALIZE INDEX by_facts` gives them one.
ALTER TABLE {database}.exchanges {on_cluster} ADD COLUMN IF NOT EXISTS facts String MATERIALIZED
    lowerUTF8(concatWithSeparator('\n', path, query, model, email, subject, client_address, code, arrayStringConcat(detectors, '\n')))
    CODEC(ZSTD(1));

ALTER TABLE {database}.exchanges {on_cluster} ADD INDEX IF NOT EXISTS by_facts facts TYPE text(tokenizer = ngrams(3));
