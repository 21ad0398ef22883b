//! The Kafka front door: a process of its own between stock clients and plain brokers.
//!
//! Each tenant sees a cluster of its own. Names are mapped, access is checked, what is produced and fetched is counted;
//! record batches pass as they are. It serves by a snapshot from the agent and, without the agent, by the last one.

mod aside;
mod cipher;
pub(crate) mod client_certificate;
mod conn;
pub(crate) mod contract;
mod crew;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod identity;
mod lane;
mod listen;
mod meter;
mod proxy;
mod quota;
mod rewrite;
mod sasl;
mod share;
mod slow;
mod sni;
mod table;
mod tls;
mod view;
mod wishes;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use arc_swap::ArcSwap;
use clap::Args;
use kafka_protocol::protocol::StrBytes;
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{interval, timeout};

use conn::{Brokers, Buffers, Gateway, Guard, Limits, Live, Roster};
use crew::Crew;
use lane::Lane;
use listen::Doors;
use meter::Meter;
use quota::Quotas;
use rewrite::{Front, Members, Shared};
use sasl::Pepper;
use share::Wire;
use slow::Slow;
pub use sni::Domain;
use tls::{Certificate, Tls};
use view::View;
use weir_spans::{OtlpArgs, Spans};
use wishes::Wishes;

use crate::config::parse_duration;
use crate::disk;
use crate::network::Network;

/// `weir-agent gateway`.
#[derive(Debug, Clone, Args)]
pub struct GatewayArgs {
    /// Folder for the cached snapshot, the usage journal and the gateway's id.
    #[arg(long, env = "WEIR_STATE_DIR")]
    pub state_dir: PathBuf,
    /// Address to listen on.
    #[arg(long, env = "WEIR_LISTEN_HOST", default_value = "127.0.0.1")]
    pub listen_host: String,
    /// Host that clients are told to connect to.
    #[arg(long, env = "WEIR_ADVERTISED_HOST", default_value = "127.0.0.1")]
    pub advertised_host: String,
    /// Bootstrap port; broker node n is at this port + n.
    #[arg(long, env = "WEIR_PORT_BASE", default_value_t = 9650)]
    pub port_base: u16,
    /// host:port of the agent's lane.
    #[arg(long, env = "WEIR_LANE")]
    pub lane: String,
    /// Folder with ca.pem, client.pem and client.key for the lane.
    #[arg(long, env = "WEIR_LANE_IDENTITY")]
    pub lane_identity: PathBuf,
    /// Certificate chain for client TLS.
    #[arg(long, env = "WEIR_TLS_CERT", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Private key for client TLS.
    #[arg(long, env = "WEIR_TLS_KEY", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// How long a usage window is: 500ms, 5s, 2m.
    #[arg(long, env = "WEIR_USAGE_WINDOW", default_value = "60s", value_parser = parse_duration)]
    pub usage_window: Duration,
    /// Largest frame accepted from a client that is logged in, in bytes.
    #[arg(long, env = "WEIR_FRAME_LIMIT", default_value_t = Limits::default().frame)]
    pub frame_limit: usize,
    /// Bytes in the buffers of all connections together, beside 128 KiB in each direction of each; a quarter of the machine's memory by itself.
    #[arg(long, env = "WEIR_BUFFERS_LIMIT")]
    pub buffers_limit: Option<usize>,
    /// With TLS: the domain below which `<label>` is a cluster (the id without its kind) and `b<n>-<label>` its broker node n.
    #[arg(long, env = "WEIR_SNI_DOMAIN", requires = "tls_cert")]
    pub sni_domain: Option<Domain>,
    /// Networks of balancers, such as 10.0.0.0/24: connections from them begin with a PROXY header of version 2.
    #[arg(long, env = "WEIR_PROXY_FROM", value_delimiter = ',')]
    pub proxy_from: Vec<Network>,
    /// Connections that one address may begin in a second, on average over ten.
    #[arg(long, env = "WEIR_CONNECTIONS_PER_SECOND", default_value_t = Limits::default().connections_per_second)]
    pub connections_per_second: u32,
    /// Connections in all.
    #[arg(long, env = "WEIR_CONNECTIONS_MAX", default_value_t = Limits::default().connections)]
    pub connections_max: usize,
    /// TLS ends before this gateway, at a balancer: what is shared encrypted may be read without TLS here.
    #[arg(long, env = "WEIR_TLS_BEFORE", conflicts_with = "tls_cert")]
    pub tls_before: bool,
    /// Where slow requests are told.
    #[command(flatten)]
    pub otlp: OtlpArgs,
    /// From when on a request is slow: 500ms, 2s. What its client lets a fetch be parked for comes on top.
    #[arg(long, env = "WEIR_SLOW_REQUEST", default_value = "500ms", value_parser = parse_duration)]
    pub slow_request: Duration,
}

/// The small files of a gateway's folder.
const FILE_LIMIT: u64 = 4096;
/// How long live connections may finish when the gateway stops: longer than a client parks a fetch, and together with
/// [`LAST_WORD`] shorter than the agent's patience.
const DRAIN: Duration = Duration::from_secs(10);
/// How often the ends of leases are looked at.
const LOOK: Duration = Duration::from_millis(200);
/// Where the number of gateways is kept.
const GATEWAYS_FILE: &str = "gateways";
/// How long the last window's acknowledgement is awaited.
const LAST_WORD: Duration = Duration::from_secs(3);

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// When the state folder, the certificates or the bootstrap port cannot be used.
pub async fn run(args: GatewayArgs) -> anyhow::Result<()> {
    disk::private_folder(&args.state_dir).context("create the state folder")?;
    let mut stop_signal = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let start = Start::load(&args.state_dir)?;
    let gateway = Arc::new(build(&args, &start)?);
    let lane = Arc::new(Lane {
        address: args.lane.clone(),
        identity: args.lane_identity.clone(),
        gateway_id: start.gateway_id,
        boot: start.boot,
        cache: args.state_dir.join("snapshot.pb"),
        wire: Wire::of(&args.listen_host, args.tls_cert.is_some() || args.tls_before),
        closed: Notify::new(),
        acknowledged: Notify::new(),
    });
    restore(&gateway, &lane);
    let certificate = match (&args.tls_cert, &args.tls_key) {
        (Some(certificate), Some(key)) => Some(Arc::new(Certificate::load(certificate, key)?)),
        _plain => None,
    };
    let tls = certificate.as_ref().map(Tls::new).transpose()?;
    if let Some(certificate) = certificate {
        tokio::spawn(certificate.keep());
    }
    let doors = Doors {
        host: args.listen_host.clone(),
        port_base: args.port_base,
        tls,
        proxy_from: args.proxy_from.clone().into(),
        domain: args.sni_domain.clone().map(Arc::new),
        crew: Arc::new(Crew::start().context("start the threads that serve clients")?),
    };
    let mut listening = tokio::spawn(doors.run(Arc::clone(&gateway)));
    let looking = tokio::spawn(look_at_the_clock(
        Arc::clone(&gateway),
        args.state_dir.join(GATEWAYS_FILE),
    ));
    let attached = {
        let (lane, gateway) = (Arc::clone(&lane), Arc::clone(&gateway));
        tokio::spawn(async move { lane.run(&gateway).await })
    };
    tokio::select! {
        _stop = stop_signal.recv() => {}
        _stop = interrupt.recv() => {}
        ended = &mut listening => match ended {
            Ok(Ok(())) => bail!("the listeners ended"),
            Ok(Err(error)) => return Err(error).context("open the bootstrap port"),
            Err(error) => return Err(error).context("run the listeners"),
        },
        () = close_windows(&gateway, &lane, args.usage_window) => {}
    }
    drain(&gateway, &lane).await;
    attached.abort();
    looking.abort();
    Ok(())
}

/// Lets leases end when they do, writes down what was fetched, and remembers how many gateways there are for a start without the agent.
async fn look_at_the_clock(gateway: Arc<Gateway>, path: PathBuf) {
    let mut ticks = interval(LOOK);
    let mut kept = 0;
    loop {
        ticks.tick().await;
        gateway.shared.meter.flush();
        let gateways = gateway.shared.quotas.look_at_the_clock();
        if gateways != kept && gateways > 0 {
            match disk::write_atomic(&path, gateways.to_string().as_bytes()) {
                Ok(()) => kept = gateways,
                Err(error) => tracing::error!(%error, "the number of gateways cannot be kept"),
            }
        }
    }
}

fn build(args: &GatewayArgs, start: &Start) -> anyhow::Result<Gateway> {
    let meter = Meter::open(&args.state_dir.join("usage"), &start.gateway_id, start.boot)?;
    let limits = Limits {
        frame: args.frame_limit,
        buffers: args
            .buffers_limit
            .or_else(quarter_of_memory)
            .unwrap_or(Limits::default().buffers),
        connections: args.connections_max,
        connections_per_second: args.connections_per_second,
        ..Limits::default()
    };
    Ok(Gateway {
        view: ArcSwap::default(),
        changed: watch::Sender::new(0),
        draining: watch::Sender::new(false),
        live: Live::default(),
        roster: Roster::default(),
        guard: Guard::new(limits.connections_per_second),
        buffers: Buffers::new(limits.buffers),
        room: Arc::new(Semaphore::new(limits.connections)),
        brokers: Brokers::default(),
        pepper: Pepper::new(&start.pepper),
        shared: Shared {
            front: Arc::new(Front {
                host: StrBytes::from_string(args.advertised_host.clone()),
                port_base: args.port_base,
                named: None,
                places: Arc::default(),
            }),
            meter: Arc::new(meter),
            members: Arc::new(Members::default()),
            quotas: Arc::new(Quotas::remembering(start.gateways)),
            contracts: Arc::default(),
            kept: Arc::default(),
        },
        wishes: Arc::new(Wishes::new(&start.gateway_id, start.boot)),
        slow: slow(args, &start.gateway_id)?,
        limits,
    })
}

/// Of what the machine has (proc(5)).
fn quarter_of_memory() -> Option<usize> {
    let told = std::fs::read_to_string("/proc/meminfo").ok()?;
    let total = told.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: usize = total.split_whitespace().next()?.parse().ok()?;
    Some(kib.saturating_mul(1024 / 4))
}

/// Where slow requests are told, if a collector is named.
fn slow(args: &GatewayArgs, gateway_id: &str) -> anyhow::Result<Option<Slow>> {
    let Some(collector) = args.otlp.collector()? else {
        return Ok(None);
    };
    let resource = vec![
        ("service.name", "weir-gateway".into()),
        ("service.version", env!("CARGO_PKG_VERSION").into()),
        ("service.instance.id", gateway_id.to_owned().into()),
    ];
    // It ends with the process: what is not sent by then is lost.
    let (spans, _worker) = Spans::start(collector, resource);
    Ok(Some(Slow::new(args.slow_request, spans)))
}

/// Serves by the cached snapshot until the agent sends one. One that cannot be read is no reason not to start.
fn restore(gateway: &Gateway, lane: &Lane) {
    match lane::cached(&lane.cache) {
        Ok(Some(snapshot)) => {
            tracing::info!(version = snapshot.version, "serving by the cached snapshot");
            let _none = gateway.install(View::build_over(&snapshot, &View::default(), lane.wire));
        }
        Ok(None) => tracing::info!("no cached snapshot: waiting for the agent"),
        Err(error) => tracing::error!("the cached snapshot is of no use: {error:#}"),
    }
}

async fn close_windows(gateway: &Gateway, lane: &Lane, every: Duration) {
    let mut ticks = interval(every);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        close_window(gateway, lane);
    }
}

fn close_window(gateway: &Gateway, lane: &Lane) {
    match gateway.shared.meter.close_window() {
        Ok(true) => lane.closed.notify_one(),
        Ok(false) => {}
        Err(error) => tracing::error!(%error, "a usage window cannot be closed; it goes on"),
    }
}

/// No new connections, answers for what is under way, the last window handed over.
async fn drain(gateway: &Gateway, lane: &Lane) {
    tracing::info!("stopping");
    gateway.draining.send_replace(true);
    listen::quiet(gateway, DRAIN).await;
    close_window(gateway, lane);
    let handed_over = async {
        while matches!(gateway.shared.meter.unacknowledged(1), Ok(waiting) if !waiting.is_empty()) {
            lane.acknowledged.notified().await;
        }
    };
    if timeout(LAST_WORD, handed_over).await.is_err() {
        tracing::warn!("the last usage window waits on disk for the next start");
    }
}

/// What a gateway is across its starts.
struct Start {
    gateway_id: String,
    boot: u64,
    pepper: Vec<u8>,
    /// How many gateways there were, as last heard; 0: unknown.
    gateways: u32,
}

impl Start {
    fn load(folder: &Path) -> anyhow::Result<Self> {
        let gateway_id = kept(&folder.join("gateway_id"), || {
            Ok(format!("gateway_{}", uuid::Uuid::now_v7().simple()).into_bytes())
        })?;
        let pepper = kept(&folder.join("pepper"), || {
            let mut secret = vec![0; 32];
            match SystemRandom::new().fill(&mut secret) {
                Ok(()) => Ok(secret),
                Err(_unspecified) => bail!("the system gives no random numbers"),
            }
        })?;
        let path = folder.join("boot");
        let before = match disk::read_bounded(&path, FILE_LIMIT).context("read the boot counter")? {
            Some(text) => String::from_utf8_lossy(&text)
                .trim()
                .parse::<u64>()
                .context("read the boot counter")?,
            None => 0,
        };
        let boot = before + 1;
        disk::write_atomic(&path, boot.to_string().as_bytes()).context("keep the boot counter")?;
        let gateways = disk::read_bounded(&folder.join(GATEWAYS_FILE), FILE_LIMIT)
            .context("read the number of gateways")?
            .and_then(|text| String::from_utf8_lossy(&text).trim().parse().ok())
            .unwrap_or(0);
        Ok(Self {
            gateway_id: String::from_utf8(gateway_id).context("read the gateway's id")?,
            boot,
            pepper,
            gateways,
        })
    }
}

fn kept(path: &Path, make: impl FnOnce() -> anyhow::Result<Vec<u8>>) -> anyhow::Result<Vec<u8>> {
    if let Some(content) =
        disk::read_bounded(path, FILE_LIMIT).with_context(|| format!("read {}", path.display()))?
    {
        return Ok(content);
    }
    let content = make()?;
    disk::write_atomic(path, &content).with_context(|| format!("keep {}", path.display()))?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_keeps_its_id_and_counts_its_boots() {
        let folder = tempfile::tempdir().unwrap();
        let first = Start::load(folder.path()).unwrap();
        let second = Start::load(folder.path()).unwrap();
        assert_eq!(first.gateway_id, second.gateway_id);
        assert_eq!(first.pepper, second.pepper);
        assert_eq!((first.boot, second.boot), (1, 2));
    }
}
