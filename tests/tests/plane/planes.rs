//! Both planes: started, killed, and started again on what they left behind.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use weir_agent::config::{KafkaInstall, Ports, Token};
use weir_agent::lane::fake::FakeGateway;
use weir_agent::platform::fake::{FakeKafka, FakeProcesses};
use weir_agent::{Agent, AgentConfig, Platform};
use weir_control_plane::kernel::{Id, kind};
use weir_control_plane::link::{self, Keys};
use weir_control_plane::resources::alert_rule::evaluate::{self, Silence};
use weir_control_plane::runtime::{App, Db, Seal, Settings};
use weir_control_plane::server::rest;
use weir_credentials::sha256;

use crate::caller::Caller;
use crate::database::{Database, TenantIds};

/// Nothing in these tests takes so long unless it is broken.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A control plane that can be killed.
pub struct ControlPlane {
    pub app: App,
    router: axum::Router,
    stop: CancellationToken,
}

/// Everything that outlives a kill: database, keys, the agent's folder, the customer's systems.
pub struct World {
    pub database: Database,
    tenant: TenantIds,
    token: String,
    keys: tempfile::TempDir,
    pub agent_state: tempfile::TempDir,
    pub kafka: FakeKafka,
    pub processes: FakeProcesses,
    pub ports: Ports,
    link: SocketAddr,
}

impl ControlPlane {
    /// Dies: streams end, nothing is said to anybody.
    pub async fn kill(self) {
        self.stop.cancel();
        self.app.stop.cancel();
        self.app.db.close().await;
    }
}

impl World {
    pub async fn begin() -> Self {
        let database = Database::create().await;
        let (token, tenant) = database.tenant_with_member("TENANT_ADMIN").await;
        let (ports, link) = free_ports();
        Self {
            database,
            tenant,
            token,
            keys: tempfile::tempdir().expect("a folder"),
            agent_state: tempfile::tempdir().expect("a folder"),
            kafka: FakeKafka::default(),
            processes: FakeProcesses::default(),
            ports,
            link,
        }
    }

    /// A control plane on this world's database and keys; its link listens where the last one did.
    pub async fn control_plane(&self) -> ControlPlane {
        let keys = Keys::load_or_create(self.keys.path(), vec!["127.0.0.1".into()]).expect("keys");
        let settings = Settings {
            public_url: "http://127.0.0.1:1".into(),
            link_public_address: self.link.to_string(),
            ca_sha256: hex(&sha256(&keys.ca.certificate())),
            token_lifetime: std::time::Duration::from_secs(900),
            seal: Seal::load_or_create(self.keys.path()).expect("a key"),
        };
        let db = Db::connect(&self.database.app_url, 5).await.expect("connect");
        let app = App::new(db, settings, Vec::new());
        let stop = CancellationToken::new();
        let listener = listen(self.link).await;
        tokio::spawn(app.wake.clone().run(app.db.clone(), stop.clone()));
        tokio::spawn(link::serve(app.clone(), keys, listener, stop.clone()));
        ControlPlane {
            router: rest::router(&app),
            app,
            stop,
        }
    }

    /// The tenant's administrator at a control plane.
    pub fn admin(&self, plane: &ControlPlane) -> Caller {
        Caller::new(plane.router.clone(), Some(self.token.clone()))
    }

    /// Looks at the tenant's alert rules once, as the control plane does every few seconds.
    pub async fn look(&self, plane: &ControlPlane) {
        evaluate::look(&plane.app, self.tenant.tenant, Silence::IsNoData)
            .await
            .expect("looked");
    }

    /// Somebody else at a control plane.
    pub fn caller(&self, plane: &ControlPlane, token: &str) -> Caller {
        Caller::new(plane.router.clone(), Some(token.to_owned()))
    }

    /// A new agent under the customer's policy if there is one.
    pub async fn agent_of(&self, plane: &ControlPlane, enrollment: &str, policy: Option<&str>) -> Agent {
        let ca_sha256 = &plane.app.settings.ca_sha256;
        self.agent(ca_sha256, Some(enrollment), policy).await
    }

    /// The agent on this world's folder. `enrollment` is needed the first time.
    pub async fn agent(
        &self,
        plane_ca_sha256: &str,
        enrollment: Option<&str>,
        policy: Option<&str>,
    ) -> Agent {
        let policy = policy.map(|text| {
            let path = self.agent_state.path().join("policy.toml");
            std::fs::write(&path, text).expect("write the policy");
            path
        });
        let mut ca_sha256 = [0_u8; 32];
        for (at, byte) in ca_sha256.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&plane_ca_sha256[2 * at..2 * at + 2], 16).expect("hex");
        }
        let config = AgentConfig {
            state_dir: self.agent_state.path().join("agent"),
            control_plane: self.link.to_string(),
            ca_sha256,
            token: enrollment.map(Token::new),
            kafka: KafkaInstall {
                libs: self.agent_state.path().to_path_buf(),
                java: "java".into(),
            },
            listen_host: "127.0.0.1".into(),
            advertised_host: "127.0.0.1".into(),
            ports: self.ports,
            usage_window: Duration::from_secs(1),
            policy,
            gateway_program: None,
            gateway_listener: weir_agent::config::GatewayListener::default(),
            flink: None,
        };
        let platform = Platform {
            kafka: Arc::new(self.kafka.clone()),
            logs: Arc::new(weir_agent::platform::fake_logs::FakeLogs::default()),
            processes: Arc::new(self.processes.clone()),
        };
        Agent::start(config, platform).await.expect("the agent starts")
    }

    /// A service account, put there without the API.
    pub async fn service_account(&self) -> String {
        let account = Id::<kind::ServiceAccount>::generate();
        sqlx::query("INSERT INTO service_account (id, tenant_id, name) VALUES ($1, $2, 'app')")
            .bind(account.uuid())
            .bind(self.tenant.tenant.uuid())
            .execute(&mut self.database.owner().await)
            .await
            .expect("insert a service account");
        account.to_string()
    }

    /// A gateway that obeys every snapshot.
    pub async fn gateway(&self, boot: u64) -> FakeGateway {
        let state = self.agent_state.path().join("agent");
        FakeGateway::attach(&state, self.ports.lane(), "gateway-1", boot, true)
            .await
            .expect("attach to the lane")
    }
}

/// A data plane, its pool, an environment, a cluster and a topic.
pub struct Made {
    pub enrollment: String,
    pub pool: String,
    pub cluster: String,
    pub topic: String,
}

pub fn id(object: &Value) -> String {
    object["id"].as_str().expect("an id").to_owned()
}

pub async fn make(admin: &Caller) -> Made {
    let data_plane = admin
        .post("/v1/data-planes", &json!({"spec": {"name": "dp"}}))
        .await
        .expect(201);
    let enrollment = data_plane["enrollment"]["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let pool = json!({"spec": {"data_plane": id(&data_plane), "name": "main"}});
    let pool = id(&admin.post("/v1/broker-pools", &pool).await.expect(201));
    let environment = id(&admin
        .post("/v1/environments", &json!({"spec": {"name": "prod"}}))
        .await
        .expect(201));
    let cluster = json!({"spec": {"environment": environment, "broker_pool": pool, "name": "cards"}});
    let cluster = id(&admin.post("/v1/clusters", &cluster).await.expect(201));
    let topic = json!({"spec": {"cluster": cluster, "name": "payments", "partitions": 3}});
    let topic = id(&admin.post("/v1/topics", &topic).await.expect(201));
    Made {
        enrollment,
        pool,
        cluster,
        topic,
    }
}

/// Reads an object again and again until it is as wanted; fails with its newest form.
pub async fn until(admin: &Caller, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + PATIENCE;
    let mut again = tokio::time::interval(Duration::from_millis(50));
    loop {
        again.tick().await;
        let now = admin.get(path).await.body;
        if wanted(&now) {
            return now;
        }
        assert!(Instant::now() < end, "{path} never became as wanted: {now:#}");
    }
}

pub fn is_ready(object: &Value) -> bool {
    object["status"]["phase"] == "READY"
}

/// The same port again, as soon as the one before let it go.
async fn listen(address: SocketAddr) -> tokio::net::TcpListener {
    let end = Instant::now() + PATIENCE;
    let mut again = tokio::time::interval(Duration::from_millis(50));
    loop {
        again.tick().await;
        match tokio::net::TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(error) => assert!(Instant::now() < end, "listen on {address}: {error}"),
        }
    }
}

/// Ports that nobody uses: for the agent, and for the agents' door. Tests run beside each other, each in a process.
fn free_ports() -> (Ports, SocketAddr) {
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let begin = u16::try_from(std::process::id() % 150).expect("below 150");
    (0..150)
        .map(|step| 24_000 + (begin + step) % 150 * 50)
        .find_map(|base| {
            let ports = Ports::above(base)?;
            let link = base + 15;
            (ports.all().into_iter().all(free) && free(link))
                .then(|| (ports, SocketAddr::from(([127, 0, 0, 1], link))))
        })
        .expect("free ports")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
