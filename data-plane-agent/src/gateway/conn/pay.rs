//! What a connection's requests and answers cost, and the silence that follows.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use weir_kafka_wire::header::RequestHeader;

use super::End;
use super::roster::Present;
use super::serve::Line;
use crate::gateway::quota::{Cost, Nanos, Wait, throttle};
use crate::gateway::rewrite::{Plan, Reply, Tenant};

impl Line<'_> {
    /// Takes the cost from the principal's budgets; the connection is muted for what it owes.
    pub(super) fn pay(&self, tenant: &Tenant, cost: Cost) {
        let Present {
            requests,
            ingress,
            egress,
            ..
        } = self.present;
        for (counted, amount) in [
            (requests, cost.requests),
            (ingress, cost.ingress),
            (egress, cost.egress),
        ] {
            if amount > 0 {
                counted.fetch_add(amount, Ordering::Relaxed);
            }
        }
        if tenant.toll.is_free() {
            return;
        }
        let now = self.gateway.shared.quotas.now();
        self.silence(now, &tenant.toll.pay(now, cost));
    }

    /// Takes what an answer carries from the principal's budgets, and from those of shares.
    pub(super) fn pay_answer(&self, tenant: &Tenant, reply: &Reply) {
        let cost = |egress| Cost {
            egress,
            ..Cost::default()
        };
        self.pay(tenant, cost(reply.records_bytes));
        for (share, bytes) in &reply.shared {
            if let Some(toll) = tenant.share_toll(share) {
                let now = self.gateway.shared.quotas.now();
                self.silence(now, &toll.pay(now, cost(*bytes)));
            }
        }
    }

    /// Mutes the connection for what was refused.
    pub(super) fn owe(&self, wait: &Wait) {
        self.silence(self.gateway.shared.quotas.now(), wait);
    }

    fn silence(&self, now: Nanos, wait: &Wait) {
        let more = self.mute.owe(now, wait);
        if more > 0 {
            self.present.throttled.fetch_add(more, Ordering::Relaxed);
        }
    }

    /// A request that is answered without a plan costs, too.
    pub(super) fn pay_request(&self) -> Result<(), End> {
        self.within(|tenant, _memory| {
            self.pay(
                tenant,
                Cost {
                    requests: 1,
                    ..Cost::default()
                },
            );
            Ok(())
        })
    }

    /// For how long nothing is read from the client, if it is muted.
    pub(super) fn muted(&self) -> Option<Duration> {
        if self.mute.never() {
            return None;
        }
        let now = self.gateway.shared.quotas.now();
        self.mute
            .until(now)
            .map(|until| Duration::from_nanos(until - now))
    }

    /// Tells the client in its answer for how long it is muted.
    pub(super) fn tell(&self, frame: &mut [Bytes], api_key: i16, version: i16) {
        if self.mute.never() {
            return;
        }
        let left_ms = self.mute.left_ms(self.gateway.shared.quotas.now());
        throttle::put(frame, api_key, version, left_ms);
    }

    /// The same for an answer of our own.
    pub(super) fn told(&self, answer: Bytes, header: &RequestHeader) -> Bytes {
        let mut frame = [answer];
        self.tell(&mut frame, header.api_key, header.version);
        let [answer] = frame;
        answer
    }

    /// The same for a plan.
    pub(super) fn told_plan(&self, plan: Plan, header: &RequestHeader) -> Plan {
        match plan {
            Plan::Local(answer) => Plan::Local(self.told(answer, header)),
            other => other,
        }
    }
}
