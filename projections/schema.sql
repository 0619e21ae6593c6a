-- The views: every table here is folded from the log and holds nothing that is not in it. Written by `make docs` from
-- projections/tables, where the columns are declared.
--
-- All of it lies in one PostgreSQL schema per build (headwater_v<version>_<build>), which is the search path while this runs.
-- Times are those in the events (`at`) or of the log; `position` is the log's sequence number of the last commit on the thing.
-- `json`, not `jsonb`: what was written comes back in the order in which it was written.

-- The pieces of two and three characters that a text has, in small letters: one that contains another has all its pieces.
CREATE FUNCTION grams(given text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT substr(lower(given), place, size))
    FROM generate_series(2, 3) AS size CROSS JOIN generate_series(1, length(given) - size + 1) AS place
$$;

CREATE TABLE projects (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    description text NOT NULL,
    created timestamptz NOT NULL,
    created_by text NOT NULL,
    deleted boolean NOT NULL DEFAULT false,
    position bigint NOT NULL
);
CREATE INDEX projects_by_name ON projects (name);

-- `labels` and `default_parameters` hold for new runs of every version; NULL labels: each version's own.
CREATE TABLE flow_groups (
    id uuid PRIMARY KEY,
    project_id uuid NOT NULL,
    name text NOT NULL,
    deleted boolean NOT NULL DEFAULT false,
    description text NOT NULL DEFAULT '',
    labels text[],
    default_parameters json NOT NULL DEFAULT '{}'
);
CREATE INDEX flow_groups_by_name ON flow_groups (name);
CREATE INDEX flow_groups_by_project ON flow_groups (project_id);

CREATE TABLE flow_versions (
    id uuid PRIMARY KEY,
    flow_group_id uuid NOT NULL,
    version bigint NOT NULL,
    archived boolean NOT NULL DEFAULT false,
    created timestamptz NOT NULL,
    created_by text NOT NULL,
    labels text[] NOT NULL,
    parameters json NOT NULL,
    storage json NOT NULL,
    run_config json NOT NULL,
    schedule json,
    environment json NOT NULL,
    serialized_hash text NOT NULL,
    idempotency_key text,
    task_count integer NOT NULL,
    edge_count integer NOT NULL,
    position bigint NOT NULL,
    UNIQUE (flow_group_id, version)
);

CREATE TABLE flow_tasks (
    flow_id uuid NOT NULL,
    ordinal integer NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    type text NOT NULL,
    tags text[] NOT NULL,
    max_retries integer NOT NULL,
    retry_delay_seconds double precision,
    timeout_seconds double precision,
    trigger text NOT NULL,
    mapped boolean NOT NULL,
    reference boolean NOT NULL,
    settings json NOT NULL,
    PRIMARY KEY (flow_id, ordinal)
);
CREATE INDEX flow_tasks_by_slug ON flow_tasks (flow_id, slug);

CREATE TABLE flow_edges (
    flow_id uuid NOT NULL,
    ordinal integer NOT NULL,
    upstream text NOT NULL,
    downstream text NOT NULL,
    key text,
    mapped boolean NOT NULL,
    flattened boolean NOT NULL,
    PRIMARY KEY (flow_id, ordinal)
);

-- Keys that have a value. Those of deleted projects have none.
CREATE TABLE key_values (
    id uuid PRIMARY KEY,
    project_id uuid NOT NULL,
    key text NOT NULL,
    value json NOT NULL,
    created timestamptz NOT NULL,
    updated timestamptz NOT NULL,
    updated_by text NOT NULL,
    position bigint NOT NULL
);
CREATE INDEX key_values_by_key ON key_values (project_id, key COLLATE "C");

-- What task runs show to people. `id` and `task_run_id` are made of the ids of run, artifact and task run, as people know them.
CREATE TABLE artifacts (
    id text PRIMARY KEY,
    run_id uuid NOT NULL,
    slug text NOT NULL,
    map_index integer NOT NULL,
    task_run_id text NOT NULL,
    kind text NOT NULL,
    data json NOT NULL,
    created timestamptz NOT NULL,
    updated timestamptz NOT NULL,
    position bigint NOT NULL
);
CREATE INDEX artifacts_by_task_run ON artifacts (run_id, slug, map_index);
CREATE INDEX artifacts_by_task_run_id ON artifacts (task_run_id);

-- `set_by_user` goes before `registered`; one with neither was deleted. Times up to `decided` have their outcomes.
CREATE TABLE schedules (
    id uuid PRIMARY KEY,
    flow_group_id uuid NOT NULL,
    project_id uuid NOT NULL,
    slug text NOT NULL,
    registered json,
    set_by_user json,
    active boolean NOT NULL DEFAULT true,
    decided timestamptz NOT NULL,
    pause_cause text,
    pause_note text NOT NULL DEFAULT '',
    paused_since timestamptz,
    paused_until timestamptz,
    failures integer NOT NULL DEFAULT 0,
    runs_made bigint NOT NULL DEFAULT 0,
    last_nominal timestamptz,
    last_run_id uuid,
    created timestamptz NOT NULL,
    updated timestamptz NOT NULL,
    updated_by text NOT NULL,
    position bigint NOT NULL
);
CREATE INDEX schedules_by_flow ON schedules (flow_group_id);

-- `outcome`: fired or skipped, of the time `nominal`; caught_up, set, deleted, of those over `since` up to it; paused; resumed.
CREATE TABLE schedule_outcomes (
    schedule_id uuid NOT NULL,
    position bigint NOT NULL,
    ordinal integer NOT NULL,
    outcome text NOT NULL,
    nominal timestamptz NOT NULL,
    since timestamptz,
    run_id uuid,
    because text,
    detail text NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    PRIMARY KEY (schedule_id, position, ordinal)
);
CREATE INDEX schedule_outcomes_by_time ON schedule_outcomes (schedule_id, nominal);

-- `state` is running, cancelling, completed or cancelled. `succeeded`, `failed` and `cancelled` count its runs that ended.
CREATE TABLE backfills (
    id uuid PRIMARY KEY,
    schedule_id uuid NOT NULL,
    flow_group_id uuid NOT NULL,
    project_id uuid NOT NULL,
    name text NOT NULL,
    state text NOT NULL,
    choice text NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    times integer NOT NULL,
    run_limit integer NOT NULL,
    parameters json NOT NULL,
    started integer NOT NULL DEFAULT 0,
    succeeded integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    cancelled integer NOT NULL DEFAULT 0,
    created timestamptz NOT NULL,
    created_by text NOT NULL,
    created_position bigint NOT NULL,
    ended timestamptz,
    position bigint NOT NULL
);
CREATE INDEX backfills_by_creation ON backfills (created_position);
CREATE INDEX backfills_by_schedule ON backfills (schedule_id);

-- Parts of large registrations, as they were written, until the registration that names them comes.
CREATE TABLE registration_parts (
    registration_id text NOT NULL,
    number integer NOT NULL,
    event bytea NOT NULL,
    PRIMARY KEY (registration_id, number)
);

-- `created_position` orders runs by their creation: unique, and steady while a reader pages through them.
CREATE TABLE runs (
    id uuid PRIMARY KEY,
    created_position bigint NOT NULL,
    flow_id uuid NOT NULL,
    flow_group_id uuid NOT NULL,
    flow_name text NOT NULL,
    project_id uuid NOT NULL,
    project_name text NOT NULL,
    version bigint NOT NULL,
    queue_id text NOT NULL,
    labels text[] NOT NULL,
    parameters json NOT NULL,
    context json NOT NULL,
    run_config json NOT NULL,
    idempotency_key text,
    schedule_id uuid,
    nominal timestamptz,
    scheduled_by json,
    created timestamptz NOT NULL,
    created_by text NOT NULL,
    name text NOT NULL,
    state text NOT NULL,
    state_message text NOT NULL,
    scheduled_start_time timestamptz,
    start_time timestamptz,
    end_time timestamptz,
    attempt integer NOT NULL,
    held boolean NOT NULL,
    agent_id text,
    agent_name text,
    cancel_requested boolean NOT NULL,
    failure json,
    position bigint NOT NULL
) WITH (fillfactor = 90);
-- Every listing goes through one of these, state by state, newest first. That of all runs is of an expression: listings
-- of a flow, a project or a queue do not use it. Where few of these have a state, the planner would walk through all that do.
CREATE INDEX runs_by_state ON runs ((state || ''), created_position);
CREATE INDEX runs_by_flow ON runs (flow_group_id, state, created_position);
CREATE INDEX runs_by_version ON runs (flow_id, state, created_position);
CREATE INDEX runs_by_project ON runs (project_id, state, created_position);
CREATE INDEX runs_by_queue ON runs (queue_id, state, created_position);
CREATE INDEX runs_by_name ON runs (name, created_position);
CREATE INDEX runs_by_scheduled_start ON runs (scheduled_start_time);
CREATE INDEX runs_by_due_time ON runs (scheduled_start_time, created_position) WHERE state = 'Scheduled';
CREATE INDEX runs_by_start ON runs (start_time) WHERE start_time IS NOT NULL;
CREATE INDEX runs_by_creation ON runs (created, state);
CREATE INDEX runs_by_agent ON runs (agent_id, created_position) WHERE agent_id IS NOT NULL;
CREATE INDEX runs_by_schedule ON runs (schedule_id, created_position) WHERE schedule_id IS NOT NULL;
CREATE INDEX runs_by_holder ON runs (agent_id) WHERE held;

-- The names that runs have, each with the `created_position` of its newest run. Texts are looked for here.
CREATE TABLE run_names (
    name text PRIMARY KEY,
    newest_position bigint NOT NULL
);
CREATE INDEX run_names_by_newest ON run_names (newest_position);
CREATE INDEX run_names_by_gram ON run_names USING gin (grams(name));

-- How many runs are in a state: of all time (`hour` is -infinity), and by the hour of their creation.
CREATE TABLE run_counts (
    hour timestamptz NOT NULL,
    flow_group_id uuid NOT NULL,
    state text NOT NULL,
    project_id uuid NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (hour, flow_group_id, state)
);

-- `seq` is the event's place in its commit.
CREATE TABLE run_states (
    run_id uuid NOT NULL,
    position bigint NOT NULL,
    seq integer NOT NULL,
    state text NOT NULL,
    message text NOT NULL,
    at timestamptz NOT NULL,
    attempt integer NOT NULL,
    actor text NOT NULL,
    scheduled_start_time timestamptz,
    failure json,
    PRIMARY KEY (run_id, position, seq)
);

-- Task runs that have events. Those that did not begin are read off the flow version's tasks.
CREATE TABLE task_runs (
    run_id uuid NOT NULL,
    slug text NOT NULL,
    map_index integer NOT NULL,
    name text,
    state text NOT NULL,
    state_message text NOT NULL,
    run_count integer,
    start_time timestamptz,
    end_time timestamptz,
    retry_at timestamptz,
    child_count integer,
    result json,
    failure json,
    attempt integer NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (run_id, slug, map_index)
) WITH (fillfactor = 80);

CREATE TABLE task_run_states (
    run_id uuid NOT NULL,
    position bigint NOT NULL,
    seq integer NOT NULL,
    slug text NOT NULL,
    map_index integer NOT NULL,
    state text NOT NULL,
    message text NOT NULL,
    at timestamptz NOT NULL,
    attempt integer NOT NULL,
    run_count integer,
    failure json,
    PRIMARY KEY (run_id, position, seq)
);

-- Results of tasks that serve later runs, under the keys by which these look for them.
CREATE TABLE cached_results (
    key text NOT NULL,
    position bigint NOT NULL,
    seq integer NOT NULL,
    run_id uuid NOT NULL,
    slug text NOT NULL,
    map_index integer NOT NULL,
    at timestamptz NOT NULL,
    expires_at timestamptz,
    result json,
    parameters json NOT NULL,
    hashed_inputs json NOT NULL,
    PRIMARY KEY (key, position, seq)
);

CREATE TABLE queues (
    id text PRIMARY KEY,
    labels text[] NOT NULL,
    created timestamptz NOT NULL,
    position bigint NOT NULL
);

CREATE TABLE agents (
    id text PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL,
    labels text[] NOT NULL,
    hostname text NOT NULL,
    pid bigint NOT NULL,
    version text NOT NULL,
    run_limit integer,
    status text NOT NULL,
    status_reason text NOT NULL,
    created timestamptz NOT NULL,
    created_position bigint NOT NULL,
    ended timestamptz,
    position bigint NOT NULL
);
CREATE INDEX agents_by_creation ON agents (created_position);

-- Commits that could not be applied. They block nothing; `reason` says why.
CREATE TABLE set_aside (
    position bigint PRIMARY KEY,
    subject text NOT NULL,
    event text NOT NULL,
    reason text NOT NULL,
    recorded_at timestamptz NOT NULL
);
