//! The life of a pool and a job, its versions, and who is in the way of their end.

use serde_json::json;

use super::World;
use crate::streams::id;

#[tokio::test]
async fn a_pool_lives_and_ends() {
    let world = World::make().await;
    let path = format!("/v1/compute-pools/{}", world.pool);
    let pool = world.get(&path).await;
    assert_eq!(pool["metadata"]["resource_name"], "compute_pool=steady");
    assert_eq!(
        (&pool["status"]["phase"], &pool["status"]["reason"]),
        (&json!("PENDING"), &json!("WAITING_FOR_AGENT"))
    );
    assert_eq!(
        (&pool["status"]["jobs"], &pool["status"]["units_used"]),
        (&json!(0), &json!(0))
    );
    let wider = json!({"spec": {"max_units": 6}, "metadata": {"labels": {"team": "cards"}}});
    let stale = world.admin.clone().with("If-Match", "\"9\"");
    stale.patch(&path, &wider).await.expect_problem(412, "moved");
    let plan = world
        .admin
        .patch(&format!("{path}?dry_run=true"), &wider)
        .await
        .expect(200);
    assert_eq!(plan["changes"][0]["after"]["spec"]["max_units"], 6, "{plan}");
    let changed = world.admin.patch(&path, &wider).await.expect(200);
    assert_eq!(changed["metadata"]["generation"], 2, "a plan changed nothing");
    for (spec, pointer) in [
        (json!({"name": "other"}), "/spec/name"),
        (json!({"data_plane": world.made.pool}), "/spec/data_plane"),
        (json!({"max_units": 0}), "/spec/max_units"),
        (json!({"max_units": 1001}), "/spec/max_units"),
    ] {
        let problem = world
            .admin
            .patch(&path, &json!({"spec": spec}))
            .await
            .expect_problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    let again = json!({"spec": {"data_plane": world.made.data_plane, "name": "steady"}});
    let taken = world.admin.post("/v1/compute-pools", &again).await;
    taken.expect_problem(409, "name_taken");
    let developer = world.bench.member(&world.tenant, "DEVELOPER").await;
    developer
        .post("/v1/compute-pools", &again)
        .await
        .expect_problem(403, "denied");
    let list = format!("/v1/compute-pools?data_plane={}", world.made.data_plane);
    assert_eq!(world.get(&list).await["data"][0]["id"], world.pool.as_str());

    let job = format!("/v1/jobs/{}", id(&world.job().await));
    assert_eq!(world.get(&path).await["status"]["jobs"], 1);
    world.admin.delete(&path).await.expect_problem(409, "in_use");
    world.admin.delete(&job).await.expect(204);
    world.admin.delete(&path).await.expect(204);
    world.admin.get(&path).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn a_job_lives_and_ends() {
    let world = World::make().await;
    let plan = world
        .admin
        .post("/v1/jobs?dry_run=true", &world.spec())
        .await
        .expect(200);
    assert_eq!(plan["changes"][0]["action"], "create", "{plan}");
    assert_eq!(
        world.get("/v1/jobs").await["data"],
        json!([]),
        "a plan made nothing"
    );
    let made = world.job().await;
    let path = format!("/v1/jobs/{}", id(&made));
    assert_eq!(
        made["metadata"]["resource_name"],
        "environment=prod/cluster=cards/job=approve"
    );
    assert_eq!(made["spec"]["desired_state"], "RUNNING");
    assert_eq!(
        made["spec"]["scaling"],
        json!({"min_workers": 1, "max_workers": 1})
    );
    assert_eq!(made["spec"]["program"]["sinks"][0]["name"], "out");
    assert_eq!(
        (&made["status"]["phase"], &made["status"]["latest_version"]),
        (&json!("PENDING"), &json!(1))
    );
    for (filter, found) in [
        (format!("cluster={}", world.made.cluster), 1),
        (format!("compute_pool={}", world.pool), 1),
        ("cluster=cluster_00000000000000000000000000".to_owned(), 0),
    ] {
        let list = world.get(&format!("/v1/jobs?{filter}")).await;
        assert_eq!(list["data"].as_array().map(Vec::len), Some(found), "{filter}");
    }
    let taken = world.admin.post("/v1/jobs", &world.spec()).await;
    taken.expect_problem(409, "name_taken");

    // What it runs in, for whom, and over what, cannot go before it.
    for other in [
        format!("/v1/compute-pools/{}", world.pool),
        format!("/v1/service-accounts/{}", world.account),
        format!("/v1/clusters/{}", world.made.cluster),
        format!("/v1/data-planes/{}", world.made.data_plane),
    ] {
        world.admin.delete(&other).await.expect_problem(409, "in_use");
    }
    let protect = json!({"spec": {"deletion_protection": true}});
    world.admin.patch(&path, &protect).await.expect(200);
    world.admin.delete(&path).await.expect_problem(409, "protected");
    let open = json!({"spec": {"deletion_protection": false}});
    world.admin.patch(&path, &open).await.expect(200);
    world.admin.delete(&path).await.expect(204);
    world.admin.get(&path).await.expect_problem(404, "not_found");
    let account = format!("/v1/service-accounts/{}", world.account);
    world.admin.delete(&account).await.expect(204);

    let record = world.get("/v1/audit-events?page_size=1000").await;
    let of_job = record["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["object"] == made["id"]);
    let actions: Vec<_> = of_job.map(|it| it["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["delete", "update", "update", "create"]);
    let events: Vec<String> = sqlx::query_scalar("SELECT action FROM event WHERE kind = 'Job' ORDER BY id")
        .fetch_all(&mut world.bench.database.owner().await)
        .await
        .unwrap();
    assert_eq!(events, ["create", "update", "update", "delete"]);
}

#[tokio::test]
async fn a_job_is_stopped_suspended_and_restarted() {
    let world = World::make().await;
    let made = world
        .admin
        .post("/v1/jobs", &world.with("/spec/desired_state", json!("STOPPED")))
        .await
        .expect(201);
    assert_eq!(made["spec"]["desired_state"], "STOPPED");
    let path = format!("/v1/jobs/{}", id(&made));
    let sleepy = json!({"spec": {"desired_state": "AUTO_SUSPEND"}});
    let problem = world
        .admin
        .patch(&path, &sleepy)
        .await
        .expect_problem(422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/spec/auto_suspend");
    let sleepy = json!({"spec": {"desired_state": "AUTO_SUSPEND", "auto_suspend": {"wake_lag_records": 50}}});
    let sleeps = world.admin.patch(&path, &sleepy).await.expect(200);
    assert_eq!(
        sleeps["spec"]["auto_suspend"],
        json!({"idle_after_seconds": 300, "wake_lag_records": 50, "wake_within_seconds": 30})
    );
    // Stopped for a while, it remembers when to sleep.
    let stop = json!({"spec": {"desired_state": "STOPPED"}});
    let stopped = world.admin.patch(&path, &stop).await.expect(200);
    assert_eq!(stopped["spec"]["auto_suspend"]["wake_lag_records"], 50);
    assert_eq!(
        stopped["status"]["latest_version"], 1,
        "no other program, no other version"
    );
    let before = stopped["metadata"]["generation"].as_i64().unwrap();
    let restart = format!("{path}/restart");
    world
        .admin
        .post(&format!("{restart}?dry_run=true"), &json!({}))
        .await
        .expect(200);
    let restarted = world.admin.post(&restart, &json!({})).await.expect(200);
    assert_eq!(restarted["metadata"]["generation"], before + 1);
    let nonce: i64 = sqlx::query_scalar("SELECT restart_nonce FROM job")
        .fetch_one(&mut world.bench.database.owner().await)
        .await
        .unwrap();
    assert_eq!(nonce, 1);
}

#[tokio::test]
async fn a_version_is_kept_and_can_run_again() {
    let world = World::make().await;
    let made = world.job().await;
    let path = format!("/v1/jobs/{}", id(&made));
    let steps = json!({"spec": {"program": {"steps": [{"drop": {"fields": ["card"]}}]}}});
    let second = world.admin.patch(&path, &steps).await.expect(200);
    assert_eq!(second["status"]["latest_version"], 2);
    assert_eq!(
        second["spec"]["program"]["sinks"], made["spec"]["program"]["sinks"],
        "what a patch leaves out stays"
    );
    let alone = json!({"spec": {"program": {"dead_letter": null, "null_values": "DROP"}}});
    let third = world.admin.patch(&path, &alone).await.expect(200);
    assert!(third["spec"]["program"].get("dead_letter").is_none(), "{third}");
    assert_eq!(
        third["spec"]["program"]["steps"],
        second["spec"]["program"]["steps"]
    );
    // Its dead-letter topic is free again.
    world
        .admin
        .delete(&format!("/v1/topics/{}", world.dead))
        .await
        .expect(204);
    let described = json!({"spec": {"description": "Lets the large ones through.", "priority": 9}});
    let same = world.admin.patch(&path, &described).await.expect(200);
    assert_eq!(same["status"]["latest_version"], 3);

    let first_page = world.get(&format!("{path}/versions?page_size=2")).await;
    let numbers = |page: &serde_json::Value| -> Vec<i64> {
        page["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["version"].as_i64().unwrap())
            .collect()
    };
    assert_eq!(numbers(&first_page), [3, 2]);
    assert_eq!(first_page["data"][0]["keeps_state"], true);
    let token = first_page["metadata"]["next_page_token"]
        .as_str()
        .expect("another page");
    let second_page = world
        .get(&format!("{path}/versions?page_size=2&page_token={token}"))
        .await;
    assert_eq!(numbers(&second_page), [1]);
    assert!(second_page["metadata"].get("next_page_token").is_none());
    let first = &second_page["data"][0];
    assert_eq!(
        (&first["program"], &first["keeps_state"]),
        (&made["spec"]["program"], &json!(false))
    );
    assert!(first["created_by"].as_str().unwrap().starts_with("member_"));

    let back = format!("{path}/rollback");
    // The first version's dead-letter topic is gone.
    let refused = world
        .admin
        .post(&back, &json!({"version": 1}))
        .await
        .expect_problem(422, "invalid");
    assert_eq!(refused["errors"][0]["pointer"], "/spec/program/dead_letter");
    let rolled = world.admin.post(&back, &json!({"version": 3})).await.expect(200);
    assert_eq!(rolled["status"]["latest_version"], 3, "it runs already");
    let unknown = world
        .admin
        .post(&back, &json!({"version": 9}))
        .await
        .expect_problem(422, "invalid");
    assert_eq!(unknown["errors"][0]["pointer"], "/version");
    world
        .admin
        .patch(&path, &json!({"spec": {"program": {"steps": []}}}))
        .await
        .expect(200);
    let rolled = world.admin.post(&back, &json!({"version": 3})).await.expect(200);
    assert_eq!(rolled["status"]["latest_version"], 5);
    assert_eq!(rolled["spec"]["program"], third["spec"]["program"]);
    assert_eq!(rolled["spec"]["priority"], 9, "what is no program stays");
}
