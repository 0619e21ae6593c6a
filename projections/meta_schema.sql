-- What outlives a rebuild: which schema is live, how far each is, and the log lines. Running this again changes nothing.

CREATE SCHEMA IF NOT EXISTS headwater;

-- One row per schema of views. `position` is its checkpoint: it moves in the transaction of the rows, by compare-and-set, and only
-- for the live one or the one being built, so it is the fence against a second projector. Exactly one is live once the views are built.
CREATE TABLE IF NOT EXISTS headwater.views (
    schema text PRIMARY KEY,
    version integer NOT NULL,
    log_identity text NOT NULL,
    position bigint NOT NULL DEFAULT 0,
    target bigint NOT NULL DEFAULT 0,
    live boolean NOT NULL DEFAULT false
);
CREATE SEQUENCE IF NOT EXISTS headwater.builds;

-- Log lines have a checkpoint of their own: they are kept by age, so no rebuild could bring all of them back.
CREATE TABLE IF NOT EXISTS headwater.log_checkpoint (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    log_identity text NOT NULL,
    position bigint NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS headwater.log_lines (
    run_id uuid NOT NULL,
    position bigint NOT NULL,
    line integer NOT NULL,
    attempt integer NOT NULL,
    at timestamptz NOT NULL,
    level integer NOT NULL,
    logger text NOT NULL,
    message text NOT NULL,
    task text NOT NULL,
    map_index integer NOT NULL,
    PRIMARY KEY (run_id, position, line)
);
-- Lines come about in the order of their time, so a few pages tell which blocks are old enough to go.
CREATE INDEX IF NOT EXISTS log_lines_by_age ON headwater.log_lines USING brin (at);

-- Messages of log lines that could not be read or kept: dead letters. The stream keeps their bytes, for as long as it keeps anything.
CREATE TABLE IF NOT EXISTS headwater.log_dead_letters (
    position bigint PRIMARY KEY,
    subject text NOT NULL,
    reason text NOT NULL,
    recorded_at timestamptz NOT NULL
);

-- Projections of users, each with its checkpoint, and the commits that theirs could not apply.
CREATE TABLE IF NOT EXISTS headwater.own_projections (
    name text PRIMARY KEY,
    version integer NOT NULL,
    log_identity text NOT NULL,
    position bigint NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS headwater.own_set_aside (
    name text NOT NULL,
    position bigint NOT NULL,
    subject text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (name, position)
);
