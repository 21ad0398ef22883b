-- What happens at the agents' door is on the record of the data plane's owner: enrolments in the audit, comings and
-- goings as events (their policy exists since the guards).
CREATE POLICY data_plane_writes ON audit_event FOR INSERT WITH CHECK (tenant_id IN (
    SELECT tenant_id FROM data_plane WHERE data_plane.id = (SELECT app_data_plane())));
