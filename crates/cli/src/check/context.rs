//! `--context KEY=VALUE`

use countersign::{Context, Field, Property};

use crate::failure::Failure;

/// What is known about the user. Errors repeat keys, never values.
pub(super) fn parse(given: &[String]) -> Result<Context, Failure> {
    let mut context = Context::new();
    let mut properties: Vec<Property> = Vec::new();
    for given in given {
        let (key, value) = match given.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (given.as_str(), None),
        };
        let field = Field::ALL.iter().find(|field| field.name() == key);
        let property = Property::ALL.iter().find(|property| property.name() == key);
        context = match (field, property, value) {
            (Some(field), _, Some(value)) => context.with(*field, value),
            (Some(field), _, None) => {
                let name = field.name();
                return Err(Failure::new(format!("the context key `{name}` needs a value"))
                    .hint(format!("`--context {name}=...`")));
            }
            (None, Some(property), value) => {
                let name = property.name();
                if properties.contains(property) {
                    return Err(Failure::new(format!("the context key `{name}` stands twice")));
                }
                properties.push(*property);
                context.with_property(*property, switch(name, value)?)
            }
            (None, None, Some(_)) => return Err(unknown(key)),
            // Perhaps a value whose key was forgotten.
            (None, None, None) => {
                return Err(Failure::new("`--context` takes KEY=VALUE").hint(known()));
            }
        };
    }
    Ok(context)
}

fn switch(name: &str, value: Option<&str>) -> Result<bool, Failure> {
    match value {
        None | Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(_) => Err(Failure::new(format!("the context key `{name}` is `true` or `false`"))),
    }
}

fn unknown(key: &str) -> Failure {
    let near = |name: &&str| strsim::damerau_levenshtein(key, name) <= 3;
    let hint = match keys().find(near) {
        _ if key.len() > 64 => known(),
        Some(name) => format!("did you mean `{name}`?"),
        None => known(),
    };
    Failure::new("unknown context key").hint(hint)
}

fn known() -> String {
    format!("known keys are {}", keys().collect::<Vec<_>>().join(", "))
}

fn keys() -> impl Iterator<Item = &'static str> {
    Field::ALL
        .iter()
        .map(|field| field.name())
        .chain(Property::ALL.iter().map(|property| property.name()))
}
