//! Bounds of specs, and of what one record may take.

/// Bytes of a spec's text.
pub const SPEC_BYTES_MAX: usize = 256 * 1024;
/// Steps of a spec.
pub const STEPS_MAX: usize = 50;
/// Sinks of a spec.
pub const SINKS_MAX: usize = 20;
/// Fields, paths, rules, messages or headers of one step.
pub const ENTRIES_MAX: usize = 200;
/// Names in one path.
pub const PATH_NAMES_MAX: usize = 16;
/// Bytes of a name, a path or a word.
pub const WORD_BYTES_MAX: usize = 1024;
/// Bytes of an address.
pub const URL_BYTES_MAX: usize = 2048;
/// Steps of type `call` in a spec.
pub const CALLS_MAX: usize = 5;
/// Keys that a deduplicating step remembers for each partition.
pub const KEYS_MAX: u32 = 1_000_000;
/// Milliseconds of a deduplicating step's window: 7 days.
pub const WINDOW_MS_MAX: u64 = 7 * 24 * 3600 * 1000;
/// Milliseconds that a call may wait.
pub const TIMEOUT_MS_MAX: u32 = 120_000;
/// Times that a call is made again.
pub const RETRIES_MAX: u32 = 10;
/// Calls at the same time.
pub const CONCURRENCY_MAX: u32 = 256;

/// Bytes of a record's value or key that is read.
pub const PAYLOAD_BYTES_MAX: usize = 8 << 20;
/// Bytes of a value that is written, where the sink says no less.
pub const OUTPUT_BYTES_MAX: usize = 8 << 20;
/// Bytes of a request's body.
pub const REQUEST_BYTES_MAX: usize = 1 << 20;
/// Bytes of a response's body.
pub const RESPONSE_BYTES_MAX: usize = 1 << 20;
/// Steps of computation that a record may take, whatever its size.
pub const COST_BASE: usize = 200_000;
/// Steps more for each byte of its value and key.
pub const COST_PER_BYTE: usize = 16;
/// Levels of a record that a step may make.
pub const DEPTH_MAX: usize = 64;
/// Milliseconds before a call is made again; doubled each time, up to the next.
pub const RETRY_AFTER_MS: u64 = 200;
/// Milliseconds before a call is made again, at most.
pub const RETRY_AFTER_MS_MAX: u64 = 10_000;
