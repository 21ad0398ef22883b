//! One link that is written here: lives one after the other, with pauses where something fails.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use weir_proto::agent::v1::{ClusterLinkEnd, ClusterLinkStatus, LinkedTopicStatus, Phase, Reason};

use super::book::Book;
use super::life::{Life, Trouble};
use super::plan::{Goes, Plan};
use super::syncs::Syncs;
use super::track::Track;
use crate::backoff::Backoff;
use crate::link_reports::LinkReports;
use crate::platform::kafka::KafkaError;
use crate::platform::logs::{Logs, Stand};
use crate::resources::topic;

const PAUSE_FIRST: Duration = Duration::from_millis(250);
const PAUSE_LONGEST: Duration = Duration::from_secs(20);
/// Counts are told no more often.
const TELL: Duration = Duration::from_millis(250);
/// TOPIC_AUTHORIZATION_FAILED, GROUP_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED.
const UNAUTHORIZED: [i16; 3] = [29, 30, 31];

/// What links share.
#[derive(Clone)]
pub struct Common {
    /// The brokers.
    pub logs: Arc<dyn Logs>,
    /// Where it is kept what was begun.
    pub folder: PathBuf,
    /// For questions.
    pub book: Arc<Book>,
    /// For reports.
    pub reports: Arc<LinkReports>,
}

/// The copier of one link.
pub struct Worker {
    common: Common,
    plan: Arc<Plan>,
    stop: CancellationToken,
    tracks: Vec<Track>,
    told_at: Option<Instant>,
}

impl Worker {
    /// Has nothing to do yet.
    #[must_use]
    pub fn new(common: Common, plan: Plan, stop: CancellationToken) -> Self {
        let tracks = plan.routes.iter().cloned().map(Track::new).collect();
        Self {
            common,
            plan: Arc::new(plan),
            stop,
            tracks,
            told_at: None,
        }
    }

    /// Copies until it is stopped. A transaction that was begun is ended first.
    pub async fn run(mut self) {
        let stop = self.stop.clone();
        let mut backoff = Backoff::new(PAUSE_FIRST, PAUSE_LONGEST);
        if let Goes::Held(phase, reason) = self.plan.goes {
            self.tell(Some((phase, reason)));
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.learn(&mut backoff) => stop.cancelled().await,
            }
            return;
        }
        self.tell(None);
        while !stop.is_cancelled() {
            if let Err(trouble) = self.live(&mut backoff).await {
                tracing::info!(%trouble, link = self.plan.link_id, "a cluster link pauses");
                self.trouble(&trouble);
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = sleep(backoff.next_pause()) => {}
                }
            }
        }
    }

    /// Where it stood when it last went: for questions, also while it does not go.
    async fn learn(&self, backoff: &mut Backoff) {
        if self.plan.here.brokers.is_empty() && self.plan.here.pool_id.is_empty() {
            return;
        }
        let logs = self.common.logs.apart();
        loop {
            match logs.stand(&self.plan.here, &self.plan.owner).await {
                Ok(stand) => return self.note(&stand),
                Err(_away) => sleep(backoff.next_pause()).await,
            }
        }
    }

    async fn live(&mut self, backoff: &mut Backoff) -> Result<(), Trouble> {
        let stop = self.stop.clone();
        self.tracks.iter_mut().for_each(Track::close);
        let begun = Life::begin(&self.plan, self.common.logs.as_ref(), &self.common.folder);
        let mut life = begun.await?;
        self.note(&life.stand);
        loop {
            // What is begun in a transaction is ended: nothing is dropped while it is opened or written.
            life.open(&mut self.tracks).await?;
            let read = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                read = life.read(&self.tracks) => read?,
            };
            let any = !read.is_empty();
            let found = life.find(&mut self.tracks, read).await;
            life.write(&mut self.tracks, found).await?;
            if any {
                backoff.succeed();
            }
            self.note_open();
            if self.told_at.is_none_or(|it| it.elapsed() >= TELL) {
                self.tell(None);
            }
            if stop.is_cancelled() {
                return Ok(());
            }
        }
    }

    fn note(&self, stand: &Stand) {
        for ((copy, partition), position) in stand {
            if let Some(route) = self.plan.routes.iter().find(|it| it.copy == *copy) {
                let syncs = Syncs::of(&position.note);
                let (link, topic) = (&self.plan.link_id, &route.topic_id);
                self.common
                    .book
                    .note(link, topic, *partition, position.offset, &syncs);
            }
        }
    }

    fn note_open(&self) {
        for track in &self.tracks {
            for (partition, place) in &track.places {
                let (link, topic) = (&self.plan.link_id, &track.route.topic_id);
                self.common
                    .book
                    .note(link, topic, *partition, place.next, &place.syncs);
            }
        }
    }

    fn trouble(&mut self, trouble: &Trouble) {
        let (phase, reason) = match trouble {
            Trouble::Copy(at, error) => {
                let phase = Phase::Degraded;
                self.tracks[*at].rest(phase, topic::reason(*error));
                return self.tell(None);
            }
            Trouble::Here(error) => (Phase::Degraded, topic::reason(*error)),
            Trouble::There(KafkaError::Unreachable) => (Phase::Degraded, Reason::PeerUnreachable),
            Trouble::There(KafkaError::Stranger | KafkaError::Login) => {
                (Phase::Degraded, Reason::PeerRefused)
            }
            Trouble::There(KafkaError::Refused(code)) if UNAUTHORIZED.contains(code) => {
                (Phase::Degraded, Reason::Unauthorized)
            }
            Trouble::There(KafkaError::Refused(_code)) => (Phase::Degraded, Reason::KafkaRefused),
            Trouble::Disk(_error) => (Phase::Degraded, Reason::Disk),
        };
        self.tell(Some((phase, reason)));
    }

    /// Says how it goes; `of_all`: not by its topics.
    fn tell(&mut self, of_all: Option<(Phase, Reason)>) {
        self.told_at = Some(Instant::now());
        let mut topics: Vec<LinkedTopicStatus> = self.tracks.iter().map(Track::status).collect();
        topics.extend(self.plan.waiting.iter().map(|id| LinkedTopicStatus {
            topic_id: id.clone(),
            phase: Phase::Pending.into(),
            lag_records: -1,
            ..LinkedTopicStatus::default()
        }));
        let (phase, reason) = of_all.unwrap_or_else(|| together(&topics));
        self.common.reports.tell(ClusterLinkStatus {
            link_id: self.plan.link_id.clone(),
            end: ClusterLinkEnd::Target.into(),
            phase: phase.into(),
            reason: reason.into(),
            observed: None,
            topics,
        });
    }
}

/// How all topics go together: as the worst of them, but one that has failed leaves the others.
fn together(topics: &[LinkedTopicStatus]) -> (Phase, Reason) {
    let of = |phase| topics.iter().find(move |it| it.phase() == phase);
    let failed = of(Phase::Failed);
    if let Some(first) = failed
        && topics.iter().all(|it| it.phase() == Phase::Failed)
    {
        return (Phase::Failed, first.reason());
    }
    match failed.or_else(|| of(Phase::Degraded)) {
        Some(worst) => (Phase::Degraded, worst.reason()),
        None if topics.iter().all(|it| it.phase() == Phase::Ready) => (Phase::Ready, Reason::Unspecified),
        None => (Phase::Provisioning, Reason::Unspecified),
    }
}
