//! Who coordinates which group, without listing anybody's (FindCoordinator for several keys: KIP-699).

use std::collections::BTreeMap;

use weir_kafka_wire::kafka_protocol::messages::FindCoordinatorRequest;

use super::kafka::{KafkaError, PoolAddress};
use super::kafka_real::{RealKafka, text};

const FIND_COORDINATOR: i16 = 4;
/// The key type of consumer groups.
const OF_GROUPS: i8 = 0;
const GROUPS_PER_CALL: usize = 500;

impl RealKafka {
    pub(super) async fn find_coordinators(
        &self,
        at: &PoolAddress,
        ids: &[String],
    ) -> Result<BTreeMap<String, i32>, KafkaError> {
        let mut found = BTreeMap::new();
        for page in ids.chunks(GROUPS_PER_CALL) {
            let keys = page.iter().map(|id| text(id)).collect();
            let request = FindCoordinatorRequest::default()
                .with_key_type(OF_GROUPS)
                .with_coordinator_keys(keys);
            let answer = self.call(at, None, &request, FIND_COORDINATOR).await?;
            let known = answer.coordinators.into_iter().filter(|it| it.error_code == 0);
            found.extend(known.map(|it| (it.key.as_str().to_owned(), it.node_id.0)));
        }
        Ok(found)
    }
}
