//! `countersign schema`

use std::io::Write;

use clap::Args;
use countersign::rules::{Form, Kind, Opt};
use countersign::{Field, Operation, Policy, Property};
use serde_json::{Map, Value, json};

use crate::Answer;
use crate::failure::Failure;
use crate::output;

/// Prints the JSON Schema of policies, for editors.
///
/// Made from the same descriptions as `countersign explain`. Editors that know
/// TOML complete and check policies with it, for example after
/// `#:schema policy.schema.json` on a policy's first line.
#[derive(Args)]
pub(crate) struct Schema {}

pub(crate) fn run(Schema {}: &Schema) -> Result<Answer, Failure> {
    output::write(|out| {
        serde_json::to_writer_pretty(&mut *out, &schema())?;
        writeln!(out)
    })?;
    Ok(Answer::Yes)
}

fn operations() -> Vec<&'static str> {
    Operation::ALL.iter().map(|operation| operation.name()).collect()
}

fn accounts() -> Vec<&'static str> {
    Property::ALL.iter().map(|property| property.name()).collect()
}

fn schema() -> Value {
    let mut definitions = Map::new();
    let mut cases = Vec::new();
    for kind in Kind::built_in() {
        definitions.insert(kind.name().to_owned(), rule(kind));
        cases.push(json!({
            "if": { "properties": { "kind": { "const": kind.name() } }, "required": ["kind"] },
            "then": { "$ref": format!("#/$defs/{}", kind.name()) },
        }));
    }
    let kinds: Vec<_> = Kind::built_in().iter().map(Kind::name).collect();
    definitions.insert(
        "rule".to_owned(),
        json!({
            "type": "object",
            "properties": {
                "kind": {
                    "enum": kinds,
                    "description": "What the rule looks at. It may be left out where the rule \
                                    changes one of the policy that is extended, by its id; \
                                    it cannot become another then.",
                },
            },
            "anyOf": [{ "required": ["kind"] }, { "required": ["id"] }],
            "allOf": cases,
        }),
    );
    definitions.insert("test".to_owned(), test());
    let ids = json!({ "type": "array", "items": { "type": "string" } });
    definitions.insert("ids".to_owned(), ids);
    let presets: Vec<_> = Policy::presets().collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A policy of countersign",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "schema": { "const": 1, "description": "The version of the policy's form." },
            "name": { "type": "string", "description": "The policy's name." },
            "description": { "type": "string", "description": "What the policy is for." },
            "source": { "type": "string", "description": "Where its requirements come from." },
            "max-text": {
                "type": "integer", "minimum": 1, "maximum": 65536, "default": 4096,
                "description": "The most bytes of typed text that are judged at all.",
            },
            "extends": {
                "type": "string", "examples": presets,
                "description": "A built-in policy, or a file beside this one, whose rules are \
                                taken over.",
            },
            "without": {
                "type": "array", "items": { "type": "string" }, "uniqueItems": true,
                "description": "Rules of the policy that is extended, by id, that are left out.",
            },
            "rule": { "type": "array", "items": { "$ref": "#/$defs/rule" } },
            "test": { "type": "array", "items": { "$ref": "#/$defs/test" } },
        },
        "$defs": definitions,
    })
}

/// What `countersign::Suite` says of tests.
fn test() -> Value {
    let text = json!({ "type": "string" });
    let names = json!({ "type": "array", "items": { "type": "string" } });
    let mut context: Map<_, _> = Field::ALL
        .iter()
        .map(|field| (field.name().to_owned(), json!({ "anyOf": [text, names] })))
        .collect();
    for property in accounts() {
        context.insert(property.to_owned(), json!({ "type": "boolean" }));
    }
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["password"],
        "description": "A password, and what has to become of it.",
        "properties": {
            "name": { "type": "string", "description": "What the test shows." },
            "password": { "type": "string", "description": "What is typed." },
            "times": {
                "type": "integer", "minimum": 1, "default": 1,
                "description": "How many times over.",
            },
            "context": {
                "type": "object", "additionalProperties": false, "properties": context,
                "description": "What is known about the user.",
            },
            "operation": { "enum": operations(), "description": "What is being done." },
            "current-password": { "type": "string", "description": "The password until now." },
            "supply": {
                "type": "object", "additionalProperties": names,
                "description": "Terms for lists and slots, by their names.",
            },
            "expect": { "enum": ["accept", "refuse"] },
            "fails": { "description": "Checks that must fail, by id.", "$ref": "#/$defs/ids" },
            "exactly": { "type": "boolean", "description": "No other check fails." },
            "passes": { "description": "Checks that must pass, by id.", "$ref": "#/$defs/ids" },
            "score": {
                "type": "integer", "minimum": 0,
                "description": "The measured value of the check that measures a score.",
            },
            "measured": {
                "type": "object",
                "additionalProperties": { "type": "integer", "minimum": 0 },
                "description": "Measured values, by the id of the check.",
            },
            "reused": {
                "anyOf": [{ "type": "boolean" }, { "type": "integer", "minimum": 1 }],
                "description": "Which of the last passwords it is, the current one being 1; \
                                `true` is 1, `false` none.",
            },
        },
    })
}

fn rule(kind: &Kind) -> Value {
    let doc = kind.doc();
    let mut table = table(doc.options);
    let Some(Value::Object(properties)) = table.get_mut("properties") else { return table };
    properties.insert("kind".to_owned(), json!({ "const": kind.name() }));
    properties.insert(
        "id".to_owned(),
        json!({
            "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$", "default": kind.name(),
            "description": "The rule's name in results, unique in the policy.",
        }),
    );
    properties.insert(
        "on".to_owned(),
        json!({
            "type": "array", "items": { "enum": operations() }, "minItems": 1,
            "description": "The operations that the rule is limited to.",
        }),
    );
    properties.insert(
        "unless".to_owned(),
        json!({
            "enum": accounts(),
            "description": "A property of accounts to which the rule does not apply.",
        }),
    );
    if let Some(table) = table.as_object_mut() {
        // A rule that changes another one need not say everything again.
        table.remove("required");
        table.insert("description".to_owned(), doc.forbids.into());
    }
    table
}

fn table(options: &[Opt]) -> Value {
    let properties: Map<_, _> =
        options.iter().map(|option| (option.name.to_owned(), described(option))).collect();
    let required: Vec<_> = options
        .iter()
        .filter(|option| option.default == "required")
        .map(|option| option.name)
        .collect();
    let mut table =
        json!({ "type": "object", "additionalProperties": false, "properties": properties });
    if let Some(table) = table.as_object_mut().filter(|_| !required.is_empty()) {
        table.insert("required".to_owned(), required.into());
    }
    table
}

fn described(option: &Opt) -> Value {
    let mut value = form(&option.form);
    if let Some(value) = value.as_object_mut() {
        value.insert("description".to_owned(), option.meaning.into());
        // Defaults are written as in TOML; what is no value is left aside.
        let default = format!("x = {}", option.default);
        if let Ok(table) = toml::from_str::<Map<String, Value>>(&default)
            && let Some(default) = table.get("x")
        {
            value.insert("default".to_owned(), default.clone());
        }
    }
    value
}

fn form(of: &Form) -> Value {
    match of {
        Form::Integer(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Form::Text => json!({ "type": "string" }),
        Form::Flag => json!({ "type": "boolean" }),
        Form::Word(words) => json!({ "enum": words }),
        Form::List(of) => json!({ "type": "array", "items": form(of) }),
        Form::Table(options) => table(options),
        Form::Map(of) => json!({ "type": "object", "additionalProperties": form(of) }),
        Form::Rules => {
            json!({ "type": "array", "items": { "$ref": "#/$defs/rule" }, "minItems": 1 })
        }
        Form::Either(forms) => json!({ "anyOf": forms.iter().map(form).collect::<Vec<_>>() }),
        // Anything, until it is described here.
        _ => json!({}),
    }
}
