//! kcat as a plain producer and consumer.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use crate::rights::Login;
use crate::stack;

const PATIENCE: Duration = Duration::from_secs(60);

fn kcat(tenant: &str, login: &Login, arguments: &[&str]) -> Command {
    let mut command = Command::new("kcat");
    command.arg("-q").kill_on_drop(true);
    for setting in [
        format!(
            "bootstrap.servers={}",
            stack::text(&format!("/kafka/{tenant}/bootstrap"))
        ),
        "security.protocol=sasl_plaintext".to_owned(),
        "sasl.mechanisms=PLAIN".to_owned(),
        format!("sasl.username={}", login.username),
        format!("sasl.password={}", login.password),
        "topic.metadata.refresh.interval.ms=1000".to_owned(),
    ] {
        command.arg("-X").arg(setting);
    }
    command.args(arguments);
    command
}

/// Produces lines of key, tab, value.
pub async fn produce(tenant: &str, login: &Login, topic: &str, lines: &[String]) {
    let mut child = kcat(tenant, login, &["-P", "-t", topic, "-K", "\t", "-X", "acks=all"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("start kcat");
    let mut input = child.stdin.take().expect("kcat's input");
    let text = lines.iter().map(|it| format!("{it}\n")).collect::<String>();
    let fed = async {
        input.write_all(text.as_bytes()).await.expect("feed kcat");
        drop(input);
        child.wait().await.expect("kcat ends")
    };
    let status = timeout(PATIENCE, fed).await.expect("kcat is done in time");
    assert!(status.success(), "{status}");
}

/// Everything in a topic, as lines of partition, key, value; a null key is empty.
pub async fn read(tenant: &str, login: &Login, topic: &str) -> Vec<String> {
    let arguments = ["-C", "-t", topic, "-o", "beginning", "-e", "-f", "%p\t%k\t%s\n"];
    lines(kcat(tenant, login, &arguments)).await
}

/// Reads a topic to its end as a member of a group, which commits.
pub async fn read_in_group(tenant: &str, login: &Login, group: &str, topic: &str) -> usize {
    let arguments = ["-e", "-X", "auto.offset.reset=earliest", "-G", group, topic];
    lines(kcat(tenant, login, &arguments)).await.len()
}

async fn lines(mut command: Command) -> Vec<String> {
    let output = timeout(PATIENCE, command.output())
        .await
        .expect("kcat is done in time")
        .expect("kcat starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(str::to_owned).collect()
}
