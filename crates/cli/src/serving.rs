//! A gateway in the foreground: its log, its signals, its end.

use crate::failure::Failure;
use crate::output;
use std::io::IsTerminal as _;
use tagai_gateway::config::{Config, LogFormat};
use tagai_gateway::{Gateway, StartError};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Threads for everything asynchronous: as many as there are cores.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::other(format!("no threads could be started: {error}")))
}

/// Log lines go to standard error, as the configuration wants them.
pub(crate) fn start_log(config: &Config) {
    let lines = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(config.log.level)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal() && output::colour_on_stderr());
    // A log that was started before stays; there is one for each process.
    let _ = match config.log.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
}

/// What the operating system may tell.
struct Signals {
    hang_up: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::other(format!("signals cannot be listened to: {error}")));
        Ok(Self {
            hang_up: listen(SignalKind::hangup())?,
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    /// Returns when somebody does not want to wait for the end.
    async fn again(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Returns when the gateway has to end. SIGHUP reloads it.
    async fn run(&mut self, gateway: &Gateway) {
        loop {
            tokio::select! {
                // What went wrong has been logged.
                _ = self.hang_up.recv() => drop(gateway.reload().await),
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
            }
        }
    }
}

/// Asks for as many open files as the system allows, and says if the configuration wants more connections than that.
fn raise_open_files(config: &Config) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // Where it is not allowed, what there is has to do.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let files = getrlimit(Resource::Nofile).current.or(current).unwrap_or(u64::MAX);
    // Some are needed for connections to applications, and for everything else.
    let connections = u64::try_from(config.limits.connections).unwrap_or(u64::MAX);
    let needed = connections.saturating_add(1024);
    if files < needed {
        tracing::warn!(
            files,
            needed,
            "[limits] connections = {connections} may need more open files than this process may have: raise the limit (ulimit -n, \
             LimitNOFILE), or lower the number"
        );
    }
}

/// Runs a gateway until it is told to end. `started` is called once it listens.
pub(crate) async fn serve(
    config: Config,
    started: impl FnOnce(&Gateway) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut signals = Signals::new()?;
    raise_open_files(&config);
    let gateway = Gateway::start(config).await.map_err(|error| refused(&error))?;
    gateway.watch_files();
    started(&gateway)?;
    signals.run(&gateway).await;
    tracing::info!("ending: no new connections; requests may finish. A second signal ends at once");
    let journal = std::sync::Arc::clone(gateway.journal());
    tokio::select! {
        drained = gateway.shutdown() => {
            if drained.cut > 0 {
                tracing::warn!(cut = drained.cut, "connections were cut");
            }
        }
        () = signals.again() => {
            tracing::warn!("ended at once: what was running was cut");
            // What has happened is written down all the same.
            journal.flush();
        }
    }
    Ok(())
}

fn refused(error: &StartError) -> Failure {
    let failure = Failure::other(format!("the gateway does not start: {error}"));
    match error {
        // What to do is said, and `tagai check` listens nowhere.
        StartError::Bind { .. } => failure,
        _ => failure.help("`tagai check` looks at everything that it needs"),
    }
}
