//! Spans on their way to a real receiver.

use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::*;
use crate::fake::FakeCollector;

const PATIENCE: Duration = Duration::from_secs(20);

fn args(endpoint: String) -> OtlpArgs {
    OtlpArgs {
        otlp_endpoint: Some(endpoint),
        ..OtlpArgs::default()
    }
}

fn span(name: &'static str) -> Span {
    let ended = Instant::now();
    Span {
        name: name.into(),
        began: ended - Duration::from_millis(1500),
        ended,
        attributes: vec![
            ("kafka.api_version", Value::from(9_i64)),
            ("weir.broker_ms", Duration::from_micros(1_400_900).into()),
            ("weir.answered_by", "BROKER".into()),
        ],
    }
}

fn start(args: &OtlpArgs) -> (Spans, JoinHandle<()>) {
    let collector = args.collector().unwrap().unwrap();
    Spans::start(collector, vec![("service.name", "weir-test".into())])
}

#[tokio::test]
async fn a_span_arrives_as_it_was_told() {
    let mut collector = FakeCollector::start(None).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("headers");
    std::fs::write(&file, "# of the vendor\nX-Token = s3cret\n").unwrap();
    let args = OtlpArgs {
        otlp_headers_file: Some(file),
        ..args(format!("http://{}", collector.address))
    };
    let (spans, _worker) = start(&args);
    spans.tell(span("Produce"));
    let got = collector.next(PATIENCE).await.unwrap();
    assert_eq!(
        (got.span.name.as_str(), got.token.as_str()),
        ("Produce", "s3cret")
    );
    assert_eq!((got.span.trace_id.len(), got.span.span_id.len()), (16, 8));
    let took = got.span.end_time_unix_nano - got.span.start_time_unix_nano;
    assert_eq!(took, 1_500_000_000);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    assert!(now.abs_diff(Duration::from_nanos(got.span.end_time_unix_nano)) < PATIENCE);
    let said = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(
        got.attributes(),
        [
            said("kafka.api_version", "9"),
            said("weir.answered_by", "BROKER"),
            said("weir.broker_ms", "1400")
        ]
    );
    assert_eq!(got.resource(), [said("service.name", "weir-test")]);
    assert_eq!(spans.lost(), 0);
}

#[tokio::test]
async fn an_https_collector_is_believed_by_its_authority_only() {
    let authority = |name: &str| {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
    };
    let (ours, other) = (authority("ours"), authority("other"));
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &ours).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let mut collector = FakeCollector::start(Some(acceptor)).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut args = args(format!("https://localhost:{}", collector.address.port()));
    assert!(
        args.collector().is_err(),
        "nobody's authority is believed by default"
    );
    for (authority, believed) in [(&other, false), (&ours, true)] {
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, authority.pem()).unwrap();
        args.otlp_certificate = Some(file);
        let (spans, _worker) = start(&args);
        spans.tell(span("Fetch"));
        let within = if believed {
            PATIENCE
        } else {
            Duration::from_secs(3)
        };
        assert_eq!(collector.next(within).await.is_some(), believed);
        assert_eq!(spans.lost(), u64::from(!believed));
    }
}

#[tokio::test]
async fn a_collector_that_is_away_costs_spans_and_no_time_and_is_found_again() {
    // A port that nobody listens on, until later.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (spans, _worker) = start(&args(format!("http://{address}")));
    let began = Instant::now();
    for _ in 0..QUEUE * 3 {
        spans.tell(span("Produce"));
    }
    assert!(began.elapsed() < Duration::from_secs(2), "nobody waits");
    // One batch is in the worker's hands; what fits waits, the rest is lost.
    assert!(spans.lost() >= (QUEUE as u64), "{}", spans.lost());
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let mut collector = FakeCollector::serve(listener, None).unwrap();
    assert!(collector.next(PATIENCE).await.is_some(), "it is found again");
}

#[tokio::test]
async fn an_address_or_a_header_that_is_none_is_refused_and_never_shown() {
    let none = OtlpArgs::default();
    assert!(none.collector().unwrap().is_none());
    assert!(
        args(String::new()).collector().unwrap().is_none(),
        "an empty variable"
    );
    for wrong in ["collector:4317", "ftp://collector", "http://", "not an address"] {
        assert!(args(wrong.to_owned()).collector().is_err(), "{wrong}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("headers");
    for wrong in ["tokens3cret", "b\u{e4}d=s3cret", "a=s3\u{7}cret"] {
        std::fs::write(&file, wrong).unwrap();
        let args = OtlpArgs {
            otlp_headers_file: Some(file.clone()),
            ..args("http://collector:4317".to_owned())
        };
        let error = args.collector().unwrap_err();
        assert!(!format!("{error:#}").contains("cret"), "{error:#}");
    }
}
