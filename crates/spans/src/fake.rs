//! A collector for tests: it keeps what it is sent, and can be slow or gone.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tonic::transport::server::Connected;
use tonic::{Request, Response, Status};

use crate::otlp::any_value::Value;
use crate::otlp::trace_service_server::{TraceService, TraceServiceServer};
use crate::otlp::{ExportTraceServiceRequest, ExportTraceServiceResponse, KeyValue, Span};

/// A collector in this process.
#[derive(Debug)]
pub struct FakeCollector {
    /// Where it listens.
    pub address: SocketAddr,
    received: mpsc::UnboundedReceiver<Received>,
    serving: JoinHandle<()>,
}

/// One span as it arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// The span.
    pub span: Span,
    /// What the sender is.
    pub resource: Vec<KeyValue>,
    /// The header `x-token`.
    pub token: String,
}

impl Received {
    /// Names and values of the attributes, sorted.
    #[must_use]
    pub fn attributes(&self) -> Vec<(String, String)> {
        texts(&self.span.attributes)
    }

    /// Names and values of the resource, sorted.
    #[must_use]
    pub fn resource(&self) -> Vec<(String, String)> {
        texts(&self.resource)
    }
}

fn texts(said: &[KeyValue]) -> Vec<(String, String)> {
    let text = |it: &KeyValue| match it.value.as_ref().and_then(|it| it.value.as_ref()) {
        Some(Value::StringValue(word)) => word.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        None => String::new(),
    };
    let mut texts: Vec<_> = said.iter().map(|it| (it.key.clone(), text(it))).collect();
    texts.sort();
    texts
}

struct Service(mpsc::UnboundedSender<Received>);

#[tonic::async_trait]
impl TraceService for Service {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let token = request.metadata().get("x-token").and_then(|it| it.to_str().ok());
        let token = token.unwrap_or_default().to_owned();
        for of_resource in request.into_inner().resource_spans {
            let resource = of_resource.resource.map(|it| it.attributes).unwrap_or_default();
            for span in of_resource.scope_spans.into_iter().flat_map(|it| it.spans) {
                let received = Received {
                    span,
                    resource: resource.clone(),
                    token: token.clone(),
                };
                let _nobody_looks = self.0.send(received);
            }
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl FakeCollector {
    /// Listens on a free port, within TLS if there is an acceptor.
    ///
    /// # Errors
    /// As the system says.
    pub async fn start(tls: Option<TlsAcceptor>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        Self::serve(listener, tls)
    }

    /// Listens where another did.
    ///
    /// # Errors
    /// As the system says.
    pub fn serve(listener: TcpListener, tls: Option<TlsAcceptor>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (told, received) = mpsc::unbounded_channel();
        let (arrived, accepted) = mpsc::channel(16);
        let serving = tokio::spawn(async move {
            let accepting = async {
                while let Ok((socket, _peer)) = listener.accept().await {
                    let stream: Box<dyn Stream> = match &tls {
                        None => Box::new(socket),
                        Some(tls) => match tls.accept(socket).await {
                            Ok(stream) => Box::new(stream),
                            Err(_refused) => continue,
                        },
                    };
                    let _ended = arrived.send(Ok::<_, io::Error>(Io(stream))).await;
                }
            };
            let server = tonic::transport::Server::builder()
                .add_service(TraceServiceServer::new(Service(told)))
                .serve_with_incoming(tokio_stream::wrappers::ReceiverStream::new(accepted));
            tokio::select! {
                () = accepting => {}
                _ended = server => {}
            }
        });
        Ok(Self {
            address,
            received,
            serving,
        })
    }

    /// The next span, if one comes in time.
    pub async fn next(&mut self, within: Duration) -> Option<Received> {
        tokio::time::timeout(within, self.received.recv())
            .await
            .ok()
            .flatten()
    }
}

impl Drop for FakeCollector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

struct Io(Box<dyn Stream>);

impl Connected for Io {
    type ConnectInfo = ();
    fn connect_info(&self) {}
}

impl AsyncRead for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Io {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
