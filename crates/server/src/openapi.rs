//! The OpenAPI document.

/// As it is served.
pub(crate) const TEXT: &str = include_str!("../openapi.json");

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::{Value, json};

    use super::TEXT;
    use crate::path::{PASSWORD_METHOD, Path, Resource, Target, Whole};
    use crate::permissions::{Action, GRANTS, OFFERS, Version};

    fn document() -> Value {
        serde_json::from_str(TEXT).unwrap()
    }

    /// Each operation: its path, its method, and what is said of it.
    fn operations(document: &Value) -> Vec<(&String, &String, &Value)> {
        let paths = document["paths"].as_object().unwrap().iter();
        let operations = paths.flat_map(|(path, item)| {
            let operations = item.as_object().unwrap().iter();
            operations.map(move |(method, operation)| (path, method, operation))
        });
        operations.filter(|(_, method, _)| *method != "parameters").collect()
    }

    /// The paths of a resource, as the document writes them.
    fn paths(version: Version, resource: &Resource) -> Vec<String> {
        let user = match resource.target() {
            None => "",
            Some(Target::Me) => "/me",
            Some(Target::User(_)) => "/users/{user}",
        };
        let rest: &[&str] = match resource {
            Resource::ValidatePassword => &["/users/validatePassword"],
            Resource::ChangePassword(_) => &["/changePassword"],
            Resource::ResetPassword { .. } => &[
                "/authentication/methods/{method}/resetPassword",
                "/authentication/passwordMethods/{method}/resetPassword",
            ],
            Resource::Operation { .. } => &["/authentication/operations/{operation}"],
            Resource::Methods(_) => &["/authentication/methods"],
            Resource::PasswordMethods(_) => &["/authentication/passwordMethods"],
            Resource::User(_) => &[""],
        };
        rest.iter().map(|rest| format!("/{}{user}{rest}", version.segment())).collect()
    }

    fn resources() -> Vec<Resource> {
        let of = |target: Target| {
            let (id, method) = ("1".to_owned(), PASSWORD_METHOD.to_owned());
            [
                Resource::ChangePassword(target.clone()),
                Resource::ResetPassword { target: target.clone(), method },
                Resource::Operation { target: target.clone(), id },
                Resource::Methods(target.clone()),
                Resource::PasswordMethods(target.clone()),
                Resource::User(target),
            ]
        };
        let user = Target::User("a@b".to_owned());
        let all = of(Target::Me).into_iter().chain(of(user));
        all.chain([Resource::ValidatePassword]).collect()
    }

    fn is_offered(action: Action, version: Version) -> bool {
        OFFERS.iter().any(|offer| offer.action == action && offer.version == version)
    }

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let document = document();
        let mut expected = BTreeMap::new();
        for version in Version::ALL.iter().copied() {
            for resource in resources() {
                for path in paths(version, &resource) {
                    let raw = path.replace("{user}", "a@b").replace("{operation}", "1");
                    let raw = raw.replace("{method}", PASSWORD_METHOD);
                    for (method, action) in resource.actions() {
                        if is_offered(*action, version) {
                            let parsed = Path::parse(&raw).unwrap();
                            assert_eq!(parsed, Path { version, resource: resource.clone() });
                            expected.insert((path.clone(), method.to_lowercase()), *action);
                        }
                    }
                }
            }
        }
        let mut found = BTreeSet::new();
        let any = json!([{ "bearer": [] }]);
        for (path, method, operation) in operations(&document) {
            let Some(action) = expected.get(&(path.clone(), method.clone())) else {
                if matches!(Whole::parse(path), Some((_, Whole::Batch))) {
                    // What its parts need is theirs.
                    assert_eq!((method.as_str(), &operation["security"]), ("post", &any), "{path}");
                    continue;
                }
                let own = ["/healthz", "/readyz", "/metrics", "/openapi.json"];
                let is_own = own.contains(&path.as_str()) || Whole::parse(path).is_some();
                assert!(is_own && method == "get", "{method} {path}");
                assert_eq!(operation["security"], json!([]), "{path}");
                continue;
            };
            found.insert((path.clone(), method.clone()));
            // The permissions, each of which suffices.
            let named = operation["security"].as_array().unwrap().iter();
            let named: BTreeSet<_> = named.map(|one| one["bearer"][0].as_str().unwrap()).collect();
            let grants = GRANTS.iter().filter(|grant| grant.action == *action);
            let granted = grants.flat_map(|grant| {
                let others = grant.higher.iter().chain(grant.also);
                std::iter::once(grant.least).chain(others.copied())
            });
            assert_eq!(named, granted.collect(), "{method} {path}");
            // What changes something may not know whether it was done.
            let changes = method != "get" && *action != Action::ValidatePassword;
            assert_eq!(operation["responses"].get("500").is_some(), changes, "{method} {path}");
        }
        assert_eq!(found, expected.into_keys().collect());
    }

    #[test]
    fn both_versions_are_described_alike() {
        let document = document();
        let told: BTreeMap<_, _> = operations(&document)
            .into_iter()
            .map(|(path, method, operation)| ((path.clone(), method.clone()), operation))
            .collect();
        for ((path, method), operation) in &told {
            let Some(rest) = path.strip_prefix("/v1.0/") else { continue };
            let beta = told[&(format!("/beta/{rest}"), method.clone())].to_string();
            let beta = beta.replace("com/beta/", "com/v1.0/").replace("\"beta.", "\"v1.0.");
            assert_eq!(beta, operation.to_string(), "{method} {path}");
        }
    }

    #[test]
    fn references_lead_somewhere_and_names_are_unique() {
        fn references<'v>(value: &'v Value, found: &mut BTreeSet<&'v str>) {
            match value {
                Value::Object(members) => {
                    found.extend(members.get("$ref").and_then(Value::as_str));
                    members.values().for_each(|value| references(value, found));
                }
                Value::Array(values) => values.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let document = document();
        assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        for reference in &found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        for (kind, all) in document["components"].as_object().unwrap() {
            for name in all.as_object().unwrap().keys().filter(|_| kind != "securitySchemes") {
                let reference = format!("#/components/{kind}/{name}");
                assert!(found.contains(reference.as_str()), "nothing refers to {reference}");
            }
        }
        let operations = operations(&document);
        let ids: BTreeSet<_> =
            operations.iter().map(|(.., one)| one["operationId"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), operations.len());
    }
}
