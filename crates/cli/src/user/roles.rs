//! Names of roles.

use countersign_server::roles::{Membership, Role};

use crate::failure::Failure;

/// What knows the roles that are not custom.
pub(super) const TABLE: &str = "Microsoft's table of who may reset whose password";

/// The roles of these names, or ids of templates; others only if they may be
/// custom ones.
pub(super) fn all(names: &[String], custom: bool) -> Result<Vec<Membership>, Failure> {
    names.iter().map(|name| one(name, custom)).collect()
}

fn one(name: &str, custom: bool) -> Result<Membership, Failure> {
    match Membership::of(name) {
        Membership::Other(_) if !custom => {
            Err(Failure::new(format!("{TABLE} has no role of this name")).hint(near(name)))
        }
        role => Ok(role),
    }
}

/// What may have been meant.
pub(super) fn near(name: &str) -> String {
    let lower = name.to_lowercase();
    let distance = |role: &&Role| strsim::damerau_levenshtein(&lower, &role.name().to_lowercase());
    let nearest = Role::ALL.iter().min_by_key(distance);
    match nearest.filter(|role| lower.len() <= 64 && distance(role) <= 5) {
        Some(role) => format!("did you mean `{}`? `--custom` takes any", role.name()),
        None => {
            let names: Vec<_> = Role::ALL.iter().map(|role| role.name()).collect();
            format!("it has {}; `--custom` takes any", names.join(", "))
        }
    }
}
