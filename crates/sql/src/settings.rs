//! Settings that a program may change with SET: how Flink plans and how long it remembers; nothing of clusters, files or classes.

/// What values of a setting look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `5 s`, `1 d`.
    Duration,
    /// `true` or `false`.
    Truth,
    /// A whole number up to a bound.
    Count(u32),
    /// The name of a time zone.
    Zone,
}

const ALLOWED: [(&str, Form); 10] = [
    ("table.local-time-zone", Form::Zone),
    ("table.exec.state.ttl", Form::Duration),
    ("table.exec.source.idle-timeout", Form::Duration),
    ("table.exec.mini-batch.enabled", Form::Truth),
    ("table.exec.mini-batch.allow-latency", Form::Duration),
    ("table.exec.mini-batch.size", Form::Count(100_000)),
    ("table.optimizer.distinct-agg.split.enabled", Form::Truth),
    ("table.optimizer.distinct-agg.split.bucket-num", Form::Count(4096)),
    ("table.optimizer.join-reorder-enabled", Form::Truth),
    ("table.optimizer.multi-join.enabled", Form::Truth),
];

/// May a job have this setting with this value?
pub(crate) fn check(key: &str, value: &str) -> Result<(), String> {
    let Some((_key, form)) = ALLOWED.iter().find(|(name, _form)| *name == key) else {
        let names: Vec<&str> = ALLOWED.iter().map(|(name, _form)| *name).collect();
        return Err(format!(
            "Jobs may not change this setting. They may change {}.",
            names.join(", ")
        ));
    };
    let (fits, example) = match form {
        Form::Duration => (is_duration(value), "5 s"),
        Form::Truth => (matches!(value, "true" | "false"), "true"),
        Form::Count(most) => (
            value.parse::<u32>().is_ok_and(|it| (1..=*most).contains(&it)),
            "1000",
        ),
        Form::Zone => (is_zone(value), "Europe/Berlin"),
    };
    if fits {
        Ok(())
    } else {
        Err(format!("`{key}` has values such as '{example}'."))
    }
}

fn is_duration(value: &str) -> bool {
    let digits = value.trim_start_matches(|it: char| it.is_ascii_digit());
    let number = value.len() - digits.len();
    (1..=9).contains(&number) && matches!(digits.trim_start_matches(' '), "ms" | "s" | "min" | "h" | "d")
}

fn is_zone(value: &str) -> bool {
    (1..=64).contains(&value.len())
        && value
            .chars()
            .all(|it| it.is_ascii_alphanumeric() || "_+-/:".contains(it))
}
