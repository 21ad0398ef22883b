//! The threads that serve clients. A connection stays on one of them with its broker's, so no wake-up crosses cores.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::runtime::{Builder, Handle};

/// The threads.
#[derive(Debug)]
pub struct Crew(Vec<Arc<Hand>>);

#[derive(Debug)]
struct Hand {
    runtime: Handle,
    /// Connections that it serves.
    serves: AtomicUsize,
}

/// A connection's place on a thread, until dropped.
#[derive(Debug)]
pub struct Place(Arc<Hand>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.serves.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Crew {
    /// Starts one thread per processor. They end with the process.
    ///
    /// # Errors
    /// When the system gives no thread or no poll.
    pub fn start() -> io::Result<Self> {
        let count = std::thread::available_parallelism()?.get();
        let mut hands = Vec::with_capacity(count);
        for at in 0..count {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            hands.push(Arc::new(Hand {
                runtime: runtime.handle().clone(),
                serves: AtomicUsize::new(0),
            }));
            std::thread::Builder::new()
                .name(format!("clients-{at}"))
                .spawn(move || runtime.block_on(std::future::pending::<()>()))?;
        }
        Ok(Self(hands))
    }

    /// Runs a connection on the thread that serves the fewest, which keeps its place. What it opens belongs to that thread.
    ///
    /// The future is spawned as it comes: one that awaits another keeps room for both, and there is one per connection.
    pub fn serve<F: Future<Output = ()> + Send + 'static>(&self, serve: impl FnOnce(Place) -> F) {
        let Some(hand) = self.0.iter().min_by_key(|it| it.serves.load(Ordering::Relaxed)) else {
            return;
        };
        hand.serves.fetch_add(1, Ordering::Relaxed);
        hand.runtime.spawn(serve(Place(Arc::clone(hand))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn connections_are_spread_and_places_come_back() {
        let crew = Crew::start().unwrap();
        let (tell, told) = mpsc::channel();
        let held = Arc::new(tokio::sync::Semaphore::new(0));
        for _connection in 0..crew.0.len() * 2 {
            let (tell, held) = (tell.clone(), Arc::clone(&held));
            crew.serve(|place| async move {
                let _place = place;
                tell.send(std::thread::current().name().map(str::to_owned))
                    .unwrap();
                let _held = held.acquire().await;
            });
        }
        let mut names: Vec<_> = (0..crew.0.len() * 2).map(|_one| told.recv().unwrap()).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), crew.0.len());
        held.close();
        while crew.0.iter().any(|it| it.serves.load(Ordering::Relaxed) > 0) {
            std::thread::yield_now();
        }
    }
}
