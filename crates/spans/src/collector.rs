//! Where the collector is, and how it is spoken to: gRPC, plain or over TLS under an authority that is named.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue, MetadataMap};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::otlp::trace_service_client::TraceServiceClient;
use crate::otlp::{ExportTraceServiceRequest, ExportTraceServiceResponse};

const CONNECT_MAX: Duration = Duration::from_secs(5);
const FILE_BYTES_MAX: u64 = 64 * 1024;
const HEADERS_MAX: usize = 32;

/// Flags and environment: the variables of the OpenTelemetry specification where it has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub struct OtlpArgs {
    /// Collector of OpenTelemetry for spans of slow requests, OTLP over gRPC: http://host:4317 or https://host:4317.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,
    /// Authorities (PEM) that an https collector's certificate is checked against.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_CERTIFICATE")]
    pub otlp_certificate: Option<PathBuf>,
    /// File with headers for the collector, one `name=value` a line, such as a token.
    #[arg(long, env = "WEIR_OTLP_HEADERS_FILE")]
    pub otlp_headers_file: Option<PathBuf>,
}

impl OtlpArgs {
    /// The collector, if one is named. It need not be there yet. Called where tokio runs.
    ///
    /// # Errors
    /// When the address, the authorities or the headers cannot be used.
    pub fn collector(&self) -> anyhow::Result<Option<Collector>> {
        let Self {
            otlp_endpoint,
            otlp_certificate,
            otlp_headers_file,
        } = self;
        let Some(endpoint) = otlp_endpoint.as_deref().filter(|it| !it.is_empty()) else {
            return Ok(None);
        };
        let uri: Uri = endpoint.parse().context("read the collector's address")?;
        let host = uri.host().context("the collector's address has no host")?;
        let tls = match uri.scheme_str() {
            Some("http") => None,
            Some("https") => {
                let Some(certificate) = otlp_certificate else {
                    bail!("an https collector needs --otlp-certificate: the authorities that are believed");
                };
                let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
                    .context("read the collector's host")?;
                Some((connector(certificate)?, name))
            }
            _other => bail!("the collector's address begins with http:// or https://"),
        };
        let headers = otlp_headers_file.as_deref().map(headers).transpose()?;
        Ok(Some(Collector {
            channel: channel(&uri, tls)?,
            headers: headers.unwrap_or_default(),
        }))
    }
}

/// A collector. Connected when it is first spoken to, and again whenever it has to be.
#[derive(Clone)]
pub struct Collector {
    channel: Channel,
    headers: MetadataMap,
}

impl std::fmt::Debug for Collector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collector").finish_non_exhaustive()
    }
}

impl Collector {
    pub(crate) async fn export(
        &self,
        spans: ExportTraceServiceRequest,
    ) -> Result<ExportTraceServiceResponse, Status> {
        let mut request = Request::new(spans);
        request.metadata_mut().clone_from(&self.headers);
        let mut client = TraceServiceClient::new(self.channel.clone());
        Ok(client.export(request).await?.into_inner())
    }
}

fn channel(uri: &Uri, tls: Option<(TlsConnector, ServerName<'static>)>) -> anyhow::Result<Channel> {
    let authority = uri.authority().context("the collector's address has no host")?;
    let port = uri.port_u16().unwrap_or(4317);
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    // TLS is ours, so that its authorities and its cryptography are those of the rest.
    let plain: Uri = format!("http://{authority}")
        .parse()
        .context("read the collector's address")?;
    let dial = tower::service_fn(move |_uri: Uri| {
        let (tls, host) = (tls.clone(), host.clone());
        async move {
            let tcp = TcpStream::connect((host.as_str(), port)).await?;
            tcp.set_nodelay(true)?;
            let stream: Box<dyn Stream> = match tls {
                None => Box::new(tcp),
                Some((connector, name)) => Box::new(connector.connect(name, tcp).await?),
            };
            Ok::<_, io::Error>(TokioIo::new(stream))
        }
    });
    Ok(Endpoint::from(plain)
        .connect_timeout(CONNECT_MAX)
        .connect_with_connector_lazy(dial))
}

/// Plain, or within TLS.
trait Stream: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}
impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Stream for T {}

fn connector(authorities: &Path) -> anyhow::Result<TlsConnector> {
    let pem = read(authorities).context("read the collector's authorities")?;
    let mut roots = RootCertStore::empty();
    for certificate in rustls_pemfile::certs(&mut pem.as_slice()) {
        let certificate = certificate.context("read the collector's authorities")?;
        roots
            .add(certificate)
            .context("read the collector's authorities")?;
    }
    if roots.is_empty() {
        bail!("the file of the collector's authorities holds none");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// `name=value` lines. Values never appear in an error.
fn headers(file: &Path) -> anyhow::Result<MetadataMap> {
    let text = String::from_utf8(read(file).context("read the collector's headers")?)
        .map_err(|_bytes| anyhow::anyhow!("the file of the collector's headers is not text"))?;
    let mut headers = MetadataMap::new();
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|it| !it.is_empty() && !it.starts_with('#'));
    for (at, line) in (1..).zip(lines) {
        let (name, value) = line
            .split_once('=')
            .with_context(|| format!("header {at} of the collector is not name=value"))?;
        let name: AsciiMetadataKey = name
            .trim()
            .to_ascii_lowercase()
            .parse()
            .map_err(|_odd| anyhow::anyhow!("header {at} of the collector has no possible name"))?;
        let mut value: AsciiMetadataValue = value
            .trim()
            .parse()
            .map_err(|_odd| anyhow::anyhow!("header {at} of the collector has no possible value"))?;
        value.set_sensitive(true);
        if at > HEADERS_MAX {
            bail!("the collector has more than {HEADERS_MAX} headers");
        }
        headers.insert(name, value);
    }
    Ok(headers)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?
        .take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other("the file is too large"));
    }
    Ok(bytes)
}
