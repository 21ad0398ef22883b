//! A model of one's own, as a tenant would run it beside its data: a plain REST endpoint that says how much a payment looks like
//! fraud, and the same by chat completions, as most model servers offer them, for whoever has its key. The same payment always has the same score, and for a few the model always fails.

use crate::trouble::Trouble;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Of a request, and of each line of its head.
const BYTES_MAX: u64 = 16 * 1024;
/// How long a model thinks.
const THINKS: Duration = Duration::from_millis(5);
/// Every so many payments there is one at which the model fails.
const FAILS_EVERY: u64 = 1999;

/// What it is asked with for chat completions.
pub const KEY: &str = "sk-of-the-story";

/// The running endpoint; it ends when it is dropped.
pub struct Model {
    served: Arc<Served>,
    task: JoinHandle<()>,
}

/// What it was asked.
#[derive(Debug, Default)]
struct Served {
    requests: AtomicU64,
    now: AtomicU64,
    at_once: AtomicU64,
    /// The second that is being counted, how many came in it, and the most that came in one.
    second: Mutex<(Option<Instant>, u64, u64)>,
}

/// What it was asked, in numbers.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Requests in all.
    pub requests: u64,
    /// The most that were under way at the same time.
    pub at_once: u64,
    /// The most that came within a second.
    pub in_a_second: u64,
}

impl Model {
    /// Listens on a port of this machine alone.
    pub async fn start(port: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| {
            Trouble::new(format!("the model cannot listen on port {port}: {error}"))
                .remedy("choose other ports: `cargo xtask up --port-base 12000`")
        })?;
        let served = Arc::new(Served::default());
        let counted = Arc::clone(&served);
        let task = tokio::spawn(async move {
            while let Ok((stream, _peer)) = listener.accept().await {
                // A client that breaks off is no matter of ours.
                tokio::spawn(serve(stream, Arc::clone(&counted)));
            }
        });
        Ok(Self { served, task })
    }

    /// What it was asked so far.
    pub fn load(&self) -> Load {
        let (_since, now, most) = *self.served.second.lock().unwrap_or_else(PoisonError::into_inner);
        Load {
            requests: self.served.requests.load(Ordering::Relaxed),
            at_once: self.served.at_once.load(Ordering::Relaxed),
            in_a_second: most.max(now),
        }
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Served {
    fn begins(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.at_once.fetch_max(now, Ordering::Relaxed);
        let mut second = self.second.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count, most) = &mut *second;
        if since.is_none_or(|it| it.elapsed() >= Duration::from_secs(1)) {
            *most = (*most).max(*count);
            (*since, *count) = (Some(Instant::now()), 0);
        }
        *count += 1;
    }

    fn ends(&self) {
        self.now.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How much a payment looks like fraud, from 0 to 1: large amounts do, and some merchants.
pub fn score(cents: u64, merchant: u64) -> f64 {
    let weight = (cents as f64 - 220_000.0) / 15_000.0 + (merchant % 7) as f64 * 0.5 - 1.5;
    // To three digits, so that what is compared is the number and not its last bits.
    (1000.0 / (1.0 + (-weight).exp())).round() / 1000.0
}

/// Does the model fail at the payment of this number, whenever it is asked?
pub fn fails_at(number: u64) -> bool {
    number % FAILS_EVERY == 42
}

/// Status and body for what was asked.
fn answer(asked: &Asked) -> (u16, Value) {
    let read: Option<Value> = serde_json::from_slice(&asked.body).ok();
    let Some(chat) = read.as_ref().and_then(|it| it["messages"].as_array()) else {
        return scored(read.as_ref());
    };
    if asked.key.as_deref() != Some(format!("Bearer {KEY}").as_str()) {
        return (401, json!({"error": {"message": "the key is another"}}));
    }
    let question = chat.last().and_then(|it| it["content"].as_str());
    let question: Option<Value> = question.and_then(|it| serde_json::from_str(it).ok());
    let (status, said) = scored(question.as_ref());
    if status != 200 {
        return (status, said);
    }
    let message = json!({"role": "assistant", "content": said["score"].to_string()});
    (200, json!({"choices": [{"index": 0, "message": message}]}))
}

fn scored(asked: Option<&Value>) -> (u16, Value) {
    let Some((number, cents, merchant)) = asked.and_then(features) else {
        return (400, json!({"error": "amount, merchant and payment are wanted"}));
    };
    if fails_at(number) {
        return (500, json!({"error": "the model has no answer"}));
    }
    (200, json!({"score": score(cents, merchant)}))
}

/// The payment's number, its amount in cents, and its merchant's number.
fn features(asked: &Value) -> Option<(u64, u64, u64)> {
    let number = asked["payment"].as_str()?.rsplit_once('-')?.1.parse().ok()?;
    let (euros, cents) = asked["amount"].as_str()?.split_once('.')?;
    let cents = euros.parse::<u64>().ok()?.checked_mul(100)? + cents.parse::<u64>().ok()?;
    let merchant = asked["merchant"].as_str()?.strip_prefix('m')?.parse().ok()?;
    Some((number, cents, merchant))
}

/// One connection, request after request.
async fn serve(stream: TcpStream, served: Arc<Served>) -> Result<()> {
    stream.set_nodelay(true).context("answer at once")?;
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    while let Some(asked) = request(&mut reader).await? {
        served.begins();
        tokio::time::sleep(THINKS).await;
        let (status, said) = answer(&asked);
        let said = said.to_string();
        let text = format!(
            "HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{said}",
            said.len()
        );
        let written = writer.write_all(text.as_bytes()).await;
        served.ends();
        written.context("answer")?;
    }
    Ok(())
}

/// A request, as far as it matters.
struct Asked {
    key: Option<String>,
    body: Vec<u8>,
}

/// The next request; `None`: no more will come.
async fn request(reader: &mut BufReader<tokio::net::tcp::OwnedReadHalf>) -> Result<Option<Asked>> {
    let (mut length, mut key) = (0, None);
    for line_number in 0_u32.. {
        let mut line = String::new();
        let mut bounded = (&mut *reader).take(BYTES_MAX);
        if bounded.read_line(&mut line).await.context("read a request")? == 0 {
            return Ok(None);
        }
        if line.trim_end().is_empty() && line_number > 0 {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse::<u64>().context("read a length")?;
            } else if name.eq_ignore_ascii_case("authorization") {
                key = Some(value.trim().to_owned());
            }
        }
        anyhow::ensure!(line_number < 100 && length <= BYTES_MAX, "a request is too large");
    }
    let mut body = vec![0; usize::try_from(length)?];
    reader.read_exact(&mut body).await.context("read a body")?;
    Ok(Some(Asked { key, body }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(payment: &str) -> (u16, Value) {
        let question = json!({"payment": payment, "amount": "2300.50", "merchant": "m005"});
        put(None, &question)
    }

    fn put(key: Option<&str>, body: &Value) -> (u16, Value) {
        answer(&Asked {
            key: key.map(str::to_owned),
            body: body.to_string().into_bytes(),
        })
    }

    #[test]
    fn a_chat_says_the_same_score_to_whoever_has_the_key() {
        let question = json!({"payment": "p-3-17", "amount": "2300.50", "merchant": "m005"});
        let chat = json!({"messages": [{"role": "user", "content": question.to_string()}]});
        assert_eq!(put(None, &chat).0, 401);
        let (status, said) = put(Some("Bearer sk-of-the-story"), &chat);
        let text = said["choices"][0]["message"]["content"].as_str().unwrap();
        assert_eq!((status, text.parse()), (200, Ok(score(230_050, 5))));
        let odd = json!({"messages": [{"content": "hello"}]});
        assert_eq!(put(Some("Bearer sk-of-the-story"), &odd).0, 400);
    }

    #[test]
    fn a_payment_has_one_score_and_a_few_have_none() {
        let said = asked("p-3-17");
        assert_eq!(said, (200, json!({"score": score(230_050, 5)})));
        assert_eq!(said, asked("p-3-17"));
        assert_eq!(asked("p-3-42").0, 500);
        assert_eq!(asked("p-3-2041").0, 500);
        assert_eq!(put(None, &json!({})).0, 400);
        assert!(score(100, 0) < 0.01 && score(250_000, 6) > 0.9);
    }

    #[tokio::test]
    async fn it_answers_many_at_once_over_connections_that_stay() {
        // Nobody listens on a port that was just given back.
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let model = Model::start(port).await.unwrap();
        let ask = async |payments: std::ops::Range<u64>| {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            for number in payments {
                let body = json!({"payment": format!("p-1-{number}"), "amount": "1.00", "merchant": "m001"})
                    .to_string();
                let text = format!(
                    "POST / HTTP/1.1\r\nHost: x\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(text.as_bytes()).await.unwrap();
                let mut said = vec![0; 1000];
                let count = stream.read(&mut said).await.unwrap();
                let said = String::from_utf8_lossy(&said[..count]).into_owned();
                let status = if fails_at(number) { "500" } else { "200" };
                assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{said}");
            }
        };
        tokio::join!(ask(0..50), ask(0..50), ask(0..50));
        let load = model.load();
        assert_eq!((load.requests, load.at_once), (150, 3));
    }
}
