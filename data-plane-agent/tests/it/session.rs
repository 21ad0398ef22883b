//! A life with the link: enrolment, wishes, statuses, questions, restarts, the control plane away, renewal.

use std::time::Duration;

use weir_agent::Agent;
use weir_agent::config::Token;
use weir_agent::link::replay::replay;
use weir_proto::agent::v1::agent_frame::Frame as Up;
use weir_proto::agent::v1::ask::Question;
use weir_proto::agent::v1::control_frame::Frame as Down;
use weir_proto::agent::v1::{AgentFrame, AnswerCode, Generation, Phase, Reason, TopicExtentQuestion};

use crate::control_plane::TOKEN;
use crate::harness::{CLUSTER, Harness, KEY, LIMIT, POOL, newest, topic, wish};

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_becomes_real_served_and_reported() {
    let harness = Harness::new().await;
    let agent = harness.agent().await;
    let frame = harness
        .control_plane
        .seal(1, 1, &wish(vec![topic("topic_01t", "orders", 3)]));
    harness.control_plane.wish(frame).await;
    harness.phase(POOL, Phase::Ready).await;
    let alone = harness
        .status("topic_01t", |it| it.reason() == Reason::NoGateway)
        .await;
    assert_eq!(
        (alone.phase(), alone.observed_partitions),
        (Phase::Provisioning, 3)
    );
    assert!(harness.kafka.topics_of(POOL).contains_key("w01c-orders"));

    let mut gateway = harness.gateway("gw_1", true).await;
    let snapshot = gateway
        .snapshot(LIMIT, |it| {
            it.clusters.first().is_some_and(|it| !it.topics.is_empty())
        })
        .await
        .unwrap();
    assert_eq!(snapshot.clusters[0].topics[0].physical_id.len(), 16);
    for id in ["topic_01t", CLUSTER, KEY] {
        let ready = harness.phase(id, Phase::Ready).await;
        assert_eq!(ready.gateways_acknowledged, 1, "{id}");
        assert_eq!(ready.observed, Some(Generation { epoch: 1, n: 1 }));
    }
    let cluster = harness.phase(CLUSTER, Phase::Ready).await;
    assert_eq!(cluster.bootstrap_port, u32::from(harness.ports.gateway()));

    let question = Question::TopicExtent(TopicExtentQuestion {
        topic_id: "topic_01t".to_owned(),
    });
    let ask = harness.control_plane.ask(9, question, None);
    harness.control_plane.send(Down::Ask(ask)).await;
    let answer = |frames: &[AgentFrame]| {
        frames.iter().find_map(|frame| match &frame.frame {
            Some(Up::Answer(answer)) => Some(answer.clone()),
            _other => None,
        })
    };
    let answer = harness.control_plane.until("an answer", LIMIT, answer).await;
    assert_eq!((answer.ask_id, answer.code()), (9, AnswerCode::Ok));
    assert_eq!(answer.topic_extent.unwrap().partitions.len(), 3);
    agent.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tombstone_destroys_and_its_name_can_be_used_again_at_once() {
    let harness = Harness::new().await;
    let agent = harness.agent().await;
    let _gateway = harness.gateway("gw_1", true).await;
    let plane = &harness.control_plane;
    plane
        .wish(plane.seal(1, 1, &wish(vec![topic("topic_01a", "orders", 1)])))
        .await;
    harness.phase("topic_01a", Phase::Ready).await;
    let first = harness.kafka.topics_of(POOL)["w01c-orders"].physical_id;
    let mut tomb = topic("topic_01a", "orders", 1);
    tomb.deleted = true;
    plane
        .wish(plane.seal(1, 2, &wish(vec![tomb.clone(), topic("topic_01b", "orders", 2)])))
        .await;
    harness.phase("topic_01a", Phase::Deleted).await;
    harness.phase("topic_01b", Phase::Ready).await;
    let second = harness.kafka.topics_of(POOL)["w01c-orders"].physical_id;
    assert_ne!(first, second);
    // The tombstone is still named in later wishes, also after a restart: the new topic lives.
    plane
        .wish(plane.seal(1, 3, &wish(vec![tomb, topic("topic_01b", "orders", 4)])))
        .await;
    harness
        .status("topic_01b", |it| it.observed_partitions == 4)
        .await;
    agent.abandon().await;
    plane.forget_received();
    let agent = harness.agent().await;
    harness.phase("topic_01a", Phase::Deleted).await;
    harness
        .status("topic_01b", |it| it.observed_partitions == 4)
        .await;
    assert_eq!(harness.kafka.topics_of(POOL)["w01c-orders"].physical_id, second);
    // Silence never deletes.
    plane.wish(plane.seal(1, 4, &wish(vec![]))).await;
    let accepted = Some(Generation { epoch: 1, n: 4 });
    let applied = |frames: &[AgentFrame]| {
        frames
            .iter()
            .any(|frame| matches!(&frame.frame, Some(Up::Heartbeat(beat)) if beat.applied == accepted))
            .then_some(())
    };
    plane.until("generation 4 applied", LIMIT, applied).await;
    assert!(harness.kafka.topics_of(POOL).contains_key("w01c-orders"));
    agent.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_plane_works_on_while_the_control_plane_is_away_and_tells_when_it_is_back() {
    let harness = Harness::new().await;
    let agent = harness.agent().await;
    let _gateway = harness.gateway("gw_1", true).await;
    let plane = harness.control_plane.clone();
    plane
        .wish(plane.seal(1, 1, &wish(vec![topic("topic_01t", "orders", 1)])))
        .await;
    harness.phase("topic_01t", Phase::Ready).await;
    plane.vanish();
    agent.abandon().await;
    // Restarted with nobody to talk to: reality is still mended.
    harness.kafka.meddle(POOL, "w01c-orders", |topic| {
        topic.configs.insert("retention.ms".to_owned(), "1".to_owned());
    });
    let agent = harness.agent().await;
    let mut board = agent.board();
    let mended = board
        .wait_for(|_board| harness.kafka.topics_of(POOL)["w01c-orders"].configs["retention.ms"] == "3600000");
    tokio::time::timeout(LIMIT, mended).await.unwrap().unwrap();
    plane.forget_received();
    let plane = plane.return_again().await;
    let told = |frames: &[AgentFrame]| newest(frames, "topic_01t");
    plane.until("all statuses again", LIMIT, told).await;
    agent.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn children_survive_the_agent_and_end_with_it_when_asked() {
    let harness = Harness::new().await;
    let agent = harness.agent().await;
    let plane = &harness.control_plane;
    plane.wish(plane.seal(1, 1, &wish(vec![]))).await;
    harness.phase(POOL, Phase::Ready).await;
    agent.abandon().await;
    let data = harness.state_dir().join(format!("pools/{POOL}/broker-1/data"));
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("meta.properties"), b"").unwrap();
    let started = harness.processes.started().len();
    plane.forget_received();
    let agent = harness.agent().await;
    harness.phase(POOL, Phase::Ready).await;
    assert_eq!(harness.processes.started().len(), started, "adopted, not started");
    agent.shutdown().await.unwrap();
    assert!(!harness.processes.is_alive(&format!("{POOL}-broker-1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_frame_is_in_the_ledger_and_the_token_is_not() {
    let harness = Harness::new().await;
    let agent = harness.agent().await;
    let plane = &harness.control_plane;
    plane
        .wish(plane.seal(1, 1, &wish(vec![topic("topic_01t", "orders", 1)])))
        .await;
    harness
        .status("topic_01t", |it| it.observed_partitions == 1)
        .await;
    agent.shutdown().await.unwrap();
    let mut ledger = Vec::new();
    let summary = replay(&harness.state_dir().join("ledger"), |line| ledger.push(line)).unwrap();
    let received = plane.received();
    let session = summary.entries - summary.kinds["enroll"].entries;
    assert!(
        session >= received.len() as u64,
        "ledger {session}, received {}",
        received.len()
    );
    assert_eq!(
        summary.kinds["hello"].entries,
        received
            .iter()
            .filter(|it| matches!(it.frame, Some(Up::Hello(_))))
            .count() as u64
    );
    for line in &ledger {
        assert!(
            !line.message.to_string().contains(TOKEN),
            "the token stands in entry {}",
            line.seq
        );
    }
    for file in walk(&harness.state_dir()) {
        let content = std::fs::read(&file).unwrap();
        let found = content
            .windows(TOKEN.len())
            .any(|window| window == TOKEN.as_bytes());
        assert!(!found, "the token stands in {}", file.display());
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for item in std::fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_before_it_ends() {
    let harness = Harness::new().await;
    harness.control_plane.set_certificate_life(Duration::from_secs(6));
    let agent = harness.agent().await;
    let renewed = || (harness.control_plane.renewals() > 0).then_some(());
    harness
        .control_plane
        .until("a renewal", LIMIT, |_frames| renewed())
        .await;
    harness.control_plane.forget_received();
    let beat = |frames: &[AgentFrame]| {
        frames
            .iter()
            .any(|it| matches!(it.frame, Some(Up::Heartbeat(_))))
            .then_some(())
    };
    harness
        .control_plane
        .until("a session after it", LIMIT, beat)
        .await;
    agent.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_or_authority_is_no_enrolment() {
    let harness = Harness::new().await;
    let mut config = harness.config();
    config.token = Some(Token::new("other"));
    let refused = Agent::start(config, harness.platform.clone()).await;
    let text = format!("{:#}", refused.err().unwrap());
    assert!(
        text.contains("PermissionDenied") && !text.contains("canary"),
        "{text}"
    );
    let mut config = harness.config();
    config.token = None;
    assert!(Agent::start(config, harness.platform.clone()).await.is_err());
    // A stranger under the same address: the agent keeps waiting and sends no token.
    let mut config = harness.config();
    config.ca_sha256 = [9; 32];
    let starting = Agent::start(config, harness.platform.clone());
    assert!(
        tokio::time::timeout(Duration::from_secs(2), starting)
            .await
            .is_err()
    );
}
