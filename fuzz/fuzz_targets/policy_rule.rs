//! A rule of one line of a policy. The input is the rule.
//!
//! - An error is at a place in the text, and has words.
//! - A rule that is read is one that Cedar takes, with warnings at most.
//! - It never lets a guest in, and answers with yes or no: no rule fails while it is evaluated.
//! - Space around it changes nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::net::{IpAddr, Ipv4Addr};
use tagai_policy::rule::parse;
use tagai_policy::{
    Access, Action, Kind, Policies, Proof, ProofMethod, Question, Refusal, RouteRules, Severity, Subject,
};

const ROUTE: &str = "https://a/";

fuzz_target!(|rule: &str| {
    let rules = RouteRules {
        id: ROUTE.into(),
        action: Action::Request,
        access: Access::Protected,
        allow: vec![rule.to_owned()],
    };
    match (parse(rule), Policies::new(&[], &[rules])) {
        (Err(error), Err(problems)) => {
            assert!(rule.get(error.span).is_some() && !error.message.is_empty());
            let [problem] = problems.as_slice() else { panic!("one problem, not {problems:?}") };
            assert!(rule.get(problem.span.clone()).is_some() && problem.severity == Severity::Error);
            assert!(!problem.message.chars().any(char::is_control));
        }
        (Ok(parsed), Ok(policies)) => {
            assert!(policies.warnings().iter().all(|problem| problem.severity == Severity::Warning));
            let padded = parse(&format!(" {rule} ")).map(|rule| rule.terms.len());
            assert!(padded.is_ok_and(|terms| terms == parsed.terms.len()) || rule.len() > 2000);
            for principal in [None, Some(alice())] {
                let question = question(principal);
                let decision = policies.decide(&question);
                assert!(decision.errors.is_empty() && decision.refusal != Some(Refusal::Forbidden));
                assert!(principal.is_some() || !decision.is_allowed());
                let explanation = policies.explain(&question);
                assert_eq!(explanation.allowed, decision.is_allowed());
            }
        }
        // Letters that change the direction of text are read, and then refused.
        (Ok(_), Err(problems)) => {
            assert!(problems.iter().all(|problem| problem.message.contains("BIDI")), "{problems:?}")
        }
        (Err(error), Ok(_)) => panic!("{error}"),
    }
});

fn alice() -> Subject<'static> {
    let credential = "user:staff/alice";
    let proof = Proof { method: ProofMethod::Mutual, authority: "staff", credential, certificate: None };
    Subject { name: "alice", kind: Kind::Person, registered: true, groups: &[], attributes: &[], proof }
}

fn question(principal: Option<Subject<'static>>) -> Question<'static> {
    Question {
        route: ROUTE,
        action: Action::Request,
        principal,
        host: "a",
        port: 443,
        path: "/a",
        method: "GET",
        tls: true,
        source: IpAddr::V4(Ipv4Addr::LOCALHOST),
        time: 0,
    }
}
