-- What analysts ask most, as views over the tables. Times are UTC.

-- Secrets found, by person and week (which begins on Monday).
CREATE VIEW IF NOT EXISTS {database}.leaks_by_person {on_cluster} AS
SELECT
    toStartOfWeek(f.started_at, 1) AS week,
    f.subject AS subject,
    any(e.email) AS email,
    f.direction AS direction,
    f.detector AS detector,
    count() AS times,
    uniqExact(f.fingerprint) AS secrets,
    uniqExact(f.exchange_id) AS exchanges
FROM {database}.findings AS f
LEFT JOIN
(
    SELECT subject, argMax(email, started_at) AS email FROM {database}.exchanges GROUP BY subject
) AS e ON e.subject = f.subject
WHERE f.kind = 'secret'
GROUP BY week, subject, direction, detector;

-- One row a secret, by its fingerprint: who had it, where it was seen.
CREATE VIEW IF NOT EXISTS {database}.secrets_seen {on_cluster} AS
SELECT
    fingerprint,
    any(detector) AS detector,
    uniqExact(subject) AS people,
    arraySort(groupUniqArray(100)(subject)) AS subjects,
    arraySort(groupUniqArray(100)(connection)) AS connections,
    count() AS times,
    min(started_at) AS first_seen,
    max(started_at) AS last_seen
FROM {database}.findings
WHERE kind = 'secret' AND fingerprint != ''
GROUP BY fingerprint;

-- One row an approval, in its last state, with how long it took to be decided.
CREATE VIEW IF NOT EXISTS {database}.approval_delays {on_cluster} AS
SELECT
    id,
    argMax(state, sequence) AS last_state,
    any(connection) AS connection,
    any(rule) AS rule,
    any(subject) AS subject,
    any(email) AS email,
    argMax(decided_by_email, sequence) AS decided_by,
    argMax(reason, sequence) AS reason,
    min(created_at) AS asked_at,
    maxIf(decided_at, decided_at > toDateTime64(0, 3, 'UTC')) AS answered_at,
    if(answered_at > asked_at, toFloat64(answered_at) - toFloat64(asked_at), NULL) AS seconds
FROM {database}.approvals
GROUP BY id;

-- What the gateway added to the callers' waiting, by minute and connection: everything but the upstream and approvers.
CREATE VIEW IF NOT EXISTS {database}.added_latency {on_cluster} AS
SELECT
    toStartOfMinute(started_at) AS minute,
    connection,
    count() AS exchanges,
    quantile(0.5)(authenticate_us + scan_us) / 1000 AS p50_ms,
    quantile(0.99)(authenticate_us + scan_us) / 1000 AS p99_ms,
    quantile(0.5)(upstream_first_byte_us) / 1000 AS upstream_p50_ms
FROM {database}.exchanges
WHERE outcome = 'ok'
GROUP BY minute, connection;

-- Models and how much they were used, by day and person.
CREATE VIEW IF NOT EXISTS {database}.model_usage {on_cluster} AS
SELECT
    toDate(started_at) AS day,
    connection,
    model,
    subject,
    any(email) AS email,
    count() AS exchanges,
    countIf(outcome != 'ok') AS failed,
    sum(request_bytes) AS request_bytes,
    sum(response_bytes) AS response_bytes
FROM {database}.exchanges
GROUP BY day, connection, model, subject;

-- Token counts that the services reported in their own answers, where the recorded body has them; 0 where not.
CREATE VIEW IF NOT EXISTS {database}.token_usage {on_cluster} AS
SELECT
    f.started_at AS started_at,
    f.exchange_id AS exchange_id,
    any(e.connection) AS connection,
    any(e.model) AS model,
    any(e.subject) AS subject,
    arrayStringConcat(arrayMap(x -> x.2, arraySort(groupArray((f.sequence, f.bytes))))) AS body,
    toUInt64OrZero(extractAll(body, '"(?:prompt_tokens|input_tokens|promptTokenCount|prompt_eval_count)"\\s*:\\s*(\\d{1,12})')[-1]) AS input_tokens,
    toUInt64OrZero(extractAll(body, '"(?:completion_tokens|output_tokens|candidatesTokenCount|eval_count)"\\s*:\\s*(\\d{1,12})')[-1]) AS output_tokens
FROM {database}.frames AS f
INNER JOIN {database}.exchanges AS e ON e.id = f.exchange_id AND e.started_at = f.started_at
WHERE f.direction = 'response'
GROUP BY f.started_at, f.exchange_id;

-- Every exchange of which some part was not scanned, with the reason.
CREATE VIEW IF NOT EXISTS {database}.not_scanned {on_cluster} AS
SELECT
    started_at,
    id,
    connection,
    subject,
    email,
    path,
    request_unscanned_bytes,
    request_unscanned_reason,
    response_unscanned_bytes,
    response_unscanned_reason
FROM {database}.exchanges
WHERE request_unscanned_bytes + response_unscanned_bytes > 0;
