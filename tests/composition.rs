//! Policies put together: alternatives, operations, and policies that extend
//! others.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a panic is a failed test"
)]

use std::fs;

use countersign::{Context, Dialect, Engine, Error, Operation, Outcome, Policy, Subject, Verdict};

fn engine(policy: &str) -> Engine {
    Engine::builder().build(&policy.parse().unwrap()).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(policy: &str) -> Error {
    match policy.parse().and_then(|policy: Policy| Engine::builder().build(&policy)) {
        Ok(_) => panic!("accepted: {policy}"),
        Err(error) => error,
    }
}

const ALTERNATIVES: &str = "
    [[rule]]
    kind = 'length'
    max = 30

    [[rule]]
    kind = 'any-of'
    id = 'strength'
    unless = 'disable-strong-password'

    [[rule.alternative]]
    id = 'long'
    [[rule.alternative.rule]]
    kind = 'length'
    min = 12

    [[rule.alternative]]
    [[rule.alternative.rule]]
    kind = 'length'
    min = 6
    [[rule.alternative.rule]]
    kind = 'complexity'
    require = 3
    classes = ['lower', 'upper', 'digit', 'symbol']

    [[rule.alternative]]
    id = 'two'
    when = 'multi-factor'
    rule = [{ kind = 'length', min = 4 }]
";

#[test]
fn one_alternative_is_enough() {
    let engine = engine(ALTERNATIVES);
    let ids: Vec<_> = engine.checks().iter().map(|check| check.id()).collect();
    assert_eq!(ids, ["text.limit", "length.max", "strength.alternatives"]);
    let anyone = Subject::default();
    let second = engine.subject(&Context::new().multi_factor(true));
    let exempt = engine.subject(&Context::new().disable_strong_password(true));
    for (password, subject, accepted) in [
        ("abcdefghijkl", &anyone, true),
        ("abcdefghijk", &anyone, false),
        ("Abcde1", &anyone, true),
        ("Abcd1", &anyone, false),
        ("abcd", &anyone, false),
        ("abcd", &second, true),
        ("abc", &second, false),
        ("abc", &exempt, true),
        ("Abcde1 but far too long for the other rule", &anyone, false),
    ] {
        let report = engine.check(password, subject);
        assert_eq!(report.is_valid(), accepted, "{password}: {report:?}");
        let mut session = engine.session(subject.clone());
        for end in 0..=password.len() {
            session.set(&password[..end]);
            assert_eq!(session.report(), engine.check(&password[..end], subject));
        }
    }
}

#[test]
fn each_alternative_says_what_became_of_it() {
    let engine = engine(ALTERNATIVES);
    let report = engine.check("Abcd1", &Subject::default());
    let alternatives = report.alternatives("strength.alternatives");
    let told: Vec<_> = alternatives
        .iter()
        .map(|alternative| {
            let checks = alternative.checks.iter();
            (
                alternative.id,
                alternative.outcome,
                checks.map(|c| (c.check.id(), c.outcome)).collect(),
            )
        })
        .collect::<Vec<(_, _, Vec<_>)>>();
    assert_eq!(
        told,
        [
            ("long", Outcome::Failed, vec![("strength.long.length.min", Outcome::Failed)]),
            (
                "2",
                Outcome::Failed,
                vec![
                    ("strength.2.length.min", Outcome::Failed),
                    ("strength.2.complexity.classes", Outcome::Passed)
                ]
            ),
            ("two", Outcome::Skipped, vec![("strength.two.length.min", Outcome::Skipped)]),
        ]
    );
    assert!(report.alternatives("length.max").is_empty());
    assert_eq!(
        report.check("strength.alternatives").unwrap().check.requirement(),
        "at least 12 characters; or at least 6 characters, and at least 3 of: lower-case letters, \
         upper-case letters, digits (0–9), symbols (such as ! or #, not £ or €); or with a second factor, at least 4 characters"
    );
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["checks"][2]["alternatives"][1]["checks"][0]["measured"], 5);
    assert_eq!(json["checks"][1].get("alternatives"), None);
    let info = report.to_graph(Dialect::AllRules);
    assert_eq!(info.validation_results[1].rule_name, "PasswordAlternatives");
}

#[test]
fn an_alternative_that_is_left_to_the_caller_can_be_settled() {
    use countersign::rules::{Findings, Judge, Kind, Lists, Rule};
    use countersign::{Check, Options};

    struct Open;
    impl Rule for Open {
        fn checks(&self) -> Vec<Check> {
            vec![Check::new("open", "settled by the caller")]
        }
        fn judge(&self, _: &Judge<'_>, _: &mut Findings<'_>) {}
    }
    fn open(_: &Options<'_>, _: &mut Lists<'_>) -> Result<Box<dyn Rule>, Error> {
        Ok(Box::new(Open))
    }
    let policy: Policy = "
        [[rule]]
        kind = 'any-of'
        [[rule.alternative]]
        rule = [{ kind = 'length', min = 8 }, { kind = 'open' }]
        [[rule.alternative]]
        rule = [{ kind = 'length', min = 12 }]
    "
    .parse()
    .unwrap();
    let engine = Engine::builder().kind(Kind::new("open", open)).build(&policy).unwrap();
    let judge = |text| engine.check(text, &Subject::default());
    assert_eq!(judge("1234567").verdict(), Verdict::Refused);
    assert_eq!(judge("123456789012").verdict(), Verdict::Accepted);
    for (passed, verdict) in [(true, Verdict::Accepted), (false, Verdict::Refused)] {
        let mut report = judge("12345678");
        assert_eq!(report.verdict(), Verdict::Undecided);
        assert!(report.settle("any-of.1.open.open", passed));
        assert_eq!(report.verdict(), verdict);
    }
}

#[test]
fn alternatives_that_make_no_sense_are_refused() {
    for (policy, line, message) in [
        ("[[rule]]\nkind = 'any-of'", 1, "an any-of rule without alternatives lets nothing pass"),
        (
            "[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\nid = 'a'",
            4,
            "an alternative without rules accepts every password",
        ),
        (
            "[[rule]]\nkind = 'any-of'\nx = 1\n[[rule.alternative]]\nrule = [{ kind = 'length', min = 1 }]",
            3,
            "unknown key `x`",
        ),
        ("[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\nx = 1", 4, "unknown key `x`"),
        (
            "[[rule]]\nkind = 'any-of'\n[[rule.alternatives]]\nrule = []",
            3,
            "`alternatives` is not a key",
        ),
        (
            "[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\nrule = [{ kind = 'any-of', alternative = [{ rule = [{ kind = 'length', min = 1 }] }] }]",
            4,
            "alternatives do not stand in alternatives",
        ),
        (
            "[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\nrule = [{ kind = 'length', min = 1, on = ['reset'] }]",
            4,
            "`on` has no place in an alternative",
        ),
        (
            "[[rule]]\nkind = 'length'\nmin = 2\n[[rule.alternative]]\nrule = [{ kind = 'length', min = 1 }]",
            2,
            "only `any-of` has alternatives",
        ),
        (
            "[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\nid = 'a'\nrule = [{ kind = 'length', min = 1 }]\n[[rule.alternative]]\nid = 'a'\nrule = [{ kind = 'length', min = 1 }]",
            7,
            "a second alternative with the id `a`",
        ),
        ("[[rule]]\nkind = 'any-of'\nalternative = 1", 3, "`alternative` is not a list of tables"),
        ("[[rule]]\nkind = 'length'\nmin = 1\non = []", 4, "a rule on no operation never applies"),
        ("[[rule]]\nkind = 'length'\nmin = 1\non = ['rest']", 4, "unknown value"),
    ] {
        let error = refused(policy);
        assert_eq!((error.message(), error.line()), (message, Some(line)), "{error}");
    }
}

// A misspelt key beside alternatives was shown with its value.
#[test]
fn what_may_be_a_term_is_not_shown_beside_alternatives() {
    let error = refused(
        "[[rule]]\nkind = 'any-of'\ntems = ['hunter2']\n[[rule.alternative]]\n\
         rule = [{ kind = 'length', min = 1 }]",
    );
    assert_eq!((error.message(), error.line()), ("unknown key `tems`", Some(3)));
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn a_rule_may_be_limited_to_operations() {
    let engine = engine(
        "
        [[rule]]
        kind = 'length'
        min = 4
        [[rule]]
        kind = 'length'
        id = 'chosen'
        min = 8
        on = ['create', 'change']
    ",
    );
    let valid = |context: Context| engine.check("abcdef", &engine.subject(&context)).is_valid();
    assert!(!valid(Context::new()), "where no operation is given, every rule applies");
    assert!(!valid(Context::new().operation(Operation::Create)));
    assert!(!valid(Context::new().operation(Operation::Change)));
    assert!(valid(Context::new().operation(Operation::Reset)));
    let subject = engine.subject(&Context::new().operation(Operation::Reset));
    let report = engine.check("abcdef", &subject);
    assert_eq!(report.check("chosen.min").unwrap().outcome, Outcome::Skipped);
    let info = report.to_graph(Dialect::AllRules);
    assert_eq!(info.validation_results.len(), 1);
}

#[test]
fn a_policy_extends_another() {
    let policy: Policy = "
        extends = 'entra'
        name = 'acme'
        without = ['complexity', 'characters']

        [[rule]]
        kind = 'length'
        min = 14

        [[rule]]
        id = 'banned'
        score = { min = 6 }

        [[rule]]
        kind = 'complexity'
        id = 'mixed'
        require = 1
        classes = ['lower']
    "
    .parse()
    .unwrap();
    assert_eq!((policy.name(), policy.extends()), ("acme", Some("entra")));
    assert_eq!(policy.source(), Policy::preset("entra").unwrap().source());
    let engine = Engine::builder().terms("custom", ["trombone"]).build(&policy).unwrap();
    let told: Vec<_> =
        engine.checks().iter().map(|check| (check.id(), check.requirement())).collect();
    assert_eq!(
        told[1..4],
        [
            ("length.min", "at least 14 characters"),
            ("length.max", "at most 256 characters"),
            (
                "banned.listed",
                "not a common password, nor one with little added: a score of at least 6"
            ),
        ]
    );
    assert_eq!(told[4].0, "names.contained");
    assert_eq!(told[5].0, "mixed.classes");
    let lists: Vec<_> = engine.lists().iter().filter_map(|list| list.name.as_deref()).collect();
    // The terms that were supplied are a list of their own.
    assert_eq!(lists, ["base", "custom", "common"]);
}

#[test]
fn what_cannot_be_extended_is_refused_with_its_place() {
    for (policy, line, message, hint) in [
        ("extends = 'entar'", 1, "no built-in policy is named `entar`", "did you mean `entra`?"),
        (
            "without = ['a']",
            1,
            "`without` takes rules out of a policy that is extended",
            "add `extends`, or leave the rules out",
        ),
        (
            "extends = 'entra'\nwithout = ['complexty']",
            2,
            "the policy that is extended has no rule with this id",
            "did you mean `complexity`?",
        ),
        (
            "extends = 'entra'\n[[rule]]\nkind = 'length'\n[[rule]]\nid = 'length'\nkind = 'length'",
            5,
            "a second rule with the id `length`",
            "the first is on line 3: give one of them another `id`",
        ),
        (
            "extends = 'entra'\n[[rule]]\nid = 'lenght'\nmin = 9",
            3,
            "the policy that is extended has no rule with this id",
            "did you mean `length`?",
        ),
        (
            "extends = 'entra'\n[[rule]]\nid = 'quokka'\nmin = 9",
            3,
            "the policy that is extended has no rule with this id",
            "it has `length`, `characters`, `complexity`, `banned`, `names`",
        ),
        (
            "extends = 'entra'\nwithout = ['length']\n[[rule]]\nid = 'length'\nmin = 9",
            4,
            "`without` leaves out the rule with this id",
            "a new rule needs a `kind`",
        ),
        // The second was told that it lacked a kind.
        (
            "extends = 'entra'\n[[rule]]\nid = 'length'\nmin = 9\n[[rule]]\nid = 'length'\n\
             max = 64",
            6,
            "the rule `length` is changed twice",
            "write what changes in one table",
        ),
        (
            "extends = 'entra'\nwithout = ['names', 'length', 'names']",
            2,
            "the id stands twice",
            "once is enough",
        ),
        // It took the place of the other without a word.
        (
            "extends = 'entra'\n[[rule]]\nid = 'length'\nkind = 'unique'\nmin = 9",
            4,
            "`length` is a rule of kind `length` in the policy that is extended",
            "give this one another `id`; to put it in the place of the other, name `length` in \
             `without`, too",
        ),
        (
            "extends = 'entra'\n\n[[rule]]\nkind = 'length'\nmin = 300",
            5,
            "min 300 is greater than max 256",
            "no password could be both long and short enough",
        ),
    ] {
        let error = refused(policy);
        assert_eq!((error.message(), error.line()), (message, Some(line)), "{error}");
        assert_eq!(error.suggestion().unwrap_or_default(), hint, "{error}");
        assert_eq!(error.file(), None, "{error}");
    }
    let replaced = "extends = 'entra'\nwithout = ['length']\n[[rule]]\nid = 'length'\n\
                    kind = 'unique'\nmin = 9";
    let check = engine(replaced).checks().last().unwrap().requirement().to_owned();
    assert_eq!(check, "at least 9 different characters");
    // What was written in the other file is shown there.
    let error = refused(
        "extends = 'entra'\n[[rule]]\nid = 'length'\nmin = 9\n[[rule]]\nid = 'complexity'\nclasses = ['lower']",
    );
    assert_eq!((error.file(), error.line()), (Some("entra.toml"), Some(22)), "{error}");
}

#[test]
fn files_extend_files_beside_them() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    };
    write(
        "shared/base.toml",
        "extends = 'nist-63b-4-single-factor'\n[[rule]]\nkind = 'length'\nmin = 16\n",
    );
    let own = write(
        "own.toml",
        "extends = 'shared/base.toml'\nname = 'own'\n[[rule]]\nid = 'length'\nmax = 99\n",
    );
    let policy = Policy::open(&own).unwrap();
    assert!(policy.files().eq([folder.path().join("shared/base.toml"), own.clone()]));
    assert_eq!(Policy::preset("entra").unwrap().files().count(), 0);
    let engine = Engine::builder().build(&policy).unwrap();
    assert_eq!(engine.checks()[1].requirement(), "at least 16 characters");
    assert_eq!(engine.checks()[2].requirement(), "at most 99 characters");

    let wrong = write("shared/wrong.toml", "[[rule]]\nkind = 'length'\n");
    let over = write("over.toml", "extends = 'shared/wrong.toml'\n");
    let error = Engine::builder().build(&Policy::open(&over).unwrap()).unwrap_err();
    assert_eq!(error.file(), Some(&*wrong.display().to_string()));

    let zero = write("zero.toml", "extends = 'one.toml'\n");
    let one = write("one.toml", "extends = 'shared/two.toml'\n");
    let two = write("shared/two.toml", "name = 'two'\nextends = '../one.toml'\n");
    let error = Policy::open(&zero).unwrap_err();
    let (one, two) = (one.display(), two.display());
    let circle = format!("policies extend each other in a circle: {one} -> {two} -> {one}");
    assert_eq!((error.message(), error.line()), (circle.as_str(), Some(2)), "{error}");
    assert_eq!(error.file(), Some(&*two.to_string()));

    for n in 0..9 {
        write(&format!("{n}.toml"), &format!("extends = '{}.toml'\n", n + 1));
    }
    let error = Policy::open(folder.path().join("0.toml")).unwrap_err();
    assert_eq!(error.message(), "more than 8 policies extend each other");

    let none = write("none.toml", "\n extends = 'other.toml'\n");
    let error = Policy::open(&none).unwrap_err();
    assert_eq!(error.message(), "no built-in policy and no file beside this one has this name");
    assert_eq!((error.line(), error.column()), (Some(2), Some(12)));

    let latin = write("latin.toml", "");
    fs::write(&latin, b"schema = 1\n\xff\n").unwrap();
    let error = Policy::open(&latin).unwrap_err();
    assert_eq!(error.message(), "the policy is not UTF-8: see line 2");
    assert!(Policy::open(folder.path().join("missing.toml")).unwrap_err().is_io());
    assert!(Policy::open(folder.path()).unwrap_err().is_io());
}

/// Every shipped policy that has alternatives.
fn with_alternatives() -> impl Iterator<Item = (&'static str, Engine)> {
    let engines = Policy::presets()
        .map(|name| (name, Engine::builder().build(&Policy::preset(name).unwrap()).unwrap()));
    engines.filter(|(_, engine)| engine.checks().iter().any(|c| c.id().ends_with(".alternatives")))
}

#[test]
fn a_result_names_what_fails_in_the_nearest_alternative() {
    let names: Vec<_> = with_alternatives().map(|(name, _)| name).collect();
    for name in ["bsi-consumer", "cis", "countersign", "cyber-essentials", "ism", "ism-secret"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    for (name, engine) in with_alternatives() {
        for second_factor in [None, Some(true)] {
            let context =
                second_factor.map_or_else(Context::new, |known| Context::new().multi_factor(known));
            let subject = engine.subject(&context);
            for password in
                ["", "abc", "2019", "1987", "password", "P@ssw0rd", "iloveyou", "passwordpassword"]
            {
                let report = engine.check(password, &subject);
                let told = format!("{name}, {second_factor:?}, {password}: {report:?}");
                let first = report.to_graph(Dialect::FirstFailure);
                let [first] = first.validation_results.as_slice() else { panic!("{told}") };
                assert_ne!(first.rule_name, "password_not_meet_alternatives", "{told}");
                let all = report.to_graph(Dialect::AllRules).validation_results;
                let failed: Vec<_> = all
                    .iter()
                    .filter(|result| !result.validation_passed)
                    .map(|result| result.rule_name.as_str())
                    .collect();
                let is_only = failed.iter().all(|name| *name == "PasswordAlternatives");
                assert_eq!(is_only, report.is_valid(), "{told}: {failed:?}");
                let reasons = report.reasons();
                assert_eq!(reasons.is_empty(), report.is_valid(), "{told}");
                assert!(reasons.iter().all(|reason| {
                    reason.outcome == Outcome::Failed
                        && !reason.check.id().ends_with(".alternatives")
                        && !reason.check.instead().is_empty()
                }));
            }
        }
    }
    // The ways to say it, one by one.
    for (name, password, rule, message) in [
        ("cis", "abc", "password_too_short", "Password is too short, length: 3."),
        ("ism", "2019", "password_too_short", "Password is too short, length: 4."),
        ("countersign", "abc", "password_too_short", "Password is too short, length: 3."),
        (
            "countersign",
            "passwordpassword",
            "password_banned",
            "Password is too weak and can not be used.",
        ),
        // Twelve characters would do, and so would another word of eight.
        (
            "cyber-essentials",
            "password",
            "password_banned",
            "Password is too weak and can not be used.",
        ),
    ] {
        let (_, engine) = with_alternatives().find(|(known, _)| *known == name).unwrap();
        let info = engine.check(password, &Subject::default()).to_graph(Dialect::FirstFailure);
        let first = &info.validation_results[0];
        assert_eq!((first.rule_name.as_str(), first.message.as_str()), (rule, message), "{name}");
    }
}

#[test]
fn an_entry_is_false_whenever_a_rule_of_its_name_is_why() {
    let passed = |engine: &Engine, password: &str, rule: &str| {
        let info = engine.check(password, &Subject::default()).to_graph(Dialect::AllRules);
        let entries: Vec<_> =
            info.validation_results.into_iter().filter(|entry| entry.rule_name == rule).collect();
        assert!(entries.len() <= 1, "{entries:?}");
        entries.first().map(|entry| (entry.validation_passed, entry.message.clone()))
    };
    let weak = "The new password must not be weak or commonly used.".to_owned();
    let (_, recommended) = with_alternatives().find(|(name, _)| *name == "countersign").unwrap();
    // The names rule, outside the alternatives, has the same name and passes.
    for password in ["passwordpassword", "P@ssw0rd", "drowssap"] {
        let entry = passed(&recommended, password, "PasswordNotBanned");
        assert_eq!(entry, Some((false, weak.clone())), "{password}");
    }
    let (_, essentials) =
        with_alternatives().find(|(name, _)| *name == "cyber-essentials").unwrap();
    assert_eq!(passed(&essentials, "password", "PasswordNotBanned"), Some((false, weak.clone())));
    // What is short only is not called common.
    assert_eq!(passed(&essentials, "xkqzv", "PasswordNotBanned"), None);
    // Names inside an alternative, a banned rule outside.
    let mixed = engine(
        "[[rule]]\nkind = 'banned'\nwhole.terms = ['quokka']\n\
         [[rule]]\nkind = 'any-of'\n\
         [[rule.alternative]]\nrule = [{ kind = 'length', min = 20 }, { kind = 'classes', min = { digit = 9 } }]\n\
         [[rule.alternative]]\nrule = [{ kind = 'banned', substring = { terms = ['wombat'] } }]",
    );
    assert_eq!(passed(&mixed, "wombats", "PasswordNotBanned"), Some((false, weak.clone())));
    assert_eq!(passed(&mixed, "wombs", "PasswordNotBanned"), Some((true, weak)));
    assert_eq!(passed(&mixed, "wombats", "PasswordMinLength"), None, "it is further off");
    // It is why in an alternative that is not the nearest.
    let further = engine(
        "[[rule]]\nkind = 'names'\n[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\n\
         rule = [{ kind = 'length', min = 10 }, { kind = 'classes', min = { digit = 1 } }, \
         { kind = 'banned', whole = { terms = ['password'] } }]\n\
         [[rule.alternative]]\nrule = [{ kind = 'length', min = 20 }]",
    );
    let weak = "The new password must not be weak or commonly used.".to_owned();
    assert_eq!(passed(&further, "password", "PasswordNotBanned"), Some((false, weak.clone())));
    assert_eq!(passed(&further, "kettle", "PasswordNotBanned"), Some((true, weak.clone())));
    // One that is met leaves nothing to say of the others.
    let met = "passwordpasswordpassword";
    assert_eq!(passed(&further, met, "PasswordNotBanned"), Some((true, weak)));
    // One length outside, another inside: the text is that of the one that fails.
    let lengths = engine(
        "[[rule]]\nkind = 'length'\nmin = 4\n[[rule]]\nkind = 'any-of'\n\
         [[rule.alternative]]\nrule = [{ kind = 'length', min = 12 }]",
    );
    let short = "The new password must have a minimum of 12 characters.".to_owned();
    assert_eq!(passed(&lengths, "abcdef", "PasswordMinLength"), Some((false, short)));
    let text = "x".repeat(5_000);
    let told = engine(
        "[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\nrule = [{ kind = 'length', min = 12 }]",
    );
    assert_eq!(passed(&told, &text, "PasswordMinLength"), None, "nothing was judged");
}

#[test]
fn the_nearest_alternative_lacks_the_least_and_is_open_to_the_account() {
    let engine = engine(ALTERNATIVES);
    let anyone = Subject::default();
    let second = engine.subject(&Context::new().multi_factor(true));
    for (password, subject, nearest, reasons) in [
        // One check each: the one of the fewest characters.
        ("Abcd1", &anyone, "2", &["strength.2.length.min"][..]),
        ("abcdefg", &anyone, "2", &["strength.2.complexity.classes"]),
        ("abc", &anyone, "long", &["strength.long.length.min"]),
        // What others may use is not near.
        ("abc", &second, "two", &["strength.two.length.min"]),
    ] {
        let report = engine.check(password, subject);
        let found = report.nearest("strength.alternatives").unwrap();
        assert_eq!(found.id, nearest, "{password}");
        let ids: Vec<_> = report.reasons().iter().map(|reason| reason.check.id()).collect();
        assert_eq!(ids, reasons, "{password}");
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["checks"][2]["nearest"], nearest);
    }
    let accepted = engine.check("abcdefghijkl", &anyone);
    assert!(accepted.nearest("strength.alternatives").is_none());
    assert!(accepted.nearest("length.max").is_none() && accepted.nearest("no.such").is_none());
    let json = serde_json::to_value(&accepted).unwrap();
    assert_eq!(json["checks"][2].get("nearest"), None);
}

#[test]
fn nothing_is_said_to_be_wrong_that_nobody_has_looked_at() {
    use countersign::Check;
    use countersign::rules::{Findings, Judge, Rule};

    struct Open;
    impl Rule for Open {
        fn checks(&self) -> Vec<Check> {
            let check = Check::new("open", "not known to a breach service");
            vec![check.first_failure("password_breached", "Password was found in a breach.")]
        }
        fn judge(&self, _: &Judge<'_>, _: &mut Findings<'_>) {}
    }
    let said = |report: &countersign::Report<'_>| {
        let info = report.to_graph(Dialect::FirstFailure);
        assert!(!info.is_valid);
        let first = &info.validation_results[0];
        assert!(!first.validation_passed);
        (first.rule_name.clone(), first.message.clone())
    };
    let text = |name: &str, message: &str| (name.to_owned(), message.to_owned());
    let open = "Password has not been compared with those used before.";
    let pci = Engine::builder().build(&Policy::preset("pci-dss-4.0.1").unwrap()).unwrap();
    let mut report = pci.check("rain4kettles", &Subject::default());
    assert_eq!(report.verdict(), Verdict::Undecided);
    assert_eq!(said(&report), text("password_reused", open));
    assert!(report.settle("reuse.history", false));
    assert_eq!(said(&report), text("password_reused", "Password was used before."));
    // An id of the policy's own, and one in an alternative.
    let named = engine("[[rule]]\nkind = 'reuse'\nid = 'former'\nlast = 3");
    assert_eq!(said(&named.check("x", &Subject::default())), text("password_reused", open));
    let inner = engine(
        "[[rule]]\nkind = 'any-of'\n[[rule.alternative]]\nrule = [{ kind = 'length', min = 20 }]\n\
         [[rule.alternative]]\nrule = [{ kind = 'length', min = 2 }, { kind = 'reuse' }]",
    );
    let mut report = inner.check("abc", &Subject::default());
    assert_eq!(said(&report), text("password_reused", open));
    let all = report.to_graph(Dialect::AllRules).validation_results;
    let all: Vec<_> =
        all.iter().map(|entry| (entry.rule_name.as_str(), entry.validation_passed)).collect();
    assert_eq!(all, [("PasswordAlternatives", false), ("PasswordHistory", false)]);
    assert!(report.settle("any-of.2.reuse.history", false));
    assert_eq!(said(&report), text("password_reused", "Password was used before."));
    // Rules of one's own say what fails; what is open is said for them.
    let own = Engine::builder()
        .rule("breach", Open)
        .build(&"[[rule]]\nkind = 'length'\nmin = 1".parse().unwrap())
        .unwrap();
    let mut report = own.check("abc", &Subject::default());
    let not_judged = "Not judged: not known to a breach service.";
    assert_eq!(said(&report), text("password_breached", not_judged));
    assert!(report.settle("breach.open", false));
    assert_eq!(said(&report), text("password_breached", "Password was found in a breach."));
}

#[test]
fn a_backslash_in_double_quotes_is_told_with_the_quotes_to_use() {
    for pattern in [r"\d", r"\w+", r"\p{L}", r"^\S+$", r"a\.b", r"[\]]"] {
        let policy = format!("[[rule]]\nkind = 'pattern'\nrequire = \"{pattern}\"");
        let error = refused(&policy);
        assert_eq!(error.line(), Some(3), "{error}");
        assert!(error.message().contains("a backslash begins an escape"), "{pattern}: {error}");
        assert!(error.suggestion().unwrap().contains("single quotes"), "{error}");
        let policy = format!("[[rule]]\nkind = 'pattern'\nforbid = '{pattern}'");
        engine(&policy);
    }
    // Taken by TOML, and not meant by anybody.
    for key in ["require", "forbid"] {
        let error = refused(&format!("[[rule]]\nkind = 'pattern'\n{key} = \"\\bword\\b\""));
        assert!(error.message().contains("a backspace"), "{error}");
        assert!(error.suggestion().unwrap().contains("single quotes"), "{error}");
    }
}
