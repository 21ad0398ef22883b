//! The lane: every live gateway counts, windows are delivered once, strangers are not let in.

use std::time::Duration;

use weir_agent::local_tls::{Authority, LANE_AGENT};
use weir_proto::agent::v1::agent_frame::Frame as Up;
use weir_proto::agent::v1::control_frame::Frame as Down;
use weir_proto::agent::v1::{
    AgentFrame, Direction, Phase, Reason, UsageAck, UsageRow, UsageWindow, WindowKey,
};

use weir_agent::lane::fake::FakeGateway;
use weir_proto::lane::v1::{BudgetDimension, BudgetNeed, DimensionNeed, Leases};

use crate::harness::{CLUSTER, Harness, LIMIT, topic, wish};

#[tokio::test(flavor = "multi_thread")]
async fn ready_means_every_live_gateway() {
    let harness = Harness::new().await;
    let agent = harness.agent().await;
    let _obedient = harness.gateway("gw_1", true).await;
    let mut slow = harness.gateway("gw_2", false).await;
    let plane = &harness.control_plane;
    plane
        .wish(plane.seal(1, 1, &wish(vec![topic("topic_01t", "orders", 1)])))
        .await;
    let waiting = harness
        .status("topic_01t", |it| it.gateways_acknowledged == 1)
        .await;
    assert_eq!(
        (waiting.phase(), waiting.reason()),
        (Phase::Provisioning, Reason::GatewayNotAcknowledged)
    );
    let snapshot = slow
        .snapshot(LIMIT, |it| {
            it.clusters.first().is_some_and(|it| !it.topics.is_empty())
        })
        .await
        .unwrap();
    slow.acknowledge(snapshot.version).await.unwrap();
    harness.phase("topic_01t", Phase::Ready).await;
    // Another topic does not make the first wait again.
    let both = wish(vec![
        topic("topic_01t", "orders", 1),
        topic("topic_01u", "refunds", 1),
    ]);
    plane.wish(plane.seal(1, 2, &both)).await;
    harness
        .status("topic_01u", |it| it.gateways_acknowledged == 1)
        .await;
    harness
        .status("topic_01t", |it| {
            it.observed.is_some_and(|it| it.n == 2) && it.phase() == Phase::Ready
        })
        .await;
    drop(slow);
    harness.phase("topic_01u", Phase::Ready).await;
    agent.shutdown().await.unwrap();
}

fn window(sequence: u64) -> UsageWindow {
    UsageWindow {
        gateway_id: "gw_1".to_owned(),
        boot: 1,
        sequence,
        started_at_unix_ms: 1_000,
        ended_at_unix_ms: 2_000,
        rows: vec![UsageRow {
            cluster_id: CLUSTER.to_owned(),
            topic_id: "topic_01t".to_owned(),
            principal_id: "service_account_01s".to_owned(),
            direction: Direction::Produce.into(),
            bytes: 1_000 + sequence,
            records: 1,
            requests: 1,
            uncertain: false,
        }],
    }
}

fn windows(frames: &[AgentFrame]) -> Vec<u64> {
    let mut sequences: Vec<u64> = frames
        .iter()
        .filter_map(|frame| match &frame.frame {
            Some(Up::Usage(report)) => Some(report.windows.iter().map(|it| it.sequence)),
            _other => None,
        })
        .flatten()
        .collect();
    sequences.sort_unstable();
    sequences
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_is_buffered_while_nobody_counts_and_delivered_when_somebody_does() {
    let harness = Harness::new().await;
    let agent = harness.agent().await;
    let mut gateway = harness.gateway("gw_1", true).await;
    let plane = harness.control_plane.clone();
    assert_eq!(gateway.hand_over(window(1)).await.unwrap().sequence, 1);
    plane
        .until("window 1", LIMIT, |frames| (windows(frames) == [1]).then_some(()))
        .await;
    plane.vanish();
    assert_eq!(gateway.hand_over(window(2)).await.unwrap().sequence, 2);
    assert_eq!(
        gateway.hand_over(window(2)).await.unwrap().sequence,
        2,
        "sent again: acknowledged again"
    );
    drop(gateway);
    agent.abandon().await;
    plane.forget_received();
    let plane = plane.return_again().await;
    let agent = harness.agent().await;
    plane
        .until("what was not acknowledged", LIMIT, |frames| {
            (windows(frames) == [1, 2]).then_some(())
        })
        .await;
    let keys = [1, 2].map(|sequence| WindowKey {
        gateway_id: "gw_1".to_owned(),
        boot: 1,
        sequence,
    });
    plane
        .send(Down::UsageAck(UsageAck {
            windows: keys.to_vec(),
        }))
        .await;
    let none_waits = |frames: &[AgentFrame]| {
        let last = frames.iter().rev().find_map(|frame| match &frame.frame {
            Some(Up::Heartbeat(beat)) => Some(beat.usage_windows_waiting),
            _other => None,
        });
        (last == Some(0)).then_some(())
    };
    plane.until("nothing waits", LIMIT, none_waits).await;
    let mut gateway = harness.gateway("gw_1", true).await;
    gateway.hand_over(window(2)).await.unwrap();
    gateway.hand_over(window(3)).await.unwrap();
    plane
        .until("only the new one", LIMIT, |frames| {
            (windows(frames) == [1, 2, 3]).then_some(())
        })
        .await;
    agent.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_gateway_of_this_agent_is_let_in() {
    let harness = Harness::new().await;
    let agent = harness.agent().await;
    let state_dir = harness.state_dir();
    let identity = state_dir.join("lane").join("gateway");
    // Another authority; then our own authority, but not a gateway's name.
    for (folder, name) in [
        (harness.state.path().join("stranger"), "weir://lane/gateway"),
        (harness.state_dir().join("authority"), LANE_AGENT),
    ] {
        Authority::open(&folder)
            .unwrap()
            .issue(&identity, Some(name), &[])
            .unwrap();
        let attached =
            weir_agent::lane::fake::FakeGateway::attach(&state_dir, harness.ports.lane(), "gw_x", 1, true);
        let attached = tokio::time::timeout(Duration::from_secs(15), attached)
            .await
            .unwrap();
        match attached {
            Err(_refused) => {}
            Ok(mut attached) => {
                let snapshot = attached.snapshot(Duration::from_secs(1), |_any| true).await;
                assert!(snapshot.is_err(), "{name} was told a snapshot");
            }
        }
        assert_eq!(agent.board().borrow().gateways_live, 0);
    }
    agent.shutdown().await.unwrap();
}

fn need() -> Vec<BudgetNeed> {
    vec![BudgetNeed {
        quota_id: "quota_01q".to_owned(),
        principal_id: String::new(),
        dimensions: vec![DimensionNeed {
            dimension: BudgetDimension::Ingress.into(),
            wanted_ppm: 1_000_000,
            floor_ppm: 0,
        }],
    }]
}

/// Asks again and again, as gateways do, until the answer fits.
async fn leased(gateway: &mut FakeGateway, knows_of: u32, fits: impl Fn(&Leases) -> bool) -> Leases {
    let asked = async {
        loop {
            let leases = gateway.lease(knows_of, need()).await.unwrap();
            if fits(&leases) {
                return leases;
            }
        }
    };
    tokio::time::timeout(LIMIT, asked).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn gateways_divide_a_budget_and_who_leaves_leaves_its_part() {
    let harness = Harness::new().await;
    let agent = harness.agent().await;
    let mut one = harness.gateway("gw_1", true).await;
    let alone = leased(&mut one, 1, |it| it.leases[0].share_ppm == 1_000_000).await;
    assert_eq!(alone.gateways, 1);
    let mut two = harness.gateway("gw_2", true).await;
    // Nothing is left for the second as long as the first may use all.
    let first = two.lease(2, need()).await.unwrap();
    assert_eq!((first.gateways, first.leases[0].share_ppm), (2, 0));
    two.drain().await.unwrap();
    // A connection that is cut may take its last words with it: a gateway stays until they are heard, and so does this one.
    let mut board = agent.board();
    let heard = board.wait_for(|it| it.gateways_live == 1);
    drop(tokio::time::timeout(LIMIT, heard).await.unwrap().unwrap());
    drop(two);
    leased(&mut one, 2, |it| it.gateways == 1).await;
    agent.shutdown().await.unwrap();
}
