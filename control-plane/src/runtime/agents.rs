//! The agents connected to this process: how a room asks one a bounded question.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use weir_proto::agent::v1::{Answer, ask::Question};

use crate::kernel::{DataPlaneId, Error, Result, code};

/// A question on its way to an agent's session.
#[derive(Debug)]
pub struct Asked {
    /// What is asked.
    pub question: Question,
    /// How long the answer is wanted.
    pub deadline: Duration,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Answer>,
}

/// Sessions by data plane. A session registers itself and unregisters when its guard drops.
#[derive(Debug, Clone, Default)]
pub struct Agents {
    sessions: Arc<Mutex<HashMap<DataPlaneId, mpsc::Sender<Asked>>>>,
}

/// Keeps a session registered.
#[derive(Debug)]
pub struct Registered {
    agents: Agents,
    data_plane: DataPlaneId,
    sender: mpsc::Sender<Asked>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut sessions = self
            .agents
            .sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // A newer session of the same data plane may stand here by now.
        if sessions
            .get(&self.data_plane)
            .is_some_and(|held| held.same_channel(&self.sender))
        {
            sessions.remove(&self.data_plane);
        }
    }
}

impl Agents {
    /// Puts a session in place of an older one.
    #[must_use]
    pub fn register(&self, data_plane: DataPlaneId, sender: mpsc::Sender<Asked>) -> Registered {
        self.sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(data_plane, sender.clone());
        Registered {
            agents: self.clone(),
            data_plane,
            sender,
        }
    }

    /// Is an agent of this data plane connected to this process?
    #[must_use]
    pub fn connected(&self, data_plane: DataPlaneId) -> bool {
        self.sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(&data_plane)
    }

    /// Asks and waits for the answer, at most `deadline`.
    ///
    /// # Errors
    /// 503 when no agent of the data plane is connected here or it does not answer in time.
    pub async fn ask(
        &self,
        data_plane: DataPlaneId,
        question: Question,
        deadline: Duration,
    ) -> Result<Answer> {
        let unreachable = || {
            let detail =
                "The agent of this data plane does not answer now; its last reports are shown meanwhile.";
            Error::unavailable(code::AGENT_UNREACHABLE, detail, 5)
        };
        let session = self
            .sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&data_plane)
            .cloned()
            .ok_or_else(unreachable)?;
        let (reply, answer) = oneshot::channel();
        session
            .try_send(Asked {
                question,
                deadline,
                reply,
            })
            .map_err(|_full_or_gone| unreachable())?;
        match tokio::time::timeout(deadline, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) | Err(_) => Err(unreachable()),
        }
    }
}
