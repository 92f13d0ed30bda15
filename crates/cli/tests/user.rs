//! `countersign user`: accounts in a database.

#![cfg(feature = "server")]
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a panic is a failed test")]
#![allow(clippy::panic, reason = "a panic is a failed test")]

mod common;
#[cfg(unix)]
mod service;

use common::{Files, Run, run};
use serde_json::{Value, json};

const PASSWORD: &str = "tr0mbone-Quilt-91";
const PHC: &str =
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

/// A folder with a database that is used by all commands.
struct Accounts {
    files: Files,
    config: String,
}

impl Accounts {
    fn new() -> Self {
        Self::on("accounts.db")
    }

    fn on(database: &str) -> Self {
        let files = Files::new();
        let config = format!(
            "tenant = 'contoso'\ndatabase = '{database}'\npasswords.memory-kib = 8\n\
             passwords.iterations = 1\n[policy]\nname = 'entra'\n"
        );
        let config = files.write("countersign.toml", config);
        Self { files, config }
    }

    /// What is known about an account.
    #[track_caller]
    fn shown(&self, who: &str) -> Value {
        let shown = self.user(&["show", who, "--format", "json"], "");
        assert_eq!(shown.code, Some(0), "{}", shown.stderr);
        serde_json::from_str(&shown.stdout).unwrap()
    }

    #[track_caller]
    fn user(&self, args: &[&str], stdin: &str) -> Run {
        run([&["user", args[0], "--config", &self.config], &args[1..]].concat(), stdin)
    }

    /// Nobody, as long as there is no database.
    #[track_caller]
    fn all(&self) -> Vec<Value> {
        if !self.files.path("accounts.db").exists() {
            self.user(&["list"], "").fails("there is no database ");
            return Vec::new();
        }
        let list = self.user(&["list", "--format", "json"], "");
        assert_eq!(list.code, Some(0), "{}", list.stderr);
        list.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[test]
fn accounts_are_added_shown_and_removed() {
    let accounts = Accounts::new();
    let add = ["add", "AdeleV@contoso.com", "--id", "87D349ED-44D7-43E1-9A83-5F2406DEE5BD"];
    let names = ["--given-name", "Adele", "--surname", "Vance", "--display-name", "Adele Vance"];
    let role = ["--role", "user administrator", "--must-change"];
    let policies = ["--password-policies", "DisablePasswordExpiration"];
    let id = "87d349ed-44d7-43e1-9a83-5f2406dee5bd";
    let added = format!("added AdeleV@contoso.com ({id})\n");
    let args = [&add[..], &names, &role, &policies].concat();
    accounts.user(&args, &format!("{PASSWORD}\n")).expect(0, &added);
    let shown = accounts.user(&["show", "adelev@CONTOSO.com", "--format", "json"], "");
    let mut shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    for time in ["createdDateTime", "lastPasswordChangeDateTime"] {
        assert!(shown[time].take().as_str().unwrap().ends_with('Z'));
    }
    let expected = json!({
        "id": id,
        "userPrincipalName": "AdeleV@contoso.com",
        "displayName": "Adele Vance",
        "givenName": "Adele",
        "surname": "Vance",
        "tenant": "contoso",
        "roles": ["User Administrator"],
        "accountEnabled": true,
        "passwordPolicies": "DisablePasswordExpiration",
        "hasPassword": true,
        "forceChangePasswordNextSignIn": true,
        "forceChangePasswordNextSignInWithMfa": false,
        "createdDateTime": null,
        "lastPasswordChangeDateTime": null,
        "wrongPasswords": 0,
        "lockedUntilDateTime": null,
    });
    assert_eq!(shown, expected);
    let text = accounts.user(&["show", id], "").stdout;
    for part in ["user name     AdeleV@contoso.com\n", "to be changed at the next sign-in\n"] {
        assert!(text.contains(part), "{text}");
    }
    let list = accounts.user(&["list"], "");
    list.expect(
        0,
        &format!("AdeleV@contoso.com  {id}  Adele Vance  must change, User Administrator\n"),
    );
    // No hash anywhere.
    for args in [&["show", id][..], &["show", id, "--format", "json"], &["list"]] {
        assert!(!accounts.user(args, "").stdout.contains("argon2"));
    }
    accounts.user(&["add", "ADELEV@contoso.com", "--no-password"], "").fails("already");
    accounts
        .user(&["add", "b@contoso.com", "--no-password", "--id", id], "")
        .fails("this id already");
    accounts.user(&["remove", id], "").expect(0, &format!("removed AdeleV@contoso.com ({id})\n"));
    accounts.user(&["remove", id], "").fails("no account has this id");
    accounts.user(&["list"], "").expect(0, "");
}

#[test]
fn passwords_comply_with_the_policy() {
    let accounts = Accounts::new();
    let add = ["add", "adele.vance@contoso.com", "--given-name", "Qwfpgjlu"];
    // The names count, and the password is not repeated.
    for (password, part) in [("short1A", "at least 8 characters"), ("Qwfpgjlu-1", "your name")] {
        let refused = accounts.user(&add, password);
        assert_eq!(refused.code, Some(1), "{}", refused.stderr);
        assert!(refused.stdout.starts_with("refused by entra\n"), "{}", refused.stdout);
        assert!(refused.stdout.lines().any(|line| line.contains('✗') && line.contains(part)));
        assert!(!refused.stdout.contains(password) && !refused.stderr.contains(password));
    }
    assert_eq!(accounts.all(), [Value::Null; 0]);
    accounts.user(&add, "").fails("the password is empty");
    let acme = accounts.files.write("acme.toml", common::ACME);
    let more = [&add[..], &["--policy", &acme]].concat();
    assert_eq!(accounts.user(&more, PASSWORD).code, Some(1), "it is too long for acme");
    let file = accounts.files.write("password.txt", "short1\n");
    // As Entra ID does, for those whose passwords need not be strong.
    let weak = ["add", "weak@contoso.com", "--password-policies", "DisableStrongPassword"];
    assert_eq!(accounts.user(&weak[..2], "qxvbnkpwzt").code, Some(1));
    assert_eq!(accounts.user(&weak, "qxvbnkpwzt").code, Some(0));
    accounts.user(&["remove", "weak@contoso.com"], "");
    let any = [&add[..], &["--no-policy", "--password-file", &file]].concat();
    assert_eq!(accounts.user(&any, "").code, Some(0));
    assert_eq!(accounts.all()[0]["hasPassword"], true);
}

#[test]
fn what_is_wrong_is_told_before_a_password_is_read() {
    let accounts = Accounts::new();
    accounts.user(&["add", "first@contoso.com", "--no-password"], "");
    for (args, part) in [
        (&["add", "adele"][..], "is not `name@domain`"),
        (&["add", "a@b", "--id", "a/b"], "the id is not"),
        (&["add", "a@b", "--password-policies", "DisableZebra"], "this is not `None`, or any of"),
        (&["add", "a@b", "--role", "Globl Administrator"], "did you mean `Global Administrator`?"),
        (&["add", "a@b", "--role", "zebra"], "it has Authentication Administrator, "),
        (&["set-role", "a@b", "Usr Administrator"], "did you mean `User Administrator`?"),
        (&["set-role", "a@b", "--none"], "no account has this id"),
        (&["show", "zebra@b"], "no account has this id"),
    ] {
        let error = accounts.user(args, PASSWORD).fails(part);
        assert!(!error.stderr.contains("zebra"), "{}", error.stderr);
    }
    run(["user", "list"], "").fails("there is no database countersign.db");
    let none = accounts.files.path("none.db");
    let named = ["--database", none.to_str().unwrap()];
    run([&["user", "list"][..], &named].concat(), "").fails("there is no database ");
    run([&["user", "add", "a@b.c", "--no-password"][..], &named].concat(), "")
        .fails("`--tenant` takes its id");
    assert!(!none.exists(), "a mistyped name makes no database");
    let bad = accounts.files.write("bad.toml", "# x\ndatabase = postgres://u:hunter2@db/x\n");
    let error = run(["user", "list", "--config", &bad], "").fails("bad.toml:2:");
    assert!(!error.stderr.contains("hunter2"), "{}", error.stderr);
    let url = "postgres://u:hunter2@127.0.0.1:9/x?sslmode=zebra";
    let error = run(["user", "list", "--database", url], "").fails("");
    assert!(!error.stderr.contains("hunter2"), "{}", error.stderr);
    let other = accounts.user(&["list", "--tenant", "fabrikam"], "");
    other.fails("that of tenant contoso, not of fabrikam");
}

#[test]
fn roles_are_set() {
    let accounts = Accounts::new();
    accounts.user(&["add", "a@b", "--no-password", "--id", "a"], "").expect(0, "added a@b (a)\n");
    let reset = "729827e3-9c14-49f7-bb1b-9608f156bbb8";
    accounts
        .user(&["set-role", "A@B", reset, "GLOBAL reader"], "")
        .expect(0, "a@b (a) has: Helpdesk Administrator, Global Reader\n");
    accounts.user(&["set-role", "a", "Brewmaster"], "").fails("no role of this name");
    accounts
        .user(&["set-role", "a", "--custom", "Brewmaster"], "")
        .expect(0, "a@b (a) has: Brewmaster\n");
    assert_eq!(accounts.all()[0]["roles"], json!(["Brewmaster"]));
    accounts.user(&["set-role", "a", "--none"], "").expect(0, "a@b (a) has no roles\n");
    assert_eq!(accounts.all()[0]["roles"], json!([]));
}

#[test]
fn csv_and_json_import_alike() {
    let csv = format!(
        "\u{feff}id,userPrincipalName,displayName,givenName,surname,passwordHash,roles,mustChange,\
         passwordPolicies\r\n\
         one,one@x.y,\"Vance, \"\"Adele\"\"\",Adele,Vance,\"{PHC}\",Global Reader; User Administrator,true,\
         \"DisableStrongPassword,DisablePasswordExpiration\"\r\n\
         \r\n\
         two,TWO@x.y,,,,,,,None\r\n"
    );
    let json = format!(
        "{}\n\n{}\n",
        json!({
            "id": "one", "userPrincipalName": "one@x.y", "displayName": "Vance, \"Adele\"",
            "givenName": "Adele", "surname": "Vance", "passwordHash": PHC,
            "roles": ["Global Reader", "User Administrator"], "mustChange": true,
            "passwordPolicies": "DisablePasswordExpiration, DisableStrongPassword",
        }),
        json!({"id": "two", "userPrincipalName": "TWO@x.y", "surname": null}),
    );
    let import = |text: &str| {
        let accounts = Accounts::new();
        accounts.user(&["import"], text).expect(0, "imported 2 accounts\n");
        let file = accounts.files.write("more", "userPrincipalName\nthree@x.y\n");
        accounts.user(&["import", &file], "").expect(0, "imported 1 account\n");
        let mut all = accounts.all();
        for account in &mut all {
            account["createdDateTime"].take();
            account["lastPasswordChangeDateTime"].take();
        }
        let three = all.remove(1);
        assert_eq!(three["userPrincipalName"], "three@x.y");
        assert_eq!(three["id"].as_str().unwrap().len(), 36);
        all
    };
    let imported = import(&csv);
    assert_eq!(imported, import(&json));
    assert_eq!(imported[0]["roles"], json!(["Global Reader", "User Administrator"]));
    assert_eq!(imported[0]["displayName"], "Vance, \"Adele\"");
    let policies = "DisablePasswordExpiration, DisableStrongPassword";
    assert_eq!(imported[0]["passwordPolicies"], policies);
    assert_eq!(imported[1]["passwordPolicies"], Value::Null);
    assert_eq!(imported[0]["forceChangePasswordNextSignIn"], true);
    assert_eq!(imported[0]["hasPassword"], true);
    assert_eq!(
        (&imported[1]["hasPassword"], &imported[1]["surname"]),
        (&json!(false), &Value::Null)
    );
}

#[test]
fn imports_are_all_or_nothing_and_errors_name_places_never_values() {
    let accounts = Accounts::new();
    let head = "id,userPrincipalName,passwordHash,roles,mustChange\n";
    for (text, part) in [
        ("", "there are no accounts"),
        ("userPrincipalName\n", "there are no accounts"),
        ("zebra,x\na@b,x\n", "line 1: a column or member is not known"),
        ("userPrincipalname\na@b\n", "did you mean `userPrincipalName`?"),
        (
            "userPrincipalName,userPrincipalName\na@b,a@b\n",
            "line 1, `userPrincipalName`: the column",
        ),
        ("userPrincipalName,password\na@b,zebra\n", "clear passwords are not taken"),
        (&format!("{head}1,a@b,,,\n2,zebra,,,\n"), "line 3, `userPrincipalName`: it is not"),
        (&format!("{head}1,a@b,,,\nzebra/,c@d,,,\n"), "line 3, `id`: it is not"),
        (&format!("{head}1,a@b,zebra,,\n"), "line 2, `passwordHash`: it is not a PHC string"),
        (
            &format!("{head}1,a@b,,zebra,\n"),
            "line 2, `roles`: Microsoft's table of who may reset whose password has no role",
        ),
        (&format!("{head}1,a@b,,,zebra\n"), "line 2, `mustChange`: it is neither"),
        (
            "userPrincipalName,passwordPolicies\na@b,zebra\n",
            "line 2, `passwordPolicies`: it is not `None`, or any of",
        ),
        (&format!("{head}1,a@b\n"), "line 2: there are 2 values, and 5 columns"),
        (&format!("{head}1,\"a\n@b\",,,\n2,\"zebra\n"), "line 4: a quotation mark is missing"),
        (&format!("{head}1,zebra@b,,,\n2,ZEBRA@b,,,\n"), "line 3, `userPrincipalName`: another"),
        (&format!("{head}1,a@b,,,\n1,c@d,,,\n"), "line 3, `id`: another account has it"),
        ("{\"userPrincipalName\":\"a@b\"}\n{\"zebra\"\n", "line 2: column 8: this is no JSON"),
        ("{\"userPrincipalName\":\"a@b\"}\n[]\n", "line 2: column"),
        (
            "{\"userPrincipalName\":1}\n",
            "line 1, `userPrincipalName`: this is a value of another kind",
        ),
        ("{\"password\":\"zebra\"}\n", "clear passwords are not taken"),
        ("{\"userPrincipalName\":\"a@b\",\"roles\":[1]}\n", "`roles`: one of them is not a string"),
        ("{}\n", "line 1, `userPrincipalName`: it is not"),
    ] {
        let error = accounts.user(&["import"], text).fails(part);
        assert!(!error.stderr.to_lowercase().contains("zebra"), "{}", error.stderr);
        assert_eq!(accounts.all(), [Value::Null; 0], "{text}");
    }
    accounts.user(&["import", "zebra.csv"], "").fails("cannot read the file given");
    let custom = format!("{head}1,a@b,,Brewmaster,\n");
    accounts.user(&["import", "--custom"], &custom).expect(0, "imported 1 account\n");
}

#[test]
fn many_are_imported_and_listed() {
    let accounts = Accounts::new();
    let rows: String = (0..1203).map(|n| format!("user{n:04}@x.y\n")).collect();
    let text = format!("userPrincipalName\n{rows}");
    accounts.user(&["import"], &text).expect(0, "imported 1,203 accounts\n");
    let all = accounts.all();
    let names = all.iter().map(|account| account["userPrincipalName"].as_str().unwrap());
    assert!(names.eq(rows.lines()));
}

#[cfg(unix)]
#[test]
fn passwords_are_asked_for_twice_at_a_terminal() {
    use common::terminal::Terminal;
    let accounts = Accounts::new();
    for (again, code) in [("other\n", 2), ("tr0mbone-Quilt-91\n", 0)] {
        let mut terminal = Terminal::new();
        let mut child = common::countersign()
            .args(["user", "add", "a@b.c", "--config", &accounts.config])
            .stdin(terminal.stdio())
            .stdout(terminal.stdio())
            .stderr(terminal.stdio())
            .spawn()
            .unwrap();
        terminal.wait_for("Password: ");
        terminal.type_in(format!("{PASSWORD}\n").as_bytes());
        let shown = terminal.wait_for("again: ");
        assert!(!shown.contains("tr0mbone"), "{shown}");
        terminal.type_in(again.as_bytes());
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert!(terminal.is_as_before());
    }
    assert_eq!(accounts.all().len(), 1);
}

/// Looks after accounts in SQLite, and in PostgreSQL where there is one.
#[cfg(unix)]
mod care {
    use super::service::database::Database;
    use super::service::{
        CHANGE, FIRST, HELP, METHOD, Setup, VALIDATE, eventually, run as wait, user,
    };
    use super::{Accounts, PASSWORD, run};
    use countersign_server::Store;
    use countersign_server::password::{self, Memory};
    use countersign_server::store::{Attempt, Fingerprint, Lockout, Reserved, StoreOptions};
    use serde_json::{Value, json};

    const OTHER: &str = "Quilt-78-mar1gold";

    /// For each database.
    fn each(test: impl Fn(Accounts)) {
        test(Accounts::new());
        if let Some(postgres) = Database::postgres() {
            test(Accounts::on(&postgres.url));
        }
    }

    impl Accounts {
        #[track_caller]
        fn done(&self, args: &[&str], stdin: &str, said: &str) {
            self.user(args, stdin).expect(0, said);
        }

        fn store<T>(&self, job: impl AsyncFnOnce(&Store) -> T) -> T {
            let config = countersign_server::Config::open(self.config.as_ref()).unwrap();
            wait(async {
                let options = StoreOptions::default();
                let store = Store::open(&config.database().unwrap(), None, &options).await.unwrap();
                let done = job(&store).await;
                store.close().await;
                done
            })
        }

        /// Whether this is the password.
        fn is(&self, id: &str, password: &str) -> bool {
            let known = self.store(async |store| store.passwords(id).await.unwrap().unwrap());
            let cost = super::service::cost();
            let phc = known.phc.as_deref();
            password::verify(password, phc, &cost, &mut Memory::default()).unwrap()
        }

        /// As many wrong passwords.
        fn guess(&self, id: &str, times: u8) {
            self.store(async |store| {
                let rules = Lockout::default();
                let now = jiff::Timestamp::now().as_millisecond();
                for time in 0..times {
                    let wrong = Fingerprint::new([time; 32]);
                    let granted = store.reserve(id, &wrong, now, &rules).await.unwrap();
                    let Reserved::Granted(granted) = granted else { panic!("it is locked") };
                    let wrong = Attempt::Wrong(wrong);
                    store.settle(id, &granted, wrong, now, &rules).await.unwrap();
                }
            });
        }
    }

    #[test]
    fn passwords_are_set_as_an_administrator_resets_them() {
        each(|accounts| {
            let add = ["add", "a@b.c", "--id", "a", "--given-name", "Qwfpgjlu"];
            accounts.done(&add, PASSWORD, "added a@b.c (a)\n");
            let set = ["set-password", "A@B.C"];
            let said = "set the password of a@b.c (a), to be changed at the next sign-in\n";
            accounts.done(&set, &format!("{OTHER}\r\n"), said);
            assert!(accounts.is("a", OTHER) && !accounts.is("a", PASSWORD));
            assert_eq!(accounts.shown("a")["forceChangePasswordNextSignIn"], true);
            let more = [&set[..], &["--no-must-change"]].concat();
            accounts.done(&more, PASSWORD, "set the password of a@b.c (a)\n");
            assert_eq!(accounts.shown("a")["forceChangePasswordNextSignIn"], false);
            // It is judged with the account's names, and what is refused is not set.
            for bad in ["Qwfpgjlu-1", "short1A"] {
                let refused = accounts.user(&set, bad);
                assert_eq!(refused.code, Some(1), "{}", refused.stderr);
                assert!(refused.stdout.starts_with("refused by entra\n"), "{}", refused.stdout);
                assert!(!refused.stdout.contains(bad) && !refused.stderr.contains(bad));
            }
            accounts.user(&set, "").fails("the password is empty");
            accounts.user(&["set-password", "zebra@b.c"], OTHER).fails("no account has this id");
            assert!(accounts.is("a", PASSWORD));
            let file = accounts.files.write("password.txt", "short1\n");
            let any = [&set[..], &["--no-policy", "--password-file", &file]].concat();
            accounts.done(&any, "", said);
            assert!(accounts.is("a", "short1"));
        });
    }

    // Who sets a password set the one that was to be got rid of.
    #[test]
    fn former_passwords_are_refused_where_the_policy_asks_it_of_resets() {
        each(|accounts| {
            let policy = |on: &str| {
                format!(
                    "schema = 1\nname = 'acme'\n[[rule]]\nkind = 'length'\nmin = 4\n\
                 [[rule]]\nkind = 'reuse'\nlast = 3\n{on}"
                )
            };
            let resets = accounts.files.write("resets.toml", policy("on = ['reset']"));
            let any = accounts.files.write("any.toml", policy(""));
            let set = |policy: &str, password: &str| {
                accounts.user(&["set-password", "a", "--policy", policy], password)
            };
            accounts.done(
                &["add", "a@b.c", "--id", "a", "--policy", &any],
                "first",
                "added a@b.c (a)\n",
            );
            for (password, code) in [
                ("first", 1),
                ("second", 0),
                ("first", 1),
                ("third", 0),
                ("first", 1),
                ("fourth", 0),
                // The last three are others.
                ("second", 1),
                ("first", 0),
                ("first", 1),
            ] {
                let done = set(&resets, password);
                assert_eq!(done.code, Some(code), "{password}: {}{}", done.stdout, done.stderr);
            }
            // As Entra ID resets.
            assert_eq!(set(&any, "first").code, Some(0));
            // A policy that keeps fewer takes no former password away.
            assert_eq!(accounts.user(&["set-password", "a", "--no-policy"], "x").code, Some(0));
            assert_eq!(set(&resets, "first").code, Some(1));
        });
    }

    /// A rule that compares with the current password itself was taken as met, once
    /// the hash had said that it is another.
    #[test]
    fn what_nobody_can_compare_is_not_taken_as_compared() {
        each(|accounts| {
            let policy = |name: &str, rules: &str| {
                accounts.files.write(name, format!("schema = 1\nname = 'acme'\n{rules}"))
            };
            let similar = "[[rule]]\nkind = 'similar'\nto = ['current-password']\n\
                           min-distance = 3\n";
            let resets = policy("resets.toml", &format!("{similar}on = ['reset']\n"));
            let changes = policy("changes.toml", &format!("{similar}on = ['change']\n"));
            let any = policy("any.toml", similar);
            let both = policy(
                "both.toml",
                &format!(
                    "{similar}on = ['reset']\n[[rule]]\nkind = 'reuse'\nlast = 2\non = ['reset']\n"
                ),
            );
            let either = policy(
                "either.toml",
                "[[rule]]\nkind = 'any-of'\non = ['reset']\n\
                 [[rule.alternative]]\nid = 'other'\n\
                 [[rule.alternative.rule]]\nkind = 'similar'\nto = ['current-password']\n\
                 min-distance = 3\n\
                 [[rule.alternative]]\nid = 'long'\nrule = [{ kind = 'length', min = 20 }]\n",
            );
            accounts.done(&["add", "a@b.c", "--id", "a", "--no-password"], "", "added a@b.c (a)\n");
            let set = |policy: &str, password: &str| {
                accounts.user(&["set-password", "a", "--policy", policy], password)
            };
            // There is no current one yet.
            assert_eq!(set(&resets, "Xylophone-41").code, Some(0));
            for policy in [&resets, &both, &either] {
                for password in ["Xylophone-42", "Marmalade+77", "Xylophone-41"] {
                    let done = set(policy, password);
                    assert_eq!(done.code, Some(1), "{policy} {password}: {}", done.stdout);
                    assert!(!done.stdout.contains(password) && !done.stderr.contains(password));
                }
                assert!(accounts.is("a", "Xylophone-41"), "{policy}");
            }
            let told = set(&resets, "Xylophone-42").stdout;
            assert!(told.starts_with("undecided by acme\n"), "{told}");
            let told = set(&both, "Xylophone-41").stdout;
            assert!(told.starts_with("refused by acme\n"), "{told}");
            assert_eq!(set(&either, "Xylophone-41-Xylophone-41").code, Some(0));
            // Of changes alone, or of nothing in particular: as Entra ID resets.
            assert_eq!(set(&any, "Xylophone-42").code, Some(0));
            assert_eq!(set(&changes, "Xylophone-43").code, Some(0));
        });
    }

    #[test]
    fn what_is_said_of_a_lock_is_so() {
        each(|accounts| {
            accounts.done(&["add", "a@b.c", "--id", "a", "--no-password"], "", "added a@b.c (a)\n");
            let unlock = ["unlock", "A@b.c"];
            accounts.done(&unlock, "", "a@b.c (a) was not locked\n");
            accounts.guess("a", 1);
            assert_eq!(accounts.shown("a")["wrongPasswords"], 1);
            accounts.done(&unlock, "", "a@b.c (a) was not locked; 1 wrong password is forgotten\n");
            accounts.guess("a", 10);
            let until = accounts.shown("a")["lockedUntilDateTime"].as_str().unwrap().to_owned();
            let text = accounts.user(&["show", "a"], "").stdout;
            assert!(text.contains(&format!("locked        until {until}\n")), "{text}");
            assert!(text.contains("wrong ones    10, since the last right one\n"), "{text}");
            let list = accounts.user(&["list"], "").stdout;
            assert!(list.ends_with(&format!("no password, locked until {until}\n")), "{list}");
            let said = format!("unlocked a@b.c (a), which was locked until {until}\n");
            accounts.done(&unlock, "", &said);
            accounts.done(&unlock, "", "a@b.c (a) was not locked\n");
            let shown = accounts.shown("a");
            assert_eq!(
                (&shown["wrongPasswords"], &shown["lockedUntilDateTime"]),
                (&json!(0), &Value::Null)
            );
            accounts.user(&["unlock", "zebra"], "").fails("no account has this id");
            // A new password lifts a lock, and says so.
            accounts.guess("a", 10);
            let set = accounts.user(&["set-password", "a"], OTHER);
            let (_, lock) = set.stdout.split_once('\n').unwrap();
            assert!(
                lock.starts_with("it was locked until ")
                    && lock.ends_with(", and is not any more\n")
            );
            assert_eq!(accounts.shown("a")["lockedUntilDateTime"], Value::Null);
        });
    }

    #[test]
    fn accounts_are_renamed_next_to_no_other() {
        each(|accounts| {
            accounts.done(&["add", "Adele@b.c", "--id", "a"], PASSWORD, "added Adele@b.c (a)\n");
            accounts.done(
                &["add", "zebra@b.c", "--id", "z", "--no-password"],
                "",
                "added zebra@b.c (z)\n",
            );
            let rename = |to: &str| accounts.user(&["rename", "adele@B.C", to], "");
            for taken in ["zebra@b.c", "ZEBRA@B.C"] {
                let error = rename(taken).fails("an account with this userPrincipalName already");
                assert!(!error.stderr.to_lowercase().contains("zebra"), "{}", error.stderr);
            }
            let error = rename("zebra").fails("the userPrincipalName is not `name@domain`");
            assert!(!error.stderr.contains("zebra"), "{}", error.stderr);
            rename("Adele@b.c").expect(0, "Adele@b.c (a) has this name already\n");
            // Its own name in other letters is its own.
            rename("ADELE@b.c").expect(0, "renamed Adele@b.c (a) to ADELE@b.c\n");
            rename("Vance@b.c").expect(0, "renamed ADELE@b.c (a) to Vance@b.c\n");
            rename("other@b.c").fails("no account has this id");
            assert_eq!(accounts.shown("a")["userPrincipalName"], "Vance@b.c");
            assert!(accounts.is("a", PASSWORD));
            accounts.done(
                &["add", "adele@b.c", "--id", "b", "--no-password"],
                "",
                "added adele@b.c (b)\n",
            );
            let listed: Vec<Value> = accounts
                .user(&["list", "--format", "json"], "")
                .stdout
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect();
            assert_eq!(listed.iter().map(|one| &one["id"]).collect::<Vec<_>>(), ["b", "a", "z"]);
        });
    }

    #[test]
    fn a_running_service_goes_by_what_was_done() {
        let setup = Setup::new("");
        let server = setup.start();
        let config = setup.path("countersign.toml").to_str().unwrap().to_owned();
        let on = |args: &[&str], stdin: &str| {
            let done = run([&["user", args[0], "--config", &config], &args[1..]].concat(), stdin);
            assert_eq!(done.code, Some(0), "{}{}", done.stdout, done.stderr);
            done.stdout
        };
        let id = user(1);
        let token = setup.any_token(&id);
        let change = |current: &str, new: &str| {
            let body = json!({"currentPassword": current, "newPassword": new});
            server.post(CHANGE, &token, &body).status
        };
        for guess in 0..10 {
            assert_eq!(change(&format!("wrong{guess}"), OTHER), 400);
        }
        assert_eq!(change(FIRST, OTHER), 429);
        assert!(on(&["unlock", &id], "").starts_with("unlocked "));
        assert_eq!(change(FIRST, OTHER), 204);
        on(&["set-password", &id], PASSWORD);
        assert_eq!(change(OTHER, FIRST), 400);
        on(&["rename", &id, "new@contoso.example"], "");
        let me = server.get("/v1.0/me", &setup.token(&id, &["User.Read"]));
        assert_eq!(me.json()["userPrincipalName"], "new@contoso.example");
        assert_eq!(change(PASSWORD, FIRST), 204);
    }

    #[test]
    fn accounts_are_disabled_until_they_are_enabled() {
        each(|accounts| {
            accounts.done(&["add", "a@b.c", "--id", "a"], PASSWORD, "added a@b.c (a)\n");
            accounts.done(&["enable", "a"], "", "a@b.c (a) is enabled already\n");
            accounts.done(&["disable", "A@B.C"], "", "disabled a@b.c (a)\n");
            accounts.done(&["disable", "a"], "", "a@b.c (a) is disabled already\n");
            assert_eq!(accounts.shown("a")["accountEnabled"], false);
            assert!(accounts.user(&["show", "a"], "").stdout.contains("account       disabled\n"));
            assert!(accounts.user(&["list"], "").stdout.ends_with("  -  disabled\n"));
            let set = accounts.user(&["set-password", "a"], OTHER).stdout;
            assert!(set.ends_with("\nthe account is disabled, and stays so\n"), "{set}");
            accounts.done(&["rename", "a", "b@b.c"], "", "renamed a@b.c (a) to b@b.c\n");
            accounts.done(&["enable", "a"], "", "enabled b@b.c (a)\n");
            accounts.done(&["list"], "", "b@b.c  a  -  must change\n");
            for command in ["disable", "enable"] {
                accounts.user(&[command, "zebra"], "").fails("no account has this id");
            }
        });
    }

    // Whoever had left went on to sign in.
    #[test]
    fn a_disabled_account_calls_nothing() {
        let setup = Setup::new("");
        let server = setup.start();
        let config = setup.path("countersign.toml").to_str().unwrap().to_owned();
        let on = |command: &str, who: &str| {
            let done = run(["user", command, "--config", &config, who], "");
            assert_eq!(done.code, Some(0), "{}{}", done.stdout, done.stderr);
        };
        let (leaver, other) = (user(1), user(2));
        let all = [
            "User.Read",
            "User.ReadWrite",
            "User-PasswordProfile.ReadWrite.All",
            "UserAuthenticationMethod.ReadWrite.All",
        ];
        let token = setup.token(&leaver, &all);
        let help = setup.token(HELP, &all);
        let reset = format!("/v1.0/users/{leaver}/authentication/methods/{METHOD}/resetPassword");
        let started = server.post(&reset, &help, &json!({ "newPassword": PASSWORD }));
        let operation = started.header("location").split_once("/v1.0").unwrap().1;
        let change = json!({ "currentPassword": PASSWORD, "newPassword": OTHER });
        let calls = |token: &str, other: &str| {
            let on_other = format!("/v1.0/users/{other}");
            let method = format!("{on_other}/authentication/methods/{METHOD}/resetPassword");
            [
                server.post(VALIDATE, token, &json!({ "password": PASSWORD })),
                server.post(CHANGE, token, &change),
                server.post(&method, token, &json!({ "newPassword": PASSWORD })),
                server.get(&format!("/v1.0{operation}"), token),
                server.get(&format!("{on_other}/authentication/methods"), token),
                server.get("/v1.0/me", token),
                server.get(&on_other, token),
                server
                    .client()
                    .call("PATCH", &on_other, token, b"{\"passwordProfile\":{}}")
                    .unwrap(),
            ]
        };
        on("disable", &leaver);
        on("disable", HELP);
        for (token, other) in [(&token, &other), (&token, &leaver), (&help, &other)] {
            eventually("the service has seen it", || {
                server.post(VALIDATE, token, &json!({ "password": PASSWORD })).status == 401
            });
            for (at, answer) in calls(token, other).iter().enumerate() {
                let (status, message) = answer.error();
                assert!(
                    status == 401 && message == "The account is disabled." || status == 403,
                    "{at}: {status} {message}"
                );
            }
        }
        // Its reset is taken, and it stays disabled.
        on("enable", HELP);
        assert_eq!(server.post(&reset, &help, &json!({ "newPassword": OTHER })).status, 202);
        assert_eq!(server.post(CHANGE, &token, &change).status, 401);
        on("enable", &leaver);
        let change = json!({ "currentPassword": OTHER, "newPassword": FIRST });
        assert_eq!(server.post(CHANGE, &token, &change).status, 204);
    }

    #[test]
    fn what_a_directory_was_not_told_is_said() {
        let accounts = Accounts::new();
        accounts.done(&["add", "a@b.c", "--id", "a", "--no-password"], "", "added a@b.c (a)\n");
        let config = std::fs::read_to_string(&accounts.config).unwrap();
        let more = "[write-back]\ncommand = ['/bin/true']\n";
        accounts.files.write("countersign.toml", format!("{config}{more}"));
        let set = accounts.user(&["set-password", "a"], PASSWORD);
        assert!(set.stdout.ends_with("`[write-back]` was not asked: set it there, too\n"));
    }
}

#[test]
fn an_import_names_the_column_and_what_stands_between_columns() {
    let accounts = Accounts::new();
    for (text, part) in [
        ("userPrincipalName,department\na@b,x\n", "line 1: `department` is no column"),
        ("userPrincipalName,display name\na@b,x\n", "did you mean `displayName`?"),
        (
            "{\"userPrincipalName\":\"a@b\",\"mobile\":\"1\"}\n",
            "line 1: `mobile` is no column or member",
        ),
        ("userPrincipalName;displayName\na@b;x\n", "apart by semicolons"),
        ("\"displayName\";\"userPrincipalName\"\nx;a@b\n", "write commas between them"),
        ("userPrincipalName\tdisplayName\na@b\tx\n", "apart by tabs"),
        ("userPrincipalName|displayName\na@b|x\n", "apart by vertical bars"),
        ("upn;pw\na@b;x\n", "apart by semicolons"),
        ("login\tsecret\na@b\tx\n", "apart by tabs"),
        ("UPN,cost_center\na@b,x\n", "line 1: `UPN` is no column"),
        ("UserPrincipalName,mobile\na@b,x\n", "did you mean `userPrincipalName`?"),
        ("mobile-2,E-Mail\n1,a@b\n", "line 1: `mobile-2` is no column"),
    ] {
        accounts.user(&["import"], text).fails(part);
        assert_eq!(accounts.all(), [Value::Null; 0], "{text}");
    }
    // What may be a value is not repeated.
    for text in [
        "zebra@b,hunter2\n",
        "hunter2;zebra\n",
        "zebra,hunter2\n",
        "hunter2\n",
        "hunter2|zebra\n",
        "hunter2@zebra,upn\n",
        "hunter2-zebra-hunter2-zebra-hunter2-zebra-hunter2,upn\n",
    ] {
        let error =
            accounts.user(&["import"], text).fails("line 1: a column or member is not known");
        assert!(!error.stderr.contains("zebra") && !error.stderr.contains("hunter2"));
    }
}
