//! What a person sees while things happen: one line a step, alive on a terminal, plain elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// The display, shared by all steps.
#[derive(Clone)]
pub struct Progress {
    inner: Arc<Mutex<Inner>>,
    started: Instant,
    alive: bool,
}

struct Inner {
    current: Option<Current>,
    done: Vec<Done>,
}

struct Current {
    title: String,
    note: String,
    started: Instant,
}

/// A finished step.
#[derive(Debug, Clone)]
pub struct Done {
    /// What was done.
    pub title: String,
    /// How it ended.
    pub detail: String,
    /// How long it took.
    pub took: Duration,
}

/// A step under way; a step dropped before [`Step::done`] failed.
pub struct Step {
    progress: Progress,
    open: bool,
}

/// A step that takes longer tells what it is at, also without a terminal.
const LONG: Duration = Duration::from_secs(5);

const WHEEL: [&str; 8] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧"];

impl Progress {
    /// A display on stdout.
    pub fn new() -> Self {
        let alive = std::io::stdout().is_terminal() && std::env::var_os("CI").is_none();
        let this = Self {
            inner: Arc::new(Mutex::new(Inner {
                current: None,
                done: Vec::new(),
            })),
            started: Instant::now(),
            alive,
        };
        if alive {
            this.turn();
        } else {
            this.tell();
        }
        this
    }

    /// A heading between steps.
    pub fn chapter(&self, title: &str) {
        println!("\n{title}");
    }

    /// A line that is not a step.
    pub fn say(&self, text: &str) {
        println!("  · {text}");
    }

    /// Begins a step.
    pub fn step(&self, title: impl Into<String>) -> Step {
        let current = Current {
            title: title.into(),
            note: String::new(),
            started: Instant::now(),
        };
        self.lock().current = Some(current);
        Step {
            progress: self.clone(),
            open: true,
        }
    }

    /// The finished steps.
    pub fn finished(&self) -> Vec<Done> {
        self.lock().done.clone()
    }

    /// Time since the display began.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Redraws the current line until the display is gone.
    fn turn(&self) {
        let inner = Arc::downgrade(&self.inner);
        std::thread::spawn(move || {
            for frame in WHEEL.iter().cycle() {
                std::thread::sleep(Duration::from_millis(120));
                let Some(inner) = inner.upgrade() else { return };
                let inner = inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if let Some(now) = &inner.current {
                    let seconds = now.started.elapsed().as_secs();
                    print!("\r\x1b[2K  {frame} {} {} ({seconds} s)", now.title, now.note);
                    let _shown = std::io::stdout().flush();
                }
            }
        });
    }

    /// Without a terminal: says once in a while what a long step is at, until the display is gone.
    fn tell(&self) {
        let inner = Arc::downgrade(&self.inner);
        std::thread::spawn(move || {
            for tick in 1_u64.. {
                std::thread::sleep(Duration::from_secs(1));
                let Some(inner) = inner.upgrade() else { return };
                let inner = inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let Some(now) = &inner.current else { continue };
                let took = now.started.elapsed();
                let due = took.as_secs() == LONG.as_secs() || (took > LONG && tick.is_multiple_of(60));
                if due && !now.note.is_empty() {
                    println!("  … {}: {} ({} s)", now.title, now.note, took.as_secs());
                }
            }
        });
    }

    fn close(&self, held: bool, detail: &str) {
        let mut inner = self.lock();
        let Some(step) = inner.current.take() else { return };
        let took = step.started.elapsed();
        let clear = if self.alive { "\r\x1b[2K" } else { "" };
        let mark = if held { "✓" } else { "✗" };
        let gap = if detail.is_empty() { "" } else { ": " };
        println!("{clear}  {mark} {}{gap}{detail}  [{}]", step.title, seconds(took));
        if held {
            inner.done.push(Done {
                title: step.title,
                detail: detail.to_owned(),
                took,
            });
        }
    }
}

impl Step {
    /// What the step is at.
    pub fn note(&self, note: impl Into<String>) {
        if let Some(current) = &mut self.progress.lock().current {
            current.note = note.into();
        }
    }

    /// The step held.
    pub fn done(mut self, detail: impl AsRef<str>) {
        self.open = false;
        self.progress.close(true, detail.as_ref());
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if self.open {
            self.progress.close(false, "");
        }
    }
}

/// A duration for people.
pub fn seconds(took: Duration) -> String {
    let s = took.as_secs_f64();
    if s < 60.0 {
        format!("{s:.1} s")
    } else {
        format!("{} min {:02} s", took.as_secs() / 60, took.as_secs() % 60)
    }
}

/// 1234567 as 1,234,567.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_threes() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_000), "1,000");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }
}
