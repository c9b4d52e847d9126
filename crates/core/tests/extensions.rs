//! RFC 8053 as both machines honour it: optional authentication, and what servers wish for (RFC 8120 §8).

mod support;

use support::pair::{Access, Pair, Wire, config, origin, realm};
use tagai_core::algorithm::Algorithm;
use tagai_core::client::{Fatal, LogoutAction, Presentation};
use tagai_core::control::{AuthControl, AuthStyle, Location};
use tagai_core::credential::Username;
use tagai_core::grammar::Natural;
use tagai_core::message::{Reason, Role};
use tagai_core::realm::Paths;
use tagai_core::server::ServerConfig;
use tagai_core::validation::Channel;

/// A pair whose application adds these wishes to every response.
fn wishing(control: AuthControl) -> Pair {
    let mut pair = Pair::new();
    let realm = pair.site.server.config().realm.name.clone();
    pair.site.extra.push(control.to_field(&realm));
    pair
}

fn location(url: &str) -> Location {
    Location::new(url).expect("a location")
}

fn optional() -> Pair {
    let mut pair = Pair::new();
    pair.site.access.insert("/".into(), Access::Optional);
    pair
}

#[test]
fn a_guest_sees_the_page_and_is_offered_to_log_in() {
    let mut pair = optional();
    pair.typed.clear();
    let required = pair.get("/").required();
    assert!(required.is_optional());
    assert_eq!(required.presentation(), Presentation::Offer(AuthStyle::NonModal));
    assert_eq!(pair.take_log(), ["normal request", "optional 401-INIT"]);
    assert_eq!(pair.received[0].status, 200);
    assert_eq!(required.into_body(), "body of 200");
}

#[test]
fn a_login_from_there_goes_the_usual_way() {
    let mut pair = optional();
    assert_eq!(pair.get("/").succeeded().into_body(), "for john");
    assert_eq!(
        pair.take_log(),
        ["normal request", "optional 401-INIT", "req-KEX-C1", "401-KEX-S1", "req-VFY-C", "200-VFY-S"]
    );
    pair.get("/").succeeded();
    assert_eq!(pair.take_log(), ["req-VFY-C", "200-VFY-S"]);
}

#[test]
fn a_failed_login_is_no_guest() {
    // "401-INIT (+)": a success in place of it would hide that the login failed (RFC 8120 §11 note 1, RFC 8053 §3).
    let mut pair = optional();
    pair.typed = vec![("john", "wrong")];
    let required = pair.get("/").required();
    assert!(!required.is_optional());
    assert_eq!(*required.reason(), Reason::AuthFailed);
    assert_eq!(pair.take_log()[4..], ["req-VFY-C", "401-INIT"]);
    assert_eq!(pair.received.last().unwrap().status, 401);
}

#[test]
fn stale_sessions_and_key_exchanges_are_never_optional() {
    let mut pair = optional();
    pair.log_in();
    pair.site.sessions.clear();
    pair.get("/").succeeded();
    assert_eq!(pair.take_log()[..4], ["req-VFY-C", "401-STALE", "req-KEX-C1", "401-KEX-S1"]);
}

#[test]
fn an_optional_challenge_brings_the_path_list() {
    let config = ServerConfig { paths: Some(Paths::parse("/members/")), ..config() };
    let mut pair = Pair::with(config, Channel::Plain);
    pair.site.access.insert("/".into(), Access::Optional);
    pair.typed.clear();
    pair.get("/").required();
    let field = pair.received[0].field("Optional-WWW-Authenticate").unwrap();
    assert!(field.ends_with("reason=initial, path=\"/members/\""), "{field}");
}

#[test]
fn an_optional_challenge_in_the_middle_of_a_login_is_fatal() {
    for kind in ["req-KEX-C1", "req-VFY-C"] {
        let mut pair = Pair::new();
        pair.between(move |site, path, credentials, now| {
            let ours = support::pair::request_kind(credentials) == kind;
            if ours {
                site.access.insert("/".into(), Access::Optional);
            }
            site.serve(path, if ours { None } else { credentials }, &Channel::Plain, now)
        });
        let fatal = pair.get("/").fatal();
        assert!(matches!(fatal, Fatal::Unexpected { .. }), "{kind}: {fatal}");
    }
}

#[test]
fn an_optional_challenge_has_to_be_an_initial_one_and_not_401() {
    for (from, to, status) in [
        ("reason=initial", "reason=stale-session", 200),
        ("reason=initial", "reason=auth-failed", 200),
        ("reason=initial", "reason=reauth-needed", 200),
        ("reason=initial", "reason=initial", 401),
        ("", "", 401),
    ] {
        let mut pair = optional();
        pair.between(move |site, path, credentials, now| {
            let mut wire = site.serve(path, credentials, &Channel::Plain, now);
            wire.status = status;
            wire.fields[0].1 = wire.fields[0].1.replace(from, to);
            wire
        });
        let fatal = pair.get("/").fatal();
        assert!(matches!(fatal, Fatal::Unexpected { .. } | Fatal::Status { .. }), "{to} {status}: {fatal}");
    }
    // A token that RFC 8120 §4.1 does not define is as good as "initial".
    let mut pair = optional();
    pair.typed.clear();
    pair.between(|site, path, credentials, now| {
        let mut wire = site.serve(path, credentials, &Channel::Plain, now);
        wire.fields[0].1 = wire.fields[0].1.replace("reason=initial", "reason=-welcome.example.com");
        wire
    });
    assert!(pair.get("/").required().is_optional());
}

#[test]
fn both_challenge_fields_at_once_are_fatal() {
    let mut pair = optional();
    pair.between(|site, path, credentials, now| {
        let mut wire = site.serve(path, credentials, &Channel::Plain, now);
        let value = wire.fields[0].1.clone();
        wire.fields.push(("WWW-Authenticate".into(), value));
        wire
    });
    assert!(matches!(pair.get("/").fatal(), Fatal::Message(_)));
}

#[test]
fn auth_style_is_passed_on() {
    for (style, expected) in [
        (None, AuthStyle::NonModal),
        (Some(AuthStyle::Modal), AuthStyle::Modal),
        (Some(AuthStyle::NonModal), AuthStyle::NonModal),
    ] {
        let mut pair = wishing(AuthControl { auth_style: style, ..AuthControl::default() });
        pair.typed.clear();
        assert_eq!(pair.get("/").required().presentation(), Presentation::Offer(expected));
    }
    let mut pair = wishing(AuthControl { auth_style: Some(AuthStyle::Modal), ..AuthControl::default() });
    pair.typed.clear();
    pair.site.access.insert("/".into(), Access::Optional);
    assert_eq!(pair.get("/").required().presentation(), Presentation::Offer(AuthStyle::NonModal));
}

#[test]
fn location_when_unauthenticated_leads_to_the_login_page() {
    let login =
        || AuthControl { location_when_unauthenticated: Some(location("/login.html")), ..AuthControl::default() };
    let mut pair = wishing(login());
    pair.typed.clear();
    assert_eq!(pair.get("/").required().presentation(), Presentation::SeeOther(location("/login.html")));
    // It is ignored if the user need not be asked...
    pair.typed = vec![("john", "secret")];
    pair.get("/").succeeded();
    pair.get("/").succeeded();
    // ... and when a login failed.
    let mut pair = wishing(login());
    pair.typed = vec![("john", "wrong")];
    assert_eq!(pair.get("/").required().presentation(), Presentation::Offer(AuthStyle::NonModal));
}

#[test]
fn no_auth_asks_nobody_and_wins_over_a_location() {
    let mut pair = wishing(AuthControl {
        no_auth: true,
        location_when_unauthenticated: Some(location("/login.html")),
        ..AuthControl::default()
    });
    pair.typed.clear();
    assert_eq!(pair.get("/").required().presentation(), Presentation::DoNotAsk);
    pair.typed = vec![("john", "secret")];
    pair.get("/").succeeded();
    // A session makes the parameter meaningless.
    pair.take_log();
    pair.get("/").succeeded();
    assert_eq!(pair.take_log(), ["req-VFY-C", "200-VFY-S"]);
}

#[test]
fn location_when_logout_counts_with_a_proven_page() {
    let mut pair = wishing(AuthControl { location_when_logout: Some(location("/bye")), ..AuthControl::default() });
    let proven = pair.get("/").succeeded();
    assert_eq!(proven.logout_action(true), LogoutAction::Go(location("/bye")));
    let proven = Pair::new().get("/").succeeded();
    assert_eq!(proven.logout_action(true), LogoutAction::Reload);
    assert_eq!(proven.logout_action(false), LogoutAction::Stay);
}

#[test]
fn logout_timeout_logs_out() {
    let mut pair = wishing(AuthControl { logout_timeout: Some(Natural::from(300u32)), ..AuthControl::default() });
    pair.typed.push(("john", "secret"));
    pair.get("/").succeeded();
    assert_eq!(pair.client.next_expiry(), Some(pair.now.after(Natural::from(300u32))));
    pair.wait(299);
    // A new value cancels the old one.
    pair.get("/").succeeded();
    pair.wait(299);
    pair.get("/").succeeded();
    pair.wait(300);
    pair.typed.clear();
    pair.take_log();
    pair.get("/").required();
    assert_eq!(pair.take_log(), ["normal request", "401-INIT"]);
    assert_eq!(pair.client.next_expiry(), None);
}

#[test]
fn logout_timeout_zero_logs_out_now() {
    let mut pair = wishing(AuthControl { logout_timeout: Some(Natural::ZERO), ..AuthControl::default() });
    pair.get("/").succeeded();
    assert_eq!(pair.client.logins().count(), 0);
    let mut pair = Pair::new();
    pair.log_in();
    let realm = pair.site.server.config().realm.name.clone();
    let control = AuthControl { logout_timeout: Some(Natural::ZERO), ..AuthControl::default() };
    pair.site.extra.push(control.to_field(&realm));
    pair.get("/logout").succeeded();
    assert_eq!(pair.client.logins().count(), 0);
}

#[test]
fn a_logout_timeout_without_proof_does_nothing() {
    let mut pair = Pair::new();
    pair.log_in();
    let field = AuthControl { logout_timeout: Some(Natural::ZERO), ..AuthControl::default() }
        .to_field(&pair.site.server.config().realm.name.clone());
    pair.between(move |_, _, _, _| Wire::new(200, &[]).with(field.clone()));
    pair.get("/").unauthenticated();
    assert_eq!(pair.client.logins().count(), 1);
}

#[test]
fn username_is_a_hint_where_a_login_is_needed() {
    let admin = Username::prepare("admin").unwrap();
    let mut pair = wishing(AuthControl { username: Some(admin.clone()), ..AuthControl::default() });
    pair.typed.clear();
    assert_eq!(pair.get("/").required().username_hint(), Some(&admin));
    pair.typed = vec![("john", "wrong")];
    assert_eq!(pair.get("/").required().username_hint(), Some(&admin));
    pair.typed = vec![("john", "secret")];
    assert!(pair.get("/").succeeded().control().username.is_none());
}

#[test]
fn a_proxy_has_no_part_in_rfc_8053() {
    let proxy = origin("http://proxy.example.com:3128");
    let config = ServerConfig {
        role: Role::Proxy,
        ..ServerConfig::new(proxy, realm(Algorithm::EcP256Sha256, "proxy.example.com", "a realm"))
    };
    let name = config.realm.name.clone();
    let mut pair = Pair::with(config, Channel::Plain);
    pair.site.access.insert("/".into(), Access::Optional);
    pair.site.extra.push(AuthControl { no_auth: true, ..AuthControl::default() }.to_field(&name));
    pair.typed.clear();
    let required = pair.get("/").required();
    assert_eq!(pair.received[0].status, 407);
    assert_eq!(required.presentation(), Presentation::Offer(AuthStyle::NonModal));
}

#[test]
fn the_path_list_of_an_optional_challenge_is_recognized() {
    // The realm claims /members/ with its optional challenge alone; a proven login makes that known.
    let mut pair = optional();
    pair.between(|site, path, credentials, now| {
        let mut wire = site.serve(path, credentials, &Channel::Plain, now);
        if wire.kind() == "optional 401-INIT" {
            wire.fields[0].1.push_str(", path=\"/members/ http://other.example.org/\"");
        }
        wire
    });
    pair.get("/members/").succeeded();
    pair.take_log();
    pair.get("/members/list").succeeded();
    assert_eq!(pair.take_log(), ["req-VFY-C", "200-VFY-S"]);
    // Elsewhere nothing is sent unasked; and what lies outside of the scope was never taken over.
    pair.get("/elsewhere").succeeded();
    assert_eq!(pair.take_log(), ["normal request", "optional 401-INIT", "req-VFY-C", "200-VFY-S"]);
}

#[test]
fn an_entry_is_written_as_the_rfc_has_it() {
    let control = AuthControl {
        auth_style: Some(AuthStyle::Modal),
        location_when_unauthenticated: Some(location("http://www.example.com/login.html")),
        no_auth: true,
        location_when_logout: Some(location("/bye?a=\"b\"")),
        logout_timeout: Some(Natural::from(300u32)),
        username: Some(Username::prepare("René of France").unwrap()),
    };
    let realm = config().realm.name;
    let field = control.to_field(&realm);
    assert_eq!(field.name, "Authentication-Control");
    assert_eq!(
        field.value,
        "Mutual realm=\"a realm\", auth-style=modal, \
         location-when-unauthenticated=\"http://www.example.com/login.html\", no-auth=true, \
         location-when-logout=\"/bye?a=\\\"b\\\"\", logout-timeout=300, username*=UTF-8''Ren%C3%A9%20of%20France"
    );
    let renee = AuthControl { username: Username::prepare("Renee of France").ok(), ..AuthControl::default() };
    assert_eq!(renee.to_field(&realm).value, "Mutual realm=\"a realm\", username=\"Renee of France\"");
}

#[test]
fn an_unknown_parameter_does_not_hide_the_others() {
    let line = b"Mutual realm=\"a realm\", unknown=1, -mine.example.com=\"x\", other*=junk, no-auth=true";
    let control = AuthControl::read([&line[..]], &config().realm.name);
    assert_eq!(control, AuthControl { no_auth: true, ..AuthControl::default() });
}

#[test]
fn tokens_and_integers_are_not_read_from_ext_values() {
    let line = b"Mutual realm=\"a realm\", no-auth*=true, logout-timeout*=5, auth-style*=modal, username=\"admin\"";
    let control = AuthControl::read([&line[..]], &config().realm.name);
    assert_eq!(control, AuthControl { username: Username::prepare("admin").ok(), ..AuthControl::default() });
}

#[test]
fn an_optional_challenge_that_may_not_be_one_is_not_even_offered() {
    let reasons =
        ["auth-failed", "reauth-needed", "invalid-parameters", "internal-error", "authz-failed", "stale-session"];
    for (reason, status) in reasons.map(|reason| (reason, 200)).into_iter().chain([("initial", 401)]) {
        let mut pair = optional();
        pair.between(move |site, path, credentials, now| {
            let mut wire = site.serve(path, credentials, &Channel::Plain, now);
            wire.status = status;
            wire.fields[0].1 = wire.fields[0].1.replace("reason=initial", &format!("reason={reason}"));
            wire
        });
        pair.get("/").fatal();
        assert_eq!(pair.log.len(), 2, "{reason} {status}: fatal at once, and nobody is asked");
    }
}

#[test]
fn an_optional_challenge_means_nothing_to_the_client_of_a_proxy() {
    let proxy = origin("http://proxy.example.com:3128");
    let config = ServerConfig {
        role: Role::Proxy,
        ..ServerConfig::new(proxy, realm(Algorithm::EcP256Sha256, "proxy.example.com", "a realm"))
    };
    let mut pair = Pair::with(config, Channel::Plain);
    // It may be the origin server's, to which another client talks through this one.
    pair.between(|site, path, credentials, now| {
        let challenge = site.serve(path, credentials, &Channel::Plain, now).fields.remove(0).1;
        Wire::new(200, &[("Optional-WWW-Authenticate", &challenge)])
    });
    assert_eq!(pair.get("/").unauthenticated(), "body of 200");
}
