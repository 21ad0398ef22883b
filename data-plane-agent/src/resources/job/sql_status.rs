//! What to say of a job in SQL. Pure.

use weir_proto::agent::v1::{Job, JobFailureCode, JobState, Phase, Reason};

use super::Stage;
use crate::flink::told::{Standing, Told};
use crate::resources::compute_pool::Share;

/// What a job in SQL may wait for.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    /// What its pool gives it.
    pub share: Share,
    /// Why it cannot run.
    pub stuck: Option<Reason>,
    /// Why it sleeps, if it does.
    pub suspended: Option<Reason>,
    /// It came to its end by itself.
    pub completed: bool,
    /// What gateways do not have yet.
    pub starts: Option<(Phase, Reason)>,
}

/// Where a job in SQL stands. Pure.
#[must_use]
pub fn stage(job: &Job, told: &Told, waits: Waits) -> Stage {
    let Waits {
        share,
        stuck,
        suspended,
        completed,
        starts,
    } = waits;
    let at = |phase, reason| Stage { phase, reason };
    let gone = told.standing == Standing::Gone;
    if job.deleted {
        // The tombstone is carried out when its folder is gone, too.
        return at(Phase::Deleting, Reason::Unspecified);
    }
    if job.state() == JobState::Stopped {
        let phase = if gone { Phase::Stopped } else { Phase::Stopping };
        return at(phase, Reason::Unspecified);
    }
    if let Some(reason) = stuck {
        return at(Phase::Failed, reason);
    }
    if completed {
        return at(Phase::Completed, Reason::Unspecified);
    }
    if let Some(reason) = suspended {
        let phase = match (gone, reason) {
            (false, _any) => Phase::Stopping,
            (true, Reason::Idle) => Phase::Suspended,
            (true, _other) => Phase::Failed,
        };
        return at(phase, reason);
    }
    match share {
        Share::Waits(_place) => return at(Phase::Pending, Reason::PoolExhausted),
        Share::Spent if !gone => return at(Phase::Stopping, Reason::BudgetExhausted),
        Share::Spent => return at(Phase::Pending, Reason::BudgetExhausted),
        Share::Given(_units) => {}
    }
    let failing = told.failures.keys().map(|class| reason(class));
    let failing = failing.max_by_key(|it| match it {
        Reason::DataExpired => 2,
        Reason::WorkerFailing => 0,
        _known => 1,
    });
    match told.standing {
        Standing::Running => at(Phase::Running, Reason::Unspecified),
        // Flink tries again and again, and reads nothing: a person decides.
        Standing::Restarting if failing == Some(Reason::DataExpired) => {
            at(Phase::Failed, Reason::DataExpired)
        }
        Standing::Restarting => at(Phase::Degraded, failing.unwrap_or(Reason::WorkerFailing)),
        Standing::Refused => at(Phase::Failed, Reason::ProgramRefused),
        Standing::Lost => at(Phase::Failed, Reason::StateMissing),
        Standing::Unknown | Standing::Starting | Standing::Ending | Standing::Gone => {
            let (phase, reason) = starts.unwrap_or((Phase::Provisioning, Reason::WorkerStarting));
            at(phase, reason)
        }
    }
}

/// What a failure's class means, as far as its name tells.
fn reason(class: &str) -> Reason {
    if matches!(
        simple(class),
        "OffsetOutOfRangeException" | "NoOffsetForPartitionException"
    ) {
        return Reason::DataExpired;
    }
    match code(class) {
        JobFailureCode::Unauthorized => Reason::Unauthorized,
        JobFailureCode::TopicMissing => Reason::SourceMissing,
        JobFailureCode::Decode | JobFailureCode::SchemaUnknown => Reason::PoisonRecord,
        _other => Reason::WorkerFailing,
    }
}

/// A class without its package.
fn simple(class: &str) -> &str {
    class.rsplit(['.', '$']).next().unwrap_or_default()
}

/// Failures of questions to models.
const MODELS: &str = "com.openai.errors.";

/// What a failure's class stands for.
#[must_use]
pub fn code(class: &str) -> JobFailureCode {
    match simple(class) {
        "TopicAuthorizationException"
        | "GroupAuthorizationException"
        | "TransactionalIdAuthorizationException"
        | "ClusterAuthorizationException"
        | "SaslAuthenticationException" => JobFailureCode::Unauthorized,
        "UnknownTopicOrPartitionException" | "UnknownTopicIdException" => JobFailureCode::TopicMissing,
        "JsonParseException"
        | "JsonParseRuntimeException"
        | "JsonMappingException"
        | "MismatchedInputException" => JobFailureCode::Decode,
        "AvroTypeException" | "AvroRuntimeException" | "AvroMissingFieldException" => JobFailureCode::Decode,
        // A schema that no contract of the job's has.
        "RestClientException" => JobFailureCode::SchemaUnknown,
        "RecordTooLargeException" => JobFailureCode::TooLarge,
        "DateTimeParseException" | "ClassCastException" | "NumberFormatException" | "ArithmeticException" => {
            JobFailureCode::Type
        }
        "OffsetOutOfRangeException" | "NoOffsetForPartitionException" => JobFailureCode::Kafka,
        _other if class.contains(".kafka.common.errors.") => JobFailureCode::Kafka,
        // As a model's failure was told to Flink: `models::answer::refusal`.
        "PermissionDeniedException" if class.starts_with(MODELS) => JobFailureCode::CallRefused,
        "UnprocessableEntityException" if class.starts_with(MODELS) => JobFailureCode::CallUnreadable,
        _other if class.starts_with(MODELS) => JobFailureCode::CallFailed,
        _other => JobFailureCode::Crashed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(state: JobState, standing: Standing, failures: &[&str]) -> (Phase, Reason) {
        let job = Job {
            state: state.into(),
            ..Job::default()
        };
        let told = Told {
            standing,
            failures: failures.iter().map(|it| ((*it).to_owned(), 1)).collect(),
            ..Told::default()
        };
        let waits = Waits {
            share: Share::Given(1),
            stuck: None,
            suspended: (state == JobState::AutoSuspend).then_some(Reason::Idle),
            completed: false,
            starts: None,
        };
        let stage = stage(&job, &told, waits);
        (stage.phase, stage.reason)
    }

    #[test]
    fn a_job_stands_where_flink_has_it() {
        use JobState::{AutoSuspend, Running, Stopped};
        let none = Reason::Unspecified;
        assert_eq!(said(Running, Standing::Running, &[]), (Phase::Running, none));
        assert_eq!(
            said(Running, Standing::Starting, &[]),
            (Phase::Provisioning, Reason::WorkerStarting)
        );
        assert_eq!(
            said(Running, Standing::Restarting, &[]),
            (Phase::Degraded, Reason::WorkerFailing)
        );
        let denied =
            "org.apache.flink.kafka.shaded.org.apache.kafka.common.errors.TopicAuthorizationException";
        assert_eq!(
            said(Running, Standing::Restarting, &[denied, "java.lang.X"]),
            (Phase::Degraded, Reason::Unauthorized)
        );
        let gone =
            "org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.OffsetOutOfRangeException";
        assert_eq!(
            said(Running, Standing::Restarting, &[gone, "java.lang.X"]),
            (Phase::Failed, Reason::DataExpired)
        );
        assert_eq!(
            said(Running, Standing::Refused, &[]),
            (Phase::Failed, Reason::ProgramRefused)
        );
        assert_eq!(said(Stopped, Standing::Running, &[]), (Phase::Stopping, none));
        assert_eq!(said(Stopped, Standing::Gone, &[]), (Phase::Stopped, none));
        assert_eq!(
            said(AutoSuspend, Standing::Running, &[]),
            (Phase::Stopping, Reason::Idle)
        );
        assert_eq!(
            said(AutoSuspend, Standing::Gone, &[]),
            (Phase::Suspended, Reason::Idle)
        );
    }

    #[test]
    fn a_job_without_budget_ends_with_a_savepoint_and_waits() {
        let stands = |standing| {
            let told = Told {
                standing,
                ..Told::default()
            };
            let waits = Waits {
                share: Share::Spent,
                stuck: None,
                suspended: None,
                completed: false,
                starts: None,
            };
            let job = Job {
                state: JobState::Running.into(),
                ..Job::default()
            };
            stage(&job, &told, waits)
        };
        let at = |phase| Stage {
            phase,
            reason: Reason::BudgetExhausted,
        };
        assert_eq!(stands(Standing::Running), at(Phase::Stopping));
        assert_eq!(stands(Standing::Ending), at(Phase::Stopping));
        assert_eq!(stands(Standing::Gone), at(Phase::Pending));
    }

    #[test]
    fn a_models_failure_says_which() {
        for (class, expected) in [
            (
                "com.openai.errors.PermissionDeniedException",
                JobFailureCode::CallRefused,
            ),
            (
                "com.openai.errors.UnprocessableEntityException",
                JobFailureCode::CallUnreadable,
            ),
            (
                "com.openai.errors.UnexpectedStatusCodeException",
                JobFailureCode::CallFailed,
            ),
            ("com.openai.errors.OpenAIIoException", JobFailureCode::CallFailed),
            ("java.nio.file.PermissionDeniedException", JobFailureCode::Crashed),
        ] {
            assert_eq!(code(class), expected, "{class}");
        }
    }
}
