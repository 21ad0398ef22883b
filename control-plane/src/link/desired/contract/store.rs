//! Reading what contracts of topics take. Under a data plane's scope, and every statement names its tenants.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::choice::{AllStanding, MEMBERS_MAX, References, Standing};
use super::{Member, SchemaRow, Source, Subjects};
use crate::kernel::Result;
use crate::runtime::Tx;

/// References lead on through no more than so many others.
const DEPTH_MAX: usize = 256;

struct Row {
    place: i64,
    contract_id: Uuid,
    version: i32,
    schema: Uuid,
    json: bool,
    bytes: i32,
}

/// Sources of one sort, as columns.
#[derive(Default)]
struct Asked<'a> {
    sources: Vec<&'a Source>,
    tenants: Vec<Uuid>,
    environments: Vec<Uuid>,
    names: Vec<String>,
}

impl<'a> Asked<'a> {
    fn push(&mut self, source: &'a Source, name: &str) {
        self.sources.push(source);
        self.tenants.push(source.tenant);
        self.environments.push(source.environment);
        self.names.push(name.to_owned());
    }

    fn keep(&self, rows: Vec<Row>, standing: &mut AllStanding) {
        for row in rows {
            let Row {
                place,
                contract_id,
                version,
                schema,
                json,
                bytes,
            } = row;
            let source = usize::try_from(place - 1)
                .ok()
                .and_then(|it| self.sources.get(it));
            let Some(source) = source else { continue };
            standing.entry((*source).clone()).or_default().push(Standing {
                contract: contract_id,
                version,
                member: Member { schema, json },
                bytes: usize::try_from(bytes).unwrap_or(0),
            });
        }
    }
}

/// The versions that stand in each source, newest first. What is retired is no schema for records: a version that says so, and every
/// version of a contract whose newest one does.
pub(super) async fn standing(tx: &mut Tx, wanted: impl Iterator<Item = &Source>) -> Result<AllStanding> {
    let (mut named, mut records, mut of_topic) = (Asked::default(), Asked::default(), Asked::default());
    for source in wanted {
        match &source.subjects {
            Subjects::Named(name) => named.push(source, name),
            Subjects::Records => records.push(source, ""),
            Subjects::RecordsOf(topic) => of_topic.push(source, topic),
        }
    }
    let most = i64::try_from(MEMBERS_MAX).unwrap_or(i64::MAX);
    let mut standing = AllStanding::new();
    named.keep(of_subjects(tx, &named, most).await?, &mut standing);
    records.keep(of_records(tx, &records, most).await?, &mut standing);
    of_topic.keep(of_topics_records(tx, &of_topic, most).await?, &mut standing);
    Ok(standing)
}

async fn of_subjects(tx: &mut Tx, asked: &Asked<'_>, most: i64) -> Result<Vec<Row>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT w.place AS "place!", m.contract_id AS "contract_id!", m.version AS "version!", m.schema AS "schema!",
             m.json AS "json!", m.bytes AS "bytes!"
         FROM unnest($1::uuid[], $2::uuid[], $3::text[]) WITH ORDINALITY AS w (tenant_id, context, name, place)
         CROSS JOIN LATERAL (
             SELECT v.contract_id, v.version, s.id AS schema, s.format = 'JSON' AS json,
                 octet_length(s.text) + coalesce(octet_length(s.metadata::text), 0)
                     + coalesce(octet_length(s.rule_set::text), 0) + 128 AS bytes
             FROM contract k JOIN contract_version v ON v.tenant_id = k.tenant_id AND v.contract_id = k.id
             JOIN contract_schema s ON s.tenant_id = v.tenant_id AND s.id = v.contract_schema_id
             WHERE k.tenant_id = w.tenant_id AND k.context = w.context AND k.subject = w.name AND v.deleted_at IS NULL
                 AND contract_lifecycle(s.metadata) IS DISTINCT FROM 'RETIRED' AND NOT contract_retired(k.tenant_id, k.id)
             ORDER BY v.version DESC LIMIT $4) m
         ORDER BY w.place, m.version DESC"#,
        &asked.tenants,
        &asked.environments,
        &asked.names,
        most,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}

async fn of_records(tx: &mut Tx, asked: &Asked<'_>, most: i64) -> Result<Vec<Row>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT w.place AS "place!", m.contract_id AS "contract_id!", m.version AS "version!", m.schema AS "schema!",
             m.json AS "json!", m.bytes AS "bytes!"
         FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS w (tenant_id, context, place)
         CROSS JOIN LATERAL (
             SELECT v.contract_id, v.version, v.created_at, s.id AS schema, s.format = 'JSON' AS json,
                 octet_length(s.text) + coalesce(octet_length(s.metadata::text), 0)
                     + coalesce(octet_length(s.rule_set::text), 0) + 128 AS bytes
             FROM contract k JOIN contract_version v ON v.tenant_id = k.tenant_id AND v.contract_id = k.id
             JOIN contract_schema s ON s.tenant_id = v.tenant_id AND s.id = v.contract_schema_id
             WHERE k.tenant_id = w.tenant_id AND k.context = w.context AND k.subject = ANY(s.record_names)
                 AND v.deleted_at IS NULL
                 AND contract_lifecycle(s.metadata) IS DISTINCT FROM 'RETIRED' AND NOT contract_retired(k.tenant_id, k.id)
             ORDER BY v.created_at DESC, v.contract_id, v.version DESC LIMIT $3) m
         ORDER BY w.place, m.created_at DESC, m.contract_id, m.version DESC"#,
        &asked.tenants,
        &asked.environments,
        most,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}

/// A subject is the topic, a hyphen and a name of its schema: asked so that subjects meet topics by equality.
async fn of_topics_records(tx: &mut Tx, asked: &Asked<'_>, most: i64) -> Result<Vec<Row>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT place AS "place!", contract_id, version, schema, json AS "json!", bytes AS "bytes!" FROM (
             SELECT w.place, v.contract_id, v.version, s.id AS schema, s.format = 'JSON' AS json,
                 octet_length(s.text) + coalesce(octet_length(s.metadata::text), 0)
                     + coalesce(octet_length(s.rule_set::text), 0) + 128 AS bytes,
                 row_number() OVER (PARTITION BY w.place ORDER BY v.created_at DESC, v.contract_id, v.version DESC) AS age
             FROM contract k JOIN contract_version v ON v.tenant_id = k.tenant_id AND v.contract_id = k.id
             JOIN contract_schema s ON s.tenant_id = v.tenant_id AND s.id = v.contract_schema_id
             CROSS JOIN LATERAL unnest(s.record_names) AS r (name)
             JOIN unnest($1::uuid[], $2::uuid[], $3::text[]) WITH ORDINALITY AS w (tenant_id, context, name, place)
                 ON w.tenant_id = k.tenant_id AND w.context = k.context
                     AND w.name = left(k.subject, -(length(r.name) + 1))
             WHERE right(k.subject, length(r.name) + 1) = '-' || r.name AND v.deleted_at IS NULL
                 AND contract_lifecycle(s.metadata) IS DISTINCT FROM 'RETIRED' AND NOT contract_retired(k.tenant_id, k.id)) found
         WHERE age <= $4 ORDER BY place, age"#,
        &asked.tenants,
        &asked.environments,
        &asked.names,
        most,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}

/// What these refer to, directly and through others.
pub(super) async fn references(tx: &mut Tx, standing: &AllStanding) -> Result<References> {
    let mut references = References::default();
    let mut front: BTreeMap<Uuid, (Uuid, Uuid, i32)> = BTreeMap::new();
    for (source, all) in standing {
        for it in all {
            let version = (source.tenant, it.contract, it.version);
            front.entry(it.member.schema).or_insert(version);
        }
    }
    let mut seen = BTreeSet::new();
    for _depth in 0..DEPTH_MAX {
        if front.is_empty() {
            break;
        }
        seen.extend(front.keys().copied());
        let mut next = BTreeMap::new();
        for row in led_to(tx, &front).await? {
            let known = (row.name, row.to_schema, usize::try_from(row.bytes).unwrap_or(0));
            references.of.entry(row.schema).or_default().push(known);
            if !seen.contains(&row.to_schema) {
                let version = (row.tenant_id, row.to_contract_id, row.to_version);
                next.entry(row.to_schema).or_insert(version);
            }
        }
        front = next;
    }
    Ok(references)
}

struct ReferenceRow {
    tenant_id: Uuid,
    schema: Uuid,
    name: String,
    to_contract_id: Uuid,
    to_version: i32,
    to_schema: Uuid,
    bytes: i32,
}

/// One step: what these versions name, each by its place among the references of its schema.
async fn led_to(tx: &mut Tx, front: &BTreeMap<Uuid, (Uuid, Uuid, i32)>) -> Result<Vec<ReferenceRow>> {
    let tenants: Vec<Uuid> = front.values().map(|(tenant, _, _)| *tenant).collect();
    let contracts: Vec<Uuid> = front.values().map(|(_, contract, _)| *contract).collect();
    let versions: Vec<i32> = front.values().map(|(_, _, version)| *version).collect();
    let rows = sqlx::query_as!(
        ReferenceRow,
        r#"SELECT r.tenant_id, s.id AS schema, s.schema_references->r.ordinal->>'name' AS "name!", r.to_contract_id, r.to_version,
             t.id AS to_schema, octet_length(t.text) + coalesce(octet_length(t.metadata::text), 0)
                 + coalesce(octet_length(t.rule_set::text), 0) + 128 AS "bytes!"
         FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS f (tenant_id, contract_id, version)
         JOIN contract_reference r ON r.tenant_id = f.tenant_id AND r.contract_id = f.contract_id AND r.version = f.version
         JOIN contract_version v ON v.tenant_id = r.tenant_id AND v.contract_id = r.contract_id AND v.version = r.version
         JOIN contract_schema s ON s.tenant_id = v.tenant_id AND s.id = v.contract_schema_id
         JOIN contract_version w ON w.tenant_id = r.tenant_id AND w.contract_id = r.to_contract_id AND w.version = r.to_version
         JOIN contract_schema t ON t.tenant_id = w.tenant_id AND t.id = w.contract_schema_id
         WHERE s.schema_references->r.ordinal->>'name' IS NOT NULL
         ORDER BY s.id, r.ordinal"#,
        &tenants,
        &contracts,
        &versions,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}

/// The texts of those that are sent.
pub(super) async fn schemas(tx: &mut Tx, chosen: &BTreeSet<(Uuid, Uuid)>) -> Result<Vec<SchemaRow>> {
    let (tenants, ids): (Vec<Uuid>, Vec<Uuid>) = chosen.iter().copied().unzip();
    let rows = sqlx::query!(
        "SELECT s.id, s.schema_id, s.guid, s.format, s.text, s.metadata, s.rule_set
         FROM unnest($1::uuid[], $2::uuid[]) AS w (tenant_id, id)
         JOIN contract_schema s ON s.tenant_id = w.tenant_id AND s.id = w.id ORDER BY s.id",
        &tenants,
        &ids,
    )
    .fetch_all(tx.conn())
    .await?;
    let schemas = rows.into_iter().map(|row| SchemaRow {
        id: row.id,
        schema_id: row.schema_id,
        guid: row.guid,
        format: row.format,
        text: row.text,
        metadata: row.metadata,
        rule_set: row.rule_set,
        references: Vec::new(),
    });
    Ok(schemas.collect())
}
