//! Questions on their way to an agent, and who waits for the answers.

use std::collections::HashMap;
use std::time::Instant;

use chrono::Utc;
use tokio::sync::oneshot;
use weir_proto::agent::v1::{Answer, Ask};

use crate::kernel::DataPlaneId;
use crate::runtime::agents::Asked;

/// Questions under way in one session.
pub(super) const PENDING_MAX: usize = 64;

/// A question that an agent's clock finds this old is not answered; clocks differ.
const CLOCKS_DIFFER_SECONDS: i64 = 300;

/// The questions of one session.
#[derive(Debug, Default)]
pub(super) struct Asks {
    /// For whom they are signed: the data plane, and the session as the agent calls it.
    to: (String, u64),
    last: u64,
    pending: HashMap<u64, (oneshot::Sender<Answer>, Instant)>,
}

impl Asks {
    /// Those of a session that an agent began.
    pub(super) fn of(data_plane: DataPlaneId, session: u64) -> Self {
        Self {
            to: (data_plane.to_string(), session),
            ..Self::default()
        }
    }

    /// Numbers a question; `None` when too many are under way: who asked learns that it is not answered.
    pub(super) fn put(&mut self, asked: Asked, now: Instant) -> Option<Ask> {
        let Asked {
            question,
            deadline,
            reply,
        } = asked;
        // Whoever gave up left its receiver; whoever is past the deadline is about to.
        self.pending
            .retain(|_, (reply, end)| !reply.is_closed() && *end > now);
        if self.pending.len() >= PENDING_MAX {
            return None;
        }
        self.last += 1;
        self.pending.insert(self.last, (reply, now + deadline));
        let lasts = i64::try_from(deadline.as_secs()).unwrap_or(i64::MAX);
        let (data_plane_id, session) = self.to.clone();
        let deadline_ms = u32::try_from(deadline.as_millis()).unwrap_or(u32::MAX);
        Some(Ask {
            ask_id: self.last,
            deadline_ms,
            data_plane_id,
            session,
            expires_at_unix_seconds: Utc::now()
                .timestamp()
                .saturating_add(lasts)
                .saturating_add(CLOCKS_DIFFER_SECONDS),
            question: Some(question),
        })
    }

    /// Hands an answer to who asked; one that nobody waits for is dropped.
    pub(super) fn answer(&mut self, answer: Answer) {
        if let Some((reply, _)) = self.pending.remove(&answer.ask_id) {
            // The asker may have given up in this moment.
            let _gone = reply.send(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use weir_proto::agent::v1::{AnswerCode, TopicExtentQuestion, ask::Question};

    fn asked(seconds: u64) -> (Asked, oneshot::Receiver<Answer>) {
        let (reply, answer) = oneshot::channel();
        let question = Question::TopicExtent(TopicExtentQuestion::default());
        (
            Asked {
                question,
                deadline: Duration::from_secs(seconds),
                reply,
            },
            answer,
        )
    }

    #[test]
    fn an_answer_finds_its_question_once() {
        let mut asks = Asks::default();
        let (first, mut one) = asked(1);
        let (second, mut two) = asked(1);
        let now = Instant::now();
        let (first, second) = (asks.put(first, now).unwrap(), asks.put(second, now).unwrap());
        assert_ne!(first.ask_id, second.ask_id);
        let answer = |ask_id| Answer {
            ask_id,
            code: AnswerCode::Ok.into(),
            ..Answer::default()
        };
        asks.answer(answer(second.ask_id));
        asks.answer(answer(second.ask_id));
        asks.answer(answer(999));
        assert_eq!(two.try_recv().unwrap().ask_id, second.ask_id);
        assert!(one.try_recv().is_err());
    }

    #[test]
    fn pending_questions_are_bounded_and_old_ones_forgotten() {
        let mut asks = Asks::default();
        let now = Instant::now();
        let mut waiting = Vec::new();
        for _ in 0..PENDING_MAX {
            let (question, answer) = asked(1);
            assert!(asks.put(question, now).is_some());
            waiting.push(answer);
        }
        let (over, _answer) = asked(1);
        assert!(asks.put(over, now).is_none());
        let (later, _answer) = asked(1);
        assert!(asks.put(later, now + Duration::from_secs(1)).is_some());
    }
}
