//! The data plane alone, without authentication: for benchmarks beside other proxies.
//!
//! `plain_proxy LISTEN UPSTREAM [CHAIN.pem KEY.pem]`, for example `plain_proxy 127.0.0.1:8080 http://127.0.0.1:9000`.

use http::Response;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tagai_gateway::listener::{Abort, Limits, Listener, Settings};
use tagai_gateway::proxy::{Body, ForwardContext, Policy, Protocol, Upstream, UpstreamLimits, check, forward};
use tagai_gateway::tls::{Certificates, SharedCertificates, TlsOptions, load};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (listen, upstream, tls) = match arguments.as_slice() {
        [listen, upstream] => (listen, upstream, None),
        [listen, upstream, chain, key] => (listen, upstream, Some((chain, key))),
        _ => return Err("usage: plain_proxy LISTEN UPSTREAM [CHAIN.pem KEY.pem]".into()),
    };
    let tls = match tls {
        None => None,
        Some((chain, key)) => {
            let loaded = load(Path::new(chain), Path::new(key), rustls::pki_types::UnixTime::now())?;
            for warning in &loaded.warnings {
                eprintln!("{warning}");
            }
            Some(Arc::new(SharedCertificates::new(Certificates::new(vec![loaded], &TlsOptions::default())?)))
        }
    };
    let limits = Limits { connections_per_address: 16_384, ..Limits::default() };
    let listener = Listener::bind(listen.parse()?, Settings { tls, limits, ..Settings::default() }).await?;
    eprintln!("{} -> {upstream}", listener.local_addr()?);

    let upstream = Arc::new(Upstream::new(upstream, Protocol::Http1, None, UpstreamLimits::default())?);
    let policy = Arc::new(Policy::default());
    let handle = listener.handle();
    tokio::spawn(async move {
        let _ = tokio::signal::ctrl_c().await;
        handle.shutdown(Duration::from_secs(5));
    });
    let drained = listener
        .run(move |request, connection| {
            let (upstream, policy) = (Arc::clone(&upstream), Arc::clone(&policy));
            async move {
                let refused = |status| {
                    let mut response = Response::new(Body::empty());
                    *response.status_mut() = status;
                    Ok::<_, Abort>(response)
                };
                let authority = match check(&request, connection.tls.is_some()) {
                    Ok(authority) => authority,
                    Err(refusal) => return refused(refusal.status),
                };
                let context = ForwardContext {
                    connection: &connection,
                    authority: &authority,
                    policy: &policy,
                    add: &[],
                    trusted: false,
                    over: None,
                };
                match forward(request, &upstream, &context).await {
                    Ok(response) => Ok(response),
                    Err(error) => {
                        eprintln!("{error}");
                        refused(error.status())
                    }
                }
            }
        })
        .await;
    eprintln!("{} connections cut", drained.cut);
    Ok(())
}
