//! What the customer's own policy refuses of what goes to the broker without becoming a wish.

use weir_proto::lane::v1::{Ban, BannedAct};

/// Refused names by act.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Bans {
    records: Vec<String>,
    groups: Vec<String>,
}

impl Bans {
    /// Compiles them. An act that this version does not know is not done here.
    #[must_use]
    pub fn build(bans: &[Ban]) -> Self {
        let mut built = Self::default();
        for ban in bans {
            match ban.act() {
                BannedAct::DeleteRecords => built.records.push(ban.pattern.clone()),
                BannedAct::DeleteGroup => built.groups.push(ban.pattern.clone()),
                BannedAct::Unspecified => {}
            }
        }
        built
    }

    /// Is it refused to delete records of the topic of this logical name?
    #[must_use]
    pub fn records(&self, topic: &str) -> bool {
        any(&self.records, topic)
    }

    /// Is it refused to delete the group of this logical id?
    #[must_use]
    pub fn group(&self, id: &str) -> bool {
        any(&self.groups, id)
    }
}

fn any(patterns: &[String], name: &str) -> bool {
    let matches = |pattern: &String| {
        pattern
            .strip_suffix('*')
            .map_or(pattern == name, |prefix| name.starts_with(prefix))
    };
    patterns.iter().any(matches)
}
