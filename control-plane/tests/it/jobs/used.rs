//! Topics know the jobs over them: in what refuses their end, in plans of contracts, in lineage.

use serde_json::{Value, json};

use super::World;
use crate::streams::id;

#[tokio::test]
async fn a_topic_that_a_job_uses_stays() {
    let world = World::make().await;
    let job = format!("/v1/jobs/{}", id(&world.job().await));
    for (topic, does) in [
        (&world.made.topic, "reads it"),
        (&world.out, "writes it"),
        (&world.dead, "dead-letter topic"),
    ] {
        let path = format!("/v1/topics/{topic}");
        let problem = world.admin.delete(&path).await.expect_problem(409, "in_use");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("approve") && detail.contains(does), "{detail}");
        world.get(&path).await;
    }
    world.admin.delete(&job).await.expect(204);
    world
        .admin
        .delete(&format!("/v1/topics/{}", world.out))
        .await
        .expect(204);
}

#[tokio::test]
async fn a_plan_of_a_contract_names_the_jobs_that_it_meets() {
    let world = World::make().await;
    let job = world.job().await;
    let takes = json!({"spec": {"contract": {"enforcement": "SHADOW"}}});
    let topic = format!("/v1/topics/{}", world.made.topic);
    world.admin.patch(&topic, &takes).await.expect(200);
    let contract = json!({"spec": {"environment": world.made.environment, "subject": "payments-value",
        "schema": json!({"type": "record", "name": "Payment", "fields": [{"name": "amount", "type": "long"}]}).to_string()}});
    let plan = world
        .admin
        .post("/v1/contracts?dry_run=true", &contract)
        .await
        .expect(200);
    let met = &plan["impact"]["jobs"];
    assert_eq!(met.as_array().map(Vec::len), Some(1), "{plan:#}");
    assert_eq!(
        (
            &met[0]["job_id"],
            &met[0]["name"],
            &met[0]["topic_id"],
            &met[0]["part"]
        ),
        (
            &job["id"],
            &json!("approve"),
            &json!(world.made.topic),
            &json!("SOURCE")
        )
    );
}

#[tokio::test]
async fn a_job_is_drawn_between_its_topics() {
    let world = World::make().await;
    let job = world.job().await;
    let edges = |lineage: &Value| -> Vec<(String, String, String)> {
        let nodes = lineage["nodes"].as_array().unwrap();
        let name = |id: &Value| {
            let node = nodes
                .iter()
                .find(|it| it["id"] == *id)
                .expect("a node of each edge");
            node["name"].as_str().unwrap().to_owned()
        };
        let edges = lineage["edges"].as_array().unwrap().iter();
        edges
            .map(|it| {
                (
                    name(&it["from"]),
                    it["kind"].as_str().unwrap().to_owned(),
                    name(&it["to"]),
                )
            })
            .collect()
    };
    // Around any of its topics, all of them are seen.
    for around in [
        format!("cluster_id={}", world.made.cluster),
        format!("topic_id={}", world.out),
    ] {
        let lineage = world.get(&format!("/v1/lineage?{around}")).await;
        let drawn = edges(&lineage);
        for (from, kind, to) in [
            ("payments", "CONSUMES", "approve"),
            ("approve", "PRODUCES", "approved"),
            ("approve", "DEAD_LETTERS", "dead"),
        ] {
            let edge = (from.to_owned(), kind.to_owned(), to.to_owned());
            assert!(drawn.contains(&edge), "{around}: {edge:?} is not in {lineage:#}");
        }
        let nodes = lineage["nodes"].as_array().unwrap();
        let node = nodes.iter().find(|it| it["kind"] == "JOB").expect("the job");
        assert_eq!(
            (&node["object_id"], &node["detail"]),
            (&job["id"], &json!("RUNNING"))
        );
    }
}
