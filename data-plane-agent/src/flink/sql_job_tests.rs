//! Tests of `sql_job`.

use super::super::configuration::Folders;
use super::*;

fn wished() -> Wished {
    Wished {
        id: "job_1".to_owned(),
        runs: true,
        begins: true,
        deleted: false,
        version: 1,
        keeps_state: true,
        nonce: 0,
        restart: 0,
        parallelism: 1,
        vertices: BTreeMap::new(),
        program: Some(Arc::new(Ready {
            settings: vec![("pipeline.name".to_owned(), "mine".to_owned())],
            cluster_id: "cluster_1".to_owned(),
            sources: Vec::new(),
            sinks: Vec::new(),
            login: Login {
                bootstrap: String::new(),
                tls: None,
                job: "job_1".to_owned(),
                secret: String::new(),
                registry: Relay {
                    base: String::new(),
                    token: String::new(),
                },
            },
            models: Vec::new(),
            schemas: Schemas::default(),
            relay: Relay {
                base: String::new(),
                token: String::new(),
            },
            views: Vec::new(),
            statement: String::new(),
            uses_processing_time: false,
            is_bounded: false,
        })),
    }
}

fn kept() -> Kept {
    Kept {
        attempt: 3,
        version: 1,
        line: 1,
        ran: true,
        ..Kept::default()
    }
}

fn listed(run: Run) -> Listed {
    Listed {
        id: "a".to_owned(),
        name: "job_1-3".to_owned(),
        run,
        started_ms: 0,
    }
}

#[test]
fn what_to_do_follows_from_the_wish_and_what_flink_says() {
    let running = Some(listed(Run::Running));
    let restarting = Some(listed(Run::Restarting));
    let over = Some(listed(Run::Finished));
    let failed = Some(listed(Run::Failed));
    let stopped = Wished {
        runs: false,
        ..wished()
    };
    let deleted = Wished {
        deleted: true,
        ..stopped.clone()
    };
    let newer = Wished {
        version: 2,
        ..wished()
    };
    let afresh = Wished {
        keeps_state: false,
        ..newer.clone()
    };
    let anew = Wished { nonce: 1, ..wished() };
    let stuck = Wished {
        program: None,
        ..wished()
    };
    let unknown = Wished {
        begins: false,
        ..wished()
    };
    for (wished, listed, expected) in [
        (&unknown, &running, Act::Rest),
        (&unknown, &restarting, Act::Rest),
        (&unknown, &None, Act::Rest),
        (&wished(), &running, Act::Rest),
        (&wished(), &restarting, Act::Rest),
        (&wished(), &Some(self::listed(Run::Ending)), Act::Rest),
        (&wished(), &None, Act::Submit { again: true }),
        (&wished(), &failed, Act::Submit { again: true }),
        (&wished(), &over, Act::Submit { again: false }),
        (&stopped, &running, Act::Stop),
        (&stopped, &over, Act::Rest),
        (&stopped, &None, Act::Rest),
        (&deleted, &running, Act::Cancel),
        (&deleted, &None, Act::Rest),
        (&newer, &running, Act::Stop),
        (&newer, &over, Act::Submit { again: false }),
        (&afresh, &running, Act::Cancel),
        (&anew, &running, Act::Stop),
        (&stuck, &None, Act::Rest),
    ] {
        assert_eq!(
            act(wished, &kept(), listed.as_ref()),
            expected,
            "{wished:?} {listed:?}"
        );
    }
    let asleep = Kept {
        settled: true,
        ..kept()
    };
    let woken = act(&wished(), &asleep, None);
    assert_eq!(woken, Act::Submit { again: false }, "to wake is no restart");
}

#[test]
fn a_job_goes_on_from_the_newest_of_what_was_written_or_not_at_all() {
    let (first, from) = next(&wished(), &Kept::default(), false, None, 7);
    assert_eq!((first.line, first.began_ms, from), (1, 7, From::Nothing));
    let newest = || Some("file:///f/savepoints/job_1/1/s".to_owned());
    let state = |again| next(&wished(), &kept(), again, newest(), 9);
    let there = || From::State(newest().unwrap());
    assert_eq!(state(true).1, there());
    assert_eq!((state(true).0.restarts, state(false).0.restarts), (1, 0));
    let version_2 = Wished {
        version: 2,
        ..wished()
    };
    let (newer, from) = next(&version_2, &kept(), false, newest(), 9);
    assert_eq!((newer.line, newer.version, from), (1, 2, there()));
    let afresh = Wished {
        keeps_state: false,
        ..version_2
    };
    assert!(begins_anew(&afresh, &kept()) && !begins_anew(&wished(), &kept()));
    let (afresh, from) = next(&afresh, &kept(), false, newest(), 9);
    assert_eq!((afresh.line, afresh.began_ms, from), (2, 9, From::Nothing));
    // What is gone is no reason to begin elsewhere either, but for a job that never had a checkpoint.
    let had = |had_state| Kept { had_state, ..kept() };
    let from = |held: &Kept| next(&wished(), held, true, None, 9).1;
    assert_eq!((from(&had(true)), from(&had(false))), (From::Gone, From::Nothing));
    assert!(state(true).0.had_state);
}

#[test]
fn a_program_sets_nothing_of_ours() {
    let store = Store::Local(Folders::below(Path::new("/f")));
    let wished = wished();
    let program = wished.program.clone().unwrap();
    let from = From::State("file:///f/savepoints/job_1/1/s".to_owned());
    let properties = properties(&wished, &kept(), &from, &program, &store);
    assert_eq!(properties["pipeline.name"], "job_1-3");
    assert_eq!(
        properties["execution.checkpointing.dir"],
        "file:///f/checkpoints/job_1/1"
    );
    assert_eq!(
        properties["execution.state-recovery.path"],
        "file:///f/savepoints/job_1/1/s"
    );
}

#[test]
fn a_job_settles_when_time_has_done_all_it_can() {
    let source = |event_time| {
        let source = weir_sql::table::Source {
            name: "t".to_owned(),
            topic: "t".to_owned(),
            columns: Vec::new(),
            format: weir_sql::table::ValueFormat::Json,
            key: None,
            event_time,
        };
        let origin = Origin {
            topic_id: "topic_1".to_owned(),
            partitions: 1,
            from_latest: false,
        };
        (source, origin)
    };
    let event_time = weir_sql::table::EventTime {
        column: None,
        unit: weir_sql::table::TimeUnit::Milliseconds,
        delay_ms: 0,
    };
    let ready = |settings: &[(&str, &str)], event_time, uses_processing_time| {
        let ready = wished().program.unwrap();
        Ready {
            settings: settings
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            sources: vec![source(event_time)],
            uses_processing_time,
            ..(*ready).clone()
        }
    };
    let own = [("table.exec.source.idle-timeout", "5 min")];
    assert_eq!(ready(&[], None, false).settles_after_ms(), Some(0));
    assert_eq!(
        ready(&[], Some(event_time.clone()), false).settles_after_ms(),
        Some(60_000)
    );
    assert_eq!(
        ready(&own, Some(event_time), false).settles_after_ms(),
        Some(300_000)
    );
    assert_eq!(ready(&[], None, true).settles_after_ms(), None);
}

#[test]
fn words_of_flink_are_told_without_secrets() {
    let mut ready = (*wished().program.unwrap()).clone();
    assert_eq!(ready.redacted("no such column"), "no such column");
    ready.login.secret = "hush".to_owned();
    ready.relay.token = "0123abcd".to_owned();
    let words = "'password=\"hush\"' .. 'api-key' = '0123abcd' is odd";
    assert_eq!(
        ready.redacted(words),
        "'password=\"***\"' .. 'api-key' = '***' is odd"
    );
}

#[test]
fn a_program_that_came_to_its_end_is_not_begun_again() {
    let ended = listed(Run::Finished);
    let kept = Kept {
        attempt: 1,
        version: 1,
        ..Kept::default()
    };
    assert!(kept.is_complete(&wished(), Some(&ended)));
    let stopped = Kept {
        stop_asked: true,
        ..kept.clone()
    };
    assert!(!stopped.is_complete(&wished(), Some(&ended)), "a stop is no end");
    let done = Kept {
        completed: true,
        ..kept.clone()
    };
    assert_eq!(act(&wished(), &done, Some(&ended)), Act::Rest);
    assert_eq!(
        act(&wished(), &done, None),
        Act::Rest,
        "nor after a start of Flink"
    );
    assert!(done.is_complete(&wished(), None));
    let elsewhere = Wished { nonce: 7, ..wished() };
    assert_eq!(
        act(&elsewhere, &done, None),
        Act::Rest,
        "nor when the agent is asked elsewhere"
    );
    // Another version, or a restart, is another matter.
    for other in [
        Wished {
            restart: 1,
            nonce: 1,
            ..wished()
        },
        Wished {
            version: 2,
            ..wished()
        },
    ] {
        assert!(matches!(act(&other, &done, None), Act::Submit { .. }));
        assert!(!done.is_complete(&other, Some(&ended)));
        let had = Kept {
            had_state: true,
            ..done.clone()
        };
        let (next, from) = next(&other, &had, false, Some("file:///f/old".to_owned()), 7);
        assert_eq!((from, next.began_ms, next.completed), (From::Nothing, 7, false));
    }
}
