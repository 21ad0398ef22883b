//! The two agents of a link, as tests play them.

use std::time::Duration;

use serde_json::Value;
use weir_proto::agent::v1::agent_frame::Frame as Up;
use weir_proto::agent::v1::{
    ClusterLinkEnd, ClusterLinkReport, ClusterLinkStatus, DesiredState, Generation, Hello, ItemStatus,
    LinkedTopicStatus, Phase, Reason, StatusReport, Topic,
};

use super::World;
use crate::harness::{Door, Served, Session, TenantIds};
use crate::jobs::said;

pub const READS: [&str; 2] = ["ab", "ac"];
pub const SERVES: &str = "cd";

/// The agent of a data plane, which reads with a key of these digits; none: it is of a release that has none.
pub async fn agent(world: &World, door: &Door, data_plane: &str, tenant: TenantIds, reads: &str) -> Session {
    let served = Served {
        data_plane: data_plane.parse().expect("an id"),
        pool: uuid::Uuid::nil(),
        cluster: weir_control_plane::kernel::Id::generate(),
        tenant,
        environment: weir_control_plane::kernel::Id::generate(),
        account: weir_control_plane::kernel::Id::generate(),
    };
    let token = world.away.bench.database.token(&served, 30).await;
    let identity = door.enroll(&token).await.expect("enrolled");
    let serves = if reads.is_empty() { "" } else { SERVES };
    let hello = Up::Hello(Hello {
        agent_version: "0.1.0".into(),
        instance: 1,
        kafka_version: "4.3.1".into(),
        link_key_sha256: reads.repeat(32),
        gateway_key_sha256: serves.repeat(32),
        ..Hello::default()
    });
    let mut session = door.session_with(&identity, hello).await.expect("a session");
    session.welcome().await;
    session
}

pub async fn source(world: &World, door: &Door) -> Session {
    agent(world, door, &world.away.made.data_plane, world.away.giver, "ee").await
}

pub async fn target(world: &World, door: &Door, reads: &str) -> Session {
    agent(world, door, &world.home.data_plane, world.away.taker, reads).await
}

/// The first desired state of which something holds, and its number.
pub async fn desired(
    session: &mut Session,
    so: impl Fn(&DesiredState) -> bool,
) -> (Option<Generation>, DesiredState) {
    loop {
        let (frame, state) = session.desired().await;
        if so(&state) {
            return (frame.generation, state);
        }
    }
}

/// Waits until what a path answers with is so.
pub async fn until(world: &World, path: &str, so: impl Fn(&Value) -> bool) -> Value {
    let end = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let found = world.get(path).await;
        if so(&found) {
            return found;
        }
        assert!(tokio::time::Instant::now() < end, "never so: {found:#}");
        tokio::task::yield_now().await;
    }
}

pub async fn reached(session: &Session, cluster: &str, host: &str, n: Option<Generation>) {
    let item = ItemStatus {
        bootstrap_host: host.into(),
        bootstrap_port: 9092,
        ..said(cluster, Phase::Ready, n)
    };
    let items = vec![item];
    session
        .say(Up::Status(StatusReport {
            items,
            ..StatusReport::default()
        }))
        .await;
}

/// What an end says of a link.
pub fn status(
    link: &str,
    end: ClusterLinkEnd,
    phase: Phase,
    reason: Reason,
    n: Option<Generation>,
) -> ClusterLinkStatus {
    ClusterLinkStatus {
        link_id: link.to_owned(),
        end: end.into(),
        phase: phase.into(),
        reason: reason.into(),
        observed: n,
        topics: Vec::new(),
    }
}

pub async fn tell(session: &Session, link: ClusterLinkStatus) {
    let links = vec![link];
    session.say(Up::ClusterLinks(ClusterLinkReport { links })).await;
}

pub fn peer_key(state: &DesiredState) -> Option<&str> {
    let link = state.cluster_links.first()?;
    link.source.as_ref().map(|it| it.peer_key_sha256.as_str())
}

pub fn address(state: &DesiredState) -> Option<(&str, u32)> {
    let target = state.cluster_links.first()?.target.as_ref()?;
    Some((target.bootstrap_host.as_str(), target.bootstrap_port))
}

pub fn mirror<'a>(state: &'a DesiredState, id: &str) -> &'a Topic {
    state.topics.iter().find(|it| it.id == id).expect("the copy")
}

pub fn topic(id: &str, phase: Phase, lag_records: i64, partitions: u32) -> LinkedTopicStatus {
    LinkedTopicStatus {
        topic_id: id.to_owned(),
        phase: phase.into(),
        reason: Reason::Unspecified.into(),
        lag_records,
        records: 100,
        bytes: 2000,
        caught_up_at_unix_ms: 1_795_341_600_000,
        partitions,
    }
}
