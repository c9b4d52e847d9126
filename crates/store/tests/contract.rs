//! What every store promises, on every back end.
#![cfg(feature = "sqlite")]
#![allow(unreachable_pub)] // The checks are called by the macro below.

mod support;

mod contract {
    pub mod atomic;
    pub mod invitations;
    pub mod limits;
    pub mod principals;
    pub mod sessions;
    pub mod users;
}

use support::{Memory, Sqlite};
use tagai_store::InvitationStore as _;

/// Each check as a test of each back end.
macro_rules! contract {
    ($($module:ident: $($check:ident),+;)+) => {
        mod memory {
            use super::*;
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $check() {
                    contract::$module::$check::<Memory>().await;
                }
            )+)+
        }
        mod sqlite {
            use super::*;
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $check() {
                    contract::$module::$check::<Sqlite>().await;
                }
            )+)+
        }
    };
}

contract! {
    users:
        a_user_is_added_found_changed_and_removed, names_are_compared_octet_for_octet, a_realm_is_all_three_of_its_parts,
        a_disabled_user_has_no_verifier_and_comes_back, changes_of_nobody_are_refused, users_are_listed_in_order,
        every_algorithm_is_kept, a_decoy_that_is_none_is_no_error;
    invitations:
        an_invitation_makes_a_user_once, an_invitation_is_for_one_name_in_one_realm, an_invitation_runs_out,
        a_later_invitation_replaces_an_earlier_one, a_reset_replaces_the_verifier_and_ends_sessions, invitations_fit_their_users,
        a_change_of_the_user_ends_the_invitation, of_many_with_one_code_one_is_served, only_who_may_log_in_changes_a_password;
    sessions:
        a_login_is_kept_and_serves_many_requests, a_session_of_another_server_is_unknown, a_replay_ends_the_session,
        a_rejected_session_stays_half_open, an_ended_session_is_dropped, a_session_that_is_not_given_back_is_dropped,
        an_unknown_session_is_none, a_session_is_over_when_it_says_so, a_half_open_session_waits_so_long,
        what_is_over_is_purged, a_users_sessions_are_ended_in_both_classes, a_panic_is_the_callers_alone,
        a_sid_of_another_length_is_kept, a_second_session_of_one_sid_replaces_the_first;
    limits:
        the_oldest_half_open_session_of_an_owner_goes, the_owner_with_the_most_makes_room,
        among_equals_the_oldest_makes_room, a_flood_does_not_touch_what_is_established, the_least_used_session_of_a_user_goes,
        the_least_used_session_goes, many_random_steps_keep_the_counts;
    principals:
        a_principal_is_added_changed_and_removed, groups_and_attributes_are_sets, a_credential_belongs_to_one_principal,
        nobody_is_changed, what_one_principal_has_is_bounded, denials_are_kept_and_taken_back,
        a_directory_is_all_of_it_and_stays_as_it_was;
    atomic:
        of_many_requests_with_one_number_one_is_accepted, numbers_of_one_session_are_each_accepted_once,
        a_dropped_future_leaves_the_store_whole;
}

#[test]
fn invitations_are_bounded_in_memory() {
    use support::Backend as _;
    let store = Memory::new();
    contract::invitations::fill(|new, now| assert!(!store.users().invite(new, now).unwrap()));
    contract::invitations::invitations_are_bounded(store.users());
}

/// Written durably one by one they would take long, so the rows are written by hand.
#[test]
fn invitations_are_bounded_in_sqlite() {
    use support::Backend as _;
    let store = Sqlite::new();
    let raw = rusqlite::Connection::open(store.path()).unwrap();
    raw.execute_batch("BEGIN").unwrap();
    contract::invitations::fill(|new, now| {
        let seconds = |time: std::time::SystemTime| {
            i64::try_from(time.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()).unwrap()
        };
        let realm = (new.realm.algorithm.as_str(), new.realm.auth_scope.to_string(), new.realm.name.as_str());
        let row =
            (realm.0, realm.1, realm.2, new.name.as_str(), new.code.octets(), seconds(now), seconds(new.expires));
        raw.execute("INSERT INTO invitations VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7)", row).unwrap();
    });
    raw.execute_batch("COMMIT").unwrap();
    contract::invitations::invitations_are_bounded(store.users());
}
