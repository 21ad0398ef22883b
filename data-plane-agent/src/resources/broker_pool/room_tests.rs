//! A pool over several turns, on fakes.

use super::*;
use crate::platform::fake;

fn listener() -> NativeListener {
    NativeListener {
        listen_host: "127.0.0.1".to_owned(),
        advertised_host: "127.0.0.1".to_owned(),
        tls: None,
    }
}

#[tokio::test]
async fn brokers_are_started_anew_one_at_a_time() {
    let state = tempfile::tempdir().unwrap();
    std::fs::write(state.path().join("kafka.jar"), b"").unwrap();
    let (platform, _kafka, processes) = fake::platform();
    let install = KafkaInstall {
        libs: state.path().to_owned(),
        java: "java".into(),
    };
    let (pools, run) = (state.path().join("pools"), state.path().join("run"));
    let policy = Policy::default();
    let shop = Workshop {
        platform: &platform,
        install: &install,
        ports: Ports::above(9650).unwrap(),
        logs: state.path(),
        run: &run,
        policy: &policy,
        credentials: state.path(),
        native: (&BTreeSet::new(), &listener()),
    };
    let mut wish = BrokerPool {
        id: "pool_3".to_owned(),
        brokers: 3,
        ..Default::default()
    };
    let mut room = Room::open("pool_3", &pools, &run).unwrap();
    room.turn(&wish, Some(0), 0, &shop).await;
    assert_eq!(room.brokers_ready(), 3);
    let alive = || {
        (1..=3)
            .filter(|node| processes.is_alive(&format!("pool_3-broker-{node}")))
            .count()
    };
    wish.restart_nonce = 1;
    let mut turns = 0;
    loop {
        room.turn(&wish, None, 0, &shop).await;
        assert!(alive() >= 2, "never two away at once");
        turns += 1;
        let starts = processes
            .started()
            .iter()
            .filter(|name| !name.ends_with("format"))
            .count();
        if starts == 6 && !room.restless {
            break;
        }
        assert!(turns < 20, "{:?}", processes.started());
    }
}

#[tokio::test]
async fn a_pool_comes_up_is_adopted_again_and_goes_only_by_its_tombstone() {
    let state = tempfile::tempdir().unwrap();
    let libs = state.path().join("libs");
    std::fs::create_dir(&libs).unwrap();
    std::fs::write(libs.join("kafka.jar"), b"").unwrap();
    let (platform, kafka, processes) = fake::platform();
    let install = KafkaInstall {
        libs,
        java: "java".into(),
    };
    let (pools, run) = (state.path().join("pools"), state.path().join("run"));
    let policy = Policy::default();
    let shop = Workshop {
        platform: &platform,
        install: &install,
        ports: Ports::above(9650).unwrap(),
        logs: state.path(),
        run: &run,
        policy: &policy,
        credentials: state.path(),
        native: (&BTreeSet::new(), &listener()),
    };
    let mut wish = BrokerPool {
        id: "pool_1".to_owned(),
        brokers: 1,
        ..Default::default()
    };
    let mut room = Room::open("pool_1", &pools, &run).unwrap();
    room.turn(&wish, Some(0), 1, &shop).await;
    assert_eq!(processes.started(), ["pool_1-broker-1-format", "pool_1-broker-1"]);
    assert_eq!((room.brokers_ready(), room.was_ready), (1, true));
    drop(room);
    // As Kafka leaves it.
    let data = pools.join("pool_1/broker-1/data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("meta.properties"), b"").unwrap();
    let mut room = Room::open("pool_1", &pools, &run).unwrap();
    room.turn(&wish, None, 1, &shop).await;
    assert_eq!(
        processes.started().len(),
        2,
        "adopted: neither formatted nor started again"
    );
    kafka.set_away(true);
    room.turn(&wish, None, 1, &shop).await;
    assert_eq!((room.brokers_ready(), room.was_ready), (0, true));
    kafka.set_away(false);
    wish.restart_nonce = 7;
    room.turn(&wish, None, 1, &shop).await;
    assert!(room.restless, "asked to end, to be started anew");
    room.turn(&wish, None, 1, &shop).await;
    assert_eq!(processes.started().len(), 3);
    room.turn(&wish, None, 1, &shop).await;
    assert!(!room.restless && processes.started().len() == 3);
    wish.deleted = true;
    room.turn(&wish, None, 1, &shop).await;
    assert!(
        processes.is_alive("pool_1-broker-1"),
        "a cluster still lives on it"
    );
    room.turn(&wish, None, 0, &shop).await;
    room.turn(&wish, None, 0, &shop).await;
    assert!(room.is_gone() && !pools.join("pool_1").exists());
    assert!(!processes.is_alive("pool_1-broker-1"));
}
