//! What all benchmarks share: programs, settings, how many pairs.

use crate::lane::{Lane, Plan};
use crate::parts::{Part, Programs, fresh};
use anyhow::Result;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// One run.
pub struct Run {
    pub programs: Programs,
    pub pairs: usize,
    pub settings: BTreeMap<String, String>,
    began: Instant,
}

impl Run {
    pub fn new(programs: Programs, pairs: usize) -> Self {
        Self {
            programs,
            pairs,
            settings: BTreeMap::new(),
            began: Instant::now(),
        }
    }

    /// Notes a setting.
    pub fn setting(&mut self, name: &str, value: impl Into<String>) {
        self.settings.insert(name.to_owned(), value.into());
    }

    /// Tells whoever watches.
    pub fn say(&self, text: &str) {
        eprintln!("{:>6.1} s  {text}", self.began.elapsed().as_secs_f64());
    }

    /// An empty folder for state.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        fresh(&self.programs.work.join(name))
    }

    /// A null broker, and a gateway before it that serves by `plan`.
    pub fn before_null(&self, name: &str, plan: impl FnOnce(&Part) -> Plan) -> Result<Bench> {
        let broker = self.programs.null_broker()?;
        let lane = Lane::open(&self.folder(&format!("lane-{name}"))?)?;
        let version = lane.publish(plan(&broker).snapshot());
        let gateway = self.programs.gateway(0, &lane)?;
        lane.obeyed(version, 1, Duration::from_secs(20))?;
        Ok(Bench {
            gateway,
            lane,
            broker,
        })
    }
}

/// A gateway before a null broker. The order of the fields is the order in which they end.
pub struct Bench {
    pub gateway: Part,
    pub lane: Lane,
    pub broker: Part,
}

/// A plan for the null broker: so many clusters, principals in each, topics in each.
pub fn null_plan(broker: &Part, clusters: usize, principals: usize, topics: usize) -> Plan {
    let topics = (0..topics).map(|at| {
        let name = format!("topic-{at}");
        let id = crate::broker::topic_id(&name);
        (name.clone(), name, id)
    });
    Plan {
        broker: broker.address,
        username: "null".to_owned(),
        password: "null".to_owned(),
        clusters,
        principals,
        topics: topics.collect(),
        quotas: Vec::new(),
    }
}
