//! The slow ring: what takes long, part by part.

use super::{Bench, PURE, end};
use crate::setup::{build, clients, kafka, needs, wheels};
use crate::testing::{Suite, TestArgs};
use anyhow::{Context, Result};

/// Property tests in the slow ring try this many cases each.
const SLOW_CASES: &str = "20000";

/// Parts of the slow ring that need no stack.
const PROPERTIES: &str = "properties, many cases";
const LONG: &str = "long tests";
const EQUAL: &str = "equal verdicts";
/// A server that speaks S3, for what jobs in SQL keep in a bucket.
const MOTO: &str = "moto[s3,server]==5.2.5";
/// Those that run on a throw-away stack, and the tests that they are.
const ON_A_STACK: [(&str, &str); 4] = [
    ("stock clients, slow ones", "clients::"),
    ("certificates and a balancer", "principals::"),
    ("frameworks", "frameworks::"),
    ("marathon of kills", "marathon::"),
];

impl Bench {
    /// Many cases for every property, and the tests that are ignored elsewhere; with `only`, the parts whose name has it.
    pub async fn slow(&mut self, suite: &mut Suite, args: &TestArgs) -> Result<()> {
        let asked = |part: &str| args.only.as_deref().is_none_or(|it| part.contains(it));
        if asked(PROPERTIES) {
            let (mut command, runner) = self.runner(&PURE);
            command.env("PROPTEST_CASES", SLOW_CASES);
            self.tests(suite, PROPERTIES, command, runner).await?;
        }
        if asked(LONG) {
            build::binaries(&self.ws, false, &self.progress).await?;
            let which = ["-p", "weir-control-plane", "-p", "weir-agent", "-p", "weir-tests"];
            let mut elsewhere = ON_A_STACK.map(|(_part, tests)| ["--skip", tests]).concat();
            // A benchmark's (`cargo xtask bench autoscaler`).
            elsewhere.extend(["--skip", "real_reaction::"]);
            let (mut command, runner) = self.ignored(&which, &elsewhere);
            let kafka_libs = kafka::fetch(&self.ws, &self.progress).await?;
            let flink_libs = kafka::flink(&self.ws, &self.progress).await?;
            let moto = wheels::venv(&self.ws, "moto", &[MOTO], "moto_server").await?;
            command
                .env("WEIR_BIN_DIR", self.ws.target.join("debug"))
                .env("WEIR_KAFKA_LIBS", kafka_libs)
                .env("WEIR_FLINK_LIBS", flink_libs)
                .env("WEIR_MOTO", moto.join("moto_server"));
            self.with_database(suite, LONG, command, runner).await?;
        }
        if asked(EQUAL) {
            let requirements = self.ws.root.join("crates/contract/tests/equal/requirements.txt");
            let python = wheels::venv_of(&self.ws, "equal", &requirements)
                .await?
                .join("python");
            let (mut command, runner) = self.ignored(&["-p", "weir-contract", "--test", "equal"], &[]);
            command.env("WEIR_EQUAL_PYTHON", python);
            self.tests(suite, EQUAL, command, runner).await?;
        }
        let parts: Vec<_> = ON_A_STACK.iter().filter(|(part, _tests)| asked(part)).collect();
        if parts.is_empty() {
            return Ok(());
        }
        let (stack, held) = self.stack(suite).await?;
        if held {
            let frameworks = kafka::frameworks(&self.ws, &self.progress).await?;
            let flink_libs = kafka::flink(&self.ws, &self.progress).await?;
            let (ws, tools, kafka_libs) = (&self.ws, &self.tools, &stack.kafka_libs);
            let tools = clients::heavy(ws, tools, kafka_libs, &frameworks, &flink_libs).await?;
            for (part, tests) in parts {
                let (mut command, runner) = self.ignored(&["-p", "weir-tests", "--test", "e2e"], &[tests]);
                command
                    .env("WEIR_E2E_CONNECTION", stack.state.root.join("connection.json"))
                    .env("WEIR_MARATHON_MINUTES", args.minutes.to_string())
                    .env("WEIR_HAPROXY", needs::haproxy().context("find haproxy")?)
                    .envs(tools.iter().map(|(name, path)| (name, path)));
                self.tests(suite, part, command, runner).await?;
            }
        }
        end(&stack, suite.held()).await
    }
}
