//! Slow requests, told as spans to a collector of the operator's own: method, route, status and the request's id; never a
//! path, a query, a body or who asked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use http::Method;
use weir_spans::{Attributes, OtlpArgs, Span, Spans};

use crate::rest::REQUEST_ID;

/// Where slow requests are told, and from when on one is slow.
#[derive(Debug)]
pub struct Slow {
    threshold: Duration,
    spans: Spans,
}

impl Slow {
    /// Begins to tell, if a collector is named. It need not be there.
    ///
    /// # Errors
    /// When its address or one of its files cannot be used.
    pub fn start(collector: &OtlpArgs, threshold: Duration) -> anyhow::Result<Option<Self>> {
        let Some(collector) = collector.collector()? else {
            return Ok(None);
        };
        let resource: Attributes = vec![
            ("service.name", "weir-control-plane".into()),
            ("service.version", env!("CARGO_PKG_VERSION").into()),
        ];
        // It ends with the process: what is not sent by then is lost.
        let (spans, _worker) = Spans::start(collector, resource);
        Ok(Some(Self { threshold, spans }))
    }

    /// Puts itself around a router.
    pub fn around(self, router: Router) -> Router {
        router.layer(from_fn_with_state(Arc::new(self), look))
    }
}

async fn look(State(slow): State<Arc<Slow>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let waits = waits_by_wish(request.uri().query().unwrap_or_default());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let ended = Instant::now();
    if waits || ended.duration_since(began) < slow.threshold {
        return response;
    }
    let (method, route) = (known(&method), route.as_ref().map_or("none", MatchedPath::as_str));
    let id = response
        .headers()
        .get(&REQUEST_ID)
        .and_then(|it| it.to_str().ok());
    slow.spans.tell(Span {
        name: format!("{method} {route}").into(),
        began,
        ended,
        attributes: vec![
            ("http.request.method", method.into()),
            (
                "http.response.status_code",
                i64::from(response.status().as_u16()).into(),
            ),
            ("http.route", route.to_owned().into()),
            ("weir.request_id", id.unwrap_or_default().to_owned().into()),
        ],
    });
    response
}

/// A caller that asks to wait for an agent is not served slowly.
fn waits_by_wish(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(name, _value)| name == "wait")
}

/// A method is a text of the caller's; the word is the specification's for all others.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::any;
    use tower::ServiceExt as _;
    use weir_spans::fake::FakeCollector;

    const PATIENCE: Duration = Duration::from_secs(20);
    const A_WHILE: Duration = Duration::from_millis(1500);

    async fn ask(router: &Router, method: &str, path: &str) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::empty())
            .unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
    }

    #[tokio::test]
    async fn a_slow_request_says_what_is_listed_and_a_fast_one_nothing() {
        let mut collector = FakeCollector::start(None).await.unwrap();
        let args = OtlpArgs {
            otlp_endpoint: Some(format!("http://{}", collector.address)),
            ..OtlpArgs::default()
        };
        let slow = Slow::start(&args, Duration::from_millis(200)).unwrap().unwrap();
        let late = || async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            [("request-id", "req_1")]
        };
        let router = Router::new()
            .route("/v1/things/{id}", any(late))
            .route("/v1/things", any(|| async { "" }));
        let router = slow.around(router);
        ask(&router, "GET", "/v1/things").await;
        // Slow by its caller's own wish.
        ask(&router, "PATCH", "/v1/things/thing_1?wait=30s").await;
        ask(&router, "PATCH", "/v1/things/thing_s3cret?dry_run=s3cret").await;
        let told = collector.next(PATIENCE).await.unwrap();
        assert_eq!(told.span.name, "PATCH /v1/things/{id}");
        let listed: Vec<&str> = include_str!("../../../crates/spans/fields.txt")
            .lines()
            .filter_map(|line| line.strip_prefix("weir-control-plane ")?.split(' ').next())
            .collect();
        let attributes = told.attributes();
        let (names, values): (Vec<&str>, Vec<&str>) = attributes
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .unzip();
        assert_eq!(names, listed, "exactly what crates/spans/fields.txt lists");
        assert_eq!(values, ["PATCH", "200", "/v1/things/{id}", "req_1"]);
        assert!(!format!("{told:?}").contains("s3cret"));
        assert!(collector.next(A_WHILE).await.is_none(), "of the others nothing");
        ask(&router, "S3CRET", "/v1/things/a").await;
        let told = collector.next(PATIENCE).await.unwrap();
        assert_eq!(told.span.name, "_OTHER /v1/things/{id}");
    }

    #[tokio::test]
    async fn nobody_is_told_where_nobody_asked() {
        assert!(
            Slow::start(&OtlpArgs::default(), Duration::ZERO)
                .unwrap()
                .is_none()
        );
    }
}
