//! A session: hello, fence, welcome, desired frames, reports, usage, heartbeats, questions. One task for each.

mod asks;
mod intents;
mod protocol;
mod reports;
pub(super) mod standing;
mod store;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};
use uuid::Uuid;
use weir_proto::agent::v1::agent_frame::Frame;
use weir_proto::agent::v1::control_frame::Frame as Down;
use weir_proto::agent::v1::{AgentFrame, ControlFrame, Hello, Welcome};

use self::asks::Asks;
use self::intents::Intents;
use self::protocol::Conversation;
use self::store::{Claim, Pulse, Standing};
use super::limit::Bucket;
use super::tls::{Identity, Peer};
use super::{Door, cluster_link, desired, enroll, job, judged, lag, quota, refused};
use crate::kernel::{DataPlaneId, Result};
use crate::runtime::Scope;
use crate::runtime::agents::Asked;

const HELLO_TIMEOUT: Duration = Duration::from_secs(10);
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(10);
/// Without a frame for so long, the agent is taken for gone.
const SILENCE_MAX: Duration = Duration::from_secs(45);
/// An agent that does not read for so long is cut off.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// Frames a second from one agent; more are read later.
const FRAMES_PER_SECOND: f64 = 200.0;
/// A refused agent gets this long to read why, then its connection breaks.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Where frames to the agent go.
pub(super) type Outbound = mpsc::Sender<Result<ControlFrame, Status>>;

/// Opens a session for the peer, or refuses it.
pub(super) async fn open(
    door: &Arc<Door>,
    peer: Peer,
    inbound: Streaming<AgentFrame>,
    out: Outbound,
) -> Result<(), Status> {
    let identity = peer
        .identity
        .ok_or_else(|| Status::unauthenticated("a session needs the agent's certificate"))?;
    let data_plane = enroll::data_plane_of(&identity, Utc::now())?;
    enroll::authorize(door, data_plane, &identity).await?;
    let session = Session {
        door: Arc::clone(door),
        data_plane,
        id: Uuid::now_v7(),
        identity,
        out,
        talk: Conversation::default(),
        asks: Asks::default(),
        intents: Intents::default(),
        pulse: Pulse::default(),
        beaten: None,
        epoch_raised: false,
    };
    tokio::spawn(session.run(inbound, peer.cut));
    Ok(())
}

struct Session {
    door: Arc<Door>,
    data_plane: DataPlaneId,
    id: Uuid,
    identity: Identity,
    out: Outbound,
    talk: Conversation,
    asks: Asks,
    intents: Intents,
    pulse: Pulse,
    beaten: Option<Instant>,
    epoch_raised: bool,
}

impl Session {
    async fn run(mut self, inbound: Streaming<AgentFrame>, cut: CancellationToken) {
        let ended = self.converse(inbound).await;
        let (code, why) = match &ended {
            Ok(()) => (tonic::Code::Ok, "the agent closed the session"),
            Err(status) => (status.code(), status.message()),
        };
        tracing::info!(data_plane = %self.data_plane, session = %self.id, ?code, why, "an agent's session ended");
        if let Err(error) = self.leave().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "note that a session ended"
            );
        }
        let Err(status) = ended else { return };
        // The agent may be gone: then there is nobody to tell.
        let _told = tokio::time::timeout(LAST_WORDS, self.out.send(Err(status))).await;
        tokio::time::sleep(LAST_WORDS).await;
        cut.cancel();
    }

    async fn leave(&self) -> Result<()> {
        let mut tx = self.door.app.db.begin(&Scope::DataPlane(self.data_plane)).await?;
        // A session that was replaced leaves nothing behind.
        if store::leave(&mut tx, self.data_plane, self.id).await? {
            enroll::store::tell(&mut tx, self.data_plane).await?;
        }
        tx.commit().await?;
        self.door.app.wake.changed();
        Ok(())
    }

    async fn converse(&mut self, mut inbound: Streaming<AgentFrame>) -> Result<(), Status> {
        let mut standing = self.door.standings.watch(self.data_plane);
        let first = tokio::time::timeout(HELLO_TIMEOUT, inbound.message()).await;
        let Some(first) = first.map_err(|_elapsed| Status::deadline_exceeded("no hello came"))?? else {
            return Ok(());
        };
        match self.talk.admit(first).map_err(breach)? {
            Frame::Hello(hello) => self.greet(hello).await?,
            _other => return Err(breach(protocol::Breach::NoHello)),
        }
        let (asked, mut questions) = mpsc::channel(asks::PENDING_MAX);
        let _registered = self.door.app.agents.register(self.data_plane, asked);
        self.stand().await?;
        self.listen(&mut inbound, &mut standing, &mut questions).await
    }

    async fn listen(
        &mut self,
        inbound: &mut Streaming<AgentFrame>,
        standing: &mut watch::Receiver<Option<Standing>>,
        questions: &mut mpsc::Receiver<Asked>,
    ) -> Result<(), Status> {
        let stop = self.door.stop.clone();
        let life = (self.identity.not_after - Utc::now())
            .to_std()
            .unwrap_or_default();
        let end_of_certificate = tokio::time::sleep(life);
        tokio::pin!(end_of_certificate);
        let mut pace = Bucket::full(FRAMES_PER_SECOND, FRAMES_PER_SECOND, Instant::now());
        loop {
            tokio::select! {
                () = stop.cancelled() => return Err(Status::unavailable("the control plane is stopping: connect again")),
                () = &mut end_of_certificate => {
                    return Err(Status::unauthenticated("the certificate has ended: renew it and connect again"));
                }
                moved = standing.changed() => {
                    moved.map_err(|_closed| Status::unavailable("the control plane is stopping: connect again"))?;
                    self.stand().await?;
                }
                Some(asked) = questions.recv() => {
                    if let Some(ask) = self.asks.put(asked, Instant::now()) {
                        let signed = self.door.signing.ask(&ask);
                        self.send(Down::Ask(signed)).await?;
                    }
                }
                said = tokio::time::timeout(SILENCE_MAX, inbound.message()) => {
                    let said = said.map_err(|_elapsed| Status::deadline_exceeded("the agent was silent for too long"))?;
                    let Some(frame) = said? else { return Ok(()) };
                    if let Err(wait) = pace.take(Instant::now()) {
                        tokio::time::sleep(wait).await;
                    }
                    let frame = self.talk.admit(frame).map_err(breach)?;
                    self.hear(frame).await?;
                }
            }
        }
    }

    /// Takes the session over from an older instance, and welcomes.
    async fn greet(&mut self, hello: Hello) -> Result<(), Status> {
        let Hello {
            agent_version,
            instance,
            accepted: _,
            kafka_version,
            session,
            sealing_public_key,
            link_key_sha256: _,
            gateway_key_sha256: _,
        } = hello.clone();
        self.asks = Asks::of(self.data_plane, session);
        self.pulse.accepted = self.talk.held();
        let mut tx = self
            .door
            .app
            .db
            .begin(&Scope::DataPlane(self.data_plane))
            .await
            .map_err(refused)?;
        let versions = (agent_version.as_str(), kafka_version.as_str());
        let claim = store::claim(
            &mut tx,
            self.data_plane,
            self.id,
            instance,
            versions,
            self.talk.held(),
        )
        .await
        .map_err(refused)?;
        match claim {
            Claim::Taken => {
                let key = weir_credentials::unhex32(&sealing_public_key);
                if let Some(key) = key
                    && !store::pin_sealing_key(&mut tx, self.data_plane, &key)
                        .await
                        .map_err(refused)?
                {
                    // What was sealed to the pinned one stays unread; enrolling anew takes the new one.
                    tracing::warn!(data_plane = %self.data_plane, "an agent told another sealing key than the one that is pinned");
                }
                enroll::store::tell(&mut tx, self.data_plane)
                    .await
                    .map_err(refused)?;
                cluster_link::meet(&mut tx, self.data_plane, &hello)
                    .await
                    .map_err(refused)?;
                tx.commit().await.map_err(refused)?;
            }
            Claim::Fenced => return Err(fenced()),
            Claim::Unknown => return Err(enroll::revoked()),
        }
        // Sessions that this one replaces look, and end.
        self.door.app.wake.changed();
        tracing::info!(data_plane = %self.data_plane, session = %self.id, agent_version, "an agent's session began");
        let interval = u32::try_from(HEARTBEAT_INTERVAL.as_millis()).unwrap_or(u32::MAX);
        self.send(Down::Welcome(Welcome {
            heartbeat_interval_ms: interval,
        }))
        .await
    }

    /// Reads how the data plane stands: is this session still the one, and is a newer wish due?
    async fn stand(&mut self) -> Result<(), Status> {
        let mut tx = self
            .door
            .app
            .db
            .read(&Scope::DataPlane(self.data_plane))
            .await
            .map_err(refused)?;
        let standing = store::standing(&mut tx, self.data_plane).await.map_err(refused)?;
        drop(tx);
        let standing = standing.filter(|it| !it.revoked).ok_or_else(enroll::revoked)?;
        if standing.session != Some(self.id) {
            return Err(fenced());
        }
        if self.talk.is_ahead_of(standing.generation) {
            return self.raise_epoch().await;
        }
        if self.talk.owes(standing.generation) {
            self.send_desired().await?;
        }
        Ok(())
    }

    async fn send_desired(&mut self) -> Result<(), Status> {
        let Door { app, signing, .. } = &*self.door;
        let frame = desired::frame(
            &app.db,
            signing,
            &app.settings.public_url,
            self.data_plane,
            Utc::now(),
        )
        .await
        .map_err(refused)?;
        let frame = frame.ok_or_else(enroll::revoked)?;
        let generation = frame.generation.unwrap_or_default();
        self.send(Down::Desired(frame)).await?;
        self.talk.sent(generation);
        Ok(())
    }

    /// Once a session: a second time would only repeat what did not help.
    async fn raise_epoch(&mut self) -> Result<(), Status> {
        if std::mem::replace(&mut self.epoch_raised, true) {
            return Ok(());
        }
        let held = self.talk.held();
        if desired::raise_epoch(&self.door.app.db, self.data_plane, held)
            .await
            .map_err(refused)?
        {
            tracing::warn!(data_plane = %self.data_plane, epoch = held.epoch, n = held.n,
                "the agent holds a generation that the database does not know: the epoch was raised above it");
            self.door.app.wake.changed();
        }
        Ok(())
    }

    async fn hear(&mut self, frame: Frame) -> Result<(), Status> {
        match frame {
            Frame::Hello(_) => Err(breach(protocol::Breach::SecondHello)),
            Frame::Heartbeat(beat) => self.beat(&beat).await.map_err(refused),
            Frame::Status(report) => self.report(report).await,
            Frame::Usage(report) => self.count(report).await,
            Frame::Quotas(report) => quota::keep(&self.door.app.db, self.data_plane, report, Utc::now())
                .await
                .map_err(refused),
            Frame::Jobs(report) => job::keep(&self.door.app.db, self.data_plane, report)
                .await
                .map_err(refused),
            Frame::ClusterLinks(report) => cluster_link::keep(&self.door.app, self.data_plane, report)
                .await
                .map_err(refused),
            Frame::Lags(report) => lag::keep(&self.door.app.db, self.data_plane, report)
                .await
                .map_err(refused),
            Frame::Contracts(report) => judged::keep(&self.door.app.db, self.data_plane, report, Utc::now())
                .await
                .map_err(refused),
            Frame::Answer(answer) => {
                self.asks.answer(answer);
                Ok(())
            }
            Frame::Intent(intent) => self.intend(intent).await,
        }
    }

    async fn send(&self, frame: Down) -> Result<(), Status> {
        let sent = self.out.send(Ok(ControlFrame { frame: Some(frame) }));
        match tokio::time::timeout(SEND_TIMEOUT, sent).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_closed)) => Err(Status::cancelled("the agent is gone")),
            Err(_elapsed) => Err(Status::deadline_exceeded("the agent does not read")),
        }
    }
}

fn breach(breach: protocol::Breach) -> Status {
    Status::invalid_argument(breach.to_string())
}

fn fenced() -> Status {
    Status::aborted("another instance of this agent took over: this one is fenced")
}
