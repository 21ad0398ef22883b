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
        Form::Duration => (duration_ms(value).is_some(), "5 s"),
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

/// Milliseconds of a duration as Flink writes them: `5 s`, `1 d`.
#[must_use]
pub fn duration_ms(value: &str) -> Option<u64> {
    let unit = value.trim_start_matches(|it: char| it.is_ascii_digit());
    let number = value
        .strip_suffix(unit)
        .filter(|it| (1..=9).contains(&it.len()))?;
    let of_unit = match unit.trim_start_matches(' ') {
        "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _unknown => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(of_unit)
}

fn is_zone(value: &str) -> bool {
    (1..=64).contains(&value.len())
        && value
            .chars()
            .all(|it| it.is_ascii_alphanumeric() || "_+-/:".contains(it))
}
