-- Who asks, looked up with each request: by the member's own row, not by a scan of every member.
DROP POLICY lookup_scope ON role_binding;
CREATE POLICY lookup_scope ON role_binding FOR SELECT USING (
    (SELECT app_lookup()) IS NOT NULL
    AND EXISTS (SELECT FROM member WHERE member.id = role_binding.member_id));
