//! What is known about the user and the operation.

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::punycode;

/// A kind of name that a [`Context`] may hold. In policies and on the command
/// line it is written in kebab case.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Field {
    /// The user's first name.
    GivenName,
    /// The user's last name.
    Surname,
    /// The name shown to others.
    DisplayName,
    /// The account name (Windows: sAMAccountName).
    AccountName,
    /// The user principal name; compared up to its last `@`.
    UserPrincipalName,
    /// The organisation's name.
    Tenant,
    /// The organisation's domain; of its labels those are compared that say whose
    /// it is: neither public suffixes nor `www` and `mail`.
    TenantDomain,
    /// Any other word that is too close to the user.
    Term,
}

impl Field {
    /// Every field, in the order in which they are compared.
    pub const ALL: &[Self] = &[
        Self::GivenName,
        Self::Surname,
        Self::DisplayName,
        Self::AccountName,
        Self::UserPrincipalName,
        Self::Tenant,
        Self::TenantDomain,
        Self::Term,
    ];

    /// The name in policies and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::GivenName => "given-name",
            Self::Surname => "surname",
            Self::DisplayName => "display-name",
            Self::AccountName => "account-name",
            Self::UserPrincipalName => "user-principal-name",
            Self::Tenant => "tenant",
            Self::TenantDomain => "tenant-domain",
            Self::Term => "term",
        }
    }

    /// The parts of the field's value that are compared.
    fn compared(self, value: &str) -> impl Iterator<Item = &str> {
        let (whole, domain) = match self {
            Self::UserPrincipalName => (Some(local_part(value)), ""),
            Self::TenantDomain => (None, value),
            _ => (Some(value), ""),
        };
        whole.into_iter().chain(labels(domain))
    }
}

/// What stands before the last `@`; everything where there is none.
pub(crate) fn local_part(value: &str) -> &str {
    value.rsplit_once('@').map_or(value, |(local, _)| local)
}

/// Labels under which registries register names, and the countries whose do. That
/// each does is a fact, from what it publishes (IANA's Root Zone Database names
/// it) as the ICANN division of the Public Suffix List gathers it, in 2026. A label
/// that tells who is there (`police.uk`, `nhs.uk`) stays a name.
const REGISTRIES: &[(&str, &str)] = &[
    ("ad", "jp"),
    ("asn", "au lv"),
    ("asso", "ci dz fr gp ht km mc nc re"),
    ("ed", "ao ci cr jp pw"),
    ("firm", "co ht in nf ro ve"),
    ("gen", "in nz tr"),
    ("go", "ci cr id it jp ke kr pw th tj tz ug"),
    ("gob", "ar bo cl do ec es gt hn mx ni pa pe pk sv ve"),
    ("gouv", "ci fr ht km ml sn"),
    ("govt", "nz"),
    ("gr", "it jp"),
    ("gub", "uy"),
    ("gv", "ao at"),
    ("id", "au ir lv ly us"),
    ("idv", "hk tw"),
    ("ind", "br gt in kw tn"),
    (
        "info",
        "au az bb bj bo co ec et fj gu ht hu in ke ki la ls mv na nf ni nr pk pl pr ro sd tn tr \
         tt tz ve vn zm",
    ),
    ("lg", "jp ua"),
    ("ltd", "cy gi lk uk"),
    ("me", "in it ke so ss tz uk us"),
    ("ne", "jp ke kr pw tz ug us"),
    ("nic", "in tj za"),
    ("nom", "ad ag co es fr km mg nc ni pa pe pl re ro tm ve za"),
    ("or", "at bi ci cr id it jp ke kr mu na pw th tz ug us"),
    ("plc", "ly uk"),
    ("sch", "ae id ir jo lk ly ng qa sa ss zm"),
    ("school", "na nz za"),
];

/// The labels that most countries have, those aside that register no names under
/// any of them. From the same source.
const USUAL: &[&str] = &["ac", "co", "com", "edu", "gov", "mil", "net", "org"];
const WITHOUT_USUAL: &str = "ad aq ax bg bv ca cc cf cg ch cz de dj dk eu fi fo ga gb gf gm gq gs \
                             gw hm li lu mc md mh mp mq nc ne nl nu pm ru si sj sk sm sr su tc td \
                             tf tg tk tv va vg wf yt";

/// Whether a country's registry registers names under the label.
fn is_registry(label: &str, country: &str) -> bool {
    let is_in = |all: &str| all.split(' ').any(|one| country.eq_ignore_ascii_case(one));
    let is_usual = USUAL.iter().any(|usual| label.eq_ignore_ascii_case(usual));
    let mut listed = REGISTRIES.iter().filter(|(one, _)| label.eq_ignore_ascii_case(one));
    country.len() == 2 && (is_usual && !is_in(WITHOUT_USUAL) || listed.any(|(_, all)| is_in(all)))
}

/// Labels that name a service or who provides it, not who uses it.
const SERVICES: &[&str] = &["mail", "onmicrosoft", "onmschina", "www"];

/// Stops between labels, those of UTS #46 included.
const STOPS: &[char] = &['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];

/// The labels of a domain that say whose it is.
fn labels(domain: &str) -> impl Iterator<Item = &str> {
    let is_in = |label: &str, all: &[&str]| all.iter().any(|one| label.eq_ignore_ascii_case(one));
    let domain = domain.trim_matches(STOPS);
    let own = match domain.rsplit_once(STOPS) {
        None => domain,
        Some((rest, last)) => {
            let (own, registry) = rest.rsplit_once(STOPS).unwrap_or(("", rest));
            // Under a country the names of others may be registered one deeper.
            match is_registry(registry, last) {
                true => own,
                false => rest,
            }
        }
    };
    own.split(STOPS).filter(move |label| !label.is_empty() && !is_in(label, SERVICES))
}

/// What is known about the user, before an engine has prepared it.
///
/// Values are kept as given and wiped on drop; there is no `Debug`. A field
/// may be given several times, and every value counts.
///
/// ```
/// use countersign::Context;
///
/// let context = Context::new()
///     .given_name("Adele")
///     .surname("Vance")
///     .user_principal_name("adele.vance@contoso.example")
///     .tenant("Contoso");
/// # let _ = context;
/// ```
#[derive(Clone, Default)]
pub struct Context {
    names: Vec<(Field, Zeroizing<String>)>,
    current_password: Option<Zeroizing<String>>,
    pub(crate) operation: Option<Operation>,
    disable_strong_password: bool,
    multi_factor: bool,
}

macro_rules! setters {
    ($($method:ident $field:ident)*) => {$(
        #[doc = concat!("Adds a value of [`Field::", stringify!($field), "`].")]
        #[must_use]
        pub fn $method(self, value: &str) -> Self {
            self.with(Field::$field, value)
        }
    )*};
}

impl Context {
    /// Nobody is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value of `field`.
    #[must_use]
    pub fn with(mut self, field: Field, value: &str) -> Self {
        self.names.push((field, Zeroizing::new(value.to_owned())));
        // What is written in ASCII only for machines is known as it is read.
        if field == Field::TenantDomain
            && let Some(read) = punycode::domain(value, STOPS)
        {
            self.names.push((field, read));
        }
        self
    }

    setters! {
        given_name GivenName
        surname Surname
        display_name DisplayName
        account_name AccountName
        user_principal_name UserPrincipalName
        tenant Tenant
        tenant_domain TenantDomain
        term Term
    }

    /// Whether the account has `DisableStrongPassword` among its password
    /// policies: rules with `unless = "disable-strong-password"` are skipped.
    #[must_use]
    pub fn disable_strong_password(mut self, disabled: bool) -> Self {
        self.disable_strong_password = disabled;
        self
    }

    /// Whether the account asks for a second factor besides the password:
    /// alternatives with `when = "multi-factor"` are open to it.
    #[must_use]
    pub fn multi_factor(mut self, asks: bool) -> Self {
        self.multi_factor = asks;
        self
    }

    /// The password that the user has now, which the new one should not be
    /// like.
    #[must_use]
    pub fn with_current_password(mut self, password: &str) -> Self {
        self.current_password = Some(Zeroizing::new(password.to_owned()));
        self
    }

    /// The password that the user has now, where it is known.
    pub fn current_password(&self) -> Option<&str> {
        self.current_password.as_ref().map(|password| password.as_str())
    }

    /// What is being done. Rules that are limited to other operations by `on`
    /// are skipped; where no operation is given, every rule applies.
    #[must_use]
    pub fn operation(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Whether the account has a property.
    #[must_use]
    pub fn with_property(self, property: Property, has: bool) -> Self {
        match property {
            Property::DisableStrongPassword => self.disable_strong_password(has),
            Property::MultiFactor => self.multi_factor(has),
        }
    }

    fn has(&self, property: Property) -> bool {
        match property {
            Property::DisableStrongPassword => self.disable_strong_password,
            Property::MultiFactor => self.multi_factor,
        }
    }

    /// The values of a field, as they were given.
    pub(crate) fn values(&self, field: Field) -> impl Iterator<Item = &str> {
        let values = self.names.iter().filter(move |(of, _)| *of == field);
        values.map(|(_, value)| value.as_str())
    }

    /// What is being done, where it is known.
    pub(crate) fn known_operation(&self) -> Option<Operation> {
        self.operation
    }

    /// The strings of the fields, as they are to be compared, in the order
    /// they were given: of a user principal name what stands before its last `@`,
    /// of a domain each label that says whose it is.
    pub fn names<'a>(&'a self, fields: &'a [Field]) -> impl Iterator<Item = &'a str> {
        self.names
            .iter()
            .filter(|(field, _)| fields.contains(field))
            .flat_map(|(field, value)| field.compared(value))
    }
}

/// A property of an account, that rules and alternatives may be limited by. In
/// policies and on the command line it is written in kebab case.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Property {
    /// Its password policies say `DisableStrongPassword`.
    DisableStrongPassword,
    /// It asks for a second factor besides the password.
    MultiFactor,
}

impl Property {
    /// Every property.
    pub const ALL: &[Self] = &[Self::DisableStrongPassword, Self::MultiFactor];

    /// The name in policies and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DisableStrongPassword => "disable-strong-password",
            Self::MultiFactor => "multi-factor",
        }
    }

    /// An account for every set of properties.
    pub(crate) fn accounts() -> impl Iterator<Item = Context> {
        (0..1_u32 << Self::ALL.len()).map(|set| {
            let each = Self::ALL.iter().enumerate();
            each.fold(Context::new(), |context, (at, property)| {
                context.with_property(*property, set >> at & 1 == 1)
            })
        })
    }
}

/// What is done with a password. In policies and on the command line it is
/// written in kebab case.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Operation {
    /// An account is made, with its first password.
    Create,
    /// A user changes the own password.
    Change,
    /// An administrator resets another user's password.
    Reset,
}

impl Operation {
    /// Every operation.
    pub const ALL: &[Self] = &[Self::Create, Self::Change, Self::Reset];

    /// The name in policies and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Change => "change",
            Self::Reset => "reset",
        }
    }
}

/// To which operations and accounts a rule applies.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Scope {
    /// All, if there are none.
    pub(crate) on: Vec<Operation>,
    pub(crate) unless: Option<Property>,
    /// Only where the account is known to have the property.
    pub(crate) when: Option<Property>,
}

impl Scope {
    pub(crate) fn holds(&self, context: &Context) -> bool {
        let on = |operation| self.on.is_empty() || self.on.contains(&operation);
        context.operation.is_none_or(on)
            && !self.unless.is_some_and(|property| context.has(property))
            && self.when.is_none_or(|property| context.has(property))
    }

    /// Whether the rule applies to every operation and account.
    pub(crate) fn is_everything(&self) -> bool {
        self.on.is_empty() && self.unless.is_none() && self.when.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_as_they_are_compared() {
        let context = Context::new()
            .user_principal_name("o'hara@x@contoso.example")
            .user_principal_name("plain")
            .tenant_domain("fabrikam.contoso.example")
            .term("a.b@c");
        let names: Vec<_> = context.names(Field::ALL).collect();
        assert_eq!(names, ["o'hara@x", "plain", "fabrikam", "contoso", "a.b@c"]);
        assert_eq!(context.names(&[Field::Term]).count(), 1);
    }

    #[test]
    fn of_a_domain_the_labels_count_that_say_whose_it_is() {
        for (domain, expected) in [
            ("contoso.com", &["contoso"][..]),
            ("mail.contoso.com", &["contoso"]),
            ("WWW.Contoso.Com.", &["Contoso"]),
            ("sales.eu.contoso.co.uk", &["sales", "eu", "contoso"]),
            ("contoso.com.au", &["contoso"]),
            ("contoso.gouv.fr", &["contoso"]),
            ("contoso.onmicrosoft.com", &["contoso"]),
            ("contoso.mail.onmicrosoft.com", &["contoso"]),
            ("contoso.partner.onmschina.cn", &["contoso", "partner"]),
            // A registry's word is a name elsewhere.
            ("info.example", &["info"]),
            ("school.contoso.com", &["school", "contoso"]),
            ("contoso.de", &["contoso"]),
            ("corp.contoso.local", &["corp", "contoso"]),
            ("contoso", &["contoso"]),
            ("www", &[]),
            ("co.uk", &[]),
            ("com.au", &[]),
            // Nor is a registry's word under one country one under all.
            ("police.nl", &["police"]),
            ("www.police.nl", &["police"]),
            ("mail.info.de", &["info"]),
            ("contoso.info.de", &["contoso", "info"]),
            ("contoso.info.pl", &["contoso"]),
            ("school.at", &["school"]),
            ("contoso.school.nz", &["contoso"]),
            ("firm.ch", &["firm"]),
            ("plc.de", &["plc"]),
            ("contoso.plc.uk", &["contoso"]),
            ("id.me", &["id"]),
            ("net.de", &["net"]),
            ("nhs.uk", &["nhs"]),
            ("www.police.uk", &["police"]),
            // As it is written, and as it is read.
            ("www.xn--bcker-gra.de", &["xn--bcker-gra", "b\u{e4}cker"]),
            ("xn--!.de", &["xn--!"]),
            ("a..b.example", &["a", "b"]),
            ("\u{4f8b}\u{5b50}\u{3002}\u{516c}\u{53f8}", &["\u{4f8b}\u{5b50}"]),
            ("", &[]),
            (".", &[]),
        ] {
            let context = Context::new().tenant_domain(domain);
            let names: Vec<_> = context.names(&[Field::TenantDomain]).collect();
            assert_eq!(names, expected, "{domain}");
        }
    }
}
