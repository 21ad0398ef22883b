//! How endpoints are reached: TCP, and TLS under the authorities that the system believes.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::hosts;

const CONNECT_MAX: Duration = Duration::from_secs(10);
const BUNDLE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Where systems keep the authorities that they believe.
const BUNDLES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];

/// Plain, or within TLS.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection to an endpoint.
pub struct Wire(Box<dyn Stream>);

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, into)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

/// The system's authorities; none when it keeps none where we look.
pub fn system_tls() -> io::Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    for bundle in BUNDLES.map(Path::new) {
        let Some(pem) = crate::disk::read_bounded(bundle, BUNDLE_BYTES_MAX)? else {
            continue;
        };
        let mut pem = pem.as_slice();
        let found = rustls_pemfile::certs(&mut pem).filter_map(Result::ok);
        roots.add_parsable_certificates(found);
        break;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Connects to the endpoint of an address; where a name leads is judged by `named`, as the name was.
///
/// # Errors
/// `PermissionDenied`: it leads nowhere where calls may go. Else as the network says.
pub async fn connect_named(uri: Uri, tls: TlsConnector, named: Arc<[String]>) -> io::Result<TokioIo<Wire>> {
    let leads = |host: &str, port, to: SocketAddr| hosts::may_lead(host, port, to.ip(), &named);
    connect_where(uri, tls, leads).await
}

/// Connects to the endpoint of an address, wherever its name leads.
///
/// # Errors
/// As the network says.
pub async fn connect(uri: Uri, tls: TlsConnector) -> io::Result<TokioIo<Wire>> {
    connect_where(uri, tls, |_host, _port, _to| true).await
}

async fn connect_where(
    uri: Uri,
    tls: TlsConnector,
    leads: impl Fn(&str, u16, SocketAddr) -> bool,
) -> io::Result<TokioIo<Wire>> {
    let connecting = async {
        let (host, port) = hosts::place(&uri.to_string()).ok_or(io::ErrorKind::InvalidInput)?;
        let led = tokio::net::lookup_host((host.as_str(), port)).await?;
        let led: Vec<SocketAddr> = led.filter(|it| leads(&host, port, *it)).collect();
        if led.is_empty() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let tcp = TcpStream::connect(led.as_slice()).await?;
        tcp.set_nodelay(true)?;
        if uri.scheme_str() != Some("https") {
            return Ok(Wire(Box::new(tcp)));
        }
        let name = ServerName::try_from(host).map_err(io::Error::other)?;
        Ok(Wire(Box::new(tls.connect(name, tcp).await?)))
    };
    match tokio::time::timeout(CONNECT_MAX, connecting).await {
        Ok(connected) => connected.map(TokioIo::new),
        Err(_late) => Err(io::ErrorKind::TimedOut.into()),
    }
}
