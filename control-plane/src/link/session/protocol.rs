//! What a session allows and owes, without any I/O: the first word, the sizes, which generation is due.

use weir_proto::agent::v1::{AgentFrame, Answer, ConnectionsAnswer, Generation, agent_frame::Frame};

/// Items of one status report.
pub(super) const ITEMS_MAX: usize = 10_000;
/// Windows of one usage report.
pub(super) const WINDOWS_MAX: usize = 1_000;
/// Rows over all windows of one usage report.
pub(super) const ROWS_MAX: usize = 100_000;
/// Connections of one answer.
const CONNECTIONS_MAX: usize = 1000;
/// Grants and quotas of one connection that was asked for.
const CONNECTION_DETAILS_MAX: usize = 200;
/// Uses of one report on quotas.
pub(super) const QUOTA_USES_MAX: usize = 10_000;
/// Topics, or violations, of one report on contracts.
pub(super) const JUDGED_MAX: usize = 10_000;
/// Lags of one report.
pub(super) const LAGS_MAX: usize = 10_000;
/// Jobs of one report.
pub(super) const JOBS_MAX: usize = 10_000;
pub(super) const DECISIONS_MAX: usize = 1_000;
/// Sums of compute pools in one report.
const COMPUTE_MAX: usize = 1_000;
/// Cluster links, or topics of those, of one report.
pub(super) const CLUSTER_LINKS_MAX: usize = 10_000;
/// Partitions of one answer.
pub(super) const PARTITIONS_MAX: usize = 100_000;
/// Consumer groups of one answer.
pub(super) const GROUPS_MAX: usize = 1_000;
/// Positions, members or moves of one answer about a group.
pub(super) const POSITIONS_MAX: usize = 10_000;
const VERSION_LENGTH_MAX: usize = 64;
/// Kafka's longest name of a topic.
const TOPIC_NAME_LENGTH_MAX: usize = 249;
/// Settings of one wish.
const SETTINGS_MAX: usize = 64;

/// Why a frame ends the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Breach {
    /// Anything but a hello came first.
    #[error("the first frame of a session is its hello")]
    NoHello,
    /// A second hello.
    #[error("a session says hello once")]
    SecondHello,
    /// A frame without content, or of a kind that this version does not know.
    #[error("the frame is empty or of an unknown kind")]
    Empty,
    /// More items, windows, rows or partitions than one frame may hold.
    #[error("the frame holds more entries than one frame may")]
    TooMany,
    /// A version text that is none.
    #[error("a version has at most 64 visible ASCII characters")]
    Version,
    /// A sealing key that is none.
    #[error("a sealing key is 64 hexadecimal digits")]
    SealingKey,
    /// A key's fingerprint that is none.
    #[error("a key's fingerprint is 64 hexadecimal digits")]
    Fingerprint,
    /// An answer with a name that is none.
    #[error("an answer's names have visible ASCII characters, and not too many")]
    Answer,
    /// An administrative wish with a name that is none, or too much in it.
    #[error("an intent's names have visible ASCII characters, and not too many")]
    Intent,
}

/// One agent's conversation.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    greeted: bool,
    held: (u64, u64),
    sent: Option<(u64, u64)>,
}

fn ordered(generation: Generation) -> (u64, u64) {
    (generation.epoch, generation.n)
}

impl Conversation {
    /// Lets a frame in.
    pub(super) fn admit(&mut self, frame: AgentFrame) -> Result<Frame, Breach> {
        let frame = frame.frame.ok_or(Breach::Empty)?;
        match (&frame, self.greeted) {
            (Frame::Hello(_), true) => return Err(Breach::SecondHello),
            (Frame::Hello(hello), false) => {
                if ![&hello.agent_version, &hello.kafka_version]
                    .into_iter()
                    .all(|it| is_version(it))
                {
                    return Err(Breach::Version);
                }
                if !hello.sealing_public_key.is_empty()
                    && weir_credentials::unhex32(&hello.sealing_public_key).is_none()
                {
                    return Err(Breach::SealingKey);
                }
                let told = [&hello.link_key_sha256, &hello.gateway_key_sha256];
                let whole = |it: &str| it.is_empty() || weir_credentials::unhex32(it).is_some();
                if !told.into_iter().all(|it| whole(it)) {
                    return Err(Breach::Fingerprint);
                }
                self.greeted = true;
                self.hold(hello.accepted.unwrap_or_default());
            }
            (_, false) => return Err(Breach::NoHello),
            (Frame::Heartbeat(pulse), true) => self.hold(pulse.accepted.unwrap_or_default()),
            (Frame::Status(report), true) => within(report.items.len(), ITEMS_MAX)?,
            (Frame::Usage(report), true) => {
                within(report.windows.len(), WINDOWS_MAX)?;
                within(
                    report.windows.iter().map(|window| window.rows.len()).sum(),
                    ROWS_MAX,
                )?;
            }
            (Frame::Answer(answer), true) => admit_answer(answer)?,
            (Frame::Quotas(report), true) => {
                within(report.uses.len().max(report.levels.len()), QUOTA_USES_MAX)?;
            }
            (Frame::Lags(report), true) => within(report.levels.len(), LAGS_MAX)?,
            (Frame::ClusterLinks(report), true) => {
                let topics = report.links.iter().map(|it| it.topics.len()).sum();
                within(report.links.len().max(topics), CLUSTER_LINKS_MAX)?;
            }
            (Frame::Jobs(report), true) => {
                within(report.jobs.len(), JOBS_MAX)?;
                within(report.decisions.len(), DECISIONS_MAX)?;
                within(report.compute.len(), COMPUTE_MAX)?;
            }
            (Frame::Contracts(report), true) => {
                within(report.topics.len().max(report.violations.len()), JUDGED_MAX)?;
            }
            (Frame::Intent(intent), true) => {
                within(intent.configs.len(), SETTINGS_MAX)?;
                let name = &intent.topic_name;
                let named =
                    name.len() <= TOPIC_NAME_LENGTH_MAX && name.bytes().all(|it| it.is_ascii_graphic());
                let ids = [
                    &intent.gateway_id,
                    &intent.topic_id,
                    &intent.cluster_id,
                    &intent.principal_id,
                ];
                if !named || !ids.into_iter().all(|it| is_version(it)) {
                    return Err(Breach::Intent);
                }
            }
        }
        Ok(frame)
    }

    /// Is `current` newer than what the agent holds and what it was sent in this session?
    pub(super) fn owes(&self, current: Generation) -> bool {
        let current = ordered(current);
        current > self.held && self.sent.is_none_or(|sent| current > sent)
    }

    /// Does the agent hold more than the database knows? Then the database is an older one.
    pub(super) fn is_ahead_of(&self, current: Generation) -> bool {
        self.held > ordered(current)
    }

    /// What the agent holds.
    pub(super) fn held(&self) -> Generation {
        Generation {
            epoch: self.held.0,
            n: self.held.1,
        }
    }

    /// The frame of this generation went out.
    pub(super) fn sent(&mut self, generation: Generation) {
        self.sent = Some(ordered(generation));
    }

    fn hold(&mut self, accepted: Generation) {
        self.held = ordered(accepted);
    }
}

fn admit_answer(answer: &Answer) -> Result<(), Breach> {
    let Answer {
        ask_id: _,
        code: _,
        topic_extent,
        groups,
        group,
        group_moves,
        discovery,
        connections: told,
    } = answer;
    connections(told.as_ref())?;
    within(
        topic_extent.as_ref().map_or(0, |it| it.partitions.len()),
        PARTITIONS_MAX,
    )?;
    let (mut named, mut topics): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    if let Some(answer) = groups {
        within(answer.groups.len(), GROUPS_MAX)?;
        named.extend(answer.groups.iter().map(|it| it.group_id.as_str()));
    }
    if let Some(answer) = group {
        within(answer.members.len(), POSITIONS_MAX)?;
        within(answer.positions.len(), POSITIONS_MAX)?;
        named.extend(answer.summary.iter().map(|it| it.group_id.as_str()));
        topics.extend(answer.positions.iter().map(|it| it.topic_id.as_str()));
    }
    if let Some(answer) = group_moves {
        within(answer.moves.len(), POSITIONS_MAX)?;
        topics.extend(answer.moves.iter().map(|it| it.topic_id.as_str()));
    }
    if let Some(answer) = discovery {
        within(answer.topics.len(), GROUPS_MAX)?;
        within(
            answer.topics.iter().map(|it| it.configs.len()).sum(),
            POSITIONS_MAX,
        )?;
        named.extend(answer.topics.iter().map(|it| it.name.as_str()));
    }
    let plain = |it: &&str| it.bytes().all(|it| it.is_ascii_graphic());
    let group_ids = named
        .iter()
        .all(|it| it.len() <= TOPIC_NAME_LENGTH_MAX && plain(it));
    if group_ids && topics.into_iter().all(is_version) {
        Ok(())
    } else {
        Err(Breach::Answer)
    }
}

/// A page of connections, each with what a gateway tells of one at most.
fn connections(told: Option<&ConnectionsAnswer>) -> Result<(), Breach> {
    let told = told.map_or(&[][..], |it| it.connections.as_slice());
    within(told.len(), CONNECTIONS_MAX)?;
    let details = told.iter().map(|it| it.grants.len().max(it.quota_ids.len()));
    within(details.sum(), CONNECTION_DETAILS_MAX)
}

fn within(count: usize, max: usize) -> Result<(), Breach> {
    if count <= max {
        Ok(())
    } else {
        Err(Breach::TooMany)
    }
}

fn is_version(text: &str) -> bool {
    text.len() <= VERSION_LENGTH_MAX && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_proto::agent::v1::{
        Heartbeat, Hello, ItemStatus, StatusReport, UsageReport, UsageRow, UsageWindow,
    };

    fn generation(epoch: u64, n: u64) -> Generation {
        Generation { epoch, n }
    }

    fn said(frame: Frame) -> AgentFrame {
        AgentFrame { frame: Some(frame) }
    }

    fn hello(accepted: Generation) -> AgentFrame {
        said(Frame::Hello(Hello {
            agent_version: "0.1.0".to_owned(),
            instance: 1,
            accepted: Some(accepted),
            kafka_version: "4.3.1".to_owned(),
            ..Hello::default()
        }))
    }

    #[test]
    fn a_sealing_key_is_64_hexadecimal_digits_or_none() {
        for (text, good) in [
            ("".to_owned(), true),
            ("0a".repeat(32), true),
            ("0a".repeat(31), false),
            ("0g".repeat(32), false),
            ("é".repeat(32), false),
        ] {
            let hello = Hello {
                sealing_public_key: text.clone(),
                ..Hello::default()
            };
            let admitted = Conversation::default().admit(said(Frame::Hello(hello)));
            assert_eq!(admitted.is_ok(), good, "{text}");
        }
    }

    #[test]
    fn hello_comes_first_and_once() {
        let mut talk = Conversation::default();
        let beat = || said(Frame::Heartbeat(Heartbeat::default()));
        assert_eq!(talk.admit(beat()).unwrap_err(), Breach::NoHello);
        assert_eq!(talk.admit(AgentFrame::default()).unwrap_err(), Breach::Empty);
        assert!(talk.admit(hello(generation(0, 0))).is_ok());
        assert_eq!(
            talk.admit(hello(generation(0, 0))).unwrap_err(),
            Breach::SecondHello
        );
        assert!(talk.admit(beat()).is_ok());
        let odd = Hello {
            agent_version: "0.1 <b>".to_owned(),
            ..Hello::default()
        };
        let refused = Conversation::default().admit(said(Frame::Hello(odd)));
        assert_eq!(refused.unwrap_err(), Breach::Version);
    }

    #[test]
    fn only_what_is_newer_is_due_and_once() {
        let mut talk = Conversation::default();
        talk.admit(hello(generation(1, 4))).unwrap();
        assert!(!talk.owes(generation(1, 4)));
        assert!(!talk.owes(generation(1, 3)));
        assert!(talk.is_ahead_of(generation(1, 3)));
        assert!(!talk.is_ahead_of(generation(1, 4)));
        assert!(talk.owes(generation(1, 5)));
        assert!(talk.owes(generation(2, 0)));
        talk.sent(generation(1, 5));
        assert!(!talk.owes(generation(1, 5)));
        assert!(talk.owes(generation(1, 6)));
        let accepted = Some(generation(1, 9));
        talk.admit(said(Frame::Heartbeat(Heartbeat {
            accepted,
            ..Heartbeat::default()
        })))
        .unwrap();
        assert!(!talk.owes(generation(1, 6)));
    }

    #[test]
    fn oversized_frames_are_refused() {
        let mut talk = Conversation::default();
        talk.admit(hello(generation(0, 0))).unwrap();
        let items = vec![ItemStatus::default(); ITEMS_MAX + 1];
        let report = StatusReport {
            items,
            ..StatusReport::default()
        };
        assert_eq!(
            talk.admit(said(Frame::Status(report))).unwrap_err(),
            Breach::TooMany
        );
        let window = |rows| UsageWindow {
            rows: vec![UsageRow::default(); rows],
            ..UsageWindow::default()
        };
        let fits = UsageReport {
            windows: vec![window(ROWS_MAX / 2), window(ROWS_MAX / 2)],
        };
        assert!(talk.admit(said(Frame::Usage(fits))).is_ok());
        let over = UsageReport {
            windows: vec![window(ROWS_MAX / 2), window(ROWS_MAX / 2 + 1)],
        };
        assert_eq!(talk.admit(said(Frame::Usage(over))).unwrap_err(), Breach::TooMany);
    }
}
