//! Questions to the attached gateways: asked of all of them at once, answered by those that are there in time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use weir_proto::agent::v1::{Connection, ConnectionsAnswer, ConnectionsQuestion};
use weir_proto::lane::v1::{ConnectionsAsk, ConnectionsTold};

/// A gateway that takes longer is left out; whoever asks sees that something is missing.
const PATIENCE: Duration = Duration::from_secs(2);
/// Questions that wait for one gateway.
const WAITING_MAX: usize = 64;
/// Connections of one answer, of all gateways together.
const PAGE_MAX: usize = 1000;

/// Who can be asked.
#[derive(Debug, Default)]
pub struct Questions {
    last: AtomicU64,
    gateways: Mutex<BTreeMap<u64, mpsc::Sender<ConnectionsAsk>>>,
    waiting: Mutex<BTreeMap<(u64, u64), oneshot::Sender<ConnectionsAnswer>>>,
}

/// One gateway's end; leaves when dropped.
#[derive(Debug)]
pub struct Listener {
    questions: Arc<Questions>,
    session: u64,
    asked: mpsc::Receiver<ConnectionsAsk>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.questions.gateways().remove(&self.session);
        self.questions
            .waiting()
            .retain(|(session, _ask), _reply| *session != self.session);
    }
}

impl Listener {
    /// The next question for this gateway.
    pub async fn next(&mut self) -> Option<ConnectionsAsk> {
        self.asked.recv().await
    }

    /// The gateway's answer goes to who asked; one that nobody waits for is dropped.
    pub fn told(&self, told: ConnectionsTold) {
        let reply = self.questions.waiting().remove(&(self.session, told.ask_id));
        if let Some(reply) = reply {
            let _gave_up = reply.send(told.answer.unwrap_or_default());
        }
    }
}

impl Questions {
    fn gateways(&self) -> MutexGuard<'_, BTreeMap<u64, mpsc::Sender<ConnectionsAsk>>> {
        self.gateways.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<(u64, u64), oneshot::Sender<ConnectionsAnswer>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A gateway is attached.
    #[must_use]
    pub fn attach(self: &Arc<Self>) -> Listener {
        let (sender, asked) = mpsc::channel(WAITING_MAX);
        let session = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        self.gateways().insert(session, sender);
        Listener {
            questions: Arc::clone(self),
            session,
            asked,
        }
    }

    /// Asks every gateway; `None` when none is attached or none answers.
    pub async fn connections(&self, question: &ConnectionsQuestion) -> Option<ConnectionsAnswer> {
        let asked: Vec<_> = {
            let gateways = self.gateways();
            let each = gateways
                .iter()
                .map(|(session, gateway)| (*session, gateway.clone()));
            each.collect()
        };
        let answers = asked.into_iter().map(|(session, gateway)| {
            let question = question.clone();
            async move { self.one(session, &gateway, question).await }
        });
        let answers: Vec<ConnectionsAnswer> = join_all(answers).await.into_iter().flatten().collect();
        (!answers.is_empty()).then(|| merged(answers, question.limit))
    }

    async fn one(
        &self,
        session: u64,
        gateway: &mpsc::Sender<ConnectionsAsk>,
        question: ConnectionsQuestion,
    ) -> Option<ConnectionsAnswer> {
        let ask_id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let (reply, answer) = oneshot::channel();
        self.waiting().insert((session, ask_id), reply);
        let ask = ConnectionsAsk {
            ask_id,
            question: Some(question),
        };
        let answered = match gateway.try_send(ask) {
            Ok(()) => match timeout(PATIENCE, answer).await {
                Ok(Ok(answer)) => Some(answer),
                Ok(Err(_)) | Err(_) => None,
            },
            Err(_full_or_gone) => None,
        };
        self.waiting().remove(&(session, ask_id));
        answered
    }
}

/// One page of all gateways' pages. Pure.
fn merged(answers: Vec<ConnectionsAnswer>, limit: u32) -> ConnectionsAnswer {
    let mut more = answers.iter().any(|it| it.more);
    let mut connections: Vec<Connection> = answers.into_iter().flat_map(|it| it.connections).collect();
    connections.sort_by(|a, b| a.id.cmp(&b.id));
    let wanted = usize::try_from(limit).unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    more |= connections.len() > wanted;
    connections.truncate(wanted);
    ConnectionsAnswer { connections, more }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(ids: &[&str], more: bool) -> ConnectionsAnswer {
        let connections = ids.iter().map(|id| Connection {
            id: (*id).to_owned(),
            ..Connection::default()
        });
        ConnectionsAnswer {
            connections: connections.collect(),
            more,
        }
    }

    #[test]
    fn pages_of_gateways_are_one_page() {
        let all = merged(vec![page(&["b.1", "b.2"], false), page(&["a.1"], false)], 9);
        assert_eq!(all, page(&["a.1", "b.1", "b.2"], false));
        let cut = merged(vec![page(&["b.1", "b.2"], false), page(&["a.1"], false)], 2);
        assert_eq!(cut, page(&["a.1", "b.1"], true));
        assert!(merged(vec![page(&["a.1"], true)], 1).more);
    }

    #[tokio::test]
    async fn every_gateway_is_asked_and_one_that_leaves_holds_nobody_up() {
        let questions = Arc::<Questions>::default();
        assert_eq!(questions.connections(&ConnectionsQuestion::default()).await, None);
        let (mut one, two) = (questions.attach(), questions.attach());
        let asking = {
            let questions = Arc::clone(&questions);
            tokio::spawn(async move {
                let question = ConnectionsQuestion {
                    cluster_id: "c".to_owned(),
                    limit: 10,
                    ..ConnectionsQuestion::default()
                };
                questions.connections(&question).await
            })
        };
        let asked = one.next().await.unwrap();
        assert_eq!(asked.question.unwrap().cluster_id, "c");
        one.told(ConnectionsTold {
            ask_id: asked.ask_id,
            answer: Some(page(&["a.1"], false)),
        });
        drop(two);
        assert_eq!(asking.await.unwrap(), Some(page(&["a.1"], false)));
        assert!(questions.waiting().is_empty());
    }
}
