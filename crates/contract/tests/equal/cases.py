"""Writes cases, one JSON object a line, with the verdict that another implementation gives: of Python's jsonschema for
schemas, of confluent-kafka's rule engine for rules. `tests/equal.rs` reads them and judges the same.

    cases.py json COUNT SEED | cases.py rules COUNT SEED [RECORDS OF A CONTRACT]
    cases.py differences    a smallest case for each difference that docs/rules.md lists
"""

import base64
import copy
import io
import json
import random
import sys

FIELDS = ["id", "name", "tags", "amount", "kind", "sub"]


last = {}


def emit(**case):
    """What the case before had too is left out."""
    shared = {key: case.pop(key) for key in ("format", "schema", "rules") if key in case}
    if shared != last:
        last.clear()
        last.update(shared)
        case.update(shared)
    sys.stdout.write(json.dumps(case) + "\n")


# Schemas -------------------------------------------------------------------------------------------------------------

DRAFTS = {
    "draft4": "http://json-schema.org/draft-04/schema#",
    "draft6": "http://json-schema.org/draft-06/schema#",
    "draft7": "http://json-schema.org/draft-07/schema#",
    "2019-09": "https://json-schema.org/draft/2019-09/schema",
    "2020-12": "https://json-schema.org/draft/2020-12/schema",
}
PATTERNS = ["^a", "b$", "^[a-c]+$", "[0-9]{2}", "^(x|y)*$", "a.c", "^\\S+$"]


def scalar(rng):
    return rng.choice(
        [None, True, False, 0, 1, 2, 3, -1, 7, 10, 12, 1.0, 1.5, 2.5, -0.5, 100, "", "a", "b", "abc", "xy", "12", "é"]
    )


def value(rng, depth=3):
    roll = rng.random()
    if depth == 0 or roll < 0.5:
        return scalar(rng)
    if roll < 0.75:
        return [value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return {rng.choice(FIELDS + ["x", "a1"]): value(rng, depth - 1) for _ in range(rng.randrange(5))}


def schema(rng, draft, depth=3):
    if depth == 0 or rng.random() < 0.1:
        if draft != "draft4" and rng.random() < 0.15:
            return rng.random() < 0.8
        return {"type": rng.choice(["string", "integer", "number", "boolean", "null", "array", "object"])}
    out = {}
    for _ in range(rng.randrange(1, 4)):
        rng.choice(KEYWORDS)(rng, draft, depth, out)
    return out


def types(rng, draft, depth, out):
    names = ["string", "integer", "number", "boolean", "null", "array", "object"]
    out["type"] = rng.choice(names) if rng.random() < 0.7 else rng.sample(names, rng.randrange(1, 4))


def listed(rng, draft, depth, out):
    if draft != "draft4" and rng.random() < 0.5:
        out["const"] = value(rng, 1)
    else:
        values = []
        for _ in range(rng.randrange(1, 5)):
            one = value(rng, 1)
            if all(json.dumps(one) != json.dumps(other) for other in values):
                values.append(one)
        out["enum"] = values


def numbers(rng, draft, depth, out):
    out["minimum"] = rng.choice([-1, 0, 1, 1.5])
    if rng.random() < 0.5:
        out["maximum"] = rng.choice([1, 2, 10, 99.5])
    if rng.random() < 0.3:
        if draft == "draft4":
            out["exclusiveMinimum"] = rng.random() < 0.5
        else:
            out["exclusiveMaximum"] = rng.choice([2, 7, 10])
    if rng.random() < 0.3:
        out["multipleOf"] = rng.choice([1, 2, 5, 0.5])


def texts(rng, draft, depth, out):
    out["minLength"] = rng.randrange(3)
    if rng.random() < 0.5:
        out["maxLength"] = rng.randrange(1, 4)
    if rng.random() < 0.5:
        out["pattern"] = rng.choice(PATTERNS)


def arrays(rng, draft, depth, out):
    # `additionalItems` beside boolean `items` makes Python's jsonschema fail with a TypeError.
    out.pop("additionalItems", None)
    out["items"] = schema(rng, draft, depth - 1)
    if rng.random() < 0.3 and draft != "2020-12":
        out["items"] = [schema(rng, draft, depth - 1) for _ in range(2)]
        out["additionalItems"] = schema(rng, draft, depth - 1)
    if rng.random() < 0.3 and draft == "2020-12":
        out["prefixItems"] = [schema(rng, draft, depth - 1)]
    if rng.random() < 0.3:
        out["uniqueItems"] = True
    if rng.random() < 0.3:
        out["maxItems"] = rng.randrange(3)
    if rng.random() < 0.3:
        out["minItems"] = rng.randrange(3)
    if rng.random() < 0.3 and draft != "draft4":
        out["contains"] = schema(rng, draft, depth - 1)


def objects(rng, draft, depth, out):
    names = rng.sample(FIELDS, rng.randrange(1, 4))
    out["properties"] = {name: schema(rng, draft, depth - 1) for name in names}
    if rng.random() < 0.6:
        out["required"] = rng.sample(FIELDS, rng.randrange(1, 3))
    if rng.random() < 0.4:
        extra = schema(rng, draft, depth - 1)
        out["additionalProperties"] = rng.choice([False, extra])
    if rng.random() < 0.2:
        out["patternProperties"] = {rng.choice(["^a", "1$"]): schema(rng, draft, depth - 1)}
    if rng.random() < 0.2:
        out["maxProperties"] = rng.randrange(1, 4)
    if rng.random() < 0.2 and draft != "draft4":
        out["propertyNames"] = {"maxLength": rng.randrange(1, 5)}
    if rng.random() < 0.2 and draft in ("2019-09", "2020-12"):
        out["dependentRequired"] = {rng.choice(FIELDS): [rng.choice(FIELDS)]}


def combined(rng, draft, depth, out):
    keyword = rng.choice(["allOf", "anyOf", "oneOf"])
    out[keyword] = [schema(rng, draft, depth - 1) for _ in range(rng.randrange(1, 4))]


def negated(rng, draft, depth, out):
    out["not"] = schema(rng, draft, depth - 1)


def conditional(rng, draft, depth, out):
    if draft in ("draft7", "2019-09", "2020-12"):
        out["if"] = schema(rng, draft, depth - 1)
        out["then"] = schema(rng, draft, depth - 1)
        out["else"] = schema(rng, draft, depth - 1)


def referred(rng, draft, depth, out):
    out["$ref"] = "#/definitions/" + rng.choice(["one", "two"])


KEYWORDS = [types, types, listed, numbers, texts, arrays, objects, objects, combined, negated, conditional, referred]


def json_cases(count, seed):
    import jsonschema

    rng = random.Random(seed)
    written = 0
    while written < count:
        name = rng.choice(list(DRAFTS))
        whole = {"$schema": DRAFTS[name]}
        made = schema(rng, name)
        if isinstance(made, bool):
            continue
        whole.update(made)
        # Neither refers to anything that could lead in a circle.
        whole["definitions"] = {"one": {"type": "integer"}, "two": {"type": ["string", "null"], "maxLength": 2}}
        validator_class = jsonschema.validators.validator_for(whole)
        try:
            validator_class.check_schema(whole)
        except jsonschema.SchemaError:
            continue
        validator = validator_class(whole)
        text = json.dumps(whole)
        for _ in range(20):
            record = value(rng)
            emit(format="JSON", schema=text, record=json.dumps(record), expected=validator.is_valid(record))
            written += 1


# Rules ---------------------------------------------------------------------------------------------------------------

JSON_SCHEMA = {
    "type": "object",
    "properties": {
        "amount": {"type": "integer"},
        "price": {"type": "number"},
        "name": {"type": "string", "confluent:tags": ["PII"]},
        "ok": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "sub": {"type": "object", "properties": {"mail": {"type": "string", "confluent:tags": ["PII"]}, "n": {"type": "integer"}}},
        "items": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}},
    },
}
AVRO_SCHEMA = {
    "type": "record",
    "name": "Payment",
    "namespace": "shop",
    "fields": [
        {"name": "amount", "type": "long"},
        {"name": "price", "type": "double"},
        {"name": "name", "type": "string", "confluent:tags": ["PII"]},
        {"name": "ok", "type": "boolean"},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
        {"name": "sub", "type": {"type": "record", "name": "Sub", "fields": [
            {"name": "mail", "type": "string", "confluent:tags": ["PII"]}, {"name": "n", "type": "int"}]}},
        {"name": "items", "type": {"type": "array", "items": {"type": "record", "name": "Item", "fields": [
            {"name": "n", "type": "int"}, {"name": "s", "type": "string"}]}}},
    ],
}
# The same record again; what `confluent:tags` says elsewhere is an option here.
PROTO_SCHEMA = """syntax = "proto3";
package shop;
import "confluent/meta.proto";
message Payment {
  int64 amount = 1;
  double price = 2;
  string name = 3 [(confluent.field_meta) = { tags: ["PII"] }];
  bool ok = 4;
  repeated string tags = 5;
  Sub sub = 6;
  repeated Item items = 7;
}
message Sub {
  string mail = 1 [(confluent.field_meta) = { tags: ["PII"] }];
  int32 n = 2;
}
message Item {
  int32 n = 1;
  string s = 2;
}
"""
PROTO_MESSAGES = {
    "Payment": ["int64 amount", "double price", "string name PII", "bool ok", "repeated string tags", "Sub sub", "repeated Item items"],
    "Sub": ["string mail PII", "int32 n"],
    "Item": ["int32 n", "string s"],
}


def payment_class():
    """The class of `PROTO_SCHEMA`'s first message; protobuf for Python has no parser of its own for `.proto` files."""
    from confluent_kafka.schema_registry.confluent import meta_pb2
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="payment.proto", package="shop", syntax="proto3")
    file.dependency.append("confluent/meta.proto")
    for name, fields in PROTO_MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, text in enumerate(fields, 1):
            words = text.split()
            field = message.field.add(number=number, label=3 if words[0] == "repeated" else 1)
            kind, field.name, *tags = words[words[0] == "repeated" :]
            if kind in PROTO_MESSAGES:
                field.type, field.type_name = 11, f".shop.{kind}"
            else:
                field.type = descriptor_pb2.FieldDescriptorProto.Type.Value(f"TYPE_{kind.upper()}")
            field.options.Extensions[meta_pb2.field_meta].tags.extend(tags)
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Payment"))


def record(rng):
    return {
        "amount": rng.choice([-5, -1, 0, 1, 2, 10, 100, 2**40]),
        "price": rng.choice([-0.5, 0.0, 1.0, 1.5, 99.5]),
        "name": rng.choice(["", "a", "Ann", "Bob Builder", "x" * 20, "é"]),
        "ok": rng.random() < 0.9,
        "tags": [rng.choice(["a", "b", "vip", ""]) for _ in range(rng.randrange(4))],
        "sub": {"mail": rng.choice(["", "a@example.com", "no mail", "b@x.org"]), "n": rng.randrange(-2, 3)},
        "items": [{"n": rng.randrange(-1, 4), "s": rng.choice(["", "p", "pen"])} for _ in range(rng.randrange(4))],
    }


def integer(rng, depth):
    roll = rng.random()
    if depth == 0 or roll < 0.35:
        return rng.choice(["message.amount", "message.sub.n", "size(message.name)", "message.items.size()", "size(message.tags)"])
    if roll < 0.55:
        return str(rng.choice([-1, 0, 1, 2, 3, 10]))
    if roll < 0.85:
        return f"({integer(rng, depth - 1)} {rng.choice(['+', '-', '*', '/', '%'])} {integer(rng, depth - 1)})"
    if roll < 0.92:
        return f"({boolean(rng, depth - 1)} ? {integer(rng, depth - 1)} : {integer(rng, depth - 1)})"
    return f"int({double(rng)})"


def double(rng):
    return rng.choice(["message.price", "1.5", "0.0", "-2.5", "(message.price + 1.0)", "(message.price * 2.0)", "double(message.amount)"])


def string(rng):
    return rng.choice(["message.name", "message.sub.mail", "'a'", "''", "'Ann'", "(message.name + 'b')", "string(message.amount)"])


def boolean(rng, depth):
    roll = rng.random()
    if depth == 0 or roll < 0.3:
        return f"{integer(rng, 0)} {rng.choice(['<', '<=', '>', '>=', '==', '!='])} {integer(rng, 1)}"
    if roll < 0.36:
        return f"{double(rng)} {rng.choice(['<', '<=', '>', '>='])} {double(rng)}"
    if roll < 0.46:
        return f"{string(rng)} {rng.choice(['==', '!=', '<'])} {string(rng)}"
    if roll < 0.54:
        return f"{string(rng)}.{rng.choice(['startsWith', 'endsWith', 'contains'])}({string(rng)})"
    if roll < 0.58:
        return f"{rng.choice(['message.name', 'message.sub.mail'])}.matches('{rng.choice(['^A', 'n$', '^[a-z@.]*$', 'B.b'])}')"
    if roll < 0.64:
        return f"!({boolean(rng, depth - 1)})"
    if roll < 0.76:
        return f"({boolean(rng, depth - 1)} {rng.choice(['&&', '||'])} {boolean(rng, depth - 1)})"
    if roll < 0.84:
        body = rng.choice(["i.n > 0", "i.n == 1", "i.s != ''", "i.n > 0 && i.s.size() > 1", f"i.n < {integer(rng, 0)}", "4 / i.n > 1"])
        return f"message.items.{rng.choice(['all', 'exists', 'exists_one'])}(i, {body})"
    if roll < 0.88:
        return f"message.tags.{rng.choice(['all', 'exists'])}(t, t != '{rng.choice(['', 'a', 'vip'])}')"
    if roll < 0.91:
        return f"{string(rng)} in {rng.choice(['message.tags', chr(91) + chr(39) + 'a' + chr(39) + ', ' + chr(39) + 'Ann' + chr(39) + chr(93)])}"
    if roll < 0.94:
        return f"message.items.{rng.choice(['map(i, i.n)', 'filter(i, i.n > 0).map(i, i.n)'])} == [1]"
    if roll < 0.96:
        return "message.ok"
    if roll < 0.98:
        return f"has(message.sub.{rng.choice(['mail', 'n'])})"
    return f"message.sub.mail.{rng.choice(['isEmail', 'isHostname', 'isUuid', 'isIpv4'])}()"


def field_rule(rng):
    body = rng.choice([
        "typeName == 'STRING' ; size(value) < 10",
        "typeName == 'STRING' ; value != ''",
        "typeName == 'STRING' ; value.contains('@') || name != 'mail'",
        "name == 'amount' ; value >= 0",
        "name == 'n' ; value > -2 && value < 3",
        "typeName == 'DOUBLE' ; value >= 0.0",
        "'PII' in tags ; size(value) > 0",
        "name == 'mail' ; value.isEmail()",
        "name == 'mail' ; message.n > 0",
        "name == 's' ; message.n >= 0",
        "typeName == 'STRING' && fullName.endsWith('.name') ; value.matches('^[A-Z]')",
    ])
    return body, rng.choice([[], [], ["PII"], ["NONE"]])


seen = {"guard": False, "false": False}


def engine():
    """The rule engine of confluent-kafka as its serializers call it, without a registry and without a broker."""
    from confluent_kafka.schema_registry import rule_registry, serde
    from confluent_kafka.schema_registry._sync.serde import BaseSerde
    from confluent_kafka.schema_registry.rules.cel.cel_executor import CelExecutor
    from confluent_kafka.schema_registry.rules.cel.cel_field_executor import CelFieldExecutor

    class Watched(CelExecutor):
        """Notes that a guard had no value: here the rule fails then, in the Java client the body is left out."""

        def execute_rule(self, ctx, expr, args):
            try:
                return super().execute_rule(ctx, expr, args)
            except Exception:
                if (ctx.rule.expr or "").startswith(expr + ";"):
                    seen["guard"] = True
                raise

    registry = rule_registry.RuleRegistry()
    registry.register_executor(Watched())
    registry.register_executor(CelFieldExecutor())
    found = BaseSerde()
    found._rule_registry = registry
    return found, serde


def judged(found, kind, schema_text, rules, message, inline_tags, transform, mode="WRITE"):
    from confluent_kafka.schema_registry import Rule, RuleKind, RuleMode, RuleSet, Schema
    from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError

    rules = [
        Rule(rule["name"], None, RuleKind.CONDITION, RuleMode(rule["mode"]), rule["type"], rule.get("tags") or None, None, rule["expr"], None,
             rule.get("onFailure"), rule.get("disabled", False))
        for rule in rules
    ]
    target = Schema(schema_text, kind, [], None, RuleSet(None, rules))
    context = SerializationContext("topic", MessageField.VALUE)
    seen["guard"] = False
    try:
        found._execute_rules(context, "topic-value", RuleMode(mode), None, target, message, inline_tags, transform)
        return True
    except SerializationError:
        return False


class Languages:
    """A record in each of the three: how it is written and read, and how confluent-kafka walks its fields."""

    def __init__(self):
        import fastavro
        import referencing
        from confluent_kafka.schema_registry.common import avro, json_schema, protobuf

        parsed = fastavro.parse_schema(copy.deepcopy(AVRO_SCHEMA))
        references, payment = referencing.Registry(), payment_class()
        resolver = references.resolver()

        def avro_bytes(message):
            out = io.BytesIO()
            fastavro.schemaless_writer(out, parsed, message)
            return out.getvalue()

        def json_walk(ctx, field_transform, message):
            return json_schema.transform(ctx, JSON_SCHEMA, references, resolver, "$", message, field_transform)

        # Text, to bytes, from bytes, inline tags, walk.
        self.all = {
            "JSON": (json.dumps(JSON_SCHEMA), lambda it: json.dumps(it).encode(), json.loads, None, json_walk),
            "AVRO": (json.dumps(AVRO_SCHEMA), avro_bytes, lambda it: fastavro.schemaless_reader(io.BytesIO(it), parsed),
                     avro.get_inline_tags(copy.deepcopy(AVRO_SCHEMA)),
                     lambda ctx, change, message: avro.transform(ctx, parsed, message, change)),
            "PROTOBUF": (PROTO_SCHEMA, lambda it: payment(**it).SerializeToString(), payment.FromString, None,
                         lambda ctx, change, message: protobuf.transform(ctx, payment.DESCRIPTOR, message, change)),
        }

    def judged(self, found, kind, rules, payload, mode):
        """The verdict on bytes: those that are no record are none of it."""
        text, _write, read, tags, walk = self.all[kind]
        seen.update(guard=False, false=False)
        try:
            message = read(payload)
        except Exception:  # pylint: disable=broad-except
            return False
        # Of what was read: the beginning of a record of Protobuf may be one, too, whose other fields are zero.
        seen["false"] = not (message["ok"] if isinstance(message, dict) else message.ok)
        return judged(found, kind, text, rules, message, tags, walk, mode)


def made_rules(rng):
    rules = []
    for index in range(rng.randrange(1, 4)):
        rule = {"name": f"r{index}", "kind": "CONDITION", "mode": rng.choice(["WRITE", "WRITE", "WRITEREAD", "READ"])}
        if rng.random() < 0.3:
            body, tags = field_rule(rng)
            rule.update(type="CEL_FIELD", expr=body, tags=tags)
        else:
            guard = f"{boolean(rng, 1)} ; " if rng.random() < 0.2 else ""
            rule.update(type="CEL", expr=guard + boolean(rng, 3))
        failure = rng.choice([None, None, "ERROR", "NONE"])
        if failure:
            rule["onFailure"] = failure
        if rng.random() < 0.1:
            rule["disabled"] = True
        rules.append(rule)
    return rules


def rule_cases(count, seed, of_a_contract=20):
    rng = random.Random(seed)
    found, _serde = engine()
    languages = Languages()
    written = 0
    while written < count:
        rules = made_rules(rng)
        kind = rng.choice(["JSON", "AVRO", "PROTOBUF"])
        text, write = languages.all[kind][:2]
        for _ in range(of_a_contract):
            message = record(rng)
            payload = write(message)
            if rng.random() < 0.03:
                payload = payload[: rng.randrange(len(payload))]
            place, mode = rng.choice([("gateway", "WRITE"), ("gateway", "WRITE"), ("client", "WRITE"), ("processor", "READ")])
            expected = languages.judged(found, kind, rules, payload, mode)
            emit(format=kind, schema=text, rules={"domainRules": rules}, payload=base64.b64encode(payload).decode(), place=place, expected=expected,
                 false_boolean=seen["false"], guard_failed=seen["guard"],
                 joined=any("'b').contains(" in rule["expr"] for rule in rules))
            written += 1


# A branch that the record does not fit has a rule for one of its fields.
BRANCHES = {
    "type": "object",
    "oneOf": [
        {"type": "object", "properties": {"a": {"type": "string", "maxLength": 1}}},
        {"type": "object", "properties": {"b": {"type": "string"}}},
    ],
}
PLAIN = {"amount": 0, "price": 1.0, "name": "a", "ok": True, "tags": [], "sub": {"mail": "", "n": 0}, "items": []}
# Row, verdict here, rule, record, schema.
DIFFERENCES = [
    ("element of a list", False, {"type": "CEL_FIELD", "expr": "name == 'tags' ; value != ''"}, {**PLAIN, "tags": [""]}, JSON_SCHEMA),
    ("boolean field", True, {"type": "CEL_FIELD", "expr": "value == 'a'", "tags": ["PII"]}, {"name": "a", "ok": False}, JSON_SCHEMA),
    ("neither true nor false", False, {"type": "CEL", "expr": "dyn(message.amount)"}, {**PLAIN, "amount": 1}, JSON_SCHEMA),
    ("contains", True, {"type": "CEL", "expr": "('a' + 'b').contains('b')"}, PLAIN, JSON_SCHEMA),
    ("guard", True, {"type": "CEL", "expr": "1 / message.amount > 0 ; false"}, PLAIN, JSON_SCHEMA),
    ("oneOf", False, {"type": "CEL_FIELD", "expr": "name == 'a' ; value == ''"}, {"a": "xx", "b": "y"}, BRANCHES),
]


def differences():
    import referencing
    from confluent_kafka.schema_registry.common import json_schema

    found, _serde = engine()
    references = referencing.Registry()
    for row, here, rule, message, whole in DIFFERENCES:
        rules = [{"name": "checked", "kind": "CONDITION", "mode": "WRITE", **rule}]

        def walk(ctx, change, message, whole=whole):
            return json_schema.transform(ctx, whole, references, references.resolver(), "$", message, change)

        text = json.dumps(whole)
        expected = judged(found, "JSON", text, rules, copy.deepcopy(message), None, walk)
        last.clear()
        emit(format="JSON", schema=text, rules={"domainRules": rules}, record=json.dumps(message), expected=expected, row=row, here=here)


if __name__ == "__main__":
    {"json": json_cases, "rules": rule_cases, "differences": differences}[sys.argv[1]](*map(int, sys.argv[2:]))
