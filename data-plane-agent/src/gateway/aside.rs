//! Long work beside the clients: on a thread of its own that gives way to those which serve them.

use std::io;

use tokio::sync::oneshot;

/// Niceness (setpriority(2)) of such threads.
const NICE: i32 = 10;

/// Runs it, and returns what it returns.
///
/// # Errors
/// When the system gives no thread, or the work panicked.
pub async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    let (done, result) = oneshot::channel();
    std::thread::Builder::new()
        .name("aside".to_owned())
        .spawn(move || {
            // Of this thread alone, on Linux. Where it is refused, the work is done all the same.
            if let Err(error) = rustix::process::setpriority_process(None, NICE) {
                tracing::debug!(%error, "long work runs as urgently as clients are served");
            }
            // Whoever waited may be gone.
            let _unheard = done.send(work());
        })?;
    result.await.map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_runs_beside_and_gives_way() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let before = nice();
        assert_eq!(run(nice).await.unwrap(), NICE.max(before));
        assert_eq!(nice(), before, "only the thread aside gives way");
    }

    #[tokio::test]
    async fn a_panic_is_an_error() {
        let broken = run(|| -> () { panic!("as a test wants") }).await;
        assert!(broken.is_err());
    }
}
