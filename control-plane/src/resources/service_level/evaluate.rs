//! Looks once a minute at every topic with a promise. One control plane holds the lease at a time; what was found before is in the
//! database, so another goes on where it stopped, and a minute at which nobody looked is unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use uuid::Uuid;

use crate::kernel::{DataPlaneId, Error, Result, TenantId};
use crate::resources::contract::promise::{LevelName, Promise};
use crate::resources::service_level::budget::{Minutes, WINDOW_DAYS};
use crate::resources::service_level::judge::{self, Minute};
use crate::resources::service_level::model::{Found, LevelState, Promised, Unknown};
use crate::resources::service_level::store::{self, Kept, Key, News};
use crate::resources::service_level::told;
use crate::runtime::{App, Lease, Scope};

/// How often it is asked whether a minute has begun; the lease lasts ten seconds.
const EVERY: Duration = Duration::from_secs(5);
/// An agent that was heard within it is connected.
const HEARD_WITHIN: TimeDelta = TimeDelta::seconds(60);
/// Usage that was received so long before the last look is read once more: a look may have begun before it was committed.
const OVERLAP: TimeDelta = TimeDelta::minutes(5);
/// After a long absence, usage is read from here on.
const CATCH_UP_MAX: TimeDelta = TimeDelta::hours(24);

/// Runs until the process stops.
pub async fn run(app: App) {
    let lease = Lease::new("service_level_evaluator");
    let mut looked = None;
    while !app.stop.is_cancelled() {
        if let Err(error) = turn(&app, &lease, &mut looked).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "evaluate service levels"
            );
        }
        tokio::select! {
            () = app.stop.cancelled() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
    // Whoever runs beside this process takes over at once.
    let _best_effort = lease.release(&app.db).await;
}

async fn turn(app: &App, lease: &Lease, looked: &mut Option<DateTime<Utc>>) -> Result<()> {
    let now = Utc::now();
    let minute = minute_of(now)?;
    if !lease.hold(&app.db).await? || looked.is_some_and(|it| it >= minute) {
        return Ok(());
    }
    let seen = see(app, now).await?;
    for tenant in &seen.tenants {
        // Many tenants may take longer than the lease lasts.
        if !lease.hold(&app.db).await? {
            return Ok(());
        }
        look(app, *tenant, &seen, now).await?;
    }
    *looked = Some(minute);
    Ok(())
}

fn minute_of(now: DateTime<Utc>) -> Result<DateTime<Utc>> {
    now.duration_trunc(TimeDelta::minutes(1)).map_err(Error::internal)
}

/// What one look needs of all tenants together.
#[derive(Debug)]
pub struct Seen {
    /// Those that promise something.
    pub tenants: Vec<TenantId>,
    connected: BTreeSet<DataPlaneId>,
    produced: BTreeMap<Key, DateTime<Utc>>,
}

/// Reads it.
///
/// # Errors
/// The database's.
pub async fn see(app: &App, now: DateTime<Utc>) -> Result<Seen> {
    let mut tx = app.db.read(&Scope::Operator).await?;
    let tenants = store::tenants(&mut tx).await?;
    let connected = store::connected(&mut tx, now - HEARD_WITHIN).await?;
    let last = store::looked_until(&mut tx).await?.unwrap_or(now).min(now);
    let since = (last - OVERLAP).max(now - CATCH_UP_MAX);
    let produced = store::produced(&mut tx, since).await?;
    tx.commit().await?;
    Ok(Seen {
        tenants,
        connected,
        produced,
    })
}

/// Looks at the topics of one tenant, under its own scope, a batch in each transaction.
///
/// # Errors
/// The database's.
pub async fn look(app: &App, tenant: TenantId, seen: &Seen, now: DateTime<Utc>) -> Result<()> {
    let minute = minute_of(now)?;
    let mut after = Uuid::nil();
    let mut told = false;
    loop {
        let mut tx = app.db.begin(&Scope::Tenant(tenant)).await?;
        if after.is_nil() {
            store::forget(&mut tx, tenant, now - TimeDelta::days(WINDOW_DAYS)).await?;
        }
        let topics = store::promised(&mut tx, tenant, None, after, now).await?;
        let ids: Vec<Uuid> = topics.iter().map(|it| it.topic.uuid()).collect();
        let found = store::found(&mut tx, tenant, &ids).await?;
        let found: BTreeMap<_, _> = found.into_iter().map(|it| ((it.topic, it.name), it)).collect();
        let (mut kept, mut news) = (Vec::new(), Vec::new());
        for topic in &topics {
            let connected = seen.connected.contains(&topic.data_plane);
            let produced = seen.produced.get(&(tenant, topic.topic)).copied();
            for name in LevelName::ALL {
                let before = found.get(&(topic.topic, name));
                if before.is_some_and(|it| it.minute >= minute) {
                    continue;
                }
                if let Some(Ok(promise)) = topic.promise(name) {
                    let level = Level {
                        name,
                        promise,
                        before,
                        connected,
                        produced,
                    };
                    let row = level.row(topic, minute, now);
                    news.extend(level.news(topic, &row));
                    kept.push(row);
                }
            }
        }
        store::keep(&mut tx, tenant, minute, &kept).await?;
        if !news.is_empty() {
            store::tell(&mut tx, tenant, &news).await?;
            told = true;
        }
        tx.commit().await?;
        match ids.last() {
            Some(last) if ids.len() as i64 >= store::BATCH => after = *last,
            _no_more => break,
        }
    }
    if told {
        app.wake.changed();
    }
    Ok(())
}

/// One level of one topic at this minute.
struct Level<'a> {
    name: LevelName,
    promise: Promise,
    before: Option<&'a Found>,
    connected: bool,
    produced: Option<DateTime<Utc>>,
}

impl Level<'_> {
    fn row(&self, topic: &Promised, minute: DateTime<Utc>, now: DateTime<Utc>) -> Kept {
        let newest = [
            self.before.and_then(|it| it.last_record_at),
            self.produced.map(|it| it.min(now)),
            topic.last_record_at.map(|it| it.min(now)),
        ];
        let newest = newest.into_iter().flatten().max();
        let found = judge::minute(
            self.name,
            &self.promise,
            topic,
            self.before,
            newest,
            self.connected,
            now,
        );
        let (good, bad) = match found {
            Minute::Good(_) => (1, 0),
            Minute::Bad(_) => (0, 1),
            Minute::Unknown(_) => (0, 0),
        };
        let (held_good, held_bad) = self.before.map_or((0, 0), |it| (it.good, it.bad));
        let since = self.before.map_or(minute, |it| it.since);
        let minutes = Minutes::new(held_good + good, held_bad + bad, since, minute);
        let target = self.promise.target;
        let (state, reason, value) = self.state(found, minutes);
        let known_at = if good + bad > 0 {
            Some(minute)
        } else {
            self.before.and_then(|it| it.known_at)
        };
        let remaining_ratio = minutes.remaining(target);
        Kept {
            topic: topic.topic,
            name: self.name,
            state,
            reason,
            value,
            last_record_at: newest.filter(|_any| self.name == LevelName::Freshness),
            good,
            bad,
            remaining_ratio,
            told: told::next(self.before.and_then(|it| it.told), state, known_at, minute),
            spent_told: minutes.is_overspent(target),
        }
    }

    /// Availability is a share of the whole period, so one bad minute breaks nothing that the budget allows; the others are
    /// promises about each moment.
    fn state(&self, found: Minute, minutes: Minutes) -> (LevelState, Option<Unknown>, Option<f64>) {
        match (self.name, found) {
            (_, Minute::Unknown(reason)) => (LevelState::NoData, Some(reason), None),
            (LevelName::Availability, _known) if minutes.is_overspent(self.promise.target) => {
                (LevelState::Breached, None, minutes.percent())
            }
            (LevelName::Availability, _known) => (LevelState::Ok, None, minutes.percent()),
            (_, Minute::Good(value)) => (LevelState::Ok, None, value),
            (_, Minute::Bad(value)) => (LevelState::Breached, None, value),
        }
    }

    fn news(&self, topic: &Promised, row: &Kept) -> Vec<News> {
        let of = |what: &str| News {
            topic: topic.topic,
            generation: topic.generation,
            action: format!("{}_{what}", self.name.word()),
        };
        let mut news = Vec::new();
        if let Some(told) = told::event(self.before.and_then(|it| it.told), row.told) {
            news.push(of(told.name()));
        }
        // A breach of availability is that very news.
        let spent_before = self.before.is_some_and(|it| it.spent_told);
        if self.name != LevelName::Availability && row.spent_told && !spent_before {
            news.push(of("budget_spent"));
        }
        news
    }
}
