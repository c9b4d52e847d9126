use crate::support::Dir;

const COMMANDS: [&str; 15] = [
    "serve",
    "demo",
    "init",
    "check",
    "user",
    "explain",
    "policy",
    "passwd",
    "ca",
    "key",
    "get",
    "logout",
    "version",
    "completions",
    "man",
];
const USER_COMMANDS: [&str; 8] = ["add", "list", "show", "disable", "enable", "rm", "import", "export"];

#[test]
fn completions_know_every_command() {
    let dir = Dir::empty();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = dir.run(&["completions", shell]).exits(0).out;
        for command in COMMANDS.iter().chain(&USER_COMMANDS) {
            assert!(script.contains(command), "{shell}: {command}");
        }
        assert!(script.contains("password-stdin"), "{shell}");
    }
    dir.run(&["completions", "csh"]).exits(2);
}

#[test]
fn the_manual_knows_every_command() {
    let dir = Dir::empty();
    let page = dir.run(&["man"]).exits(0).out;
    for command in COMMANDS {
        assert!(page.contains(&format!("tagai\\-{command}(1)")), "{command}:\n{page}");
    }
    assert!(page.contains(".TH tagai 1") && page.contains("Exit codes"), "{page}");
    dir.run(&["man", "--dir", "man1"]).exits(0);
    for command in COMMANDS
        .map(|command| format!("tagai-{command}"))
        .iter()
        .chain(&USER_COMMANDS.map(|command| format!("tagai-user-{command}")))
    {
        let page = dir.read(&format!("man1/{command}.1"));
        assert!(page.contains("Examples:"), "{command}:\n{page}");
    }
}

#[test]
fn versions() {
    let dir = Dir::empty();
    let version = format!("tagai {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(dir.run(&["version"]).exits(0).out, version);
    assert_eq!(dir.run(&["--version"]).exits(0).out, version);
    let json = dir.run(&["version", "--json"]).exits(0).json();
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(json["algorithms"].as_array().unwrap().len(), 4);
}

#[test]
fn wrong_command_lines_exit_with_2() {
    let dir = Dir::empty();
    for args in [&[][..], &["user"], &["nonsense"], &["user", "add"], &["get"], &["logout"], &["check", "--nonsense"]]
    {
        let ran = dir.run(args).exits(2);
        assert!(ran.err.contains("Usage: tagai"), "{ran:?}");
    }
    let help = dir.run(&["get", "--help"]).exits(0).out;
    for words in ["--cacert", "--require-proof", "Exit codes:", "22  the answer is an HTTP error"] {
        assert!(help.contains(words), "{words}:\n{help}");
    }
}
