//! As much of Apicurio's registry as Kroxylicious' record validation asks for: the text of one schema, which has no
//! references. So its schema check is measured, and not a registry.

use anyhow::{Context, Result};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// Longer requests are not answered.
const LINES_MAX: usize = 100;

/// Serves until the process ends; where.
pub fn serve(schema: &str) -> Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("listen as a registry")?;
    let address = listener.local_addr().context("listen as a registry")?;
    let schema: Arc<str> = schema.into();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let schema = Arc::clone(&schema);
            std::thread::spawn(move || {
                if let Err(error) = converse(stream, &schema) {
                    eprintln!("registry: {error:#}");
                }
            });
        }
    });
    Ok(address)
}

fn converse(mut stream: TcpStream, schema: &str) -> Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut lines = BufReader::new(stream.try_clone()?).lines().take(LINES_MAX);
    let asked = lines.next().context("a request without a line")??;
    // Its headers, to the empty line.
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let body = if asked.contains("/references") {
        "[]"
    } else {
        schema
    };
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Registry-ArtifactType: JSON\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    Ok(())
}
