//! Where a link stands: from what each of its ends says of itself, and the target of each topic. Pure.

use crate::resources::served::{Report, Standing, stand};
use crate::rest::Phase;

/// Where one end stands. `desired_n` is the generation of its data plane that carries the link as it is wished.
pub fn end(desired_n: i64, told: Option<&Told>) -> Standing {
    let report = told.map(|it| Report {
        phase: it.phase.clone(),
        reason: it.reason.clone(),
        observed_n: it.observed_n,
        policy_accepted: true,
        ..Report::default()
    });
    sentenced(stand(desired_n, false, report.as_ref()))
}

/// What an end said of itself.
#[derive(Debug, Clone)]
pub struct Told {
    /// As reported.
    pub phase: String,
    /// Why, as a code; empty when there is nothing to say.
    pub reason: String,
    /// Of which generation.
    pub observed_n: i64,
    /// When.
    pub reported_at: chrono::DateTime<chrono::Utc>,
}

/// Where a link stands as a whole: as badly as the end that is worse off; and DEGRADED when both run and a topic does not.
pub fn whole(source: &Standing, target: &Standing, topics: &[Standing]) -> Standing {
    // What stands still as wished needs nothing of its source.
    if target.phase == Phase::Stopped {
        return target.clone();
    }
    let worse = |phases: &[Phase]| {
        let among = |it: &&&Standing| phases.contains(&it.phase);
        let both = [target, source];
        // Who waits for an agent says less than who waits for somebody.
        let told = |it: &&&Standing| it.reason.as_deref() != Some("WAITING_FOR_AGENT");
        let found = both.iter().filter(among).find(told);
        found.or_else(|| both.iter().find(among)).map(|it| (*it).clone())
    };
    if let Some(standing) = worse(&[Phase::Failed]).or_else(|| worse(&[Phase::Degraded])) {
        return standing;
    }
    let runs = |it: &Standing| matches!(it.phase, Phase::Ready | Phase::Running);
    if !(runs(source) && runs(target)) {
        let waits = [
            Phase::Pending,
            Phase::Provisioning,
            Phase::Suspended,
            Phase::Stopping,
            Phase::Stopped,
        ];
        let standing = worse(&waits).unwrap_or_else(|| target.clone());
        return Standing {
            phase: Phase::Pending,
            ..standing
        };
    }
    let ill = topics
        .iter()
        .find(|it| matches!(it.phase, Phase::Failed | Phase::Degraded));
    match ill {
        Some(topic) => Standing {
            phase: Phase::Degraded,
            ..topic.clone()
        },
        None => Standing {
            phase: Phase::Running,
            ..target.clone()
        },
    }
}

/// Where the copy of one topic stands, as its target says.
pub fn topic(phase: &str, reason: &str) -> Standing {
    let report = Report {
        phase: phase.to_owned(),
        reason: reason.to_owned(),
        policy_accepted: true,
        ..Report::default()
    };
    sentenced(stand(0, false, Some(&report)))
}

/// What reasons mean to a link; jobs give some of them, too.
fn sentenced(standing: Standing) -> Standing {
    let message = match standing.reason.as_deref() {
        Some("PEER_UNCONFIRMED") => {
            "This end's own policy does not name the key of the other end yet: put the lines that it expects there, in its own network."
        }
        Some("PEER_REFUSED") => {
            "The other end shows another key than the policy names, or does not take this end's: compare the keys on both sides."
        }
        Some("PEER_UNREACHABLE") => "The gateways of the source cannot be reached from the target's network.",
        Some("UNAUTHORIZED") => {
            "The link's service account may not read there: give it the role READER on the topic."
        }
        Some("SOURCE_MISSING") => {
            "The topic is gone from the source, or is not shown there any more; what was copied stays."
        }
        Some("DATA_EXPIRED") => {
            "What was not copied yet is gone from the source: retention took it. Take the topic out of the link, and copy it under another name."
        }
        Some("STATE_MISSING") => {
            "The copy has records, and no place in the source to go on from: it is not begun anew. Take the topic out of the link."
        }
        _ => return standing,
    };
    Standing {
        message: Some(message.to_owned()),
        ..standing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(phase: &str, reason: &str) -> Standing {
        topic(phase, reason)
    }

    #[test]
    fn a_link_stands_as_its_worse_end() {
        let running = told("RUNNING", "");
        let ready = told("READY", "");
        let unconfirmed = told("PENDING", "PEER_UNCONFIRMED");
        let waiting = end(4, None);
        let refused = told("FAILED", "PEER_REFUSED");
        let unreachable = told("DEGRADED", "PEER_UNREACHABLE");
        let stopped = told("STOPPED", "");
        for (source, target, phase, reason) in [
            (&ready, &running, Phase::Running, None),
            (&running, &running, Phase::Running, None),
            (&unconfirmed, &running, Phase::Pending, Some("PEER_UNCONFIRMED")),
            (&waiting, &unconfirmed, Phase::Pending, Some("PEER_UNCONFIRMED")),
            (&unconfirmed, &waiting, Phase::Pending, Some("PEER_UNCONFIRMED")),
            (&waiting, &waiting, Phase::Pending, Some("WAITING_FOR_AGENT")),
            (&waiting, &running, Phase::Pending, Some("WAITING_FOR_AGENT")),
            (&ready, &unreachable, Phase::Degraded, Some("PEER_UNREACHABLE")),
            (&refused, &unreachable, Phase::Failed, Some("PEER_REFUSED")),
            (&ready, &refused, Phase::Failed, Some("PEER_REFUSED")),
            (&refused, &stopped, Phase::Stopped, None),
            (&stopped, &running, Phase::Pending, None),
        ] {
            let found = whole(source, target, &[]);
            assert_eq!(
                (found.phase, found.reason.as_deref()),
                (phase, reason),
                "{source:?} {target:?}"
            );
        }
    }

    #[test]
    fn a_topic_that_does_not_go_on_shows_in_the_whole() {
        let (ready, running) = (told("READY", ""), told("RUNNING", ""));
        let found = whole(
            &ready,
            &running,
            &[running.clone(), told("FAILED", "SOURCE_MISSING")],
        );
        assert_eq!(
            (found.phase, found.reason.as_deref()),
            (Phase::Degraded, Some("SOURCE_MISSING"))
        );
        assert!(
            found
                .message
                .is_some_and(|it| it.contains("what was copied stays"))
        );
        // One that only waits does not.
        let found = whole(&ready, &running, &[told("PENDING", "POOL_NOT_READY")]);
        assert_eq!(found.phase, Phase::Running);
    }

    #[test]
    fn what_was_said_of_an_older_wish_is_not_said_of_this_one() {
        let said = Told {
            phase: "RUNNING".into(),
            reason: String::new(),
            observed_n: 3,
            reported_at: chrono::Utc::now(),
        };
        assert_eq!(end(3, Some(&said)).phase, Phase::Running);
        assert_eq!(end(4, Some(&said)).phase, Phase::Provisioning);
        let stale = whole(&end(4, Some(&said)), &end(3, Some(&said)), &[]);
        assert_eq!(stale.phase, Phase::Pending);
    }
}
