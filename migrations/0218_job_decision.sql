-- What agents decided of jobs' workers, with every term of it. Written only by link/job; the newest of each job are kept.
CREATE TABLE job_decision (
    job_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    data_plane_id uuid NOT NULL,
    -- When the agent decided; told twice, it is the same.
    at timestamptz NOT NULL,
    outcome text NOT NULL,
    reason text NOT NULL,
    also jsonb NOT NULL DEFAULT '[]',
    workers integer NOT NULL,
    workers_wanted integer NOT NULL,
    workers_given integer NOT NULL,
    lag bigint,
    terms jsonb,
    PRIMARY KEY (job_id, at),
    FOREIGN KEY (tenant_id, job_id) REFERENCES job (tenant_id, id) ON DELETE CASCADE
);

CALL guard_tenant('job_decision');
CREATE POLICY data_plane_scope ON job_decision USING (data_plane_id = (SELECT app_data_plane()));
