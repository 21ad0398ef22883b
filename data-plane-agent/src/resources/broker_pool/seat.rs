//! What the agent chose for a pool once and keeps: its ports, Kafka's ids, and the internal principal.

use std::io;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use crate::config::Ports;
use crate::disk;
use crate::platform::kafka::PoolAddress;

const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The address that brokers listen on: only this machine's gateway and agent reach them.
pub const BROKER_HOST: &str = "127.0.0.1";

/// A pool's seat on this machine. The password never leaves it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// Which range of ports.
    pub slot: u16,
    /// How many brokers it was made with.
    pub brokers: u16,
    /// Kafka's cluster id.
    pub cluster_uuid: String,
    /// Kafka's directory id of each broker.
    pub directory_uuids: Vec<String>,
    /// The principal of agent, gateway and brokers.
    pub username: String,
    /// Its password.
    pub password: String,
}

impl std::fmt::Debug for Seat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seat")
            .field("slot", &self.slot)
            .field("brokers", &self.brokers)
            .finish_non_exhaustive()
    }
}

impl Seat {
    /// Chooses a seat.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn choose(slot: u16, brokers: u16) -> io::Result<Self> {
        Ok(Self {
            slot,
            brokers,
            cluster_uuid: kafka_uuid()?,
            directory_uuids: (0..brokers).map(|_| kafka_uuid()).collect::<io::Result<_>>()?,
            username: "weir-internal".to_owned(),
            password: random_text::<32>()?,
        })
    }

    /// Reads the seat of a pool's folder.
    ///
    /// # Errors
    /// As the file system says.
    pub fn read(folder: &Path) -> io::Result<Option<Self>> {
        disk::read_json(&folder.join("seat.json"), FILE_BYTES_MAX)
    }

    /// Stores it, readable by the owner only.
    ///
    /// # Errors
    /// As the file system says.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        disk::private_folder(folder)?;
        disk::write_json(&folder.join("seat.json"), self)
    }

    /// Where its brokers are.
    #[must_use]
    pub fn address(&self, pool_id: &str, ports: Ports) -> PoolAddress {
        let broker = |node: u16| {
            (
                i32::from(node),
                BROKER_HOST.to_owned(),
                ports.broker(self.slot, node),
            )
        };
        PoolAddress {
            pool_id: pool_id.to_owned(),
            brokers: (1..=self.brokers).map(broker).collect(),
            username: self.username.clone(),
            password: self.password.clone(),
            ..PoolAddress::default()
        }
    }
}

/// 16 random bytes as Kafka writes them; Kafka refuses those that begin with `-`.
fn kafka_uuid() -> io::Result<String> {
    loop {
        let text = random_text::<16>()?;
        if !text.starts_with('-') {
            return Ok(text);
        }
    }
}

fn random_text<const BYTES: usize>() -> io::Result<String> {
    let mut bytes = [0_u8; BYTES];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_unspecified| io::Error::other("the system gave no random numbers"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_is_kept_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let seat = Seat::choose(1, 3).unwrap();
        seat.write(folder.path()).unwrap();
        let again = Seat::read(folder.path()).unwrap().unwrap();
        assert_eq!(again, seat);
        assert_eq!(seat.cluster_uuid.len(), 22);
        let address = seat.address("pool_1", Ports::above(9650).unwrap());
        assert_eq!(address.brokers[2], (3, "127.0.0.1".to_owned(), 9676));
        for shown in [format!("{seat:?}"), format!("{address:?}")] {
            assert!(!shown.contains(&seat.password));
        }
    }
}
