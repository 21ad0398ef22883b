//! Databases cloned from a template, and rows put there without the API, to begin a test somewhere.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::sync::OnceCell;
use uuid::Uuid;
use weir_control_plane::kernel::{Id, OrganizationId, TenantId};
use weir_control_plane::runtime::migrate;
use weir_credentials::{Secret, SecretKind};

static TEMPLATE: OnceCell<String> = OnceCell::const_new();
static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A tenant made for a test.
#[derive(Debug, Clone, Copy)]
pub struct TenantIds {
    pub organization: OrganizationId,
    pub tenant: TenantId,
}

/// One test's database.
#[derive(Clone)]
pub struct Database {
    /// As the plain application role.
    pub app_url: String,
    /// As the owner: for looking behind the API.
    pub owner_url: String,
}

fn server() -> String {
    std::env::var("WEIR_TEST_DATABASE_URL")
        .expect("WEIR_TEST_DATABASE_URL names a PostgreSQL superuser; `cargo xtask test --ring it` sets it")
}

fn with_database(url: &str, name: &str, user: Option<&str>) -> String {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (authority, _path) = rest.split_once('/').unwrap_or((rest, ""));
    let (credentials, host) = authority.split_once('@').unwrap_or(("postgres", authority));
    let credentials = user.unwrap_or(credentials);
    format!("{scheme}://{credentials}@{host}/{name}")
}

/// Every process of a test run migrates its own template: nextest runs each test in a process.
async fn template() -> &'static str {
    TEMPLATE
        .get_or_init(|| async {
            // Named after the migrations, so that one server serves many runs and each state is migrated once.
            let mut digest = String::new();
            for entry in
                std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations")).expect("migrations")
            {
                let path = entry.expect("an entry").path();
                digest.push_str(&std::fs::read_to_string(&path).unwrap_or_default());
            }
            let hash = weir_credentials::sha256(digest.as_bytes());
            let name = format!(
                "weir_template_{:02x}{:02x}{:02x}{:02x}",
                hash[0], hash[1], hash[2], hash[3]
            );
            let mut connection = PgConnection::connect(&server())
                .await
                .expect("reach the test database server");
            // One process makes it, the others wait.
            sqlx::query("SELECT pg_advisory_lock(4951)")
                .execute(&mut connection)
                .await
                .expect("lock");
            let exists: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND datistemplate)",
            )
            .bind(&name)
            .fetch_one(&mut connection)
            .await
            .expect("look for the template");
            if !exists {
                make_template(&mut connection, &name).await;
            }
            sqlx::query("SELECT pg_advisory_unlock(4951)")
                .execute(&mut connection)
                .await
                .expect("unlock");
            name
        })
        .await
}

async fn make_template(connection: &mut PgConnection, name: &str) {
    for statement in [
        format!("DROP DATABASE IF EXISTS {name}"),
        format!("CREATE DATABASE {name}"),
    ] {
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut *connection)
            .await
            .expect("create the template");
    }
    let url = with_database(&server(), name, None);
    migrate::run(&url).await.expect("migrate the template");
    migrate::grant(&url, "weir_app", Some("weir_app"))
        .await
        .expect("grant the application's role");
    let statement = format!("ALTER DATABASE {name} IS_TEMPLATE true");
    sqlx::query(AssertSqlSafe(statement))
        .execute(connection)
        .await
        .expect("mark the template");
}

impl Database {
    pub async fn create() -> Self {
        let template = template().await;
        let name = format!(
            "weir_test_{}_{}",
            std::process::id(),
            COUNTER.fetch_add(1, Ordering::Relaxed)
        );
        let mut connection = PgConnection::connect(&server())
            .await
            .expect("reach the test database server");
        for statement in [
            format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"),
        ] {
            sqlx::query(AssertSqlSafe(statement))
                .execute(&mut connection)
                .await
                .expect("clone the template");
        }
        Self {
            app_url: with_database(&server(), &name, Some("weir_app:weir_app")),
            owner_url: with_database(&server(), &name, None),
        }
    }

    pub async fn owner(&self) -> PgConnection {
        PgConnection::connect(&self.owner_url)
            .await
            .expect("connect as the owner")
    }

    /// A tenant of its own organization, and a member's session token.
    pub async fn tenant_with_member(&self, role: &str) -> (String, TenantIds) {
        let ids = TenantIds {
            organization: Id::generate(),
            tenant: Id::generate(),
        };
        let mut owner = self.owner().await;
        sqlx::query("INSERT INTO organization (id, name, display_name) VALUES ($1, $2, 'An organization')")
            .bind(ids.organization.uuid())
            .bind(format!("o{}", ids.organization.suffix()))
            .execute(&mut owner)
            .await
            .expect("insert an organization");
        sqlx::query(
            "INSERT INTO tenant (id, organization_id, name, display_name) VALUES ($1, $2, $3, 'A tenant')",
        )
        .bind(ids.tenant.uuid())
        .bind(ids.organization.uuid())
        .bind(format!("t{}", ids.tenant.suffix()))
        .execute(&mut owner)
        .await
        .expect("insert a tenant");
        (self.member(Some(&ids), role).await, ids)
    }

    /// A member with a role and a session; the answer is its token.
    pub async fn member(&self, tenant: Option<&TenantIds>, role: &str) -> String {
        let (member, token) = (
            Uuid::now_v7(),
            Secret::generate(SecretKind::Session).expect("random numbers"),
        );
        let (organization, tenant) = (
            tenant.map(|it| it.organization.uuid()),
            tenant.map(|it| it.tenant.uuid()),
        );
        let tenant = if role == "ORGANIZATION_ADMIN" {
            None
        } else {
            tenant
        };
        let email = format!("{member}@example.com");
        let mut owner = self.owner().await;
        sqlx::query("INSERT INTO member (id, organization_id, tenant_id, email, display_name, password_hash) VALUES ($1, $2, $3, $4, 'A member', '-')")
            .bind(member)
            .bind(organization)
            .bind(tenant)
            .bind(&email)
            .execute(&mut owner)
            .await
            .expect("insert a member");
        sqlx::query("INSERT INTO role_binding (id, organization_id, tenant_id, member_id, role, resource) VALUES ($1, $2, $3, $4, $5, '*')")
            .bind(Uuid::now_v7())
            .bind(organization)
            .bind(tenant)
            .bind(member)
            .bind(role)
            .execute(&mut owner)
            .await
            .expect("insert a binding");
        sqlx::query("INSERT INTO session (id, token_sha256, member_id, email, organization_id, tenant_id, expires_at) VALUES ($1, $2, $3, $4, $5, $6, now() + interval '1 hour')")
            .bind(Uuid::now_v7())
            .bind(token.sha256().as_slice())
            .bind(member)
            .bind(&email)
            .bind(organization)
            .bind(tenant)
            .execute(&mut owner)
            .await
            .expect("insert a session");
        token.reveal().to_owned()
    }
}
