//! Models: what may be said of them, and what Flink is told.

use super::judged;
use crate::model::Relay;
use crate::{Model, Problem, ProblemCode};

const OPTIONS: &str =
    "'provider' = 'openai', 'endpoint' = 'https://models.internal/v1/chat/completions', 'model' = 'small'";

fn program(options: &str) -> String {
    format!(
        "CREATE MODEL fraud INPUT (question STRING) OUTPUT (answer STRING)\n  WITH ({options});
         INSERT INTO alerts SELECT card, answer FROM ML_PREDICT(TABLE payments, MODEL fraud, DESCRIPTOR(card))"
    )
}

fn model(options: &str) -> Model {
    let mut fenced = judged(&program(options)).unwrap();
    assert_eq!(fenced.models.len(), 1);
    fenced.models.remove(0)
}

fn refused(text: &str) -> Problem {
    judged(text).expect_err(text).remove(0)
}

#[test]
fn flink_is_told_of_the_agent_and_of_no_endpoint_and_no_key() {
    let model = model(&format!(
        "{OPTIONS}, 'secret' = 'models', 'timeout' = '5 s', 'retry-num' = '3', 'temperature' = '0.2', \
         'error-handling-strategy' = 'answer'"
    ));
    assert_eq!(model.endpoint, "https://models.internal/v1/chat/completions");
    assert_eq!(model.secret.as_deref(), Some("models"));
    assert_eq!(
        (model.timeout_ms, model.retries, model.answers_failures),
        (5000, 3, true)
    );
    let relay = Relay {
        base: "http://127.0.0.1:9000/job_1".to_owned(),
        token: "hush-hush".to_owned(),
    };
    let ddl = model.ddl(&relay);
    assert_eq!(
        ddl.to_string(),
        "CREATE TEMPORARY MODEL `fraud` INPUT (`question` STRING) OUTPUT (`answer` STRING) WITH (
  'provider' = 'openai',
  'endpoint' = 'http://127.0.0.1:9000/job_1/fraud/chat/completions',
  'api-key' = '***',
  'model' = 'small',
  'temperature' = '0.2',
  'error-handling-strategy' = 'retry',
  'retry-num' = '100',
  'retry-fallback-strategy' = 'failover'
)"
    );
    assert!(ddl.reveal().contains("'api-key' = 'hush-hush'"));
    assert!(!ddl.reveal().contains("models.internal") && !ddl.reveal().contains("'secret'"));
    assert!(!format!("{ddl:?} {relay:?} {model:?}").contains("hush"));
}

#[test]
fn a_model_is_patient_but_not_for_ever_and_loses_nothing_unless_told() {
    let plain = model(OPTIONS);
    assert_eq!(
        (plain.timeout_ms, plain.retries, plain.answers_failures),
        (10_000, 2, false)
    );
    let waits: Vec<Option<u64>> = (1..=3).map(|it| plain.again_ms(it)).collect();
    assert_eq!(waits, [Some(200), Some(400), None]);
    let problem = refused(&program(&format!(
        "{OPTIONS}, 'timeout' = '60 s', 'retry-num' = '2'"
    )));
    assert_eq!(problem.code, ProblemCode::OptionForbidden);
    assert!(model(&format!("{OPTIONS}, 'timeout' = '60 s', 'retry-num' = '1'")).retries == 1);
}

#[test]
fn options_that_models_do_not_have_here_are_refused_where_they_stand() {
    for option in [
        "'api-key' = 'sk-1'",
        "'endpoint ' = 'https://evil.example/chat/completions'",
        "'max-context-size' = '10'",
        "'retry-fallback-strategy' = 'ignore'",
        "'error-handling-strategy' = 'ignore'",
        "'error-handling-strategy' = 'retry'",
        "'secret' = '../models'",
        "'secret' = ''",
        "'timeout' = '10 ms'",
        "'timeout' = 'soon'",
        "'retry-num' = '11'",
        "'temperature' = 'NaN'",
        "'response-format' = 'json_schema'",
        "'n' = '2'",
        "'stop' = 'x'",
    ] {
        let problem = refused(&program(&format!("{OPTIONS},\n{option}")));
        assert_eq!(problem.code, ProblemCode::OptionForbidden, "{option}");
        let place = problem.place.unwrap();
        assert_eq!((place.line, place.column), (3, 1), "{option}: {problem}");
        assert!(!problem.message.contains("sk-1"), "{problem}");
    }
    for address in [
        "ftp://models.internal/v1/chat/completions",
        "https://models.internal/v1/embeddings",
        "https://user@models.internal/chat/completions",
        "https://models.internal/?x=/chat/completions",
        "https://models.internal/#/chat/completions",
        "https:///chat/completions",
        "/chat/completions",
        "https://models internal/chat/completions",
    ] {
        let options = OPTIONS.replace("https://models.internal/v1/chat/completions", address);
        assert_eq!(
            refused(&program(&options)).code,
            ProblemCode::OptionForbidden,
            "{address}"
        );
    }
    for without in [
        "'provider' = 'openai', 'model' = 'small'",
        "'endpoint' = 'https://models.internal/chat/completions', 'model' = 'small'",
        &format!("{OPTIONS}, 'model' = 'large'"),
        &format!("{OPTIONS}, model = 'large'"),
        &format!("{OPTIONS},"),
        "",
    ] {
        assert_eq!(
            refused(&program(without)).code,
            ProblemCode::Malformed,
            "{without}"
        );
    }
    let other = OPTIONS.replace("'openai'", "'triton'");
    assert_eq!(refused(&program(&other)).code, ProblemCode::OptionForbidden);
}

#[test]
fn only_models_of_the_program_are_asked() {
    let with = |create: &str, query: &str| format!("{create}; INSERT INTO alerts {query}");
    let create = format!("CREATE MODEL m INPUT (q STRING) OUTPUT (a STRING) WITH ({OPTIONS})");
    for query in [
        "SELECT * FROM ML_PREDICT(TABLE payments, MODEL m, DESCRIPTOR(q))",
        "SELECT model, m.a FROM ML_PREDICT(INPUT => TABLE payments, MODEL => MODEL `m`, ARGS => DESCRIPTOR(q), CONFIG => MAP['timeout', '9 s']) AS m",
        "SELECT * FROM LATERAL TABLE(ML_PREDICT(TABLE payments, MODEL m, DESCRIPTOR(q)))",
    ] {
        let fenced = judged(&with(&create, query)).unwrap_or_else(|it| panic!("{query}: {it:?}"));
        assert!(fenced.reads.contains("payments"), "{query}");
    }
    for query in [
        "SELECT * FROM ML_PREDICT(TABLE payments, MODEL n, DESCRIPTOR(q))",
        "SELECT * FROM ML_PREDICT(TABLE payments, MODEL other.m, DESCRIPTOR(q))",
        "SELECT * FROM ml_predict(TABLE payments, DESCRIPTOR(q))",
        "SELECT * FROM ML_PREDICT(TABLE secrets, MODEL m, DESCRIPTOR(q))",
        "SELECT * FROM `ML_EVALUATE`(TABLE payments, MODEL n, DESCRIPTOR(q))",
    ] {
        let problem = refused(&with(&create, query));
        assert_eq!(problem.code, ProblemCode::UnknownTable, "{query}");
        assert!(problem.place.is_some(), "{query}");
    }
    let twice = with(&format!("{create}; {create}"), "SELECT * FROM payments");
    assert_eq!(refused(&twice).code, ProblemCode::NameTaken);
    for create in [
        format!("CREATE MODEL `m/n` INPUT (q STRING) OUTPUT (a STRING) WITH ({OPTIONS})"),
        format!("CREATE MODEL m INPUT (q STRING, r STRING) OUTPUT (a STRING) WITH ({OPTIONS})"),
        format!("CREATE MODEL m INPUT (q BIGINT) OUTPUT (a STRING) WITH ({OPTIONS})"),
        format!("CREATE MODEL c.d.m INPUT (q STRING) OUTPUT (a STRING) WITH ({OPTIONS})"),
        format!("CREATE MODEL IF NOT EXISTS m INPUT (q STRING) OUTPUT (a STRING) WITH ({OPTIONS})"),
        "CREATE MODEL m INPUT (q STRING) OUTPUT (a STRING)".to_owned(),
        "CREATE MODEL".to_owned(),
    ] {
        let problem = refused(&with(&create, "SELECT * FROM payments"));
        assert_eq!(problem.code, ProblemCode::Malformed, "{create}");
    }
    for drop in [
        "DROP MODEL m",
        "ALTER MODEL m SET ('endpoint' = 'x')",
        "SHOW CREATE MODEL m",
    ] {
        assert_eq!(refused(drop).code, ProblemCode::StatementForbidden, "{drop}");
    }
}
