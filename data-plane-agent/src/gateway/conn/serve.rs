//! A logged-in client and its broker: requests out, answers back in the order of the requests.
//!
//! One task, three futures: `outwards` reads requests, `inwards` reads and writes answers, `watch` ends the connection
//! when its key falls, also while both others wait. What one does to the queue wakes the other.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::messages::ApiKey;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use weir_kafka_wire::bounds::Budget;
use weir_kafka_wire::header::{API_VERSIONS, HeaderError, RequestHeader, split_request};

use super::again::Again;
use super::intake::Intake;
use super::judging::Waiting;
use super::live::Member;
use super::login::{Session, api_versions, of_another_version};
use super::roster::Present;
use super::stream::{Client, Source, TOGETHER};
use super::upstream::Broker;
use super::{Arrival, End, Gateway};
use crate::gateway::quota::{Cost, Mute};
use crate::gateway::rewrite::{self, Answer, Front, Memory, Plan, Refusal, Tenant};
use crate::gateway::slow::Timed;
use crate::gateway::table::{self, BrokerVersions};
use crate::gateway::view::{View, now_unix_seconds};
use crate::gateway::wishes::PER_CONNECTION;

/// How often idleness and expiry are looked at.
const TICK: Duration = Duration::from_secs(1);
/// How long a client may take to close its side when the gateway stops.
const LINGER: Duration = Duration::from_secs(1);

/// Serves until something ends it.
pub async fn serve<C: Client>(
    gateway: &Gateway,
    session: &mut Session<C>,
    mut broker: Broker,
    arrival: Arrival,
    present: &Present,
) -> End {
    let again = Again::new(session.login.clone(), session.mechanism);
    let mut line = Line::new(gateway, again, broker.versions, present);
    line.node = arrival.node();
    // Who came by a name is told names.
    line.front = arrival.named.map(|it| {
        let front = (*gateway.shared.front).clone();
        Arc::new(Front {
            named: Some(it.front),
            ..front
        })
    });
    let member = gateway.live.enter();
    let mut changed = gateway.changed.subscribe();
    changed.mark_changed();
    let end = tokio::select! {
        end = line.watch(&member, changed) => end,
        end = line.outwards(&mut session.read, &mut broker.write) => end,
        end = line.inwards(&mut broker.read, &mut session.write) => end,
    };
    let _closed = session.write.shutdown().await;
    if matches!(end, End::Draining | End::Authentication) {
        linger(&mut session.read).await;
    }
    drop(member);
    if !matches!(end, End::Broker | End::OutOfTurn) {
        line.farewell(&mut broker.read).await;
    }
    end
}

/// Lets the client take its last answers: a socket that is closed with unread requests is reset, and a reset may
/// overtake answers. What is read here was never taken, and the client sends it again elsewhere.
async fn linger<S: Source>(read: &mut Intake<S>) {
    let until_closed = async { while read.discard().await.is_ok() {} };
    let _late = timeout(LINGER, until_closed).await;
}

/// What waits for its turn to be answered.
pub(super) enum Pending {
    /// Ready.
    Local(Bytes),
    /// An administrative wish is under way; this side answers when its result comes.
    Later {
        api_key: i16,
        version: i16,
        answer: oneshot::Receiver<Result<Bytes, Refusal>>,
    },
    /// The broker's answer is to come.
    Remote {
        api_key: i16,
        version: i16,
        correlation_id: i32,
        answer: Answer,
    },
}

/// One turn of the queue.
pub(super) struct Turn {
    pub(super) pending: Pending,
    /// Only where slow requests are told.
    pub(super) timed: Option<Timed>,
}

pub(super) struct Line<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) again: Again,
    /// Where its client finds us, if by a name of its own.
    front: Option<Arc<Front>>,
    /// Which broker it leads to, if it came for one.
    pub(super) node: Option<i32>,
    versions: Arc<BrokerVersions>,
    queue: Mutex<VecDeque<Turn>>,
    /// Something was queued, or what was queued is ready.
    pub(super) queued: Arc<Notify>,
    /// Room for wishes.
    pub(super) wishes: Arc<Semaphore>,
    /// The last request for wishes: they are carried out in their order.
    pub(super) last_wish: Mutex<Option<JoinHandle<()>>>,
    /// Something was answered.
    pub(super) answered: Notify,
    pub(super) within: Mutex<Within>,
    began: Instant,
    heard_ms: AtomicU64,
    /// Requests that were taken and whose answers are not written yet.
    pub(super) in_flight: AtomicUsize,
    /// Requests are being written to the broker.
    pub(super) forwarding: AtomicBool,
    pub(super) stopping: AtomicBool,
    pub(super) mute: Mute,
    pub(super) present: &'a Present,
}

/// The tenant by the snapshot last looked at, and what the connection remembers.
pub(super) struct Within {
    view: Arc<View>,
    pub(super) tenant: Option<Tenant>,
    fallen: bool,
    pub(super) memory: Memory,
}

impl<'a> Line<'a> {
    fn new(gateway: &'a Gateway, again: Again, versions: Arc<BrokerVersions>, present: &'a Present) -> Self {
        Self {
            gateway,
            again,
            front: None,
            node: None,
            versions,
            queue: Mutex::default(),
            queued: Arc::default(),
            wishes: Arc::new(Semaphore::new(PER_CONNECTION)),
            last_wish: Mutex::default(),
            answered: Notify::new(),
            within: Mutex::new(Within {
                view: Arc::default(),
                tenant: None,
                fallen: false,
                memory: Memory::default(),
            }),
            began: Instant::now(),
            heard_ms: AtomicU64::new(0),
            in_flight: AtomicUsize::new(0),
            forwarding: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            mute: Mute::default(),
            present,
        }
    }

    pub(super) fn queue(&self) -> MutexGuard<'_, VecDeque<Turn>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs with the tenant as the snapshot in force has it.
    pub(super) fn within<T>(
        &self,
        run: impl FnOnce(&Tenant, &mut Memory) -> Result<T, rewrite::Refusal>,
    ) -> Result<T, End> {
        let mut within = self.within.lock().unwrap_or_else(PoisonError::into_inner);
        let within = &mut *within;
        let view = self.gateway.view.load();
        if !Arc::ptr_eq(&view, &within.view) {
            within.view = Arc::clone(&view);
            let login = self.again.login();
            let upheld = login.stands(&view, now_unix_seconds());
            match Tenant::new(&view, &login.key, &self.gateway.shared).filter(|_tenant| upheld) {
                Some(mut tenant) => {
                    if let Some(front) = &self.front {
                        tenant.front = Arc::clone(front);
                    }
                    within.tenant = Some(tenant);
                }
                // What was acknowledged before still counts for the tenant as it was.
                None => within.fallen = true,
            }
        }
        match &within.tenant {
            Some(tenant) if !within.fallen => Ok(run(tenant, &mut within.memory)?),
            _fallen => Err(End::Revoked),
        }
    }

    pub(super) fn heard(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard_ms.store(now, Ordering::Relaxed);
    }

    /// Ends the connection when its key falls, when it is idle, and when the gateway stops and nothing is under way.
    async fn watch(&self, member: &Member<'_>, mut changed: tokio::sync::watch::Receiver<u64>) -> End {
        let mut draining = self.gateway.draining.subscribe();
        loop {
            tokio::select! {
                moved = changed.changed() => {
                    if moved.is_err() {
                        return End::Draining;
                    }
                    let version = *changed.borrow_and_update();
                    // Looks at the snapshot in force, which is this one or a later one.
                    if let Err(end) = self.within(|_tenant, _memory| Ok(())) {
                        return end;
                    }
                    member.obeys(version);
                }
                _stop = draining.wait_for(|it| *it && !self.stopping.load(Ordering::Relaxed)) => {
                    self.stopping.store(true, Ordering::Relaxed);
                    self.queued.notify_one();
                }
                () = sleep(TICK), if !self.stopping.load(Ordering::Relaxed) => {
                    // The key as it is now: its end may have been set after the login.
                    let (login, now) = (self.again.login(), now_unix_seconds());
                    if login.outlived_its_certificate(now) {
                        return End::CertificateEnded;
                    }
                    if !login.stands(&self.gateway.view.load(), now) {
                        return End::Revoked;
                    }
                    let silent = self.began.elapsed().saturating_sub(Duration::from_millis(
                        self.heard_ms.load(Ordering::Relaxed),
                    ));
                    if silent >= self.gateway.limits.idle {
                        return End::Idle;
                    }
                }
                () = sleep(Duration::from_millis(20)), if self.stopping.load(Ordering::Relaxed) => {
                    let under_way = self.in_flight.load(Ordering::Relaxed) > 0;
                    if !under_way && !self.forwarding.load(Ordering::Relaxed) {
                        return self.again.end();
                    }
                }
            }
        }
    }

    /// Client to broker.
    async fn outwards<S: Source, W: AsyncWrite + Unpin>(&self, read: &mut Intake<S>, write: &mut W) -> End {
        let mut out = Vec::new();
        loop {
            let full = self.in_flight.load(Ordering::Relaxed) >= self.gateway.limits.in_flight;
            let stopping = self.stopping.load(Ordering::Relaxed);
            let muted = self.muted();
            let frame = match if full || stopping || muted.is_some() {
                Ok(None)
            } else {
                read.next()
            } {
                Ok(frame) => frame,
                Err(error) => return error.into(),
            };
            let waiting = match frame {
                Some(frame) => {
                    if let Err(end) = self.take_or_judge(frame, read, write, &mut out).await {
                        return end;
                    }
                    // More may be at hand: what is small goes out together.
                    out.iter().map(Bytes::len).sum::<usize>() >= TOGETHER
                }
                None => true,
            };
            if waiting && !out.is_empty() {
                if let Err(end) = self.forward(read, write, &mut out).await {
                    return end;
                }
            } else if waiting && stopping {
                // No more requests; `watch` ends the connection when the last answer is out.
                std::future::pending::<()>().await;
            } else if waiting && full {
                self.answered.notified().await;
            } else if waiting && let Some(time) = muted {
                // Meanwhile an answer may mute for longer: that is looked at then.
                sleep(time).await;
            } else if waiting && let Err(error) = read.fill().await {
                return error.into();
            }
        }
    }

    /// Plans one request: queues its answer's turn, and what goes to the broker. Returned, it has to be judged first.
    pub(super) fn take(&self, frame: Bytes, out: &mut Vec<Bytes>) -> Result<Option<Waiting>, End> {
        self.heard();
        let (taken, bytes) = (self.clock(), frame.len());
        let (header, body) = match split_request(frame) {
            Ok(split) => split,
            Err(HeaderError::Unknown {
                api_key: API_VERSIONS,
                correlation_id,
                ..
            }) => {
                self.push(Pending::Local(of_another_version(correlation_id)?), None);
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let admitted = table::admitted(header.api_key, header.version);
        if let Some(own @ (ApiKey::SaslHandshake | ApiKey::SaslAuthenticate)) = admitted {
            self.pay_request()?;
            self.log_in_again(own, &header, body)?;
            return Ok(None);
        }
        self.again.in_time()?;
        if admitted == Some(ApiKey::ApiVersions) {
            self.pay_request()?;
            let answer = api_versions(&header, body, &[&*self.versions], Budget::CLIENT)?;
            self.push(Pending::Local(self.told(answer, &header)), None);
            return Ok(None);
        }
        let (plan, parks) = self.within(|tenant, memory| {
            memory.fetch_bytes_max = tenant.toll.fetch_bytes_max();
            let plan = rewrite::request(tenant, memory, &header, body)?;
            let ingress = std::mem::take(&mut memory.produced_bytes);
            if let Some(refused) = memory.refused.take() {
                self.owe(&refused);
            }
            self.pay(
                tenant,
                Cost {
                    requests: 1,
                    ingress,
                    ..Cost::default()
                },
            );
            Ok((plan, std::mem::take(&mut memory.parks)))
        })?;
        let timed = taken.map(|taken| Timed::begin(&header, bytes, parks, taken));
        match plan {
            Plan::Judge(judging) => Ok(Some(Waiting {
                header,
                judging,
                timed,
            })),
            plan => self.enqueue(plan, &header, timed, out).map(|()| None),
        }
    }

    /// Queues what was planned.
    pub(super) fn enqueue(
        &self,
        plan: Plan,
        header: &RequestHeader,
        timed: Option<Timed>,
        out: &mut Vec<Bytes>,
    ) -> Result<(), End> {
        match self.told_plan(plan, header) {
            // It is judged by now.
            Plan::Judge(_judging) => return Err(End::Lost),
            Plan::Local(answer) => self.push(Pending::Local(answer), timed),
            Plan::Silent(frame) => out.extend(frame),
            Plan::Wish(wishes, finish) => {
                let answer = self.wish(header, wishes, finish)?;
                self.push(answer, timed);
            }
            Plan::Forward(frame, answer) => {
                let pending = Pending::Remote {
                    api_key: header.api_key,
                    version: header.version,
                    correlation_id: header.correlation_id,
                    answer,
                };
                self.push(pending, timed);
                out.extend(frame);
            }
        }
        Ok(())
    }

    pub(super) fn push(&self, pending: Pending, timed: Option<Timed>) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.queue().push_back(Turn { pending, timed });
        self.queued.notify_one();
    }
}
