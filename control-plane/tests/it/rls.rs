//! The second wall: every table of the schema guards its rows by itself, so that a query which forgot its tenant still
//! shows nothing. A new table that is not guarded fails here, and so does one that this file's seed leaves empty.

use std::collections::BTreeMap;

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use uuid::Uuid;
use weir_control_plane::kernel::DataPlaneId;

use crate::authz::World;
use crate::harness::Database;

/// Rows of tables that no call of the API fills by itself.
const SEED: &str = "
    SET session_replication_role = replica;
    INSERT INTO lease (name, holder, expires_at) VALUES ('seed', gen_random_uuid(), now());
    INSERT INTO token_key (id, public_key, sealed_private_key, signs_from)
        VALUES (gen_random_uuid(), decode(repeat('04', 65), 'hex'), '', now());
    INSERT INTO service_quota (tenant_id, name, value) SELECT id, 'topics', 1 FROM tenant;
    INSERT INTO object_status (object_id, tenant_id, data_plane_id, phase, observed_epoch, observed_n)
        SELECT id, tenant_id, data_plane_id, 'READY', 1, 1 FROM topic;
    INSERT INTO data_plane_link (data_plane_id, tenant_id, enrolled_at, public_key_sha256, certificate_not_after)
        SELECT id, tenant_id, now(), decode(md5(id::text), 'hex'), now() FROM data_plane;
    INSERT INTO contract_reference (tenant_id, contract_id, version, ordinal, to_contract_id, to_version)
        SELECT tenant_id, contract_id, version, 0, contract_id, version FROM contract_version;
    INSERT INTO contract_finding (tenant_id, contract_id, version, ordinal, rule_id, rule, message)
        SELECT tenant_id, contract_id, version, 0, contract_id, 'r', 'm' FROM contract_version;
    INSERT INTO contract_config (id, tenant_id, subject) SELECT gen_random_uuid(), id, '' FROM tenant;
    INSERT INTO quota_use (quota_id, tenant_id, principal_id, started_at, ended_at, ingress_bytes, egress_bytes, requests,
            throttled_ms, would_throttle_ms, connections, connections_refused)
        SELECT id, tenant_id, id, now(), now(), 1, 1, 1, 1, 1, 1, 1 FROM quota;
    INSERT INTO alert_state (rule_id, tenant_id, state, value, since, evaluated_at)
        SELECT id, tenant_id, 'OK', 0, now(), now() FROM alert_rule;
    INSERT INTO alert_lag (rule_id, tenant_id, outcome, lag_records, reported_at)
        SELECT id, tenant_id, 'MEASURED', 1, now() FROM alert_rule;
    INSERT INTO contract_judged (topic_id, tenant_id, minute, records, violating)
        SELECT id, tenant_id, now(), 1, 1 FROM topic;
    INSERT INTO contract_violation (topic_id, tenant_id, minute, principal_id, part, contract_schema_id, kind, rule, enforcement,
            records) SELECT id, tenant_id, now(), id, 'VALUE', id, 'SCHEMA', 0, 'SHADOW', 1 FROM topic;
    INSERT INTO service_level (topic_id, tenant_id, name, since, minute, state, good, bad, remaining_ratio, spent_told)
        SELECT id, tenant_id, 'FRESHNESS', now(), now(), 'OK', 1, 0, 1, false FROM topic;
    INSERT INTO service_level_hour (topic_id, tenant_id, name, hour, good, bad)
        SELECT id, tenant_id, 'FRESHNESS', now(), 1, 0 FROM topic;
    INSERT INTO share_price (share_id, effective_from, tenant_id) SELECT id, now(), tenant_id FROM share;
    INSERT INTO share_mount (topic_id, share_id, tenant_id, consumer_tenant_id, shown_topic_id, shown_cluster_id, cluster_id, alias,
            from_unix_ms) SELECT gen_random_uuid(), id, tenant_id, gen_random_uuid(), id, cluster_id, cluster_id, 'a', 0 FROM share;
    INSERT INTO data_product_reader (tenant_id, data_product_id, reader_tenant_id) SELECT tenant_id, id, gen_random_uuid() FROM data_product;
    UPDATE data_product SET visibility = 'PUBLIC';
    INSERT INTO quota_storage (quota_id, tenant_id, bytes, measured_at) SELECT id, tenant_id, 1, now() FROM quota;
    INSERT INTO job_status (job_id, tenant_id, data_plane_id, version, workers, units, restarts, records_in, records_out,
            records_dropped, records_dead) SELECT id, tenant_id, data_plane_id, 1, 1, 1, 0, 1, 1, 0, 0 FROM job;
    INSERT INTO job_decision (job_id, tenant_id, data_plane_id, at, outcome, reason, workers, workers_wanted, workers_given)
        SELECT id, tenant_id, data_plane_id, now(), 'SCALE', 'UNDER_CAPACITY', 1, 2, 2 FROM job;
    INSERT INTO data_plane_key (data_plane_id, tenant_id) SELECT id, tenant_id FROM data_plane;
    INSERT INTO cluster_link_status (link_id, side, tenant_id, data_plane_id, phase, reason, observed_epoch, observed_n)
        SELECT id, 'SOURCE', tenant_id, source_data_plane_id, 'READY', '', 1, 1 FROM cluster_link;
    INSERT INTO cluster_link_topic_status (topic_id, link_id, tenant_id, data_plane_id, phase, reason, records, bytes)
        SELECT t.id, l.id, t.tenant_id, t.data_plane_id, 'RUNNING', '', 1, 1
        FROM topic t JOIN cluster_link l ON l.source_cluster_id = t.cluster_id;
    INSERT INTO desired_state (data_plane_id, epoch, n, body, digest, signature, expires_at)
        SELECT id, 1, 1, '', '', '', now() FROM data_plane;
    INSERT INTO served_cluster (cluster_id, data_plane_id, tenant_id, environment_id)
        SELECT id, data_plane_id, tenant_id, environment_id FROM cluster;
    INSERT INTO usage_window (data_plane_id, gateway_id, boot, sequence, started_at, ended_at)
        SELECT id, 'g', 1, 1, now(), now() FROM data_plane;
    INSERT INTO usage_progress (data_plane_id, complete_until) SELECT id, now() FROM data_plane;
    INSERT INTO usage_row (data_plane_id, gateway_id, boot, sequence, ordinal, tenant_id, environment_id, cluster_id,
            topic_id, principal_id, direction, uncertain, hour, bytes, records, requests)
        SELECT c.data_plane_id, 'g', 1, 1, row_number() OVER (), c.tenant_id, c.environment_id, c.id, t.id, t.id, 'FETCH', false, now(), 1, 1, 1
        FROM topic t JOIN cluster c ON c.id = t.cluster_id;
    INSERT INTO usage_hour (tenant_id, hour, cluster_id, topic_id, principal_id, direction, environment_id,
            data_plane_id, bytes, records, requests, uncertain_bytes)
        SELECT c.tenant_id, now(), c.id, t.id, t.id, 'FETCH', c.environment_id, c.data_plane_id, 1, 1, 1, 0
        FROM topic t JOIN cluster c ON c.id = t.cluster_id;
    INSERT INTO compute_use (compute_pool_id, tenant_id, data_plane_id, month, counter, unit_ms)
        SELECT id, tenant_id, data_plane_id, now(), gen_random_uuid(), 1 FROM compute_pool;
    INSERT INTO compute_budget (compute_pool_id, tenant_id, month, level)
        SELECT id, tenant_id, now(), 'WITHIN' FROM compute_pool;
    SET session_replication_role = DEFAULT;";

async fn tables(owner: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT relname::text FROM pg_class
         WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace AND relname <> '_sqlx_migrations'
         ORDER BY 1",
    )
    .fetch_all(owner)
    .await
    .expect("list the tables")
}

/// Rows of each table that show under settings such as `app.scope = tenant`; none is no scope at all.
async fn counted(
    connection: &mut PgConnection,
    tables: &[String],
    settings: &[(&str, String)],
) -> BTreeMap<String, i64> {
    let mut tx = connection.begin().await.expect("begin");
    for (name, value) in settings {
        sqlx::query("SELECT set_config($1, $2, true)")
            .bind(name)
            .bind(value)
            .execute(&mut *tx)
            .await
            .expect("set the scope");
    }
    let mut counts = BTreeMap::new();
    for table in tables {
        let statement = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        let count = sqlx::query_scalar(statement).fetch_one(&mut *tx).await;
        counts.insert(
            table.clone(),
            count.unwrap_or_else(|error| panic!("{table}: {error}")),
        );
    }
    counts
}

/// The tables that show rows.
fn shown(counts: &BTreeMap<String, i64>) -> Vec<&str> {
    let some = counts.iter().filter(|(_, count)| **count > 0);
    some.map(|(table, _)| table.as_str()).collect()
}

async fn app(database: &Database) -> PgConnection {
    PgConnection::connect(&database.app_url)
        .await
        .expect("connect as the application")
}

#[tokio::test]
async fn every_table_is_guarded_by_a_policy_that_says_whose_row_it_is() {
    let database = Database::create().await;
    let mut owner = database.owner().await;
    let rows = sqlx::query(
        "SELECT c.relname::text AS name, c.relrowsecurity AND c.relforcerowsecurity AS guarded,
                coalesce(bool_or(p.policyname = 'operator_scope'), false) AS operator,
                coalesce(bool_or(coalesce(p.qual, '') = 'true' OR coalesce(p.with_check, '') = 'true'), false) AS open
         FROM pg_class c LEFT JOIN pg_policies p ON p.schemaname = 'public' AND p.tablename = c.relname
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND c.relname <> '_sqlx_migrations'
         GROUP BY c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity",
    )
    .fetch_all(&mut owner)
    .await
    .expect("read the guards");
    assert!(rows.len() > 20);
    for row in rows {
        let name: String = row.get("name");
        assert!(
            row.get::<bool, _>("guarded"),
            "{name}: enable and force row-level security"
        );
        assert!(
            row.get::<bool, _>("operator"),
            "{name}: CALL guard_operator or guard_tenant"
        );
        assert!(!row.get::<bool, _>("open"), "{name}: a policy lets everybody in");
    }
}

#[tokio::test]
async fn without_a_scope_or_under_a_foreign_one_nothing_shows() {
    let world = World::make().await;
    let keyed = world.owner.clone().with("Idempotency-Key", "seed");
    keyed
        .post("/v1/environments", &json!({"spec": {"name": "seed"}}))
        .await
        .expect(201);
    let mut owner = world.bench.database.owner().await;
    sqlx::raw_sql(SEED).execute(&mut owner).await.expect("seed");
    let tables = tables(&mut owner).await;
    let all = counted(&mut owner, &tables, &[]).await;
    let empty: Vec<_> = all.iter().filter(|(_, count)| **count == 0).collect();
    assert!(
        empty.is_empty(),
        "seed these tables, so that the sweep means something: {empty:?}"
    );

    let mut app = app(&world.bench.database).await;
    let setting = |name: &'static str, value: &str| (name, value.to_owned());
    let foreign = Uuid::now_v7().to_string();
    assert_eq!(shown(&counted(&mut app, &tables, &[]).await), [""; 0]);
    // The wish of nobody is nobody's: a scope without its id, and one that does not exist.
    for scope in ["tenant", "organization", "data_plane", "lookup", "root"] {
        let counts = counted(&mut app, &tables, &[setting("app.scope", scope)]).await;
        let mut shows = shown(&counts);
        // How far events go is no secret to who is within a scope.
        shows.retain(|it| *it != "event_head" || !matches!(scope, "tenant" | "organization"));
        assert_eq!(shows, [""; 0], "scope {scope} without an id");
    }
    for (scope, id) in [
        ("tenant", "app.tenant"),
        ("organization", "app.organization"),
        ("data_plane", "app.data_plane"),
        ("lookup", "app.lookup"),
    ] {
        let settings = [setting("app.scope", scope), setting(id, &foreign)];
        let counts = counted(&mut app, &tables, &settings).await;
        let mut shows = shown(&counts);
        shows.retain(|it| *it != "event_head" || !matches!(scope, "tenant" | "organization"));
        assert_eq!(shows, [""; 0], "a foreign {scope}");
    }
    // The id of one scope under the name of another opens nothing either.
    let own = world.ids.tenant.uuid().to_string();
    let crossed = [setting("app.scope", "data_plane"), setting("app.tenant", &own)];
    assert_eq!(shown(&counted(&mut app, &tables, &crossed).await), [""; 0]);

    // And the sweep can see: the operator all, the tenant its own.
    let operator = counted(&mut app, &tables, &[setting("app.scope", "operator")]).await;
    assert_eq!(operator, all);
    let settings = [setting("app.scope", "tenant"), setting("app.tenant", &own)];
    let tenant = counted(&mut app, &tables, &settings).await;
    for table in [
        "topic",
        "api_key",
        "role_binding",
        "audit_event",
        "usage_hour",
        "object_status",
    ] {
        assert!(tenant[table] > 0, "{table} of its own tenant");
    }
    assert!(tenant["tenant"] == 1 && tenant["organization"] == 1);
}

#[tokio::test]
async fn a_data_product_shows_to_whom_it_is_listed_whatever_a_query_asks() {
    let world = World::make().await;
    let (_third, third) = world.bench.tenant("TENANT_ADMIN").await;
    let mut owner = world.bench.database.owner().await;
    let mut app = app(&world.bench.database).await;
    let tables = ["data_product".to_owned(), "data_product_reader".to_owned()];
    let settings = [
        ("app.scope", "tenant".to_owned()),
        ("app.tenant", third.tenant.uuid().to_string()),
    ];
    let listed = "INSERT INTO data_product_reader (tenant_id, data_product_id, reader_tenant_id)
        SELECT tenant_id, id, (SELECT max(id::text)::uuid FROM tenant) FROM data_product";
    for (change, products, readers) in [
        ("UPDATE data_product SET visibility = 'PUBLIC'", 2, 0),
        ("UPDATE data_product SET given = false", 0, 0),
        (
            "UPDATE data_product SET given = true, visibility = 'LISTED'",
            0,
            0,
        ),
        (listed, 2, 2),
        ("UPDATE data_product SET visibility = 'PRIVATE'", 0, 2),
    ] {
        sqlx::raw_sql(change).execute(&mut owner).await.expect("change");
        let counts = counted(&mut app, &tables, &settings).await;
        let seen = (counts["data_product"], counts["data_product_reader"]);
        assert_eq!(seen, (products, readers), "{change}");
    }
}

#[tokio::test]
async fn linked_data_planes_see_keys_addresses_and_copies_and_nothing_else_of_each_other() {
    let world = crate::cluster_links::World::make().await;
    let (_link, copy) = world.link(&world.spec()).await;
    let database = &world.away.bench.database;
    let (_stranger, ids) = world.away.bench.tenant("TENANT_ADMIN").await;
    let third = database.serve(ids).await;
    let mut owner = database.owner().await;
    sqlx::raw_sql(
        "INSERT INTO data_plane_key (data_plane_id, tenant_id) SELECT id, tenant_id FROM data_plane;
         INSERT INTO object_status (object_id, tenant_id, data_plane_id, phase, observed_epoch, observed_n)
             SELECT id, tenant_id, data_plane_id, 'READY', 1, 1 FROM cluster",
    )
    .execute(&mut owner)
    .await
    .expect("what agents said");
    let mut app = app(database).await;
    let names = [
        "data_plane_key",
        "object_status",
        "cluster_link",
        "topic",
        "cluster",
    ];
    let names: Vec<String> = names.into_iter().map(Into::into).collect();
    let id = |text: &str| text.parse::<DataPlaneId>().expect("an id").uuid().to_string();
    // The source: its own key and the target's, and which of its topics is copied. Its own clusters, of two tenants, and their topics.
    let source = id(&world.away.made.data_plane);
    let target = id(&world.home.data_plane);
    for (plane, seen) in [
        (source, [2, 2, 1, 3, 2]),
        // The target: its own key, its own cluster's address and the source's, its own topic and its copy.
        (target, [1, 2, 1, 2, 1]),
        (third.data_plane.uuid().to_string(), [1, 1, 0, 0, 1]),
    ] {
        let settings = [("app.scope", "data_plane".to_owned()), ("app.data_plane", plane)];
        let counts = counted(&mut app, &names, &settings).await;
        let found: Vec<i64> = names.iter().map(|it| counts[it]).collect();
        assert_eq!(found, seen, "{names:?}, copy {copy}");
    }
}

#[tokio::test]
async fn the_application_neither_rewrites_the_record_nor_owns_the_schema() {
    let database = Database::create().await;
    let mut app = app(&database).await;
    for statement in [
        "UPDATE audit_event SET principal = 'x'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "SELECT * FROM _sqlx_migrations",
        "ALTER TABLE topic DISABLE ROW LEVEL SECURITY",
        "CREATE TABLE own (id uuid)",
        "SET session_replication_role = replica",
    ] {
        let refused = sqlx::query(statement)
            .execute(&mut app)
            .await
            .expect_err(statement);
        let code = refused
            .as_database_error()
            .and_then(|it| it.code().map(|it| it.to_string()));
        assert_eq!(code.as_deref(), Some("42501"), "{statement}: {refused}");
    }
    let flags: (bool, bool) =
        sqlx::query_as("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
            .fetch_one(&mut app)
            .await
            .expect("read the role");
    assert_eq!(flags, (false, false));
}
