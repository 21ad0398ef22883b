//! What a reader of the terminal takes away: what was done, where things are, and commands to paste.

use super::kafka::StockClients;
use crate::progress::{Progress, seconds};
use crate::stack::{OPERATOR, Stack};
use crate::story::directory::{PAYMENTS_ADMIN, RISK_ADMIN};
use anyhow::Result;

/// Prints the table.
pub fn print(stack: &Stack, progress: &Progress) -> Result<()> {
    let done = progress.finished();
    let width = done.iter().map(|it| it.title.chars().count()).max().unwrap_or(0);
    println!("\nDone in {}", seconds(progress.elapsed()));
    for step in &done {
        let pad = " ".repeat(width - step.title.chars().count());
        println!(
            "  {}{pad}  {:>9}  {}",
            step.title,
            seconds(step.took),
            step.detail
        );
    }
    let url = stack.url();
    println!("\nAddresses");
    row("console", &format!("{url}/"));
    row("API documentation", &format!("{url}/docs"));
    row("OpenAPI", &format!("{url}/openapi.json"));
    row("Kafka bootstrap", &format!("127.0.0.1:{}", stack.ports().agent()));
    row(
        "inside endpoint",
        &format!("https://127.0.0.1:{}/", stack.ports().inside()),
    );
    row(
        "logs",
        &format!(
            "{} and below {}",
            stack.state.logs().display(),
            stack.state.agent().display()
        ),
    );

    println!("\nSign in");
    let secrets = &stack.settings.secrets;
    for (email, name, who) in [
        (OPERATOR, "operator", "operates the installation"),
        (
            PAYMENTS_ADMIN,
            "member.payments",
            "administers payments: begin here",
        ),
        (RISK_ADMIN, "member.risk", "administers risk"),
    ] {
        if let Some(password) = secrets.get(name) {
            row(email, &format!("{password}  {who}"));
        }
    }
    if secrets.contains_key("key.payments.password") {
        commands(stack);
    }
    Ok(())
}

fn row(name: &str, value: &str) {
    println!("  {name:<34} {value}");
}

/// Commands that work when pasted into another terminal.
fn commands(stack: &Stack) {
    let clients = StockClients {
        libs: stack.kafka_libs.clone(),
        java: stack.tools.java.clone(),
        logging: stack.ws.root.join("deploy/kafka/clients-log4j2.properties"),
        folder: stack.state.clients(),
    };
    let (kcat, java) = (clients.kcat_file("payments"), clients.java_file("payments"));
    println!("\nPaste into another terminal (kcat, SASL/PLAIN)");
    println!("  echo 'hello' | kcat -F '{}' -P -t payments", kcat.display());
    println!("  kcat -q -F '{}' -C -t payments -o -5 -e", kcat.display());
    println!("\nThe same by Kafka's console tools (SCRAM-SHA-256)");
    let tool = |class: &str, end: &str| {
        println!(
            "  '{}' -Dlog4j2.configurationFile='file:{}' -cp '{}/*' org.apache.kafka.tools.{class} \\\n    \
             --bootstrap-server 127.0.0.1:{} --command-config '{}' --topic payments{end}",
            clients.java.display(),
            clients.logging.display(),
            clients.libs.display(),
            stack.ports().agent(),
            java.display()
        );
    };
    tool("ConsoleProducer", "");
    tool(
        "consumer.ConsoleConsumer",
        " --group mine --from-beginning --max-messages 5",
    );
}
