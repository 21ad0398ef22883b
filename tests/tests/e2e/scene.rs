//! Topics and keys of one test: two tenants, a topic of the same name in both, one that only the other has, a reader.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::api::Person;
use crate::{rights, stack};

const PATIENCE: Duration = Duration::from_secs(60);

/// What was made; `clear` removes it again.
pub struct Scene {
    /// What the names end in.
    pub run: String,
    /// In both tenants: 4 partitions of payments', 2 of risk's.
    pub topic: String,
    /// payments' topic for groups that come and go: 4 partitions.
    pub group_topic: String,
    /// risk's alone.
    pub foreign_topic: String,
    /// Made by [`Scene::with_others`]: a key of payments that may read everything and write nothing.
    pub reader: Option<Value>,
    /// The same, of a key that may read [`Scene::topic`] and is no member of any group.
    pub stranger: Option<Value>,
    /// The same, of a key that administers what begins with `made-` and [`Scene::run`].
    pub administrator: Option<Value>,
    payments: Person,
    risk: Person,
    made: Vec<(bool, String)>,
}

impl Scene {
    pub async fn new(what: &str) -> Self {
        let run = format!("{what}-{}", &uuid::Uuid::new_v4().simple().to_string()[..8]);
        let mut scene = Self {
            topic: format!("conformance-{run}"),
            group_topic: format!("groups-{run}"),
            foreign_topic: format!("foreign-{run}"),
            run,
            reader: None,
            stranger: None,
            administrator: None,
            payments: Person::sign_in("payments").await,
            risk: Person::sign_in("risk").await,
            made: Vec::new(),
        };
        let (topic, groups, foreign) = (
            scene.topic.clone(),
            scene.group_topic.clone(),
            scene.foreign_topic.clone(),
        );
        for (own, name, partitions) in [
            (true, &topic, 4),
            (false, &topic, 2),
            (true, &groups, 4),
            (false, &foreign, 1),
        ] {
            let tenant = if own { "payments" } else { "risk" };
            let cluster = stack::text(&format!("/ids/{tenant}.cluster"));
            let spec = json!({"cluster": cluster, "name": name, "partitions": partitions});
            scene.make(own, "/v1/topics", &spec).await;
        }
        scene
    }

    /// The same, with keys that have other rights.
    pub async fn with_others(what: &str) -> Self {
        let mut scene = Self::new(what).await;
        scene.reader = Some(scene.key("reader", "READER", "*").await);
        let person = Person::sign_in("payments").await;
        let cluster = rights::place(&person, "payments").await;
        let only = format!("{cluster}/topic={}", scene.topic);
        scene.stranger = Some(scene.key("stranger", "READER", &only).await);
        let made = format!("{cluster}/topic=made-{}*", scene.run);
        scene.administrator = Some(scene.key("administrator", "TENANT_ADMIN", &made).await);
        scene
    }

    /// The secret of a new key of payments.
    async fn key(&mut self, what: &str, role: &str, resource: &str) -> Value {
        let name = format!("{what}-{}", self.run);
        let account = self
            .make(true, "/v1/service-accounts", &json!({"name": name}))
            .await;
        let binding = json!({"principal": account["id"], "role": role, "resource": resource});
        self.make(true, "/v1/role-bindings", &binding).await;
        let cluster = stack::text("/ids/payments.cluster");
        let spec = json!({"service_account": account["id"], "cluster": cluster, "description": "of a test"});
        self.make(true, "/v1/api-keys", &spec).await["secret"].clone()
    }

    async fn make(&mut self, own: bool, path: &str, spec: &Value) -> Value {
        let person = if own { &self.payments } else { &self.risk };
        let (status, made) = person
            .call("POST", &format!("{path}?wait=30s"), &json!({ "spec": spec }))
            .await;
        assert_eq!(status, 201, "{path} {spec}: {made:#}");
        let at = format!("{path}/{}", made["id"].as_str().expect("an id"));
        let end = Instant::now() + PATIENCE;
        let mut now = made.clone();
        while now["status"]["phase"].as_str().is_some_and(|it| it != "READY") {
            assert!(Instant::now() < end, "{at} is not ready: {now:#}");
            sleep(Duration::from_millis(200)).await;
            now = person.call("GET", &at, &json!({})).await.1;
        }
        self.made.push((own, at));
        made
    }

    /// Changes the spec of payments' [`Scene::topic`]; every gateway has it then.
    pub async fn change_topic(&self, change: &Value) {
        let id = self.id_of(&self.topic).await;
        let (status, changed) = self
            .payments
            .call(
                "PATCH",
                &format!("/v1/topics/{id}?wait=30s"),
                &json!({"spec": change}),
            )
            .await;
        assert_eq!(
            (status, &changed["status"]["phase"]),
            (200, &json!("READY")),
            "{changed:#}"
        );
    }

    /// The id of a topic of payments.
    pub async fn id_of(&self, name: &str) -> String {
        let filter = format!(
            "/v1/topics?cluster={}&page_size=1000",
            stack::text("/ids/payments.cluster")
        );
        let (_status, list) = self.payments.call("GET", &filter, &Value::Null).await;
        let topics = list["data"].as_array().expect("topics");
        let found = topics.iter().find(|it| it["spec"]["name"] == json!(name));
        let id = found.and_then(|it| it["id"].as_str());
        id.expect("the topic").to_owned()
    }

    /// Removes everything, the last first.
    pub async fn clear(self) {
        for (own, at) in self.made.iter().rev() {
            let person = if *own { &self.payments } else { &self.risk };
            let (status, answer) = person.call("DELETE", at, &json!({})).await;
            assert!(
                matches!(status, 200 | 202 | 204),
                "DELETE {at}: {status} {answer:#}"
            );
        }
    }
}

/// A topic of a tenant by the API, ready; `more` are further fields of its spec.
pub async fn topic(tenant: &str, name: &str, partitions: u32, more: &Value) -> Value {
    let person = Person::sign_in(tenant).await;
    let mut spec = more.clone();
    spec["cluster"] = json!(stack::text(&format!("/ids/{tenant}.cluster")));
    spec["name"] = json!(name);
    spec["partitions"] = json!(partitions);
    let (status, made) = person
        .call("POST", "/v1/topics?wait=30s", &json!({ "spec": spec }))
        .await;
    assert_eq!(
        (status, &made["status"]["phase"]),
        (201, &json!("READY")),
        "{made:#}"
    );
    made
}
