//! Takes over principals and denials that operators have changed, and ends the sessions of those who may not go on.

use super::Inner;
use crate::proof::Principals;
use tagai_store::principal::{Credential, PrincipalStore as _};

impl Inner {
    /// Reads the principals anew if any was changed. Requests that begin from then on are judged by them; sessions of whoever is
    /// kept out are ended as well, so that they are not there when somebody lets them in again.
    pub(super) async fn renew_directory(&self) {
        let known = self.service.principals().directory().version();
        let store = self.store.clone();
        // With very many principals it takes its time: not on a thread that serves requests.
        let read = move || -> Result<Option<Principals>, tagai_store::StoreError> {
            if store.directory_version()? == known {
                return Ok(None);
            }
            store.directory().map(Principals::new).map(Some)
        };
        let now = match tokio::task::spawn_blocking(read).await {
            Ok(Ok(Some(now))) => now,
            Ok(Ok(None)) => {
                self.metrics.directory_read.set(super::unix_seconds());
                return;
            }
            Ok(Err(error)) => return tracing::error!(%error, "changes of principals could not be read"),
            Err(error) => return tracing::error!(%error, "changes of principals could not be read"),
        };
        self.metrics.directory_read.set(super::unix_seconds());
        let count = now.directory().len();
        let before = self.service.replace_principals(now);
        let ended = self.service.principals().directory().ended_since(before.directory());
        tracing::info!(principals = count, "principals were changed");
        for credential in ended {
            self.end(&credential).await;
        }
    }

    /// Ends the sessions that somebody has by a credential.
    async fn end(&self, credential: &Credential) {
        let Credential::User { realm: id, name } = credential else { return };
        let config = self.config.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let Some(realm) = config.realm(id.as_str()) else { return };
        match self.end_user(&realm.realm, name).await {
            Ok(0) => {}
            Ok(ended) => tracing::info!(%credential, ended, "sessions ended: the principal was changed"),
            // Nobody is let through all the same: each request asks the directory.
            Err(error) => tracing::error!(%credential, %error, "sessions could not be ended"),
        }
    }
}
