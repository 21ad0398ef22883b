//! G7 and idle connections: what hostile frames and silent clients cost in memory.

use crate::client::{Client, Login};
use crate::lane::{self, SECRET};
use crate::measure::{Bar, Figure, absolute, forget_peak, memory};
use crate::run::{Bench, Run, null_plan};
use anyhow::{Context, Result};
use bytes::{BufMut as _, BytesMut};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;
use weir_kafka_wire::header::{RequestHeader, put_request};

/// Just below the limit of a frame.
const HOSTILE: usize = 96 << 20;
/// As many as one address may have before login.
const STRANGERS: usize = 250;
const SIZES: [usize; 3] = [1_000, 4_000, 9_000];

fn login(bench: &Bench) -> Login {
    Login {
        address: bench.gateway.address,
        username: lane::user(0, 0),
        password: SECRET.to_owned(),
        client_id: "bench".to_owned(),
    }
}

/// Frames of one length that no decoder may believe: (name, request, version, body's beginning, filler).
const FRAMES: [(&str, i16, i16, &[u8], u8); 4] = [
    // As many topics as 32 bits can say.
    (
        "metadata with an endless array",
        3,
        12,
        &[0xff, 0xff, 0xff, 0xff, 0x07],
        0,
    ),
    // As many topics as there are bytes.
    ("metadata full of empty names", 3, 1, &[0x05, 0xff, 0xff, 0xf0], 0),
    ("produce of noise", 0, 9, &[0, 0xff, 0xff], 0xa5),
    ("fetch full of ones", 1, 11, &[], 1),
];

/// G7.
pub fn hostile(run: &mut Run) -> Result<Vec<Figure>> {
    let mut ratios = Vec::new();
    for frame in FRAMES {
        // A gateway of its own for each: memory that the allocator kept would hide the next one's.
        let bench = run.before_null("hostile", |broker| null_plan(broker, 1, 1, 1))?;
        let ratio = one_frame(&bench, frame)?;
        run.say(&format!(
            "{}: {ratio:.2} bytes of memory per byte of the frame",
            frame.0
        ));
        ratios.push(ratio);
    }
    let bench = run.before_null("hostile", |broker| null_plan(broker, 1, 1, 1))?;
    let each = strangers(&bench)?;
    run.say(&format!("before login: {each:.0} bytes per connection"));
    let worst = ratios.iter().copied().fold(0.0, f64::max);
    let bar = |id, what, ship, goal| Bar {
        id,
        what,
        peer: "the frame",
        version: "",
        ship,
        goal,
        less: true,
    };
    let mut memory = absolute(
        bar(
            "G7.memory",
            "peak memory for the worst hostile frame of 96 MiB, per byte of it",
            Some(2.0),
            Some(2.0),
        ),
        "ratio",
        &ratios,
    );
    memory.value = worst;
    let stranger = bar(
        "G7.stranger",
        "memory per connection before login, each with a frame of 16 KiB that does not end",
        Some(65_536.0),
        Some(65_536.0),
    );
    run.setting("G7.frames", FRAMES.map(|it| it.0).join("; "));
    Ok(vec![memory, absolute(stranger, "bytes", &[each])])
}

fn one_frame(
    bench: &Bench,
    (_name, api_key, version, head, filler): (&str, i16, i16, &[u8], u8),
) -> Result<f64> {
    let pid = bench.gateway.pid();
    let mut client = Client::open(&login(bench))?;
    let header = RequestHeader {
        api_key,
        version,
        correlation_id: 1,
        client_id: None,
    };
    let mut frame = BytesMut::with_capacity(HOSTILE + 4);
    frame.put_i32(i32::try_from(HOSTILE)?);
    put_request(&mut frame, &header);
    frame.extend_from_slice(head);
    frame.resize(HOSTILE + 4, filler);
    let before = memory(pid, "VmRSS")?;
    forget_peak(pid)?;
    // It may close before the end.
    let _refused = client.stream.write_all(&frame);
    let mut rest = Vec::new();
    client.stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let _closed = client.stream.read_to_end(&mut rest);
    let peak = memory(pid, "VmHWM")?;
    Client::open(&login(bench)).context("the gateway serves on after a hostile frame")?;
    Ok((peak - before).max(0.0) / HOSTILE as f64)
}

fn strangers(bench: &Bench) -> Result<f64> {
    let pid = bench.gateway.pid();
    // Once before: what the first connections make the process load stays.
    drop(Client::open(&login(bench))?);
    let before = memory(pid, "VmRSS")?;
    let mut held = Vec::new();
    for _one in 0..STRANGERS {
        let mut stream = TcpStream::connect(bench.gateway.address)?;
        let length: i32 = 16 * 1024;
        let mut frame = length.to_be_bytes().to_vec();
        // All but the last byte.
        frame.resize(4 + 16 * 1024 - 1, 0);
        stream.write_all(&frame)?;
        held.push(stream);
    }
    std::thread::sleep(Duration::from_secs(1));
    let after = memory(pid, "VmRSS")?;
    Ok((after - before).max(0.0) / held.len() as f64)
}

/// Memory per idle connection that is logged in: the slope over three sizes.
pub fn idle(run: &mut Run) -> Result<Vec<Figure>> {
    let bench = run.before_null("idle", |broker| null_plan(broker, 1, 1, 1))?;
    let pid = bench.gateway.pid();
    let login = login(&bench);
    let mut held: Vec<Client> = Vec::new();
    let mut points = vec![(0.0, memory(pid, "VmRSS")?)];
    for size in SIZES {
        while held.len() < size {
            let mut client =
                Client::open(&login).with_context(|| format!("connection {}", held.len() + 1))?;
            // One that has worked, not one that only knocked.
            client.topic("topic-0")?;
            held.push(client);
        }
        std::thread::sleep(Duration::from_secs(3));
        let used = memory(pid, "VmRSS")?;
        run.say(&format!(
            "{size} idle connections: {:.1} MiB",
            used / f64::from(1 << 20)
        ));
        points.push((size as f64, used));
    }
    let pairs: Vec<f64> = points
        .windows(2)
        .map(|it| (it[1].1 - it[0].1) / (it[1].0 - it[0].0))
        .collect();
    let slope = slope(&points);
    let what = "memory per idle connection, logged in, plain text: slope over 0, 1,000, 4,000 and 9,000";
    let mut figure = absolute(
        Bar {
            id: "idle.connection",
            what,
            peer: "",
            version: "",
            ship: None,
            goal: None,
            less: true,
        },
        "bytes",
        &pairs,
    );
    figure.value = slope;
    run.setting(
        "idle.descriptors",
        "each connection has two descriptors in the gateway: the client's and the broker's",
    );
    Ok(vec![figure])
}

/// Least squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean_x = points.iter().map(|it| it.0).sum::<f64>() / count;
    let mean_y = points.iter().map(|it| it.1).sum::<f64>() / count;
    let above: f64 = points.iter().map(|it| (it.0 - mean_x) * (it.1 - mean_y)).sum();
    above / points.iter().map(|it| (it.0 - mean_x).powi(2)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_slope() {
        assert!((slope(&[(0.0, 5.0), (1.0, 8.0), (3.0, 14.0)]) - 3.0).abs() < 1e-9);
    }
}
