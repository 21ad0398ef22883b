//! The peer of a registration: a transaction that makes durable what a registration does, and reads nothing for it.

use super::load::{Load, Registry};
use crate::postgres::Postgres;
use crate::story::Story;
use crate::story::client::Api;
use crate::workspace::{Workspace, read, write};
use anyhow::{Context, Result};
use std::path::PathBuf;

/// Writes the script: over as many subjects, counts a change of one and inserts schema, version, audit and event. The subjects
/// are the other tenant's, since a registration counts what its own has.
pub async fn script(story: &Story<'_>, postgres: &Postgres, subjects: u64) -> Result<PathBuf> {
    let user = story.user("risk")?;
    let registry = Registry {
        api: Api::with_key(&story.stack.url(), &user.username, &user.password),
        base: "/registry",
    };
    let _made = Load::register(&registry, "peer", subjects).await?;
    let ask = "select k.tenant_id, k.context, t.organization_id from contract k \
               join tenant t on t.id = k.tenant_id where k.subject = 'bench-peer-0'";
    let row = postgres.psql("weir", ask).await?;
    let mut ids = row.trim().split('|');
    let mut next = || ids.next().context("the peer's subject is not there");
    let (tenant, environment, organization) = (next()?, next()?, next()?);
    let last = subjects - 1;
    let text = super::load::schema("grown", 1).len();
    let script = format!(
        "\\set s random(0, {last})\n\
         \\set r random(1, 1000000000000000)\n\
         \\startpipeline\n\
         BEGIN;\n\
         SELECT set_config('app.scope', 'tenant', true), set_config('app.tenant', '{tenant}', true);\n\
         \\endpipeline\n\
         UPDATE contract SET generation = generation + 1, updated_at = now() WHERE tenant_id = '{tenant}' \
             AND context = '{environment}' AND subject = 'bench-peer-' || :s RETURNING id AS contract, generation AS version \\gset\n\
         INSERT INTO contract_schema (id, tenant_id, environment_id, schema_id, guid, content_sha256, text_sha256, format, text, \
             schema_references, record_names) VALUES (md5('row-' || :r)::uuid, '{tenant}', '{environment}', \
             nextval('contract_schema_id'), md5('guid-' || :r)::uuid, sha256(('content-' || :r)::bytea), \
             sha256(('text-' || :r)::bytea), 'AVRO', repeat('x', {text}), '[]', '{{weir.bench.Payment}}');\n\
         INSERT INTO contract_version (tenant_id, contract_id, version, contract_schema_id, created_by) \
             VALUES ('{tenant}', :contract, :version, md5('row-' || :r)::uuid, 'pgbench');\n\
         WITH audited AS (INSERT INTO audit_event (id, organization_id, tenant_id, principal, action, kind, object_id, \
             resource_name, after, request_id) VALUES (md5('audit-' || :r)::uuid, '{organization}', '{tenant}', 'pgbench', \
             'register_version', 'Contract', :contract, 'environment=prod/contract=bench-peer', \
             '{{\"subject\" : \"bench-peer\", \"format\" : \"AVRO\"}}', 'pgbench')) \
             INSERT INTO event (id, organization_id, tenant_id, kind, object_id, action, generation) \
             VALUES (md5('event-' || :r)::uuid, '{organization}', '{tenant}', 'Contract', :contract, 'register_version', :version);\n\
         COMMIT;\n"
    );
    let file = story.stack.ws.scratch("bench")?.join("G24.register.sql");
    write(&file, &script)?;
    Ok(file)
}

/// The pinned version of Apicurio.
pub fn version(ws: &Workspace) -> Result<String> {
    let pom = read(&ws.root.join("deploy/bench/apicurio/pom.xml"))?;
    let after = pom.split_once("<artifactId>bench-apicurio</artifactId>");
    let version = after.and_then(|(_, rest)| rest.split_once("<version>")?.1.split_once("</version>"));
    Ok(version.context("read the version of Apicurio")?.0.to_owned())
}
