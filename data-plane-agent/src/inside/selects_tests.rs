//! The page, as it is written.

use serde_json::json;

use super::*;

fn answer(rows: Value, cut: Option<&'static str>) -> Answer {
    Answer {
        job: "job_1".to_owned(),
        version: 1,
        columns: serde_json::from_value::<Vec<String>>(json!(["card", "n"]))
            .unwrap()
            .into_iter()
            .map(|name| crate::preview::Described {
                name,
                kind: "VARCHAR".to_owned(),
            })
            .collect(),
        rows: serde_json::from_value(rows).unwrap(),
        cut,
        tables: vec![crate::preview::Read {
            name: "payments".to_owned(),
            topic: "pay".to_owned(),
            whole: cut.is_none(),
        }],
        took_ms: 1_234,
    }
}

fn shown(shown: Shown) -> String {
    let filled = Filled {
        token: "t\"k".to_owned(),
        job: "<job>".to_owned(),
        statement: "SELECT '</textarea>' < 1 LIMIT 1".to_owned(),
    };
    render(&filled, None, &shown)
}

#[test]
fn rows_are_a_table_and_nothing_in_them_is_markup() {
    let page = shown(Shown::Rows(Box::new(answer(
        json!([["<b>x</b>", 5], [null, {"a": 1}]]),
        None,
    ))));
    assert!(
        page.contains("2 rows in 1.2 s") && page.contains("all that it holds"),
        "{page}"
    );
    assert!(page.contains("&lt;b&gt;x&lt;/b&gt;") && !page.contains("<b>x"));
    assert!(page.contains("<td class=\"soft\">NULL</td>") && page.contains("{&quot;a&quot;:1}"));
    assert!(page.contains("value=\"&lt;job&gt;\"") && page.contains("value=\"t&quot;k\""));
    assert!(
        page.contains("&#39;&lt;/textarea&gt;&#39;"),
        "what was asked stays in the form"
    );
    assert!(!page.contains("<script") && !page.contains("Cut off"));
}

#[test]
fn an_empty_answer_a_cut_one_and_a_problem_say_what_they_are() {
    let empty = shown(Shown::Rows(Box::new(answer(json!([]), None))));
    assert!(empty.contains("0 rows in") && empty.contains("No record that was read answers this."));
    let late = shown(Shown::Rows(Box::new(answer(json!([]), Some("TIME")))));
    assert!(late.contains("longer than 30 seconds") && !late.contains("No record that was read"));
    let large = shown(Shown::Rows(Box::new(answer(json!([["a", 1]]), Some("BYTES")))));
    assert!(large.contains("larger than 1 MiB") && large.contains("1 row in") && large.contains("not all"));
    let problem = shown(Shown::Problem("NO_FLINK: <i>".to_owned()));
    assert!(problem.contains("role=\"alert\">NO_FLINK: &lt;i&gt;"));
    assert!(shown(Shown::Nothing).contains("Nothing was asked yet"));
}

#[test]
fn a_long_value_is_cut_at_a_character() {
    let mut page = String::new();
    cell(&mut page, &json!("ü".repeat(VALUE_MAX + 1)));
    assert!(page.ends_with("ü…</td>") && page.chars().filter(|it| *it == 'ü').count() == VALUE_MAX);
}
