-- For people: each exchange with its masked bodies as text. Give it an id or a narrow time when the audit is large.
CREATE VIEW IF NOT EXISTS {database}.transcripts {on_cluster} AS
SELECT
    e.*,
    f.request_text,
    f.response_text
FROM {database}.exchanges AS e
LEFT JOIN
(
    SELECT
        started_at,
        exchange_id,
        arrayStringConcat(arrayMap(x -> x.2, arraySort(groupArrayIf((sequence, bytes), direction = 'request')))) AS request_text,
        arrayStringConcat(arrayMap(x -> x.2, arraySort(groupArrayIf((sequence, bytes), direction = 'response')))) AS response_text
    FROM {database}.frames
    GROUP BY started_at, exchange_id
) AS f ON f.started_at = e.started_at AND f.exchange_id = e.id;
