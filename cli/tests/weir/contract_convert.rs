//! `weir contract import` and `export`.

use crate::Desk;

const ORDERS: &str = r#"subject: orders-value
version: 2
owner: shop
schemaType: JSON
schema: '{"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}'
classification: INTERNAL
"#;
const SHOP: &str = r#"apiVersion: v3.1.0
kind: DataContract
id: shop
version: 1.0.0
status: active
schema:
  - {name: orders, properties: [{name: id, logicalType: integer, required: true}]}
  - {name: lines, properties: [{name: sku, logicalType: string}]}
"#;

#[test]
fn a_contract_goes_out_and_comes_back() {
    let desk = Desk::new(&[("orders.yaml", ORDERS)]);
    let own = desk.weir(&["contract", "import", "orders.yaml"]).ended(0);
    for to in ["odcs", "asyncapi", "weir"] {
        let out = desk
            .weir(&["contract", "export", "orders.yaml", "--to", to])
            .ended(0);
        desk.put("other.yaml", out.as_bytes());
        assert_eq!(
            desk.weir(&["contract", "import", "other.yaml"]).ended(0),
            own,
            "{to}"
        );
        let diff = desk
            .weir(&["contract", "diff", "orders.yaml", "other.yaml"])
            .ended(0);
        assert!(diff.starts_with("0 breaking, 0 safe, 0 to know"), "{diff}");
    }
    let json = desk
        .weir(&["contract", "export", "orders.yaml", "--to", "asyncapi", "--json"])
        .ended(0);
    assert!(
        json.starts_with('{') && json.contains("\"asyncapi\": \"3.0.0\""),
        "{json}"
    );
}

#[test]
fn documents_of_others_are_judged_by_their_subject() {
    let desk = Desk::new(&[("shop.yaml", SHOP)]);
    let args = ["contract", "test", "shop.yaml", "--data", "-"];
    let err = desk.weir(&args).ended(2);
    assert!(
        err.contains("choose one with --subject: orders-value, lines-value"),
        "{err}"
    );
    let orders = [&args[..], &["--subject", "orders-value"]].concat();
    desk.weir_reading(&orders, b"{\"id\": 1}\n").ended(0);
    desk.weir_reading(&orders, b"{\"id\": \"a\"}\n").ended(1);
    let lines = [&args[..], &["--subject", "lines-value"]].concat();
    desk.weir_reading(&lines, b"{\"sku\": \"a\"}\n").ended(0);
    let err = desk.weir(&[&args[..], &["--subject", "x"]].concat()).ended(2);
    assert!(err.contains("no contract of that subject"), "{err}");
}

#[test]
fn a_file_that_is_there_is_not_written_over() {
    let desk = Desk::new(&[("orders.yaml", ORDERS)]);
    let args = [
        "contract",
        "export",
        "orders.yaml",
        "--to",
        "odcs",
        "--out",
        "new.yaml",
    ];
    assert_eq!(desk.weir(&args).ended(0), "");
    assert!(desk.path("new.yaml").exists());
    let err = desk.weir(&args).ended(2);
    assert!(err.contains("the file is there"), "{err}");
    desk.put("old.yaml", b"asyncapi: 2.6.0\n");
    let err = desk.weir(&["contract", "import", "old.yaml"]).ended(2);
    assert!(
        err.contains("AsyncAPI 2.6.0 is not read; convert it to 3.0.0"),
        "{err}"
    );
}
