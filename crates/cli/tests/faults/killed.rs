//! Killed in the middle of something.

use super::program::{Folder, PASSWORD, command, until};
use std::process::Stdio;
use std::time::Duration;

fn count(folder: &Folder) -> i64 {
    folder.database().query_row("SELECT count(*) FROM users", [], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_killed_can_be_done_again() {
    const USERS: usize = 150;
    let folder = Folder::new().await;
    let rows: String = (0..USERS).map(|number| format!("user-{number},{PASSWORD}\n")).collect();
    std::fs::write(folder.path("users.csv"), format!("user,password\n{rows}")).unwrap();
    let file = folder.path("users.csv");
    let import = ["user", "import", file.to_str().unwrap(), "--replace"];
    let mut child = command(&[])
        .args(import)
        .arg("--config")
        .arg(folder.config())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until(|| async { count(&folder) >= 5 }).await;
    child.kill().unwrap();
    child.wait().unwrap();
    folder.is_sound();
    let kept = folder.users();
    assert!(kept.len() >= 5, "{kept:?}");
    // Whoever is there is there with all that belongs to a user.
    let exported = folder.tagai(&["user", "export"], "").succeeded();
    assert_eq!(exported.stdout.lines().filter(|line| line.starts_with("tagai-verifier:")).count(), kept.len());

    folder.tagai(&import, "").succeeded();
    assert_eq!(folder.users().len(), USERS);
    let serving = folder.serve();
    for number in [0, kept.len() - 1, USERS - 1] {
        assert!(folder.log_in(&format!("user-{number}")).await.unwrap().is_proven());
    }
    drop(serving);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_a_kill() {
    let folder = Folder::new().await;
    let mut acknowledged = Vec::new();
    for number in 0..24_u64 {
        let name = format!("user-{number}");
        let mut child = command(&[])
            .args(["user", "add", &name, "--generate", "--config"])
            .arg(folder.config())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // At another moment each time; some come to their end before.
        let limit = Duration::from_millis(4 * number);
        let finished = async {
            loop {
                if let Some(status) = child.try_wait().unwrap() {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let finished = if number % 6 == 0 { Ok(finished.await) } else { tokio::time::timeout(limit, finished).await };
        match finished {
            Ok(status) if status.success() => acknowledged.push(name),
            Ok(status) => panic!("{name}: {status}"),
            Err(_) => {
                let _ = child.kill();
                if child.wait().unwrap().success() {
                    acknowledged.push(name);
                }
            }
        }
    }
    folder.is_sound();
    let users = folder.users();
    assert!(acknowledged.len() >= 4);
    for name in &acknowledged {
        assert!(users.contains(name), "{name} is not among {users:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_killed_starts_again_with_its_sessions() {
    let folder = Folder::new().await;
    folder.edit("# sessions = \"memory\"", "sessions = \"sqlite\"");
    folder.add("alice").succeeded();
    let client = folder.client("alice");
    let url = folder.url("/");
    for round in 0..3 {
        let serving = folder.serve();
        for _ in 0..10 {
            let reply = client.get(&url).await.unwrap();
            let tagai_client::Proof::Mutual { session_reused, .. } = reply.proof() else { panic!("{reply:?}") };
            assert!(*session_reused || round == 0, "round {round}: the session outlives the process");
        }
        serving.kill();
        folder.is_sound();
    }
}
