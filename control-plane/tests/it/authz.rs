//! The stranger sweep: every operation of the API called by nobody, by the signed out, by other tenants and by a
//! read-only member. Each operation has its row in `authz.toml`; an operation without one fails here.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use weir_control_plane::server::rest::document;

use crate::harness::{Bench, Caller, TenantIds};
use crate::streams::{self, id};

/// How an operation is called, and what differs from the answers that its method lets expect.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Row {
    /// JSON in which `$cluster` stands for the first tenant's cluster. `{}` when absent.
    body: Option<String>,
    /// What an administrator of another tenant gets: by default 404 where the path names an object, 200 for a list.
    stranger: Option<u16>,
    /// What a reader of the first tenant gets: by default 200 for reading, 403 for changing.
    reader: Option<u16>,
    /// Anybody may call it.
    public: bool,
    /// It ends the session that calls it, so each call needs a new one.
    ends_session: bool,
    /// The answer does not end.
    stream: bool,
}

/// An operation as the document has it.
struct Operation {
    name: String,
    method: String,
    path: String,
    row: Row,
}

impl Operation {
    fn names_an_object(&self) -> bool {
        self.path.contains("{id}")
    }
    fn reads(&self) -> bool {
        self.method == "GET"
    }
}

fn rows() -> BTreeMap<String, Row> {
    toml::from_str(include_str!("authz.toml")).expect("authz.toml is well-formed")
}

/// Method, path and id of each operation.
fn documented() -> Vec<(String, String, String)> {
    let document = serde_json::to_value(document()).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let mut found = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("operations") {
            if let Some(name) = operation["operationId"].as_str() {
                found.push((name.to_owned(), method.to_uppercase(), path.clone()));
            }
        }
    }
    found
}

fn operations() -> Vec<Operation> {
    let mut rows = rows();
    documented()
        .into_iter()
        .filter_map(|(name, method, path)| {
            let row = rows.remove(&name)?;
            Some(Operation {
                name,
                method,
                path,
                row,
            })
        })
        .collect()
}

/// One object of each kind, all of the first tenant, by the path of their list.
pub struct World {
    pub bench: Bench,
    pub owner: Caller,
    pub ids: TenantIds,
    objects: BTreeMap<&'static str, String>,
}

impl World {
    pub async fn make() -> Self {
        let bench = Bench::start().await;
        let (owner, ids) = bench.tenant("TENANT_ADMIN").await;
        let made = streams::make(&owner).await;
        let account = post(&owner, "/v1/service-accounts", &json!({"spec": {"name": "app"}})).await;
        let key = json!({"spec": {"service_account": account, "cluster": made.cluster}});
        let key = post(&owner, "/v1/api-keys", &key).await;
        let quota = json!({"spec": {"cluster": made.cluster, "subject": {"kind": "PRINCIPALS", "principals": [account]},
            "limits": {"requests_per_second": 9}}});
        let quota = post(&owner, "/v1/quotas", &quota).await;
        let rule =
            json!({"spec": {"cluster": made.cluster, "name": "disk", "kind": "STORAGE", "threshold": 80}});
        let rule = post(&owner, "/v1/alert-rules", &rule).await;
        let member = post(
            &owner,
            "/v1/members",
            &json!({"spec": {"email": "new@example.com"}}),
        )
        .await;
        let binding = json!({"spec": {"principal": account, "role": "READER", "resource": "*"}});
        let binding = post(&owner, "/v1/role-bindings", &binding).await;
        let (compute_pool, job) = job(&owner, &made, &account).await;
        let link = cluster_link(&owner, &made, &account).await;
        let (other, guest) = bench.tenant("TENANT_ADMIN").await;
        let grant = json!({"spec": {"broker_pool": made.pool, "guest_tenant": guest.tenant,
            "clusters_max": 1, "topics_max": 1, "partitions_max": 1}});
        let grant = post(&owner, "/v1/data-plane-grants", &grant).await;
        let card = rate_card(&bench, &ids).await;
        let (contract, lint) = contract(&owner, &made).await;
        let (share, received) = shares(&owner, &ids, &made, &other, &guest).await;
        let (product, request) =
            crate::shares::products::found_and_asked((&owner, &ids), &made, (&other, &guest)).await;
        let audit = owner.get("/v1/audit-events?page_size=1").await.expect(200);
        let objects = BTreeMap::from([
            ("organizations", ids.organization.to_string()),
            ("tenants", ids.tenant.to_string()),
            ("members", member),
            ("service-accounts", account),
            ("api-keys", key),
            ("role-bindings", binding),
            ("environments", made.environment),
            ("data-planes", made.data_plane),
            ("broker-pools", made.pool),
            ("data-plane-grants", grant),
            ("clusters", made.cluster),
            ("topics", made.topic),
            ("shares", share),
            ("received-shares", received),
            ("data-products", product),
            ("access-requests", request),
            ("cluster-links", link),
            ("compute-pools", compute_pool),
            ("jobs", job),
            ("quotas", quota),
            ("alert-rules", rule),
            ("contracts", contract),
            ("contract-lint-rules", lint),
            ("rate-cards", card),
            ("audit-events", id(&audit["data"][0])),
        ]);
        Self {
            bench,
            owner,
            ids,
            objects,
        }
    }

    fn path(&self, operation: &Operation) -> String {
        if !operation.names_an_object() {
            // What has a name instead of an id: a count that every tenant has.
            return operation.path.replace("{name}", "topics");
        }
        let list = operation.path.split('/').nth(2).expect("a collection");
        let object = self.objects.get(list);
        let object =
            object.unwrap_or_else(|| panic!("the sweep's world has no object for {}", operation.path));
        operation
            .path
            .replace("{id}", object)
            .replace("{connection}", "gateway_1.1.1")
            .replace("{group}", "app")
            .replace("{version}", "1")
    }

    fn body(&self, operation: &Operation) -> String {
        if operation.reads() || operation.method == "DELETE" {
            return String::new();
        }
        let mut body = operation.row.body.clone().unwrap_or_else(|| "{}".into());
        for (list, object) in &self.objects {
            let name = format!("${}", list.trim_end_matches('s').replace('-', "_"));
            body = body.replace(&name, object);
        }
        assert!(!body.contains('$'), "{}: {body}", operation.name);
        body
    }

    /// Status and body; the body of a stream is not read.
    async fn call(&self, caller: &Caller, operation: &Operation) -> (StatusCode, Value) {
        let path = self.path(operation);
        if operation.row.stream {
            let reply = caller.knock(&operation.method, &path).await;
            return (reply.status, reply.body);
        }
        let reply = caller.send(&operation.method, &path, self.body(operation)).await;
        (reply.status, reply.body)
    }

    /// What the owner sees of everything.
    async fn seen(&self) -> Vec<Value> {
        let mut seen = Vec::new();
        for (list, object) in self.objects.iter().filter(|(list, _)| **list != "organizations") {
            let reply = self.owner.get(&format!("/v1/{list}/{object}")).await;
            seen.push(reply.expect(200));
        }
        seen
    }

    /// No id of the first tenant may be in what somebody else is shown.
    fn hidden_in(&self, body: &Value) -> bool {
        let text = body.to_string();
        !self.objects.values().any(|object| text.contains(object))
    }
}

/// A contract, and a rule that it is linted by.
async fn contract(owner: &Caller, made: &streams::Streams) -> (String, String) {
    let registered = owner
        .post(
            "/registry/subjects/payments-value/versions",
            &json!({"schema": "\"int\""}),
        )
        .await;
    registered.expect(200);
    let contract = owner.get("/v1/contracts").await.expect(200);
    let lint = json!({"spec": {"display_name": "owned", "environment": made.environment, "mode": "AUDIT",
        "expression": "contract.owner != ''", "message": "Say whose it is."}});
    let lint = post(owner, "/v1/contract-lint-rules", &lint).await;
    (id(&contract["data"][0]), lint)
}

async fn rate_card(bench: &Bench, ids: &TenantIds) -> String {
    let card = json!({"spec": {"name": "list", "tenant": ids.tenant, "currency": "EUR",
        "effective_from": "2026-01-01T00:00:00Z",
        "prices": [{"meter": "PRODUCE_BYTES", "unit": "GIB", "model": "PER_UNIT", "tiers": [{"unit_price": "1"}]}]}});
    post(&bench.operator().await, "/v1/rate-cards", &card).await
}

/// A share that the tenant gives to another, and one that it receives from it and has looked at.
async fn shares(
    owner: &Caller,
    ids: &TenantIds,
    made: &streams::Streams,
    other: &Caller,
    guest: &TenantIds,
) -> (String, String) {
    let theirs = streams::make(other).await;
    for caller in [owner, other] {
        let on = caller.send(
            "PUT",
            "/v1/sharing",
            json!({"gives": true, "receives": true}).to_string(),
        );
        on.await.expect(200);
    }
    // Of a topic of its own: what is shared is not deleted.
    let topic = json!({"spec": {"cluster": made.cluster, "name": "shown"}});
    let topic = post(owner, "/v1/topics", &topic).await;
    let share = |cluster: &str, topic: &str, to: &TenantIds| {
        json!({"spec": {"cluster": cluster, "name": "cards", "topics": [{"topic": topic}],
            "recipient": {"kind": "TENANT", "tenant": to.tenant}}})
    };
    let given = post(owner, "/v1/shares", &share(&made.cluster, &topic, guest)).await;
    let back = post(other, "/v1/shares", &share(&theirs.cluster, &theirs.topic, ids)).await;
    let received = back.replace("share_", "received_share_");
    let look = format!("/v1/received-shares/{received}/preview");
    owner.post(&look, &json!({})).await.expect(200);
    (given, received)
}

/// A compute pool and a job in it, for this service account.
async fn job(owner: &Caller, made: &streams::Streams, account: &str) -> (String, String) {
    let writes =
        json!({"spec": {"principal": account, "role": "DEVELOPER", "resource": "environment=prod/*"}});
    post(owner, "/v1/role-bindings", &writes).await;
    let compute_pool = json!({"spec": {"data_plane": made.data_plane, "name": "jobs"}});
    let compute_pool = post(owner, "/v1/compute-pools", &compute_pool).await;
    let sink = json!({"spec": {"cluster": made.cluster, "name": "approved"}});
    let sink = post(owner, "/v1/topics", &sink).await;
    let job = json!({"spec": {"cluster": made.cluster, "name": "approve", "compute_pool": compute_pool,
        "service_account": account, "program": {"kind": "ACTION", "source": {"topic": made.topic}, "steps": [],
            "sinks": [{"topic": sink}]}}});
    let job = post(owner, "/v1/jobs", &job).await;
    (compute_pool, job)
}

/// A link from the cluster into a second one.
async fn cluster_link(owner: &Caller, made: &streams::Streams, account: &str) -> String {
    let second =
        json!({"spec": {"environment": made.environment, "broker_pool": made.pool, "name": "second"}});
    let second = post(owner, "/v1/clusters", &second).await;
    let link = json!({"spec": {"name": "beside", "source_cluster": made.cluster, "target_cluster": second,
        "service_account": account}});
    post(owner, "/v1/cluster-links", &link).await
}

async fn post(caller: &Caller, path: &str, body: &Value) -> String {
    id(&caller.post(path, body).await.expect(201))
}

#[test]
fn every_operation_has_its_row_and_every_row_its_operation() {
    let rows = rows();
    let names: Vec<String> = documented().into_iter().map(|(name, ..)| name).collect();
    let missing: Vec<_> = names.iter().filter(|it| !rows.contains_key(*it)).collect();
    assert!(
        missing.is_empty(),
        "add a row to tests/it/authz.toml for {missing:?}"
    );
    let idle: Vec<_> = rows.keys().filter(|it| !names.contains(*it)).collect();
    assert!(
        idle.is_empty(),
        "rows of tests/it/authz.toml without an operation: {idle:?}"
    );
}

/// Gathers what is wrong, so that one run tells all.
#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    fn unless(
        &mut self,
        right: bool,
        who: &str,
        operation: &Operation,
        (status, body): &(StatusCode, Value),
    ) {
        if !right {
            self.0
                .push(format!("{who} calls {}: {status} {body}", operation.name));
        }
    }
    #[track_caller]
    fn none(self) {
        assert!(self.0.is_empty(), "{}", self.0.join("\n"));
    }
}

#[tokio::test]
async fn nobody_gets_in() {
    let (world, mut wrong) = (World::make().await, Wrong::default());
    let before = world.seen().await;
    let gone = world.bench.member(&world.ids, "TENANT_ADMIN").await;
    gone.delete("/v1/sessions/current").await.expect(204);
    let guess = world.bench.nobody().with(
        "Authorization",
        "Bearer weirt_0000000000000000000000000000000000000000000000000",
    );
    let callers = [
        ("nobody", world.bench.nobody()),
        ("the signed out", gone),
        ("a guess", guess),
    ];
    for operation in operations().iter().filter(|it| !it.row.public) {
        for (who, caller) in &callers {
            let answer = world.call(caller, operation).await;
            let turned_away = answer.0 == 401 && answer.1["code"] == "unauthenticated";
            wrong.unless(turned_away, who, operation, &answer);
        }
    }
    wrong.none();
    assert_eq!(world.seen().await, before);
}

#[tokio::test]
async fn a_stranger_finds_nothing_and_changes_nothing() {
    let (world, mut wrong) = (World::make().await, Wrong::default());
    let before = world.seen().await;
    let (_, other) = world.bench.tenant("TENANT_ADMIN").await;
    for operation in operations().iter().filter(|it| !it.row.public) {
        let stranger = world.bench.member(&other, "TENANT_ADMIN").await;
        let answer = world.call(&stranger, operation).await;
        let usual = match operation.method.as_str() {
            _ if operation.names_an_object() => Some(404),
            "GET" => Some(200),
            // A create must say it.
            _ => None,
        };
        let expected = operation.row.stranger.or(usual);
        let right = expected == Some(answer.0.as_u16()) && world.hidden_in(&answer.1);
        wrong.unless(right, "a stranger", operation, &answer);

        // Naming the first tenant in the header opens nothing either.
        if !operation.row.ends_session {
            let pretender = stranger.with("Weir-Tenant", world.ids.tenant.to_string());
            let answer = world.call(&pretender, operation).await;
            let right = answer.0 == 404 && world.hidden_in(&answer.1);
            wrong.unless(right, "a pretender", operation, &answer);
        }

        let above = world.bench.member(&other, "ORGANIZATION_ADMIN").await;
        let answer = world.call(&above, operation).await;
        let refused = matches!(answer.0.as_u16(), 403 | 404 | 422);
        let own = answer.0.is_success() && !operation.names_an_object();
        let right = (refused || own) && world.hidden_in(&answer.1);
        wrong.unless(right, "another organization", operation, &answer);
        if !operation.row.ends_session {
            let pretender = above.with("Weir-Tenant", world.ids.tenant.to_string());
            let answer = world.call(&pretender, operation).await;
            let right = answer.0 == 404 && world.hidden_in(&answer.1);
            wrong.unless(right, "another organization's pretender", operation, &answer);
        }
    }
    wrong.none();
    assert_eq!(world.seen().await, before);
}

#[tokio::test]
async fn a_reader_reads_and_changes_nothing() {
    let (world, mut wrong) = (World::make().await, Wrong::default());
    let before = world.seen().await;
    for operation in operations().iter().filter(|it| !it.row.public) {
        let reader = world.bench.member(&world.ids, "READER").await;
        let answer = world.call(&reader, operation).await;
        let usual = if operation.reads() { 200 } else { 403 };
        let expected = operation.row.reader.unwrap_or(usual);
        wrong.unless(answer.0 == expected, "a reader", operation, &answer);
    }
    wrong.none();
    assert_eq!(world.seen().await, before);
}
