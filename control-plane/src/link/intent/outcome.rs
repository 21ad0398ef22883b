//! A failed wish in the words that a gateway can turn into Kafka's.

use weir_proto::agent::v1::{IntentKind, IntentOutcome};

use crate::kernel::{Error, ErrorKind, code};

/// The outcome, and a sentence for the client.
pub(super) fn of_error(wish: IntentKind, error: &Error) -> (IntentOutcome, String) {
    let outcome = match error.kind {
        ErrorKind::Denied | ErrorKind::Unauthenticated => IntentOutcome::Denied,
        ErrorKind::OverQuota => IntentOutcome::OverQuota,
        ErrorKind::NotFound | ErrorKind::Gone => IntentOutcome::NotFound,
        ErrorKind::Conflict => of_conflict(wish, error.code),
        ErrorKind::Invalid => of_field(error),
        ErrorKind::Moved | ErrorKind::Unavailable | ErrorKind::Internal | ErrorKind::TooMany => {
            IntentOutcome::Unavailable
        }
        ErrorKind::Malformed
        | ErrorKind::MethodNotAllowed
        | ErrorKind::TooLarge
        | ErrorKind::UnsupportedMedia => IntentOutcome::Invalid,
    };
    let detail = if error.fields.is_empty() {
        error.detail.clone()
    } else {
        let sentences: Vec<String> = error
            .fields
            .iter()
            .map(|field| match field.pointer.strip_prefix("/spec/configs/") {
                Some(setting) => format!("{setting}: {}", field.detail),
                None => field.detail.clone(),
            })
            .collect();
        sentences.join(" ")
    };
    (outcome, detail)
}

fn of_conflict(wish: IntentKind, code: &str) -> IntentOutcome {
    match code {
        code::NAME_TAKEN => IntentOutcome::Exists,
        // A topic that is going away is none any more; a cluster that is going away takes none.
        code::BEING_DELETED if wish != IntentKind::CreateTopic => IntentOutcome::NotFound,
        // What others need stays until they do not; to try again changes nothing.
        code::BEING_DELETED | code::WRONG_PHASE | code::IN_USE => IntentOutcome::PolicyRefused,
        _in_flight => IntentOutcome::Unavailable,
    }
}

fn of_field(error: &Error) -> IntentOutcome {
    let Some(field) = error.fields.first() else {
        return IntentOutcome::Invalid;
    };
    match field.pointer.as_str() {
        "/spec/name" => IntentOutcome::InvalidName,
        "/spec/partitions" => IntentOutcome::InvalidPartitions,
        "/spec/replication_factor" => IntentOutcome::InvalidReplicationFactor,
        "/spec/cluster" | "/spec/broker_pool" => IntentOutcome::PolicyRefused,
        pointer if pointer.starts_with("/spec/") => IntentOutcome::InvalidConfig,
        _other => IntentOutcome::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use IntentOutcome as Outcome;

    fn outcome(wish: IntentKind, error: &Error) -> Outcome {
        of_error(wish, error).0
    }

    #[test]
    fn each_failure_has_its_word() {
        let create = IntentKind::CreateTopic;
        let invalid = |pointer: &str| Error::invalid(pointer, code::INVALID, "No.");
        for (error, expected) in [
            (invalid("/spec/name"), Outcome::InvalidName),
            (invalid("/spec/partitions"), Outcome::InvalidPartitions),
            (
                invalid("/spec/replication_factor"),
                Outcome::InvalidReplicationFactor,
            ),
            (invalid("/spec/configs/segment.ms"), Outcome::InvalidConfig),
            (invalid("/spec/retention_ms"), Outcome::InvalidConfig),
            (invalid("/spec/broker_pool"), Outcome::PolicyRefused),
            (Error::denied("No."), Outcome::Denied),
            (Error::not_found("Topic"), Outcome::NotFound),
            (Error::conflict(code::NAME_TAKEN, "Taken."), Outcome::Exists),
            (
                Error::conflict(code::BEING_DELETED, "Going."),
                Outcome::PolicyRefused,
            ),
            (Error::conflict(code::IN_USE, "Needed."), Outcome::PolicyRefused),
            (Error::conflict(code::IN_FLIGHT, "Wait."), Outcome::Unavailable),
            (
                Error::new(ErrorKind::OverQuota, code::OVER_QUOTA, "Full."),
                Outcome::OverQuota,
            ),
            (Error::internal("canary"), Outcome::Unavailable),
        ] {
            assert_eq!(outcome(create, &error), expected, "{error}");
        }
        let going = Error::conflict(code::BEING_DELETED, "Going.");
        assert_eq!(outcome(IntentKind::DeleteTopic, &going), Outcome::NotFound);
    }

    #[test]
    fn every_bad_setting_is_named_and_nothing_inside_is_told() {
        let field = |pointer: &str, detail: &str| crate::kernel::FieldError {
            pointer: pointer.into(),
            code: code::BAD_CONFIG.into(),
            detail: detail.into(),
        };
        let fields = vec![
            field("/spec/configs/segment.ms", "Too small."),
            field("/spec/retention_ms", "A retention is -1."),
        ];
        let error = Error::check(fields).unwrap_err();
        let (_outcome, detail) = of_error(IntentKind::CreateTopic, &error);
        assert_eq!(detail, "segment.ms: Too small. A retention is -1.");
        let (_outcome, detail) = of_error(IntentKind::CreateTopic, &Error::internal("canary"));
        assert!(!detail.contains("canary"));
    }
}
