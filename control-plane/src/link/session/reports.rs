//! What an agent reports in a session: heartbeats, statuses, usage.

use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use tonic::Status;
use weir_proto::agent::v1::control_frame::Frame as Down;
use weir_proto::agent::v1::{Heartbeat, Refusal, RefusedFrame, StatusReport, UsageAck, UsageReport};

use super::Session;
use super::store::{self, Pulse};
use crate::kernel::Result;
use crate::link::{refused, report, usage};
use crate::runtime::Scope;

/// A heartbeat that says nothing new is written this often.
const BEAT_AT_LEAST: Duration = Duration::from_secs(20);
/// On top of a gateway's open window: its way to the agent and the next report, when no window waits.
const USAGE_UNDER_WAY: TimeDelta = TimeDelta::seconds(5);
/// The window of an agent that does not tell it: the default, doubled.
const USAGE_WINDOW_UNTOLD: TimeDelta = TimeDelta::seconds(120);

impl Session {
    pub(super) async fn beat(&mut self, beat: &Heartbeat) -> Result<()> {
        let Heartbeat {
            accepted,
            applied,
            gateways_live,
            usage_windows_waiting,
            usage_window_ms,
        } = *beat;
        let pulse = Pulse {
            accepted: accepted.unwrap_or_default(),
            applied: applied.unwrap_or_default(),
            gateways_live: i32::try_from(gateways_live).unwrap_or(i32::MAX),
            usage_windows_waiting: i64::try_from(usage_windows_waiting).unwrap_or(i64::MAX),
        };
        let recent = self.beaten.is_some_and(|at| at.elapsed() < BEAT_AT_LEAST);
        if recent && pulse == self.pulse {
            return Ok(());
        }
        let mut tx = self.door.app.db.begin(&Scope::DataPlane(self.data_plane)).await?;
        store::beat(&mut tx, self.data_plane, self.id, pulse).await?;
        if pulse.usage_windows_waiting == 0 {
            let window = match usage_window_ms {
                0 => USAGE_WINDOW_UNTOLD,
                told => TimeDelta::milliseconds(i64::from(told)),
            };
            let until = Utc::now() - window - USAGE_UNDER_WAY;
            usage::store::complete_until(&mut tx, self.data_plane, until).await?;
        }
        tx.commit().await?;
        (self.pulse, self.beaten) = (pulse, Some(Instant::now()));
        Ok(())
    }

    pub(super) async fn report(&mut self, report: StatusReport) -> Result<(), Status> {
        let StatusReport {
            observed: _,
            items,
            refused: frame_refused,
        } = report;
        if let Some(RefusedFrame { offered, refusal }) = frame_refused {
            let refusal = Refusal::try_from(refusal).unwrap_or_default();
            tracing::warn!(data_plane = %self.data_plane, ?offered, ?refusal, "the agent refused a desired state");
            if matches!(refusal, Refusal::Stale | Refusal::Rewritten) {
                self.raise_epoch().await?;
            }
        }
        if items.is_empty() {
            return Ok(());
        }
        let told = report::accept(&self.door.app.db, self.data_plane, items)
            .await
            .map_err(refused)?;
        if told.foreign > 0 {
            tracing::info!(data_plane = %self.data_plane, items = told.foreign,
                "the agent reported on objects that its data plane does not serve; ignored");
        }
        if told.changed + told.removed > 0 {
            self.door.app.wake.changed();
        }
        Ok(())
    }

    pub(super) async fn count(&mut self, report: UsageReport) -> Result<(), Status> {
        let db = &self.door.app.db;
        let counted = usage::count(db, self.data_plane, report.windows, Utc::now())
            .await
            .map_err(refused)?;
        if counted.ignored > 0 {
            tracing::info!(data_plane = %self.data_plane, rows = counted.ignored,
                "the agent counted for clusters that its data plane never served, or nonsense; ignored");
        }
        self.send(Down::UsageAck(UsageAck {
            windows: counted.acknowledged,
        }))
        .await
    }
}
