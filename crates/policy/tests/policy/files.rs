//! What is wrong with policy files, and where.

use crate::asking::{API, alice, by, cedar, file, guest, list, passes, route};
use tagai_policy::{
    Access, Action, Policies, PolicyProblem, ProblemSource, Question, RouteRules, Severity, Source, Subject,
};

fn problems(text: &str) -> Vec<PolicyProblem> {
    Policies::new(&[file(text)], &[route(API, Access::Protected, &[])]).expect_err(text)
}

#[test]
fn problems_have_places() {
    let mut wrong = Vec::new();
    for (text, line, column, message, help) in [
        ("permit (principal, action, resource)\n", 1, 37, "unexpected end of input", ""),
        ("\npermit (principal, action, resourc);", 2, 28, "resourc", ""),
        ("permit (principal, action, resource)\n  when { context.pth == \"/\" };", 2, 10, "pth", "path"),
        (
            "permit (principal, action, resource)\nwhen { principal.kind == Kind::\"device\" };",
            2,
            8,
            "Guest",
            "is Principal",
        ),
        (
            "permit (principal is Principal, action, resource)\nwhen { principal.getTag(\"a\") == \"\" };",
            2,
            8,
            "tag",
            "",
        ),
        (
            "permit (principal is Principal, action, resource)\nwhen { principal.certificate.ca == \"\" };",
            2,
            8,
            "certificate",
            "has certificate",
        ),
        (
            "permit (principal is Principal, action, resource)\nwhen { principal.kind == Kind::\"devise\" };",
            2,
            26,
            "devise",
            "",
        ),
        (
            "permit (principal is Principal, action, resource)\nwhen { principal.proof == Proof::\"X509\" };",
            2,
            27,
            "X509",
            "",
        ),
        ("permit (principal == Guest::\"me\", action, resource);", 1, 22, "me", ""),
        ("permit (principal, action == Action::\"request\", resource);", 1, 30, "request", "Request"),
        ("permit (principal == User::\"alice\", action, resource);", 1, 22, "User", ""),
        (
            "permit (principal, action, resource) when { context.source.isInRange(ip(\"10.0.0.0/33\")) };",
            1,
            0,
            "",
            "",
        ),
        ("permit (principal, action, resource) when { context.time > datetime(\"yesterday\") };", 1, 0, "", ""),
        ("permit (principal == ?principal, action, resource);", 1, 22, "template", "not supported"),
        ("forbid (principal, action == Action::\"Connect\", resource is Route);", 1, 1, "", ""),
        ("forbid (principal is Guest, action, resource) when { principal in Group::\"x\" };", 1, 1, "", ""),
        (
            "permit (principal, action, resource == Route::\"https://www.example.com/ap/\");",
            1,
            47,
            "no route",
            "did you mean \"https://www.example.com/api/\"",
        ),
        (
            "forbid (principal, action, resource)\n when { resource in Origin::\"https://example.com\" };",
            2,
            29,
            "no origin",
            "www.example.com",
        ),
        ("forbid (principal, action, resource == Proxy::\"p\");", 1, 47, "no forward proxy", "has no"),
        (
            "forbid (principal == Principal::\"user:staff/bob\", action, resource);",
            1,
            33,
            "no principal",
            "\"staff/bob\"",
        ),
        ("forbid (principal == Principal::\"a b\", action, resource);", 1, 33, "no principal", ""),
        ("@id(\"a b\") permit (principal, action, resource);", 1, 1, "cannot be the id", "letters"),
        (
            "permit (principal, action, resource);\n @id(\"x\") permit (principal, action, resource);\n@id(\"x\")permit (principal, action, resource);",
            3,
            1,
            "at policy.cedar:2",
            "",
        ),
    ] {
        let found = problems(text);
        let first = &found[0];
        let help_found = first.help.as_deref().unwrap_or_default();
        let is_right = first.source == ProblemSource::File("policy.cedar".into())
            && first.severity == Severity::Error
            && first.line == line
            && (column == 0 || first.column == column)
            && text.lines().nth(line - 1) == Some(&*first.text)
            && first.message.contains(message)
            && help_found.contains(help)
            && text.get(first.span.clone()).is_some();
        if !is_right {
            wrong.push(format!("{text}\n  => {}", list(&found)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn everything_that_is_wrong_is_found() {
    let found = problems("permit (;\nforbid (principal, action, resource) when { context.nothing };\npermit");
    let lines: Vec<usize> = found.iter().map(|problem| problem.line).collect();
    assert!([1, 2, 3].iter().all(|line| lines.contains(line)), "{}", list(&found));
}

#[test]
fn files_have_bounds() {
    let nested =
        format!("permit (principal, action, resource) when {{ {}true{} }};", "(".repeat(9_000), ")".repeat(9_000));
    let long = format!("permit (principal, action, resource) when {{ {} true }};", "true && ".repeat(9_000));
    let many = "permit (principal, action, resource);".repeat(tagai_policy::MAX_POLICIES + 1);
    let large = " ".repeat(tagai_policy::MAX_FILE + 1);
    for (text, message) in [(nested, "brackets"), (long, "octets"), (many, "more than"), (large, "octets")] {
        assert!(list(&problems(&text)).contains(message));
    }
}

/// The worst that fits is read, and asked, without running out of stack.
#[test]
fn the_deepest_that_is_taken_is_harmless() {
    let around = |inside: String| format!("permit (principal, action, resource) when {{ {inside} }};");
    let large: &[(&str, &dyn Fn(usize) -> String)] = &[
        ("brackets", &|count| around(format!("{}true{}", "(".repeat(count), ")".repeat(count)))),
        ("and", &|count| around(format!("{}true", "context.tls && ".repeat(count)))),
        ("or", &|count| around(format!("{}true", "context.tls || ".repeat(count)))),
        ("if", &|count| around(format!("{}true", "if context.tls then true else ".repeat(count)))),
        ("dots", &|count| around(format!("context{}", ".path".repeat(count)))),
        ("not", &|count| around(format!("{}true", "!".repeat(count)))),
        ("sum", &|count| around(format!("1{} > 0", " + 1".repeat(count)))),
        ("when", &|count| format!("permit (principal, action, resource) {};", "when { context.tls }".repeat(count))),
        ("sets", &|count| around(format!("{}1{}.contains(1)", "[".repeat(count), "]".repeat(count)))),
        ("records", &|count| around(format!("{}1{}.a == 1", "{a:".repeat(count), "}".repeat(count)))),
    ];
    let bounds = ["brackets within", "signs such", "octets"];
    for (what, make) in large {
        let is_bound = |text: &str| {
            let routes = [route(API, Access::Protected, &[])];
            let found = Policies::new(&[file(text)], &routes).err().unwrap_or_default();
            found.iter().any(|problem| bounds.iter().any(|bound| problem.message.contains(bound)))
        };
        assert!(is_bound(&make(3_000)), "{what}");
        let most = bisect(|count| !is_bound(&make(count)), 3_000);
        let text = make(most);
        let ask = move || {
            let routes = [route(API, Access::Protected, &[])];
            if let Ok(policies) = Policies::new(&[file(&text)], &routes) {
                let _ = policies.explain(&guest()).to_string();
            }
        };
        let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(ask).expect("a thread");
        thread.join().unwrap_or_else(|_| panic!("{what}"));
    }
}

/// The largest number below `most` of which something is true that is true of small ones.
fn bisect(is_true: impl Fn(usize) -> bool, most: usize) -> usize {
    let (mut low, mut high) = (1, most);
    while low + 1 < high {
        let middle = low.midpoint(high);
        if is_true(middle) { low = middle } else { high = middle }
    }
    low
}

#[test]
fn doubts_are_warnings() {
    let policies = cedar("forbid (principal == Principal::\"staff/\u{430}lice\", action, resource);");
    assert!(policies.warnings().iter().all(|problem| problem.severity == Severity::Warning));
    assert_eq!(policies.warnings().len(), 1, "{}", list(policies.warnings()));
    let found = problems("permit (principal == Principal::\"staff/a\u{202e}b\", action, resource);");
    assert!(!found.is_empty());
}

#[test]
fn policies_are_known_by_id_or_place() {
    let policies = cedar(
        "@id(\"first\") permit (principal == Principal::\"alice\", action, resource);\n\n\
         permit (principal, action, resource); permit (principal is Principal, action, resource);",
    );
    let decision = policies.decide(&by(alice()));
    assert_eq!(decision.policies, ["first", "policy.cedar:3", "policy.cedar:3:39"]);
    assert_eq!(policies.len(), 3);
}

#[test]
fn several_files_are_one_set() {
    let source = |name: &str, text: &str| Source { name: name.into(), text: text.into() };
    let one = source("one.cedar", "permit (principal, action, resource);");
    let two = source("two.cedar", "forbid (principal == Principal::\"alice\", action, resource);");
    let policies = Policies::new(&[one, two], &[route(API, Access::Protected, &[])]).expect("policies");
    assert!(passes(&policies, &guest()));
    assert_eq!(policies.decide(&by(alice())).policies, ["two.cedar:1"]);
    let same = [
        source("a", "@id(\"x\") permit (principal, action, resource);"),
        source("b", "@id(\"x\") forbid (principal, action, resource);"),
    ];
    assert!(list(&Policies::new(&same, &[]).expect_err("one id twice")).contains("b:1:1"));
}

#[test]
fn policies_stay_with_their_routes() {
    let other = "https://www.example.com/other/";
    let elsewhere = "https://app.example.com/";
    let routes = [API, other, elsewhere].map(|id| route(id, Access::Protected, &[]));
    let proxy = RouteRules { id: "p".into(), action: Action::Connect, access: Access::Protected, allow: vec![] };
    let mut all = routes.to_vec();
    all.push(proxy);
    for (scope, expected) in [
        ("resource", [true, true, true, true]),
        ("resource is Route", [true, true, true, false]),
        ("resource is Proxy", [false, false, false, true]),
        ("resource == Route::\"https://www.example.com/api/\"", [true, false, false, false]),
        ("resource in Route::\"https://www.example.com/other/\"", [false, true, false, false]),
        ("resource in Origin::\"https://www.example.com\"", [true, true, false, false]),
        ("resource is Route in Origin::\"https://app.example.com\"", [false, false, true, false]),
        ("resource == Proxy::\"p\"", [false, false, false, true]),
    ] {
        let permit = format!("permit (principal, action, {scope});");
        let forbid = format!("permit (principal, action, resource); forbid (principal, action, {scope});");
        let permit = Policies::new(&[file(&permit)], &all).unwrap_or_else(|found| panic!("{}", list(&found)));
        let forbid = Policies::new(&[file(&forbid)], &all).unwrap_or_else(|found| panic!("{}", list(&found)));
        for ((id, action), expected) in
            [(API, Action::Request), (other, Action::Request), (elsewhere, Action::Request), ("p", Action::Connect)]
                .into_iter()
                .zip(expected)
        {
            let question = Question { route: id, action, ..guest() };
            assert_eq!(passes(&permit, &question), expected, "{scope} {id}");
            assert_eq!(passes(&forbid, &question), !expected, "{scope} {id}");
        }
    }
}

#[test]
fn principals_are_found_however_the_first_line_names_them() {
    let groups = ["ops".to_owned(), "ops".to_owned(), "x".to_owned()];
    let ops = Subject { groups: &groups, ..alice() };
    for (scope, of_alice, of_ops, of_guest) in [
        ("principal", true, true, true),
        ("principal is Principal", true, true, false),
        ("principal is Guest", false, false, true),
        ("principal == Principal::\"alice\"", true, true, false),
        ("principal in Principal::\"alice\"", true, true, false),
        ("principal == Principal::\"bob\"", false, false, false),
        ("principal in Group::\"ops\"", false, true, false),
        ("principal is Principal in Group::\"ops\"", false, true, false),
        ("principal in Group::\"alice\"", false, false, false),
        ("principal == Guest::\"guest\"", false, false, true),
    ] {
        let policies = cedar(&format!("permit ({scope}, action, resource);"));
        assert_eq!(passes(&policies, &by(alice())), of_alice, "{scope}");
        assert_eq!(passes(&policies, &by(ops)), of_ops, "{scope}");
        assert_eq!(passes(&policies, &guest()), of_guest, "{scope}");
        assert!(policies.decide(&by(ops)).policies.len() <= 1);
    }
}
