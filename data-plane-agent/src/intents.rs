//! Administrative wishes on their way: from a gateway to its agent, and from the agent home. Both ends wait here.
//!
//! A wish is handed to the line that is up, and again to the next one when the line broke before its result came: it is
//! the same wish, and is carried out once. One that no line took for a while was not sent, and its asker is told so; of
//! one that was sent and not answered nobody knows more than that.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::sleep;
use weir_proto::agent::v1::{Intent, IntentOutcome, IntentResult};

/// What a wish is known by: gateway, its start, the wish's number.
type Key = (String, u64, u64);

/// How long wishes are kept.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Until a line took it.
    pub unsent: Duration,
    /// On top of what the wish itself allows, once a line took it.
    pub slack: Duration,
    /// How many may be under way.
    pub room: usize,
    /// Who is away when no line takes it: a sentence for clients.
    pub away: &'static str,
}

/// The wishes that wait for their results.
#[derive(Debug)]
pub struct Intents {
    patience: Patience,
    inner: Mutex<Inner>,
    moved: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    entered: u64,
    waiting: BTreeMap<Key, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    ticket: u64,
    intent: Intent,
    reply: Option<oneshot::Sender<IntentResult>>,
    /// The line that is up has it.
    handed: bool,
    /// Some line had it.
    sent: bool,
}

/// Forgets a wish when nobody waits for it any more.
struct Entry<'a> {
    intents: &'a Intents,
    key: Key,
    ticket: u64,
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        let mut inner = self.intents.inner();
        if inner
            .waiting
            .get(&self.key)
            .is_some_and(|it| it.ticket == self.ticket)
        {
            inner.waiting.remove(&self.key);
        }
    }
}

/// A result that is given on this side of the network.
#[must_use]
pub fn own_result(intent: &Intent, outcome: IntentOutcome, detail: &str) -> IntentResult {
    IntentResult {
        intent_id: intent.intent_id,
        gateway_id: intent.gateway_id.clone(),
        gateway_boot: intent.gateway_boot,
        outcome: outcome.into(),
        detail: detail.to_owned(),
        ..IntentResult::default()
    }
}

impl Intents {
    /// Nothing waits yet.
    #[must_use]
    pub fn new(patience: Patience) -> Self {
        Self {
            patience,
            inner: Mutex::default(),
            moved: Notify::new(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a wish over and waits for its result, or for the end of its time.
    pub async fn carry(&self, intent: Intent) -> IntentResult {
        let lost = own_result(
            &intent,
            IntentOutcome::TimedOut,
            "No answer came in time: look whether it was done.",
        );
        let away = own_result(&intent, IntentOutcome::Unavailable, self.patience.away);
        let full = own_result(
            &intent,
            IntentOutcome::Unavailable,
            "Too many administrative requests are under way; try again.",
        );
        let limit = Duration::from_millis(u64::from(intent.wait_ms)).saturating_add(self.patience.slack);
        let Some((entry, answer)) = self.enter(intent) else {
            return full;
        };
        tokio::select! {
            biased;
            answered = answer => answered.unwrap_or(lost),
            () = self.unsent(&entry) => away,
            () = sleep(limit) => lost,
        }
    }

    fn enter(&self, intent: Intent) -> Option<(Entry<'_>, oneshot::Receiver<IntentResult>)> {
        let (reply, answer) = oneshot::channel();
        let key = (intent.gateway_id.clone(), intent.gateway_boot, intent.intent_id);
        let mut inner = self.inner();
        if inner.waiting.len() >= self.patience.room {
            return None;
        }
        inner.entered += 1;
        let ticket = inner.entered;
        let waiting = Waiting {
            ticket,
            intent,
            reply: Some(reply),
            handed: false,
            sent: false,
        };
        inner.waiting.insert(key.clone(), waiting);
        drop(inner);
        self.moved.notify_one();
        let entry = Entry {
            intents: self,
            key,
            ticket,
        };
        Some((entry, answer))
    }

    /// Returns when no line took the wish in time; from then on none will.
    async fn unsent(&self, entry: &Entry<'_>) {
        sleep(self.patience.unsent).await;
        let withdrawn = {
            let mut inner = self.inner();
            let unsent = inner.waiting.get(&entry.key).is_some_and(|it| !it.sent);
            unsent && inner.waiting.remove(&entry.key).is_some()
        };
        if !withdrawn {
            std::future::pending::<()>().await;
        }
    }

    /// A new line is up: what is not answered goes out again.
    pub fn line_is_up(&self) {
        for waiting in self.inner().waiting.values_mut() {
            waiting.handed = false;
        }
        self.moved.notify_one();
    }

    /// The next wish that the line does not have yet. Safe to drop while it waits.
    pub async fn next(&self) -> Intent {
        loop {
            if let Some(intent) = self.take() {
                return intent;
            }
            self.moved.notified().await;
        }
    }

    fn take(&self) -> Option<Intent> {
        let mut inner = self.inner();
        let waiting = inner
            .waiting
            .values_mut()
            .filter(|it| !it.handed)
            .min_by_key(|it| it.ticket)?;
        (waiting.handed, waiting.sent) = (true, true);
        Some(waiting.intent.clone())
    }

    /// Hands a result to who waits for it; one that nobody waits for is dropped.
    pub fn answer(&self, result: IntentResult) {
        let key = (result.gateway_id.clone(), result.gateway_boot, result.intent_id);
        let reply = self.inner().waiting.get_mut(&key).and_then(|it| it.reply.take());
        if let Some(reply) = reply {
            let _gone = reply.send(result);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    const PATIENCE: Patience = Patience {
        unsent: Duration::from_millis(50),
        slack: Duration::from_millis(100),
        room: 2,
        away: "away",
    };

    fn intent(id: u64) -> Intent {
        Intent {
            intent_id: id,
            gateway_id: "gateway".to_owned(),
            gateway_boot: 7,
            wait_ms: 100,
            ..Intent::default()
        }
    }

    #[tokio::test]
    async fn a_broken_line_gets_the_same_wish_again_and_its_asker_one_result() {
        let intents = Intents::new(PATIENCE);
        let mut carried = Box::pin(intents.carry(intent(1)));
        assert!((&mut carried).now_or_never().is_none());
        assert_eq!(intents.next().await, intent(1));
        assert!(intents.next().now_or_never().is_none(), "the line has it");
        intents.line_is_up();
        assert_eq!(intents.next().await, intent(1));
        intents.answer(own_result(&intent(2), IntentOutcome::Denied, ""));
        let foreign = Intent {
            gateway_boot: 6,
            ..intent(1)
        };
        intents.answer(own_result(&foreign, IntentOutcome::Denied, ""));
        intents.answer(own_result(&intent(1), IntentOutcome::Accepted, ""));
        intents.answer(own_result(&intent(1), IntentOutcome::Denied, ""));
        assert_eq!(carried.await.outcome(), IntentOutcome::Accepted);
        intents.line_is_up();
        assert!(intents.next().now_or_never().is_none(), "answered is forgotten");
    }

    #[tokio::test]
    async fn what_no_line_took_was_not_sent_and_never_will_be() {
        let intents = Intents::new(PATIENCE);
        let result = intents.carry(intent(1)).await;
        assert_eq!(
            (result.outcome(), result.detail.as_str()),
            (IntentOutcome::Unavailable, "away")
        );
        assert!(intents.next().now_or_never().is_none());
    }

    #[tokio::test]
    async fn of_what_was_sent_and_not_answered_nobody_knows() {
        let intents = Intents::new(PATIENCE);
        let mut carried = Box::pin(intents.carry(intent(1)));
        assert!((&mut carried).now_or_never().is_none());
        intents.next().await;
        assert_eq!(carried.await.outcome(), IntentOutcome::TimedOut);
    }

    #[tokio::test]
    async fn there_is_room_for_so_many_and_the_rest_is_told() {
        let intents = Intents::new(PATIENCE);
        let mut waiting: Vec<_> = (1..=2).map(|id| Box::pin(intents.carry(intent(id)))).collect();
        for it in &mut waiting {
            assert!(it.now_or_never().is_none());
        }
        assert_eq!(
            intents.carry(intent(3)).await.outcome(),
            IntentOutcome::Unavailable
        );
        assert_eq!(intents.next().await.intent_id, 1, "first come, first sent");
        drop(waiting);
        let mut carried = Box::pin(intents.carry(intent(4)));
        assert!((&mut carried).now_or_never().is_none());
        assert_eq!(intents.next().await.intent_id, 4);
    }
}
