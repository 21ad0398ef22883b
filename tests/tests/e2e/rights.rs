//! Service accounts with roles on names that begin alike, and a key of each.

use serde_json::{Value, json};

use crate::api::Person;
use crate::stack;

/// What a Kafka client signs in with.
#[derive(Debug, Clone)]
pub struct Login {
    /// The service account; empty for a key of the story.
    pub account: String,
    pub username: String,
    pub password: String,
}

impl Login {
    /// The key that the story made for a tenant: a developer on everything.
    pub fn of_story(tenant: &str) -> Self {
        Self {
            account: String::new(),
            username: stack::text(&format!("/kafka/{tenant}/username")),
            password: stack::text(&format!("/kafka/{tenant}/password")),
        }
    }

    pub fn json(&self) -> Value {
        json!({"username": self.username, "password": self.password})
    }

    /// A Kafka client's settings in Java's form, each name behind `prefix`.
    pub fn properties(&self, prefix: &str) -> String {
        format!(
            "{prefix}security.protocol=SASL_PLAINTEXT\n{prefix}sasl.mechanism=SCRAM-SHA-512\n\
             {prefix}sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \
             username=\"{}\" password=\"{}\";\n",
            self.username, self.password
        )
    }
}

pub async fn made(person: &Person, path: &str, spec: Value) -> Value {
    let (status, body) = person
        .call("POST", &format!("{path}?wait=30s"), &json!({"spec": spec}))
        .await;
    assert_eq!(status, 201, "{path}: {body:#}");
    body
}

async fn got(person: &Person, path: &str) -> Value {
    let (status, body) = person.call("GET", path, &Value::Null).await;
    assert_eq!(status, 200, "{path}: {body:#}");
    body
}

fn text(object: &Value, pointer: &str) -> String {
    let found = object.pointer(pointer).and_then(Value::as_str);
    found
        .unwrap_or_else(|| panic!("{pointer}: {object:#}"))
        .to_owned()
}

/// A tenant's cluster as role bindings name it.
pub async fn place(person: &Person, tenant: &str) -> String {
    let id = stack::text(&format!("/ids/{tenant}.cluster"));
    let cluster = got(person, &format!("/v1/clusters/{id}")).await;
    let environment = text(&cluster, "/spec/environment");
    let environment = got(person, &format!("/v1/environments/{environment}")).await;
    format!(
        "environment={}/cluster={}",
        text(&environment, "/spec/name"),
        text(&cluster, "/spec/name")
    )
}

/// A key of a tenant's cluster with these (role, names): names of topics, groups and transactional ids, a prefix when
/// they end in `*`.
pub async fn login(tenant: &str, name: &str, rights: &[(&str, &str)]) -> Login {
    let person = Person::sign_in(tenant).await;
    let id = stack::text(&format!("/ids/{tenant}.cluster"));
    let place = place(&person, tenant).await;
    let account = made(&person, "/v1/service-accounts", json!({"name": name})).await;
    for (role, names) in rights {
        let resource = format!("{place}/topic={names}");
        let binding = json!({"principal": account["id"], "role": role, "resource": resource});
        made(&person, "/v1/role-bindings", binding).await;
    }
    let key = json!({"service_account": account["id"], "cluster": id});
    let key = made(&person, "/v1/api-keys", key).await;
    assert_eq!(key["status"]["phase"], "READY", "{key:#}");
    Login {
        account: text(&account, "/id"),
        username: text(&key, "/secret/username"),
        password: text(&key, "/secret/password"),
    }
}

/// Ends what an earlier run on the same stack cannot have used.
pub fn unique(what: &str) -> String {
    let id = uuid::Uuid::now_v7().simple().to_string();
    format!("{what}-{}", &id[id.len() - 8..])
}

/// A topic of a tenant as the API shows it.
pub async fn topic(tenant: &str, name: &str) -> Option<Value> {
    let person = Person::sign_in(tenant).await;
    let cluster = stack::text(&format!("/ids/{tenant}.cluster"));
    let listed = got(&person, &format!("/v1/topics?page_size=1000&cluster={cluster}")).await;
    let data = listed["data"].as_array().expect("topics");
    data.iter().find(|it| it["spec"]["name"] == name).cloned()
}

/// Removes every topic of a tenant whose name begins so.
pub async fn clear(tenant: &str, prefix: &str) {
    let person = Person::sign_in(tenant).await;
    let cluster = stack::text(&format!("/ids/{tenant}.cluster"));
    let listed = got(&person, &format!("/v1/topics?page_size=1000&cluster={cluster}")).await;
    for it in listed["data"].as_array().expect("topics") {
        if text(it, "/spec/name").starts_with(prefix) {
            let (status, answer) = person
                .call("DELETE", &format!("/v1/topics/{}", text(it, "/id")), &json!({}))
                .await;
            assert!(matches!(status, 200 | 202 | 204), "{status} {answer:#}");
        }
    }
}
