//! What it takes to turn the pool that is seen into the pool that is wished. Pure.

use weir_proto::agent::v1::{BrokerPool, Reason};

use super::Seat;

/// What was observed of one pool.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Its seat, once chosen.
    pub seat: Option<&'a Seat>,
    /// A range of ports that is free for it.
    pub free_slot: Option<u16>,
    /// Brokers whose storage is not formatted yet (numbers from 1); of a seated pool.
    pub unformatted: &'a [u16],
    /// Broker processes that run.
    pub running: usize,
    /// Logical clusters that live on it.
    pub clusters: usize,
}

/// One thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Choose ports, ids and a password for this many brokers.
    Sit {
        /// Range of ports.
        slot: u16,
        /// How many.
        brokers: u16,
    },
    /// Prepare the storage of a broker.
    Format(u16),
    /// See that a broker runs, as it should be.
    Run(u16),
    /// Stop all brokers.
    Stop,
    /// Remove all that the pool stored.
    Destroy,
    /// Not now; a later turn may.
    Wait,
    /// It is not to be done.
    Refuse(Reason),
}

/// The steps, in order.
#[must_use]
pub fn diff(wish: &BrokerPool, seen: &Seen<'_>) -> Vec<Action> {
    if wish.deleted {
        return match seen.seat {
            None => Vec::new(),
            Some(_seat) if seen.clusters > 0 => vec![Action::Wait],
            Some(_seat) if seen.running > 0 => vec![Action::Stop],
            Some(_seat) => vec![Action::Destroy],
        };
    }
    let Ok(brokers @ (1 | 3)) = u16::try_from(wish.brokers) else {
        return vec![Action::Refuse(Reason::Unsupported)];
    };
    match (seen.seat, seen.free_slot) {
        (None, None) => vec![Action::Refuse(Reason::Unsupported)],
        (None, Some(slot)) => {
            let mut actions = vec![Action::Sit { slot, brokers }];
            actions.extend((1..=brokers).map(Action::Format));
            actions.extend((1..=brokers).map(Action::Run));
            actions
        }
        (Some(seat), _any) => {
            let mut actions: Vec<Action> = seen.unformatted.iter().copied().map(Action::Format).collect();
            actions.extend((1..=seat.brokers).map(Action::Run));
            if seat.brokers != brokers {
                // A quorum is not resized: what runs goes on running.
                actions.push(Action::Refuse(Reason::Unsupported));
            }
            actions
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(brokers: u32, deleted: bool) -> BrokerPool {
        BrokerPool {
            brokers,
            deleted,
            ..Default::default()
        }
    }

    const NOTHING: Seen<'static> = Seen {
        seat: None,
        free_slot: Some(0),
        unformatted: &[],
        running: 0,
        clusters: 0,
    };

    #[test]
    fn a_new_pool_sits_formats_and_runs() {
        assert_eq!(
            diff(&pool(1, false), &NOTHING),
            [
                Action::Sit { slot: 0, brokers: 1 },
                Action::Format(1),
                Action::Run(1)
            ]
        );
        assert_eq!(diff(&pool(3, false), &NOTHING).len(), 7);
        for odd in [0, 2, 4, 70_000] {
            assert_eq!(
                diff(&pool(odd, false), &NOTHING),
                [Action::Refuse(Reason::Unsupported)]
            );
        }
        let full = Seen {
            free_slot: None,
            ..NOTHING
        };
        assert_eq!(
            diff(&pool(1, false), &full),
            [Action::Refuse(Reason::Unsupported)]
        );
    }

    #[test]
    fn a_seated_pool_is_formatted_once_and_never_resized() {
        let seat = Seat::choose(0, 1).unwrap();
        let seated = Seen {
            seat: Some(&seat),
            ..NOTHING
        };
        assert_eq!(diff(&pool(1, false), &seated), [Action::Run(1)]);
        let torn = Seen {
            unformatted: &[1],
            ..seated
        };
        assert_eq!(diff(&pool(1, false), &torn), [Action::Format(1), Action::Run(1)]);
        assert_eq!(
            diff(&pool(3, false), &seated),
            [Action::Run(1), Action::Refuse(Reason::Unsupported)]
        );
    }

    #[test]
    fn a_pool_is_destroyed_after_its_clusters_and_its_processes() {
        let seat = Seat::choose(0, 1).unwrap();
        let seen = |running, clusters| Seen {
            seat: Some(&seat),
            running,
            clusters,
            ..NOTHING
        };
        assert_eq!(diff(&pool(1, true), &seen(1, 2)), [Action::Wait]);
        assert_eq!(diff(&pool(1, true), &seen(1, 0)), [Action::Stop]);
        assert_eq!(diff(&pool(1, true), &seen(0, 0)), [Action::Destroy]);
        assert_eq!(diff(&pool(1, true), &NOTHING), []);
    }
}
