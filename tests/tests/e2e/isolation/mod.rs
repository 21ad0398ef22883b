//! Two tenants with the same names on the same brokers: every request that the gateway advertises, in every version, is
//! sent as one of them, as a developer and as an administrator of everything, and no byte of any answer may tell of the
//! other or of the brokers. Nor may anything of the other's have moved.

mod acts;
mod administration;
mod coordination;
mod patterns;
mod requests;
mod secrets;

use bytes::Bytes;
use serde_json::Value;
use uuid::Uuid;
use weir_kafka_wire::kafka_protocol::messages::ApiKey;
use weir_proto::lane::v1::{LogicalCluster, Snapshot};

use acts::{abort, act, assert_committed, connect, marker};
use requests::{Names, frames};
use secrets::{Secrets, snapshot, virtual_id};

use crate::kafka::Client;
use crate::rights::{self, Login};
use crate::scene::Scene;
use crate::stack;

/// After login these end the connection.
const OF_THE_LOGIN: [ApiKey; 2] = [ApiKey::SaslHandshake, ApiKey::SaslAuthenticate];

fn cluster_of<'a>(snapshot: &'a Snapshot, tenant: &str) -> &'a LogicalCluster {
    let id = stack::text(&format!("/ids/{tenant}.cluster"));
    let found = snapshot.clusters.iter().find(|it| it.id == id);
    found.expect("the gateway serves the cluster")
}

/// A principal that another cluster has.
fn foreign_principal(snapshot: &Snapshot, own: &LogicalCluster) -> String {
    let theirs = cluster_of(snapshot, "risk");
    let ours = secrets::principals_of(snapshot, &own.id);
    let found = snapshot
        .api_keys
        .iter()
        .find(|it| it.cluster_id == theirs.id && !ours.contains(it.principal_id.as_str()));
    found.expect("the other tenant has a key").principal_id.clone()
}

/// Our own names, and what a curious client may try: names and ids that are others' or the brokers'.
fn questions(snapshot: &Snapshot, own: &Names, foreign_topic: &str) -> Vec<Names> {
    let mut all = vec![own.clone()];
    let own_cluster = cluster_of(snapshot, "payments");
    let principal = foreign_principal(snapshot, own_cluster);
    for cluster in ["payments", "risk"].map(|it| cluster_of(snapshot, it)) {
        let known = cluster.topics.iter();
        for known in known.filter(|it| it.name == own.topic || it.name == foreign_topic) {
            let physical = Uuid::from_slice(&known.physical_id).unwrap_or_default();
            let of_topic = |name: &str, id: Uuid| Names {
                topic: name.to_owned(),
                topic_id: id,
                group: format!("{}{}", cluster.physical_prefix, own.group),
                transaction: format!("{}{}", cluster.physical_prefix, own.transaction),
                principal: principal.clone(),
                ..own.clone()
            };
            all.push(of_topic(&known.physical_name, physical));
            all.push(of_topic(&known.name, virtual_id(&known.id)));
        }
    }
    all
}

async fn log_in(login: &Login) -> Client {
    let mut client = Client::connect().await;
    assert_eq!(client.login(&login.username, &login.password).await, Some(0));
    client
}

/// Sends a frame and gives the answer's bytes; on a new connection when the gateway ended the old one.
async fn ask(client: &mut Client, login: &Login, frame: &Bytes) -> Option<Vec<u8>> {
    client.raw(frame).await;
    let answer = client.answer().await;
    if answer.is_none() {
        *client = log_in(login).await;
    }
    answer
}

/// What was heard.
#[derive(Default)]
struct Heard {
    answers: usize,
    told: Vec<String>,
}

/// Asks everything that is advertised about each of `names`, the first of which are our own.
async fn interrogate(login: &Login, names: &[Names], secrets: &Secrets, heard: &mut Heard) {
    let ranges = connect("payments").await.versions().await.expect("ApiVersions");
    let mut client = log_in(login).await;
    for (at, names) in names.iter().enumerate() {
        for (api_key, (least, greatest)) in &ranges {
            let kind = ApiKey::try_from(*api_key).ok();
            if kind.is_some_and(|it| OF_THE_LOGIN.contains(&it)) {
                continue;
            }
            // Advertised from 0 as a sign of compression, and not served.
            let least = if kind == Some(ApiKey::Produce) { 3 } else { *least };
            for version in least..=*greatest {
                for frame in frames(names, *api_key, version) {
                    let Some(answer) = ask(&mut client, login, &frame).await else {
                        assert!(at > 0, "{kind:?} {version} is advertised and not answered");
                        continue;
                    };
                    heard.answers += 1;
                    let shown = secrets.shown_in(&answer, &frame);
                    if !shown.is_empty() {
                        let about = &names.topic;
                        heard
                            .told
                            .push(format!("{kind:?} {version} about {about}: {shown:?}"));
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn no_answer_tells_of_another_tenant_or_of_the_brokers() {
    let scene = Scene::new("isolation").await;
    let run = &scene.run;
    let (topic, foreign) = (&scene.topic, &scene.foreign_topic);
    let (group, transaction) = (format!("group-{run}"), format!("transaction-{run}"));
    let (hidden_group, hidden_transaction) = (format!("hidden-{run}"), format!("concealed-{run}"));
    let producer = act("payments", topic, &group, &transaction, run).await;
    let twin = act("risk", topic, &group, &transaction, run).await;
    let hidden = act("risk", foreign, &hidden_group, &hidden_transaction, run).await;
    let administrator = rights::login("payments", &format!("curious-{run}"), &[("TENANT_ADMIN", "*")]).await;

    let snapshot = snapshot();
    let own_cluster = cluster_of(&snapshot, "payments");
    let own_topic = own_cluster.topics.iter().find(|it| it.name == *topic);
    let topic_id = virtual_id(&own_topic.expect("the own topic is served").id);
    let own = Names {
        topic: topic.clone(),
        topic_id,
        group: group.clone(),
        transaction: transaction.clone(),
        producer,
        principal: administrator.account.clone(),
        made: format!("made-{run}"),
        spared: (topic.clone(), topic_id),
    };
    let names = [
        foreign.clone(),
        hidden_group.clone(),
        hidden_transaction.clone(),
        marker("risk", run),
    ];
    let secrets = Secrets::of(&snapshot, own_cluster, &names).await;
    assert!(secrets.count() > 10, "there is something to hide");

    let mut heard = Heard::default();
    let names = questions(&snapshot, &own, foreign);
    for login in [Login::of_story("payments"), administrator] {
        interrogate(&login, &names, &secrets, &mut heard).await;
    }
    assert_committed("risk", topic, &group).await;
    assert_committed("risk", foreign, &hidden_group).await;
    for name in [topic, foreign] {
        let now = rights::topic("risk", name).await;
        let retention = now.as_ref().map(|it| &it["spec"]["retention_ms"]);
        assert!(
            now.is_some() && retention != Some(&Value::from(7_200_000)),
            "{now:#?}"
        );
    }
    abort("payments", &transaction, producer).await;
    abort("risk", &transaction, twin).await;
    abort("risk", &hidden_transaction, hidden).await;
    scene.clear().await;
    println!("{} answers, {} secrets", heard.answers, secrets.count());
    assert!(heard.told.is_empty(), "{}", heard.told.join("\n"));
    assert!(heard.answers > 1500, "only {} answers", heard.answers);
}
