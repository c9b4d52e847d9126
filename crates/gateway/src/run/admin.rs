//! What operators and their machines ask for: health and metrics, on an address of their own.

use super::Inner;
use super::error::StartError;
use crate::listener::{Abort, Listener, Settings};
use crate::proxy::Body;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response, StatusCode};
use std::net::SocketAddr;
use std::sync::Weak;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

pub(super) async fn bind(address: SocketAddr) -> Result<Listener, StartError> {
    let bound = Listener::bind(address, Settings::default()).await;
    let listener = bound.map_err(|error| StartError::Bind { address, error })?;
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, "health and metrics");
    }
    Ok(listener)
}

/// `/healthz`: the process answers. `/readyz`: it can let users in, since its store answers and it is
/// not told to end. `/metrics`: what was counted.
pub(super) async fn serve(listener: Listener, gateway: Weak<Inner>) {
    listener
        .run(move |request, _| {
            let gateway = gateway.clone();
            async move {
                let (status, kind, body) = match (request.method(), request.uri().path()) {
                    (&Method::GET | &Method::HEAD, "/healthz") => (StatusCode::OK, TEXT, "ok\n".to_owned()),
                    (&Method::GET | &Method::HEAD, "/readyz") => ready(&gateway).await,
                    (&Method::GET | &Method::HEAD, "/metrics") => match gateway.upgrade() {
                        Some(gateway) => {
                            gateway.measure().await;
                            (StatusCode::OK, OPEN_METRICS, gateway.metrics.encode())
                        }
                        None => (StatusCode::SERVICE_UNAVAILABLE, TEXT, "shutting down\n".to_owned()),
                    },
                    _ => (StatusCode::NOT_FOUND, TEXT, "there are /healthz, /readyz and /metrics\n".to_owned()),
                };
                let mut response = Response::new(Body::full(body));
                *response.status_mut() = status;
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
                Ok::<_, Abort>(response)
            }
        })
        .await;
}

async fn ready(gateway: &Weak<Inner>) -> (StatusCode, &'static str, String) {
    let Some(gateway) = gateway.upgrade() else {
        return (StatusCode::SERVICE_UNAVAILABLE, TEXT, "shutting down\n".to_owned());
    };
    // Who asks sends no more requests here, while those that run may finish.
    if gateway.is_ending() {
        return (StatusCode::SERVICE_UNAVAILABLE, TEXT, "shutting down\n".to_owned());
    }
    let store = gateway.store.clone();
    match tokio::task::spawn_blocking(move || store.revocations(None)).await {
        Ok(Ok(_)) => (StatusCode::OK, TEXT, "ready\n".to_owned()),
        Ok(Err(error)) => {
            tracing::error!(%error, "not ready: the store does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, TEXT, "the store does not answer; the log says why\n".to_owned())
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, TEXT, "shutting down\n".to_owned()),
    }
}
