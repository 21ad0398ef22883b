//! Tampering of every kind is found; a sound ledger decodes.

use super::super::ledger::Ledger;
use super::*;
use prost::Message;
use std::fs;
use std::path::PathBuf;
use weir_proto::agent::v1::{AgentFrame, Heartbeat, agent_frame::Frame};

fn frame(waiting: u64) -> Vec<u8> {
    AgentFrame {
        frame: Some(Frame::Heartbeat(Heartbeat {
            usage_windows_waiting: waiting,
            ..Default::default()
        })),
    }
    .encode_to_vec()
}

/// Ten entries over several small files, appended over two openings.
fn written(folder: &Path) -> Vec<PathBuf> {
    for half in [0..5_u64, 5..10] {
        let ledger = Ledger::open_with(folder, 900).unwrap();
        for at in half {
            assert_eq!(ledger.append(Form::AgentFrame, &frame(at + 1)).unwrap(), at + 1);
        }
    }
    let paths: Vec<_> = files(folder).unwrap().into_iter().map(|(_, path)| path).collect();
    assert!(paths.len() > 2, "turned over");
    paths
}

#[test]
fn a_sound_ledger_is_decoded_across_files_and_openings() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path());
    let mut lines = Vec::new();
    let summary = replay(folder.path(), |line| lines.push(line)).unwrap();
    assert_eq!(summary.entries, 10);
    assert_eq!(summary.kinds["heartbeat"].entries, 10);
    assert_eq!(
        lines[6].message,
        json!({"heartbeat": {"usage_windows_waiting": 7}})
    );
}

#[test]
fn tampering_is_found_wherever_it_happens() {
    let tamper = |change: &dyn Fn(&[PathBuf])| {
        let folder = tempfile::tempdir().unwrap();
        change(&written(folder.path()));
        replay(folder.path(), drop).unwrap_err()
    };
    let rewrite = |path: &Path, change: &dyn Fn(&mut Vec<String>)| {
        let text = fs::read_to_string(path).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        change(&mut lines);
        fs::write(
            path,
            lines.iter().map(|line| format!("{line}\n")).collect::<String>(),
        )
        .unwrap();
    };
    let altered = tamper(&|files| {
        rewrite(&files[1], &|lines| {
            lines[0] = lines[0].replace("at_unix_ms\":1", "at_unix_ms\":2")
        })
    });
    assert!(matches!(altered, Broken::Chain { .. }), "{altered}");
    let last = tamper(&|files| {
        rewrite(files.last().unwrap(), &|lines| {
            let line = lines.last_mut().unwrap();
            *line = line.replace("at_unix_ms\":1", "at_unix_ms\":2");
        });
    });
    assert!(
        matches!(last, Broken::Chain { seq: 10 }),
        "also where nothing follows: {last}"
    );
    let dropped = tamper(&|files| rewrite(&files[0], &|lines| drop(lines.remove(1))));
    assert!(
        matches!(
            dropped,
            Broken::Order {
                expected: 2,
                found: 3
            }
        ),
        "{dropped}"
    );
    let swapped = tamper(&|files| rewrite(&files[0], &|lines| lines.swap(0, 1)));
    assert!(matches!(swapped, Broken::Order { .. }), "{swapped}");
    let file_gone = tamper(&|files| fs::remove_file(&files[1]).unwrap());
    assert!(matches!(file_gone, Broken::Order { .. }), "{file_gone}");
    let first_gone = tamper(&|files| fs::remove_file(&files[0]).unwrap());
    assert!(
        matches!(first_gone, Broken::Order { expected: 1, .. }),
        "{first_gone}"
    );
    let cut = tamper(&|files| fs::remove_file(files.last().unwrap()).unwrap());
    assert!(matches!(cut, Broken::Shortened { expected: 10, .. }), "{cut}");
    let noise = tamper(&|files| rewrite(&files[0], &|lines| lines[1] = "{}".to_owned()));
    assert!(matches!(noise, Broken::Line { after_seq: 1 }), "{noise}");
}

#[test]
fn a_rewritten_history_with_hashes_of_its_own_is_found_by_the_head() {
    let folder = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    written(folder.path());
    let ledger = Ledger::open_with(other.path(), 900).unwrap();
    for _at in 0..10 {
        ledger.append(Form::AgentFrame, &frame(99)).unwrap();
    }
    for (_first, path) in files(folder.path()).unwrap() {
        fs::remove_file(path).unwrap();
    }
    for (_first, path) in files(other.path()).unwrap() {
        fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    assert!(matches!(
        replay(folder.path(), drop),
        Err(Broken::Chain { seq: 10 })
    ));
}

#[test]
fn a_field_that_is_not_published_does_not_pass() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(folder.path()).unwrap();
    let mut smuggled = frame(1);
    // Field 1000, length-delimited: `canary`.
    smuggled.extend_from_slice(&[0xC2, 0x3E, 6]);
    smuggled.extend_from_slice(b"canary");
    ledger.append(Form::AgentFrame, &smuggled).unwrap();
    assert!(matches!(
        replay(folder.path(), drop),
        Err(Broken::Unpublished { seq: 1 })
    ));
}

#[test]
fn a_torn_line_was_never_sent_and_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path()).pop().unwrap();
    let mut text = fs::read(&path).unwrap();
    text.extend_from_slice(b"{\"seq\":11,");
    fs::write(&path, text).unwrap();
    assert_eq!(replay(folder.path(), drop).unwrap().entries, 10);
    let ledger = Ledger::open_with(folder.path(), 900).unwrap();
    assert_eq!(ledger.append(Form::AgentFrame, &frame(11)).unwrap(), 11);
    assert_eq!(replay(folder.path(), drop).unwrap().entries, 11);
}
