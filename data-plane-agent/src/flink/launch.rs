//! How the processes of one pool's Flink are started.

use std::path::{Path, PathBuf};

use super::configuration::{FlinkPorts, Folders, LOG4J, SLOTS, Stores, config_yaml};
use super::sizes::Size;
use super::store::S3;
use crate::disk;
use crate::platform::process::Program;

/// A folder of jars and the Java that runs them.
#[derive(Debug, Clone)]
pub struct FlinkInstall {
    /// Flink's jars: `deploy/flink/pom.xml`.
    pub libs: PathBuf,
    /// The Java launcher.
    pub java: PathBuf,
    /// Where jobs keep what they remember, if not in the state folder.
    pub bucket: Option<S3>,
}

impl FlinkInstall {
    /// What Flink reaches buckets with, beside its jars.
    #[must_use]
    pub fn plugins(&self) -> PathBuf {
        self.libs.join("plugins")
    }
}

/// A process of a pool's Flink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Keeps jobs going.
    JobManager,
    /// Does their work.
    TaskManager(u32),
    /// Plans their statements.
    SqlGateway,
}

/// What Java's modules must show to Flink and its serializers.
const EXPORTS: [&str; 3] = [
    "java.rmi/sun.rmi.registry",
    "jdk.compiler/com.sun.tools.javac.api",
    "java.security.jgss/sun.security.krb5",
];
const OPENS: [&str; 12] = [
    "java.lang",
    "java.net",
    "java.io",
    "java.nio",
    "sun.nio.ch",
    "java.lang.reflect",
    "java.text",
    "java.time",
    "java.util",
    "java.util.concurrent",
    "java.util.concurrent.atomic",
    "java.util.concurrent.locks",
];

impl Part {
    /// Its name among the pool's processes.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::JobManager => "jobmanager".to_owned(),
            Self::TaskManager(number) => format!("taskmanager-{number}"),
            Self::SqlGateway => "sqlgateway".to_owned(),
        }
    }

    /// Heap and class memory: configuration does not size a JVM that is started directly.
    fn memory(self, size: Size) -> Vec<String> {
        let fixed = |metaspace: &str| ["-Xms64m", "-Xmx192m", metaspace].map(str::to_owned).to_vec();
        match self {
            Self::JobManager => fixed("-XX:MaxMetaspaceSize=128m"),
            Self::TaskManager(_) => size.jvm(),
            Self::SqlGateway => fixed("-XX:MaxMetaspaceSize=192m"),
        }
    }

    fn main(self, conf: &Path, size: Size) -> Vec<String> {
        let conf = conf.display().to_string();
        match self {
            Self::JobManager => vec![
                "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint".to_owned(),
                "--configDir".to_owned(),
                conf,
            ],
            Self::TaskManager(_) => {
                let mut all = vec![
                    "org.apache.flink.runtime.taskexecutor.TaskManagerRunner".to_owned(),
                    "--configDir".to_owned(),
                    conf,
                    format!("-Dtaskmanager.resource-id={}", self.name()),
                ];
                all.extend(size.settings());
                all
            }
            // It takes its configuration from the environment alone.
            Self::SqlGateway => vec!["org.apache.flink.table.gateway.SqlGateway".to_owned()],
        }
    }
}

/// The slots of so many TaskManagers.
#[must_use]
pub const fn slots(task_managers: u32) -> u32 {
    task_managers.saturating_mul(SLOTS)
}

/// How many TaskManagers have so many slots.
#[must_use]
pub const fn task_managers(slots: u32) -> u32 {
    slots.div_ceil(SLOTS)
}

/// Writes the configuration, if it differs from what is there. Says the files that were looked at.
///
/// # Errors
/// As the file system says.
pub fn write_configuration(
    ports: FlinkPorts,
    folders: &Folders,
    stores: &Stores,
    bucket: &[(String, String)],
) -> std::io::Result<Vec<PathBuf>> {
    let conf = folders.conf();
    let files = [
        ("config.yaml", config_yaml(ports, folders, stores, bucket)),
        ("log4j.properties", LOG4J.to_owned()),
    ];
    let mut paths = Vec::new();
    for (name, text) in files {
        let path = conf.join(name);
        if !std::fs::read(&path).is_ok_and(|it| it == text.as_bytes()) {
            disk::write_atomic(&path, text.as_bytes())?;
        }
        paths.push(path);
    }
    Ok(paths)
}

/// The program of a part; TaskManagers come in sizes. `pool` is part of the child's name, `user` the OS user that it runs as.
#[must_use]
pub fn program(
    (part, size): (Part, Size),
    pool: &str,
    install: &FlinkInstall,
    folders: &Folders,
    user: Option<u32>,
    log: PathBuf,
) -> Program {
    let name = part.name();
    let mut arguments: Vec<String> = [
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:CICompilerCount=1",
        "-Xss512k",
        "-XX:+ExitOnOutOfMemoryError",
    ]
    .map(str::to_owned)
    .to_vec();
    arguments.extend(part.memory(size));
    for module in EXPORTS {
        arguments.push(format!("--add-exports={module}=ALL-UNNAMED"));
    }
    for package in OPENS {
        arguments.push(format!("--add-opens=java.base/{package}=ALL-UNNAMED"));
    }
    let conf = folders.conf();
    arguments.push(format!("-Djava.io.tmpdir={}", folders.scratch().display()));
    arguments.push(format!(
        "-Dlog.file={}",
        folders.logs().join(format!("{name}.log")).display()
    ));
    arguments.push(format!(
        "-Dlog4j.configurationFile=file:{}",
        conf.join("log4j.properties").display()
    ));
    arguments.push("-cp".to_owned());
    arguments.push(install.libs.join("*").display().to_string());
    arguments.extend(part.main(&conf, size));
    let folder = |name: &str| folders.root().join(name).display().to_string();
    let environment = [
        ("FLINK_CONF_DIR", conf.display().to_string()),
        ("FLINK_LIB_DIR", install.libs.display().to_string()),
        ("FLINK_OPT_DIR", folder("opt")),
        (
            "FLINK_PLUGINS_DIR",
            match install.bucket {
                Some(_) => install.plugins().display().to_string(),
                None => folder("plugins"),
            },
        ),
    ];
    Program {
        name: format!("{pool}-{name}"),
        executable: install.java.clone(),
        arguments,
        environment: environment.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        log,
        tag: folders.root().join(&name).display().to_string(),
        user,
        ..Program::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::sizes::size_of;
    use super::*;

    #[test]
    fn no_secret_stands_on_a_command_line() {
        let folder = tempfile::tempdir().unwrap();
        let folders = Folders::below(folder.path());
        disk::private_folder(&folders.conf()).unwrap();
        let stores = Stores {
            key: "k".into(),
            trust: "t".into(),
            password: "hush-hush".to_owned(),
        };
        let bucket = [("s3.secret-key".to_owned(), "hush-hush-hush".to_owned())];
        let files = write_configuration(FlinkPorts::free().unwrap(), &folders, &stores, &bucket).unwrap();
        let text = std::fs::read_to_string(&files[0]).unwrap();
        assert!(text.contains("hush-hush\"") && text.contains("s3.secret-key: \"hush-hush-hush\""));
        let mode = std::os::unix::fs::MetadataExt::mode(&files[0].metadata().unwrap());
        assert_eq!(mode & 0o777, 0o600);
        let install = FlinkInstall {
            libs: "/libs".into(),
            java: "java".into(),
            bucket: None,
        };
        for part in [Part::JobManager, Part::TaskManager(1), Part::SqlGateway] {
            let program = program((part, size_of(1)), "pool", &install, &folders, None, "log".into());
            let told = format!("{:?} {:?}", program.arguments, program.environment);
            assert!(!told.contains("hush-hush"), "{told}");
            assert!(told.contains("/libs/*"));
        }
        assert_eq!(
            (task_managers(1), task_managers(2), task_managers(3), slots(2)),
            (1, 1, 2, 4)
        );
    }
}
