//! How Java is started for a broker.

use std::io;
use std::path::{Path, PathBuf};

use super::properties::{BrokerSettings, NativeListener, log4j2_properties, server_properties};
use super::seat::{BROKER_HOST, Seat};
use crate::config::{KafkaInstall, Ports};
use crate::disk;
use crate::platform::process::Program;

/// Where one pool keeps its things.
pub(super) struct Folders<'a> {
    pub(super) pool_id: &'a str,
    /// The pool's own folder.
    pub(super) pool: PathBuf,
    /// Folder of log files.
    pub(super) logs: &'a Path,
    /// How its brokers take clients themselves, if they do.
    pub(super) native: Option<&'a NativeListener>,
}

impl Folders<'_> {
    fn broker(&self, node: u16) -> PathBuf {
        self.pool.join(format!("broker-{node}"))
    }

    fn data(&self, node: u16) -> PathBuf {
        self.broker(node).join("data")
    }

    /// The name of a broker's process.
    pub(super) fn child(&self, node: u16) -> String {
        format!("{}-broker-{node}", self.pool_id)
    }

    /// Storage is formatted once; Kafka leaves this file.
    pub(super) fn is_formatted(&self, node: u16) -> bool {
        self.data(node).join("meta.properties").exists()
    }
}

/// Writes a broker's files and says how to start it, and what it is started with (a change of which restarts it).
pub(super) fn broker(
    install: &KafkaInstall,
    ports: Ports,
    seat: &Seat,
    folders: &Folders<'_>,
    node: u16,
    restart_nonce: u64,
) -> io::Result<(Program, String)> {
    let settings = write_files(ports, seat, folders, node)?;
    let log4j2 = folders.broker(node).join("log4j2.properties");
    let mut arguments = java_arguments(install, &log4j2)?;
    arguments.extend(["kafka.Kafka".to_owned(), settings.path.display().to_string()]);
    let name = folders.child(node);
    let program = Program {
        executable: install.java.clone(),
        log: folders.logs.join(format!("{name}.out")),
        tag: folders.broker(node).display().to_string(),
        arguments,
        name,
        ..Program::default()
    };
    let mut started_with = settings.text;
    started_with.push_str(&restart_nonce.to_string());
    for argument in &program.arguments {
        started_with.push('\n');
        started_with.push_str(argument);
    }
    let fingerprint = weir_credentials::hex(&weir_credentials::sha256(started_with.as_bytes()));
    Ok((program, fingerprint))
}

/// The program that formats a broker's storage.
pub(super) fn format(
    install: &KafkaInstall,
    ports: Ports,
    seat: &Seat,
    folders: &Folders<'_>,
    node: u16,
) -> io::Result<Program> {
    let settings = write_files(ports, seat, folders, node)?;
    let controllers: Vec<String> = (1..=seat.brokers)
        .zip(&seat.directory_uuids)
        .map(|(node, directory)| {
            format!(
                "{node}@{BROKER_HOST}:{}:{directory}",
                ports.controller(seat.slot, node)
            )
        })
        .collect();
    let log4j2 = folders.broker(node).join("log4j2.properties");
    let mut arguments = java_arguments(install, &log4j2)?;
    arguments.extend([
        "kafka.tools.StorageTool".to_owned(),
        "format".to_owned(),
        "--ignore-formatted".to_owned(),
        "-t".to_owned(),
        seat.cluster_uuid.clone(),
        "-c".to_owned(),
        settings.path.display().to_string(),
        "--initial-controllers".to_owned(),
        controllers.join(","),
    ]);
    let name = format!("{}-format", folders.child(node));
    Ok(Program {
        executable: install.java.clone(),
        log: folders.logs.join(format!("{name}.out")),
        tag: folders.broker(node).join("format").display().to_string(),
        arguments,
        name,
        ..Program::default()
    })
}

struct Settings {
    path: PathBuf,
    text: String,
}

fn write_files(ports: Ports, seat: &Seat, folders: &Folders<'_>, node: u16) -> io::Result<Settings> {
    let folder = folders.broker(node);
    disk::private_folder(&folder)?;
    let data = folders.data(node);
    let keystore = folder.join("client.pem");
    if let Some((chain, key)) = folders.native.and_then(|it| it.tls.as_ref()) {
        // Kafka reads key and certificates from one file, when it starts.
        let mut pem = read(key)?;
        pem.extend(read(chain)?);
        disk::write_atomic(&keystore, &pem)?;
    }
    let text = server_properties(&BrokerSettings {
        seat,
        ports,
        node,
        data: &data,
        native: folders.native.map(|it| (it, keystore.as_path())),
    });
    let path = folder.join("server.properties");
    write_if_changed(&path, &text)?;
    let log = folders.logs.join(format!("{}.log", folders.child(node)));
    write_if_changed(&folder.join("log4j2.properties"), &log4j2_properties(&log))?;
    Ok(Settings { path, text })
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    disk::read_bounded(path, 1024 * 1024)?.ok_or_else(|| io::ErrorKind::NotFound.into())
}

fn write_if_changed(path: &Path, text: &str) -> io::Result<()> {
    match disk::read_bounded(path, 1024 * 1024)? {
        Some(old) if old == text.as_bytes() => Ok(()),
        _other => disk::write_atomic(path, text.as_bytes()),
    }
}

fn java_arguments(install: &KafkaInstall, log4j2: &Path) -> io::Result<Vec<String>> {
    Ok(vec![
        "-Xms256m".to_owned(),
        "-Xmx256m".to_owned(),
        "-XX:+UseSerialGC".to_owned(),
        "-XX:TieredStopAtLevel=1".to_owned(),
        "-XX:+ExitOnOutOfMemoryError".to_owned(),
        format!("-Dlog4j2.configurationFile=file:{}", log4j2.display()),
        "-cp".to_owned(),
        java_class_path(&install.libs)?,
    ])
}

/// All jars of a folder, sorted, as one class path: the same jars in the same order give the same command.
///
/// # Errors
/// When the folder cannot be read, or holds no jar.
pub fn java_class_path(libs: &Path) -> io::Result<String> {
    let mut jars = Vec::new();
    for item in std::fs::read_dir(libs)? {
        let path = item?.path();
        if path.extension().is_some_and(|it| it == "jar") {
            jars.push(path.display().to_string());
        }
    }
    if jars.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "no jars in the folder of Kafka's libraries",
        ));
    }
    jars.sort_unstable();
    Ok(jars.join(":"))
}
