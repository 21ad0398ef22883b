//! Reads from a runner's output how many tests ran.

use std::ops::AddAssign;

/// Tests that passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Passed.
    pub passed: u64,
    /// Failed, timed out or crashed.
    pub failed: u64,
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// A runner whose summary we can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runner {
    /// `Summary [ 0.010s] 12 tests run: 10 passed (1 slow), 2 failed, 0 skipped`
    Nextest,
    /// `test result: FAILED. 5 passed; 1 failed; ...`, once a binary
    CargoTest,
    /// `Tests  1 failed | 11 passed (12)`
    Vitest,
    /// `5 passed, 0 failed`: the last line of `web/tests/browser/run.mjs`
    Browser,
}

/// The tests in `output`; none when it holds no summary.
pub fn count(runner: Runner, output: &str) -> Option<Count> {
    let mut total: Option<Count> = None;
    for line in output.lines() {
        let line = plain(line);
        if let Some(found) = of_line(runner, line.trim()) {
            *total.get_or_insert_default() += found;
        }
    }
    total
}

fn of_line(runner: Runner, line: &str) -> Option<Count> {
    match runner {
        Runner::Nextest => {
            let rest = line.strip_prefix("Summary [")?.split_once("] ")?.1;
            let ran = before(rest, " tests run:").or_else(|| before(rest, " test run:"))?;
            let passed = before(rest, " passed").unwrap_or(0);
            Some(Count {
                passed,
                failed: ran.saturating_sub(passed),
            })
        }
        Runner::CargoTest => {
            let rest = line.strip_prefix("test result: ")?;
            Some(Count {
                passed: before(rest, " passed")?,
                failed: before(rest, " failed")?,
            })
        }
        Runner::Vitest => {
            let rest = line.strip_prefix("Tests ")?;
            Some(Count {
                passed: before(rest, " passed").unwrap_or(0),
                failed: before(rest, " failed").unwrap_or(0),
            })
        }
        Runner::Browser => Some(Count {
            passed: before(line, " passed, ")?,
            failed: before(line, " failed")?,
        }),
    }
}

/// The number that stands before `word`.
fn before(text: &str, word: &str) -> Option<u64> {
    let head = &text[..text.find(word)?];
    let digits = head.rsplit(|it: char| !it.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// Without colours.
fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("\x1b[") {
        text.push_str(&rest[..at]);
        let tail = &rest[at + 2..];
        rest = tail
            .find(|it: char| it.is_ascii_alphabetic())
            .map_or("", |end| &tail[end + 1..]);
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_runner_is_read() {
        let all = |passed, failed| Some(Count { passed, failed });
        let nextest = "     Summary [   0.010s] 12 tests run: 10 passed (1 slow), 2 failed, 3 skipped";
        assert_eq!(count(Runner::Nextest, nextest), all(10, 2));
        let timed_out = "     Summary [   9.0s] 3 tests run: 1 passed, 1 failed, 1 timed out, 0 skipped";
        assert_eq!(count(Runner::Nextest, timed_out), all(1, 2));
        assert_eq!(
            count(
                Runner::Nextest,
                "  Summary [ 0.1s] 1 test run: 1 passed, 0 skipped"
            ),
            all(1, 0)
        );
        let cargo = "test result: ok. 5 passed; 0 failed; 0 ignored\nx\ntest result: FAILED. 1 passed; 2 failed; 0 ignored";
        assert_eq!(count(Runner::CargoTest, cargo), all(6, 2));
        let vitest = "\x1b[2m      Tests \x1b[22m \x1b[31m1 failed\x1b[39m | \x1b[32m11 passed\x1b[39m (12)";
        assert_eq!(count(Runner::Vitest, vitest), all(11, 1));
        assert_eq!(count(Runner::Vitest, "      Tests  42 passed (42)"), all(42, 0));
        // Node's own reporter prints its sums before ours: they count once.
        assert_eq!(
            count(Runner::Browser, "ℹ pass 4\nℹ fail 1\n4 passed, 1 failed"),
            all(4, 1)
        );
        assert_eq!(count(Runner::Nextest, "error: could not compile"), None);
    }
}
