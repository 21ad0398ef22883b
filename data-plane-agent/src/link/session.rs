//! The session: one stream that the agent opens and keeps open. Hello first; then what changed goes up, wishes come down.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use weir_proto::agent::v1::agent_frame::Frame;
use weir_proto::agent::v1::control_frame::Frame as Down;
use weir_proto::agent::v1::link_client::LinkClient;
use weir_proto::agent::v1::{
    Answer, AnswerCode, Ask, ControlFrame, Heartbeat, Hello, ItemStatus, StatusReport, UsageReport, Welcome,
};
use weir_proto::desired::BODY_BYTES_MAX;

use super::enroll::{Door, LinkError, renew};
use super::identity::Identity;
use super::keys::Keys;
use super::ledger::Ledger;
use super::outbound::Outbound;
use super::own::Own;
use super::pace::{RESEND, renewal, ticking};
use super::told::{changed, newly_refused};
use super::{Board, Inlet};
use crate::backoff::Backoff;
use crate::contract_counts::ContractCounts;
use crate::intents::Intents;
use crate::job_reports::JobReports;
use crate::lag::Lags;
use crate::link_reports::LinkReports;
use crate::metering::{Key, Store};
use crate::quota_uses::QuotaUses;

const STATUSES_PER_FRAME: usize = 500;
const WINDOWS_PER_FRAME: usize = 16;
const ASKS_UNDER_WAY_MAX: usize = 16;
const HEARTBEAT_DEFAULT: Duration = Duration::from_secs(10);
/// How often the use of quotas and the lag of groups are told.
const NEWS: Duration = Duration::from_secs(4);
/// A session that lived this long was a good one: the next failure pauses shortly again.
const GOOD_SESSION: Duration = Duration::from_secs(30);
/// Accepted on the wire, so that the judge can say that a body is too large; anything beyond ends the session.
const FRAME_BYTES_MAX: usize = BODY_BYTES_MAX + 1024 * 1024;

/// What a session needs of the rest of the agent.
pub struct Uplink {
    /// Where to dial.
    pub door: Door,
    /// Who we are.
    pub identity: Arc<Identity>,
    /// Where everything is written before it is sent.
    pub ledger: Arc<Ledger>,
    /// What to report.
    pub board: watch::Receiver<Board>,
    /// Usage windows that wait.
    pub usage: Arc<Store>,
    /// What quotas were used for since it was last told.
    pub quota_uses: Arc<QuotaUses>,
    /// What was judged since it was last told.
    pub contracts: Arc<ContractCounts>,
    /// Lags of watched groups that were not told yet.
    pub lags: Arc<Lags>,
    /// How jobs go.
    pub jobs: Arc<JobReports>,
    /// Administrative wishes of clients that wait for their results.
    pub intents: Arc<Intents>,
    /// Who handles wishes and questions.
    pub inlet: mpsc::Sender<Inlet>,
    /// How often gateways close a window.
    pub usage_window: Duration,
    /// Random per process.
    pub instance: u64,
    /// Version of the jars that run here.
    pub kafka_version: String,
    /// Our keys, as they are told.
    pub keys: Keys,
    /// How cluster links go.
    pub cluster_links: Arc<LinkReports>,
}

/// Keeps a session open until `stop`. Never gives up: the data plane works without it.
pub async fn keep(mut uplink: Uplink, stop: CancellationToken) {
    let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(30));
    loop {
        let begun = Instant::now();
        let ended = tokio::select! {
            () = stop.cancelled() => return,
            ended = once(&mut uplink) => ended,
        };
        if begun.elapsed() > GOOD_SESSION {
            backoff.succeed();
        }
        match &ended {
            Ok(()) => tracing::info!("the session ended, to be opened again"),
            Err(LinkError::Refused {
                code: code @ (Code::PermissionDenied | Code::Unauthenticated),
            }) => {
                tracing::error!(
                    ?code,
                    "the control plane does not know this agent any more; the data plane keeps working"
                );
            }
            Err(error) => tracing::warn!(
                error = error as &dyn std::error::Error,
                "the control plane is away; the data plane keeps working"
            ),
        }
        let pause = backoff.next_pause();
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// One session, from dialling to its end.
async fn once(uplink: &mut Uplink) -> Result<(), LinkError> {
    let channel = uplink.door.open(Some(&uplink.identity)).await?;
    if uplink.identity.current().renew_at() <= SystemTime::now() {
        // Late, or past its end: the session needs the new one.
        match renew(&uplink.identity, channel.clone(), &uplink.ledger).await {
            Ok(()) => return Ok(()),
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the certificate could not be renewed yet"
            ),
        }
    }
    let own = Own::begin(&uplink.identity)?;
    let (wire, frames) = mpsc::channel(64);
    let out = Outbound::new(Arc::clone(&uplink.ledger), wire);
    let accepted = uplink.board.borrow_and_update().accepted;
    out.send(Frame::Hello(Hello {
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        instance: uplink.instance,
        accepted: Some(accepted),
        kafka_version: uplink.kafka_version.clone(),
        session: own.number,
        sealing_public_key: uplink.keys.sealing.clone(),
        link_key_sha256: uplink.keys.reads_with.clone(),
        gateway_key_sha256: uplink.keys.serves_with(),
    }))
    .await?;
    let mut client = LinkClient::new(channel.clone()).max_decoding_message_size(FRAME_BYTES_MAX);
    let inbound = client.session(ReceiverStream::new(frames)).await?.into_inner();
    let (answers, answered) = mpsc::channel(ASKS_UNDER_WAY_MAX);
    let session = Session {
        out,
        told: Told::default(),
        own,
        answers,
        asks_under_way: 0,
        welcomed: false,
        usage_window: uplink.usage_window,
    };
    session.run(uplink, channel, inbound, answered).await
}

/// What this session has told so far.
#[derive(Default)]
struct Told {
    board: Board,
    items: BTreeMap<String, ItemStatus>,
    windows: BTreeSet<Key>,
}

struct Session {
    out: Outbound,
    own: Own,
    told: Told,
    answers: mpsc::Sender<Answer>,
    asks_under_way: usize,
    welcomed: bool,
    usage_window: Duration,
}

impl Session {
    async fn run(
        mut self,
        uplink: &mut Uplink,
        channel: tonic::transport::Channel,
        mut inbound: tonic::Streaming<ControlFrame>,
        mut answered: mpsc::Receiver<Answer>,
    ) -> Result<(), LinkError> {
        let mut heartbeat = ticking(HEARTBEAT_DEFAULT);
        let mut resend = ticking(RESEND);
        let mut news = ticking(NEWS);
        let mut waiting = uplink.usage.watch_waiting();
        let renew_at = sleep_until(renewal(&uplink.identity));
        tokio::pin!(renew_at);
        let board = uplink.board.borrow_and_update().clone();
        self.tell_board(&board, &uplink.usage).await?;
        self.tell_usage(&uplink.usage).await?;
        loop {
            tokio::select! {
                down = inbound.message() => match down? {
                    None => return Ok(()),
                    Some(ControlFrame { frame: Some(Down::Welcome(welcome)) }) => {
                        heartbeat = ticking(self.welcome(uplink, &welcome));
                    }
                    Some(frame) => self.take(uplink, frame).await?,
                },
                _now = heartbeat.tick() => {
                    let board = uplink.board.borrow().clone();
                    self.beat(&board, &uplink.usage).await?;
                }
                changed = uplink.board.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                    let board = uplink.board.borrow_and_update().clone();
                    self.tell_board(&board, &uplink.usage).await?;
                }
                changed = waiting.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                    self.tell_usage(&uplink.usage).await?;
                }
                _now = resend.tick() => {
                    self.told.windows.clear();
                    self.tell_usage(&uplink.usage).await?;
                }
                _now = news.tick() => self.tell_news(uplink).await?,
                intent = uplink.intents.next(), if self.welcomed => {
                    self.out.send(Frame::Intent(intent)).await?;
                }
                Some(answer) = answered.recv() => {
                    self.asks_under_way = self.asks_under_way.saturating_sub(1);
                    self.out.send(Frame::Answer(answer)).await?;
                }
                () = &mut renew_at => {
                    match renew(&uplink.identity, channel.clone(), &uplink.ledger).await {
                        // The next session shows the new certificate.
                        Ok(()) => return Ok(()),
                        Err(error) => {
                            tracing::warn!(error = &error as &dyn std::error::Error, "the certificate could not be renewed yet");
                            renew_at.as_mut().reset(Instant::now() + RESEND);
                        }
                    }
                }
            }
        }
    }

    /// The control plane took us in; gives how often it wants to hear of us.
    fn welcome(&mut self, uplink: &Uplink, welcome: &Welcome) -> Duration {
        if !self.welcomed {
            self.welcomed = true;
            uplink.intents.line_is_up();
            uplink.jobs.again();
            uplink.cluster_links.again();
            tracing::info!("the control plane welcomed this agent");
        }
        let asked = Duration::from_millis(u64::from(welcome.heartbeat_interval_ms));
        asked.clamp(Duration::from_millis(200), Duration::from_secs(300))
    }

    async fn take(&mut self, uplink: &Uplink, frame: ControlFrame) -> Result<(), LinkError> {
        match frame.frame {
            Some(Down::Desired(desired)) => {
                // A full inlet holds the stream back; a closed one means that the agent stops.
                let _agent_stops = uplink.inlet.send(Inlet::Desired(desired)).await;
            }
            Some(Down::UsageAck(ack)) => {
                let usage = Arc::clone(&uplink.usage);
                let counted = tokio::task::spawn_blocking(move || {
                    ack.windows.iter().try_for_each(|key| usage.acknowledged(key))
                });
                if let Err(error) = counted.await.map_err(std::io::Error::other).and_then(|it| it) {
                    tracing::error!(%error, "an acknowledged usage window could not be moved; it will be sent again");
                }
            }
            Some(Down::Ask(signed)) => match self.own.open(&signed, &uplink.identity) {
                Ok(ask) => self.ask(uplink, ask).await?,
                // Nobody whom it could be told: who asks so is not the control plane.
                Err(untrusted) => tracing::error!(
                    error = &untrusted as &dyn std::error::Error,
                    "a question is not answered"
                ),
            },
            Some(Down::IntentResult(result)) => uplink.intents.answer(result),
            // Feeds have no taker in this version.
            Some(Down::Feed(_) | Down::Welcome(_)) | None => {}
        }
        Ok(())
    }

    async fn ask(&mut self, uplink: &Uplink, ask: Ask) -> Result<(), LinkError> {
        let refuse = |code: AnswerCode| Answer {
            ask_id: ask.ask_id,
            code: code.into(),
            ..Answer::default()
        };
        if self.asks_under_way >= ASKS_UNDER_WAY_MAX {
            self.out
                .send(Frame::Answer(refuse(AnswerCode::Unavailable)))
                .await?;
            return Ok(());
        }
        self.asks_under_way += 1;
        let deadline = Duration::from_millis(u64::from(ask.deadline_ms));
        let (late, unavailable) = (refuse(AnswerCode::Deadline), refuse(AnswerCode::Unavailable));
        let (inlet, answers) = (uplink.inlet.clone(), self.answers.clone());
        tokio::spawn(async move {
            let (reply, replied) = oneshot::channel();
            let asked = async {
                let _agent_stops = inlet.send(Inlet::Ask(ask, reply)).await;
                replied.await.unwrap_or(unavailable)
            };
            let answer = tokio::time::timeout(deadline, asked).await.unwrap_or(late);
            let _session_ended = answers.send(answer).await;
        });
        Ok(())
    }

    async fn beat(&self, board: &Board, usage: &Store) -> Result<(), LinkError> {
        let windows = *usage.watch_waiting().borrow();
        self.out
            .send(Frame::Heartbeat(Heartbeat {
                accepted: Some(board.accepted),
                applied: Some(board.applied),
                gateways_live: board.gateways_live,
                usage_windows_waiting: windows as u64,
                usage_window_ms: u32::try_from(self.usage_window.as_millis()).unwrap_or(u32::MAX),
            }))
            .await?;
        Ok(())
    }

    async fn tell_news(&self, uplink: &Uplink) -> Result<(), LinkError> {
        let news = [
            uplink.quota_uses.take().map(Frame::Quotas),
            uplink.lags.take().map(Frame::Lags),
            uplink.jobs.take().map(Frame::Jobs),
            uplink.contracts.take().map(Frame::Contracts),
            uplink.cluster_links.take(Instant::now()).map(Frame::ClusterLinks),
        ];
        for frame in news.into_iter().flatten() {
            self.out.send(frame).await?;
        }
        Ok(())
    }

    async fn tell_board(&mut self, board: &Board, usage: &Store) -> Result<(), LinkError> {
        for refused in newly_refused(&self.told.board, board) {
            self.out
                .send(Frame::Status(StatusReport {
                    observed: Some(board.accepted),
                    items: Vec::new(),
                    refused: Some(refused),
                }))
                .await?;
        }
        let changed = changed(&self.told.items, &board.items);
        for page in changed.chunks(STATUSES_PER_FRAME) {
            self.out
                .send(Frame::Status(StatusReport {
                    observed: Some(board.accepted),
                    items: page.to_vec(),
                    refused: None,
                }))
                .await?;
        }
        // An acceptance is news that does not wait for the next beat.
        let news = |it: &Board| (it.accepted, it.applied, it.gateways_live);
        if news(&self.told.board) != news(board) {
            self.beat(board, usage).await?;
        }
        self.told.items.clone_from(&board.items);
        self.told.board = board.clone();
        Ok(())
    }

    async fn tell_usage(&mut self, usage: &Arc<Store>) -> Result<(), LinkError> {
        loop {
            let (store, except) = (Arc::clone(usage), self.told.windows.clone());
            let read = tokio::task::spawn_blocking(move || store.waiting(&except, WINDOWS_PER_FRAME));
            let windows = read.await.map_err(std::io::Error::other).and_then(|it| it)?;
            if windows.is_empty() {
                return Ok(());
            }
            let keys = windows
                .iter()
                .map(|it| (it.gateway_id.clone(), it.boot, it.sequence));
            self.told.windows.extend(keys);
            self.out.send(Frame::Usage(UsageReport { windows })).await?;
        }
    }
}
