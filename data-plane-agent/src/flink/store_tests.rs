//! Where state is looked for: on disk, and in a bucket that is pretended.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use std::collections::BTreeMap;

use super::*;

const FILE: &str = r#"
state = "s3://weir-state/flink/eu"
endpoint = "http://127.0.0.1:1"
path_style = true
access_key = "AKIA"
credential = "flink-state"
"#;

fn object(key: &str, second: u64) -> Object {
    Object {
        key: key.to_owned(),
        bytes: 5,
        at: SystemTime::UNIX_EPOCH + Duration::from_secs(second),
    }
}

#[test]
fn the_newest_whole_one_of_a_line_counts_also_within_a_second() {
    let below = "p/checkpoints/job_1/2/";
    let at = |rest: &str, second| object(&format!("{below}{rest}"), second);
    let empty = Object {
        bytes: 0,
        ..at("r2/chk-12/_metadata", 30)
    };
    let objects = [
        at("r1/chk-9/_metadata", 20),
        at("r1/chk-10/_metadata", 20),
        at("r2/chk-11/0a1b-state", 30),
        at("r2/shared/x", 40),
        at("r2/_metadata", 50),
        at("r2/chk-x/_metadata", 50),
        object("p/checkpoints/job_1/22/r/chk-99/_metadata", 90),
        empty,
    ];
    let newest = newest_checkpoint(&objects, below).unwrap();
    assert_eq!((newest.number, newest.run.as_str()), (10, "r1"));
    assert_eq!(newest.folder, "p/checkpoints/job_1/2/r1/chk-10");
    assert_eq!(newest_checkpoint(&[], below), None);
}

#[test]
fn a_savepoint_ends_its_run_and_others_come_after_it() {
    let checkpoint = |run: &str, second| {
        let key = format!("c/{run}/chk-5/_metadata");
        newest_checkpoint(&[object(&key, second)], "c/")
    };
    let savepoint = |second| newest_savepoint(&[object("s/savepoint-abc123-77aa/_metadata", second)], "s/");
    let folder = |checkpoint, savepoint| later(checkpoint, savepoint).unwrap();
    let (own, other) = ("abc123ff", "def456ff");
    assert_eq!(
        folder(checkpoint(own, 10), savepoint(10)),
        "s/savepoint-abc123-77aa"
    );
    assert_eq!(folder(checkpoint(other, 10), savepoint(10)), "c/def456ff/chk-5");
    assert_eq!(
        folder(checkpoint(other, 9), savepoint(10)),
        "s/savepoint-abc123-77aa"
    );
    assert_eq!(folder(checkpoint(own, 11), savepoint(10)), "c/abc123ff/chk-5");
    assert_eq!(folder(None, savepoint(1)), "s/savepoint-abc123-77aa");
    assert_eq!(later(None, None), None);
}

#[test]
fn a_file_names_a_bucket_or_is_refused() {
    let s3 = S3::parse(FILE).unwrap();
    assert_eq!(
        (s3.bucket.as_str(), s3.prefix.as_str()),
        ("weir-state", "flink/eu")
    );
    assert_eq!(
        (s3.endpoint().as_str(), s3.region.as_str()),
        ("http://127.0.0.1:1", "us-east-1")
    );
    for (from, to) in [
        ("s3://weir-state/flink/eu", "/var/state"),
        ("s3://weir-state/flink/eu", "s3://x/y"),
        ("s3://weir-state/flink/eu", "s3://weir-state/../other"),
        ("s3://weir-state/flink/eu", "s3://weir-state/a b"),
        ("http://127.0.0.1:1", "ftp://127.0.0.1"),
        ("http://127.0.0.1:1", "http://login@host"),
        ("access_key = \"AKIA\"", "access_key = \"\""),
        ("path_style = true", "secret = \"x\""),
    ] {
        assert!(
            FILE.contains(from) && S3::parse(&FILE.replace(from, to)).is_err(),
            "{to}"
        );
    }
    let amazon =
        S3::parse(&FILE.replace("endpoint = \"http://127.0.0.1:1\"", "region = \"eu-central-1\"")).unwrap();
    assert_eq!(amazon.endpoint(), "https://s3.eu-central-1.amazonaws.com");
}

#[test]
fn the_secret_is_the_customers_and_for_its_endpoint_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flink-state.toml");
    let s3 = S3::parse(FILE).unwrap();
    assert!(s3.secret(folder.path()).is_err());
    for (hosts, fits) in [
        ("127.0.0.1:1", true),
        ("127.0.0.1:2", false),
        ("s3.internal:1", false),
    ] {
        std::fs::write(
            &file,
            format!("hosts = [\"{hosts}\"]\npassword = \"very-secret\"\n"),
        )
        .unwrap();
        let told = s3.secret(folder.path());
        assert_eq!(told.is_ok(), fits, "{hosts}");
        assert!(!told.is_err_and(|it| it.contains("very-secret")));
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_read_is_no_reason_to_begin_anew() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::Local(Folders::below(folder.path()));
    assert_eq!(store.newest("job_1", 1).await.unwrap(), None);
    let chk = folder.path().join("checkpoints/job_1/1/run/chk-3");
    std::fs::create_dir_all(&chk).unwrap();
    std::fs::write(chk.join("_metadata"), b"x").unwrap();
    assert_eq!(
        store.newest("job_1", 1).await.unwrap(),
        Some(format!("file://{}", chk.display()))
    );
    store.bury("job_1").await.unwrap();
    assert_eq!(store.newest("job_1", 1).await.unwrap(), None);
    std::fs::create_dir_all(folder.path().join("checkpoints/job_1")).unwrap();
    std::fs::write(folder.path().join("checkpoints/job_1/1"), b"").unwrap();
    assert!(store.newest("job_1", 1).await.is_err());
}

type Kept = Arc<Mutex<BTreeMap<String, usize>>>;

/// A service that lists two objects a page, wants a signature, and fails while there is an object called `broken`.
async fn s3(
    State(kept): State<Kept>,
    method: Method,
    uri: Uri,
    Query(query): Query<BTreeMap<String, String>>,
    _headers: HeaderMap,
) -> (StatusCode, String) {
    let mut kept = kept.lock().unwrap();
    if !query.contains_key("X-Amz-Signature") || kept.contains_key("broken") {
        return (StatusCode::FORBIDDEN, "<Error/>".to_owned());
    }
    if method == Method::DELETE {
        kept.remove(uri.path().strip_prefix("/weir-state/").unwrap());
        return (StatusCode::NO_CONTENT, String::new());
    }
    let (prefix, from) = (&query["prefix"], query.get("continuation-token"));
    let all = kept
        .iter()
        .filter(|(key, _bytes)| key.starts_with(prefix.as_str()));
    let all: Vec<_> = all
        .filter(|(key, _bytes)| from.is_none_or(|it| *key > it))
        .collect();
    let mut page = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>weir-state</Name>",
    );
    for (key, bytes) in all.iter().take(2) {
        page.push_str(&format!(
            "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag><Size>{bytes}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        ));
    }
    let more = all.len() > 2;
    if more {
        page.push_str(&format!(
            "<NextContinuationToken>{}</NextContinuationToken>",
            all[1].0
        ));
    }
    page.push_str(&format!(
        "<KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>{more}</IsTruncated></ListBucketResult>"
    ));
    (StatusCode::OK, page)
}

#[tokio::test]
async fn a_bucket_is_looked_at_page_by_page_and_one_that_does_not_answer_is_not_empty() {
    let kept = Kept::default();
    let routes = Router::new().fallback(s3).with_state(Arc::clone(&kept));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let s3 = S3::parse(&FILE.replace("http://127.0.0.1:1", &endpoint)).unwrap();
    let store = Store::Bucket(
        Box::new(Bucket::open(&s3, "very-secret").unwrap()),
        "flink/eu/pool_1/".to_owned(),
    );
    assert_eq!(
        store.places("job_1", 4).0,
        "s3://weir-state/flink/eu/pool_1/checkpoints/job_1/4"
    );
    assert_eq!(store.newest("job_1", 4).await.unwrap(), None);
    for number in 1..=9 {
        let key = format!("flink/eu/pool_1/checkpoints/job_1/4/run/chk-{number}/_metadata");
        kept.lock().unwrap().insert(key, 5);
    }
    kept.lock().unwrap().insert(
        "flink/eu/pool_1/checkpoints/job_2/4/run/chk-99/_metadata".to_owned(),
        5,
    );
    let newest = "s3://weir-state/flink/eu/pool_1/checkpoints/job_1/4/run/chk-9";
    assert_eq!(store.newest("job_1", 4).await.unwrap().as_deref(), Some(newest));
    kept.lock().unwrap().insert("broken".to_owned(), 1);
    assert!(store.newest("job_1", 4).await.is_err());
    assert!(store.bury("job_1").await.is_err());
    kept.lock().unwrap().remove("broken");
    store.bury("job_1").await.unwrap();
    assert_eq!(kept.lock().unwrap().len(), 1, "nothing of another job's");
    assert!(!format!("{store:?}").contains("very-secret"));
}
