//! The shape of a job that runs: its vertices, what flows between them, how many subtasks each has and may have.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::job_manager::{JobManager, Run, text};
use super::rest::{RestError, part};

/// What the sources of Kafka tables are called before the path of their table.
const KAFKA: &str = "KafkaSource-";
/// Vertices of one job that are looked at.
const VERTICES_MAX: usize = 1000;

/// A job, looked at closely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// How it is.
    pub run: Run,
    /// Its vertices, in the order of the data.
    pub vertices: Vec<Vertex>,
}

/// A vertex of a job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vertex {
    /// Flink's id of it: the same after each restart of one program.
    pub id: String,
    /// How many subtasks it has.
    pub parallelism: u32,
    /// The most that it can ever have; one where its work cannot be split.
    pub max_parallelism: u32,
    /// Of these, how many run.
    pub running: u32,
    /// Vertices of one group share slots.
    pub slot_group: String,
    /// The table that it reads.
    pub table: Option<String>,
    /// What flows to it.
    pub inputs: Vec<Flow>,
}

/// What flows to a vertex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// From which vertex.
    pub from: String,
    /// Records are spread by key.
    pub keyed: bool,
    /// Each subtask hands on to the one of its own number: both need as many.
    pub forward: bool,
}

impl Looked {
    /// All subtasks run.
    #[must_use]
    pub fn all_run(&self) -> bool {
        !self.vertices.is_empty() && self.vertices.iter().all(|it| it.running == it.parallelism)
    }

    /// Subtasks by vertex.
    #[must_use]
    pub fn parallelism(&self) -> BTreeMap<String, u32> {
        let all = self.vertices.iter();
        all.map(|it| (it.id.clone(), it.parallelism)).collect()
    }

    /// The subtasks that each vertex should have: as it is wished, or with as many as the widest, within what it can have. Vertices
    /// that hand on by number get the same.
    #[must_use]
    pub fn fitted(&self, wished: &BTreeMap<String, u32>, widest: u32) -> BTreeMap<String, u32> {
        let wish = |it: &Vertex| {
            let tasks = wished.get(&it.id).copied().unwrap_or(widest).min(widest);
            tasks.clamp(1, it.max_parallelism.max(1))
        };
        let mut fitted: BTreeMap<String, u32> =
            self.vertices.iter().map(|it| (it.id.clone(), wish(it))).collect();
        let forward: Vec<(&String, &String)> = self
            .vertices
            .iter()
            .flat_map(|it| it.inputs.iter().map(move |flow| (it, flow)))
            .filter(|(_it, flow)| flow.forward)
            .map(|(it, flow)| (&it.id, &flow.from))
            .collect();
        // Chains are short: as many rounds as there are links reach every end.
        for _round in 0..forward.len() {
            for (to, from) in &forward {
                let (a, b) = (fitted.get(*to).copied(), fitted.get(*from).copied());
                if let (Some(a), Some(b)) = (a, b) {
                    fitted.insert((*to).clone(), a.max(b));
                    fitted.insert((*from).clone(), a.max(b));
                }
            }
        }
        for vertex in &self.vertices {
            if let Some(tasks) = fitted.get_mut(&vertex.id) {
                *tasks = (*tasks).min(vertex.max_parallelism.max(1));
            }
        }
        fitted
    }
}

impl JobManager {
    /// One job.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn job(&self, id: &str) -> Result<Looked, RestError> {
        let answer = self.rest.get(&format!("/jobs/{}", part(id)?)).await?;
        let vertices = answer["vertices"].as_array().ok_or(RestError::Unreadable)?;
        let nodes = answer["plan"]["nodes"].as_array();
        let flows: BTreeMap<&str, Vec<Flow>> = nodes
            .into_iter()
            .flatten()
            .filter_map(|node| Some((node["id"].as_str()?, flows(node))))
            .collect();
        let vertices = vertices.iter().take(VERTICES_MAX).map(|vertex| {
            let id = part(text(vertex, "id")?)?;
            Ok(Vertex {
                id: id.to_owned(),
                parallelism: count(&vertex["parallelism"]),
                max_parallelism: count(&vertex["maxParallelism"]),
                running: count(&vertex["tasks"]["RUNNING"]),
                slot_group: vertex["slotSharingGroupId"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                table: vertex["name"].as_str().and_then(table),
                inputs: flows.get(id).cloned().unwrap_or_default(),
            })
        });
        Ok(Looked {
            run: Run::read(text(&answer, "state")?),
            vertices: vertices.collect::<Result<_, RestError>>()?,
        })
    }

    /// Gives each vertex of a job between one subtask and as many as are said, while it runs; others keep what they have. Asks for
    /// nothing that is asked for already.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn rescale(&self, id: &str, parallelism: &BTreeMap<String, u32>) -> Result<(), RestError> {
        let path = format!("/jobs/{}/resource-requirements", part(id)?);
        let held = self.rest.get(&path).await?;
        let vertices = held.as_object().ok_or(RestError::Unreadable)?;
        let wish: Map<String, Value> = vertices
            .iter()
            .map(|(vertex, bounds)| {
                let wished = parallelism
                    .get(vertex)
                    .map(|most| json!({"parallelism": {"lowerBound": 1, "upperBound": (*most).max(1)}}));
                (vertex.clone(), wished.unwrap_or_else(|| bounds.clone()))
            })
            .collect();
        if wish == *vertices {
            return Ok(());
        }
        self.rest.put(&path, &Value::Object(wish)).await.map(drop)
    }
}

fn count(it: &Value) -> u32 {
    it.as_u64().and_then(|it| u32::try_from(it).ok()).unwrap_or(0)
}

fn flows(node: &Value) -> Vec<Flow> {
    let inputs = node["inputs"].as_array().into_iter().flatten();
    let flow = |input: &Value| {
        let strategy = input["ship_strategy"].as_str().unwrap_or_default();
        Some(Flow {
            from: input["id"].as_str()?.to_owned(),
            keyed: strategy == "HASH",
            forward: strategy == "FORWARD",
        })
    };
    inputs.filter_map(flow).collect()
}

/// The table that a vertex reads, by its name: `Source: KafkaSource-default_catalog.default_database.payments -> payments[1] -> ..`,
/// or `Source: payments[1] -> ..`.
fn table(name: &str) -> Option<String> {
    let reads = name.strip_prefix("Source: ")?;
    let first = reads.split(" -> ").next().unwrap_or(reads);
    if let Some(path) = first.strip_prefix(KAFKA) {
        let name = path.rsplit('.').next().unwrap_or(path);
        return Some(name.to_owned());
    }
    let table = first.rsplit_once('[').map_or(first, |(table, _number)| table);
    Some(table.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vertex(id: &str, max_parallelism: u32, from: Option<(&str, bool)>) -> Vertex {
        let flow = |(from, forward): (&str, bool)| Flow {
            from: from.to_owned(),
            keyed: !forward,
            forward,
        };
        Vertex {
            id: id.to_owned(),
            parallelism: 1,
            max_parallelism,
            running: 1,
            inputs: from.map(flow).into_iter().collect(),
            ..Vertex::default()
        }
    }

    fn counts(all: &[(&str, u32)]) -> BTreeMap<String, u32> {
        all.iter().map(|(id, tasks)| ((*id).to_owned(), *tasks)).collect()
    }

    #[test]
    fn a_vertex_gets_what_it_is_wished_and_can_have() {
        let job = Looked {
            run: Run::Running,
            vertices: vec![
                vertex("a", 128, None),
                vertex("b", 128, Some(("a", false))),
                vertex("c", 128, Some(("b", true))),
                vertex("d", 1, Some(("c", false))),
            ],
        };
        assert!(job.all_run());
        let wished = counts(&[("a", 3), ("b", 2), ("c", 4)]);
        // c takes from b by number; d cannot be split; nothing is wider than there is room for.
        let fitted = job.fitted(&wished, 4);
        assert_eq!(fitted, counts(&[("a", 3), ("b", 4), ("c", 4), ("d", 1)]));
        let other = counts(&[("b", 4), ("c", 2)]);
        assert_eq!(job.fitted(&other, 4)["c"], 4, "whoever of the two is the wider");
        assert_eq!(
            job.fitted(&wished, 2),
            counts(&[("a", 2), ("b", 2), ("c", 2), ("d", 1)])
        );
        assert_eq!(
            job.fitted(&BTreeMap::new(), 3),
            counts(&[("a", 3), ("b", 3), ("c", 3), ("d", 1)])
        );
    }

    #[test]
    fn a_source_is_known_by_its_name() {
        assert_eq!(
            table("Source: payments[1] -> Calc[2]").as_deref(),
            Some("payments")
        );
        assert_eq!(table("Source: odd [name][17]").as_deref(), Some("odd [name]"));
        let kafka = "Source: KafkaSource-default_catalog.default_database.payments -> payments[1] -> Calc[2]";
        assert_eq!(table(kafka).as_deref(), Some("payments"));
        assert_eq!(table("GroupAggregate[4] -> o[5]: Writer"), None);
    }
}
