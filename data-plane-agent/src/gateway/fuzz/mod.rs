//! Whatever strangers, clients and brokers send, as functions of bytes: for the fuzzer (`fuzz/`) and for the replay of
//! its corpus. Each must return: no panic, no endless loop, no more memory than the bounds allow.

mod sample;

use std::cell::RefCell;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt as _;
use kafka_protocol::messages::{ApiKey, RequestKind, ResponseKind};
use weir_kafka_wire::bounds::{self, Budget};
use weir_kafka_wire::frame;
use weir_kafka_wire::header::{RequestHeader, put_request, split_request, split_response};
use weir_kafka_wire::shape::{Direction, shape};
use weir_proto::agent::v1::Enforcement;

use super::conn::knock;
use super::contract::{TopicContract, samples};
use super::meter::batch;
use super::proxy;
use super::rewrite::{self, Memory, Plan, Refusal, Tenant};
use super::sasl::{Exchange, MECHANISMS, Registry, Step};
use super::table;
use sample::Sample;

/// A function that must hold whatever it is given.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also the name of its folder in `fuzz/corpus`.
pub const TARGETS: [(&str, Target); 10] = [
    ("frame", frames),
    ("header", header),
    ("bounds", walk),
    ("request", request),
    ("answer", answer),
    ("batch", batches),
    ("contract_batch", contract_batch),
    ("login", login),
    ("sasl", sasl),
    ("proxy", proxy_header),
];

/// After so many runs the sample is made anew: its meter writes a journal.
const RUNS: usize = 20_000;

thread_local! {
    static SAMPLE: RefCell<Option<(Sample, usize)>> = const { RefCell::new(None) };
}

fn with_sample<T>(run: impl FnOnce(&Sample) -> T) -> T {
    SAMPLE.with_borrow_mut(|slot| {
        let (sample, runs) = slot.get_or_insert_with(|| (Sample::new(), 0));
        *runs += 1;
        let worn = *runs > RUNS;
        let result = run(sample);
        if worn {
            *slot = None;
        }
        result
    })
}

/// A byte that chooses, and the rest.
fn choice(data: &[u8]) -> Option<(usize, &[u8])> {
    data.split_first()
        .map(|(first, rest)| (usize::from(*first), rest))
}

/// A row and a version of the table, and the rest.
fn row(data: &[u8]) -> Option<(ApiKey, i16, &[u8])> {
    let (which, rest) = choice(data)?;
    let (version, rest) = choice(rest)?;
    let (key, least, greatest) = table::TABLE[which % table::TABLE.len()];
    let count = (greatest - least) as usize + 1;
    Some((key, least + (version % count) as i16, rest))
}

fn named(api_key: i16, version: i16) -> RequestHeader {
    RequestHeader {
        api_key,
        version,
        correlation_id: 7,
        client_id: None,
    }
}

/// The frame splitter, fed in pieces: every byte comes out once, in order.
fn frames(data: &[u8]) {
    let Some((step, rest)) = choice(data) else { return };
    let mut buffer = BytesMut::new();
    let mut out = 0;
    for piece in rest.chunks(step + 1) {
        buffer.extend_from_slice(piece);
        loop {
            let missing = frame::missing(&buffer, 4096);
            match frame::next(&mut buffer, 4096) {
                Ok(Some(frame)) => {
                    assert!((1..=4096).contains(&frame.len()));
                    assert_eq!(missing, Ok(Some(0)));
                    out += 4 + frame.len();
                }
                Ok(None) => break assert_ne!(missing, Ok(Some(0))),
                Err(error) => return assert_eq!(missing, Err(error)),
            }
        }
    }
    assert_eq!(out + buffer.len(), rest.len());
}

/// Request headers: what is read is written and read again alike.
fn header(data: &[u8]) {
    let Ok((read, body)) = split_request(Bytes::copy_from_slice(data)) else {
        return;
    };
    let mut out = BytesMut::new();
    put_request(&mut out, &read);
    out.extend_from_slice(&body);
    assert_eq!(split_request(out.freeze()), Ok((read, body)));
}

/// The walker and the decoder behind it: what passes the walk can be decoded or is refused, within its budget.
fn walk(data: &[u8]) {
    let Some((direction, rest)) = choice(data) else {
        return;
    };
    let Some((key, version, body)) = row(rest) else {
        return;
    };
    let mut body = Bytes::copy_from_slice(body);
    let (key_number, stranger) = (key as i16, direction & 2 != 0);
    if direction & 1 == 0 {
        let budget = if stranger {
            Budget::STRANGER
        } else {
            Budget::CLIENT
        };
        if let Ok(length) = bounds::request_length(key_number, version, &body, budget) {
            body.truncate(length);
            let _decoded = RequestKind::decode(key, &mut body, version);
        }
    } else if bounds::check(Direction::Response, key_number, version, &body, Budget::BROKER).is_ok() {
        let _decoded = ResponseKind::decode(key, &mut body, version);
    }
}

/// A client's request through the rewrite: what is forwarded is a request again.
fn request(data: &[u8]) {
    let Some((who, rest)) = choice(data) else { return };
    let Some((key, version, body)) = row(rest) else {
        return;
    };
    with_sample(|sample| {
        let tenant = sample.tenant(who);
        let header = named(key as i16, version);
        let plan = rewrite::request(
            tenant,
            &mut Memory::default(),
            &header,
            Bytes::copy_from_slice(body),
        );
        let frame = match judged(plan, tenant) {
            Ok(Plan::Judge(_again)) => panic!("it is judged"),
            Ok(Plan::Forward(pieces, _answer)) => pieces.concat(),
            Ok(Plan::Silent(pieces)) => pieces.concat(),
            Ok(Plan::Local(frame)) => {
                let told = split_response(frame.slice(4..), header.api_key, version);
                return assert_eq!(told.map(|it| it.0), Ok(7));
            }
            // As when nobody can carry them out.
            Ok(Plan::Wish(wishes, finish)) => match finish(rewrite::too_many(&wishes)) {
                Ok(frame) => {
                    let told = split_response(frame.slice(4..), header.api_key, version);
                    return assert_eq!(told.map(|it| it.0), Ok(7));
                }
                Err(_refused) => return,
            },
            Err(_refused) => return,
        };
        let (sent, body) =
            split_request(Bytes::from(frame).slice(4..)).unwrap_or_else(|error| panic!("{error}"));
        let checked = bounds::check(
            Direction::Request,
            sent.api_key,
            sent.version,
            &body,
            Budget::BROKER,
        );
        assert_eq!((sent.api_key, checked), (header.api_key, Ok(())));
    });
}

/// With all records judged.
fn judged(plan: Result<Plan, Refusal>, tenant: &Tenant) -> Result<Plan, Refusal> {
    match plan? {
        Plan::Judge(mut judging) => {
            judging.run(&|| false);
            judging.finish(tenant)
        }
        other => Ok(other),
    }
}

/// A broker's answer to a well-formed request: what the client gets is an answer again.
fn answer(data: &[u8]) {
    let Some((seed, rest)) = choice(data) else { return };
    let Some((key, version, body)) = row(rest) else {
        return;
    };
    with_sample(|sample| {
        let (tenant, mut memory) = (sample.tenant(seed), Memory::default());
        let Some(shape) = shape(Direction::Request, key as i16, version) else {
            return;
        };
        let asked = weir_kafka_wire::sample::body(shape, seed as u64 * 7919);
        let header = named(key as i16, version);
        let Ok(Plan::Forward(_frame, answer)) = rewrite::request(tenant, &mut memory, &header, asked) else {
            return;
        };
        if let Ok(reply) = answer(tenant, &mut memory, Bytes::copy_from_slice(body)) {
            assert!(
                reply.screening.is_none(),
                "no topic of the sample has dead letters"
            );
            let frame = Bytes::from(reply.frame.concat());
            let told = split_response(frame.slice(4..), header.api_key, version);
            assert_eq!(told.map(|it| it.0), Ok(7));
        }
    });
}

/// Record batches of producers and of brokers: never more bytes than there are.
fn batches(data: &[u8]) {
    let found: u64 = batch::whole(data).map(|it| it.bytes).sum();
    assert!(found <= data.len() as u64);
    if let Ok(batches) = batch::produced(data) {
        assert_eq!(batches.iter().map(|it| it.bytes).sum::<u64>(), data.len() as u64);
    }
}

/// Batches to a topic with a contract: judged to an end, and alike with pauses and without. The first byte is the
/// attributes, the second how many records there are; the checksum is made true.
fn contract_batch(data: &[u8]) {
    thread_local! {
        static CONTRACT: Option<Arc<TopicContract>> = samples::every_format(Enforcement::Reject);
    }
    let Some((attributes, rest)) = choice(data) else {
        return;
    };
    let Some((count, packed)) = choice(rest) else {
        return;
    };
    let batch = samples::raw(attributes as u16, count as i32, packed);
    CONTRACT.with(|contract| {
        let Some(contract) = contract else {
            panic!("the sample's schemas are sound");
        };
        let whole = samples::outcome(contract, batch.clone(), usize::MAX);
        let (refused, judged, violating) = &whole;
        assert_eq!(refused.is_some(), *violating > 0);
        assert!(violating <= judged);
        assert_eq!(whole, samples::outcome(contract, batch, 3));
    });
}

/// A connection before anybody is known: nobody enters without a secret.
fn login(data: &[u8]) {
    with_sample(|sample| {
        let entered = sample.wait(knock(&sample.gateway, data));
        if let Some(key) = entered {
            assert!(shown(data, &key.id), "{} entered", key.id);
        }
    });
}

/// Exchanges without a socket: tokens, one a line.
fn sasl(data: &[u8]) {
    let Some((which, rest)) = choice(data) else { return };
    let Some(mut exchange) = Exchange::begin(MECHANISMS[which % MECHANISMS.len()]) else {
        return;
    };
    with_sample(|sample| {
        let registry = Registry {
            view: &sample.view,
            pepper: &sample.gateway.pepper,
            now_unix_seconds: 0,
        };
        for token in rest.split(|it| *it == b'\n').take(4) {
            match exchange.step(registry, token) {
                Step::Continue(_challenge) => {}
                Step::Done(login, _answer) => {
                    assert!(shown(token, &login.key.id), "{} entered", login.key.id)
                }
                Step::Failed => return,
            }
        }
    });
}

/// What a balancer says first: read without waiting, and not one byte more than the header has.
fn proxy_header(data: &[u8]) {
    let mut rest = data;
    let Some(read) = proxy::read(&mut rest).now_or_never() else {
        panic!("there is nothing to wait for");
    };
    if read.is_ok() {
        let length = usize::from(u16::from_be_bytes([data[14], data[15]]));
        assert_eq!(data.len() - rest.len(), 16 + length);
    }
}

/// The key's secret, or a token that was signed for it.
fn shown(data: &[u8], key: &str) -> bool {
    contains(data, sample::secret(key).as_bytes()) || contains(data, sample::token(key).as_bytes())
}

fn contains(data: &[u8], part: &[u8]) -> bool {
    data.windows(part.len()).any(|it| it == part)
}

/// What a run begins with beside the corpus: every row of the table in every version, and a login.
#[must_use]
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for (at, (key, least, greatest)) in (0_u8..).zip(table::TABLE) {
        for (step, version) in (0_u8..).zip(least..=greatest) {
            let sampled = |direction| {
                shape(direction, key as i16, version)
                    .map(|it| weir_kafka_wire::sample::body(it, u64::from(step) + 1))
            };
            let (Some(asked), Some(answered)) = (sampled(Direction::Request), sampled(Direction::Response))
            else {
                continue;
            };
            let mut headed = BytesMut::new();
            put_request(&mut headed, &named(key as i16, version));
            headed.extend_from_slice(&asked);
            let framed = [&[0, 0, 0, headed.len() as u8][..], &headed].concat();
            match target {
                "frame" => all.push([&[step][..], &framed, &framed].concat()),
                "header" => all.push(headed.to_vec()),
                "bounds" => {
                    all.push([&[0, at, step][..], &asked].concat());
                    all.push([&[1, at, step][..], &answered].concat());
                }
                "request" => all.push([&[step, at, step][..], &asked].concat()),
                "answer" => all.push([&[step, at, step][..], &answered].concat()),
                "login" => all.push(framed),
                _other => {}
            }
        }
    }
    all.extend(sample::seeds(target));
    all
}

#[cfg(test)]
mod tests;
