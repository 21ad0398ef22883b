//! The agents' door: enrolment, renewal, revocation, fencing, desired frames, reports, questions.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use tonic::Code;
use weir_control_plane::kernel::{Id, kind};
use weir_proto::agent::v1::agent_frame::Frame as Up;
use weir_proto::agent::v1::ask::Question;
use weir_proto::agent::v1::control_frame::Frame as Down;
use weir_proto::agent::v1::{
    Answer, AnswerCode, Generation, Heartbeat, Intent, IntentOutcome, ItemStatus, Phase, Refusal,
    RefusedFrame, StatusReport, TopicExtentAnswer, TopicExtentQuestion,
};
use weir_proto::ask::Addressee;

use crate::harness::{Bench, Database, Door, Identity, Served, Session};

const NOTHING: Generation = Generation { epoch: 0, n: 0 };

async fn enrolled(bench: &Bench) -> (Door, Served, Identity) {
    let (_, tenant) = bench.tenant("TENANT_ADMIN").await;
    let served = bench.database.serve(tenant).await;
    let door = bench.door().await;
    let token = bench.database.token(&served, 30).await;
    let identity = door.enroll(&token).await.expect("enrolled");
    assert_eq!(identity.data_plane, served.data_plane.to_string());
    (door, served, identity)
}

async fn session(door: &Door, identity: &Identity, instance: u64, accepted: Generation) -> Session {
    let mut session = door
        .session(identity, instance, accepted)
        .await
        .expect("a session");
    session.welcome().await;
    session
}

fn item(id: impl ToString, phase: Phase, n: u64) -> ItemStatus {
    ItemStatus {
        id: id.to_string(),
        phase: phase.into(),
        observed: Some(Generation { epoch: 1, n }),
        policy_accepted: true,
        ..ItemStatus::default()
    }
}

/// Reports, and waits until the report is through: frames are handled in their order, so an answered intent is proof.
async fn report(session: &mut Session, items: Vec<ItemStatus>) {
    session
        .say(Up::Status(StatusReport {
            items,
            ..StatusReport::default()
        }))
        .await;
    settle(session).await;
}

/// Everything that was said before is through.
pub async fn settle(session: &mut Session) {
    session
        .say(Up::Intent(Intent {
            intent_id: 77,
            ..Intent::default()
        }))
        .await;
    loop {
        match session.hear().await.expect("an answer") {
            Down::IntentResult(result) => {
                assert_eq!(
                    (result.intent_id, result.outcome()),
                    (77, IntentOutcome::Unsupported)
                );
                return;
            }
            Down::Desired(_) => {}
            other => panic!("unexpected {other:?}"),
        }
    }
}

async fn phase(database: &Database, object: uuid::Uuid) -> Option<String> {
    sqlx::query_scalar("SELECT phase FROM object_status WHERE object_id = $1")
        .bind(object)
        .fetch_optional(&mut database.owner().await)
        .await
        .expect("a status")
}

async fn count(database: &Database, statement: &'static str, served: &Served) -> i64 {
    sqlx::query_scalar(statement)
        .bind(served.data_plane.uuid())
        .fetch_one(&mut database.owner().await)
        .await
        .expect("a count")
}

#[tokio::test]
async fn a_token_enrols_once_in_time_and_only_its_own_data_plane() {
    let bench = Bench::start().await;
    let (_, tenant) = bench.tenant("TENANT_ADMIN").await;
    let served = bench.database.serve(tenant).await;
    let door = bench.door().await;
    let token = bench.database.token(&served, 30).await;
    assert!(door.enroll(&token).await.is_ok());
    let audited = "SELECT count(*) FROM audit_event WHERE action = 'enroll' AND object_id = $1 AND after ->> 'address' = '127.0.0.1'";
    assert_eq!(count(&bench.database, audited, &served).await, 1);
    let again = door.enroll(&token).await.err().expect("refused");
    assert_eq!(again.code(), Code::FailedPrecondition);
    assert!(again.message().contains("was used"), "{again}");

    let late = door
        .enroll(&bench.database.token(&served, -1).await)
        .await
        .err()
        .expect("refused");
    assert_eq!(late.code(), Code::FailedPrecondition);
    assert!(late.message().contains("30 minutes"), "{late}");
    for nonsense in ["", "weire_x", &token.replace("weire", "weirs")] {
        let refused = door.enroll(nonsense).await.err().expect("refused");
        assert_eq!(refused.code(), Code::Unauthenticated, "{nonsense}");
    }
}

#[tokio::test]
async fn an_agent_that_lost_the_answer_may_ask_again_with_its_key() {
    let bench = Bench::start().await;
    let (_, tenant) = bench.tenant("TENANT_ADMIN").await;
    let served = bench.database.serve(tenant).await;
    let door = bench.door().await;
    let token = bench.database.token(&served, 30).await;
    let first = door.enroll(&token).await.expect("enrolled");
    let same_key = rcgen::KeyPair::from_pem(&first.key.serialize_pem()).expect("the key");
    let again = door.enroll_with(&token, same_key).await.expect("the same agent");
    session(&door, &again, 1, NOTHING).await;
    let other = door.enroll(&token).await.err().expect("another agent");
    assert_eq!(other.code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn an_ended_certificate_opens_no_session_and_renews_for_thirty_days() {
    let bench = Bench::start().await;
    let (door, _, identity) = enrolled(&bench).await;
    let ended = door.aged(&identity, TimeDelta::days(2));
    let refused = door.session(&ended, 1, NOTHING).await.err().expect("ended");
    assert_eq!(refused.code(), Code::Unauthenticated);
    let renewed = door.renew(&ended, true, true).await.expect("renewed");
    session(&door, &renewed, 1, NOTHING).await;
    let long_ended = door.aged(&renewed, TimeDelta::days(32));
    let refused = door
        .renew(&long_ended, true, false)
        .await
        .err()
        .expect("too late");
    assert_eq!(refused.code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn a_token_spent_by_two_at_once_enrols_one() {
    let bench = Bench::start().await;
    let (_, tenant) = bench.tenant("TENANT_ADMIN").await;
    let served = bench.database.serve(tenant).await;
    let door = bench.door().await;
    let token = bench.database.token(&served, 30).await;
    let (one, two, three) = tokio::join!(door.enroll(&token), door.enroll(&token), door.enroll(&token));
    let won = [one.is_ok(), two.is_ok(), three.is_ok()]
        .into_iter()
        .filter(|it| *it)
        .count();
    assert_eq!(won, 1);
}

#[tokio::test]
async fn an_address_that_tries_too_often_waits() {
    let bench = Bench::start().await;
    let (_, tenant) = bench.tenant("TENANT_ADMIN").await;
    let served = bench.database.serve(tenant).await;
    let door = bench.door().await;
    // Enrolments that succeed do not count: many agents may come from one address.
    for _ in 0..12 {
        let token = bench.database.token(&served, 30).await;
        assert!(door.enroll(&token).await.is_ok());
    }
    let mut codes = Vec::new();
    for _ in 0..12 {
        codes.push(door.enroll("weire_guess").await.err().expect("refused").code());
    }
    assert_eq!(codes[..10], [Code::Unauthenticated; 10]);
    assert_eq!(codes[11], Code::ResourceExhausted);
}

#[tokio::test]
async fn a_desired_state_is_signed_stored_and_moves_with_the_generation() {
    let bench = Bench::start().await;
    let (door, served, identity) = enrolled(&bench).await;
    let topic = bench.database.topic(&served, "orders").await;
    let mut session = session(&door, &identity, 1, NOTHING).await;
    let (first, state) = session.desired().await;
    assert_eq!(first.generation, Some(Generation { epoch: 1, n: 2 }));
    assert_eq!(state.data_plane_id, identity.data_plane);
    assert_eq!(state.topics.len(), 1);
    assert_eq!(state.topics[0].id, topic.to_string());
    assert_eq!(
        state.topics[0].physical_name,
        format!("w{}-orders", served.cluster.suffix())
    );
    assert_eq!(state.clusters[0].id, served.cluster.to_string());

    // A change and a wake-up: the next generation comes without being asked for.
    bench.database.topic(&served, "payments").await;
    bench.app.wake.changed();
    let (second, state) = session.desired().await;
    assert_eq!(second.generation, Some(Generation { epoch: 1, n: 3 }));
    assert_eq!(state.topics.len(), 2);

    // The same generation is the same bytes, for whoever asks and whenever.
    drop(session);
    let mut again = self::session(&door, &identity, 1, NOTHING).await;
    let (repeated, _) = again.desired().await;
    assert_eq!(repeated, second);
    // Who holds it is not sent it again.
    let mut holder = self::session(&door, &identity, 1, Generation { epoch: 1, n: 3 }).await;
    settle(&mut holder).await;
}

#[tokio::test]
async fn a_signature_near_its_end_is_renewed_over_the_same_bytes() {
    let bench = Bench::start().await;
    let (door, served, identity) = enrolled(&bench).await;
    let mut session = session(&door, &identity, 1, NOTHING).await;
    let (first, _) = session.desired().await;
    bench
        .database
        .behind(
            &served,
            "UPDATE desired_state SET expires_at = now() + interval '1 hour' WHERE data_plane_id = $1",
        )
        .await;
    let mut again = self::session(&door, &identity, 1, NOTHING).await;
    let (second, _) = again.desired().await;
    assert_eq!(
        (&second.body, &second.digest, second.generation),
        (&first.body, &first.digest, first.generation)
    );
    let hours_left = (second.expires_at_unix_seconds - chrono::Utc::now().timestamp()) / 3600;
    assert!(hours_left >= 23, "{hours_left}");
}

#[tokio::test]
async fn one_frame_carries_the_clusters_of_several_tenants() {
    let bench = Bench::start().await;
    let (door, served, identity) = enrolled(&bench).await;
    let (_, other) = bench.tenant("TENANT_ADMIN").await;
    let guest = bench.database.guest(&served, other).await;
    bench.database.topic(&guest, "orders").await;
    let (_, stranger) = bench.tenant("TENANT_ADMIN").await;
    let elsewhere = bench.database.serve(stranger).await;
    bench.database.topic(&elsewhere, "secret").await;
    let mut session = session(&door, &identity, 1, NOTHING).await;
    let (_, state) = session.desired().await;
    let mut tenants: Vec<_> = state.clusters.iter().map(|it| it.tenant_id.clone()).collect();
    let mut expected = vec![served.tenant.tenant.to_string(), other.tenant.to_string()];
    tenants.sort();
    expected.sort();
    assert_eq!(tenants, expected);
    assert_eq!(state.topics.len(), 1);
    assert_eq!(state.topics[0].cluster_id, guest.cluster.to_string());
}

#[tokio::test]
async fn reports_reach_the_status_and_foreign_items_do_not() {
    let bench = Bench::start().await;
    let (door, served, identity) = enrolled(&bench).await;
    let topic = bench.database.topic(&served, "orders").await;
    let (_, stranger) = bench.tenant("TENANT_ADMIN").await;
    let elsewhere = bench.database.serve(stranger).await;
    let foreign = bench.database.topic(&elsewhere, "secret").await;
    let mut session = session(&door, &identity, 1, NOTHING).await;
    report(
        &mut session,
        vec![item(topic, Phase::Ready, 2), item(foreign, Phase::Failed, 2)],
    )
    .await;
    assert_eq!(
        phase(&bench.database, topic.uuid()).await.as_deref(),
        Some("READY")
    );
    assert_eq!(phase(&bench.database, foreign.uuid()).await, None);
    // An older report than the one that is known changes nothing.
    report(&mut session, vec![item(topic, Phase::Pending, 1)]).await;
    assert_eq!(
        phase(&bench.database, topic.uuid()).await.as_deref(),
        Some("READY")
    );
    report(&mut session, vec![item(topic, Phase::Degraded, 3)]).await;
    assert_eq!(
        phase(&bench.database, topic.uuid()).await.as_deref(),
        Some("DEGRADED")
    );
    let told = "SELECT count(*) FROM event WHERE action = 'status' AND object_id IN (SELECT id FROM topic WHERE data_plane_id = $1)";
    assert_eq!(count(&bench.database, told, &served).await, 2);
}

#[tokio::test]
async fn only_a_tombstone_that_was_carried_out_goes() {
    let bench = Bench::start().await;
    let (door, served, identity) = enrolled(&bench).await;
    let kept = bench.database.topic(&served, "kept").await;
    let gone = bench.database.topic(&served, "gone").await;
    let mut session = session(&door, &identity, 1, NOTHING).await;
    // Nobody wished these to go: an agent that says so destroys no row.
    report(
        &mut session,
        vec![
            item(kept, Phase::Deleted, 3),
            item(served.cluster, Phase::Deleted, 3),
        ],
    )
    .await;
    let topics = "SELECT count(*) FROM topic WHERE data_plane_id = $1";
    assert_eq!(count(&bench.database, topics, &served).await, 2);
    assert_eq!(phase(&bench.database, kept.uuid()).await, None);

    bench
        .database
        .behind(
            &served,
            "UPDATE topic SET deleted_at = now(), desired_n = 4 WHERE name = 'gone' AND data_plane_id = $1",
        )
        .await;
    bench.database.bump(&served).await;
    report(&mut session, vec![item(gone, Phase::Deleting, 4)]).await;
    // A report that speaks of an older wish says nothing of the tombstone.
    report(&mut session, vec![item(gone, Phase::Deleted, 3)]).await;
    assert_eq!(count(&bench.database, topics, &served).await, 2);
    report(&mut session, vec![item(gone, Phase::Deleted, 4)]).await;
    assert_eq!(count(&bench.database, topics, &served).await, 1);
    assert_eq!(phase(&bench.database, gone.uuid()).await, None);

    // A cluster waits for its topics, a pool for its clusters; then they go together.
    for table in [
        "UPDATE topic SET deleted_at = now(), desired_n = 5 WHERE data_plane_id = $1",
        "UPDATE cluster SET deleted_at = now(), desired_n = 5 WHERE data_plane_id = $1",
        "UPDATE broker_pool SET deleted_at = now(), desired_n = 5 WHERE data_plane_id = $1",
    ] {
        bench.database.behind(&served, table).await;
    }
    let pool = Id::<kind::BrokerPool>::from_uuid(served.pool);
    report(
        &mut session,
        vec![
            item(served.cluster, Phase::Deleted, 5),
            item(pool, Phase::Deleted, 5),
        ],
    )
    .await;
    let clusters = "SELECT count(*) FROM cluster WHERE data_plane_id = $1";
    assert_eq!(count(&bench.database, clusters, &served).await, 1);
    report(&mut session, vec![item(kept, Phase::Deleted, 5)]).await;
    assert_eq!(count(&bench.database, clusters, &served).await, 0);
    assert_eq!(
        count(
            &bench.database,
            "SELECT count(*) FROM broker_pool WHERE data_plane_id = $1",
            &served
        )
        .await,
        0
    );
}

#[tokio::test]
async fn a_newer_instance_fences_the_older_one_for_good() {
    let bench = Bench::start().await;
    let (door, _, identity) = enrolled(&bench).await;
    let mut older = session(&door, &identity, 1, NOTHING).await;
    older.desired().await;
    let mut newer = session(&door, &identity, 2, NOTHING).await;
    assert_eq!(older.end().await.code(), Code::Aborted);
    let mut back = door.session(&identity, 1, NOTHING).await.expect("a stream");
    assert_eq!(back.end().await.code(), Code::Aborted);
    newer.desired().await;
    settle(&mut newer).await;
    // The same instance may come back: its connection broke.
    let mut again = session(&door, &identity, 2, NOTHING).await;
    again.desired().await;
}

#[tokio::test]
async fn a_revoked_agent_is_cut_off_and_stays_out_until_it_enrols_anew() {
    let bench = Bench::start().await;
    let (door, served, identity) = enrolled(&bench).await;
    let admin = bench.member(&served.tenant, "TENANT_ADMIN").await;
    let mut live = session(&door, &identity, 1, NOTHING).await;
    live.desired().await;
    let before = bench.database.token(&served, 30).await;
    let path = format!("/v1/data-planes/{}", served.data_plane);
    let revoked = admin
        .post(&format!("{path}/revoke"), &json!({}))
        .await
        .expect(200);
    assert_eq!(revoked["status"]["phase"], "REVOKED");
    assert_eq!(live.end().await.code(), Code::PermissionDenied);
    let refused = door.session(&identity, 1, NOTHING).await.err().expect("refused");
    assert_eq!(refused.code(), Code::PermissionDenied);
    for with_certificate in [true, false] {
        let refused = door
            .renew(&identity, with_certificate, false)
            .await
            .err()
            .expect("refused");
        assert_eq!(refused.code(), Code::PermissionDenied);
    }
    let refused = door
        .enroll(&before)
        .await
        .err()
        .expect("a token from before is void");
    assert_eq!(refused.code(), Code::Unauthenticated);

    // A new token is for a new agent: it does not let the old one in, before or after it is used.
    let offered = admin
        .post(&format!("{path}/enrollment-tokens"), &json!({}))
        .await
        .expect(200);
    assert_eq!(offered["status"]["phase"], "REVOKED");
    let refused = door
        .session(&identity, 1, NOTHING)
        .await
        .err()
        .expect("still out");
    assert_eq!(refused.code(), Code::PermissionDenied);
    let token = offered["enrollment"]["token"].as_str().expect("a token");
    let fresh = door.enroll(token).await.expect("a new agent");
    session(&door, &fresh, 3, NOTHING).await.desired().await;
    let refused = door
        .session(&identity, 1, NOTHING)
        .await
        .err()
        .expect("the old key stays out");
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert_eq!(admin.get(&path).await.expect(200)["status"]["phase"], "READY");

    // And it can be revoked again.
    let revoked = admin
        .post(&format!("{path}/revoke"), &json!({}))
        .await
        .expect(200);
    assert_eq!(revoked["status"]["phase"], "REVOKED");
    let refused = door
        .session(&fresh, 4, NOTHING)
        .await
        .err()
        .expect("revoked again");
    assert_eq!(refused.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_connection_of_a_revoked_agent_breaks_under_all_its_calls() {
    let bench = Bench::start().await;
    let (door, served, identity) = enrolled(&bench).await;
    let mut live = session(&door, &identity, 1, NOTHING).await;
    live.desired().await;
    let dialled = door.dialled();
    bench
        .database
        .behind(&served, "UPDATE data_plane SET revoked_at = now() WHERE id = $1")
        .await;
    bench.app.wake.changed();
    live.end().await;
    // Another call over the same connection finds it gone, and has to dial again.
    let redialled = async {
        while door.dialled() == dialled {
            live.renew(&identity).await.expect_err("revoked");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), redialled)
        .await
        .expect("the connection breaks");
}

#[tokio::test]
async fn certificates_renew_by_certificate_or_by_key() {
    let bench = Bench::start().await;
    let (door, served, identity) = enrolled(&bench).await;
    let renewed = door
        .renew(&identity, true, true)
        .await
        .expect("renewed with a new key");
    // The answer might have been lost: the key that asked still opens.
    session(&door, &identity, 1, NOTHING).await;
    session(&door, &renewed, 1, NOTHING).await;
    let proven = door
        .renew(&renewed, false, false)
        .await
        .expect("renewed by proof of the key");
    session(&door, &proven, 1, NOTHING).await;
    let third = door.renew(&proven, true, true).await.expect("renewed again");
    session(&door, &third, 1, NOTHING).await;
    let refused = door
        .session(&identity, 1, NOTHING)
        .await
        .err()
        .expect("two keys ago");
    assert_eq!(refused.code(), Code::PermissionDenied);

    let stranger = door
        .enroll(&bench.database.token(&served, 30).await)
        .await
        .expect("enrolled elsewhere");
    let refused = door.renew(&third, false, false).await.err().expect("replaced");
    assert_eq!(refused.code(), Code::Unauthenticated);
    bench.database.behind(&served, "UPDATE data_plane_link SET certificate_not_after = now() - interval '29 days' WHERE data_plane_id = $1").await;
    let stranger = door
        .renew(&stranger, false, false)
        .await
        .expect("29 days ago is in time");
    bench.database.behind(&served, "UPDATE data_plane_link SET certificate_not_after = now() - interval '31 days' WHERE data_plane_id = $1").await;
    let refused = door
        .renew(&stranger, false, false)
        .await
        .err()
        .expect("31 days ago is late");
    assert_eq!(refused.code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn a_session_needs_a_certificate_and_a_hello() {
    let bench = Bench::start().await;
    let (door, _, identity) = enrolled(&bench).await;
    let refused = door.anonymous_session().await.err().expect("refused");
    assert_eq!(refused.code(), Code::Unauthenticated);
    let mut rude = door
        .session_with(&identity, Up::Heartbeat(Heartbeat::default()))
        .await
        .expect("a stream");
    assert_eq!(rude.end().await.code(), Code::InvalidArgument);
    let mut twice = session(&door, &identity, 1, NOTHING).await;
    twice.say(Door::hello(1, NOTHING)).await;
    assert_eq!(twice.end().await.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn heartbeats_are_kept_and_a_restored_database_raises_the_epoch() {
    let bench = Bench::start().await;
    let (door, served, identity) = enrolled(&bench).await;
    let ahead = Generation { epoch: 1, n: 9 };
    let mut live = session(&door, &identity, 1, ahead).await;
    // The agent holds more than the database knows: it was restored from a backup.
    let (frame, _) = live.desired().await;
    assert_eq!(frame.generation, Some(Generation { epoch: 2, n: 1 }));
    let beat = Heartbeat {
        accepted: frame.generation,
        applied: frame.generation,
        gateways_live: 2,
        usage_windows_waiting: 0,
        usage_window_ms: 5_000,
    };
    live.say(Up::Heartbeat(beat)).await;
    settle(&mut live).await;
    let kept = "SELECT count(*) FROM data_plane_link JOIN usage_progress USING (data_plane_id) WHERE data_plane_id = $1
        AND accepted_epoch = 2 AND applied_n = 1 AND gateways_live = 2 AND last_seen_at > now() - interval '1 minute'
        AND complete_until > now() - interval '5 minutes'";
    assert_eq!(count(&bench.database, kept, &served).await, 1);
}

#[tokio::test]
async fn a_rewritten_generation_is_answered_by_a_higher_epoch() {
    let bench = Bench::start().await;
    let (door, _, identity) = enrolled(&bench).await;
    let mut live = session(&door, &identity, 1, NOTHING).await;
    let (first, _) = live.desired().await;
    live.say(Up::Heartbeat(Heartbeat {
        accepted: first.generation,
        ..Heartbeat::default()
    }))
    .await;
    let refused = RefusedFrame {
        offered: first.generation,
        refusal: Refusal::Rewritten.into(),
    };
    live.say(Up::Status(StatusReport {
        refused: Some(refused),
        ..StatusReport::default()
    }))
    .await;
    let (second, _) = live.desired().await;
    assert_eq!(second.generation, Some(Generation { epoch: 2, n: 1 }));
}

#[tokio::test]
async fn a_question_is_answered_while_the_session_lives() {
    let bench = Bench::start().await;
    let (door, served, identity) = enrolled(&bench).await;
    let mut live = session(&door, &identity, 1, NOTHING).await;
    live.desired().await;
    let question = || {
        Question::TopicExtent(TopicExtentQuestion {
            topic_id: "topic".into(),
        })
    };
    let (agents, data_plane) = (bench.app.agents.clone(), served.data_plane);
    let asking =
        tokio::spawn(async move { agents.ask(data_plane, question(), Duration::from_secs(10)).await });
    let Down::Ask(signed) = live.hear().await.expect("a question") else {
        panic!("expected a question")
    };
    let data_plane_id = data_plane.to_string();
    let to = Addressee {
        data_plane_id: &data_plane_id,
        session: 0,
        taken: 0,
    };
    let now = chrono::Utc::now().timestamp();
    let ask = weir_proto::ask::open(&identity.signing_key, &signed, to, now).expect("a signed question");
    assert_eq!(ask.question, Some(question()));
    let answer = Answer {
        ask_id: ask.ask_id,
        code: AnswerCode::Ok.into(),
        topic_extent: Some(TopicExtentAnswer::default()),
        ..Answer::default()
    };
    live.say(Up::Answer(answer)).await;
    let answer = asking.await.expect("a task").expect("an answer");
    assert_eq!(answer.code(), AnswerCode::Ok);
    drop(live);
    let gone = async {
        while bench.app.agents.connected(served.data_plane) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone)
        .await
        .expect("the session is over");
    let unanswered = bench
        .app
        .agents
        .ask(served.data_plane, question(), Duration::from_secs(1))
        .await;
    assert_eq!(unanswered.expect_err("nobody is there").code, "agent_unreachable");
}
