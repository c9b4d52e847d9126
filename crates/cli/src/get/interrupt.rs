//! Ends the program on SIGINT and SIGTERM without leaving a mess: half a file, or a terminal without echo.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// How long somebody who reads the terminal gets to put it right.
const PATIENCE: Duration = Duration::from_secs(1);

/// What has to be put right before the program may end.
#[derive(Debug, Default, Clone)]
pub(crate) struct Mess(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    half_file: Mutex<Option<PathBuf>>,
    prompting: AtomicBool,
}

impl Mess {
    /// A file that is not complete, or no longer.
    pub(crate) fn half_file(&self, path: Option<&Path>) {
        *self.0.half_file.lock().unwrap_or_else(PoisonError::into_inner) = path.map(Path::to_owned);
    }

    /// Whether a prompt has the terminal.
    pub(crate) fn prompting(&self, now: bool) {
        self.0.prompting.store(now, Ordering::Release);
    }

    /// Waits for signals from now on, beside whatever the program does.
    pub(crate) fn watch(&self) -> std::io::Result<()> {
        for (kind, code) in [(SignalKind::interrupt(), 130), (SignalKind::terminate(), 143)] {
            let mut signals = signal(kind)?;
            let mess = self.clone();
            tokio::spawn(async move {
                if signals.recv().await.is_some() {
                    mess.clean().await;
                    std::process::exit(code);
                }
            });
        }
        Ok(())
    }

    async fn clean(&self) {
        let prompt = async {
            while self.0.prompting.load(Ordering::Acquire) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        drop(tokio::time::timeout(PATIENCE, prompt).await);
        let half = self.0.half_file.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(path) = half {
            drop(std::fs::remove_file(path));
        }
    }
}
